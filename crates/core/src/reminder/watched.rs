//! What reminders are about, and what a reminder is.

use super::{Ladder, Level, Threshold};
use crate::expiry::Expiry;
use crate::ids::{KeyId, VersionId};
use crate::ports::{Notice, NoticeOutcome};
use crate::words::{Key, Version, VersionState};
use chrono::{DateTime, Utc};

/// A version that reminders may be about.
#[derive(Debug, Clone)]
pub struct Watched {
    pub(super) key: KeyId,
    pub(super) version: VersionId,
    pub(super) expiry_revision: u32,
    pub(super) label: String,
    pub(super) rotates_itself: bool,
    pub(super) estimated: bool,
    pub(super) ladder: Ladder,
    pub(super) added_at: DateTime<Utc>,
}

impl Watched {
    /// Watches a key's version under the name that notices call it by, such as `Agiled production`.
    ///
    /// `rotates_itself`: a rotation will replace it without a person, and has not failed. Then nothing is said before the
    /// urgent rung; getting there shows that it did not.
    ///
    /// None where there is nothing to remind of: the key is disabled, the version is not its current one, no date is known,
    /// or its life is too short for a ladder.
    #[must_use]
    pub fn of(key: &Key, version: &Version, label: String, rotates_itself: bool) -> Option<Self> {
        let current = version.state == VersionState::Current && key.current == Some(version.id);
        if key.disabled || !current {
            return None;
        }
        Some(Self {
            key: key.id,
            version: version.id,
            expiry_revision: version.expiry_revision,
            label,
            rotates_itself,
            estimated: matches!(version.expiry, Expiry::Estimated { .. }),
            ladder: Ladder::of(&version.expiry, version.issued_at)?,
            added_at: version.created_at,
        })
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> KeyId {
        self.key
    }

    /// The version.
    #[must_use]
    pub fn version(&self) -> VersionId {
        self.version
    }

    /// Its ladder.
    #[must_use]
    pub fn ladder(&self) -> &Ladder {
        &self.ladder
    }
}

/// A notice to show now, for one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reminder {
    /// The key.
    pub key: KeyId,
    /// The version.
    pub version: VersionId,
    /// The expiry revision it was computed from.
    pub expiry_revision: u32,
    /// The gravest threshold that has been reached.
    pub threshold: Threshold,
    /// Milder ones that were never shown and now never will be.
    pub covers: Vec<Threshold>,
    /// How grave it is.
    pub level: Level,
    /// What the person calls the key.
    pub label: String,
    /// When the version dies, or died.
    pub dies: DateTime<Utc>,
    /// Whether that is counted from the day first seen.
    pub estimated: bool,
    /// Whether a person has to act; false where a rotation should have taken care of it.
    pub needs_person: bool,
}

impl Reminder {
    /// The rows that record it as shown at `at`: its own and those it covers. They belong into one transaction, together with
    /// those of the rest of its group.
    #[must_use]
    pub fn rows(&self, at: DateTime<Utc>) -> Vec<Notice> {
        let covered = self.covers.iter().map(|threshold| (threshold, NoticeOutcome::Covered));
        std::iter::once((&self.threshold, NoticeOutcome::Shown))
            .chain(covered)
            .map(|(threshold, outcome)| Notice {
                version: self.version,
                expiry_revision: self.expiry_revision,
                threshold: threshold.to_string(),
                outcome,
                at,
            })
            .collect()
    }
}
