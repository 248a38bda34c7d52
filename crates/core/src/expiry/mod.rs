//! When a version dies, and how that is known.
//!
//! Types and pure arithmetic; nothing here asks what time it is. `derive` counts a service's documented lifetime, `typed`
//! reads what a person typed, `adopt` decides which of two answers stands.

mod adopt;
mod derive;
mod typed;

pub use adopt::{Overruled, adopt, amend};
pub use derive::derive_policy;
pub use typed::{TypedError, parse_expires, parse_issued};

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A point in time as precise as its source: services report instants or dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Moment {
    /// An instant.
    Instant(DateTime<Utc>),
    /// A date without a time: it begins, and what expires on it dies, at 00:00 UTC.
    Date(NaiveDate),
}

impl Moment {
    /// The instant: of a date its start in UTC.
    #[must_use]
    pub fn instant(self) -> DateTime<Utc> {
        match self {
            Self::Instant(at) => at,
            Self::Date(date) => date.and_time(NaiveTime::MIN).and_utc(),
        }
    }

    /// The moment this many days later, as precise as this one; the last representable one on overflow.
    #[must_use]
    pub fn plus_days(self, days: u32) -> Self {
        let days = Days::new(u64::from(days));
        match self {
            Self::Instant(at) => Self::Instant(at.checked_add_days(days).unwrap_or(DateTime::<Utc>::MAX_UTC)),
            Self::Date(date) => Self::Date(date.checked_add_days(days).unwrap_or(NaiveDate::MAX)),
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instant(at) => write!(f, "{}", at.format("%Y-%m-%d %H:%M UTC")),
            Self::Date(date) => write!(f, "{date}"),
        }
    }
}

/// When a version dies, with where that came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "provenance", rename_all = "kebab-case")]
pub enum Expiry {
    /// The service said so: in a reply, a header, or inside the value itself (JWT).
    Reported {
        /// When.
        at: Moment,
        /// Which part of what the service gave, such as `JWT exp` or `/expires_at`.
        by: String,
    },
    /// The service's documented rule, counted from a known date of issue.
    Policy {
        /// When.
        at: Moment,
        /// The rule, such as `90 days from creation`.
        rule: String,
    },
    /// The service's rule, counted from the date first seen because the date of issue is unknown. It dies then or earlier.
    Estimated {
        /// When at the latest.
        at: Moment,
        /// The rule.
        rule: String,
    },
    /// A person typed it.
    Typed {
        /// When.
        at: Moment,
    },
    /// It does not expire.
    Never,
    /// Nobody knows.
    Unknown,
}

impl Expiry {
    /// The moment it dies, where there is one.
    #[must_use]
    pub fn at(&self) -> Option<Moment> {
        match self {
            Self::Reported { at, .. } | Self::Policy { at, .. } | Self::Estimated { at, .. } | Self::Typed { at } => Some(*at),
            Self::Never | Self::Unknown => None,
        }
    }

    /// Whether it has died by `now`: from its instant on, that instant included. Never and unknown have not.
    #[must_use]
    pub fn is_dead(&self, now: DateTime<Utc>) -> bool {
        self.at().is_some_and(|at| at.instant() <= now)
    }

    /// Whole days left at `now`, rounded down: 0 in the last day, -1 in the first day after its death.
    #[must_use]
    pub fn days_left(&self, now: DateTime<Utc>) -> Option<i64> {
        self.at().map(|at| whole_days(at.instant() - now))
    }

    /// Whole days from issue to death, rounded down; negative when the dates contradict each other.
    #[must_use]
    pub fn lifetime_days(&self, issued: DateTime<Utc>) -> Option<i64> {
        self.at().map(|at| whole_days(at.instant() - issued))
    }

    /// The provenance in one word: reported, policy, estimated, typed, never, unknown.
    #[must_use]
    pub fn provenance(&self) -> &'static str {
        match self {
            Self::Reported { .. } => "reported",
            Self::Policy { .. } => "policy",
            Self::Estimated { .. } => "estimated",
            Self::Typed { .. } => "typed",
            Self::Never => "never",
            Self::Unknown => "unknown",
        }
    }
}

/// Days rounded towards the past, unlike `num_days`, which calls an hour after death "0 days".
fn whole_days(span: TimeDelta) -> i64 {
    span.num_milliseconds().div_euclid(TimeDelta::days(1).num_milliseconds())
}

/// How long a kind of key lives, as its manifest says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Lifetime {
    /// Always this many days from creation.
    FixedDays(u32),
    /// Chosen when it is made.
    Chosen {
        /// What the service gives when nothing is chosen; none if it asks.
        default_days: Option<u32>,
        /// The longest it gives; none without a limit.
        max_days: Option<u32>,
    },
    /// It does not expire by itself.
    Never,
    /// The service decides and says so in a reply, a header or the value.
    Reported,
    /// Not documented.
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_date_dies_at_its_first_instant_in_utc() {
        let expiry = Expiry::Typed { at: Moment::Date("2027-03-01".parse().unwrap()) };
        assert!(!expiry.is_dead(at("2027-02-28T23:59:59.999Z")));
        assert!(expiry.is_dead(at("2027-03-01T00:00:00Z")));
    }

    #[test]
    fn days_are_rounded_towards_the_past() {
        let expiry = Expiry::Typed { at: Moment::Instant(at("2027-03-01T12:00:00Z")) };
        for (now, left) in [
            ("2027-02-27T11:59:59Z", 2),
            ("2027-02-28T12:00:00Z", 1),
            ("2027-02-28T12:00:01Z", 0),
            ("2027-03-01T12:00:00Z", 0),
            ("2027-03-01T12:00:00.001Z", -1),
            ("2027-03-02T12:00:00.001Z", -2),
        ] {
            assert_eq!(expiry.days_left(at(now)), Some(left), "at {now}");
        }
        assert_eq!(Expiry::Never.days_left(at("2027-03-01T12:00:00Z")), None);
        assert_eq!(expiry.lifetime_days(at("2026-12-01T00:00:00Z")), Some(90));
    }
}
