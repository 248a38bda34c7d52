//! `keytender practice ...`

use clap::{Subcommand, ValueEnum};
use keytender_practice::{Call, KeyKind, Times};

/// The practice service.
#[derive(Debug, Subcommand)]
pub(crate) enum PracticeCommand {
    /// Run it on 127.0.0.1 until it is interrupted.
    Start {
        /// The port; 0 takes any free one.
        #[arg(long, default_value_t = 4180)]
        port: u16,
    },
    /// Make a key, as a person would in its portal. The value is shown this once.
    Issue {
        /// The kind of key (`keytender services show practice` lists them).
        #[arg(long)]
        kind: KeyKind,
        /// Its name; kinds with slots have none.
        #[arg(long)]
        name: Option<String>,
        /// How long it lives.
        #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32))]
        days: u32,
        /// How many days ago it is to have been made.
        #[arg(long, value_name = "DAYS", default_value_t = 0)]
        created_days_ago: u32,
        /// Print the value and nothing else.
        #[arg(long, conflicts_with = "json")]
        secret_only: bool,
    },
    /// All keys ever made there.
    List,
    /// Revoke a key, as a person would in its portal.
    Revoke {
        /// Its id there (pk_...).
        id: String,
    },
    /// Switch a key off, as a person would in its portal.
    Disable {
        /// Its id there (pk_...).
        id: String,
    },
    /// Switch a key on again.
    Enable {
        /// Its id there (pk_...).
        id: String,
    },
    /// Make another in the place of a key whose kind allows that. The value is shown this once.
    Regenerate {
        /// Its id there (pk_...).
        id: String,
        /// Print the value and nothing else.
        #[arg(long, conflicts_with = "json")]
        secret_only: bool,
    },
    /// Let its API misbehave.
    #[command(subcommand)]
    Fault(FaultCommand),
}

/// Faults that wait for a call.
#[derive(Debug, Subcommand)]
pub(crate) enum FaultCommand {
    /// Let a call go wrong.
    Add {
        /// The call.
        #[arg(value_enum)]
        call: CallWord,
        /// What goes wrong.
        #[arg(value_enum)]
        kind: FaultWord,
        /// cut: bytes of the body that arrive; slow: milliseconds; status: the code; still-accepted, not-yet-accepted: seconds.
        number: Option<u64>,
        /// With status: the text of a Retry-After header.
        #[arg(long, value_name = "TEXT")]
        retry_after: Option<String>,
        /// How often: a number, or forever.
        #[arg(long, default_value = "1", value_name = "N")]
        times: TimesWord,
    },
    /// The faults that wait.
    List,
    /// Forget all of them.
    Clear,
}

/// Calls of the practice API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CallWord {
    /// Making a key.
    Make,
    /// Asking who a key is.
    Verify,
    /// Listing keys.
    List,
    /// Revoking one.
    Revoke,
    /// Switching one off.
    Disable,
    /// Switching one on.
    Enable,
}

impl From<CallWord> for Call {
    fn from(word: CallWord) -> Self {
        match word {
            CallWord::Make => Self::Make,
            CallWord::Verify => Self::Verify,
            CallWord::List => Self::List,
            CallWord::Revoke => Self::Revoke,
            CallWord::Disable => Self::Disable,
            CallWord::Enable => Self::Enable,
        }
    }
}

/// Ways to misbehave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FaultWord {
    /// The connection is dropped; nothing was done.
    LostBefore,
    /// It is done, then the connection is dropped.
    LostAfter,
    /// It is done; the reply breaks off after NUMBER bytes.
    Cut,
    /// It is done at once; the reply comes NUMBER milliseconds late.
    Slow,
    /// Refused with status NUMBER; nothing was done.
    Status,
    /// 200 with an HTML page; nothing was done.
    Html,
    /// It is done; the reply lacks what the caller came for.
    WrongShape,
    /// On revoke: the old key is accepted for NUMBER more seconds.
    StillAccepted,
    /// On make: the new key is refused for NUMBER seconds.
    NotYetAccepted,
}

/// A number, or `forever`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimesWord(pub(crate) Times);

impl std::str::FromStr for TimesWord {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "forever" => Ok(Self(Times::Forever)),
            number => number.parse().map(|count| Self(Times::Count(count))).map_err(|_| "write a number, or forever".to_owned()),
        }
    }
}
