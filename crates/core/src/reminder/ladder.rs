//! The ladder of one version: which rungs its lifetime gives it, and at which instants they stand.

use super::threshold::Rung;
use crate::expiry::Expiry;
use chrono::{DateTime, Datelike, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// How grave a version's standing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Nothing to do yet, or nothing known.
    Calm,
    /// In the list and the weekly digest; automatic rotation may begin.
    Due,
    /// Worth a notice in working hours.
    Notice,
    /// The last day, or the last hours of a short life.
    Urgent,
    /// Dead.
    Dead,
}

/// Lives longer than this get the long ladder.
const LONG: TimeDelta = TimeDelta::days(60);
/// Lives up to this get the short ladder, and are due at half their life.
const SHORT: TimeDelta = TimeDelta::days(10);
/// Lives shorter than this are renewed by machines; a notice would come too often to be read.
const BRIEF: TimeDelta = TimeDelta::hours(48);
/// The longest lead time.
const LEAD: TimeDelta = TimeDelta::days(30);

/// The rungs of one version and their instants, before any calendar is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ladder {
    pub(super) dies: DateTime<Utc>,
    pub(super) due: DateTime<Utc>,
    pub(super) rungs: &'static [Rung],
    life: TimeDelta,
}

impl Ladder {
    /// The ladder of a version that dies by `expiry` and was issued, or first seen, at `issued`.
    ///
    /// None where no date is known, where the life is under 48 hours, and where the date is past the year 9999.
    #[must_use]
    pub fn of(expiry: &Expiry, issued: DateTime<Utc>) -> Option<Self> {
        let dies = expiry.at()?.instant();
        let life = dies - issued;
        let rungs: &'static [Rung] = match life {
            _ if life < BRIEF || dies.year() > 9999 => return None,
            _ if life <= SHORT => &[Rung::Quarter, Rung::Hours4, Rung::Dead],
            _ if life <= LONG => &[Rung::Days7, Rung::Days3, Rung::Day1, Rung::Dead, Rung::DeadDay1, Rung::DeadDay3],
            _ => &[Rung::Days14, Rung::Days7, Rung::Days3, Rung::Day1, Rung::Dead, Rung::DeadDay1, Rung::DeadDay3],
        };
        let lead = if life <= SHORT { life / 2 } else { LEAD.min(life / 3) };
        // A third of 11 to 20 days is less than the 7 of the first rung; what has a notice is due.
        let lead = rungs.first().map_or(lead, |first| lead.max(first.before_death(life)));
        Some(Self { dies, due: dies - lead, rungs, life })
    }

    /// When it dies.
    #[must_use]
    pub fn dies(&self) -> DateTime<Utc> {
        self.dies
    }

    /// From when on it stands in the list of what is due.
    #[must_use]
    pub fn due(&self) -> DateTime<Utc> {
        self.due
    }

    /// Its rungs, from mild to grave.
    #[must_use]
    pub fn rungs(&self) -> &'static [Rung] {
        self.rungs
    }

    /// The instant of a rung, whatever the day or hour.
    #[must_use]
    pub fn nominal(&self, rung: Rung) -> DateTime<Utc> {
        self.dies - rung.before_death(self.life)
    }

    /// When the last safe stretch ends: the instant of the urgent rung.
    pub(super) fn urgent(&self) -> DateTime<Utc> {
        self.nominal(if self.life <= SHORT { Rung::Hours4 } else { Rung::Day1 })
    }

    /// How grave its standing is at `now`.
    #[must_use]
    pub fn level(&self, now: DateTime<Utc>) -> Level {
        let reached = self.rungs.iter().rev().find(|rung| self.nominal(**rung) <= now).map(|rung| rung.level());
        reached.unwrap_or(if self.due <= now { Level::Due } else { Level::Calm })
    }
}

/// How grave a version's standing is at `now`, for lists: also of those that get no reminders, which are calm until dead.
#[must_use]
pub fn level(expiry: &Expiry, issued: DateTime<Utc>, now: DateTime<Utc>) -> Level {
    match Ladder::of(expiry, issued) {
        _ if expiry.is_dead(now) => Level::Dead,
        Some(ladder) => ladder.level(now),
        None => Level::Calm,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expiry::Moment;

    fn ladder(life: TimeDelta) -> Option<Ladder> {
        let issued: DateTime<Utc> = "2028-02-29T00:00:00Z".parse().unwrap();
        Ladder::of(&Expiry::Typed { at: Moment::Instant(issued + life) }, issued)
    }
    fn days_before_death(ladder: &Ladder) -> Vec<i64> {
        ladder.rungs.iter().map(|rung| (ladder.dies - ladder.nominal(*rung)).num_days()).collect()
    }

    #[test]
    fn the_lifetime_chooses_the_ladder() {
        let long = ladder(TimeDelta::days(90)).unwrap();
        assert_eq!(days_before_death(&long), [14, 7, 3, 1, 0, -1, -3]);
        assert_eq!((long.dies - long.due).num_days(), 30);

        let middle = ladder(TimeDelta::days(60)).unwrap();
        assert_eq!(days_before_death(&middle), [7, 3, 1, 0, -1, -3]);
        assert_eq!((middle.dies - middle.due).num_days(), 20);

        let fortnight = ladder(TimeDelta::days(14)).unwrap();
        assert_eq!((fortnight.dies - fortnight.due).num_days(), 7, "due no later than its first notice");

        let short = ladder(TimeDelta::days(10)).unwrap();
        assert_eq!(short.rungs, [Rung::Quarter, Rung::Hours4, Rung::Dead]);
        assert_eq!(short.dies - short.nominal(Rung::Quarter), TimeDelta::hours(60));
        assert_eq!((short.dies - short.due).num_days(), 5);

        assert!(ladder(TimeDelta::hours(48)).is_some());
        assert_eq!(ladder(TimeDelta::hours(48) - TimeDelta::seconds(1)), None);
        assert_eq!(ladder(TimeDelta::days(-1)), None);
        assert_eq!(ladder(TimeDelta::days(365 * 9000)), None);
    }

    #[test]
    fn the_level_rises_with_the_rungs() {
        let ladder = ladder(TimeDelta::days(90)).unwrap();
        for (left, level) in
            [(31, Level::Calm), (30, Level::Due), (14, Level::Notice), (2, Level::Notice), (1, Level::Urgent), (0, Level::Dead)]
        {
            assert_eq!(ladder.level(ladder.dies - TimeDelta::days(left)), level, "{left} days left");
        }
    }

    #[test]
    fn a_life_without_reminders_is_calm_until_it_is_dead() {
        let issued: DateTime<Utc> = "2028-02-29T00:00:00Z".parse().unwrap();
        let expiry = Expiry::Typed { at: Moment::Instant(issued + TimeDelta::hours(1)) };
        assert_eq!(level(&expiry, issued, issued), Level::Calm);
        assert_eq!(level(&expiry, issued, issued + TimeDelta::hours(1)), Level::Dead);
        assert_eq!(level(&Expiry::Unknown, issued, issued), Level::Calm);
    }
}
