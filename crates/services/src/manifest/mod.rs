//! The format of a service file, exactly as it is written. Every field is documented here; the JSON Schema comes from here.
//!
//! Only shapes live here: names are resolved and contradictions found in [`crate::service`], meaning is given to a shape in
//! [`crate::interpret`]. Unknown fields are refused everywhere.

mod call;
mod case;
mod kind;
mod spanned;
mod text;

pub(crate) use call::{Auth, HintShows, ListCall, MakeCall, Request, RevokeCall, StepTemplate, SwitchCall, VerifyCall};
pub(crate) use case::{Case, Expected};
pub(crate) use kind::{By, KindEntry, Pattern, Wait};
pub use kind::{Confidence, Field, KeyOption, Managing, OptionKind, Shown};
pub(crate) use spanned::Placed;
pub(crate) use text::{Find, Learn, Pointer, Statuses, TimeFormat, look_up};

use crate::template::Template;
use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;

/// One service: everything Keytender knows about it. The file is named `<slug>.toml`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    /// Lower-case letters, digits and single dashes; the same as the file's name.
    pub(crate) slug: Placed<String>,
    /// As people call it.
    pub(crate) name: String,
    /// One sentence: what it is.
    pub(crate) about: Option<String>,
    /// Where requests may go; nothing is ever sent elsewhere. A setting of kind url (`{setting.base_url}`) or an origin.
    pub(crate) hosts: Vec<Placed<Template>>,
    /// The page on which a person manages keys.
    pub(crate) portal: Option<Placed<Template>>,
    /// Where the facts come from.
    #[serde(rename = "source")]
    pub(crate) sources: Vec<Source>,
    /// What an integration must or may say: base URL, workspace, board.
    #[serde(default, rename = "setting")]
    pub(crate) settings: BTreeMap<String, Placed<SettingEntry>>,
    /// Kinds of key.
    #[serde(rename = "kind")]
    pub(crate) kinds: BTreeMap<String, Placed<KindEntry>>,
    /// Harmless requests that tell whether a value is alive.
    #[serde(default, rename = "verify")]
    pub(crate) verifies: BTreeMap<String, Placed<VerifyCall>>,
    /// Requests that list keys.
    #[serde(default, rename = "list")]
    pub(crate) lists: BTreeMap<String, Placed<ListCall>>,
    /// Requests that make a key.
    #[serde(default, rename = "make")]
    pub(crate) makes: BTreeMap<String, Placed<MakeCall>>,
    /// Requests that revoke a key.
    #[serde(default, rename = "revoke")]
    pub(crate) revokes: BTreeMap<String, Placed<RevokeCall>>,
    /// Requests that switch a key off, or on again.
    #[serde(default, rename = "switch")]
    pub(crate) switches: BTreeMap<String, Placed<SwitchCall>>,
    /// What a person does in the portal.
    #[serde(default, rename = "guide")]
    pub(crate) guides: BTreeMap<String, Placed<Vec<StepTemplate>>>,
    /// What can surprise.
    #[serde(default, rename = "hazard")]
    pub(crate) hazards: Vec<Hazard>,
    /// How often it may be called.
    #[serde(default)]
    pub(crate) limits: Limits,
    /// Request and reply pairs, documented or observed; each is read by the rules when the file is loaded.
    #[serde(default, rename = "case")]
    pub(crate) cases: Vec<Placed<Case>>,
}

/// Where a fact comes from.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// What it is: a page's title, a program's version.
    pub title: String,
    /// Where it is, if it has an address.
    pub url: Option<String>,
    /// When it was looked at.
    #[serde(deserialize_with = "toml_date")]
    pub seen: NaiveDate,
    /// What it proves, in short sentences.
    pub proves: Vec<String>,
}

/// What can surprise, and when to say so.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hazard {
    /// One or two sentences.
    pub say: String,
    /// At what point a person should read it.
    pub when: HazardWhen,
}

/// At what point a hazard should be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HazardWhen {
    /// When a key is added.
    Add,
    /// When a verdict is shown.
    Verify,
    /// Before a key is made.
    Make,
    /// Before a key is retired.
    Retire,
}

/// How often a service may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Management calls a minute, all keys together.
    pub calls_per_minute: u32,
    /// Keys made a day, for each key.
    pub makes_per_day: u32,
}

/// 10 calls a minute offend no service of the catalogue; three makes a day are two more than a rotation needs.
impl Default for Limits {
    fn default() -> Self {
        Self { calls_per_minute: 10, makes_per_day: 3 }
    }
}

/// One setting of an integration.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SettingEntry {
    /// What it is, for the form.
    pub(crate) label: String,
    /// Whether it is a URL or a plain text.
    pub(crate) kind: SettingKind,
    /// Used where nothing is given.
    pub(crate) default: Option<String>,
    /// Whether something must be given.
    #[serde(default)]
    pub(crate) required: bool,
    /// A regular expression that the whole text must match.
    pub(crate) pattern: Option<Placed<String>>,
}

/// What a setting holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SettingKind {
    /// An address that starts with https:// (or http://); filled in as it is, a slash at its end is dropped.
    Url,
    /// Any text; percent-encoded where it is filled into a URL.
    Text,
}

fn toml_date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveDate, D::Error> {
    use serde::de::Error;
    let written = toml::value::Datetime::deserialize(deserializer)?;
    written
        .date
        .filter(|_| written.time.is_none())
        .and_then(|date| NaiveDate::from_ymd_opt(i32::from(date.year), u32::from(date.month), u32::from(date.day)))
        .ok_or_else(|| D::Error::custom("expected a date such as 2026-11-21"))
}
