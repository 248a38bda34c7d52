//! The journal: appended with what follows from it, refused to whoever comes too late, and never rewritten.

use super::*;

fn begun() -> Desk {
    let desk = Desk::with_key();
    // The row's epoch is the journal's length, whatever the caller wrote into it.
    let row = RotationRow { epoch: 5, ..rotation(1, 1) };
    desk.ledger.append(rotation_id(1), 0, at(1), &started(1), &[Change::OpenRotation(row)]).unwrap();
    desk
}

#[test]
fn an_event_comes_back_as_it_went_in_and_counts_the_rotation_up() {
    let desk = begun();
    desk.ledger.append(rotation_id(1), 1, at(2), &Event::Resumed, &[]).unwrap();
    let rows = desk.ledger.journal(rotation_id(1)).unwrap();
    assert_eq!(rows.iter().map(|row| (row.seq, row.at)).collect::<Vec<_>>(), [(1, at(1)), (2, at(2))]);
    assert_eq!(rows[0].event, started(1));
    assert_eq!(rows[1].event, Event::Resumed);
    assert_eq!(desk.ledger.rotation(rotation_id(1)).unwrap().epoch, 2);
    assert!(desk.ledger.journal(rotation_id(9)).unwrap().is_empty());
}

#[test]
fn who_comes_too_late_or_too_early_changes_nothing() {
    let desk = begun();
    let log = [Change::SetRemoteId { version: version_id(1), remote_id: "77".to_owned() }];
    for expected in [0, 2] {
        let refused = desk.ledger.append(rotation_id(1), expected, at(2), &Event::Resumed, &log);
        assert_eq!(refused, Err(LedgerError::Stale { expected, found: 1 }));
    }
    assert_eq!(desk.ledger.journal(rotation_id(1)).unwrap().len(), 1);
    assert_eq!(desk.ledger.version(version_id(1)).unwrap().remote_id, None);
    let nobody = desk.ledger.append(rotation_id(9), 0, at(2), &Event::Resumed, &[]);
    assert_eq!(nobody, Err(LedgerError::NotFound("rotation".to_owned())));
    let early = desk.ledger.append(rotation_id(9), 3, at(2), &started(1), &[Change::OpenRotation(rotation(9, 1))]);
    assert_eq!(early, Err(LedgerError::Stale { expected: 3, found: 0 }));
}

#[test]
fn an_event_whose_changes_fail_is_not_written() {
    let desk = begun();
    let failing = [Change::MoveVersion { version: version_id(9), state: VersionState::Revoked }];
    let refused = desk.ledger.append(rotation_id(1), 1, at(2), &Event::Resumed, &failing);
    assert_eq!(refused, Err(LedgerError::NotFound("version".to_owned())));
    assert_eq!(desk.ledger.journal(rotation_id(1)).unwrap().len(), 1);
    let second = desk.ledger.append(rotation_id(2), 0, at(2), &started(1), &[Change::OpenRotation(rotation(2, 1))]);
    assert_eq!(second, Err(LedgerError::Exists("an open rotation of this key".to_owned())));
    assert!(desk.ledger.journal(rotation_id(2)).unwrap().is_empty());
}

#[test]
fn no_statement_rewrites_the_journal() {
    let desk = begun();
    desk.ledger.append(rotation_id(1), 1, at(2), &Event::Resumed, &[]).unwrap();
    let before = desk.ledger.journal(rotation_id(1)).unwrap();
    let ended = Change::MoveRotation { rotation: rotation_id(1), status: RotationStatus::Done, at: at(3) };
    for end in [None, Some(ended)] {
        desk.ledger.apply(&end.into_iter().collect::<Vec<_>>()).unwrap();
        // With foreign keys off, as most SQLite tools have them, as well as on.
        for foreign_keys in ["ON", "OFF"] {
            desk.sql(&format!("PRAGMA foreign_keys = {foreign_keys}")).unwrap();
            for sql in [
                "UPDATE journal SET event = '{\"event\":\"resumed\"}'",
                "UPDATE journal SET seq = seq + 1",
                "DELETE FROM journal",
                "DELETE FROM journal WHERE seq = 2",
                "INSERT OR REPLACE INTO journal SELECT rotation, 2, at, '{\"event\":\"resumed\"}' FROM journal LIMIT 1",
                "INSERT INTO journal SELECT rotation, 4, at, event FROM journal LIMIT 1",
                "DELETE FROM rotations",
            ] {
                let refused = desk.sql(sql).unwrap_err().to_string();
                assert!(refused.contains("append-only") || refused.contains("only with its key"), "{sql}: {refused}");
            }
        }
        assert_eq!(desk.ledger.journal(rotation_id(1)).unwrap(), before);
    }
}

#[test]
fn no_statement_removes_a_key_in_rotation() {
    let desk = begun();
    assert!(desk.sql("DELETE FROM keys").unwrap_err().to_string().contains("rotation of this key is open"));
    assert_eq!(desk.ledger.keys().unwrap().len(), 1);
}

#[test]
fn half_a_journal_is_damage_not_a_shorter_journal() {
    let desk = begun();
    desk.ledger.append(rotation_id(1), 1, at(2), &Event::Resumed, &[]).unwrap();
    desk.sql("DROP TRIGGER journal_is_not_removed; DELETE FROM journal WHERE seq = 2").unwrap();
    assert!(matches!(desk.ledger.journal(rotation_id(1)), Err(LedgerError::Damaged(_))));
    assert_eq!(desk.ledger.check().unwrap().len(), 1);
}

#[test]
fn an_event_that_nobody_understands_is_damage() {
    let desk = begun();
    desk.sql("DROP TRIGGER journal_is_not_changed; UPDATE journal SET event = '{\"event\":\"levitated\"}'").unwrap();
    assert!(matches!(desk.ledger.journal(rotation_id(1)), Err(LedgerError::Damaged(_))));
}
