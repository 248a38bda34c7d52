//! The three facts that describe a rotation, and its row in the ledger. The events and the engine are in `crate::rotation`.

use crate::ids::{KeyId, RotationId};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who makes the new key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Make {
    /// A request to the service.
    Api,
    /// A person, in the service's portal.
    Person,
}

/// Who retires the old key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Retire {
    /// A request to the service.
    Api,
    /// A person, in the service's portal.
    Person,
}

/// What happens to the old key when the new one is born.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Old {
    /// Nothing: both are accepted until the old one is revoked.
    Overlaps,
    /// Nothing, but the service holds at most this many keys side by side.
    Slots(u8),
    /// It dies at that moment.
    Dies,
}

/// Where a rotation stands, for lists and for the index "one open rotation per key".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RotationStatus {
    /// Under way or waiting.
    Open,
    /// Finished with evidence.
    Done,
    /// Given up before anything irreversible, or undone.
    Aborted,
    /// Cannot be resolved by itself; both values kept; a next step stands in words. Counts as open.
    Stuck,
}

impl RotationStatus {
    /// Whether it still holds its key: open and stuck ones do.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::Stuck)
    }
}

/// A rotation's row. Everything else about it is in its journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RotationRow {
    /// Identity.
    pub id: RotationId,
    /// The key whose version is replaced or revoked.
    pub key: KeyId,
    /// Where it stands.
    pub status: RotationStatus,
    /// How many journal rows it has: the compare-and-swap epoch.
    pub epoch: u64,
    /// When it was started.
    pub started_at: DateTime<Utc>,
    /// When it ended, if it did.
    pub ended_at: Option<DateTime<Utc>>,
}
