//! What can be wrong with a service file, with a person's settings or value, or with a request that is being put together.
//!
//! Every kind says what happened and what to do; none carries a value.

use keytender_core::error::Retry;
use std::fmt;

/// A service file that is refused, with the place that is at fault. Displays as `FILE:LINE:COLUMN: reason`, then the help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestError {
    /// The file's name, as it was given.
    pub file: String,
    /// 1 for the first line.
    pub line: usize,
    /// 1 for the first character of the line.
    pub column: usize,
    /// What is wrong there.
    pub fault: ManifestFault,
}

/// What is wrong with a service file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestFault {
    /// It is no TOML, or a field is unknown, missing or of another type.
    #[error("{0}")]
    Syntax(String),
    /// The slug is not the file's name, or is not spelt like one.
    #[error("the slug `{slug}` does not fit the file")]
    Slug {
        /// As written.
        slug: String,
    },
    /// Another service has this slug.
    #[error("there is a service `{0}` already")]
    Taken(String),
    /// A URL that may lead to a host that is not listed.
    #[error("`{url}` lies outside `hosts`")]
    OutsideHosts {
        /// As written.
        url: String,
    },
    /// An entry of `hosts` that is no origin.
    #[error("`{0}` is not a host: it must be a URL setting or start with https:// or http:// and hold no path")]
    BadHost(String),
    /// A pattern that is no regular expression.
    #[error("the pattern is not a regular expression: {0}")]
    BadPattern(String),
    /// A placeholder that means nothing, or nothing here.
    #[error("{{{name}}} cannot be filled in here: {why}")]
    Placeholder {
        /// The name between the braces.
        name: String,
        /// Why not.
        why: String,
    },
    /// A name that is defined nowhere.
    #[error("there is no {what} `{name}`")]
    Missing {
        /// What sort of thing: `kind`, `verify`, `make`, ...
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A definition that nothing refers to.
    #[error("{what} `{name}` is used by no kind")]
    Unused {
        /// What sort of thing.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A kind that lacks something.
    #[error("kind `{kind}` has no `{field}`")]
    Incomplete {
        /// The kind.
        kind: String,
        /// What it lacks.
        field: &'static str,
    },
    /// A rule that can never hold.
    #[error("a rule for status {0} is never looked at")]
    IdleRule(u16),
    /// Two parts of the file contradict each other.
    #[error("{0}")]
    Contradiction(String),
    /// A documented reply is read differently from what the case says.
    #[error("case `{case}` expects {expected}, the rules say {found}")]
    Case {
        /// The case's name.
        case: String,
        /// What it expects.
        expected: String,
        /// What the rules make of the reply.
        found: String,
    },
}

impl ManifestFault {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Syntax(_) => "the JSON Schema beside the catalogue completes and explains every field in an editor",
            Self::Slug { .. } => "use lower-case letters, digits and single dashes, and name the file <slug>.toml",
            Self::Taken(_) => "give your file another slug and name",
            Self::OutsideHosts { .. } => "add its origin to `hosts`: nothing is ever sent to a host that is not listed there",
            Self::BadHost(_) => {
                "write `{setting.base_url}` for a setting of kind url, or an origin such as `https://api.example.com`"
            }
            Self::BadPattern(_) => "write it as a TOML literal string ('...') in the syntax of the Rust regex crate",
            Self::Placeholder { .. } => {
                "known are {setting.X}, {option.X}, {value.FIELD}, {managing.FIELD}, {key.scopes}, {old.id}, {old.name}, {new.name} and {id}; a literal brace is written twice"
            }
            Self::Missing { .. } => "define it in this file, or correct the name",
            Self::Unused { .. } => "refer to it from a kind, or remove it",
            Self::Incomplete { .. } => "add it to the kind, or to the kind that it is `like`",
            Self::IdleRule(_) => {
                "1xx, 3xx, 429 and 5xx replies, and replies that were cut off, never give a verdict; remove the rule"
            }
            Self::Contradiction(_) => "change one of the two",
            Self::Case { .. } => "correct the rules if the reply was observed, else the case",
        }
    }
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}\n  help: {}", self.file, self.line, self.column, self.fault, self.fault.help())
    }
}

impl std::error::Error for ManifestError {}

impl ManifestError {
    /// Whether trying again helps: not before the file was changed.
    #[must_use]
    pub fn retry(&self) -> Retry {
        Retry::Never
    }

    /// An error at a byte offset of the file's text.
    pub(crate) fn at(file: &str, text: &str, offset: usize, fault: ManifestFault) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            file: file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            fault,
        }
    }
}

/// What is wrong with the settings or options that a person gave.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// A required one is missing.
    #[error("`{name}` is missing: {label}")]
    Missing {
        /// Its name.
        name: String,
        /// What it is.
        label: String,
    },
    /// The service has no such setting, or the kind no such option.
    #[error("there is no `{name}`; known: {known}")]
    Unknown {
        /// As given.
        name: String,
        /// Those that exist.
        known: String,
    },
    /// It does not look like what is asked for.
    #[error("`{name}` does not fit: {why}")]
    Unfit {
        /// Its name.
        name: String,
        /// What is wrong.
        why: String,
    },
}

/// Why a request cannot be put together. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InterpretError {
    /// A setting or option does not fit.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The service has no such call for this kind of key.
    #[error("`{service}` has no {call} call for kind `{kind}`; a person does it")]
    NoCall {
        /// The service's slug.
        service: String,
        /// The kind.
        kind: String,
        /// `verify`, `list`, `make`, `revoke`, `disable` or `enable`.
        call: &'static str,
    },
    /// The call is authenticated by a value that is not at hand.
    #[error("the call needs the {0} value of the key, which is not at hand")]
    NoValue(&'static str),
    /// The call is authenticated by a managing credential, and the integration names none.
    #[error("a managing credential is needed ({why}); name it with `integration edit --managed-by KEY`")]
    NoManaging {
        /// Why, by the manifest.
        why: String,
    },
    /// The managing credential or the value lacks a field.
    #[error("the value has no field `{0}`; is it a key of the right kind?")]
    NoField(String),
    /// The call names the key by its id at the service, which is not known.
    #[error("the key's id at the service is not known")]
    NoId,
    /// The call names the key by its name at the service, which is not known.
    #[error("the key's name at the service is not known")]
    NoName,
    /// Something that is filled into the URL, a header or the user name would change its meaning.
    #[error("{{{0}}} holds something that cannot stand there")]
    Unfit(String),
    /// The URL does not parse once it is filled.
    #[error("`{shown}` is not a URL: {why}")]
    BadUrl {
        /// The URL with the names of values in braces.
        shown: String,
        /// What is wrong.
        why: String,
    },
    /// The filled URL leads to a host that the manifest does not list.
    #[error("`{shown}` lies outside the hosts of the manifest: {origins}")]
    OutsideHosts {
        /// The URL with the names of values in braces.
        shown: String,
        /// Where requests may go.
        origins: String,
    },
}

impl InterpretError {
    /// Whether trying again helps: only once a person has changed something.
    #[must_use]
    pub fn retry(&self) -> Retry {
        Retry::NeedsPerson
    }
}

/// Why a text is no value of a kind of key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Nothing, or blanks only.
    #[error("nothing was given")]
    Empty,
    /// A control character or a line break inside.
    #[error("`{0}` holds a control character or a line break; copy the value once more")]
    Control(String),
    /// The kind has several fields and the text is no JSON object.
    #[error("this kind of key has several parts; give them as JSON: {{{0}}}")]
    NotJson(String),
    /// A part is missing.
    #[error("`{0}` is missing")]
    MissingField(String),
    /// A part that the kind does not have.
    #[error("there is no part `{0}`")]
    UnknownField(String),
}
