//! Cases with dates, from the default preferences of a person in Berlin.

use crate::fixture::{key, key_id, rows, version};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use keytender_core::expiry::{Expiry, Moment};
use keytender_core::ids::KeyId;
use keytender_core::ports::NoticeOutcome;
use keytender_core::reminder::{Board, Level, Preferences, Reminder, Rung, Threshold, Watched};
use keytender_core::words::VersionState;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}
fn dies_on(date: &str) -> Expiry {
    Expiry::Typed { at: Moment::Date(date.parse().unwrap()) }
}
fn watch(place: usize, issued: &str, dies: &str) -> Watched {
    let issued = at(issued);
    Watched::of(&key(place, issued), &version(place, issued, dies_on(dies), 1), format!("key {place}"), false).unwrap()
}
fn board<'a>(watched: &'a [Watched], snoozes: &[(KeyId, DateTime<Utc>)]) -> Board<'a> {
    Board::new(watched, &[], snoozes, Tz::Europe__Berlin, Preferences::default())
}
fn told(shown: &[(DateTime<Utc>, Vec<Reminder>)]) -> Vec<String> {
    shown
        .iter()
        .flat_map(|(at, reminders)| reminders.iter().map(move |one| format!("{} {}", at.format("%a %F %H:%M"), one.threshold)))
        .collect()
}

#[test]
fn a_ninety_day_key_that_nobody_minds() {
    // Dies on Tuesday 1 December, 00:00 UTC; all instants below in UTC, one hour behind Berlin.
    let watched = [watch(0, "2026-09-02T00:00:00Z", "2026-12-01")];
    assert_eq!(
        told(&board(&watched, &[]).simulate(at("2026-09-02T00:00:00Z"), 110)),
        [
            "Mon 2026-11-02 08:30 digest 2026-11-02",
            "Mon 2026-11-09 08:30 digest 2026-11-09",
            "Mon 2026-11-16 08:30 digest 2026-11-16",
            "Tue 2026-11-17 08:30 14d",
            "Tue 2026-11-24 08:30 7d",
            // Saturday 00:00 would wait for Monday 09:30, within the last day: so the Friday before.
            "Fri 2026-11-27 08:30 3d",
            "Mon 2026-11-30 00:00 1d",
            // 01:00 in Berlin is quiet.
            "Tue 2026-12-01 07:00 dead",
            "Wed 2026-12-02 08:30 dead+1d",
            "Fri 2026-12-04 08:30 dead+3d",
            "Mon 2026-12-14 08:30 digest 2026-12-14",
        ]
    );
}

#[test]
fn asleep_over_three_thresholds_one_notice_the_most_severe() {
    let watched = [watch(0, "2026-09-02T00:00:00Z", "2026-12-01")];
    let woken = board(&watched, &[]).due(at("2026-11-28T14:00:00Z"));
    assert_eq!(woken.len(), 1);
    assert_eq!(woken[0].threshold, Threshold::Rung(Rung::Days3));
    assert_eq!(woken[0].covers, [Rung::Days14, Rung::Days7].map(Threshold::Rung));
    let rows = woken[0].rows(at("2026-11-28T14:00:00Z"));
    let outcomes: Vec<_> = rows.iter().map(|row| (row.threshold.as_str(), row.outcome)).collect();
    assert_eq!(outcomes, [("3d", NoticeOutcome::Shown), ("14d", NoticeOutcome::Covered), ("7d", NoticeOutcome::Covered)]);
}

#[test]
fn a_notice_missed_at_night_waits_for_the_morning_but_the_last_day_does_not() {
    let watched = [watch(0, "2026-09-02T00:00:00Z", "2026-12-01")];
    let board = board(&watched, &[]);
    let night = at("2026-11-25T23:00:00Z");
    assert_eq!(board.due(night), []);
    assert_eq!(board.next_wake(night), Some(at("2026-11-26T07:00:00Z")));
    assert_eq!(board.due(at("2026-11-30T23:00:00Z"))[0].level, Level::Urgent);
}

#[test]
fn a_snooze_ends_with_a_notice_of_its_own() {
    let watched = [watch(0, "2026-09-02T00:00:00Z", "2026-12-01")];
    let until = at("2026-11-19T13:00:00Z");
    let mut board = board(&watched, &[(key_id(0), until)]);
    let first = at("2026-11-17T08:30:00Z");
    // The notice had been shown before it was snoozed.
    let shown = Reminder {
        threshold: Threshold::Rung(Rung::Days14),
        covers: Vec::new(),
        ..board.due(at("2026-11-30T00:00:00Z")).remove(0)
    };
    rows(&[shown], first).iter().for_each(|row| board.record(row));
    assert_eq!(told(&board.simulate(first, 8)), ["Thu 2026-11-19 13:00 snoozed 2026-11-19T13:00:00Z", "Tue 2026-11-24 08:30 7d"]);
}

#[test]
fn an_earlier_date_breaks_through_a_snooze_in_the_last_day() {
    // Snoozed until the 29th; then the service reported that it dies on the 25th.
    let watched = [watch(0, "2026-09-02T00:00:00Z", "2026-11-25")];
    let board = board(&watched, &[(key_id(0), at("2026-11-29T08:30:00Z"))]);
    assert_eq!(told(&board.simulate(at("2026-11-20T12:00:00Z"), 5)), ["Tue 2026-11-24 00:00 1d", "Wed 2026-11-25 07:00 dead"]);
}

#[test]
fn a_key_that_rotates_itself_is_silent_until_it_evidently_did_not() {
    let issued = at("2026-09-02T00:00:00Z");
    let watched = Watched::of(&key(0, issued), &version(0, issued, dies_on("2026-12-01"), 1), "key".into(), true).unwrap();
    let shown = board(std::slice::from_ref(&watched), &[]).simulate(issued, 90);
    assert_eq!(told(&shown), ["Mon 2026-11-30 00:00 1d"]);
}

#[test]
fn letting_it_expire_says_nothing_more() {
    let watched = [watch(0, "2026-09-02T00:00:00Z", "2026-12-01")];
    let now = at("2026-11-24T08:30:00Z");
    let mut board = board(&watched, &[]);
    let cancelled = board.cancellations(key_id(0), now);
    assert_eq!(cancelled.len(), watched[0].ladder().rungs().len());
    cancelled.iter().for_each(|row| board.record(row));
    assert_eq!(board.simulate(now, 90), []);
    assert_eq!(board.next_wake(now), None);
}

#[test]
fn keys_added_one_after_the_other_do_not_make_two_groups_in_a_day() {
    let first = watch(0, "2026-09-02T00:00:00Z", "2026-11-28");
    let now = at("2026-11-23T10:00:00Z");
    let mut alone = board(std::slice::from_ref(&first), &[]);
    let shown = alone.due(now);
    rows(&shown, now).iter().for_each(|row| alone.record(row));
    let both = [first.clone(), watch(1, "2026-09-02T00:00:00Z", "2026-11-29")];
    let mut board = board(&both, &[]);
    rows(&shown, now).iter().for_each(|row| board.record(row));
    let later = now + TimeDelta::hours(1);
    assert_eq!(board.due(later), []);
    assert_eq!(board.next_wake(later), Some(at("2026-11-24T08:30:00Z")));
    assert_eq!(board.due(at("2026-11-24T08:30:00Z")).len(), 1);
}

#[test]
fn there_is_nothing_to_watch_in_the_disabled_the_replaced_and_the_undated() {
    let issued = at("2026-09-02T00:00:00Z");
    let watched = |change: &dyn Fn(&mut keytender_core::words::Key, &mut keytender_core::words::Version)| {
        let (mut key, mut version) = (key(0, issued), version(0, issued, dies_on("2026-12-01"), 1));
        change(&mut key, &mut version);
        Watched::of(&key, &version, "key".into(), false)
    };
    assert!(watched(&|_, _| {}).is_some());
    assert!(watched(&|key, _| key.disabled = true).is_none());
    assert!(watched(&|key, _| key.current = None).is_none());
    assert!(watched(&|_, version| version.state = VersionState::Previous).is_none());
    assert!(watched(&|_, version| version.state = VersionState::Compromised).is_none());
    assert!(watched(&|_, version| version.expiry = Expiry::Never).is_none());
    assert!(watched(&|_, version| version.expiry = Expiry::Unknown).is_none());
}

#[test]
fn rows_of_other_versions_and_of_newer_releases_count_for_nothing() {
    let watched = [watch(0, "2026-09-02T00:00:00Z", "2026-12-01")];
    let now = at("2026-11-24T08:30:00Z");
    let mut board = board(&watched, &[]);
    let expected = board.due(now);
    let mut row = expected[0].rows(now).remove(0);
    row.threshold = "five-weeks".into();
    board.record(&row);
    row.threshold = "dead+3d".into();
    row.version = version(9, now, Expiry::Never, 1).id;
    board.record(&row);
    assert_eq!(board.due(now), expected);
}
