//! The wall clock, and what is made from time and randomness.

use chrono::{DateTime, Utc};
use std::time::Duration;
use uuid::Uuid;

/// The wall clock.
pub trait Clock: Send + Sync {
    /// Now, in UTC.
    fn now(&self) -> DateTime<Utc>;
    /// Waits. May return early when the process is asked to stop; callers look at `now` again.
    fn pause(&self, duration: Duration);
    /// The person's IANA time zone name, such as `Europe/Berlin`; `UTC` when the system does not say.
    fn zone(&self) -> String;
}

/// Fresh identifiers.
pub trait Ids: Send + Sync {
    /// A new UUIDv7.
    fn make_id(&self) -> Uuid;
}
