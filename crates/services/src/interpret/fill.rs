//! Filling holes. What is filled in can change neither the structure of a URL nor that of a header or a JSON body.

use crate::error::InterpretError;
use crate::manifest::OptionKind;
use crate::service::Kind;
use crate::template::{Hole, JsonTemplate, Part, Template};
use keytender_core::secret::Value;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Everything but the unreserved characters of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Large enough for every value seen so far: a growing buffer would leave copies of a secret behind.
const ROOM: usize = 4096;

/// Percent-encodes a text for any place in a URL.
pub(crate) fn percent_encode(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// What the holes of one request are filled with.
pub(super) struct Fill<'a> {
    pub(super) kind: &'a Kind,
    pub(super) settings: &'a BTreeMap<String, String>,
    pub(super) options: &'a BTreeMap<String, String>,
    pub(super) scopes: &'a [String],
    pub(super) value: Option<&'a Value>,
    /// `old` or `new`, for the error when `value` is missing.
    pub(super) subject: &'static str,
    pub(super) managing: Option<&'a Value>,
    pub(super) id: Option<&'a str>,
    pub(super) old_id: Option<&'a str>,
    pub(super) old_name: Option<&'a str>,
    pub(super) new_name: &'a str,
}

impl<'a> Fill<'a> {
    /// The text for one hole.
    pub(super) fn hole(&self, hole: &Hole) -> Result<Cow<'a, str>, InterpretError> {
        let field = |value: &'a Value, name: &str| {
            value.field(name).map(|text| text.expose()).ok_or_else(|| InterpretError::NoField(name.to_owned()))
        };
        let text = match hole {
            Hole::Setting(name) => self.settings.get(name).map_or("", String::as_str),
            Hole::Option(name) => self.options.get(name).map_or("", String::as_str),
            Hole::Value(name) => field(self.value.ok_or(InterpretError::NoValue(self.subject))?, name)?,
            Hole::Managing(name) => {
                let why = || self.kind.managing.as_ref().map(|managing| managing.why.clone()).unwrap_or_default();
                field(self.managing.ok_or_else(|| InterpretError::NoManaging { why: why() })?, name)?
            }
            Hole::KeyScopes => return Ok(Cow::Owned(self.scopes.join(" "))),
            Hole::OldId => self.old_id.ok_or(InterpretError::NoId)?,
            Hole::OldName => self.old_name.ok_or(InterpretError::NoName)?,
            Hole::NewName => self.new_name,
            Hole::Id => self.id.ok_or(InterpretError::NoId)?,
        };
        Ok(Cow::Borrowed(text))
    }

    /// A text as it is, for a JSON string or a step on screen.
    pub(super) fn plain(&self, template: &Template) -> Result<String, InterpretError> {
        let mut text = String::with_capacity(ROOM);
        for part in template.parts() {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Hole(hole) => text.push_str(&self.hole(hole)?),
            }
        }
        Ok(text)
    }

    /// The value of a header: no control characters.
    pub(super) fn header(&self, template: &Template) -> Result<String, InterpretError> {
        for hole in template.holes() {
            if self.hole(hole)?.chars().any(char::is_control) {
                return Err(InterpretError::Unfit(hole.to_string()));
            }
        }
        self.plain(template)
    }

    /// An address: the URL setting at its start stands as it is, everything else is percent-encoded. With `shown`, secrets are
    /// replaced by their names in braces, so that the text may be printed.
    pub(super) fn url(&self, template: &Template, shown: bool) -> Result<String, InterpretError> {
        self.encoded(template, shown, true)
    }

    /// The value of a parameter in an address: all that is filled in is percent-encoded, and may be empty.
    pub(super) fn parameter(&self, template: &Template, shown: bool) -> Result<String, InterpretError> {
        self.encoded(template, shown, false)
    }

    fn encoded(&self, template: &Template, shown: bool, address: bool) -> Result<String, InterpretError> {
        let mut text = String::with_capacity(ROOM);
        for (place, part) in template.parts().iter().enumerate() {
            let hole = match part {
                Part::Text(plain) => {
                    text.push_str(plain);
                    continue;
                }
                Part::Hole(hole) => hole,
            };
            // To show an address is also asked for where not everything in it is at hand: evidence of a reply names its call.
            if shown && (hole.is_secret() || self.is_a_value(hole) || self.hole(hole).is_err()) {
                text.push_str(&format!("{{{hole}}}"));
                continue;
            }
            let filled = self.hole(hole)?;
            if address && place == 0 && matches!(hole, Hole::Setting(_)) {
                text.push_str(&filled);
                continue;
            }
            // An empty part or a dot segment would turn `DELETE /keys/{id}` into a call on `/keys/` or on something above it.
            if address && matches!(&*filled, "" | "." | "..") {
                return Err(InterpretError::Unfit(hole.to_string()));
            }
            text.push_str(&percent_encode(&filled));
        }
        Ok(text)
    }

    /// Some services use the value, or a part of it, as the key's id.
    fn is_a_value(&self, hole: &Hole) -> bool {
        let Ok(filled) = self.hole(hole) else { return false };
        matches!(hole, Hole::Id | Hole::OldId)
            && [self.value, self.managing].into_iter().flatten().any(|value| {
                value.fields().any(|(_, text)| !text.is_empty() && (text.expose() == filled || filled.contains(text.expose())))
            })
    }

    /// Writes a JSON body. Strings go from the value into the buffer without an intermediate document.
    pub(super) fn json(&self, template: &JsonTemplate) -> Result<Vec<u8>, InterpretError> {
        let mut body = Vec::with_capacity(ROOM);
        self.write(template, &mut body)?;
        Ok(body)
    }

    fn write(&self, template: &JsonTemplate, body: &mut Vec<u8>) -> Result<(), InterpretError> {
        match template {
            JsonTemplate::Literal(literal) => body.extend_from_slice(literal.to_string().as_bytes()),
            JsonTemplate::Text(template) => match template.only_hole() {
                Some(Hole::KeyScopes) => write_list(self.scopes.iter().map(String::as_str), body),
                Some(Hole::Option(name)) => self.write_option(name, body),
                _ => write_text(&self.plain(template)?, body),
            },
            JsonTemplate::List(items) => {
                body.push(b'[');
                for (place, item) in items.iter().enumerate() {
                    if place > 0 {
                        body.push(b',');
                    }
                    self.write(item, body)?;
                }
                body.push(b']');
            }
            JsonTemplate::Object(members) => {
                body.push(b'{');
                let mut first = true;
                for (name, member) in members.iter().filter(|(_, member)| !self.is_left_out(member)) {
                    if !std::mem::take(&mut first) {
                        body.push(b',');
                    }
                    write_text(name, body);
                    body.push(b':');
                    self.write(member, body)?;
                }
                body.push(b'}');
            }
        }
        Ok(())
    }

    /// Where the scopes of a key are not known, the member is left out and the service decides; what it grants is compared.
    fn is_left_out(&self, member: &JsonTemplate) -> bool {
        matches!(member, JsonTemplate::Text(template) if template.only_hole() == Some(&Hole::KeyScopes) && self.scopes.is_empty())
    }

    fn write_option(&self, name: &str, body: &mut Vec<u8>) {
        let text = self.options.get(name).map_or("", String::as_str);
        let kind = self.kind.options.get(name).map(|option| option.kind);
        match kind {
            // Both were checked to be a JSON literal; a text that is not (an edited ledger) stays a harmless string.
            Some(OptionKind::Bool) if matches!(text, "true" | "false") => body.extend_from_slice(text.as_bytes()),
            Some(OptionKind::Number) => match text.parse::<i64>() {
                Ok(number) => body.extend_from_slice(number.to_string().as_bytes()),
                Err(_) => write_text(text, body),
            },
            Some(OptionKind::List) => {
                write_list(text.split(',').map(str::trim).filter(|item| !item.is_empty()), body);
            }
            Some(OptionKind::Text | OptionKind::Bool) | None => write_text(text, body),
        }
    }
}

fn write_list<'i>(items: impl Iterator<Item = &'i str>, body: &mut Vec<u8>) {
    body.push(b'[');
    for (place, item) in items.enumerate() {
        if place > 0 {
            body.push(b',');
        }
        write_text(item, body);
    }
    body.push(b']');
}

/// A JSON string. Writing into a `Vec` cannot fail, and a `str` is always representable.
fn write_text(text: &str, body: &mut Vec<u8>) {
    let written = serde_json::to_writer(&mut *body, text);
    debug_assert!(written.is_ok());
}
