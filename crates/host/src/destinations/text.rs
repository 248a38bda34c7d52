//! Any file in which the old value stands literally: every occurrence is replaced, byte for byte.
//!
//! The file's format is not known here, so the old value has to be long enough to be nothing else by chance and has to
//! stand as a word of its own; otherwise the write is refused rather than guessed.

use super::{Edit, line_list};
use keytender_core::ports::{DestinationError, Holding};
use keytender_core::secret::{SecretBytes, SecretText};
use std::ops::Range;
use std::path::Path;
use zeroize::Zeroizing;

/// The shortest value, in bytes, that is looked for in a text: 8 characters of a token do not occur by chance.
const VALUE_BYTES_MIN: usize = 8;

/// The text with every occurrence of `old` replaced, or the word that `new` stands already.
pub(super) fn edit(
    path: &Path,
    bytes: &SecretBytes,
    old: Option<&SecretText>,
    new: &SecretText,
) -> Result<Edit, DestinationError> {
    let shown = path.display();
    refuse_short(path, new)?;
    let text = bytes.expose();
    let standing = find(text, new.expose().as_bytes()).words;
    let Some(old) = old else {
        return if standing.is_empty() {
            let why = "has no place for a value that never stood there; put it there once by hand";
            Err(DestinationError::Unexpected(format!("{shown} {why}")))
        } else {
            Ok(Edit::Stands(evidence(path, text, &standing)))
        };
    };
    refuse_short(path, old)?;
    // The new value may contain the old one; what lies within it is no occurrence.
    let outside = |found: &Range<usize>| !standing.iter().any(|new| new.start <= found.start && found.end <= new.end);
    let found = find(text, old.expose().as_bytes());
    if let Some(part) = found.parts.iter().find(|found| outside(found)) {
        return Err(DestinationError::Unexpected(format!(
            "in {shown} line {} the old value is only part of a longer word; change that place by hand, or name the file as \
             another kind",
            line_of(text, part.start)
        )));
    }
    let stale: Vec<Range<usize>> = found.words.into_iter().filter(outside).collect();
    if stale.is_empty() {
        return if standing.is_empty() {
            Err(DestinationError::Unexpected(format!("neither the old value nor the new one stands in {shown}")))
        } else {
            Ok(Edit::Stands(evidence(path, text, &standing)))
        };
    }
    let mut changed = Zeroizing::new(Vec::with_capacity(text.len() + stale.len() * new.len()));
    let mut from = 0;
    for place in &stale {
        changed.extend_from_slice(&text[from..place.start]);
        changed.extend_from_slice(new.expose().as_bytes());
        from = place.end;
    }
    changed.extend_from_slice(&text[from..]);
    Ok(Edit::Replace(SecretBytes::new(std::mem::take(&mut *changed)), evidence(path, text, &stale)))
}

/// Whether the expected value stands in the file.
pub(super) fn holding(path: &Path, bytes: &SecretBytes, expected: &SecretText) -> Result<Holding, DestinationError> {
    refuse_short(path, expected)?;
    if find(bytes.expose(), expected.expose().as_bytes()).words.is_empty() {
        return Ok(Holding::Other(format!("the value does not stand in {}", path.display())));
    }
    Ok(Holding::Expected)
}

fn refuse_short(path: &Path, value: &SecretText) -> Result<(), DestinationError> {
    if value.len() >= VALUE_BYTES_MIN {
        return Ok(());
    }
    Err(DestinationError::Unparsable(format!(
        "a value shorter than {VALUE_BYTES_MIN} characters cannot be told from other text in {}; name the file as another kind",
        path.display()
    )))
}

/// Occurrences that are words of their own, and those that are part of a longer word.
#[derive(Default)]
struct Found {
    words: Vec<Range<usize>>,
    parts: Vec<Range<usize>>,
}

fn find(text: &[u8], value: &[u8]) -> Found {
    let mut found = Found::default();
    let mut from = 0;
    while let Some(at) = position(&text[from..], value) {
        let place = from + at..from + at + value.len();
        let of_word = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte == b'-');
        let before = place.start.checked_sub(1).and_then(|index| text.get(index));
        let whole = !of_word(before) && !of_word(text.get(place.end));
        from = if whole { place.end } else { place.start + 1 };
        if whole { found.words.push(place) } else { found.parts.push(place) }
    }
    // Within a word of its own a shifted match of the same value is nothing.
    let words = &found.words;
    found.parts.retain(|part| !words.iter().any(|word| word.start < part.end && part.start < word.end));
    found
}

fn position(text: &[u8], value: &[u8]) -> Option<usize> {
    let first = *value.first()?;
    let mut from = 0;
    while let Some(at) = text[from..].iter().position(|byte| *byte == first) {
        if text[from + at..].starts_with(value) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

fn line_of(text: &[u8], at: usize) -> usize {
    1 + text[..at].iter().filter(|byte| **byte == b'\n').count()
}

fn evidence(path: &Path, text: &[u8], places: &[Range<usize>]) -> String {
    let lines = line_list(places.iter().map(|place| line_of(text, place.start))).unwrap_or_default();
    format!("{} {lines}", path.display())
}
