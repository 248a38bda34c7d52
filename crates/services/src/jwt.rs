//! The claims of a JSON Web Token, read without its key. They inform (an expiry, an id); nothing is granted because of them,
//! so the signature need not be checked.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keytender_core::secret::SecretText;

/// The claims, if the text is a JWT: three parts with dots between them, of which the first two are JSON objects.
pub(crate) fn claims(text: &SecretText) -> Option<serde_json::Value> {
    let mut parts = text.expose().trim().split('.');
    let (head, body, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    object(head)?;
    object(body)
}

fn object(part: &str) -> Option<serde_json::Value> {
    let bytes = URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&bytes).ok().filter(serde_json::Value::is_object)
}

/// An unsigned JWT with these claims, for the cases of a service file.
pub(crate) fn unsigned(claims: &serde_json::Value) -> String {
    let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.unsigned", part(&serde_json::json!({ "alg": "none" })), part(claims))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_read_and_nothing_else_is_taken_for_a_jwt() {
        let text = |text: String| SecretText::new(text);
        let given = serde_json::json!({ "exp": 1_795_255_872, "token": { "key": "47773b" } });
        assert_eq!(claims(&text(unsigned(&given))), Some(given.clone()));
        assert_eq!(claims(&text(format!("{}\n", unsigned(&given)))), Some(given));
        for other in ["", "a.b.c", "npm_abcdef", "..", "e30.e30", "e30.W10.x", "e30.e30.x.y"] {
            assert_eq!(claims(&text(other.to_owned())), None, "{other}");
        }
    }
}
