//! The ledger: everything but values.
//!
//! Reads are plain; every write is a list of [`Change`]s applied in one transaction, so that what belongs together cannot
//! come apart. A journal row is appended together with the changes that follow from it.

use crate::error::Retry;
use crate::expiry::Expiry;
use crate::ids::{DestinationId, InstallationId, IntegrationId, KeyId, RotationId, VersionId};
use crate::rotation::Event;
use crate::words::{
    Activity, Destination, DestinationState, HealthCheck, Integration, Key, RotationRow, RotationStatus, Version, VersionState,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A consent that a person gave. One row per (kind, subject); a newer one replaces it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// What sort: `manifest` (subject: slug, detail: SHA-256), `origin` (subject: integration id, detail: origin),
    /// `self-hosted` (subject: integration id).
    pub kind: String,
    /// What it is about.
    pub subject: String,
    /// What exactly was agreed to.
    pub detail: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// What became of a reminder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoticeOutcome {
    /// It was shown.
    Shown,
    /// A graver one was shown in its place.
    Covered,
    /// Its reason went away: another expiry, a newer version, a disabled key.
    Cancelled,
}

/// A reminder's row: (version, expiry revision, threshold) happens once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The version it is about.
    pub version: VersionId,
    /// The expiry revision it was computed from.
    pub expiry_revision: u32,
    /// The threshold, in the ladder's words, such as `7d` or `dead+1d`.
    pub threshold: String,
    /// What became of it.
    pub outcome: NoticeOutcome,
    /// When.
    pub at: DateTime<Utc>,
}

/// One change of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Adds an integration.
    AddIntegration(Integration),
    /// Replaces an integration's row.
    EditIntegration(Integration),
    /// Removes an integration; fails while it has keys.
    RemoveIntegration(IntegrationId),
    /// Adds a key.
    AddKey(Key),
    /// Replaces a key's row, all but its current version: only [`Change::SetCurrent`] moves that, so that an edit prepared
    /// before a rotation finished cannot put the old one back.
    EditKey(Key),
    /// Removes a key with its versions, destinations, notices and ended rotations; fails while one of its rotations is open,
    /// or while it manages an integration. History stays.
    RemoveKey(KeyId),
    /// Adds a version; one that is there with the same id is left as it is.
    AddVersion(Version),
    /// Moves a version to a state.
    MoveVersion {
        /// Which.
        version: VersionId,
        /// Where to.
        state: VersionState,
    },
    /// Makes a version the key's current one, in the key's row and as its state; one that was current until now becomes
    /// previous. None leaves the key without.
    SetCurrent {
        /// The key.
        key: KeyId,
        /// The version.
        version: Option<VersionId>,
    },
    /// Sets a version's id at the service.
    SetRemoteId {
        /// Which.
        version: VersionId,
        /// The id.
        remote_id: String,
    },
    /// Sets when a version was made, by the service's word or a person's.
    SetIssued {
        /// Which.
        version: VersionId,
        /// When.
        at: DateTime<Utc>,
    },
    /// Sets a version's expiry and counts its revision up, unless it is the same already.
    SetExpiry {
        /// Which.
        version: VersionId,
        /// The new expiry.
        expiry: Expiry,
    },
    /// Records what a check told.
    SetHealth {
        /// Which.
        version: VersionId,
        /// The verdict.
        health: HealthCheck,
    },
    /// The value was taken out of the vault.
    MarkRemoved {
        /// Which.
        version: VersionId,
        /// When.
        at: DateTime<Utc>,
    },
    /// Records who a key acts as and with which scopes; none leaves what is there.
    SetIdentity {
        /// Which key.
        key: KeyId,
        /// Who.
        identity: Option<String>,
        /// Scopes, sorted.
        scopes: Option<Vec<String>>,
    },
    /// Records whether a key is switched off at its service.
    SetDisabled {
        /// Which key.
        key: KeyId,
        /// It is off.
        disabled: bool,
    },
    /// Adds a destination.
    AddDestination(Destination),
    /// Removes a destination.
    RemoveDestination(DestinationId),
    /// Records what is known of a destination.
    SetDestination {
        /// Which.
        destination: DestinationId,
        /// What is known.
        state: DestinationState,
    },
    /// Opens a rotation; fails when the key has an open one.
    OpenRotation(RotationRow),
    /// Moves a rotation's row to a status; ended ones get their end.
    MoveRotation {
        /// Which.
        rotation: RotationId,
        /// Where to.
        status: RotationStatus,
        /// When.
        at: DateTime<Utc>,
    },
    /// Records a consent.
    GiveConsent(Consent),
    /// Records what became of a reminder; one that is recorded is left as it is.
    AddNotice(Notice),
    /// No reminders for a key before the instant.
    Snooze {
        /// The key.
        key: KeyId,
        /// Until when.
        until: DateTime<Utc>,
    },
    /// Adds a line of history.
    Log(Activity),
}

/// Why the ledger did not do what it was asked. Nothing of the transaction was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// A name, or an open rotation, is there already.
    #[error("{0} exists already")]
    Exists(String),
    /// No such row.
    #[error("no such {0}")]
    NotFound(String),
    /// Something still refers to it.
    #[error("{0}")]
    InUse(String),
    /// Another process has moved the rotation on meanwhile; read it again.
    #[error("another process has moved this rotation on (expected row {expected}, found {found})")]
    Stale {
        /// The epoch that was expected.
        expected: u64,
        /// The epoch that was found.
        found: u64,
    },
    /// Another process is stepping this rotation.
    #[error("another process is working on this rotation")]
    Busy,
    /// The file was written by a newer version of Keytender.
    #[error(
        "the ledger was written by a newer version of Keytender (schema {found}, this one knows {known}); it is left untouched"
    )]
    Newer {
        /// Schema in the file.
        found: u64,
        /// Schema this binary knows.
        known: u64,
    },
    /// The file is damaged.
    #[error("the ledger is damaged: {0}")]
    Damaged(String),
    /// The disk is full.
    #[error("the disk is full; nothing was written to the ledger")]
    Full,
    /// The file system or SQLite failed.
    #[error("ledger: {0}")]
    Failed(String),
}

impl LedgerError {
    /// Whether and when the same call may succeed.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::Exists(_) | Self::NotFound(_) | Self::InUse(_) => Retry::Never,
            Self::Stale { .. } | Self::Busy => Retry::Now,
            Self::Newer { .. } | Self::Damaged(_) | Self::Full => Retry::NeedsPerson,
            Self::Failed(_) => Retry::Later,
        }
    }
}

/// A row of a journal: the event and when it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalRow {
    /// 1 for the first.
    pub seq: u64,
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub event: Event,
}

/// Everything but values, in one file that two processes may have open.
pub trait Ledger: Send + Sync {
    /// This installation's id, made when the ledger was.
    fn installation(&self) -> InstallationId;

    /// Applies all changes in one transaction, or none.
    ///
    /// # Errors
    /// See [`LedgerError`].
    fn apply(&self, changes: &[Change]) -> Result<(), LedgerError>;
    /// Appends an event as row `expected + 1` of a rotation's journal, together with its changes, in one transaction.
    /// `changes` of the first event hold the [`Change::OpenRotation`].
    ///
    /// # Errors
    /// [`LedgerError::Stale`] when the journal has another number of rows; see [`LedgerError`] for the rest.
    fn append(
        &self,
        rotation: RotationId,
        expected: u64,
        at: DateTime<Utc>,
        event: &Event,
        changes: &[Change],
    ) -> Result<(), LedgerError>;
    /// Takes the lock of a rotation for this process; dropping the box lets it go, and so does the process's death.
    ///
    /// # Errors
    /// [`LedgerError::Busy`] when another process, or another thread of this one, has it.
    fn hold(&self, rotation: RotationId) -> Result<Box<dyn std::any::Any + Send>, LedgerError>;
    /// A number that changes when another process has written.
    ///
    /// # Errors
    /// See [`LedgerError`].
    fn data_version(&self) -> Result<u64, LedgerError>;

    /// All integrations, by name.
    ///
    /// # Errors
    /// See [`LedgerError`].
    fn integrations(&self) -> Result<Vec<Integration>, LedgerError>;
    /// All keys, by integration and name.
    ///
    /// # Errors
    /// See [`LedgerError`].
    fn keys(&self) -> Result<Vec<Key>, LedgerError>;
    /// One key.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`]; see [`LedgerError`] for the rest.
    fn key(&self, id: KeyId) -> Result<Key, LedgerError>;
    /// A key's versions, newest first.
    ///
    /// # Errors
    /// See [`LedgerError`].
    fn versions(&self, key: KeyId) -> Result<Vec<Version>, LedgerError>;
    /// One version.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`]; see [`LedgerError`] for the rest.
    fn version(&self, id: VersionId) -> Result<Version, LedgerError>;
    /// The current version of every key that has one: one query, for lists and reminders.
    ///
    /// # Errors
    /// See [`LedgerError`].
    fn current_versions(&self) -> Result<Vec<Version>, LedgerError>;
    /// Every version whose value may still lie in the vault (not marked removed).
    ///
    /// # Errors
    /// See [`LedgerError`].
    fn stored_versions(&self) -> Result<Vec<Version>, LedgerError>;
    /// A key's destinations, oldest first.
    ///
    /// # Errors
    /// See [`LedgerError`].
    fn destinations(&self, key: KeyId) -> Result<Vec<Destination>, LedgerError>;
    /// Every destination.
    ///
    /// # Errors
    /// See [`LedgerError`].
    fn all_destinations(&self) -> Result<Vec<Destination>, LedgerError>;
    /// Rotations, newest first; only open and stuck ones if `open_only`.
    ///
    /// # Errors
    /// See [`LedgerError`].
    fn rotations(&self, open_only: bool) -> Result<Vec<RotationRow>, LedgerError>;
    /// One rotation.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`]; see [`LedgerError`] for the rest.
    fn rotation(&self, id: RotationId) -> Result<RotationRow, LedgerError>;
    /// A rotation's journal, from its first row.
    ///
    /// # Errors
    /// [`LedgerError::Damaged`] when a row cannot be read; see [`LedgerError`] for the rest.
    fn journal(&self, rotation: RotationId) -> Result<Vec<JournalRow>, LedgerError>;
    /// History, newest first, at most `limit` lines; of one key if given.
    ///
    /// # Errors
    /// See [`LedgerError`].
    fn history(&self, key: Option<KeyId>, limit: u32) -> Result<Vec<Activity>, LedgerError>;
    /// The consent of a kind about a subject.
    ///
    /// # Errors
    /// See [`LedgerError`].
    fn consent(&self, kind: &str, subject: &str) -> Result<Option<Consent>, LedgerError>;
    /// What became of reminders, for all versions that are current.
    ///
    /// # Errors
    /// See [`LedgerError`].
    fn notices(&self) -> Result<Vec<Notice>, LedgerError>;
    /// Snoozes that reach past `now`: (key, until).
    ///
    /// # Errors
    /// See [`LedgerError`].
    fn snoozes(&self, now: DateTime<Utc>) -> Result<Vec<(KeyId, DateTime<Utc>)>, LedgerError>;
    /// Checks the file's integrity: complaints in words, none when it is sound.
    ///
    /// # Errors
    /// See [`LedgerError`].
    fn check(&self) -> Result<Vec<String>, LedgerError>;
}
