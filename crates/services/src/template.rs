//! Texts with holes: `{setting.base_url}/-/whoami`. Parsed when the file is loaded; a hole that means nothing is refused there.
//!
//! Only the grammar lives here; what a hole is filled with is [`crate::interpret`]'s business. There are no conditions,
//! loops or functions on purpose: a file that a stranger wrote must be readable for what it sends where.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use std::borrow::Cow;
use std::fmt;

/// Something to be filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Hole {
    /// A setting of the integration.
    Setting(String),
    /// An option of the key.
    Option(String),
    /// A field of the value that the call is about or is authenticated by.
    Value(String),
    /// A field of the managing credential.
    Managing(String),
    /// The scopes last seen on the key, so that its replacement is not made wider.
    KeyScopes,
    /// The old version's id at the service.
    OldId,
    /// The old version's name at the service.
    OldName,
    /// The name for the new key; carries the rotation's marker.
    NewName,
    /// The id of the key that the call is about.
    Id,
}

impl Hole {
    fn parse(name: &str) -> Result<Self, String> {
        let word = |text: &str| {
            let good = !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
            if good { Ok(text.to_owned()) } else { Err(format!("unknown placeholder {{{name}}}")) }
        };
        match name.split_once('.') {
            Some(("setting", rest)) => word(rest).map(Self::Setting),
            Some(("option", rest)) => word(rest).map(Self::Option),
            Some(("value", rest)) => word(rest).map(Self::Value),
            Some(("managing", rest)) => word(rest).map(Self::Managing),
            _ => match name {
                "key.scopes" => Ok(Self::KeyScopes),
                "old.id" => Ok(Self::OldId),
                "old.name" => Ok(Self::OldName),
                "new.name" => Ok(Self::NewName),
                "id" => Ok(Self::Id),
                _ => Err(format!(
                    "unknown placeholder {{{name}}}; known are {{setting.X}}, {{option.X}}, {{value.FIELD}}, {{managing.FIELD}}, {{key.scopes}}, {{old.id}}, {{old.name}}, {{new.name}} and {{id}}"
                )),
            },
        }
    }

    /// Whether what is filled in is secret: it never shows.
    pub(crate) fn is_secret(&self) -> bool {
        matches!(self, Self::Value(_) | Self::Managing(_))
    }
}

/// The name as written between the braces.
impl fmt::Display for Hole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setting(name) => write!(f, "setting.{name}"),
            Self::Option(name) => write!(f, "option.{name}"),
            Self::Value(name) => write!(f, "value.{name}"),
            Self::Managing(name) => write!(f, "managing.{name}"),
            Self::KeyScopes => f.write_str("key.scopes"),
            Self::OldId => f.write_str("old.id"),
            Self::OldName => f.write_str("old.name"),
            Self::NewName => f.write_str("new.name"),
            Self::Id => f.write_str("id"),
        }
    }
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// Text as it stands.
    Text(String),
    /// Something to be filled in.
    Hole(Hole),
}

/// A text with holes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Template(Vec<Part>);

impl Template {
    /// Its pieces, in order.
    pub(crate) fn parts(&self) -> &[Part] {
        &self.0
    }

    /// Its holes, in order.
    pub(crate) fn holes(&self) -> impl Iterator<Item = &Hole> {
        self.0.iter().filter_map(|part| match part {
            Part::Hole(hole) => Some(hole),
            Part::Text(_) => None,
        })
    }

    /// The hole, if the template is exactly one.
    pub(crate) fn only_hole(&self) -> Option<&Hole> {
        match self.0.as_slice() {
            [Part::Hole(hole)] => Some(hole),
            _ => None,
        }
    }

    /// Scheme and host as written: everything before the first `/`, `?` or `#` of the text that follows `://` (or that
    /// follows a setting at the start). None where the template does not begin like a URL.
    pub(crate) fn origin_part(&self) -> Option<String> {
        let written = self.to_string();
        let start = match self.0.first()? {
            Part::Hole(Hole::Setting(_)) => 0,
            Part::Text(text) if text.starts_with("https://") => "https://".len(),
            Part::Text(text) if text.starts_with("http://") => "http://".len(),
            Part::Text(_) | Part::Hole(_) => return None,
        };
        let end = written[start..].find(['/', '?', '#', '\\']).map_or(written.len(), |length| start + length);
        Some(written[..end].to_owned())
    }
}

impl TryFrom<String> for Template {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text.as_str();
        while let Some(brace) = rest.find(['{', '}']) {
            plain.push_str(&rest[..brace]);
            let from_brace = &rest[brace..];
            if from_brace.starts_with("{{") || from_brace.starts_with("}}") {
                plain.push_str(&from_brace[..1]);
                rest = &from_brace[2..];
                continue;
            }
            let Some((name, after)) = from_brace.strip_prefix('{').and_then(|inner| inner.split_once('}')) else {
                return Err(format!("a single brace in `{text}`; write it twice where a brace is meant"));
            };
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(Part::Hole(Hole::parse(name)?));
            rest = after;
        }
        plain.push_str(rest);
        if !plain.is_empty() || parts.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self(parts))
    }
}

/// The template as it was written.
impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.0 {
            match part {
                Part::Text(text) => f.write_str(&text.replace('{', "{{").replace('}', "}}"))?,
                Part::Hole(hole) => write!(f, "{{{hole}}}")?,
            }
        }
        Ok(())
    }
}

impl JsonSchema for Template {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Template".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

/// A JSON document with holes in its strings. A string that is exactly one placeholder of a bool, number or list keeps
/// that type.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "serde_json::Value")]
pub(crate) enum JsonTemplate {
    /// A number, a truth value or null.
    Literal(serde_json::Value),
    /// A string with holes.
    Text(Template),
    /// A list.
    List(Vec<JsonTemplate>),
    /// An object.
    Object(Vec<(String, JsonTemplate)>),
}

impl JsonTemplate {
    /// Every hole in it.
    pub(crate) fn holes(&self) -> Vec<&Hole> {
        match self {
            Self::Literal(_) => Vec::new(),
            Self::Text(template) => template.holes().collect(),
            Self::List(items) => items.iter().flat_map(Self::holes).collect(),
            Self::Object(members) => members.iter().flat_map(|(_, member)| member.holes()).collect(),
        }
    }
}

impl TryFrom<serde_json::Value> for JsonTemplate {
    type Error = String;
    fn try_from(value: serde_json::Value) -> Result<Self, String> {
        use serde_json::Value;
        Ok(match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => Self::Literal(value),
            Value::String(text) => Self::Text(text.try_into()?),
            Value::Array(items) => Self::List(items.into_iter().map(Self::try_from).collect::<Result<_, _>>()?),
            Value::Object(members) => Self::Object(
                members.into_iter().map(|(name, member)| Ok((name, Self::try_from(member)?))).collect::<Result<_, String>>()?,
            ),
        })
    }
}

impl JsonSchema for JsonTemplate {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "JsonTemplate".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Template, String> {
        text.to_owned().try_into()
    }

    #[test]
    fn templates_are_read_and_written_alike() {
        for text in ["{setting.base_url}/keys/{id}", "plain", "", "a {{literal}} brace", "{value.secret}"] {
            assert_eq!(parse(text).unwrap().to_string(), text);
        }
        assert_eq!(parse("{option.days}").unwrap().only_hole(), Some(&Hole::Option("days".into())));
        assert_eq!(parse("{option.days} d").unwrap().only_hole(), None);
    }

    #[test]
    fn what_means_nothing_is_refused() {
        assert!(parse("{secret}").unwrap_err().contains("unknown placeholder {secret}"));
        assert!(parse("{setting.Base}").unwrap_err().contains("unknown placeholder"));
        assert!(parse("{setting.}").is_err());
        assert!(parse("a { brace").unwrap_err().contains("single brace"));
        assert!(parse("a } brace").is_err());
    }

    #[test]
    fn the_origin_ends_where_a_path_query_or_fragment_begins() {
        let origin = |text: &str| parse(text).unwrap().origin_part();
        assert_eq!(origin("{setting.base_url}/x/{id}").as_deref(), Some("{setting.base_url}"));
        assert_eq!(origin("https://{setting.site}.example.com/x").as_deref(), Some("https://{setting.site}.example.com"));
        assert_eq!(origin("https://api.example.com?x=/").as_deref(), Some("https://api.example.com"));
        assert_eq!(origin("https://api.example.com\\@evil.example").as_deref(), Some("https://api.example.com"));
        assert_eq!(origin("{value.secret}/x"), None);
        assert_eq!(origin("ftp://x"), None);
    }
}
