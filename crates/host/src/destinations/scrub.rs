//! Taking a value out of text that somebody else made.
//!
//! The last line of defence for what a command prints: the value as it is, and in the spellings that tools commonly echo.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use keytender_core::secret::Value;
use zeroize::Zeroizing;

const MARK: &str = "[value]";
/// Shorter texts are taken out only as they are: their encodings would match by chance.
const ENCODED_BYTES_MIN: usize = 6;

/// The text without any field of the value. `cut` = the text was broken off, so that its end may be the beginning of one.
pub(super) fn scrub(text: &str, value: &Value, cut: bool) -> String {
    let mut spellings = Vec::new();
    for (_, field) in value.fields() {
        spellings.extend(spellings_of(field.expose()));
    }
    spellings.retain(|spelling| !spelling.is_empty());
    spellings.sort_by_key(|spelling| std::cmp::Reverse(spelling.len()));
    spellings.dedup_by(|one, other| **one == **other);
    let mut clean = Zeroizing::new(text.to_owned());
    for spelling in &spellings {
        clean = Zeroizing::new(clean.replace(spelling.as_str(), MARK));
    }
    let end = if cut { clean.len().saturating_sub(spellings.first().map_or(0, |longest| longest.len())) } else { clean.len() };
    clean[..clean.floor_char_boundary(end)].to_owned()
}

fn spellings_of(secret: &str) -> Vec<Zeroizing<String>> {
    let mut spellings = vec![Zeroizing::new(secret.to_owned())];
    if secret.len() >= ENCODED_BYTES_MIN {
        let json = Zeroizing::new(serde_json::Value::from(secret).to_string());
        spellings.push(Zeroizing::new(json.trim_matches('"').to_owned()));
        spellings.push(Zeroizing::new(STANDARD.encode(secret)));
        spellings.push(Zeroizing::new(STANDARD_NO_PAD.encode(secret)));
        spellings.push(Zeroizing::new(URL_SAFE_NO_PAD.encode(secret)));
        spellings.push(Zeroizing::new(hex::encode(secret)));
        spellings.push(Zeroizing::new(hex::encode_upper(secret)));
        spellings.push(Zeroizing::new(url::form_urlencoded::byte_serialize(secret.as_bytes()).collect()));
        // `set -x` and the like break a text into lines; each line of a value is part of it.
        let lines = secret.lines().map(str::trim).filter(|line| line.len() >= ENCODED_BYTES_MIN);
        spellings.extend(lines.map(|line| Zeroizing::new(line.to_owned())));
    }
    spellings
}
