//! After the grace period the value of a retired version leaves the vault.

use crate::Api;
use crate::error::Error;
use chrono::{DateTime, TimeDelta, Utc};
use keytender_core::ids::VersionId;
use keytender_core::ports::Change;
use keytender_core::rotation::Event;
use keytender_core::words::{Activity, ActivityKind, RotationStatus, VersionState};
use std::collections::HashMap;

/// How long a retired value can still be had: long enough to notice that something was forgotten.
const GRACE_DAYS: i64 = 7;

impl Api {
    /// Removes the values whose grace period is over from the vault; gives how many. Never prompts: a vault that is not
    /// ready is left for another day.
    ///
    /// # Errors
    /// When the ledger fails.
    pub fn sweep(&self) -> Result<usize, Error> {
        let now = self.parts.clock.now();
        let stored = self.parts.ledger.stored_versions()?;
        let retired: Vec<_> = stored.iter().filter(|version| version.state == VersionState::Revoked).collect();
        if retired.is_empty() || self.parts.vault.ready().is_err() {
            return Ok(0);
        }
        // When each was last in a rotation that ended: an aborted one retired what it made, a finished one what it replaced.
        let mut retired_at: HashMap<VersionId, DateTime<Utc>> = HashMap::new();
        for row in self.parts.ledger.rotations(false)? {
            let Some(ended) = row.ended_at else { continue };
            let journal = self.parts.ledger.journal(row.id)?;
            let Some(Event::Started { terms }) = journal.first().map(|first| &first.event) else { continue };
            let made = retired.iter().filter(|version| version.made_by == Some(row.id)).map(|version| version.id);
            let replaced = (row.status == RotationStatus::Done).then_some(terms.old_version);
            for version in made.chain(replaced) {
                let last = retired_at.entry(version).or_insert(ended);
                *last = ended.max(*last);
            }
        }
        let mut removed = 0;
        for version in retired {
            let Some(ended) = retired_at.get(&version.id).filter(|at| **at + TimeDelta::days(GRACE_DAYS) < now) else { continue };
            if self.parts.vault.remove(&self.item(version.id)).is_err() {
                continue;
            }
            let text = format!("the value retired on {} left the vault", ended.format("%Y-%m-%d"));
            let line = Activity { at: now, kind: ActivityKind::Removed, key: Some(version.key), rotation: version.made_by, text };
            self.parts.ledger.apply(&[Change::MarkRemoved { version: version.id, at: now }, Change::Log(line)])?;
            removed += 1;
        }
        Ok(removed)
    }
}
