//! What a list tells: the keys at the service, and which of them is the one at hand.
//!
//! Only a whole list is an answer. A key that is missing from half a list may well exist, and the engine would then take a
//! stranger's key for an orphan of its own.

use crate::dates::retry_at;
use crate::interpret::{Standing, Subject};
use crate::manifest::{HintShows, ListCall, look_up};
use crate::rules::{Reply, evidence, first};
use crate::service::Kind;
use chrono::{DateTime, Utc};
use keytender_core::exchange::ResponseValue;
use keytender_core::rotation::{Found, RemoteEntry};
use keytender_core::secret::{SecretText, Value};
use std::collections::BTreeMap;

/// The keys at the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListReading {
    /// Every key, in the service's order.
    pub entries: Vec<RemoteEntry>,
    /// Where the old one is among them.
    pub old: Found,
    /// In words: what was asked and answered.
    pub evidence: String,
    /// What each entry shows of its value.
    hints: Vec<Option<String>>,
}

/// A reply that is no whole list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoReading {
    /// In words: what was asked and answered, and why that is no list.
    pub evidence: String,
    /// When the service asks to be called again, if it says so.
    pub retry_at: Option<DateTime<Utc>>,
}

impl Standing<'_> {
    /// Reads the reply to [`Standing::list_request`].
    ///
    /// # Errors
    /// A reply that is no whole list: refused, cut off, continued elsewhere, or shaped otherwise.
    pub fn read_list(&self, response: &ResponseValue) -> Result<ListReading, NoReading> {
        let Some(call) = &self.kind.list else {
            return Err(NoReading { evidence: "this kind of key cannot be listed".to_owned(), retry_at: None });
        };
        let name = self.name_call(&call.request, Subject::Old, None);
        let mut reading = read(call, &self.options(), &name, &Reply::from(response), response.received_at)?;
        reading.old = self.identify(&reading, Subject::Old);
        Ok(reading)
    }

    /// Finds the entry of a value that is held: by the id known for it, else by the id that the value carries, else by the
    /// part of it that the entries show.
    #[must_use]
    pub fn identify(&self, list: &ListReading, subject: Subject) -> Found {
        let Some(held) = self.held(subject) else { return Found::None };
        list.find(self.kind, held.value, held.remote_id)
    }
}

impl ListReading {
    pub(crate) fn find(&self, kind: &Kind, value: &Value, known_id: Option<&str>) -> Found {
        let listed = |id: &str| self.entries.iter().any(|entry| entry.id == id);
        if let Some(id) = known_id {
            return if listed(id) { Found::One { id: id.to_owned() } } else { Found::None };
        }
        if let Some(id) = kind.carries.id.as_ref().and_then(|find| find.text(None, Some(value))).filter(|id| listed(id)) {
            return Found::One { id };
        }
        let Some(hint) = kind.list.as_ref().and_then(|list| list.hint.as_ref()) else { return Found::None };
        let mut ids: Vec<String> = self
            .entries
            .iter()
            .zip(&self.hints)
            .filter(|(_, shown)| {
                shown.as_ref().is_some_and(|shown| value.fields().any(|(_, text)| shows(hint.shows, shown, text)))
            })
            .map(|(entry, _)| entry.id.clone())
            .collect();
        match ids.len() {
            0 => Found::None,
            1 => Found::One { id: ids.remove(0) },
            _ => Found::Several { ids },
        }
    }
}

pub(crate) fn read(
    call: &ListCall,
    options: &BTreeMap<String, String>,
    name: &str,
    reply: &Reply<'_>,
    received_at: DateTime<Utc>,
) -> Result<ListReading, NoReading> {
    let no = |because: &str| {
        let retry_at = retry_at(reply.headers(), received_at).filter(|_| matches!(reply.status, 429 | 503));
        NoReading { evidence: evidence(name, reply, Some(because)), retry_at }
    };
    let rule = first(&call.done, reply, options).ok_or_else(|| no("no rule takes that for a list"))?;
    let document = reply.json.as_ref().ok_or_else(|| no("it is not JSON"))?;
    let listed = look_up(document, &call.entries)
        .and_then(serde_json::Value::as_array)
        .ok_or_else(|| no(&format!("there is no array at `{}`", call.entries.0)))?;
    let goes_on = call.next.as_ref().and_then(|next| look_up(document, next)).is_some_and(|next| !is_nothing(next))
        || reply.headers().iter().any(|(name, value)| name.eq_ignore_ascii_case("link") && has_next(value));
    if goes_on {
        return Err(no("the list goes on beyond this page, so it is not known to be whole"));
    }
    let text = |entry: &serde_json::Value, pointer| match look_up(entry, pointer)? {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let (mut entries, mut hints) = (Vec::new(), Vec::new());
    for entry in listed {
        let id = text(entry, &call.id).filter(|id| !id.is_empty());
        let id = id.ok_or_else(|| no(&format!("an entry has no id at `{}`", call.id.0)))?;
        entries.push(RemoteEntry { id, name: call.name.as_ref().and_then(|pointer| text(entry, pointer)) });
        hints.push(call.hint.as_ref().and_then(|hint| text(entry, &hint.at)));
    }
    let count = if entries.len() == 1 { "1 key listed".to_owned() } else { format!("{} keys listed", entries.len()) };
    let evidence = evidence(name, reply, Some(rule.because.as_deref().unwrap_or(&count)));
    Ok(ListReading { entries, old: Found::None, evidence, hints })
}

/// What stands where a list ends: services write an empty text, false, 0 or an empty list.
fn is_nothing(next: &serde_json::Value) -> bool {
    match next {
        serde_json::Value::Null => true,
        serde_json::Value::Bool(more) => !more,
        serde_json::Value::Number(number) => number.as_f64() == Some(0.0),
        serde_json::Value::String(text) => text.is_empty(),
        serde_json::Value::Array(items) => items.is_empty(),
        serde_json::Value::Object(members) => members.is_empty(),
    }
}

/// Whether a `Link` header (RFC 8288) names a next page.
fn has_next(link: &str) -> bool {
    let link = link.to_ascii_lowercase();
    ["rel=\"next\"", "rel=next", "rel='next'"].iter().any(|next| link.contains(next))
}

/// Whether a value has the beginning and end that a hint shows.
fn shows(shape: HintShows, hint: &str, text: &SecretText) -> bool {
    let is_mask = |c: char| matches!(c, '.' | '*' | '\u{2026}' | '\u{2022}' | '\u{00b7}' | '\u{00d7}');
    let start = hint.split(is_mask).next().unwrap_or_default();
    let end = hint.rsplit(is_mask).next().unwrap_or_default();
    let hidden = hint.contains(is_mask);
    let text = text.expose();
    match shape {
        HintShows::Start => !start.is_empty() && text.starts_with(start),
        HintShows::End => !end.is_empty() && text.ends_with(end),
        HintShows::Both => {
            hidden
                && start.len() + end.len() > 0
                && start.len() + end.len() < text.len()
                && text.starts_with(start)
                && text.ends_with(end)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_match_the_value_they_are_made_of() {
        let text = SecretText::new(format!("abcde{}vwxyz", "-".repeat(20)));
        for (shape, hint) in [
            (HintShows::Both, "abcde...vwxyz"),
            (HintShows::Both, "abcde*****vwxyz"),
            (HintShows::Both, "\u{2026}wxyz"),
            (HintShows::End, "abc\u{2026}wxyz"),
            (HintShows::End, "wxyz"),
            (HintShows::Start, "abcd"),
            (HintShows::Start, "abcd****"),
        ] {
            assert!(shows(shape, hint, &text), "{hint}");
        }
        for (shape, hint) in [
            (HintShows::Both, "abcde...vwxy!"),
            (HintShows::Both, "...."),
            (HintShows::Both, "abcde"),
            (HintShows::Both, ""),
            (HintShows::End, "abcd***"),
            (HintShows::Start, "***wxyz"),
        ] {
            assert!(!shows(shape, hint, &text), "{hint}");
        }
    }

    #[test]
    fn a_next_page_is_seen_however_it_is_written() {
        assert!(has_next(r#"<https://x.example/?page=2>; rel="next""#));
        assert!(!has_next(r#"<https://x.example/?page=1>; rel="prev""#));
        for nothing in ["null", "false", "0", "\"\"", "[]", "{}"] {
            assert!(is_nothing(&serde_json::from_str(nothing).unwrap()), "{nothing}");
        }
        assert!(!is_nothing(&serde_json::json!("https://x.example/?page=2")));
    }
}
