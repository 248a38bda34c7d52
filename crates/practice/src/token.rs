//! Ids, tokens, and the two things that are kept of a token: its SHA-256 and a hint for people.
//!
//! What may not live here: storing a token. Nothing in this crate does.

use crate::error::PracticeError;
use sha2::{Digest, Sha256};

const BASE36: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";
const ALPHANUMERIC: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A fresh key id: `pk_` and 12 characters of base 36.
pub(crate) fn make_id() -> Result<String, PracticeError> {
    make_text("pk_", BASE36, 12)
}

/// A fresh token: `ktp_` and 40 letters and digits (238 bits).
pub(crate) fn make_token() -> Result<String, PracticeError> {
    make_text("ktp_", ALPHANUMERIC, 40)
}

/// What is stored instead of a token: lower-case hex of its SHA-256. A token has enough randomness that no salt is needed.
pub(crate) fn derive_digest(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

/// What people are shown of a token: its first 8 and last 4 characters, as `abcdefgh...wxyz`.
pub(crate) fn derive_hint(token: &str) -> String {
    let head: String = token.chars().take(8).collect();
    let tail: Vec<char> = token.chars().rev().take(4).collect();
    format!("{head}...{}", tail.into_iter().rev().collect::<String>())
}

/// Every character equally likely: a byte beyond the last whole multiple of the alphabet's size is thrown away.
fn make_text(prefix: &str, alphabet: &[u8], len: usize) -> Result<String, PracticeError> {
    let fair = 256 - 256 % alphabet.len();
    let mut text = String::from(prefix);
    let mut bytes = [0_u8; 64];
    loop {
        getrandom::fill(&mut bytes).map_err(PracticeError::Randomness)?;
        for index in bytes.iter().map(|byte| usize::from(*byte)).filter(|index| *index < fair) {
            if text.len() == prefix.len() + len {
                return Ok(text);
            }
            text.push(char::from(alphabet[index % alphabet.len()]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_tokens_have_their_documented_shape_and_differ() {
        let (id, token) = (make_id().unwrap(), make_token().unwrap());
        let body = id.strip_prefix("pk_").unwrap();
        assert!(body.len() == 12 && body.bytes().all(|byte| BASE36.contains(&byte)), "{id}");
        let body = token.strip_prefix("ktp_").unwrap();
        assert!(body.len() == 40 && body.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_ne!(token, make_token().unwrap());
    }

    #[test]
    fn the_hint_is_the_first_eight_and_the_last_four() {
        assert_eq!(derive_hint("abcdefghijklmnopqrstuvwxyz"), "abcdefgh...wxyz");
    }

    #[test]
    fn the_digest_is_sha_256_in_hex() {
        // FIPS 180-2, appendix B.1.
        assert_eq!(derive_digest("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
