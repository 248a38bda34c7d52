//! When a version dies, and how that is known.
//!
//! Types and pure arithmetic; nothing here asks what time it is.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
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
