//! A clock that goes with the real one and jumps over every pause, so that settling times and soaks take no time.

use chrono::{DateTime, TimeDelta, Utc};
use keytender_core::ports::Clock;
use keytender_host::clock::SystemClock;
use std::sync::Mutex;
use std::time::Duration;

/// See the module.
#[derive(Default)]
pub struct ShiftedClock {
    ahead: Mutex<TimeDelta>,
}

impl ShiftedClock {
    /// Moves the clock forward.
    pub fn advance(&self, by: TimeDelta) {
        let mut ahead = self.ahead.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *ahead += by;
    }
}

impl Clock for ShiftedClock {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + *self.ahead.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn pause(&self, duration: Duration) {
        self.advance(TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX));
    }

    fn zone(&self) -> String {
        "Europe/Berlin".into()
    }
}
