//! The JSON Schema of the format, for editors. Generated from the types; a committed copy lies in `schema/`.

use crate::manifest::Manifest;
use schemars::generate::SchemaSettings;

/// The JSON Schema of a service file.
#[must_use]
pub fn schema() -> serde_json::Value {
    let mut schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<Manifest>();
    schema.insert("title".to_owned(), "A Keytender service file".into());
    schema.to_value()
}
