//! Table `activity`: the history that a person reads, append-only.
//!
//! Keys and rotations are named without a foreign key: that a key was removed is itself a line of history.

use super::columns::{Id, Instant, Word};
use super::error::failed;
use keytender_core::ids::{KeyId, RotationId};
use keytender_core::ports::LedgerError;
use keytender_core::words::Activity;
use rusqlite::{Connection, Row, params};

/// Schema version 1. The row's number is its place in the order in which lines were written, which a clock that was set
/// back does not change.
pub(super) const V1: &str = "
CREATE TABLE activity (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    at       TEXT NOT NULL,
    kind     TEXT NOT NULL,
    key      BLOB,
    rotation BLOB,
    text     TEXT NOT NULL
) STRICT;
CREATE INDEX activity_of_key ON activity (key, id) WHERE key IS NOT NULL;
CREATE TRIGGER activity_is_not_changed BEFORE UPDATE ON activity
BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
CREATE TRIGGER activity_is_not_removed BEFORE DELETE ON activity
BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
CREATE TRIGGER activity_is_not_replaced BEFORE INSERT ON activity
WHEN EXISTS (SELECT 1 FROM activity WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Activity> {
    Ok(Activity {
        at: row.get::<_, Instant>(0)?.0,
        kind: row.get::<_, Word<_>>(1)?.0,
        key: row.get::<_, Option<Id>>(2)?.map(|id| KeyId(id.0)),
        rotation: row.get::<_, Option<Id>>(3)?.map(|id| RotationId(id.0)),
        text: row.get(4)?,
    })
}

/// The last lines written, newest first; of one key if given.
pub(super) fn newest(connection: &Connection, key: Option<KeyId>, limit: u32) -> rusqlite::Result<Vec<Activity>> {
    match key {
        Some(key) => connection
            .prepare_cached("SELECT at, kind, key, rotation, text FROM activity WHERE key = ?1 ORDER BY id DESC LIMIT ?2")?
            .query_map(params![Id(key.0), limit], from_row)?
            .collect(),
        None => connection
            .prepare_cached("SELECT at, kind, key, rotation, text FROM activity ORDER BY id DESC LIMIT ?1")?
            .query_map([limit], from_row)?
            .collect(),
    }
}

pub(super) fn add(connection: &Connection, line: &Activity) -> Result<(), LedgerError> {
    connection
        .prepare_cached("INSERT INTO activity (at, kind, key, rotation, text) VALUES (?1, ?2, ?3, ?4, ?5)")
        .and_then(|mut statement| {
            statement.execute(params![
                Instant(line.at),
                Word(line.kind),
                line.key.map(|key| Id(key.0)),
                line.rotation.map(|rotation| Id(rotation.0)),
                line.text,
            ])
        })
        .map(|_| ())
        .map_err(failed)
}
