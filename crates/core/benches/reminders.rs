//! The reminder tick at the size that the design promises: 10,000 keys and 100,000 recorded notices, at most 20 ms, growing
//! with the number due rather than the number held.
#![allow(missing_docs, reason = "criterion's macro makes a public function")]

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use keytender_core::expiry::{Expiry, Moment};
use keytender_core::ids::{IntegrationId, KeyId, VersionId};
use keytender_core::ports::{Notice, NoticeOutcome};
use keytender_core::reminder::{Board, Preferences, Watched};
use keytender_core::words::{Key, Name, Version, VersionState};
use std::collections::BTreeMap;
use std::hint::black_box;
use uuid::Uuid;

const KEYS: u64 = 10_000;
const NOTICES: u64 = 100_000;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_000_000, 0).unwrap_or_default()
}

/// 90-day keys, the first `due` of which die within 14 days and the rest after 31 or more.
fn watched(due: u64) -> Vec<Watched> {
    let one = |n: u64| {
        let (key, version) = (KeyId(Uuid::from_u128(n.into())), VersionId(Uuid::from_u128(n.into())));
        let ahead = if n < due { TimeDelta::hours(25 + (n % 300) as i64) } else { TimeDelta::days(31 + (n % 50) as i64) };
        let dies = now() + ahead;
        let issued_at = dies - TimeDelta::days(90);
        let key = Key {
            id: key,
            integration: IntegrationId(Uuid::nil()),
            name: Name::try_from(format!("key {n}")).ok()?,
            kind: "token".into(),
            options: BTreeMap::new(),
            scopes: Vec::new(),
            identity: None,
            current: Some(version),
            tags: Vec::new(),
            disabled: false,
            created_at: issued_at,
        };
        let version = Version {
            id: version,
            key: key.id,
            state: VersionState::Current,
            store: "keychain".into(),
            remote_id: None,
            remote_name: None,
            expiry: Expiry::Typed { at: Moment::Instant(dies) },
            expiry_revision: 1,
            issued_at,
            issued_known: true,
            made_by: None,
            health: None,
            removed_at: None,
            created_at: issued_at,
        };
        Watched::of(&key, &version, format!("key {n}"), false)
    };
    (0..KEYS).filter_map(one).collect()
}

/// Digests of the months past, ten for each key.
fn notices() -> Vec<Notice> {
    let one = |n: u64| {
        let at = now() - TimeDelta::days(7 * (2 + (n / KEYS) as i64));
        Notice {
            version: VersionId(Uuid::from_u128((n % KEYS).into())),
            expiry_revision: 1,
            threshold: format!("digest {}", at.date_naive()),
            outcome: NoticeOutcome::Shown,
            at,
        }
    };
    (0..NOTICES).map(one).collect()
}

fn tick(criterion: &mut Criterion) {
    let notices = notices();
    let mut group = criterion.benchmark_group("tick over 10,000 keys and 100,000 notices");
    group.sample_size(20);
    for due in [0, 100, 1_000] {
        let watched = watched(due);
        group.bench_function(BenchmarkId::new("from rows", due), |bencher| {
            bencher.iter(|| {
                let board = Board::new(&watched, black_box(&notices), &[], Tz::Europe__Berlin, Preferences::default());
                (board.due(now()), board.next_wake(now()))
            });
        });
        let board = Board::new(&watched, &notices, &[], Tz::Europe__Berlin, Preferences::default());
        group.bench_function(BenchmarkId::new("laid out", due), |bencher| {
            bencher.iter(|| (board.due(black_box(now())), board.next_wake(now())));
        });
    }
    group.finish();
}

criterion_group!(benches, tick);
criterion_main!(benches);
