//! A second look before every effect, written without regard to how the engine came to it: what it may never do. A breach
//! makes the rotation stuck with both values kept; it is never a panic.

use super::event::{Effect, Purpose};
use super::state::{Making, State};
use crate::ids::derive_marker;
use chrono::{DateTime, Utc};

/// An invariant that an effect would have broken. Numbers as in ARCHITECTURE.md.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{invariant} would have been broken: {why}")]
pub struct Breach {
    /// `I2`, `I3`, ...
    pub invariant: &'static str,
    /// What was about to happen.
    pub why: String,
}

/// Looks at an effect before it is carried out.
///
/// # Errors
/// [`Breach`] names the invariant.
pub fn check(state: &State, effect: &Effect, now: DateTime<Utc>) -> Result<(), Breach> {
    let breach = |invariant, why: &str| Err(Breach { invariant, why: why.to_owned() });
    match effect {
        Effect::RevokeOld if state.terms.purpose == Purpose::Replace => {
            if state.kept.is_none() || !state.proven() || !state.promoted {
                return breach("I3", "retiring the old key before the new one is proven");
            }
            if !state.spread() {
                return breach("I3", "retiring the old key while a destination still needs the new one");
            }
            if state.soak_until().is_some_and(|until| now < until) {
                return breach("I3", "retiring the old key within the soak");
            }
            revoke_target(state)
        }
        Effect::RevokeOld => revoke_target(state),
        Effect::RevokeOrphan { remote_id } => {
            let Some(snapshot) = &state.snapshot else { return breach("I4", "revoking an orphan without a snapshot") };
            if snapshot.iter().any(|entry| entry.id == *remote_id) {
                return breach("I4", "revoking a key that was there before the rotation");
            }
            let ours = match &state.making {
                // A person's pick is moved among the marked ones by its journalled answer.
                Making::Orphaned { marked, .. } => marked.iter().any(|entry| entry.id == *remote_id),
                Making::Ready | Making::InFlight | Making::Sealed | Making::Lost { .. } | Making::Kept => false,
            };
            if ours { Ok(()) } else { breach("I4", &format!("revoking a key that does not bear {}", derive_marker(state.id))) }
        }
        Effect::RevokeNew if !state.aborting && state.giving_up.is_none() => {
            breach("I1", "revoking the new key outside of an abort")
        }
        Effect::RevokeNew if state.terms.retire_needs_id && !state.revocable_new() => {
            breach("I4", "revoking an id that was there before the rotation")
        }
        Effect::RevokeNew if state.retiring => breach("I1", "revoking the new key after the old one"),
        Effect::WipeSlot { .. } if state.kept.is_none() => breach("I2", "wiping a reply whose value is not in the vault"),
        Effect::Make { attempt } => {
            if state.making != Making::Ready || *attempt != state.attempt {
                return breach("I6", "making again while an earlier make is unresolved");
            }
            if state.slot < *attempt {
                return breach("I2", "making without a slot for the reply");
            }
            Ok(())
        }
        Effect::Finish if state.terms.purpose == Purpose::Replace && state.kept.is_none() => {
            breach("I1", "finishing without a new version")
        }
        _ => Ok(()),
    }
}

fn revoke_target(state: &State) -> Result<(), Breach> {
    let new = state.kept.as_ref().and_then(|(kept, _)| kept.remote_id.as_ref());
    if state.terms.retire_needs_id && state.old_id.is_none() {
        return Err(Breach { invariant: "I4", why: "revoking a key whose id was not captured".into() });
    }
    if new.is_some() && new == state.old_id.as_ref() {
        return Err(Breach { invariant: "I4", why: "the id to revoke is the new key's".into() });
    }
    Ok(())
}
