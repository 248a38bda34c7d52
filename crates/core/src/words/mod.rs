//! The words of the product as types: service, integration, key, version, destination, rotation. The same words stand in
//! the ledger, on the command line, on screen and in the documentation.
//!
//! Stored rows only; what a screen or `--json` shows is a View in `keytender-api`.

mod activity;
mod destination;
mod integration;
mod key;
mod name;
mod rotation;
mod version;

pub use activity::{Activity, ActivityKind};
pub use destination::{Destination, DestinationState, DestinationWhere, DotenvPlace, Placement};
pub use integration::{Environment, Integration};
pub use key::{Key, KeyClass};
pub use name::{Name, NameError, ServiceSlug};
pub use rotation::{Make, Old, Retire, RotationRow, RotationStatus};
pub use version::{Health, HealthCheck, Version, VersionState};
