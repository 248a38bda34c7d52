//! `keytender key ...`

use super::Pair;
use clap::Subcommand;

/// Keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Store a key, and verify it.
    Add {
        /// The integration it belongs to.
        integration: String,
        /// Your name for it: the system that uses it, and the environment.
        #[arg(long)]
        name: String,
        /// The kind of key; not needed where the service has one, or the value's shape tells.
        #[arg(long)]
        kind: Option<String>,
        /// When it dies: 2027-03-01, 90d, never, unknown.
        #[arg(long, value_name = "DATE")]
        expires: Option<String>,
        /// When it was made: 2026-11-01, or 3d for three days ago.
        #[arg(long, value_name = "DATE")]
        issued: Option<String>,
        /// Read the value from standard input: bare, or a JSON object where the kind has several fields.
        #[arg(long)]
        secret_stdin: bool,
        /// An option of the kind (permission, lifetime, ...), copied when the key is replaced.
        #[arg(long = "option", value_name = "NAME=VALUE")]
        options: Vec<Pair>,
        /// A word to find it by.
        #[arg(long = "tag", value_name = "TAG")]
        tags: Vec<String>,
        /// Send nothing to the service now.
        #[arg(long)]
        no_verify: bool,
    },
    /// All keys.
    List,
    /// One key with all its versions.
    Show {
        /// INTEGRATION/KEY, or the beginning or end of its id.
        key: String,
    },
    /// Change a key; what is not named stays.
    Edit {
        /// INTEGRATION/KEY, or the beginning or end of its id.
        key: String,
        /// Your name for it.
        #[arg(long)]
        name: Option<String>,
        /// When it dies: 2027-03-01, 90d, never, unknown.
        #[arg(long, value_name = "DATE")]
        expires: Option<String>,
        /// When it was made.
        #[arg(long, value_name = "DATE")]
        issued: Option<String>,
        /// An option of the kind.
        #[arg(long = "option", value_name = "NAME=VALUE")]
        options: Vec<Pair>,
        /// A word to find it by; the words named here take the place of all earlier ones.
        #[arg(long = "tag", value_name = "TAG")]
        tags: Vec<String>,
        /// Take all words away.
        #[arg(long, conflicts_with = "tags")]
        no_tags: bool,
    },
    /// Forget a key: its values leave the vault. Nothing is revoked at the service.
    Remove {
        /// INTEGRATION/KEY, or the beginning or end of its id.
        key: String,
        /// Don't ask.
        #[arg(long)]
        yes: bool,
    },
    /// Print the value.
    Reveal {
        /// INTEGRATION/KEY, or the beginning or end of its id.
        key: String,
        /// Which field, where the value has several.
        #[arg(long)]
        field: Option<String>,
    },
    /// Copy the value; the clipboard is cleared after 15 seconds unless something else was copied.
    Copy {
        /// INTEGRATION/KEY, or the beginning or end of its id.
        key: String,
        /// Which field, where the value has several.
        #[arg(long)]
        field: Option<String>,
    },
}
