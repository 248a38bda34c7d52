//! Table `destinations`. Where a destination is and what is known of it are JSON: they differ by kind, and nothing
//! searches in them.

use super::columns::{Id, Instant, Json};
use super::error::{failed, found, is_dangling, is_duplicate};
use keytender_core::ids::{DestinationId, KeyId};
use keytender_core::ports::LedgerError;
use keytender_core::words::{Destination, DestinationState};
use rusqlite::{Connection, Row, params};

/// Schema version 1.
pub(super) const V1: &str = r#"
CREATE TABLE destinations (
    id         BLOB NOT NULL PRIMARY KEY,
    key        BLOB NOT NULL REFERENCES keys (id) ON DELETE CASCADE,
    "where"    TEXT NOT NULL,
    state      TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX destinations_of_key ON destinations (key, created_at);
"#;

fn from_row(row: &Row<'_>) -> rusqlite::Result<Destination> {
    Ok(Destination {
        id: DestinationId(row.get::<_, Id>(0)?.0),
        key: KeyId(row.get::<_, Id>(1)?.0),
        place: row.get::<_, Json<_>>(2)?.0,
        state: row.get::<_, Json<_>>(3)?.0,
        created_at: row.get::<_, Instant>(4)?.0,
    })
}

/// A key's, oldest first: the order in which a rotation writes them.
pub(super) fn of_key(connection: &Connection, key: KeyId) -> rusqlite::Result<Vec<Destination>> {
    connection
        .prepare_cached(r#"SELECT id, key, "where", state, created_at FROM destinations WHERE key = ?1 ORDER BY created_at, id"#)?
        .query_map([Id(key.0)], from_row)?
        .collect()
}

pub(super) fn all(connection: &Connection) -> rusqlite::Result<Vec<Destination>> {
    connection
        .prepare_cached(r#"SELECT id, key, "where", state, created_at FROM destinations ORDER BY key, created_at, id"#)?
        .query_map([], from_row)?
        .collect()
}

pub(super) fn add(connection: &Connection, new: &Destination) -> Result<(), LedgerError> {
    let added = connection
        .prepare_cached(r#"INSERT INTO destinations (id, key, "where", state, created_at) VALUES (?1, ?2, ?3, ?4, ?5)"#)
        .and_then(|mut statement| {
            statement.execute(params![Id(new.id.0), Id(new.key.0), Json(&new.place), Json(&new.state), Instant(new.created_at)])
        });
    added.map(|_| ()).map_err(|error| {
        if is_duplicate(&error) {
            LedgerError::Exists(format!("the destination {}", new.place.describe()))
        } else if is_dangling(&error) {
            LedgerError::NotFound("key".to_owned())
        } else {
            failed(error)
        }
    })
}

pub(super) fn remove(connection: &Connection, id: DestinationId) -> Result<(), LedgerError> {
    let removed = connection
        .prepare_cached("DELETE FROM destinations WHERE id = ?1")
        .and_then(|mut statement| statement.execute([Id(id.0)]));
    found(removed.map_err(failed)?, "destination")
}

pub(super) fn set_state(connection: &Connection, id: DestinationId, state: &DestinationState) -> Result<(), LedgerError> {
    let set = connection
        .prepare_cached("UPDATE destinations SET state = ?2 WHERE id = ?1")
        .and_then(|mut statement| statement.execute(params![Id(id.0), Json(state)]));
    found(set.map_err(failed)?, "destination")
}
