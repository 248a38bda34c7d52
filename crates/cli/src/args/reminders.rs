//! `keytender reminders ...`

use clap::Subcommand;

/// Reminders.
#[derive(Debug, Subcommand)]
pub(crate) enum RemindersCommand {
    /// What is due. Ends with 3 if something is.
    List,
    /// Every notice to come, if nothing is done about any of them.
    Simulate {
        /// How far ahead.
        #[arg(long, default_value_t = 120)]
        days: u32,
    },
    /// Put the reminders of a key off; without --until, list what may be chosen.
    Snooze {
        /// INTEGRATION/KEY, or the beginning or end of its id.
        key: String,
        /// One of the offers, or a date before its last day.
        #[arg(long)]
        until: Option<String>,
    },
}
