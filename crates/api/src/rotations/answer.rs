//! What a person answers to a waiting rotation.

use super::driver::{Progress, Resting, Run};
use crate::Api;
use crate::error::{Error, ErrorKind};
use crate::find::destination_among;
use keytender_core::ports::Sealed;
use keytender_core::rotation::{Answer, Ask, Effect, Event, Making, Next, Outcome, next};
use keytender_core::secret::{SecretBytes, SecretText};
use std::time::Duration;

/// An answer, as a front hands it over.
pub enum AnswerRequest {
    /// The new value, pasted.
    Secret(SecretText),
    /// A step is done. Its name is shown with the question: `new-works`, `retired`, `make-again`, `accept-narrower`, the
    /// beginning of a destination's id, `waive:` and the beginning of one, `waive-soak`.
    Done(String),
    /// An id at the service was picked among those shown.
    Pick(String),
}

impl Api {
    /// Takes an answer in and goes on.
    ///
    /// # Errors
    /// When nothing waits for that answer; the help names what does. See [`Api::drive`] for the rest.
    pub fn answer(
        &self,
        rotation: &str,
        answer: AnswerRequest,
        patience: Duration,
        watch: &mut dyn FnMut(&Progress),
    ) -> Result<Resting, Error> {
        let id = self.rotation_named(rotation)?;
        let mut run = self.run(id)?;
        match answer {
            AnswerRequest::Secret(text) => run.take_paste(text, patience, watch)?,
            AnswerRequest::Done(step) => run.take_step(&step)?,
            AnswerRequest::Pick(remote_id) => run.take_pick(remote_id)?,
        }
        run.drive(patience, watch)
    }
}

impl Run<'_> {
    fn asked(&self) -> Option<Ask> {
        match next(&self.state, self.api.parts.clock.now()) {
            Next::Ask(ask) => Some(ask),
            Next::Do(_) | Next::Hindered(..) | Next::Until(..) | Next::Stuck(_) | Next::Ended(_) => None,
        }
    }

    /// Seals a paste before anything looks at it.
    fn take_paste(&mut self, text: SecretText, patience: Duration, watch: &mut dyn FnMut(&Progress)) -> Result<(), Error> {
        // A run that was killed may have steps to make before it asks (a new slot, say).
        if !matches!(self.asked(), Some(Ask::Paste { .. })) {
            self.drive(patience, watch)?;
        }
        if !matches!(self.asked(), Some(Ask::Paste { .. })) {
            return Err(Error::new(ErrorKind::Invalid, "this rotation is not waiting for a new key")
                .help(format!("`keytender rotations show {}` says what it waits for", self.state.id)));
        }
        let attempt = self.state.attempt;
        let act = Effect::Make { attempt };
        let pass = |run: &Self, point: &str| run.api.parts.checkpoint.pass(point);
        pass(self, "intent:paste");
        self.append(Event::Intent { act: act.clone() })?;
        pass(self, "begin:paste");
        let sealed =
            Sealed { status: 0, headers: Vec::new(), body: SecretBytes::new(text.expose().as_bytes().to_vec()), complete: true };
        self.api.parts.escrow.seal(self.slot(attempt), &sealed)?;
        pass(self, "acted:paste");
        self.append(Event::Outcome { act, result: Outcome::Sealed { status: 0, complete: true } })?;
        pass(self, "done:paste");
        Ok(())
    }

    fn take_step(&mut self, step: &str) -> Result<(), Error> {
        let asked = self.asked();
        let answer = match (step, &asked) {
            ("waive-soak", _) => Answer::WaiveSoak,
            ("new-works", Some(Ask::NewWorks)) => Answer::NewWorks,
            ("accept-narrower", Some(Ask::Narrower(_))) => Answer::AcceptNarrower,
            ("retired", Some(Ask::RetireOld(_))) => Answer::OldRetired,
            ("retired", Some(Ask::RetireNew(_))) => Answer::NewRetired,
            // Where no request gives a verdict for long, a person's word ends the waiting.
            ("make-again", None) if self.state.stuck.is_some() || matches!(self.state.making, Making::Lost { .. }) => {
                Answer::MakeAgain
            }
            ("retired", None) if !self.state.aborting && self.state.retired_at.is_none() => Answer::OldRetired,
            ("make-again", Some(Ask::LostReply | Ask::PossibleOrphans(_) | Ask::RevokeOrphans(_))) => Answer::MakeAgain,
            (_, Some(Ask::PutByHand(_) | Ask::PutBackByHand(_) | Ask::Unwritten(_))) => self.destination_answer(step)?,
            (_, _) if step.starts_with("waive:") => self.destination_answer(step)?,
            _ => {
                let expected = asked.as_ref().map_or_else(Vec::new, expected_steps);
                let help = match expected.len() {
                    0 => format!("`keytender rotations show {}` says where it stands", self.state.id),
                    _ => format!("it waits for `--done {}`", expected.join("` or `--done ")),
                };
                return Err(Error::invalid(format!("this rotation does not wait for `{step}`")).help(help));
            }
        };
        self.append(Event::Answered { answer })
    }

    fn destination_answer(&self, step: &str) -> Result<Answer, Error> {
        let ids: Vec<_> = self.state.terms.destinations.iter().map(|term| term.id).collect();
        match step.strip_prefix("waive:") {
            Some(address) => Ok(Answer::WaiveDestination { destination: destination_among(&ids, address)? }),
            None => Ok(Answer::DestinationDone { destination: destination_among(&ids, step)? }),
        }
    }

    fn take_pick(&mut self, remote_id: String) -> Result<(), Error> {
        let answer = match self.asked() {
            Some(Ask::WhichOld(ids)) if ids.contains(&remote_id) => Answer::OldIs { remote_id },
            Some(Ask::PossibleOrphans(list)) if list.iter().any(|entry| entry.id == remote_id) => Answer::OrphanIs { remote_id },
            _ => {
                return Err(Error::invalid(format!("`{remote_id}` is not among the ids this rotation asks about"))
                    .help(format!("`keytender rotations show {}` lists them", self.state.id)));
            }
        };
        self.append(Event::Answered { answer })
    }
}

/// The `--done` words that a question takes; none where it takes a paste or an id.
pub(super) fn expected_steps(ask: &Ask) -> Vec<String> {
    let tail = |id: &keytender_core::ids::DestinationId| id.0.simple().to_string()[24..].to_owned();
    match ask {
        Ask::Paste { .. } | Ask::WhichOld(_) => Vec::new(),
        Ask::NewWorks => vec!["new-works".into()],
        Ask::Narrower(_) => vec!["accept-narrower".into()],
        Ask::PutByHand(id) | Ask::PutBackByHand(id) => vec![tail(id), format!("waive:{}", tail(id))],
        Ask::Unwritten(list) => list.iter().flat_map(|(id, _)| [tail(id), format!("waive:{}", tail(id))]).collect(),
        Ask::RetireOld(_) | Ask::RetireNew(_) => vec!["retired".into()],
        Ask::LostReply | Ask::PossibleOrphans(_) | Ask::RevokeOrphans(_) => vec!["make-again".into()],
    }
}
