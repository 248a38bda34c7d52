//! Table `rotations`: one row each; everything else about a rotation is in its journal.
//!
//! `epoch` is the number of rows in the journal and the compare-and-swap of two processes: only [`count_up`] moves it. Rows
//! go only with their key; that ended rotations stay as long is what makes the journal append-only.

use super::columns::{Id, Instant, Word};
use super::error::{failed, found, is_dangling, is_duplicate};
use chrono::{DateTime, Utc};
use keytender_core::ids::{KeyId, RotationId};
use keytender_core::ports::LedgerError;
use keytender_core::words::{RotationRow, RotationStatus};
use rusqlite::{Connection, OptionalExtension, Row, params};

/// Schema version 1. The partial index is the rule "one open rotation per key"; stuck ones count.
pub(super) const V1: &str = "
CREATE TABLE rotations (
    id         BLOB NOT NULL PRIMARY KEY,
    key        BLOB NOT NULL REFERENCES keys (id) ON DELETE CASCADE,
    status     TEXT NOT NULL,
    epoch      INTEGER NOT NULL,
    started_at TEXT NOT NULL,
    ended_at   TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX rotations_of_key ON rotations (key);
CREATE UNIQUE INDEX rotations_one_open ON rotations (key) WHERE status IN ('open', 'stuck');
CREATE TRIGGER rotations_stay BEFORE DELETE ON rotations
WHEN EXISTS (SELECT 1 FROM keys WHERE id = OLD.key)
BEGIN SELECT RAISE(ABORT, 'a rotation goes only with its key'); END;
";

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT id, key, status, epoch, started_at, ended_at FROM rotations ", $rest)
    };
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<RotationRow> {
    Ok(RotationRow {
        id: RotationId(row.get::<_, Id>(0)?.0),
        key: KeyId(row.get::<_, Id>(1)?.0),
        status: row.get::<_, Word<_>>(2)?.0,
        epoch: row.get(3)?,
        started_at: row.get::<_, Instant>(4)?.0,
        ended_at: row.get::<_, Option<Instant>>(5)?.map(|at| at.0),
    })
}

/// Newest first.
pub(super) fn all(connection: &Connection, open_only: bool) -> rusqlite::Result<Vec<RotationRow>> {
    let sql = if open_only {
        select!("WHERE status IN ('open', 'stuck') ORDER BY started_at DESC, id DESC")
    } else {
        select!("ORDER BY started_at DESC, id DESC")
    };
    connection.prepare_cached(sql)?.query_map([], from_row)?.collect()
}

pub(super) fn one(connection: &Connection, id: RotationId) -> Result<RotationRow, LedgerError> {
    let rotation = connection
        .prepare_cached(select!("WHERE id = ?1"))
        .and_then(|mut statement| statement.query_row([Id(id.0)], from_row).optional())
        .map_err(failed)?;
    rotation.ok_or_else(|| LedgerError::NotFound("rotation".to_owned()))
}

pub(super) fn has_open(connection: &Connection, key: KeyId) -> rusqlite::Result<bool> {
    connection.prepare_cached(select!("WHERE key = ?1 AND status IN ('open', 'stuck')"))?.exists([Id(key.0)])
}

/// Adds a rotation's row. Its epoch is 0 whatever the caller says: its journal is empty.
pub(super) fn open(connection: &Connection, new: &RotationRow) -> Result<(), LedgerError> {
    let opened = connection
        .prepare_cached("INSERT INTO rotations (id, key, status, epoch, started_at, ended_at) VALUES (?1, ?2, ?3, 0, ?4, ?5)")
        .and_then(|mut statement| {
            statement.execute(params![
                Id(new.id.0),
                Id(new.key.0),
                Word(new.status),
                Instant(new.started_at),
                new.ended_at.map(Instant),
            ])
        });
    opened.map(|_| ()).map_err(|error| refused(error, "key"))
}

fn refused(error: rusqlite::Error, missing: &str) -> LedgerError {
    if is_duplicate(&error) {
        LedgerError::Exists("an open rotation of this key".to_owned())
    } else if is_dangling(&error) {
        LedgerError::NotFound(missing.to_owned())
    } else {
        failed(error)
    }
}

/// Moves a row to a status. One that ends gets its end, one that has ended keeps it, one that is open again loses it.
pub(super) fn move_to(
    connection: &Connection,
    id: RotationId,
    status: RotationStatus,
    at: DateTime<Utc>,
) -> Result<(), LedgerError> {
    let moved = connection
        .prepare_cached("UPDATE rotations SET status = ?2, ended_at = iif(?3, NULL, coalesce(ended_at, ?4)) WHERE id = ?1")
        .and_then(|mut statement| statement.execute(params![Id(id.0), Word(status), status.is_open(), Instant(at)]));
    found(moved.map_err(|error| refused(error, "rotation"))?, "rotation")
}

/// The epoch, or none when there is no such rotation.
pub(super) fn epoch(connection: &Connection, id: RotationId) -> rusqlite::Result<Option<u64>> {
    connection.prepare_cached("SELECT epoch FROM rotations WHERE id = ?1")?.query_row([Id(id.0)], |row| row.get(0)).optional()
}

/// The journal has got a row more.
pub(super) fn count_up(connection: &Connection, id: RotationId, epoch: u64) -> rusqlite::Result<()> {
    connection.prepare_cached("UPDATE rotations SET epoch = ?2 WHERE id = ?1")?.execute(params![Id(id.0), epoch])?;
    Ok(())
}
