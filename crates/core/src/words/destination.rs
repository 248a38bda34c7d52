//! A destination: a place where a key is used.

use crate::ids::{DestinationId, KeyId, VersionId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Where a destination is, by kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum DestinationWhere {
    /// Variables of a .env file.
    Dotenv {
        /// The file, absolute.
        path: PathBuf,
        /// Which field of the value goes to which variable.
        places: Vec<DotenvPlace>,
        /// A person agreed to what is unusual about the file.
        placement: Placement,
    },
    /// Any text file in which the old value stands literally; every occurrence is replaced.
    Text {
        /// The file, absolute.
        path: PathBuf,
        /// The field of the value that stands there; none for the only field.
        field: Option<String>,
        /// A person agreed to what is unusual about the file.
        placement: Placement,
    },
    /// A command that is fed the value on standard input.
    Command {
        /// Program and arguments; the value is never among them.
        argv: Vec<String>,
        /// The folder it runs in, absolute.
        folder: PathBuf,
        /// The field that is fed; none = the bare only field, or JSON of all fields.
        field: Option<String>,
        /// Seconds it may take.
        timeout_seconds: u32,
    },
    /// A person puts it there; this is the line on their checklist.
    Person {
        /// What to do, in their words.
        line: String,
    },
}

/// One variable of a .env file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DotenvPlace {
    /// The variable's name.
    pub variable: String,
    /// The field of the value; none for the only field.
    pub field: Option<String>,
}

/// What a person agreed to about a file that is not an ordinary file of their own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// The path is a symbolic link; its target is written.
    pub follow_symlink: bool,
    /// The file belongs to another user.
    pub foreign_owner: bool,
}

/// What is known of a destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum DestinationState {
    /// Nobody looked yet.
    Unknown,
    /// Read back: it holds this version.
    Confirmed {
        /// The version.
        version: VersionId,
        /// When it was read back.
        at: DateTime<Utc>,
    },
    /// Handed over, cannot be read back.
    Pushed {
        /// The version.
        version: VersionId,
        /// When.
        at: DateTime<Utc>,
    },
    /// A person says it holds this version.
    Attested {
        /// The version.
        version: VersionId,
        /// When.
        at: DateTime<Utc>,
    },
    /// It holds something else.
    OutOfDate {
        /// What was seen, in words, without the value.
        seen: String,
        /// When.
        at: DateTime<Utc>,
    },
    /// A person said that it need not be kept up to date in the rotation at hand.
    Waived {
        /// When.
        at: DateTime<Utc>,
    },
}

/// A place where a key is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// Identity.
    pub id: DestinationId,
    /// The key that is used there.
    pub key: KeyId,
    /// Where it is.
    #[serde(rename = "where")]
    pub place: DestinationWhere,
    /// What is known of it.
    pub state: DestinationState,
    /// When it was added.
    pub created_at: DateTime<Utc>,
}

impl DestinationWhere {
    /// One line for a list: `dotenv /srv/app/.env TOKEN`.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Dotenv { path, places, .. } => {
                let variables: Vec<&str> = places.iter().map(|place| place.variable.as_str()).collect();
                format!("{} {}", path.display(), variables.join(", "))
            }
            Self::Text { path, .. } => path.display().to_string(),
            Self::Command { argv, .. } => argv.join(" "),
            Self::Person { line } => line.clone(),
        }
    }

    /// The kind as the command line spells it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Dotenv { .. } => "dotenv",
            Self::Text { .. } => "text",
            Self::Command { .. } => "command",
            Self::Person { .. } => "person",
        }
    }
}
