//! The engine: what to do next, from the state and the time alone.

use super::apply::LOOKS;
use super::event::{Effect, Hindrance, Purpose, Reach, RemoteEntry, VerifyRound};
use super::state::{End, Making, Place, State};
use crate::ids::DestinationId;
use crate::words::{Health, Old, Retire};
use chrono::{DateTime, TimeDelta, Utc};

/// What the engine asks a person for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Make a key in the portal and paste it.
    Paste {
        /// The old key died and its replacement never arrived.
        cut_off: bool,
        /// The service would make one on request, if the old value were still alive to ask with.
        old_was_dead: bool,
        /// The last paste was the old value again.
        same_as_old: bool,
        /// The last paste was refused by the service, or could not be read.
        refused: bool,
    },
    /// Say which of the ids at the service is the old key's.
    WhichOld(Vec<String>),
    /// Say whether the new key works: no harmless request can.
    NewWorks,
    /// Accept that the new key may do less than the old one, or abort.
    Narrower(String),
    /// Put the new value somewhere by hand.
    PutByHand(DestinationId),
    /// Look at destinations that could not be written, then resume (or do them by hand, or waive them).
    Unwritten(Vec<(DestinationId, String)>),
    /// Put the old value back by hand (aborting).
    PutBackByHand(DestinationId),
    /// Retire the old key in the portal; the text says why the service could not be asked to, if it was.
    RetireOld(Option<String>),
    /// Retire the new key in the portal (aborting).
    RetireNew(Option<String>),
    /// A reply was lost and no request can tell whether a key was made: look in the portal.
    LostReply,
    /// New keys without a marker appeared while a reply was lost: they may be anyone's.
    PossibleOrphans(Vec<RemoteEntry>),
    /// A key that is certainly ours was made and never received; revoke it in the portal.
    RevokeOrphans(Vec<RemoteEntry>),
}

/// Why nothing is done until an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pause {
    /// The last try brought no verdict, or "not yet"; the next one is due then.
    Retry,
    /// The service's limit, or ours for it.
    Limit,
    /// The next look for a key that a lost reply may have left.
    Look,
    /// The soak: a destination cannot be read back.
    Soak,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Carry out an effect: commit its intent (unless it is open already), act, commit its outcome.
    Do(Effect),
    /// Wait for the vault or the disk, until somebody says `resume`.
    Hindered(Hindrance, String),
    /// Wait for a person's answer.
    Ask(Ask),
    /// Wait until an instant.
    Until(DateTime<Utc>, Pause),
    /// It cannot be resolved by itself.
    Stuck(String),
    /// Nothing is left to do.
    Ended(End),
}

/// What to do next. Pure: equal states and instants give equal answers, whether running, resuming or simulating.
#[must_use]
pub fn next(state: &State, now: DateTime<Utc>) -> Next {
    if let Some(end) = &state.ended {
        return Next::Ended(end.clone());
    }
    if let Some(why) = &state.stuck {
        return Next::Stuck(why.clone());
    }
    match &state.hindrance {
        Some((Hindrance::Limited { until }, _)) if now < *until => return Next::Until(*until, Pause::Limit),
        Some((Hindrance::Limited { .. }, _)) | None => {}
        Some((hindrance, detail)) => return Next::Hindered(hindrance.clone(), detail.clone()),
    }
    if let Some(open) = &state.open {
        return Next::Do(open.clone());
    }
    if let (tries @ 1.., last) = state.tries {
        let at = last + back_off(tries);
        if now < at {
            return Next::Until(at, Pause::Retry);
        }
    }
    if let Some(next) = unresolved(state, now) {
        return next;
    }
    if state.aborting || state.giving_up.is_some() {
        return abort(state);
    }
    match state.terms.purpose {
        Purpose::Replace => replace(state, now),
        Purpose::Revoke => revoke_alone(state),
    }
}

/// Front-weighted: a service that is not ready after a second often is after two; one that is down for a minute is asked
/// once a minute.
fn back_off(tries: u32) -> TimeDelta {
    const STEPS: [i64; 7] = [1, 2, 4, 8, 15, 30, 60];
    let step = (tries as usize - 1).min(STEPS.len() - 1);
    TimeDelta::seconds(STEPS[step])
}

/// A make whose reply is in flight, sealed or lost comes before everything else, aborting included.
fn unresolved(state: &State, now: DateTime<Utc>) -> Option<Next> {
    let attempt = state.attempt;
    match &state.making {
        Making::InFlight => Some(Next::Do(Effect::InspectSlot { attempt })),
        Making::Sealed => Some(Next::Do(Effect::Keep { attempt })),
        Making::Lost { since, looks } => Some(look(state, *since, *looks, now)),
        Making::Orphaned { marked, unmarked } => Some(orphans(state, marked, unmarked)),
        Making::Kept if !state.wiped => Some(Next::Do(Effect::WipeSlot { attempt })),
        Making::Ready | Making::Kept => None,
    }
}

fn look(state: &State, since: DateTime<Utc>, looks: u8, now: DateTime<Utc>) -> Next {
    let probe = state.terms.old == Old::Dies && state.terms.verifies && !state.old_was_dead() && !state.cut_off;
    let effect = match (probe, state.snapshot.is_some()) {
        (true, _) => Effect::ProbeAfterLoss,
        (false, true) => Effect::Reconcile,
        (false, false) => return Next::Ask(Ask::LostReply),
    };
    // The looks are spread over the settling time: what the service made a moment ago may not be listed yet.
    let gap = i64::from(state.terms.settle_seconds.max(u32::from(LOOKS))) / i64::from(LOOKS);
    let due = since + TimeDelta::seconds(gap * i64::from(looks + 1));
    if now < due { Next::Until(due, Pause::Look) } else { Next::Do(effect) }
}

fn orphans(state: &State, marked: &[RemoteEntry], unmarked: &[RemoteEntry]) -> Next {
    match marked.first() {
        // A call that names no id would revoke whoever signs in, and that is never the orphan.
        Some(entry) if state.terms.retire == Retire::Api && state.terms.retire_needs_id => {
            Next::Do(Effect::RevokeOrphan { remote_id: entry.id.clone() })
        }
        Some(_) => Next::Ask(Ask::RevokeOrphans(marked.to_vec())),
        None => Next::Ask(Ask::PossibleOrphans(unmarked.to_vec())),
    }
}

fn replace(state: &State, now: DateTime<Utc>) -> Next {
    if state.making == Making::Ready {
        return prepare(state).unwrap_or_else(|| make(state));
    }
    prove(state).or_else(|| spread(state)).unwrap_or_else(|| retire(state, now))
}

fn prepare(state: &State) -> Option<Next> {
    let terms = &state.terms;
    if !state.store_proven {
        return Some(Next::Do(Effect::CheckStore));
    }
    if state.slot < state.attempt {
        return Some(Next::Do(Effect::AllocateSlot { attempt: state.attempt }));
    }
    if terms.verifies && state.old_health.is_none() {
        return Some(Next::Do(Effect::VerifyOld));
    }
    if state.listable() && state.snapshot.is_none() {
        return Some(Next::Do(Effect::ListIds));
    }
    if terms.retire_needs_id && state.old_id.is_none() && !state.old_candidates.is_empty() {
        return Some(Next::Ask(Ask::WhichOld(state.old_candidates.clone())));
    }
    let unchecked = terms.destinations.iter().find(|term| !state.checked.contains(&term.id));
    unchecked.map(|term| Next::Do(Effect::CheckDestination { destination: term.id }))
}

fn make(state: &State) -> Next {
    if state.made_by_person() {
        return Next::Ask(Ask::Paste {
            cut_off: state.cut_off,
            old_was_dead: state.old_was_dead(),
            same_as_old: state.same_as_old,
            refused: state.refused_paste,
        });
    }
    Next::Do(Effect::Make { attempt: state.attempt })
}

fn prove(state: &State) -> Option<Next> {
    if state.terms.verifies && state.verified < 2 {
        let round = if state.verified == 0 { VerifyRound::First } else { VerifyRound::Second };
        return Some(Next::Do(Effect::VerifyNew { round }));
    }
    if !state.proven() {
        return Some(Next::Ask(Ask::NewWorks));
    }
    // Only a value that works can sign in to look for itself; a verify may have told its id already.
    let identifiable = state.terms.lists && state.kept.as_ref().is_some_and(|(kept, _)| kept.remote_id.is_none());
    if identifiable && !state.identified {
        return Some(Next::Do(Effect::IdentifyNew));
    }
    if let (Some(lack), false) = (&state.narrower, state.narrower_accepted) {
        return Some(Next::Ask(Ask::Narrower(lack.clone())));
    }
    (!state.promoted).then_some(Next::Do(Effect::Promote))
}

fn spread(state: &State) -> Option<Next> {
    let pending = |reach: fn(Reach) -> bool| {
        state.destinations().find(|(term, place)| **place == Place::Pending && reach(term.reach)).map(|(term, _)| term.id)
    };
    if let Some(destination) = pending(|reach| reach != Reach::Person) {
        return Some(Next::Do(Effect::Write { destination }));
    }
    let failed: Vec<(DestinationId, String)> = state
        .destinations()
        .filter_map(|(term, place)| match place {
            Place::Failed(why) => Some((term.id, why.clone())),
            Place::Pending | Place::Confirmed | Place::Pushed(_) | Place::Attested(_) | Place::Waived => None,
        })
        .collect();
    if !failed.is_empty() {
        return Some(Next::Ask(Ask::Unwritten(failed)));
    }
    pending(|reach| reach == Reach::Person).map(|destination| Next::Ask(Ask::PutByHand(destination)))
}

fn retire(state: &State, now: DateTime<Utc>) -> Next {
    if state.old_was_dead() {
        return Next::Do(Effect::Finish);
    }
    if state.terms.old == Old::Dies {
        return probe_or_finish(state);
    }
    if let Some(until) = state.soak_until().filter(|until| now < *until && state.retired_at.is_none()) {
        return Next::Until(until, Pause::Soak);
    }
    retire_old(state)
}

fn revoke_alone(state: &State) -> Next {
    if !state.store_proven {
        return Next::Do(Effect::CheckStore);
    }
    if state.terms.verifies && state.old_health.is_none() {
        return Next::Do(Effect::VerifyOld);
    }
    if state.old_health == Some(Health::Dead) {
        return Next::Do(Effect::Finish);
    }
    if state.terms.lists && state.snapshot.is_none() {
        return Next::Do(Effect::ListIds);
    }
    if state.terms.retire_needs_id && state.old_id.is_none() && !state.old_candidates.is_empty() {
        return Next::Ask(Ask::WhichOld(state.old_candidates.clone()));
    }
    retire_old(state)
}

fn retire_old(state: &State) -> Next {
    if state.retired_at.is_some() {
        return probe_or_finish(state);
    }
    let nameless = state.terms.retire_needs_id && state.old_id.is_none();
    if state.terms.retire == Retire::Person || nameless || state.retire_by_hand.is_some() {
        let why = match &state.retire_by_hand {
            Some(evidence) => Some(evidence.clone()),
            None if nameless && state.terms.retire == Retire::Api => Some("its id at the service is not known".into()),
            None => None,
        };
        return Next::Ask(Ask::RetireOld(why));
    }
    Next::Do(Effect::RevokeOld)
}

fn probe_or_finish(state: &State) -> Next {
    if state.terms.verifies && !state.old_refused { Next::Do(Effect::ProbeOld) } else { Next::Do(Effect::Finish) }
}

fn abort(state: &State) -> Next {
    // First of all, so that `copy` gives the old value to whoever puts it back by hand.
    if state.promoted {
        return Next::Do(Effect::Demote);
    }
    for (term, place) in state.destinations().filter(|(term, _)| !state.restored.contains(&term.id)) {
        match place {
            // One that failed may hold the new value all the same; where the old one stands, restoring changes nothing.
            Place::Confirmed | Place::Pushed(_) | Place::Failed(_) => {
                return Next::Do(Effect::Restore { destination: term.id });
            }
            Place::Attested(_) => return Next::Ask(Ask::PutBackByHand(term.id)),
            Place::Pending | Place::Waived => {}
        }
    }
    if state.kept.is_some() && !state.new_retired {
        let by_api = state.terms.retire == Retire::Api
            && state.new_retire_by_hand.is_none()
            && (state.revocable_new() || !state.terms.retire_needs_id);
        return if by_api { Next::Do(Effect::RevokeNew) } else { Next::Ask(Ask::RetireNew(state.new_retire_by_hand.clone())) };
    }
    Next::Do(Effect::FinishAbort)
}
