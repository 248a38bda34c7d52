//! What the ledger says of one watched version: its notices boiled down to what decides over the next one.

use super::threshold::{Rung, Threshold};
use crate::ports::NoticeOutcome;
use chrono::{DateTime, NaiveDate, Utc};

/// The recorded notices of one (version, expiry revision).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Past {
    /// The gravest rung that was shown, covered or cancelled: it and all milder ones are done with.
    pub(super) gravest: Option<Rung>,
    /// When anything was shown last.
    pub(super) shown: Option<DateTime<Utc>>,
    /// The latest digest it stood in.
    pub(super) digest: Option<NaiveDate>,
    /// The latest snooze whose end was dealt with.
    pub(super) snoozed: Option<DateTime<Utc>>,
    /// A person let it expire: nothing is said any more.
    pub(super) cancelled: bool,
}

impl Past {
    pub(super) fn record(&mut self, threshold: Threshold, outcome: NoticeOutcome, at: DateTime<Utc>) {
        match threshold {
            Threshold::Rung(rung) => self.gravest = self.gravest.max(Some(rung)),
            Threshold::Digest(date) => self.digest = self.digest.max(Some(date)),
            Threshold::Snoozed(until) => self.snoozed = self.snoozed.max(Some(until)),
        }
        match outcome {
            NoticeOutcome::Shown => self.shown = self.shown.max(Some(at)),
            NoticeOutcome::Cancelled => self.cancelled = true,
            NoticeOutcome::Covered => {}
        }
    }

    /// Whether a rung is still to come.
    pub(super) fn awaits(&self, rung: Rung) -> bool {
        self.gravest.is_none_or(|gravest| rung > gravest)
    }
}
