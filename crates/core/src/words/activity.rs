//! One line of the append-only history that a person reads. (The journal of a rotation is finer and is for the engine.)

use crate::ids::{KeyId, RotationId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActivityKind {
    /// Something was added: an integration, a key, a destination.
    Added,
    /// Something was changed.
    Edited,
    /// Something was removed.
    Removed,
    /// A value was shown or copied.
    Revealed,
    /// A key was verified.
    Verified,
    /// A rotation was started, finished, aborted or got stuck.
    Rotated,
    /// A key was revoked on its own.
    Revoked,
    /// A key was switched off at its service, or on again.
    Switched,
    /// A notice was shown, or snoozed.
    Reminded,
    /// A person gave a consent.
    Consented,
    /// Repair: recover, rebuild, sweep.
    Repaired,
}

/// One line of history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// When.
    pub at: DateTime<Utc>,
    /// What sort of thing.
    pub kind: ActivityKind,
    /// The key, where it is about one.
    pub key: Option<KeyId>,
    /// The rotation, where it is about one.
    pub rotation: Option<RotationId>,
    /// One sentence, without values.
    pub text: String,
}
