//! The one transition function: a state and the next journal row give the next state. A row that cannot follow is an error,
//! never a panic and never ignored.

use super::event::{Answer, Effect, Event, Found, Hindrance, Outcome, Purpose, RemoteEntry, VerifyRound};
use super::state::{End, Making, Place, State};
use crate::ids::{RotationId, derive_marker};
use crate::ports::{JournalRow, SlotState};
use crate::words::{Health, Old, Retire};
use chrono::{DateTime, Utc};

/// A journal row that cannot follow on the rows before it: the journal was damaged, or written by another engine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("journal row {seq} cannot follow: {why}")]
pub struct Impossible {
    /// The row.
    pub seq: u64,
    /// Why not.
    pub why: String,
}

/// How far the two clocks may be apart before nothing destructive is done by itself, in seconds.
pub const SKEW_MAX_SECONDS: i64 = 300;

/// A service that is said to settle at once is given this long all the same, in seconds: one refused answer is no verdict.
const SETTLE_MIN: u32 = 3;

/// Likewise for an old key that is said to be refused at once, in seconds.
const LINGER_MIN: u32 = 5;

/// After how many looks that find nothing a lost make counts as not having happened.
pub(super) const LOOKS: u8 = 3;

impl State {
    /// Folds a journal.
    ///
    /// # Errors
    /// [`Impossible`] names the first row that cannot follow.
    pub fn fold(id: RotationId, rows: &[JournalRow]) -> Result<Self, Impossible> {
        let Some((first, rest)) = rows.split_first() else {
            return Err(Impossible { seq: 1, why: "the journal is empty".into() });
        };
        let Event::Started { terms } = &first.event else {
            return Err(Impossible { seq: first.seq, why: "the journal does not begin with `started`".into() });
        };
        if terms.engine > super::ENGINE {
            return Err(Impossible {
                seq: first.seq,
                why: format!("it was written by engine {}, this one is {}; use the newer Keytender", terms.engine, super::ENGINE),
            });
        }
        let mut state = Self::new(id, (**terms).clone(), first.at);
        for row in rest {
            state.apply(row.at, &row.event)?;
        }
        Ok(state)
    }

    /// Takes in the next row.
    ///
    /// # Errors
    /// [`Impossible`] when it cannot follow; the state is then unchanged in meaning and must not be used further.
    pub fn apply(&mut self, at: DateTime<Utc>, event: &Event) -> Result<(), Impossible> {
        let seq = self.epoch + 1;
        let impossible = |why: &str| Impossible { seq, why: why.to_owned() };
        if self.ended.is_some() {
            return Err(impossible("the rotation has ended"));
        }
        match event {
            Event::Started { .. } => return Err(impossible("it has started already")),
            Event::Intent { act } => {
                if self.open.as_ref().is_some_and(|open| open != act) {
                    return Err(impossible("another effect is open"));
                }
                self.intend(act).map_err(impossible)?;
            }
            Event::Outcome { act, result } => {
                let expected =
                    if let Effect::Make { .. } = act { self.making == Making::InFlight } else { self.open.as_ref() == Some(act) };
                if !expected {
                    return Err(impossible("an outcome without its intent"));
                }
                self.open = None;
                self.take(at, act, result).map_err(impossible)?;
            }
            Event::Answered { answer } => self.answer(at, answer).map_err(impossible)?,
            Event::Resumed => {
                self.hindrance = None;
                self.look_again(at);
                self.stuck = None;
                self.tries = (0, at);
                for place in self.places.values_mut() {
                    if let Place::Failed(_) = place {
                        *place = Place::Pending;
                    }
                }
            }
            Event::AbortAsked => {
                self.abortable().map_err(|why| impossible(&why))?;
                self.aborting = true;
                self.hindrance = None;
                self.give_up_reply(at);
                self.stuck = None;
                self.tries = (0, at);
            }
            Event::Stuck { why } => self.stuck = Some(why.clone()),
        }
        self.epoch = seq;
        Ok(())
    }

    fn intend(&mut self, act: &Effect) -> Result<(), &'static str> {
        match act {
            Effect::Make { attempt } => {
                if self.making != Making::Ready || *attempt != self.attempt {
                    return Err("an earlier make is unresolved");
                }
                self.making = Making::InFlight;
            }
            Effect::RevokeOld => {
                self.retiring = true;
                self.open = Some(act.clone());
            }
            other => self.open = Some(other.clone()),
        }
        Ok(())
    }

    fn take(&mut self, at: DateTime<Utc>, act: &Effect, result: &Outcome) -> Result<(), &'static str> {
        if let Outcome::Postponed { hindrance, detail } = result {
            if let Effect::Make { .. } = act {
                self.making = Making::Ready;
            }
            if *act == Effect::IdentifyNew && self.tries.0 + 1 >= u32::from(LOOKS) {
                // The id is good to have and nothing hangs on it now.
                self.identified = true;
                self.tries = (0, at);
            } else if *hindrance == Hindrance::NoVerdict {
                self.tries = (self.tries.0 + 1, at);
            } else {
                self.hindrance = Some((hindrance.clone(), detail.clone()));
            }
            return Ok(());
        }
        let before = self.tries.0;
        self.hindrance = None;
        self.settle(at, act, result)?;
        // Whatever brought a result without asking for another try ends the row of tries.
        if self.tries.0 == before {
            self.tries = (0, at);
        }
        Ok(())
    }

    fn settle(&mut self, at: DateTime<Utc>, act: &Effect, result: &Outcome) -> Result<(), &'static str> {
        match (act, result) {
            (Effect::CheckStore, Outcome::Done { .. }) => self.store_proven = true,
            (Effect::AllocateSlot { attempt }, Outcome::Done { .. }) => self.slot = *attempt,
            (Effect::VerifyOld, Outcome::Verdict { health, learned, .. }) => {
                let skew = learned.clock_ahead_seconds.unwrap_or(0);
                if skew.abs() > SKEW_MAX_SECONDS {
                    let side = if skew > 0 { "ahead of" } else { "behind" };
                    let detail =
                        format!("this computer's clock is {} s {side} the service's; set the clock, then resume", skew.abs());
                    self.hindrance = Some((Hindrance::Person, detail));
                } else if *health == Health::Unknown {
                    self.tries = (self.tries.0 + 1, at);
                } else {
                    self.old_health = Some(*health);
                    self.old_learned = learned.clone();
                    self.old_id = self.old_id.take().or_else(|| learned.remote_id.clone());
                }
            }
            (Effect::ListIds, Outcome::Listed { entries, old, .. }) => self.take_list(entries, old),
            (Effect::CheckDestination { destination }, Outcome::Done { .. } | Outcome::NotWritten { .. }) => {
                self.checked.insert(*destination);
                if let Outcome::NotWritten { detail } = result {
                    self.checked.remove(destination);
                    self.hindrance = Some((Hindrance::Person, detail.clone()));
                }
            }
            (Effect::Make { .. }, made) => self.take_make(at, made)?,
            (Effect::InspectSlot { .. }, Outcome::Slot { state }) => match state {
                SlotState::Whole => self.making = Making::Sealed,
                // A paste that was not sealed whole is still with the person; nothing happened at the service.
                SlotState::Empty | SlotState::Torn | SlotState::Missing if self.made_by_person() => self.try_again(),
                SlotState::Empty | SlotState::Torn | SlotState::Missing => self.making = Making::Lost { since: at, looks: 0 },
            },
            (Effect::ProbeAfterLoss, Outcome::Verdict { health, .. }) => match health {
                Health::Alive => self.looked(),
                Health::Dead => {
                    self.cut_off = true;
                    self.make_by_hand = self.terms.make_needs_old;
                    self.try_again();
                }
                Health::Unknown => self.tries = (self.tries.0 + 1, at),
            },
            (Effect::Reconcile, Outcome::Listed { entries, .. }) => self.reconcile(entries)?,
            (Effect::RevokeOrphan { remote_id }, Outcome::Revoked { .. }) => self.orphan_gone(remote_id),
            (Effect::RevokeOrphan { remote_id }, Outcome::NotRevoked { evidence }) => {
                self.stuck = Some(format!(
                    "a key that this rotation made and never received is still at the service (id {remote_id}): {evidence}. Revoke it there, then `rotations resume`"
                ));
            }
            (Effect::Keep { .. }, kept) => self.take_keep(at, kept)?,
            (Effect::WipeSlot { .. }, Outcome::Done { .. }) => self.wiped = true,
            (Effect::IdentifyNew, Outcome::Listed { old: found, .. }) => {
                self.identified = true;
                if let (Found::One { id }, Some((kept, _))) = (found, self.kept.as_mut()) {
                    kept.remote_id = Some(id.clone());
                }
            }
            (Effect::VerifyNew { round }, Outcome::Verdict { health, learned, .. }) => {
                self.take_verify(at, *round, *health, learned)?
            }
            (Effect::Promote, Outcome::Done { .. }) => self.promoted = true,
            (Effect::Write { destination }, written) => {
                let place = match written {
                    Outcome::Confirmed { .. } => Place::Confirmed,
                    Outcome::Pushed { .. } => Place::Pushed(at),
                    Outcome::NotWritten { detail } => Place::Failed(detail.clone()),
                    _ => return Err("that is no outcome of a write"),
                };
                self.places.insert(*destination, place);
            }
            (Effect::RevokeOld, Outcome::Revoked { .. }) => self.retired_at = Some(at),
            (Effect::RevokeOld, Outcome::NotRevoked { evidence }) => self.retire_by_hand = Some(evidence.clone()),
            (Effect::ProbeOld, Outcome::Verdict { health, .. }) => match health {
                Health::Dead => self.old_refused = true,
                Health::Unknown => self.tries = (self.tries.0 + 1, at),
                Health::Alive => self.still_accepted(at),
            },
            (Effect::Finish, Outcome::Done { .. }) => self.ended = Some(End::Done),
            (Effect::Restore { destination }, Outcome::Confirmed { .. } | Outcome::Pushed { .. }) => {
                self.restored.insert(*destination);
            }
            (Effect::Restore { .. }, Outcome::NotWritten { detail }) => {
                self.hindrance = Some((Hindrance::Person, detail.clone()));
            }
            (Effect::Demote, Outcome::Done { .. }) => self.promoted = false,
            (Effect::RevokeNew, Outcome::Revoked { .. }) => self.new_retired = true,
            (Effect::RevokeNew, Outcome::NotRevoked { evidence }) => self.new_retire_by_hand = Some(evidence.clone()),
            (Effect::FinishAbort, Outcome::Done { .. }) => {
                self.ended = Some(End::Aborted(self.giving_up.clone().unwrap_or_else(|| "a person asked for it".into())));
            }
            _ => return Err("that is no outcome of this effect"),
        }
        Ok(())
    }

    fn take_list(&mut self, entries: &[RemoteEntry], old: &Found) {
        let full = match self.terms.old {
            Old::Slots(most) => self.terms.purpose == Purpose::Replace && entries.len() >= usize::from(most),
            Old::Overlaps | Old::Dies => false,
        };
        if full && self.making == Making::Ready {
            let ids: Vec<&str> = entries.iter().map(|entry| entry.id.as_str()).collect();
            let detail = format!(
                "the service holds {} keys side by side and has no room for another ({}). Revoke one that you no longer use, then resume",
                ids.len(),
                ids.join(", ")
            );
            self.hindrance = Some((Hindrance::Person, detail));
            return;
        }
        self.snapshot = Some(entries.to_vec());
        match old {
            Found::One { id } => self.old_id = Some(id.clone()),
            Found::Several { ids } if self.old_id.is_none() => self.old_candidates.clone_from(ids),
            Found::Several { .. } | Found::None => {}
        }
    }

    fn take_make(&mut self, at: DateTime<Utc>, made: &Outcome) -> Result<(), &'static str> {
        self.making = match made {
            Outcome::Sealed { .. } => Making::Sealed,
            Outcome::NotSent { .. } => {
                self.tries = (self.tries.0 + 1, at);
                Making::Ready
            }
            Outcome::NoReply { .. } => Making::Lost { since: at, looks: 0 },
            _ => return Err("that is no outcome of a make"),
        };
        Ok(())
    }

    fn take_keep(&mut self, at: DateTime<Utc>, kept: &Outcome) -> Result<(), &'static str> {
        match kept {
            Outcome::Kept(kept) => {
                self.making = Making::Kept;
                self.narrower.clone_from(&kept.narrower);
                self.same_as_old = false;
                self.refused_paste = false;
                self.promoted = self.promotes_at_keep();
                self.kept = Some((kept.clone(), at));
            }
            Outcome::Refused { evidence, again_at } => {
                self.try_again();
                match again_at {
                    Some(until) => self.hindrance = Some((Hindrance::Limited { until: *until }, evidence.clone())),
                    // The old one is off: giving up would leave nothing that works.
                    None if self.cut_off => self.make_by_hand = true,
                    None => self.giving_up = Some(format!("the service refused to make a key: {evidence}")),
                }
            }
            Outcome::Ambiguous { .. } => self.making = Making::Lost { since: at, looks: 0 },
            Outcome::Unparsable { .. } if self.made_by_person() => {
                self.refused_paste = true;
                self.try_again();
            }
            Outcome::Unparsable { detail } => {
                self.stuck = Some(format!(
                    "the service made a key and its reply could not be read: {detail}. The reply is kept sealed: once the manifest is mended, `keytender recover` reads it again; or answer `--done make-again`, and what it made is looked for, revoked and made anew"
                ));
            }
            Outcome::SameAsOld if self.made_by_person() => {
                self.same_as_old = true;
                self.try_again();
            }
            Outcome::SameAsOld => {
                self.stuck = Some(
                    "the service answered with the old value again; nothing was replaced. Look at the key in its portal".into(),
                );
            }
            _ => return Err("that is no outcome of keep"),
        }
        Ok(())
    }

    fn take_verify(
        &mut self,
        at: DateTime<Utc>,
        round: VerifyRound,
        health: Health,
        learned: &super::Learned,
    ) -> Result<(), &'static str> {
        let Some((kept, kept_at)) = self.kept.as_mut() else { return Err("there is no new version to verify") };
        match health {
            Health::Alive => {
                kept.remote_id = kept.remote_id.take().or_else(|| learned.remote_id.clone());
                self.verified = if round == VerifyRound::First { 1 } else { 2 };
                if let (Some(old), Some(new)) = (&self.old_learned.scopes, &learned.scopes) {
                    let missing: Vec<&str> = old.iter().filter(|scope| !new.contains(scope)).map(String::as_str).collect();
                    if !missing.is_empty() {
                        self.narrower = Some(format!("the new key lacks {}", missing.join(", ")));
                    }
                }
                if let (Some(old), Some(new)) = (&self.old_learned.identity, &learned.identity)
                    && old != new
                {
                    self.narrower = Some(format!("the new key acts as {new}, the old one as {old}"));
                }
            }
            Health::Unknown => self.tries = (self.tries.0 + 1, at),
            // Right after it was made, "refused" may mean "not yet".
            Health::Dead if at < *kept_at + chrono::TimeDelta::seconds(i64::from(self.terms.settle_seconds.max(SETTLE_MIN))) => {
                self.tries = (self.tries.0 + 1, at);
            }
            Health::Dead if self.made_by_person() && !self.promoted && self.verified == 0 => {
                self.refused_paste = true;
                self.kept = None;
                self.wiped = false;
                self.identified = false;
                self.verified = 0;
                self.try_again();
            }
            Health::Dead => {
                self.stuck = Some(
                    "the service refuses the new key. Both values are kept. `rotations resume` asks again, `rotations abort` goes back where that is possible".into(),
                );
            }
        }
        Ok(())
    }

    /// Where the old one died at the make, the new one is all there is: it becomes current the moment it is safe. A paste
    /// may be wrong, so where a request can tell, that is asked first.
    pub(super) fn promotes_at_keep(&self) -> bool {
        self.terms.old == Old::Dies && !(self.made_by_person() && self.terms.verifies)
    }

    /// The attempt at hand is resolved and made nothing; the next one begins with a slot of its own.
    fn try_again(&mut self) {
        self.attempt += 1;
        self.making = Making::Ready;
        if self.aborting && self.giving_up.is_none() {
            self.giving_up = Some("a person asked for it; nothing was made".into());
        }
    }

    /// What was true when it stopped may be mended or broken by now.
    fn look_again(&mut self, at: DateTime<Utc>) {
        if self.making == Making::Ready {
            self.store_proven = false;
            self.slot = 0;
        }
        if let Making::Lost { since, .. } = &mut self.making {
            // The clock may have been set back since.
            *since = at.min(*since);
        }
        if self.stuck.is_some() && !self.old_refused {
            // "Revoked, still accepted": revoking by id repeats.
            self.retired_at = None;
        }
        self.retire_by_hand = None;
        self.new_retire_by_hand = None;
    }

    /// A reply that nobody can read counts as lost: what it made is looked for and revoked before another is made. It stays
    /// sealed until the rotation ends.
    fn give_up_reply(&mut self, at: DateTime<Utc>) {
        if self.stuck.is_some() && self.making == Making::Sealed {
            self.making = Making::Lost { since: at, looks: 0 };
        }
    }

    fn looked(&mut self) {
        if let Making::Lost { looks, .. } = &mut self.making {
            *looks += 1;
            if *looks >= LOOKS {
                self.try_again();
            }
        }
    }

    fn reconcile(&mut self, entries: &[RemoteEntry]) -> Result<(), &'static str> {
        let Some(snapshot) = &self.snapshot else { return Err("there is no snapshot to compare with") };
        let known = |entry: &&RemoteEntry| snapshot.iter().chain(&self.left_orphans).any(|before| before.id == entry.id);
        let marker = derive_marker(self.id);
        let fresh: Vec<RemoteEntry> = entries.iter().filter(|entry| !known(entry)).cloned().collect();
        let (marked, unmarked): (Vec<_>, Vec<_>) =
            fresh.into_iter().partition(|entry| entry.name.as_ref().is_some_and(|name| name.contains(&marker)));
        // Where our keys bear a marker, a new key without one is somebody else's.
        let unmarked = if self.terms.marks { Vec::new() } else { unmarked };
        if marked.is_empty() && unmarked.is_empty() {
            self.looked();
        } else {
            self.making = Making::Orphaned { marked, unmarked };
        }
        Ok(())
    }

    fn orphan_gone(&mut self, remote_id: &str) {
        if let Making::Orphaned { marked, unmarked } = &mut self.making {
            marked.retain(|entry| entry.id != remote_id);
            if marked.is_empty() && unmarked.is_empty() {
                self.try_again();
            }
        }
    }

    fn still_accepted(&mut self, at: DateTime<Utc>) {
        let since = self.retired_at.or_else(|| self.kept.as_ref().map(|(_, at)| *at)).unwrap_or(self.started_at);
        if at < since + chrono::TimeDelta::seconds(i64::from(self.terms.linger_seconds.max(LINGER_MIN))) {
            self.tries = (self.tries.0 + 1, at);
        } else if self.terms.retire == Retire::Person && self.terms.old != Old::Dies {
            self.retired_at = None;
            self.retire_by_hand = Some("the service still accepts the old key".into());
        } else {
            self.stuck = Some(
                "revoked, still accepted: the service goes on accepting the old key. `rotations resume` asks again; if it stays so, revoke it in the portal".into(),
            );
        }
    }

    fn answer(&mut self, at: DateTime<Utc>, answer: &Answer) -> Result<(), &'static str> {
        match answer {
            Answer::NewWorks if self.kept.is_some() && !self.terms.verifies => self.attested = true,
            Answer::AcceptNarrower if self.narrower.is_some() => self.narrower_accepted = true,
            Answer::DestinationDone { destination } => {
                let place = self.places.get_mut(destination).ok_or("no such destination in this rotation")?;
                *place = Place::Attested(at);
                if self.aborting {
                    self.restored.insert(*destination);
                }
                self.hindrance = None;
            }
            Answer::WaiveDestination { destination } => {
                let place = self.places.get_mut(destination).ok_or("no such destination in this rotation")?;
                if self.aborting {
                    self.restored.insert(*destination);
                } else if matches!(place, Place::Confirmed | Place::Pushed(_) | Place::Attested(_)) {
                    return Err("that destination has the new value already");
                }
                *place = Place::Waived;
                self.checked.insert(*destination);
                self.hindrance = None;
            }
            Answer::WaiveSoak => self.soak_waived = true,
            Answer::OldRetired if self.terms.purpose == Purpose::Revoke || (self.proven() && self.spread()) => {
                self.retiring = true;
                self.retired_at = Some(at);
                self.tries = (0, at);
            }
            Answer::NewRetired if self.aborting => self.new_retired = true,
            Answer::OldIs { remote_id } if self.old_candidates.contains(remote_id) => {
                self.old_id = Some(remote_id.clone());
                self.old_candidates.clear();
            }
            Answer::MakeAgain if self.stuck.is_some() && self.making == Making::Sealed => {
                self.give_up_reply(at);
                self.stuck = None;
            }
            Answer::MakeAgain if self.stuck.is_some() && matches!(self.making, Making::Orphaned { .. }) => {
                // What could not be revoked stays listed by its id.
                if let Making::Orphaned { marked, unmarked } = &self.making {
                    self.left_orphans.extend(marked.iter().chain(unmarked).cloned());
                }
                self.stuck = None;
                self.try_again();
            }
            Answer::MakeAgain => match &self.making {
                Making::Lost { .. } => self.try_again(),
                Making::Orphaned { marked, unmarked } if marked.is_empty() => {
                    self.left_orphans.extend(unmarked.iter().cloned());
                    self.try_again();
                }
                Making::Orphaned { .. } if self.terms.retire == Retire::Person => self.try_again(),
                Making::Ready | Making::InFlight | Making::Sealed | Making::Orphaned { .. } | Making::Kept => {
                    return Err("no lost reply is waiting for that answer");
                }
            },
            Answer::OrphanIs { remote_id } => match &mut self.making {
                Making::Orphaned { marked, unmarked } => {
                    let place = unmarked
                        .iter()
                        .position(|entry| entry.id == *remote_id)
                        .ok_or("that id is not among the possible orphans")?;
                    marked.push(unmarked.remove(place));
                    self.left_orphans.append(unmarked);
                }
                Making::Ready | Making::InFlight | Making::Sealed | Making::Lost { .. } | Making::Kept => {
                    return Err("no possible orphan is waiting for that answer");
                }
            },
            Answer::NewWorks | Answer::AcceptNarrower | Answer::OldRetired | Answer::NewRetired | Answer::OldIs { .. } => {
                return Err("nothing is waiting for that answer");
            }
        }
        Ok(())
    }
}
