//! The practice service as a value: what the server, the command line and tests call.
//!
//! What may not live here: HTTP, and what a kind allows (`rules`).

use crate::error::PracticeError;
use crate::faults::Fault;
use crate::rules::{IssueRequest, Issued};
use crate::state::{KeyRow, MakeLog, State};
use crate::store::Store;
use chrono::{DateTime, Utc};
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

type Clock = dyn Fn() -> DateTime<Utc> + Send + Sync;

/// The practice service over one folder. Clones, and others opened on the same folder by any process, share all that is in it.
///
/// Every method reads the state file afresh and blocks for as long as that takes.
#[derive(Clone)]
pub struct Practice {
    store: Store,
    clock: Arc<Clock>,
}

impl fmt::Debug for Practice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Practice").field("store", &self.store).finish_non_exhaustive()
    }
}

impl Practice {
    /// Opens the service over that folder, which is made (0700) if there is none, by the computer's clock.
    ///
    /// # Errors
    /// [`PracticeError::Damaged`] or [`PracticeError::Newer`] when the state file cannot be read, [`PracticeError::Storage`]
    /// when the folder cannot be used.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, PracticeError> {
        Self::open_with_clock(folder, || SystemTime::now().into())
    }

    /// Like [`Practice::open`], with a clock of the caller's, so that a test can let days pass.
    ///
    /// # Errors
    /// Those of [`Practice::open`].
    pub fn open_with_clock(
        folder: impl AsRef<Path>,
        clock: impl Fn() -> DateTime<Utc> + Send + Sync + 'static,
    ) -> Result<Self, PracticeError> {
        Ok(Self { store: Store::open(folder.as_ref())?, clock: Arc::new(clock) })
    }

    /// Makes a key of any kind, as a person would in the portal.
    ///
    /// # Errors
    /// [`PracticeError::Refused`] when both slots are taken, a live key of that name would be replaced, or the input is bad.
    pub fn issue(&self, request: &IssueRequest) -> Result<Issued, PracticeError> {
        self.transact(|state, now| state.issue(request, now))
    }

    /// Makes a new key in the place of this one, which is refused from then on; only for kinds whose old key dies.
    ///
    /// # Errors
    /// [`PracticeError::Refused`] when there is no such key or its kind is not regenerated.
    pub fn regenerate(&self, id: &str) -> Result<Issued, PracticeError> {
        self.transact(|state, now| state.regenerate(id, now))
    }

    /// Revokes a live key of any kind, as a person would in the portal.
    ///
    /// # Errors
    /// [`PracticeError::Refused`] when there is no such live key.
    pub fn revoke(&self, id: &str) -> Result<(), PracticeError> {
        self.transact(|state, now| state.revoke(id, now))
    }

    /// Switches a live key of any kind off, as a person would in the portal: it is refused like a dead one until it is
    /// switched on. One that is off already stays so.
    ///
    /// # Errors
    /// [`PracticeError::Refused`] when there is no such live key.
    pub fn disable(&self, id: &str) -> Result<(), PracticeError> {
        self.transact(|state, now| state.set_enabled(id, false, now).map(drop))
    }

    /// Switches a live key of any kind on again, as a person would in the portal.
    ///
    /// # Errors
    /// [`PracticeError::Refused`] when there is no such live key.
    pub fn enable(&self, id: &str) -> Result<(), PracticeError> {
        self.transact(|state, now| state.set_enabled(id, true, now).map(drop))
    }

    /// All keys ever made, the ended and expired too, in the order of their making.
    ///
    /// # Errors
    /// Only when the state file cannot be used.
    pub fn list(&self) -> Result<Vec<KeyRow>, PracticeError> {
        self.transact(|state, now| Ok(state.rows(now)))
    }

    /// Whether a request with this token would be let in. No fault is met or spent.
    ///
    /// # Errors
    /// Only when the state file cannot be used.
    pub fn accepts(&self, token: &str) -> Result<bool, PracticeError> {
        self.transact(|state, now| Ok(state.accepted(token, now).is_some()))
    }

    /// Lets a fault wait for its calls, behind those that wait already.
    ///
    /// # Errors
    /// [`PracticeError::Refused`] when the fault could never show on its call.
    pub fn set_fault(&self, fault: Fault) -> Result<(), PracticeError> {
        self.transact(|state, _| Ok(state.add_fault(fault)?))
    }

    /// The faults that still wait, with how often they still apply.
    ///
    /// # Errors
    /// Only when the state file cannot be used.
    pub fn faults(&self) -> Result<Vec<Fault>, PracticeError> {
        self.transact(|state, _| Ok(state.faults.clone()))
    }

    /// Forgets all faults that wait. What an earlier fault did to a key stays.
    ///
    /// # Errors
    /// Only when the state file cannot be used.
    pub fn clear_faults(&self) -> Result<(), PracticeError> {
        self.transact(|state, _| {
            state.faults.clear();
            Ok(())
        })
    }

    /// How many keys were ever made and committed, whether or not the reply arrived.
    ///
    /// # Errors
    /// Only when the state file cannot be used.
    pub fn make_log(&self) -> Result<MakeLog, PracticeError> {
        self.transact(|state, _| Ok(state.makes))
    }

    /// Runs `work` alone on the state; the clock is read under the lock, so that instants follow the order of the changes.
    pub(crate) fn transact<T>(
        &self,
        work: impl FnOnce(&mut State, DateTime<Utc>) -> Result<T, PracticeError>,
    ) -> Result<T, PracticeError> {
        self.store.transact(|state| {
            let now = (self.clock)();
            work(state, now)
        })
    }

    /// [`Practice::transact`] for async callers: on a thread that may block.
    pub(crate) async fn transact_off_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut State, DateTime<Utc>) -> Result<T, PracticeError> + Send + 'static,
    ) -> Result<T, PracticeError> {
        let practice = self.clone();
        tokio::task::spawn_blocking(move || practice.transact(work)).await.unwrap_or(Err(PracticeError::Interrupted))
    }
}
