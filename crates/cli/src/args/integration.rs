//! `keytender integration ...`

use super::Pair;
use clap::{Subcommand, ValueEnum};
use keytender_core::words::Environment;

/// Your accounts at services.
#[derive(Debug, Subcommand)]
pub(crate) enum IntegrationCommand {
    /// Add one.
    Add {
        /// The service's slug (`keytender services list`).
        slug: String,
        /// Your name for it.
        #[arg(long)]
        name: String,
        /// What it is for.
        #[arg(long, value_enum)]
        env: Option<EnvironmentWord>,
        /// A setting of the service (`keytender services show SLUG` lists them).
        #[arg(long = "set", value_name = "NAME=VALUE")]
        settings: Vec<Pair>,
        /// The key that makes and revokes its keys, where the service needs another credential for that.
        #[arg(long, value_name = "KEY")]
        managed_by: Option<String>,
        /// The service runs in a network of your own: plain http and private addresses are fine.
        #[arg(long)]
        self_hosted: bool,
        /// Agree that keys go to another host than the documented one.
        #[arg(long)]
        yes: bool,
    },
    /// All of them.
    List,
    /// One of them.
    Show {
        /// Its name, or the beginning or end of its id.
        integration: String,
    },
    /// Change one; what is not named stays.
    Edit {
        /// Its name, or the beginning or end of its id.
        integration: String,
        /// Your name for it.
        #[arg(long)]
        name: Option<String>,
        /// What it is for.
        #[arg(long, value_enum)]
        env: Option<EnvironmentWord>,
        /// A setting of the service.
        #[arg(long = "set", value_name = "NAME=VALUE")]
        settings: Vec<Pair>,
        /// The key that makes and revokes its keys; "" takes it away.
        #[arg(long, value_name = "KEY")]
        managed_by: Option<String>,
        /// Free text.
        #[arg(long)]
        notes: Option<String>,
        /// The service runs in a network of your own.
        #[arg(long)]
        self_hosted: bool,
        /// Agree that keys go to another host than the documented one.
        #[arg(long)]
        yes: bool,
    },
    /// Remove one that has no keys.
    Remove {
        /// Its name, or the beginning or end of its id.
        integration: String,
    },
}

/// What an integration is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EnvironmentWord {
    /// Real traffic, real data.
    Live,
    /// For trying things out.
    Test,
    /// A rehearsal of production.
    Staging,
    /// What your customers use.
    Production,
}

impl From<EnvironmentWord> for Environment {
    fn from(word: EnvironmentWord) -> Self {
        match word {
            EnvironmentWord::Live => Self::Live,
            EnvironmentWord::Test => Self::Test,
            EnvironmentWord::Staging => Self::Staging,
            EnvironmentWord::Production => Self::Production,
        }
    }
}
