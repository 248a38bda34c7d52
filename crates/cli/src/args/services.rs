//! `keytender services ...`

use clap::Subcommand;
use std::path::PathBuf;

/// The catalogue.
#[derive(Debug, Subcommand)]
pub(crate) enum ServicesCommand {
    /// All services.
    List,
    /// One service: its settings, its kinds of key, and what that rests on.
    Show {
        /// Its slug.
        slug: String,
    },
    /// Check a service file, its cases included, without adding it.
    Check {
        /// The file.
        file: PathBuf,
    },
    /// Print the JSON Schema of service files.
    Schema,
    /// Agree to a service file of your own as it is now. One changed byte asks again.
    Trust {
        /// Its slug.
        slug: String,
    },
}
