//! Small texts of the format with a meaning of their own: where a fact is found, how an instant is written, which statuses.

use crate::rules::Reply;
use crate::{digest, jwt};
use keytender_core::secret::Value;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::fmt;

/// A JSON pointer (RFC 6901): `/objects/0/key`; empty for the whole document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Pointer(pub(crate) String);

impl TryFrom<String> for Pointer {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        if text.is_empty() || text.starts_with('/') {
            Ok(Self(text))
        } else {
            Err(format!("`{text}` is not a JSON pointer; it starts with a slash"))
        }
    }
}

/// What stands at a pointer; null counts as nothing.
pub(crate) fn look_up<'a>(document: &'a serde_json::Value, pointer: &Pointer) -> Option<&'a serde_json::Value> {
    document.pointer(&pointer.0).filter(|found| !found.is_null())
}

/// Where a fact is found: `/pointer` into the reply, `header:NAME` of the reply, `jwt:/pointer` into the claims of the value
/// (its first field), `field:NAME` of the value, or `md5:NAME` / `sha256:NAME`, the hex digest of a field.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum Find {
    /// In the reply's JSON.
    Reply(Pointer),
    /// In a header of the reply.
    Header(String),
    /// In the claims of the value, which is a JWT. Its signature is not looked at: the claims inform, they decide nothing.
    Jwt(Pointer),
    /// A field of the value itself.
    Field(String),
    /// MD5 of a field.
    Md5(String),
    /// SHA-256 of a field.
    Sha256(String),
}

impl Find {
    /// The field of the value that it reads, if it names one.
    pub(crate) fn field(&self) -> Option<&str> {
        match self {
            Self::Field(name) | Self::Md5(name) | Self::Sha256(name) => Some(name),
            Self::Reply(_) | Self::Header(_) | Self::Jwt(_) => None,
        }
    }

    /// Whether a reply is needed to find it.
    pub(crate) fn needs_reply(&self) -> bool {
        matches!(self, Self::Reply(_) | Self::Header(_))
    }

    /// The fact, where it is there and not null.
    pub(crate) fn find(&self, reply: Option<&Reply<'_>>, value: Option<&Value>) -> Option<serde_json::Value> {
        let field = |name: &str| value?.field(name).map(|text| text.expose());
        match self {
            Self::Reply(pointer) => look_up(reply?.json.as_ref()?, pointer).cloned(),
            Self::Header(name) => reply?.header(name).map(Into::into),
            Self::Jwt(pointer) => {
                let (_, text) = value?.fields().next()?;
                look_up(&jwt::claims(text)?, pointer).cloned()
            }
            Self::Field(name) => field(name).map(Into::into),
            Self::Md5(name) => field(name).map(|text| digest::md5_hex(text).into()),
            Self::Sha256(name) => field(name).map(|text| digest::sha256_hex(text.as_bytes()).into()),
        }
    }

    /// The fact as text: a string as it is, a number in digits.
    pub(crate) fn text(&self, reply: Option<&Reply<'_>>, value: Option<&Value>) -> Option<String> {
        match self.find(reply, value)? {
            serde_json::Value::String(text) if !text.is_empty() => Some(text),
            serde_json::Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }
}

/// For a person: `JWT exp`, `/expires_at`, `header x-expires`.
impl fmt::Display for Find {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reply(pointer) => f.write_str(&pointer.0),
            Self::Header(name) => write!(f, "header {name}"),
            Self::Jwt(pointer) => write!(f, "JWT {}", pointer.0.trim_start_matches('/')),
            Self::Field(name) => write!(f, "field {name}"),
            Self::Md5(name) => write!(f, "MD5 of {name}"),
            Self::Sha256(name) => write!(f, "SHA-256 of {name}"),
        }
    }
}

impl TryFrom<String> for Find {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("header", name)) => Ok(Self::Header(name.to_ascii_lowercase())),
            Some(("jwt", pointer)) => Pointer::try_from(pointer.to_owned()).map(Self::Jwt),
            Some(("field", name)) => Ok(Self::Field(name.to_owned())),
            Some(("md5", name)) => Ok(Self::Md5(name.to_owned())),
            Some(("sha256", name)) => Ok(Self::Sha256(name.to_owned())),
            _ if text.starts_with('/') => Ok(Self::Reply(Pointer(text))),
            _ => Err(format!(
                "`{text}` tells no place; write /pointer, header:NAME, jwt:/pointer, field:NAME, md5:NAME or sha256:NAME"
            )),
        }
    }
}

/// An instant or date, and how it is written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Time {
    /// Where it is found.
    pub(crate) from: Find,
    /// How it is written.
    #[serde(rename = "as")]
    pub(crate) format: TimeFormat,
}

/// How an instant is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum TimeFormat {
    /// `2026-11-21T09:11:12.496Z`; without a zone it is UTC; a blank may stand for the T, `UTC` for the Z.
    Rfc3339,
    /// `Sat, 21 Nov 2026 09:11:12 GMT`.
    Rfc2822,
    /// `2026-11-21`: from its start in UTC.
    Date,
    /// Seconds since 1970.
    UnixSeconds,
    /// Milliseconds since 1970.
    UnixMilliseconds,
    /// Seconds from the reply on. Only for `expires_at`; zero or less tells nothing.
    SecondsLeft,
}

/// What a reply, or the value itself, tells about a key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Learn {
    /// Its id at the service.
    pub(crate) id: Option<Find>,
    /// Its name at the service.
    pub(crate) name: Option<Find>,
    /// Who it acts as.
    pub(crate) identity: Option<Find>,
    /// Its scopes: a list of strings, or one string with blanks or commas between them.
    pub(crate) scopes: Option<Find>,
    /// When it dies.
    pub(crate) expires_at: Option<Time>,
    /// When it was made.
    pub(crate) issued_at: Option<Time>,
}

impl Learn {
    /// Every place it looks at.
    pub(crate) fn finds(&self) -> impl Iterator<Item = &Find> {
        let times = [&self.expires_at, &self.issued_at].into_iter().flatten().map(|time| &time.from);
        [&self.id, &self.name, &self.identity, &self.scopes].into_iter().flatten().chain(times)
    }
}

/// One status or several: `200` or `[200, 204]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statuses(pub(crate) Vec<u16>);

impl<'de> Deserialize<'de> for Statuses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrSeveral;
        impl<'de> Visitor<'de> for OneOrSeveral {
            type Value = Statuses;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an HTTP status or a list of them")
            }
            fn visit_i64<E: Error>(self, status: i64) -> Result<Statuses, E> {
                u16::try_from(status)
                    .ok()
                    .filter(|status| (100..600).contains(status))
                    .map(|status| Statuses(vec![status]))
                    .ok_or_else(|| E::custom(format!("{status} is no HTTP status")))
            }
            fn visit_u64<E: Error>(self, status: u64) -> Result<Statuses, E> {
                self.visit_i64(i64::try_from(status).unwrap_or(0))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Statuses, A::Error> {
                let mut statuses = Vec::new();
                while let Some(status) = seq.next_element::<i64>()? {
                    statuses.extend(self_visit::<A::Error>(status)?);
                }
                Ok(Statuses(statuses))
            }
        }
        fn self_visit<E: Error>(status: i64) -> Result<Vec<u16>, E> {
            OneOrSeveral.visit_i64(status).map(|statuses: Statuses| statuses.0)
        }
        deserializer.deserialize_any(OneOrSeveral)
    }
}

impl JsonSchema for Statuses {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Statuses".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let one = serde_json::json!({ "type": "integer", "minimum": 100, "maximum": 599 });
        json_schema!({ "anyOf": [one, { "type": "array", "items": one }] })
    }
}

macro_rules! text_schema {
    ($($name:ident: $pattern:literal),+ $(,)?) => {$(
        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": $pattern })
            }
        }
    )+};
}

text_schema! {
    Pointer: "^(/.*)?$",
    Find: "^(/|header:|jwt:|field:|md5:|sha256:)",
}
