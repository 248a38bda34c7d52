//! A group of reminders in words: one sentence, and a line for each.

use super::{Level, Reminder};
use chrono::{DateTime, TimeDelta, Utc};

/// How many keys a notice names one by one; the window shows the rest.
const NAMED: usize = 5;

/// Reminders that are shown together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// One sentence: `3 keys need you, first: Agiled production, 7 days`.
    pub sentence: String,
    /// A line per key, the first ones first; empty where the sentence says it all.
    pub lines: Vec<String>,
    /// The gravest level in it.
    pub level: Level,
}

impl Group {
    /// Puts what [`super::Board::due`] gave into words; none for nothing. What needs a person comes first, then the graver,
    /// then what dies sooner.
    #[must_use]
    pub fn of(reminders: &[Reminder], now: DateTime<Utc>) -> Option<Self> {
        let mut ordered: Vec<&Reminder> = reminders.iter().collect();
        ordered.sort_by_key(|one| (!one.needs_person, std::cmp::Reverse(one.level), one.dies, &one.label));
        let (first, rest) = ordered.split_first()?;
        let level = reminders.iter().map(|one| one.level).max()?;
        let what = match (level, rest.len() + 1) {
            (Level::Calm | Level::Due, 1) => "1 key is due".to_owned(),
            (Level::Calm | Level::Due, count) => format!("{count} keys are due"),
            (_, 1) => "1 key needs you".to_owned(),
            (_, count) => format!("{count} keys need you"),
        };
        let lead = if rest.is_empty() { ": " } else { ", first: " };
        let lines = if rest.is_empty() {
            Vec::new()
        } else {
            let more = ordered.len().saturating_sub(NAMED);
            let named = ordered.iter().take(NAMED).map(|one| line(one, now));
            named.chain((more > 0).then(|| format!("and {more} more"))).collect()
        };
        Some(Self { sentence: format!("{what}{lead}{}", line(first, now)), lines, level })
    }
}

fn line(reminder: &Reminder, now: DateTime<Utc>) -> String {
    let guess = if reminder.estimated { " (estimated)" } else { "" };
    format!("{}, {}{guess}", reminder.label, time_left(reminder.dies - now))
}

/// Days and hours are rounded down, as in lists: never more time than there is.
fn time_left(left: TimeDelta) -> String {
    let (days, hours) = (left.num_days(), left.num_hours());
    match (days, hours) {
        _ if left <= TimeDelta::zero() && days == 0 => "dead".to_owned(),
        (-1, _) => "dead for 1 day".to_owned(),
        (..-1, _) => format!("dead for {} days", -days),
        (0, 0) => "less than 1 hour".to_owned(),
        (0, 1) => "1 hour".to_owned(),
        (0, hours) => format!("{hours} hours"),
        (1, _) => "1 day".to_owned(),
        (days, _) => format!("{days} days"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{KeyId, VersionId};
    use crate::reminder::{Rung, Threshold};
    use uuid::Uuid;

    fn now() -> DateTime<Utc> {
        "2026-11-20T08:30:00Z".parse().unwrap()
    }
    fn reminder(label: &str, left: TimeDelta, level: Level) -> Reminder {
        Reminder {
            key: KeyId(Uuid::nil()),
            version: VersionId(Uuid::nil()),
            expiry_revision: 0,
            threshold: Threshold::Rung(Rung::Days7),
            covers: Vec::new(),
            level,
            label: label.into(),
            dies: now() + left,
            estimated: false,
            needs_person: true,
        }
    }

    #[test]
    fn many_become_one_sentence_with_the_most_pressing_first() {
        let mut by_itself = reminder("AWS deploy", TimeDelta::days(-2), Level::Dead);
        by_itself.needs_person = false;
        let mut guessed = reminder("Aptly board", TimeDelta::days(14), Level::Notice);
        guessed.estimated = true;
        let group = Group::of(&[by_itself, guessed, reminder("Agiled production", TimeDelta::days(7), Level::Notice)], now());
        let group = group.unwrap();
        assert_eq!(group.sentence, "3 keys need you, first: Agiled production, 7 days");
        assert_eq!(group.lines, ["Agiled production, 7 days", "Aptly board, 14 days (estimated)", "AWS deploy, dead for 2 days"]);
        assert_eq!(group.level, Level::Dead);
    }

    #[test]
    fn one_is_said_in_the_sentence_and_many_are_counted() {
        let one = reminder("Agiled production", TimeDelta::minutes(119), Level::Urgent);
        let group = Group::of(std::slice::from_ref(&one), now()).unwrap();
        assert_eq!((group.sentence.as_str(), group.lines.len()), ("1 key needs you: Agiled production, 1 hour", 0));
        let due: Vec<Reminder> = (1..=7).map(|n| reminder(&format!("key {n}"), TimeDelta::days(20 + n), Level::Due)).collect();
        let group = Group::of(&due, now()).unwrap();
        assert_eq!(group.sentence, "7 keys are due, first: key 1, 21 days");
        assert_eq!(group.lines.last().map(String::as_str), Some("and 2 more"));
        assert_eq!(Group::of(&[], now()), None);
    }

    #[test]
    fn time_left_is_never_more_than_there_is() {
        for (left, words) in [
            (TimeDelta::hours(47), "1 day"),
            (TimeDelta::hours(23), "23 hours"),
            (TimeDelta::minutes(59), "less than 1 hour"),
            (TimeDelta::zero(), "dead"),
            (TimeDelta::hours(-23), "dead"),
            (TimeDelta::hours(-24), "dead for 1 day"),
            (TimeDelta::hours(-72), "dead for 3 days"),
        ] {
            assert_eq!(time_left(left), words);
        }
    }
}
