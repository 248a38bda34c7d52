//! `keytender rotate`, `revoke` and `rotations ...`

use clap::{Args, Subcommand};

/// How many seconds a command waits for services, all in all, before it leaves the rest for later: enough for a service that
/// settles within a minute, little enough for a person who watches.
pub(super) const PATIENCE: u64 = 120;

/// Replacing or revoking a key.
#[derive(Debug, Args)]
pub(crate) struct RotateArgs {
    /// INTEGRATION/KEY, or the beginning or end of its id.
    pub(crate) key: String,
    /// Print what would happen, and end.
    #[arg(long)]
    pub(crate) plan: bool,
    /// Do it without asking.
    #[arg(long, conflicts_with = "plan")]
    pub(crate) yes: bool,
    /// Don't leave the old key alone for a day where a destination cannot be read back.
    #[arg(long)]
    pub(crate) waive_soak: bool,
    /// Wait at most this many seconds for the service, all in all; what is left can be resumed.
    #[arg(long, value_name = "SECONDS", default_value_t = PATIENCE)]
    pub(crate) patience: u64,
}

/// Rotations.
#[derive(Debug, Subcommand)]
pub(crate) enum RotationsCommand {
    /// Unfinished ones.
    List {
        /// Finished ones too.
        #[arg(long)]
        all: bool,
    },
    /// One rotation with its evidence and what it waits for.
    Show {
        /// The beginning or end of its id, or its key.
        id: String,
    },
    /// Go on with one.
    Resume {
        /// The beginning or end of its id, or its key.
        id: String,
        /// Wait at most this many seconds for the service, all in all.
        #[arg(long, value_name = "SECONDS", default_value_t = PATIENCE)]
        patience: u64,
    },
    /// Go back, as long as that is possible.
    Abort {
        /// The beginning or end of its id, or its key.
        id: String,
        /// Wait at most this many seconds for the service, all in all.
        #[arg(long, value_name = "SECONDS", default_value_t = PATIENCE)]
        patience: u64,
    },
    /// Answer what one asks.
    Answer {
        /// The beginning or end of its id, or its key.
        id: String,
        #[command(flatten)]
        answer: AnswerArgs,
        /// Wait at most this many seconds for the service, all in all.
        #[arg(long, value_name = "SECONDS", default_value_t = PATIENCE)]
        patience: u64,
    },
}

/// The answer.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct AnswerArgs {
    /// The new value, on standard input.
    #[arg(long)]
    pub(crate) secret_stdin: bool,
    /// A step is done; `rotations show` names it.
    #[arg(long, value_name = "STEP")]
    pub(crate) done: Option<String>,
    /// This one of the ids that were asked about.
    #[arg(long, value_name = "REMOTE_ID")]
    pub(crate) pick: Option<String>,
}
