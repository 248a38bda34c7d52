//! The committed JSON Schema is the one that the types give. `KEYTENDER_REGENERATE=1` writes it anew.

use std::path::Path;

#[test]
fn the_committed_schema_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/service.schema.json");
    let fresh = format!("{}\n", serde_json::to_string_pretty(&keytender_services::schema()).unwrap());
    if std::env::var_os("KEYTENDER_REGENERATE").is_some() {
        std::fs::write(&path, &fresh).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == fresh, "schema/service.schema.json is stale; run this test with KEYTENDER_REGENERATE=1");
}

#[test]
fn the_schema_refuses_unknown_fields_and_explains_known_ones() {
    let schema = keytender_services::schema();
    assert_eq!(schema["additionalProperties"], false);
    for (name, definition) in schema["definitions"].as_object().unwrap() {
        if definition["type"] == "object" {
            assert_eq!(definition["additionalProperties"], false, "{name} accepts unknown fields");
        }
    }
    for (name, property) in schema["properties"].as_object().unwrap() {
        assert!(property.to_string().contains("\"description\""), "`{name}` is not explained");
    }
}
