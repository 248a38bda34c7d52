//! Instants for people: in their zone, with the weekday. JSON keeps RFC 3339 in UTC.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use keytender_core::expiry::Moment;
use keytender_core::ports::Clock;

/// A person's calendar.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dates {
    zone: Tz,
}

impl Dates {
    /// In the system's zone; in UTC where that has no name.
    pub(crate) fn of(clock: &dyn Clock) -> Self {
        Self { zone: clock.zone().parse().unwrap_or(Tz::UTC) }
    }

    /// `Mon 2027-03-01 09:30`.
    pub(crate) fn instant(self, at: DateTime<Utc>) -> String {
        at.with_timezone(&self.zone).format("%a %Y-%m-%d %H:%M").to_string()
    }

    /// `09:30:07`: for waits of seconds.
    pub(crate) fn to_the_second(self, at: DateTime<Utc>) -> String {
        at.with_timezone(&self.zone).format("%H:%M:%S").to_string()
    }

    /// As precise as its source. A date without a time means its start in UTC, which is another hour elsewhere.
    pub(crate) fn moment(self, moment: Moment) -> String {
        match moment {
            Moment::Instant(at) => self.instant(at),
            Moment::Date(date) => date.format("%a %Y-%m-%d, 00:00 UTC").to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_local_and_dates_are_not() {
        let dates = Dates { zone: Tz::Asia__Kathmandu };
        assert_eq!(dates.instant("2027-03-01T20:00:00Z".parse().unwrap()), "Tue 2027-03-02 01:45");
        assert_eq!(dates.moment(Moment::Date("2027-03-01".parse().unwrap())), "Mon 2027-03-01, 00:00 UTC");
    }
}
