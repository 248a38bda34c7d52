//! The points at which a notice is wanted, and their words in the ledger.

use super::Level;
use chrono::{DateTime, NaiveDate, SecondsFormat, TimeDelta, Utc};
use std::fmt;
use std::str::FromStr;

/// A point of the ladder. Declared from mild to grave: the order is the order of covering.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rung {
    /// 14 days left.
    Days14,
    /// 7 days left.
    Days7,
    /// 3 days left.
    Days3,
    /// A quarter of the life left, for lives of 2 to 10 days.
    Quarter,
    /// 1 day left.
    Day1,
    /// 4 hours left, for lives of 2 to 10 days.
    Hours4,
    /// It dies.
    Dead,
    /// 1 day after.
    DeadDay1,
    /// 3 days after.
    DeadDay3,
}

/// How a notice reaches the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// In the day's group, at the preferred time of a workday.
    Grouped,
    /// At its instant, but not within quiet hours.
    Promptly,
    /// At its instant. A revision's ladder holds one such rung, so quiet hours are broken once.
    AtOnce,
}

impl Rung {
    pub(super) const ALL: [Self; 9] = [
        Self::Days14,
        Self::Days7,
        Self::Days3,
        Self::Quarter,
        Self::Day1,
        Self::Hours4,
        Self::Dead,
        Self::DeadDay1,
        Self::DeadDay3,
    ];

    /// How grave it is.
    #[must_use]
    pub fn level(self) -> Level {
        match self {
            Self::Days14 | Self::Days7 | Self::Days3 | Self::Quarter => Level::Notice,
            Self::Day1 | Self::Hours4 => Level::Urgent,
            Self::Dead | Self::DeadDay1 | Self::DeadDay3 => Level::Dead,
        }
    }

    pub(super) fn manner(self) -> Manner {
        match self {
            Self::Day1 | Self::Hours4 => Manner::AtOnce,
            Self::Dead => Manner::Promptly,
            Self::Days14 | Self::Days7 | Self::Days3 | Self::Quarter | Self::DeadDay1 | Self::DeadDay3 => Manner::Grouped,
        }
    }

    /// How long before death; negative after it.
    pub(super) fn before_death(self, life: TimeDelta) -> TimeDelta {
        match self {
            Self::Days14 => TimeDelta::days(14),
            Self::Days7 => TimeDelta::days(7),
            Self::Days3 => TimeDelta::days(3),
            Self::Quarter => life / 4,
            Self::Day1 => TimeDelta::days(1),
            Self::Hours4 => TimeDelta::hours(4),
            Self::Dead => TimeDelta::zero(),
            Self::DeadDay1 => TimeDelta::days(-1),
            Self::DeadDay3 => TimeDelta::days(-3),
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Days14 => "14d",
            Self::Days7 => "7d",
            Self::Days3 => "3d",
            Self::Quarter => "quarter",
            Self::Day1 => "1d",
            Self::Hours4 => "4h",
            Self::Dead => "dead",
            Self::DeadDay1 => "dead+1d",
            Self::DeadDay3 => "dead+3d",
        }
    }
}

/// What a notice was shown for: the third part of its row's identity. Any rung is graver than a digest or a snooze.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Threshold {
    /// The weekly list, on its local date.
    Digest(NaiveDate),
    /// A snooze that ended, where nothing graver had become due meanwhile.
    Snoozed(DateTime<Utc>),
    /// A rung of the ladder.
    Rung(Rung),
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Digest(date) => write!(f, "digest {date}"),
            Self::Snoozed(until) => write!(f, "snoozed {}", until.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
            Self::Rung(rung) => f.write_str(rung.word()),
        }
    }
}

/// A word of the ledger that this version does not know: a newer one wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown reminder threshold {0:?}; a newer version of Keytender may have recorded it")]
pub struct UnknownThreshold(pub String);

impl FromStr for Threshold {
    type Err = UnknownThreshold;
    fn from_str(word: &str) -> Result<Self, UnknownThreshold> {
        if let Some(rung) = Rung::ALL.into_iter().find(|rung| rung.word() == word) {
            return Ok(Self::Rung(rung));
        }
        let parsed = match word.split_once(' ') {
            Some(("digest", date)) => date.parse().ok().map(Self::Digest),
            Some(("snoozed", until)) => until.parse().ok().map(Self::Snoozed),
            _ => None,
        };
        parsed.ok_or_else(|| UnknownThreshold(word.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_threshold_is_read_back_from_its_word() {
        let snoozed = Threshold::Snoozed("2026-11-22T08:30:00.250Z".parse().unwrap());
        let digest = Threshold::Digest("2026-11-23".parse().unwrap());
        for threshold in Rung::ALL.map(Threshold::Rung).into_iter().chain([snoozed, digest]) {
            assert_eq!(threshold.to_string().parse(), Ok(threshold));
        }
        assert!("digest soon".parse::<Threshold>().is_err() && "30d".parse::<Threshold>().is_err());
    }

    #[test]
    fn all_rungs_are_listed_from_mild_to_grave() {
        assert!(Rung::ALL.is_sorted());
        assert!(Rung::ALL.is_sorted_by_key(|rung| rung.level()));
    }
}
