//! `keytender destination ...`

use clap::{Args, Subcommand};
use keytender_core::words::{DotenvPlace, Placement};
use std::path::PathBuf;

/// Places where a key is used.
#[derive(Debug, Subcommand)]
pub(crate) enum DestinationCommand {
    /// Add a place.
    Add {
        /// INTEGRATION/KEY, or the beginning or end of its id.
        key: String,
        #[command(subcommand)]
        place: PlaceCommand,
    },
    /// All places, or those of one key.
    List {
        /// INTEGRATION/KEY, or the beginning or end of its id.
        key: Option<String>,
    },
    /// Look whether the places of a key hold its current value.
    Check {
        /// INTEGRATION/KEY, or the beginning or end of its id.
        key: String,
    },
    /// Forget a place; what stands there is left alone.
    Remove {
        /// The beginning or end of its id.
        id: String,
    },
}

/// Where a key is used.
#[derive(Debug, Subcommand)]
pub(crate) enum PlaceCommand {
    /// Variables of a .env file.
    Dotenv {
        /// The file.
        #[arg(long)]
        file: PathBuf,
        /// The variable; with =FIELD where the value has several fields.
        #[arg(long = "var", value_name = "NAME[=FIELD]", required = true)]
        variables: Vec<Variable>,
        #[command(flatten)]
        consent: Consent,
        #[command(flatten)]
        write: Write,
    },
    /// A text file in which the value stands literally; every occurrence is replaced.
    Text {
        /// The file.
        #[arg(long)]
        file: PathBuf,
        /// Which field stands there, where the value has several.
        #[arg(long)]
        field: Option<String>,
        #[command(flatten)]
        consent: Consent,
        #[command(flatten)]
        write: Write,
    },
    /// A command that is fed the value on standard input.
    Command {
        /// Which field it is fed; else the only one, or all as a JSON object.
        #[arg(long)]
        field: Option<String>,
        /// The folder it runs in; else the one you are in.
        #[arg(long)]
        folder: Option<PathBuf>,
        /// Seconds it may take.
        #[arg(long, value_name = "SECONDS", default_value_t = 60)]
        timeout: u32,
        #[command(flatten)]
        write: Write,
        /// The program and its arguments.
        #[arg(last = true, required = true, value_name = "PROGRAM")]
        program: Vec<String>,
    },
    /// A person puts it there.
    Person {
        /// What to do, such as "paste it into Zapier, connection Sales".
        line: String,
    },
}

/// What is unusual about a file and all right.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Consent {
    /// The path is a symbolic link: write to what it points at.
    #[arg(long)]
    follow_symlink: bool,
    /// The file belongs to another user.
    #[arg(long)]
    foreign_owner: bool,
}

impl From<Consent> for Placement {
    fn from(consent: Consent) -> Self {
        Self { follow_symlink: consent.follow_symlink, foreign_owner: consent.foreign_owner }
    }
}

/// Whether the value goes there at once.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Write {
    /// Write the current value there now; else it is expected to stand there already.
    #[arg(long = "write")]
    pub(crate) now: bool,
}

/// `NAME` or `NAME=FIELD`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Variable(pub(crate) DotenvPlace);

impl std::str::FromStr for Variable {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (variable, field) = match text.split_once('=') {
            Some((variable, field)) => (variable, Some(field.to_owned())),
            None => (text, None),
        };
        if variable.is_empty() || field.as_deref() == Some("") {
            return Err("write NAME, or NAME=FIELD".to_owned());
        }
        Ok(Self(DotenvPlace { variable: variable.to_owned(), field }))
    }
}
