//! The wall clock, the time zone and fresh ids: the one place where Keytender asks the system for any of them.

use chrono::{DateTime, Utc};
use keytender_core::ports::{Clock, Ids};
use std::time::{Duration, SystemTime};
use uuid::Uuid;

/// The system's wall clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        SystemTime::now().into()
    }

    fn pause(&self, duration: Duration) {
        std::thread::sleep(duration);
    }

    fn zone(&self) -> String {
        iana_time_zone::get_timezone().unwrap_or_else(|_| "UTC".to_owned())
    }
}

/// UUIDv7 from the system's clock and randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemIds;

impl Ids for SystemIds {
    fn make_id(&self) -> Uuid {
        Uuid::now_v7()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_of_version_7_and_sort_by_their_making() {
        let ids: Vec<Uuid> = (0..100).map(|_| SystemIds.make_id()).collect();
        assert!(ids.iter().all(|id| id.get_version_num() == 7));
        assert!(ids.is_sorted(), "ids made later must sort later");
    }

    #[test]
    fn the_clock_runs_and_the_zone_has_a_name() {
        let before = SystemClock.now();
        SystemClock.pause(Duration::from_millis(1));
        assert!(SystemClock.now() > before);
        assert!(!SystemClock.zone().is_empty());
    }
}
