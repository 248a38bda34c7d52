//! A documented or observed reply, and what it means. Cases are read by the rules whenever a file is loaded, so that a file
//! whose examples and rules disagree is refused.

use crate::manifest::Placed;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;

/// A reply, and what it means.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// What happened, in words.
    pub(crate) name: String,
    /// The call: `verify.NAME`, `list.NAME`, `make.NAME`, `revoke.NAME` or `switch.NAME`.
    pub(crate) call: Placed<String>,
    /// The kind of key; the only one (or the first) that uses the call where nothing is said.
    pub(crate) kind: Option<Placed<String>>,
    /// Options of the key; defaults where nothing is said.
    #[serde(default)]
    pub(crate) options: BTreeMap<String, String>,
    /// The claims of the value, where it is a JWT. `{value}` in the reply stands for the value.
    pub(crate) claims: Option<serde_json::Value>,
    /// Where the reply comes from. It is for the reader of the file.
    #[serde(rename = "origin")]
    pub(crate) _origin: CaseOrigin,
    /// The reply.
    pub(crate) reply: CaseReply,
    /// What it means.
    pub(crate) expect: Expected,
    /// What is read out of it, where that is to be checked: `id`, `name`, `identity`, `scopes`, `expires_at`, `issued_at`;
    /// for a list `ids` and `old`.
    #[serde(default)]
    pub(crate) reads: BTreeMap<String, String>,
}

/// Where a reply comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum CaseOrigin {
    /// A real server gave it.
    Observed,
    /// The documentation prints it, or describes it.
    Documented,
}

/// A reply. Values in it are placeholders: `{value}`, never a real one.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CaseReply {
    /// The status.
    pub(crate) status: u16,
    /// Headers, in lower case.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    /// The body, where it is JSON.
    pub(crate) json: Option<serde_json::Value>,
    /// The body, where it is not.
    pub(crate) text: Option<String>,
    /// The body broke off.
    #[serde(default)]
    pub(crate) cut: bool,
}

/// What a reply means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the words are those of the product: see the readings in `interpret`")]
pub(crate) enum Expected {
    // verify
    Alive,
    Dead,
    Unknown,
    // list
    Listed,
    NoReading,
    // make
    Made,
    Ambiguous,
    Unparsable,
    // make, revoke, switch
    Refused,
    // revoke
    Revoked,
    // switch
    Switched,
    // revoke, switch
    NoVerdict,
    Limited,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Alive => "alive",
            Self::Dead => "dead",
            Self::Unknown => "unknown",
            Self::Listed => "listed",
            Self::NoReading => "no-reading",
            Self::Made => "made",
            Self::Ambiguous => "ambiguous",
            Self::Unparsable => "unparsable",
            Self::Refused => "refused",
            Self::Revoked => "revoked",
            Self::Switched => "switched",
            Self::NoVerdict => "no-verdict",
            Self::Limited => "limited",
        })
    }
}
