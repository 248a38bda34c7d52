//! Drives a rotation: asks the engine, carries out what it says, appends what came of it, until it rests.

use crate::Api;
use crate::error::{Error, ErrorKind};
use crate::scene::Scene;
use chrono::{DateTime, Utc};
use keytender_core::ids::{KeyId, RotationId};
use keytender_core::rotation::{Ask, Effect, End, Event, Hindrance, Next, Outcome, Pause, State, changes, check, next};
use keytender_core::secret::Value;
use std::time::Duration;

/// Something a front may show while a rotation is under way.
#[derive(Debug, Clone)]
pub enum Progress {
    /// An effect is about to be carried out.
    Begins(Effect),
    /// An effect was carried out, or could not be.
    Ended(Effect, Outcome),
    /// Nothing is done until the instant.
    Waits(DateTime<Utc>, Pause),
}

/// Where a rotation came to rest.
#[derive(Debug, Clone)]
pub enum Resting {
    /// It ended.
    Ended(End),
    /// A person has to answer.
    Asks(Ask),
    /// Something stands in the way: the vault, the disk, the clock.
    Hindered(Hindrance, String),
    /// Its next step is due later than this run was willing to wait.
    Until(DateTime<Utc>, Pause),
    /// It cannot be resolved by itself.
    Stuck(String),
}

/// A rotation at which this process is working: the lock is held, the journal folded.
pub(super) struct Run<'a> {
    pub(super) api: &'a Api,
    pub(super) state: State,
    pub(super) scene: Scene<'a>,
    /// Fetched from the vault when a request first needs them.
    pub(super) old: Option<Value>,
    pub(super) new: Option<Value>,
    _lock: Box<dyn std::any::Any + Send>,
}

impl Api {
    /// Goes on with a rotation until it ends, asks, or would have to wait longer than `patience` in all. Another process at
    /// the same rotation is an error of kind busy.
    ///
    /// # Errors
    /// When the journal cannot be read or written; what was committed stays, and resuming goes on from there.
    pub fn drive(&self, rotation: &str, patience: Duration, watch: &mut dyn FnMut(&Progress)) -> Result<Resting, Error> {
        let id = self.rotation_named(rotation)?;
        self.run(id)?.drive(patience, watch)
    }

    /// Looks again at what stood in the way, then drives.
    ///
    /// # Errors
    /// See [`Api::drive`].
    pub fn resume(&self, rotation: &str, patience: Duration, watch: &mut dyn FnMut(&Progress)) -> Result<Resting, Error> {
        let id = self.rotation_named(rotation)?;
        let mut run = self.run(id)?;
        if run.state.ended.is_none() {
            run.append(Event::Resumed)?;
        }
        run.drive(patience, watch)
    }

    /// Asks a rotation to go back, then drives it there.
    ///
    /// # Errors
    /// When it is too late for that (the sentence says why); see [`Api::drive`] for the rest.
    pub fn abort(&self, rotation: &str, patience: Duration, watch: &mut dyn FnMut(&Progress)) -> Result<Resting, Error> {
        let id = self.rotation_named(rotation)?;
        let mut run = self.run(id)?;
        run.state.abortable().map_err(|why| Error::refused(format!("it cannot be aborted: {why}")))?;
        run.append(Event::AbortAsked)?;
        run.drive(patience, watch)
    }

    pub(super) fn run(&self, id: RotationId) -> Result<Run<'_>, Error> {
        // The lock first, then the journal: what is read under it stays true.
        let lock = self.parts.ledger.hold(id)?;
        let rows = self.parts.ledger.journal(id)?;
        let state = State::fold(id, &rows)
            .map_err(|why| Error::fault(format!("{why}. The rotation is left as it is; both values are kept")))?;
        let key = self.parts.ledger.key(self.parts.ledger.rotation(id)?.key)?;
        let integration = self.integration_of(&key)?;
        let mut scene = self.scene(integration, key)?;
        scene.name_for(id);
        Ok(Run { api: self, state, scene, old: None, new: None, _lock: lock })
    }
}

impl Run<'_> {
    pub(super) fn key(&self) -> KeyId {
        self.scene.key.id
    }

    /// Appends a row with what follows from it, in one transaction. A failed append stops the run.
    pub(super) fn append(&mut self, event: Event) -> Result<(), Error> {
        let at = self.api.parts.clock.now();
        let mut after = self.state.clone();
        after.apply(at, &event).map_err(|why| Error::fault(why.to_string()))?;
        let changes = changes(&self.state, &after, self.key(), at, &event);
        self.api.parts.ledger.append(self.state.id, self.state.epoch, at, &event, &changes)?;
        if after.kept.is_none() || after.attempt != self.state.attempt {
            self.new = None;
        }
        self.state = after;
        Ok(())
    }

    pub(super) fn drive(&mut self, patience: Duration, watch: &mut dyn FnMut(&Progress)) -> Result<Resting, Error> {
        let mut patience = chrono::TimeDelta::from_std(patience).unwrap_or(chrono::TimeDelta::MAX);
        loop {
            let now = self.api.parts.clock.now();
            match next(&self.state, now) {
                Next::Do(effect) => self.carry_out(&effect, watch)?,
                Next::Until(at, pause) => {
                    let wait = at - now;
                    if wait > patience {
                        return Ok(Resting::Until(at, pause));
                    }
                    watch(&Progress::Waits(at, pause));
                    self.api.parts.clock.pause(wait.to_std().unwrap_or_default());
                    // Counted by the clock, so that a pause that ends early does not use patience up.
                    patience -= (self.api.parts.clock.now() - now).max(chrono::TimeDelta::milliseconds(1));
                }
                Next::Ask(ask) => return Ok(Resting::Asks(ask)),
                Next::Hindered(hindrance, detail) => return Ok(Resting::Hindered(hindrance, detail)),
                Next::Stuck(why) => return Ok(Resting::Stuck(why)),
                Next::Ended(end) => return Ok(Resting::Ended(end)),
            }
        }
    }

    fn carry_out(&mut self, effect: &Effect, watch: &mut dyn FnMut(&Progress)) -> Result<(), Error> {
        if let Err(breach) = check(&self.state, effect, self.api.parts.clock.now()) {
            return self.append(Event::Stuck {
                why: format!("stopped by its own guard: {breach}. Both values are kept; please report this"),
            });
        }
        let kind = effect.kind();
        let point = |when: &str| self.api.parts.checkpoint.pass(&format!("{when}:{kind}"));
        point("intent");
        if self.state.open.as_ref() != Some(effect) {
            self.append(Event::Intent { act: effect.clone() })?;
        }
        let point = |run: &Self, when: &str| run.api.parts.checkpoint.pass(&format!("{when}:{kind}"));
        point(self, "begin");
        watch(&Progress::Begins(effect.clone()));
        let outcome = self.act(effect)?;
        point(self, "acted");
        self.append(Event::Outcome { act: effect.clone(), result: outcome.clone() })?;
        point(self, "done");
        watch(&Progress::Ended(effect.clone(), outcome));
        Ok(())
    }
}

impl Resting {
    /// The error kind with which a command that could not go on ends; none when it ended well.
    #[must_use]
    pub fn kind(&self) -> Option<ErrorKind> {
        match self {
            Self::Ended(End::Done) => None,
            Self::Ended(End::Aborted(_)) | Self::Stuck(_) => Some(ErrorKind::Fault),
            Self::Asks(_) | Self::Hindered(Hindrance::Person, _) => Some(ErrorKind::PersonNeeded),
            Self::Hindered(Hindrance::StoreLocked, _) => Some(ErrorKind::Locked),
            Self::Hindered(Hindrance::StoreAbsent | Hindrance::StoreHung | Hindrance::StoreFailing, _) => {
                Some(ErrorKind::StoreGone)
            }
            Self::Hindered(Hindrance::DiskFull, _) => Some(ErrorKind::Fault),
            Self::Hindered(Hindrance::NoVerdict | Hindrance::Limited { .. }, _) | Self::Until(_, Pause::Retry | Pause::Look) => {
                Some(ErrorKind::Unreachable)
            }
            Self::Until(_, Pause::Limit | Pause::Soak) => Some(ErrorKind::PersonNeeded),
        }
    }
}
