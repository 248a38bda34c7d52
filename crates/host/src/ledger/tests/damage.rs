//! A full disk, and files that something else has written to.

use super::*;

fn pages(desk: &Desk, pragma: &str) -> u64 {
    desk.ledger.connection().query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0)).unwrap()
}

/// Fills a ledger with this many keys of integration 1, each with a version, a destination and a line of history.
fn fill(desk: &Desk, keys: std::ops::Range<u128>) -> Result<(), LedgerError> {
    let changes = keys.flat_map(|n| {
        [
            Change::AddKey(key(n, 1, &format!("key {n}"))),
            Change::AddVersion(version(n, n)),
            Change::SetCurrent { key: key_id(n), version: Some(version_id(n)) },
            Change::AddDestination(destination(n, n)),
        ]
    });
    desk.ledger.apply(&changes.collect::<Vec<_>>())
}

#[test]
fn a_full_disk_is_told_and_nothing_is_written() {
    let desk = Desk::with_key();
    desk.ledger.append(rotation_id(1), 0, at(1), &started(1), &[Change::OpenRotation(rotation(1, 1))]).unwrap();
    let full = pages(&desk, "page_count");
    assert_eq!(pages(&desk, &format!("max_page_count = {full}")), full);
    assert_eq!(fill(&desk, 100..400), Err(LedgerError::Full));
    let long = stuck(&"x".repeat(50_000));
    assert_eq!(desk.ledger.append(rotation_id(1), 1, at(2), &long, &[]), Err(LedgerError::Full));
    assert_eq!(desk.ledger.keys().unwrap().len(), 1);
    assert_eq!(desk.ledger.journal(rotation_id(1)).unwrap().len(), 1);

    // With room again, the same connection goes on.
    pages(&desk, "max_page_count = 100000");
    desk.ledger.append(rotation_id(1), 1, at(2), &long, &[]).unwrap();
    fill(&desk, 100..400).unwrap();
    assert_eq!(desk.ledger.check().unwrap(), Vec::<String>::new());
}

#[test]
fn what_is_no_database_is_damaged_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.sqlite");
    for text in ["x", "SQLite format 3\0 cut short", &"not a database, whatever its name says. ".repeat(400)] {
        std::fs::write(&path, text).unwrap();
        let refused = SqliteLedger::open(&path, Uuid::from_u128(1)).err();
        assert!(matches!(refused, Some(LedgerError::Damaged(_))), "{refused:?}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
}

/// Reads everything the port can read, for what goes wrong.
fn read_all(ledger: &SqliteLedger) -> Result<(), LedgerError> {
    ledger.integrations()?;
    ledger.keys()?;
    ledger.current_versions()?;
    ledger.stored_versions()?;
    ledger.all_destinations()?;
    ledger.notices()?;
    ledger.snoozes(at(1))?;
    ledger.history(None, 100)?;
    for rotation in ledger.rotations(false)? {
        ledger.journal(rotation.id)?;
    }
    Ok(())
}

#[test]
fn a_page_of_garbage_anywhere_is_noticed() {
    let desk = Desk::with_key();
    fill(&desk, 100..180).unwrap();
    desk.ledger.append(rotation_id(1), 0, at(1), &started(1), &[Change::OpenRotation(rotation(1, 1))]).unwrap();
    let count = usize::try_from(pages(&desk, "page_count")).unwrap();
    let size = usize::try_from(pages(&desk, "page_size")).unwrap();
    let path = desk.path();
    drop(desk.ledger);
    let sound = std::fs::read(&path).unwrap();
    assert_eq!(sound.len(), count * size);

    for page in 0..count {
        let mut bytes = sound.clone();
        for (index, byte) in bytes[page * size..][..size].iter_mut().enumerate() {
            *byte = u8::try_from(index * 31 % 251).unwrap() | 1;
        }
        std::fs::write(&path, &bytes).unwrap();
        match SqliteLedger::open(&path, Uuid::from_u128(1)) {
            Ok(ledger) => {
                let read = read_all(&ledger);
                assert!(matches!(read, Ok(()) | Err(LedgerError::Damaged(_))), "page {page}: {read:?}");
                let complaints = ledger.check().unwrap();
                assert!(!complaints.is_empty(), "page {page} is garbage and nothing is said");
            }
            Err(error) => assert!(matches!(error, LedgerError::Damaged(_)), "page {page}: {error:?}"),
        }
    }
}

#[test]
fn rows_that_do_not_read_back_are_complained_of() {
    for (sql, table) in [
        ("UPDATE versions SET state = 'levitating'", "a word"),
        ("UPDATE versions SET expiry = 'perhaps'", "an expiry"),
        ("UPDATE versions SET created_at = 'yesterday'", "an instant"),
        ("UPDATE keys SET options = '{'", "JSON"),
        ("UPDATE keys SET name = 'a/b'", "a name"),
        ("UPDATE keys SET id = x'00'", "an id"),
        ("UPDATE keys SET current = x'00000000000000000000000000000009'", "a pointer to nothing"),
        ("DELETE FROM meta", "no installation"),
    ] {
        let desk = Desk::with_key();
        desk.sql(&format!("PRAGMA foreign_keys = OFF; {sql}")).unwrap();
        assert!(!desk.ledger.check().unwrap().is_empty(), "{table}: {sql}");
    }
}
