//! What can be typed. Words and their help only: nothing here does anything.
//!
//! A noun is a file. Values are never among the arguments: they come from standard input or a hidden prompt.

mod destination;
mod integration;
mod key;
mod pairs;
mod practice;
mod reminders;
mod rotation;
mod services;
#[cfg(test)]
mod tests;

pub(crate) use destination::{DestinationCommand, PlaceCommand};
pub(crate) use integration::IntegrationCommand;
pub(crate) use key::KeyCommand;
pub(crate) use pairs::Pair;
pub(crate) use practice::{FaultCommand, FaultWord, PracticeCommand};
pub(crate) use reminders::RemindersCommand;
pub(crate) use rotation::{RotateArgs, RotationsCommand};
pub(crate) use services::ServicesCommand;

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Holds API keys in the keychain, says in good time when one dies, and replaces it without ever losing one.
#[derive(Debug, Parser)]
#[command(
    name = "keytender",
    bin_name = "keytender",
    version,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = crate::exit::TABLE
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Global {
    /// Where values lie; fixed at first use, and an error if it differs from what was fixed.
    #[arg(long, global = true, env = "KEYTENDER_VAULT", hide_env_values = true, value_enum)]
    pub(crate) vault: Option<VaultWord>,
    /// A file that holds the sealed vault's passphrase, one line.
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "passphrase_fd")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// An open descriptor that gives the sealed vault's passphrase, one line.
    #[arg(long, global = true, value_name = "N")]
    pub(crate) passphrase_fd: Option<u32>,
    /// Another home folder than the system's usual place.
    #[arg(long, global = true, env = "KEYTENDER_HOME", hide_env_values = true, value_name = "FOLDER")]
    pub(crate) home: Option<PathBuf>,
    /// Print JSON, errors too.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Say more about what is going on, on standard error.
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
}

/// The two stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum VaultWord {
    /// The operating system's keychain.
    Keychain,
    /// A file sealed under your passphrase. A lost passphrase is lost, and everything in the file with it.
    Sealed,
}

/// The nouns and verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Look whether everything that has to work does.
    Doctor {
        /// Take what the vault holds and the ledger does not know into the ledger.
        #[arg(long)]
        rebuild: bool,
    },
    /// What is known about services, and files of your own.
    #[command(subcommand)]
    Services(ServicesCommand),
    /// Your accounts, workspaces and boards at services.
    #[command(subcommand)]
    Integration(IntegrationCommand),
    /// Keys: added, looked at, revealed, copied.
    #[command(subcommand)]
    Key(KeyCommand),
    /// The places where a key is used.
    #[command(subcommand)]
    Destination(DestinationCommand),
    /// Ask the service whether a key is alive, by one harmless request.
    Verify {
        /// INTEGRATION/KEY, or the beginning or end of its id.
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        key: Option<String>,
        /// Every key that can be asked about.
        #[arg(long)]
        all: bool,
    },
    /// Replace a key: make a new one, store it, prove it, write it everywhere, then revoke the old one.
    Rotate(RotateArgs),
    /// Revoke a key at the service, and put nothing in its place.
    Revoke(RotateArgs),
    /// Switch a key off at its service without ending it, for services that can.
    Disable {
        /// INTEGRATION/KEY, or the beginning or end of its id.
        key: String,
    },
    /// Switch a key on again.
    Enable {
        /// INTEGRATION/KEY, or the beginning or end of its id.
        key: String,
    },
    /// Rotations, finished and unfinished.
    #[command(subcommand)]
    Rotations(RotationsCommand),
    /// Go on with whatever was interrupted: rotations, addings.
    Recover {
        /// Wait at most this many seconds for services, all in all.
        #[arg(long, value_name = "SECONDS", default_value_t = rotation::PATIENCE)]
        patience: u64,
    },
    /// What is due, and when you will be told.
    #[command(subcommand)]
    Reminders(RemindersCommand),
    /// Show the notice that is due now, if one is.
    Remind {
        /// Look once and end (there is no other way here: the desktop app looks all the time).
        #[arg(long, required = true)]
        once: bool,
    },
    /// What happened, newest first.
    History {
        /// Only this key: INTEGRATION/KEY, or the beginning or end of its id.
        key: Option<String>,
        /// At most this many lines.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// A service on this computer that issues keys to practise on.
    #[command(subcommand)]
    Practice(PracticeCommand),
    /// Print completions for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Write the manual pages into a folder.
    Man {
        /// The folder.
        folder: PathBuf,
    },
    /// Holds the clipboard for `key copy`; the value comes through standard input.
    #[command(name = "hold-clipboard", hide = true)]
    HoldClipboard,
    /// Keeps a notice on screen for `remind`; its text comes through standard input.
    #[command(name = "hold-notice", hide = true)]
    HoldNotice,
}
