//! Random keys, histories and persons, on a grid of whole steps: every instant that the arithmetic can yield for them lies
//! on the grid, so that stepping through time meets each exactly.

use chrono::{DateTime, NaiveTime, TimeDelta, Utc, Weekday};
use chrono_tz::Tz;
use keytender_core::expiry::{Expiry, Moment};
use keytender_core::ids::{IntegrationId, KeyId, VersionId};
use keytender_core::ports::Notice;
use keytender_core::reminder::{Board, Preferences, Quiet, Reminder, Watched};
use keytender_core::words::{Key, Name, Version, VersionState};
use proptest::prelude::*;
use std::collections::BTreeMap;
use uuid::Uuid;

/// One key with one current version.
#[derive(Debug, Clone)]
pub(crate) struct Life {
    pub(crate) issued: DateTime<Utc>,
    pub(crate) life: TimeDelta,
    pub(crate) rotates_itself: bool,
}

/// Everything a board is laid out from.
#[derive(Debug, Clone)]
pub(crate) struct Fixture {
    pub(crate) from: DateTime<Utc>,
    pub(crate) step: TimeDelta,
    pub(crate) zone: Tz,
    pub(crate) preferences: Preferences,
    pub(crate) lives: Vec<Life>,
    pub(crate) snoozes: Vec<(KeyId, DateTime<Utc>)>,
}

impl Fixture {
    pub(crate) fn watched(&self, revision: u32) -> Vec<Watched> {
        self.lives.iter().enumerate().filter_map(|(place, life)| watched(place, life, revision)).collect()
    }

    pub(crate) fn board<'a>(&self, watched: &'a [Watched], notices: &[Notice]) -> Board<'a> {
        Board::new(watched, notices, &self.snoozes, self.zone, self.preferences.clone())
    }

    /// What asking at every step gives.
    pub(crate) fn stepped(&self, board: &Board<'_>, days: u32) -> Vec<(DateTime<Utc>, Vec<Reminder>)> {
        let mut board = board.clone();
        let mut shown = Vec::new();
        let mut now = self.from;
        while now < self.from + TimeDelta::days(i64::from(days)) {
            let reminders = board.due(now);
            rows(&reminders, now).iter().for_each(|row| board.record(row));
            if !reminders.is_empty() {
                shown.push((now, reminders));
            }
            now += self.step;
        }
        shown
    }
}

pub(crate) fn rows(reminders: &[Reminder], at: DateTime<Utc>) -> Vec<Notice> {
    reminders.iter().flat_map(|reminder| reminder.rows(at)).collect()
}

pub(crate) fn key_id(place: usize) -> KeyId {
    KeyId(Uuid::from_u128(place as u128 + 1))
}

pub(crate) fn key(place: usize, created_at: DateTime<Utc>) -> Key {
    Key {
        id: key_id(place),
        integration: IntegrationId(Uuid::from_u128(7)),
        name: Name::try_from(format!("key {place}")).unwrap(),
        kind: "token".into(),
        options: BTreeMap::new(),
        scopes: Vec::new(),
        identity: None,
        current: Some(VersionId(Uuid::from_u128(place as u128 + 1))),
        tags: Vec::new(),
        disabled: false,
        created_at,
    }
}

pub(crate) fn version(place: usize, issued_at: DateTime<Utc>, expiry: Expiry, expiry_revision: u32) -> Version {
    Version {
        id: VersionId(Uuid::from_u128(place as u128 + 1)),
        key: key_id(place),
        state: VersionState::Current,
        store: "keychain".into(),
        remote_id: None,
        remote_name: None,
        expiry,
        expiry_revision,
        issued_at,
        issued_known: true,
        made_by: None,
        health: None,
        removed_at: None,
        created_at: issued_at,
    }
}

fn watched(place: usize, life: &Life, revision: u32) -> Option<Watched> {
    let expiry = Expiry::Reported { at: Moment::Instant(life.issued + life.life), by: "/expires_at".into() };
    let version = version(place, life.issued, expiry, revision);
    Watched::of(&key(place, life.issued), &version, format!("key {place}"), life.rotates_itself)
}

fn days(weekdays: u8) -> Vec<Weekday> {
    (0..7u8).filter(|day| weekdays & (1 << day) != 0).filter_map(|day| Weekday::try_from(day).ok()).collect()
}

/// Fixtures whose every instant is a multiple of `minutes`; lives are multiples of twelve times that, so that their halves,
/// thirds and quarters are on the grid too.
pub(crate) fn fixtures(minutes: u32) -> impl Strategy<Value = Fixture> {
    let per_day = 24 * 60 / minutes;
    let time = (0..per_day).prop_map(move |n| NaiveTime::from_num_seconds_from_midnight_opt(n * minutes * 60, 0).unwrap());
    let starts = ["2026-03-20T00:00:00Z", "2026-10-18T00:00:00Z", "2028-02-24T00:00:00Z", "2011-12-20T00:00:00Z"];
    let zones = [Tz::Europe__Berlin, Tz::America__New_York, Tz::Asia__Kathmandu, Tz::Pacific__Apia];
    let quiet = prop::option::of((time.clone(), time.clone()).prop_map(|(from, to)| Quiet { from, to }));
    let working = prop_oneof![3 => Just(0b1_1111u8), 1 => 0u8..128];
    let digest = prop::option::of((0u8..7).prop_map(|day| Weekday::try_from(day).unwrap()));
    let preferences = (time, working, quiet, digest).prop_map(|(at, workdays, quiet, digest)| Preferences {
        at,
        workdays: days(workdays),
        quiet,
        digest,
    });
    // Lives from a day to 120 days, most of which end around the days looked at.
    let longest = 120 * per_day / 12;
    let life = (per_day / 12..longest, -6i64..40, 0..i64::from(per_day), prop::bool::weighted(0.2));
    let snoozes = prop::collection::vec((0usize..6, -5i64..25, 0..i64::from(per_day)), 0..3);
    (
        prop::sample::select(starts.to_vec()),
        prop::sample::select(zones.to_vec()),
        preferences,
        prop::collection::vec(life, 1..6),
        snoozes,
    )
        .prop_map(move |(start, zone, preferences, lives, snoozes)| {
            let from: DateTime<Utc> = start.parse().unwrap();
            let step = TimeDelta::minutes(i64::from(minutes));
            let lives = lives.into_iter().map(|(length, ends_in, steps, rotates_itself)| {
                let life = step * 12 * i32::try_from(length).unwrap();
                let dies = from + TimeDelta::days(ends_in) + step * i32::try_from(steps).unwrap();
                Life { issued: dies - life, life, rotates_itself }
            });
            let snoozes = snoozes.into_iter().map(|(place, in_days, steps)| {
                (key_id(place), from + TimeDelta::days(in_days) + step * i32::try_from(steps).unwrap())
            });
            Fixture { from, step, zone, preferences, lives: lives.collect(), snoozes: snoozes.collect() }
        })
}
