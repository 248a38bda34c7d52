//! Table `journal`: the events of every rotation, append-only.
//!
//! Triggers hold that below every statement, ours and any other tool's: no row is changed, none is removed unless its
//! rotation has gone with its key, and a row's number is the one after the last (which is also why `INSERT OR REPLACE`,
//! which fires no delete trigger, cannot replace one).

use super::columns::{Id, Instant, Json};
use super::error::failed;
use super::rotations;
use chrono::{DateTime, Utc};
use keytender_core::ids::RotationId;
use keytender_core::ports::{JournalRow, LedgerError};
use keytender_core::rotation::Event;
use rusqlite::{Connection, Row, params};

/// Schema version 1. While its rotation's row is there, a journal row stays; in a cascade the parent goes first.
pub(super) const V1: &str = "
CREATE TABLE journal (
    rotation BLOB NOT NULL REFERENCES rotations (id) ON DELETE CASCADE,
    seq      INTEGER NOT NULL,
    at       TEXT NOT NULL,
    event    TEXT NOT NULL,
    PRIMARY KEY (rotation, seq)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER journal_is_not_changed BEFORE UPDATE ON journal
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER journal_is_not_removed BEFORE DELETE ON journal
WHEN EXISTS (SELECT 1 FROM rotations WHERE id = OLD.rotation)
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER journal_has_no_gaps BEFORE INSERT ON journal
WHEN NEW.seq IS NOT 1 + coalesce((SELECT max(seq) FROM journal WHERE rotation = NEW.rotation), 0)
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
";

fn from_row(row: &Row<'_>) -> rusqlite::Result<JournalRow> {
    Ok(JournalRow { seq: row.get(0)?, at: row.get::<_, Instant>(1)?.0, event: row.get::<_, Json<Event>>(2)?.0 })
}

/// A rotation's rows, from the first. A gap, or another number of rows than the rotation counts, is damage: an engine
/// that resumed from half a journal would repeat what must not be repeated.
pub(super) fn of_rotation(connection: &Connection, rotation: RotationId) -> Result<Vec<JournalRow>, LedgerError> {
    // Both reads see the same moment, whatever another process appends meanwhile.
    let _moment = connection.unchecked_transaction().map_err(failed)?;
    let rows: Vec<JournalRow> = connection
        .prepare_cached("SELECT seq, at, event FROM journal WHERE rotation = ?1 ORDER BY seq")
        .and_then(|mut statement| statement.query_map([Id(rotation.0)], from_row)?.collect())
        .map_err(failed)?;
    let counted = rotations::epoch(connection, rotation).map_err(failed)?.unwrap_or(0);
    let whole = (1..=counted).eq(rows.iter().map(|row| row.seq));
    if whole { Ok(rows) } else { Err(LedgerError::Damaged(format!("the journal of rotation {rotation} lacks rows"))) }
}

/// Looks whether the journal has `expected` rows, before anything else of an append is done. `opens` says that the same
/// transaction makes the rotation.
pub(super) fn expect(connection: &Connection, rotation: RotationId, expected: u64, opens: bool) -> Result<(), LedgerError> {
    match rotations::epoch(connection, rotation).map_err(failed)? {
        Some(found) if found == expected => Ok(()),
        Some(found) => Err(LedgerError::Stale { expected, found }),
        None if !opens => Err(LedgerError::NotFound("rotation".to_owned())),
        None if expected == 0 => Ok(()),
        None => Err(LedgerError::Stale { expected, found: 0 }),
    }
}

/// Appends row `seq` and counts the rotation up to it.
pub(super) fn append(
    connection: &Connection,
    rotation: RotationId,
    seq: u64,
    at: DateTime<Utc>,
    event: &Event,
) -> Result<(), LedgerError> {
    connection
        .prepare_cached("INSERT INTO journal (rotation, seq, at, event) VALUES (?1, ?2, ?3, ?4)")
        .and_then(|mut statement| statement.execute(params![Id(rotation.0), seq, Instant(at), Json(event)]))
        .and_then(|_| rotations::count_up(connection, rotation, seq))
        .map_err(failed)
}
