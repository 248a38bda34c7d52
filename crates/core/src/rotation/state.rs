//! What a journal folds to. No decision is made here (that is `next`), and nothing that is not in the journal is known.

use super::event::{DestinationTerm, Effect, Hindrance, Kept, Learned, Purpose, RemoteEntry, Terms};
use crate::ids::{DestinationId, RotationId};
use crate::words::Health;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// The six phases, for the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Everything is looked at, nothing is changed.
    Prepare,
    /// The new key is made.
    Make,
    /// Its value goes into the vault.
    Keep,
    /// It is verified twice and becomes current.
    Prove,
    /// It is written to the destinations.
    Spread,
    /// The old one is retired and seen to be refused.
    Retire,
}

/// How a rotation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// With everything achieved.
    Done,
    /// Without; the reason in words.
    Aborted(String),
}

/// Where the making of the new key stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Making {
    /// This attempt has not begun.
    Ready,
    /// Its intent is committed and its outcome is not.
    InFlight,
    /// A reply or paste lies sealed in the slot.
    Sealed,
    /// The reply is lost: whether a key was made is unknown.
    Lost {
        /// Since when.
        since: DateTime<Utc>,
        /// How many looks found nothing.
        looks: u8,
    },
    /// Keys that a lost reply may have left behind, still to be revoked; then it is resolved.
    Orphaned {
        /// Marked ones, which are certainly ours.
        marked: Vec<RemoteEntry>,
        /// Unmarked new ones, which may be anyone's.
        unmarked: Vec<RemoteEntry>,
    },
    /// The new version is in the vault.
    Kept,
}

/// Where a destination stands in this rotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Still to be written.
    Pending,
    /// Read back.
    Confirmed,
    /// Handed over.
    Pushed(DateTime<Utc>),
    /// A person did it.
    Attested(DateTime<Utc>),
    /// Need not be written.
    Waived,
    /// Could not be written; the text says why.
    Failed(String),
}

/// A rotation, as its journal tells it.
#[derive(Debug, Clone)]
pub struct State {
    /// Identity.
    pub id: RotationId,
    /// The terms it began with.
    pub terms: Terms,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// How many journal rows there are.
    pub epoch: u64,
    /// A repeatable effect whose intent is committed and whose outcome is not.
    pub open: Option<Effect>,
    /// What stood in the way of the last effect, until somebody resumes or its time comes.
    pub hindrance: Option<(Hindrance, String)>,
    /// Why it is stuck, if it is.
    pub stuck: Option<String>,
    /// How it ended, if it did.
    pub ended: Option<End>,
    /// How often in a row the current step brought no verdict, and when it last did.
    pub tries: (u32, DateTime<Utc>),

    /// The vault and the escrow were proven.
    pub store_proven: bool,
    /// The attempt whose slot is allocated; 0 for none.
    pub slot: u32,
    /// The service's verdict on the old value before anything was changed.
    pub old_health: Option<Health>,
    /// What it told of the old key then.
    pub old_learned: Learned,
    /// What the service listed before anything was made.
    pub snapshot: Option<Vec<RemoteEntry>>,
    /// The old key's id at the service, captured before anything was made.
    pub old_id: Option<String>,
    /// Ids among which a person has to pick the old one.
    pub old_candidates: Vec<String>,
    /// Destinations that were looked at.
    pub checked: BTreeSet<DestinationId>,

    /// Which attempt at making is at hand, from 1.
    pub attempt: u32,
    /// Where it stands.
    pub making: Making,
    /// A person makes the new one after all (cut-off where only the old value could have made another).
    pub make_by_hand: bool,
    /// The old one died and its replacement never arrived.
    pub cut_off: bool,
    /// The last paste was the old value again.
    pub same_as_old: bool,
    /// The last paste was refused by the service, or could not be read.
    pub refused_paste: bool,
    /// Possible orphans: new, unmarked ids that a person decided to leave alone.
    pub left_orphans: Vec<RemoteEntry>,
    /// Why it is being given up although nothing was made.
    pub giving_up: Option<String>,

    /// The new version.
    pub kept: Option<(Kept, DateTime<Utc>)>,
    /// Its slot was wiped.
    pub wiped: bool,
    /// Its id was looked for in the list.
    pub identified: bool,
    /// Good verifies of it, 0 to 2.
    pub verified: u8,
    /// A person vouched that it works.
    pub attested: bool,
    /// In what way it may do less than the old one, until a person accepts that.
    pub narrower: Option<String>,
    /// A person accepted that it may do less.
    pub narrower_accepted: bool,
    /// It is the current version.
    pub promoted: bool,

    /// The destinations.
    pub places: BTreeMap<DestinationId, Place>,

    /// A person waived the soak.
    pub soak_waived: bool,
    /// A person has to retire the old one after all: it has no known id, or the service refused.
    pub retire_by_hand: Option<String>,
    /// An attempt at retiring has begun: there is no way back.
    pub retiring: bool,
    /// When the service (or a person) said that the old one is gone.
    pub retired_at: Option<DateTime<Utc>>,
    /// A request showed that the old one is refused.
    pub old_refused: bool,

    /// A person asked to abort.
    pub aborting: bool,
    /// Destinations that hold the old value again.
    pub restored: BTreeSet<DestinationId>,
    /// The new key was retired again.
    pub new_retired: bool,
    /// The new key could not be retired by the service; a person has to.
    pub new_retire_by_hand: Option<String>,
}

impl State {
    pub(super) fn new(id: RotationId, terms: Terms, at: DateTime<Utc>) -> Self {
        let places = terms.destinations.iter().map(|term| (term.id, Place::Pending)).collect();
        Self {
            id,
            started_at: at,
            epoch: 1,
            open: None,
            hindrance: None,
            stuck: None,
            ended: None,
            tries: (0, at),
            store_proven: false,
            slot: 0,
            old_health: None,
            old_learned: Learned::default(),
            snapshot: None,
            old_id: terms.old_remote_id.clone(),
            old_candidates: Vec::new(),
            checked: BTreeSet::new(),
            attempt: 1,
            making: Making::Ready,
            make_by_hand: false,
            cut_off: false,
            same_as_old: false,
            refused_paste: false,
            left_orphans: Vec::new(),
            giving_up: None,
            kept: None,
            wiped: false,
            identified: false,
            verified: 0,
            attested: false,
            narrower: None,
            narrower_accepted: false,
            promoted: false,
            places,
            soak_waived: terms.waive_soak,
            retire_by_hand: None,
            retiring: false,
            retired_at: None,
            old_refused: false,
            aborting: false,
            restored: BTreeSet::new(),
            new_retired: false,
            new_retire_by_hand: None,
            terms,
        }
    }

    /// Whether a person makes the new key: because the manifest says so, because the old one was cut off, or because only
    /// a living old value could ask the service for another.
    #[must_use]
    pub fn made_by_person(&self) -> bool {
        let by_request = self.terms.make == crate::words::Make::Api && !(self.terms.make_needs_old && self.old_was_dead());
        self.make_by_hand || !by_request
    }

    /// Whether the old key was refused before the rotation began: then this replaces a dead key and retires nothing.
    #[must_use]
    pub fn old_was_dead(&self) -> bool {
        self.old_health == Some(Health::Dead)
    }

    /// Whether the ids can be listed before anything is made. Where the old value signs in for itself, a dead one cannot.
    #[must_use]
    pub fn listable(&self) -> bool {
        self.terms.lists && !(self.terms.list_needs_key && self.old_was_dead())
    }

    /// Whether the new version counts as proven: two good verifies, or a person's word where there is no verify.
    #[must_use]
    pub fn proven(&self) -> bool {
        if self.terms.verifies { self.verified >= 2 } else { self.attested }
    }

    /// Whether the new key's id is known and certainly its own: not the old one's, and not one that was there before.
    #[must_use]
    pub fn revocable_new(&self) -> bool {
        let id = self.kept.as_ref().and_then(|(kept, _)| kept.remote_id.as_ref());
        let before = |id: &String| self.snapshot.iter().flatten().any(|entry| entry.id == *id);
        id.is_some_and(|id| self.old_id.as_ref() != Some(id) && !before(id))
    }

    /// Whether nothing more has to be written anywhere.
    #[must_use]
    pub fn spread(&self) -> bool {
        self.places.values().all(|place| !matches!(place, Place::Pending | Place::Failed(_)))
    }

    /// Until when the old key is left alone although everything is written: 24 h after the last hand-over that could not be
    /// read back, never past the old key's own expiry; none when nothing has to be waited for.
    #[must_use]
    pub fn soak_until(&self) -> Option<DateTime<Utc>> {
        if self.soak_waived {
            return None;
        }
        let last_push = self.places.values().filter_map(|place| match place {
            Place::Pushed(at) => Some(*at),
            Place::Pending | Place::Confirmed | Place::Attested(_) | Place::Waived | Place::Failed(_) => None,
        });
        let until = last_push.max()? + chrono::TimeDelta::hours(24);
        Some(self.terms.old_expires_at.map_or(until, |dies| until.min(dies)))
    }

    /// The destinations in the order in which they are written.
    pub fn destinations(&self) -> impl Iterator<Item = (&DestinationTerm, &Place)> {
        self.terms.destinations.iter().filter_map(|term| self.places.get(&term.id).map(|place| (term, place)))
    }

    /// The phase it is in.
    #[must_use]
    pub fn phase(&self) -> Phase {
        if self.terms.purpose == Purpose::Revoke {
            return if self.old_health.is_some() { Phase::Retire } else { Phase::Prepare };
        }
        match self.making {
            Making::Ready if self.attempt == 1 && !self.prepared() => Phase::Prepare,
            Making::Ready | Making::InFlight | Making::Lost { .. } | Making::Orphaned { .. } => Phase::Make,
            Making::Sealed => Phase::Keep,
            Making::Kept if !self.wiped => Phase::Keep,
            Making::Kept if !(self.proven() && self.promoted) => Phase::Prove,
            Making::Kept if !self.spread() => Phase::Spread,
            Making::Kept => Phase::Retire,
        }
    }

    /// Whether prepare has nothing left to look at.
    #[must_use]
    pub fn prepared(&self) -> bool {
        self.store_proven
            && self.slot >= self.attempt
            && (self.old_health.is_some() || !self.terms.verifies)
            && (self.snapshot.is_some() || !self.listable())
            && self.terms.destinations.iter().all(|term| self.checked.contains(&term.id))
    }

    /// Whether aborting is possible, and if not why.
    ///
    /// # Errors
    /// A sentence for the person.
    pub fn abortable(&self) -> Result<(), String> {
        if let Some(end) = &self.ended {
            return Err(format!("it has ended already ({})", if *end == End::Done { "done" } else { "aborted" }));
        }
        if self.retiring {
            return Err("the old key is being retired; there is no way back. `rotations resume` finishes it".into());
        }
        if self.old_was_dead() && self.kept.is_some() {
            return Err("the old key was dead before it began; only the new one works. `rotations resume` goes on".into());
        }
        let made = !matches!(self.making, Making::Ready) || self.cut_off;
        if made && self.terms.old == crate::words::Old::Dies {
            return Err("the old key died when the new one was made; only finishing helps. `rotations resume` goes on".into());
        }
        Ok(())
    }
}
