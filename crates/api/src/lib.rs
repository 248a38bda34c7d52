//! Use cases and the rotation driver, over the ports of `keytender-core`.
//!
//! Every front (command line, window) joins an [`Api`] with the real parts of `keytender-host` and calls the same methods.
//! What may not live here: Tauri, SQL, an HTTP client, the wall clock, printing.

mod destinations;
mod doctor;
mod error;
mod find;
mod history;
mod integrations;
mod keys;
mod recover;
mod reminders;
mod rotations;
mod scene;
mod services;
mod stored;
mod switch;
mod verify;

pub use destinations::{DestinationAdd, DestinationCheckView, DestinationView};
pub use doctor::{DoctorLine, DoctorView, RebuildView};
pub use error::{Error, ErrorKind};
pub use history::ActivityView;
pub use integrations::{IntegrationAdd, IntegrationEdit, IntegrationView};
pub use keys::{Added, KeyAdd, KeyEdit, KeyView, VersionView};
pub use recover::RecoverView;
pub use reminders::{NoticeText, ReminderView, RemindersView, SimulatedKey, SimulatedView, SnoozeView};
pub use rotations::{
    AnswerRequest, EvidenceView, PlanLine, PlanView, Progress, Resting, RotationView, StepView, WaitView, outcome_in_words,
};
pub use services::{CheckView, KindView, ServiceView, SettingView, check_manifest};
pub use switch::SwitchView;
pub use verify::VerifyView;

use keytender_core::ports::{Checkpoint, Clock, Destinations, Escrow, Http, Ids, Ledger, Vault};
use keytender_services::Catalog;
use std::sync::Arc;

/// The real parts (or a test's) that the use cases work on.
pub struct Parts {
    /// Everything but values.
    pub ledger: Arc<dyn Ledger>,
    /// Where values lie.
    pub vault: Arc<dyn Vault>,
    /// Sealed slots.
    pub escrow: Arc<dyn Escrow>,
    /// Requests.
    pub http: Arc<dyn Http>,
    /// Places where keys are used.
    pub destinations: Arc<dyn Destinations>,
    /// The wall clock.
    pub clock: Arc<dyn Clock>,
    /// Fresh identifiers.
    pub ids: Arc<dyn Ids>,
    /// Where a test may kill the process.
    pub checkpoint: Arc<dyn Checkpoint>,
    /// Built-in and user manifests.
    pub catalog: Catalog,
}

/// The use cases.
pub struct Api {
    pub(crate) parts: Parts,
}

impl Api {
    /// Over these parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self { parts }
    }
}
