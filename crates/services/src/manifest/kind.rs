//! A kind of key: what it is made of, how long it lives, how it is rotated.

use crate::manifest::{Learn, Placed};
use keytender_core::expiry::Lifetime;
use keytender_core::words::{KeyClass, Old};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// How far a fact can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// Seen at a real server.
    Observed,
    /// Read in the service's own documentation or source.
    Documented,
    /// From memory or hearsay.
    Unverified,
}

/// A kind of key as written. What it leaves out comes from the kind that it is `like`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KindEntry {
    /// Another kind of this file that gives everything not said here.
    pub(crate) like: Option<Placed<String>>,
    /// As people call it.
    pub(crate) label: String,
    /// What sort of credential it is.
    pub(crate) class: Option<KeyClass>,
    /// What its value consists of; one field called `secret` where nothing is said. The first is the one that patterns and
    /// `jwt:` look at.
    pub(crate) fields: Option<Vec<Field>>,
    /// What is chosen when one is made, and copied when it is replaced.
    #[serde(default, rename = "option")]
    pub(crate) options: BTreeMap<String, KeyOption>,
    /// What its value looks like; a value that looks otherwise is warned about, never refused.
    #[serde(default)]
    pub(crate) patterns: Vec<Pattern>,
    /// How long it lives.
    pub(crate) life: Option<Lifetime>,
    /// Whether the service shows the value again.
    pub(crate) shown: Option<Shown>,
    /// What the value tells about itself without any request.
    pub(crate) carries: Option<Placed<Learn>>,
    /// Another credential that lists, makes or revokes keys of this kind.
    pub(crate) managing: Option<Placed<Managing>>,
    /// The name of a `[verify.NAME]`.
    pub(crate) verify: Option<Placed<String>>,
    /// For how long after it is made, or switched on, a key may still be refused.
    pub(crate) settle: Option<Wait>,
    /// For how long after it is revoked, or switched off, a key may still be accepted.
    pub(crate) linger: Option<Wait>,
    /// How it is replaced. Taken whole: nothing inside is inherited.
    pub(crate) rotate: Option<Rotate>,
    /// How it is switched off without ending it. Goes with `enable`, done by the same, and with `verify`, without which
    /// nobody could see whether it worked.
    pub(crate) disable: Option<By>,
    /// How it is switched on again.
    pub(crate) enable: Option<By>,
    /// How to name it, which choices are wise.
    pub(crate) advice: Option<String>,
}

/// One field of a value.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Its name in templates and in JSON.
    pub name: String,
    /// What it is, for the form.
    pub label: String,
    /// Whether it is hidden on screen. Every field lies in the vault either way.
    #[serde(default = "yes")]
    pub secret: bool,
}

/// Something that is chosen when a key is made. Never a secret.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyOption {
    /// What it is, for the form.
    pub label: String,
    /// What it holds; decides its type in a JSON body.
    pub kind: OptionKind,
    /// Used where nothing is chosen.
    #[serde(deserialize_with = "scalar")]
    #[schemars(schema_with = "scalar_schema")]
    pub default: String,
    /// The only texts it may hold; anything where the list is empty.
    #[serde(default, deserialize_with = "scalars")]
    #[schemars(schema_with = "scalars_schema")]
    pub choices: Vec<String>,
}

/// What an option holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OptionKind {
    /// A text.
    Text,
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Number,
    /// Texts with commas between them; empty for none.
    List,
}

/// What a value looks like.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pattern {
    /// A regular expression that the whole first field matches.
    pub(crate) regex: Placed<String>,
    /// Nothing but a key of this kind looks like that (a prefix of its own), so a pasted text can be recognised by it.
    #[serde(default)]
    pub(crate) distinctive: bool,
    /// How far the pattern can be relied on; an unverified one warns of nothing.
    pub(crate) confidence: Confidence,
}

/// Whether the service shows the value again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Shown {
    /// Only when it is made.
    Once,
    /// Whenever one asks.
    Always,
}

/// Another credential that lists, makes or revokes keys of a kind.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Managing {
    /// Its kind, in the same file.
    pub kind: String,
    /// Why it is needed, for the person who is asked for it.
    pub why: String,
}

/// For how long a service may not have noticed yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wait {
    /// At most this many seconds.
    pub(crate) seconds: u32,
    /// How far the number can be relied on.
    pub(crate) confidence: Confidence,
}

/// How a kind of key is replaced.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rotate {
    /// The name of a `[list.NAME]`, where keys can be listed.
    pub(crate) list: Option<Placed<String>>,
    /// Who makes the new one.
    pub(crate) make: By,
    /// Who retires the old one.
    pub(crate) retire: By,
    /// What happens to the old one when the new one is born.
    pub(crate) old: Old,
}

/// Who does it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum By {
    /// A request: the name of a `[make.NAME]`, `[revoke.NAME]` or `[switch.NAME]`.
    Api(Placed<String>),
    /// A person: the name of a `[[guide.NAME]]`.
    Person(Placed<String>),
}

fn yes() -> bool {
    true
}

/// A text, a number or a truth value, kept as text: `default = false` reads better than `default = "false"`.
struct Scalar(String);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyScalar;
        impl Visitor<'_> for AnyScalar {
            type Value = Scalar;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a whole number or a truth value")
            }
            fn visit_bool<E: Error>(self, value: bool) -> Result<Scalar, E> {
                Ok(Scalar(value.to_string()))
            }
            fn visit_i64<E: Error>(self, value: i64) -> Result<Scalar, E> {
                Ok(Scalar(value.to_string()))
            }
            fn visit_u64<E: Error>(self, value: u64) -> Result<Scalar, E> {
                Ok(Scalar(value.to_string()))
            }
            fn visit_str<E: Error>(self, value: &str) -> Result<Scalar, E> {
                Ok(Scalar(value.to_owned()))
            }
        }
        deserializer.deserialize_any(AnyScalar)
    }
}

fn scalar<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Scalar::deserialize(deserializer).map(|scalar| scalar.0)
}

fn scalars<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Vec::<Scalar>::deserialize(deserializer).map(|scalars| scalars.into_iter().map(|scalar| scalar.0).collect())
}

fn scalar_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "integer", "boolean"] })
}

fn scalars_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": { "type": ["string", "integer", "boolean"] } })
}
