//! Reminders over time: what holds for every key, history, zone and set of preferences, and the cases that taught it.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "all of this is a test, outside of its test functions too"
)]

mod cases;
mod fixture;

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use fixture::{Fixture, fixtures, rows};
use keytender_core::reminder::{Level, Reminder, Rung, Threshold, offers};
use proptest::prelude::*;
use std::collections::HashSet;

/// Each (version, revision, threshold) with what stands behind it, or the one that came twice.
fn told_once(shown: &[(DateTime<Utc>, Vec<Reminder>)]) -> Result<(), String> {
    let mut told = HashSet::new();
    for (at, reminders) in shown {
        for row in rows(reminders, *at) {
            let twice = format!("{} {} at {at}", row.version, row.threshold);
            if !told.insert((row.version, row.expiry_revision, row.threshold)) {
                return Err(twice);
            }
        }
    }
    Ok(())
}

/// Whether a workday's group lies at or after `from` and before `until`, by looking at every step of the grid.
fn group_between(fixture: &Fixture, from: DateTime<Utc>, until: DateTime<Utc>) -> bool {
    let steps = std::iter::successors(Some(from), |at| Some(*at + fixture.step)).take_while(|at| *at < until);
    steps.map(|at| at.with_timezone(&fixture.zone)).any(|local| {
        let workdays = &fixture.preferences.workdays;
        local.time() == fixture.preferences.at && (workdays.is_empty() || workdays.contains(&local.weekday()))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_simulation_is_what_stepping_through_three_weeks_gives(fixture in fixtures(15)) {
        let watched = fixture.watched(1);
        let board = fixture.board(&watched, &[]);
        prop_assert_eq!(board.simulate(fixture.from, 21), fixture.stepped(&board, 21));
    }

    #[test]
    fn the_simulation_is_what_stepping_by_the_minute_gives(fixture in fixtures(1)) {
        let watched = fixture.watched(1);
        let board = fixture.board(&watched, &[]);
        prop_assert_eq!(board.simulate(fixture.from, 2), fixture.stepped(&board, 2));
    }

    #[test]
    fn each_threshold_is_told_once_and_never_early(fixture in fixtures(15)) {
        let watched = fixture.watched(1);
        let shown = fixture.board(&watched, &[]).simulate(fixture.from, 60);
        told_once(&shown).map_err(TestCaseError::fail)?;
        for (at, reminder) in shown.iter().flat_map(|(at, reminders)| reminders.iter().map(move |one| (*at, one))) {
            let life = watched.iter().find(|one| one.version() == reminder.version).unwrap();
            prop_assert!(at >= life.ladder().due());
            let Threshold::Rung(rung) = reminder.threshold else { continue };
            let nominal = life.ladder().nominal(rung);
            if at < nominal {
                prop_assert_eq!(rung.level(), Level::Notice, "only a notice may come before its rung");
                let last_day = if life.ladder().rungs().contains(&Rung::Day1) { Rung::Day1 } else { Rung::Hours4 };
                let swallowed = !group_between(&fixture, nominal, life.ladder().nominal(last_day));
                prop_assert!(swallowed, "{:?} came at {} although a group lay after {}", rung, at, nominal);
            }
        }
    }

    #[test]
    fn whoever_slept_gets_one_notice_a_version_and_no_milder_one_after_it(fixture in fixtures(15), slept in 0i64..60) {
        let watched = fixture.watched(1);
        let mut board = fixture.board(&watched, &[]);
        let now = fixture.from + TimeDelta::days(slept);
        let woken = board.due(now);
        let versions: HashSet<_> = woken.iter().map(|one| one.version).collect();
        prop_assert_eq!(versions.len(), woken.len());
        rows(&woken, now).iter().for_each(|row| board.record(row));
        prop_assert_eq!(board.due(now), []);
        for later in board.simulate(now, 60).into_iter().flat_map(|(_, reminders)| reminders) {
            if let (Some(first), Threshold::Rung(rung)) = (woken.iter().find(|one| one.version == later.version), later.threshold) {
                prop_assert!(Threshold::Rung(rung) > first.threshold);
            }
        }
    }

    #[test]
    fn nothing_of_the_ladder_is_left_untold_after_all_holds(fixture in fixtures(15)) {
        // Awake throughout, with nobody acting: every ladder that ended a week ago has had its last word.
        let watched = fixture.watched(1);
        let days = 60;
        let shown = fixture.board(&watched, &[]).simulate(fixture.from, days);
        let told: HashSet<_> = shown.iter().flat_map(|(at, reminders)| rows(reminders, *at))
            .map(|row| (row.version, row.threshold)).collect();
        for one in &watched {
            if one.ladder().dies() + TimeDelta::days(14) < fixture.from + TimeDelta::days(i64::from(days)) {
                for rung in one.ladder().rungs() {
                    let row = (one.version(), Threshold::Rung(*rung).to_string());
                    prop_assert!(told.contains(&row), "{:?} of version {}", rung, one.version());
                }
            }
        }
    }

    #[test]
    fn another_revision_starts_anew(fixture in fixtures(15), slept in 0i64..50) {
        let now = fixture.from + TimeDelta::days(slept);
        let (first, second) = (fixture.watched(1), fixture.watched(2));
        // Told so long ago that the day's group has no part in it.
        let told = rows(&fixture.board(&first, &[]).due(now), now - TimeDelta::days(30));
        let fresh = fixture.board(&second, &[]).due(now);
        prop_assert_eq!(fixture.board(&second, &told).due(now), fresh);
    }

    #[test]
    fn clock_jumps_repeat_nothing(fixture in fixtures(15), jumps in prop::collection::vec(-400i64..400, 1..6)) {
        let watched = fixture.watched(1);
        let mut board = fixture.board(&watched, &[]);
        let mut shown = Vec::new();
        for days in [0, 365, 0, -366].into_iter().chain(jumps) {
            let now = fixture.from + TimeDelta::days(days);
            let reminders = board.due(now);
            rows(&reminders, now).iter().for_each(|row| board.record(row));
            shown.push((now, reminders));
        }
        told_once(&shown).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn a_snooze_keeps_the_last_day_free_and_what_it_promises(fixture in fixtures(15), in_days in 0i64..45) {
        let now = fixture.from + TimeDelta::days(in_days);
        let watched = fixture.watched(1);
        for one in &watched {
            let dies = one.ladder().dies();
            for offer in offers(dies, now, fixture.zone, &fixture.preferences) {
                prop_assert!(now < offer.until && offer.until < dies);
                prop_assert!(offer.until <= dies - TimeDelta::days(1) || now >= dies - TimeDelta::days(1));
            }
        }
        // While it lasts, only the last day and death speak.
        for (at, reminder) in fixture.board(&watched, &[]).simulate(fixture.from, 45).iter().flat_map(|(at, all)| all.iter().map(move |one| (*at, one))) {
            let until = fixture.snoozes.iter().rev().find(|(key, _)| *key == reminder.key).map(|(_, until)| *until);
            let due = watched.iter().find(|one| one.version() == reminder.version).unwrap().ladder().due();
            if until.is_some_and(|until| at < until && until >= due) {
                prop_assert!(reminder.level >= Level::Urgent, "{:?} at {} within a snooze until {:?}", reminder, at, until);
            }
        }
    }

    #[test]
    fn outside_of_the_urgent_there_is_one_group_a_day(fixture in fixtures(15)) {
        let watched = fixture.watched(1);
        let mut grouped = HashSet::new();
        for (at, reminders) in fixture.board(&watched, &[]).simulate(fixture.from, 60) {
            let of_group = |one: &Reminder| matches!(
                one.threshold,
                Threshold::Digest(_) | Threshold::Rung(Rung::Days14 | Rung::Days7 | Rung::Days3 | Rung::Quarter)
            );
            // The end of a snooze is an instant that the person chose.
            let asked_for = |one: &Reminder| fixture.snoozes.iter().any(|(key, until)| *key == one.key && *until <= at);
            if reminders.iter().any(|one| of_group(one) && !asked_for(one)) {
                let day = at.with_timezone(&fixture.zone).date_naive();
                prop_assert!(grouped.insert(day), "a second group on {}", day);
            }
        }
    }
}
