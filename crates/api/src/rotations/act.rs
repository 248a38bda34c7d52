//! Each effect, carried out. What could not be done just now is an outcome; only what stops the run is an error.

use super::driver::Run;
use super::halt::Halt;
use crate::error::Error;
use keytender_core::ids::DestinationId;
use keytender_core::ports::{Holding, SlotId, Written};
use keytender_core::rotation::{Effect, Outcome};
use keytender_core::words::Destination;
use keytender_services::Subject;

impl Run<'_> {
    pub(super) fn act(&mut self, effect: &Effect) -> Result<Outcome, Error> {
        self.try_act(effect).or_else(Halt::into_outcome)
    }

    fn try_act(&mut self, effect: &Effect) -> Result<Outcome, Halt> {
        match effect {
            Effect::CheckStore => self.check_store(),
            Effect::AllocateSlot { attempt } => self.allocate(*attempt),
            Effect::VerifyOld | Effect::ProbeAfterLoss | Effect::ProbeOld => self.verify(Subject::Old),
            Effect::VerifyNew { .. } => self.verify(Subject::New),
            Effect::ListIds | Effect::Reconcile => self.list(Subject::Old),
            Effect::IdentifyNew => self.list(Subject::New),
            Effect::CheckDestination { destination } => self.check_destination(*destination),
            Effect::Make { attempt } => self.make(*attempt),
            Effect::InspectSlot { attempt } => Ok(Outcome::Slot { state: self.api.parts.escrow.inspect(self.slot(*attempt))? }),
            Effect::Keep { attempt } => self.keep(*attempt),
            Effect::WipeSlot { attempt } => self.wipe(*attempt, *attempt),
            // These two happen in the ledger alone, in the transaction of their outcome.
            Effect::Promote => Ok(done("the new version is the current one")),
            Effect::Demote => Ok(done("the old version is the current one again")),
            Effect::Write { destination } => self.write(*destination, Direction::Forward),
            Effect::Restore { destination } => self.write(*destination, Direction::Back),
            Effect::RevokeOld => self.revoke(self.state.old_id.clone(), self.signer()),
            Effect::RevokeNew => {
                let id = self.state.kept.as_ref().and_then(|(kept, _)| kept.remote_id.clone());
                self.revoke(id, Subject::New)
            }
            Effect::RevokeOrphan { remote_id } => self.revoke(Some(remote_id.clone()), Subject::Old),
            Effect::Finish | Effect::FinishAbort => self.clean_up(),
        }
    }

    /// Whose value signs in where a key revokes keys: the new one once it is proven, for it will be there tomorrow. A call
    /// that names no id revokes whoever signs in: then only the old one itself may.
    fn signer(&self) -> Subject {
        if self.state.kept.is_some() && self.state.terms.retire_needs_id { Subject::New } else { Subject::Old }
    }

    pub(super) fn slot(&self, attempt: u32) -> SlotId {
        SlotId { owner: self.state.id.0, attempt }
    }

    fn check_store(&self) -> Result<Outcome, Halt> {
        let proof = self.api.parts.vault.prove()?;
        self.api.parts.escrow.prove()?;
        Ok(done(format!("{} wrote, read back and deleted in {} ms; the sealed canary opens", proof.store, proof.millis)))
    }

    fn allocate(&self, attempt: u32) -> Result<Outcome, Halt> {
        self.api.parts.escrow.allocate(self.slot(attempt))?;
        Ok(done("a slot for the reply is on disk"))
    }

    fn wipe(&self, from: u32, to: u32) -> Result<Outcome, Halt> {
        for attempt in from..=to {
            self.api.parts.escrow.wipe(self.slot(attempt))?;
        }
        Ok(done("the sealed reply is wiped"))
    }

    fn check_destination(&mut self, id: DestinationId) -> Result<Outcome, Halt> {
        let destination = self.destination(id)?;
        let place = destination.place.describe();
        // A person's destination is never written by us, so there is nothing to look at.
        if destination.place.kind() == "person" {
            return Ok(done("a person does it"));
        }
        let not = |detail: String| Halt::from(Outcome::NotWritten { detail });
        self.api.parts.destinations.writable(&destination).map_err(|error| not(error.to_string()))?;
        self.need_old()?;
        let Some(old) = &self.old else { return Ok(done("there is no old value to look for")) };
        match self.api.parts.destinations.holding(&destination, old).map_err(|error| not(error.to_string()))? {
            Holding::Expected => Ok(done(format!("{place} holds the old value and can be written"))),
            Holding::Unreadable => Ok(done(format!("{place} cannot be read back"))),
            Holding::Other(seen) => Err(not(format!("{place}: {seen}"))),
        }
    }

    fn write(&mut self, id: DestinationId, direction: Direction) -> Result<Outcome, Halt> {
        let destination = self.destination(id)?;
        self.need_old()?;
        self.need_new()?;
        let (from, to) = match direction {
            Direction::Forward => (&self.old, &self.new),
            Direction::Back => (&self.new, &self.old),
        };
        let to = to.as_ref().ok_or_else(|| Error::fault("there is no value to write"))?;
        Ok(match self.api.parts.destinations.write(&destination, from.as_ref(), to) {
            Ok(Written::Confirmed(evidence)) => Outcome::Confirmed { evidence },
            Ok(Written::Pushed(evidence)) => Outcome::Pushed { evidence },
            Err(error) => Outcome::NotWritten { detail: error.to_string() },
        })
    }

    fn clean_up(&self) -> Result<Outcome, Halt> {
        for term in &self.state.terms.destinations {
            self.api.parts.destinations.forget_undo(term.id).map_err(Error::from)?;
        }
        self.wipe(1, self.state.attempt)?;
        Ok(done("undo copies and sealed replies are gone"))
    }

    fn destination(&self, id: DestinationId) -> Result<Destination, Error> {
        let all = self.api.parts.ledger.destinations(self.key())?;
        all.into_iter()
            .find(|destination| destination.id == id)
            .ok_or_else(|| Error::fault("a destination of this rotation is gone"))
    }

    /// Fetches the old value.
    pub(super) fn need_old(&mut self) -> Result<(), Halt> {
        if self.old.is_none() {
            self.old = Some(self.api.fetch_value(self.state.terms.old_version)?);
        }
        Ok(())
    }

    /// Fetches the new value, if there is a new version.
    pub(super) fn need_new(&mut self) -> Result<(), Halt> {
        if let (None, Some((kept, _))) = (&self.new, &self.state.kept) {
            self.new = Some(self.api.fetch_value(kept.version)?);
        }
        Ok(())
    }
}

/// Which value is written over which.
#[derive(Clone, Copy)]
enum Direction {
    /// The new one over the old one.
    Forward,
    /// The old one over the new one (aborting).
    Back,
}

pub(super) fn done(evidence: impl Into<String>) -> Outcome {
    Outcome::Done { evidence: evidence.into() }
}
