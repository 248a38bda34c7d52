//! A version: one value that a key has had. Versions have ids; values never overwrite each other.

use crate::expiry::Expiry;
use crate::ids::{KeyId, RotationId, VersionId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Where a version stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VersionState {
    /// Stored, not yet proven.
    Pending,
    /// The one in use.
    Current,
    /// Replaced, perhaps still accepted by the service.
    Previous,
    /// Retired: the service refuses it, or a person vouched that it is gone.
    Revoked,
    /// Known to others; retire without delay.
    Compromised,
}

/// What the service said about a version when last asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Health {
    /// Accepted.
    Alive,
    /// Refused.
    Dead,
    /// No answer that tells. Never treated as either.
    Unknown,
}

/// The last check that gave a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthCheck {
    /// The verdict.
    pub health: Health,
    /// When it was given.
    pub at: DateTime<Utc>,
    /// In words, such as `GET /-/whoami answered 200 with a user name`.
    pub evidence: String,
}

/// One value that a key has had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Identity.
    pub id: VersionId,
    /// The key it is a value of.
    pub key: KeyId,
    /// Where it stands.
    pub state: VersionState,
    /// Which vault holds the value: `keychain` or `sealed`.
    pub store: String,
    /// The id under which the service lists it, where known.
    pub remote_id: Option<String>,
    /// The name it bears at the service, where Keytender gave or read one.
    pub remote_name: Option<String>,
    /// When it dies, and how that is known.
    pub expiry: Expiry,
    /// Counts changes of `expiry`; reminders are kept per (version, revision, threshold).
    pub expiry_revision: u32,
    /// When the service made it, where known; else when Keytender first saw it.
    pub issued_at: DateTime<Utc>,
    /// Whether `issued_at` is the service's own date or a person's, rather than the date first seen.
    pub issued_known: bool,
    /// The rotation that made it; none for a version that was added.
    pub made_by: Option<RotationId>,
    /// The last check that told.
    pub health: Option<HealthCheck>,
    /// When the value was taken out of the vault (after the grace period); none while it can be had.
    pub removed_at: Option<DateTime<Utc>>,
    /// When it was stored.
    pub created_at: DateTime<Utc>,
}
