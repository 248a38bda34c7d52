//! Digests: of a service file, to pin it; of a value, where the service uses one as the key's id.

use md5::Md5;
use sha2::{Digest, Sha256};

/// SHA-256 in lower-case hex.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// MD5 in lower-case hex. It identifies, it protects nothing.
pub(crate) fn md5_hex(text: &str) -> String {
    hex::encode(Md5::digest(text.as_bytes()))
}
