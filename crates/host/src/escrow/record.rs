//! What is sealed into a slot, as bytes: a compact JSON head (status, completeness, headers), then the body as it came.
//!
//! Knows nothing of files and keys. Every buffer here holds a reply in the clear, so each is wiped when it is dropped.

use keytender_core::ports::Sealed;
use keytender_core::secret::SecretBytes;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// The most of a body that a slot holds: the HTTP client's own limit, so a reply that it took always fits.
pub(super) const BODY_BYTES_MAX: usize = 1024 * 1024;
/// The most that the head takes. The HTTP client takes about 400 KiB of headers; JSON escapes little of them.
const HEAD_BYTES_MAX: usize = 512 * 1024;
/// The head's length comes first, as a little-endian `u32`.
const LENGTH_BYTES: usize = 4;
/// The longest record.
pub(super) const RECORD_BYTES_MAX: usize = LENGTH_BYTES + HEAD_BYTES_MAX + BODY_BYTES_MAX;

#[derive(Serialize)]
struct Head<'a> {
    status: u16,
    complete: bool,
    headers: &'a [(String, String)],
}

#[derive(Deserialize)]
struct OwnedHead {
    status: u16,
    complete: bool,
    headers: Vec<(String, String)>,
}

/// The record's bytes, at most [`RECORD_BYTES_MAX`] of them. A body over its limit is cut at its end; headers over theirs
/// lose their later half until the rest fits. Either makes the record incomplete.
///
/// # Errors
/// None in practice: JSON of numbers and texts does not fail.
pub(super) fn encode(record: &Sealed) -> Result<Zeroizing<Vec<u8>>, serde_json::Error> {
    let body = record.body.expose();
    let body = &body[..body.len().min(BODY_BYTES_MAX)];
    let mut headers = &record.headers[..];
    let head = loop {
        let complete = record.complete && body.len() == record.body.len() && headers.len() == record.headers.len();
        let head = Zeroizing::new(serde_json::to_vec(&Head { status: record.status, complete, headers })?);
        if head.len() <= HEAD_BYTES_MAX {
            break head;
        }
        headers = &headers[..headers.len() / 2];
    };
    // Allocated once at its full size: a buffer that grows leaves copies behind that nobody wipes.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LENGTH_BYTES + head.len() + body.len()));
    bytes.extend_from_slice(&(head.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&head);
    bytes.extend_from_slice(body);
    Ok(bytes)
}

/// The record of the bytes; none when they are no record that this version knows.
pub(super) fn decode(bytes: &[u8]) -> Option<Sealed> {
    let (length, rest) = bytes.split_first_chunk::<LENGTH_BYTES>()?;
    let (head, body) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    let head: OwnedHead = serde_json::from_slice(head).ok()?;
    Some(Sealed { status: head.status, headers: head.headers, body: SecretBytes::new(body.to_vec()), complete: head.complete })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn record(headers: Vec<(String, String)>, body: Vec<u8>) -> Sealed {
        Sealed { status: 201, headers, body: SecretBytes::new(body), complete: true }
    }

    proptest! {
        #[test]
        fn what_was_encoded_is_decoded(
            headers in proptest::collection::vec((".{0,20}", ".{0,60}"), 0..8),
            body in proptest::collection::vec(any::<u8>(), 0..500),
        ) {
            let decoded = decode(&encode(&record(headers.clone(), body.clone())).unwrap()).unwrap();
            prop_assert_eq!(decoded.status, 201);
            prop_assert_eq!(decoded.headers, headers);
            prop_assert_eq!(decoded.body.expose(), &body[..]);
            prop_assert!(decoded.complete);
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = decode(&bytes);
        }
    }

    #[test]
    fn a_body_over_the_limit_is_cut_and_says_so() {
        let fits = decode(&encode(&record(vec![], vec![7; BODY_BYTES_MAX])).unwrap()).unwrap();
        assert!(fits.complete);
        let cut = decode(&encode(&record(vec![], vec![7; BODY_BYTES_MAX + 1])).unwrap()).unwrap();
        assert_eq!(cut.body.len(), BODY_BYTES_MAX);
        assert!(!cut.complete);
    }

    #[test]
    fn headers_over_the_limit_never_push_out_the_body() {
        let headers: Vec<_> = (0..1000).map(|n| (format!("h{n}"), "\"".repeat(1000))).collect();
        let bytes = encode(&record(headers, vec![7; BODY_BYTES_MAX])).unwrap();
        assert!(bytes.len() <= RECORD_BYTES_MAX);
        let cut = decode(&bytes).unwrap();
        assert_eq!(cut.body.len(), BODY_BYTES_MAX);
        assert_eq!(cut.headers.first().map(|(name, _)| name.as_str()), Some("h0"));
        assert!(!cut.complete);
    }
}
