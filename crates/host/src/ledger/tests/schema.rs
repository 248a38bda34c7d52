//! Files of every age: none yet, an older one, one that a newer version wrote.

use super::*;
use crate::ledger::{open, schema};
use keytender_core::ports::{Consent, JournalRow, Notice, NoticeOutcome};
use keytender_core::words::{Activity, ActivityKind, Health, HealthCheck};
use rusqlite::{Connection, OpenFlags};
use std::path::Path;

/// A connection that knows nothing of the ledger's rules.
fn raw(path: &Path) -> Connection {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE).unwrap()
}

#[test]
fn an_empty_file_becomes_a_ledger_with_its_own_id() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.sqlite");
    std::fs::write(&path, "").unwrap();
    for fresh in [1, 2] {
        let ledger = SqliteLedger::open(&path, Uuid::from_u128(fresh)).unwrap();
        assert_eq!(ledger.installation().0, Uuid::from_u128(1), "the id of the first opening stays");
        assert_eq!(ledger.check().unwrap(), Vec::<String>::new());
        assert_eq!(schema::version(&ledger.connection()).unwrap(), schema::LATEST);
    }
}

#[test]
fn the_pragmas_hold() {
    let desk = Desk::new();
    let connection = desk.ledger.connection();
    let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!((number("synchronous"), number("foreign_keys"), number("secure_delete")), (2, 1, 1));
    let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
}

/// A ledger of schema version 1, every table filled, as that version wrote it. It must open for ever.
#[test]
fn a_ledger_of_version_1_opens_with_all_its_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.sqlite");
    let mut connection = raw(&path);
    schema::migrate_to(&mut connection, 1, Uuid::from_u128(7)).unwrap();
    connection.execute_batch(include_str!("v1.sql")).unwrap();
    connection.close().unwrap();

    let ledger = SqliteLedger::open(&path, Uuid::from_u128(8)).unwrap();
    assert_eq!(ledger.check().unwrap(), Vec::<String>::new());
    assert_eq!(ledger.installation().0, Uuid::from_u128(7));
    assert_eq!(ledger.integrations().unwrap(), [Integration { managed_by: Some(key_id(1)), ..integration(1, "Work") }]);
    assert_eq!(ledger.keys().unwrap(), [Key { current: Some(version_id(2)), ..key(1, 1, "CI") }]);
    let new = Version {
        state: VersionState::Current,
        remote_id: Some("43".to_owned()),
        expiry: Expiry::Typed { at: Moment::Date("2027-02-28".parse().unwrap()) },
        expiry_revision: 2,
        made_by: Some(rotation_id(1)),
        health: Some(HealthCheck { health: Health::Alive, at: at(3), evidence: "GET / answered 200".to_owned() }),
        ..version(2, 1)
    };
    let old = Version { state: VersionState::Revoked, removed_at: Some(at(9)), ..version(1, 1) };
    assert_eq!(ledger.versions(key_id(1)).unwrap(), [new, old]);
    let state = DestinationState::Attested { version: version_id(2), at: at(4) };
    assert_eq!(ledger.all_destinations().unwrap(), [Destination { state, ..destination(1, 1) }]);
    let done = RotationRow { status: RotationStatus::Done, epoch: 2, ended_at: Some(at(9)), ..rotation(1, 1) };
    assert_eq!(ledger.rotations(false).unwrap(), [done]);
    let journal = [
        JournalRow { seq: 1, at: at(1), event: started(1) },
        JournalRow { seq: 2, at: at(2), event: stuck("the disk was full") },
    ];
    assert_eq!(ledger.journal(rotation_id(1)).unwrap(), journal);
    let line = Activity {
        at: at(9),
        kind: ActivityKind::Rotated,
        key: Some(key_id(1)),
        rotation: Some(rotation_id(1)),
        text: "replaced".to_owned(),
    };
    assert_eq!(ledger.history(None, 9).unwrap(), [line]);
    let consent = Consent { kind: "manifest".to_owned(), subject: "mine".to_owned(), detail: "aa".to_owned(), at: at(1) };
    assert_eq!(ledger.consent("manifest", "mine").unwrap(), Some(consent));
    let notice = Notice {
        version: version_id(2),
        expiry_revision: 2,
        threshold: "7d".to_owned(),
        outcome: NoticeOutcome::Covered,
        at: at(5),
    };
    assert_eq!(ledger.notices().unwrap(), [notice]);
    assert_eq!(ledger.snoozes(at(1)).unwrap(), [(key_id(1), at(60))]);
}

#[test]
fn a_newer_file_is_refused_and_left_untouched() {
    let desk = Desk::with_key();
    let (path, folder) = (desk.path(), desk.folder);
    drop(desk.ledger);
    let newer = schema::LATEST + 1;
    raw(&path).pragma_update(None, "user_version", newer).unwrap();
    let before = std::fs::read(&path).unwrap();
    let refused = SqliteLedger::open(&path, Uuid::from_u128(1)).err();
    assert_eq!(refused, Some(LedgerError::Newer { found: newer, known: schema::LATEST }));
    assert!(std::fs::read(&path).unwrap() == before, "not one byte is another");
    assert!(open::side_files(&path).iter().all(|side| !side.exists()), "nothing was put beside it");
    drop(folder);
}

/// A newer Keytender was killed right after it migrated: its version stands in the write-ahead log only.
#[test]
fn a_newer_version_that_only_the_log_tells_is_refused_too() {
    let desk = Desk::with_key();
    let newer = schema::LATEST + 1;
    desk.sql(&format!("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA user_version = {newer}")).unwrap();
    let killed = tempfile::tempdir().unwrap();
    let path = killed.path().join("ledger.sqlite");
    for name in ["ledger.sqlite", "ledger.sqlite-wal"] {
        std::fs::copy(desk.folder.path().join(name), killed.path().join(name)).unwrap();
    }
    let before = std::fs::read(&path).unwrap();
    let refused = SqliteLedger::open(&path, Uuid::from_u128(1)).err();
    assert_eq!(refused, Some(LedgerError::Newer { found: newer, known: schema::LATEST }));
    assert!(std::fs::read(&path).unwrap() == before, "the log was not carried over");
    let [log, _] = open::side_files(&path);
    assert!(log.metadata().unwrap().len() > 0, "the log is still there");
}
