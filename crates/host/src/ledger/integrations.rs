//! Table `integrations`. Names are unique by slug.

use super::columns::{Id, Instant, Json, Named, Word};
use super::error::{failed, found, is_dangling, is_duplicate};
use keytender_core::ids::{IntegrationId, KeyId};
use keytender_core::ports::LedgerError;
use keytender_core::words::{Integration, ServiceSlug};
use rusqlite::{Connection, Row, params};

/// Schema version 1. `managed_by` is looked at when the transaction ends, because an integration and the key that manages
/// it may come in one list of changes, in either order.
pub(super) const V1: &str = "
CREATE TABLE integrations (
    id          BLOB NOT NULL PRIMARY KEY,
    service     TEXT NOT NULL,
    name        TEXT NOT NULL,
    slug        TEXT NOT NULL UNIQUE,
    environment TEXT,
    settings    TEXT NOT NULL,
    managed_by  BLOB REFERENCES keys (id) DEFERRABLE INITIALLY DEFERRED,
    notes       TEXT NOT NULL,
    created_at  TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX integrations_managed_by ON integrations (managed_by) WHERE managed_by IS NOT NULL;
";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Integration> {
    Ok(Integration {
        id: IntegrationId(row.get::<_, Id>(0)?.0),
        service: ServiceSlug(row.get(1)?),
        name: row.get::<_, Named>(2)?.0,
        environment: row.get::<_, Option<Word<_>>>(3)?.map(|word| word.0),
        settings: row.get::<_, Json<_>>(4)?.0,
        managed_by: row.get::<_, Option<Id>>(5)?.map(|id| KeyId(id.0)),
        notes: row.get(6)?,
        created_at: row.get::<_, Instant>(7)?.0,
    })
}

/// All of them, by slug: as a person sorts names, without regard to case.
pub(super) fn all(connection: &Connection) -> rusqlite::Result<Vec<Integration>> {
    connection
        .prepare_cached(
            "SELECT id, service, name, environment, settings, managed_by, notes, created_at FROM integrations ORDER BY slug",
        )?
        .query_map([], from_row)?
        .collect()
}

pub(super) fn add(connection: &Connection, new: &Integration) -> Result<(), LedgerError> {
    write(
        connection,
        "INSERT INTO integrations (id, service, name, slug, environment, settings, managed_by, notes, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        new,
    )
    .map(|_| ())
}

pub(super) fn edit(connection: &Connection, new: &Integration) -> Result<(), LedgerError> {
    let rows = write(
        connection,
        "UPDATE integrations SET service = ?2, name = ?3, slug = ?4, environment = ?5, settings = ?6, managed_by = ?7,
         notes = ?8, created_at = ?9 WHERE id = ?1",
        new,
    )?;
    found(rows, "integration")
}

fn write(connection: &Connection, sql: &str, new: &Integration) -> Result<usize, LedgerError> {
    let mut statement = connection.prepare_cached(sql).map_err(failed)?;
    let written = statement.execute(params![
        Id(new.id.0),
        new.service.as_str(),
        new.name.as_str(),
        new.name.slug(),
        new.environment.map(Word),
        Json(&new.settings),
        new.managed_by.map(|key| Id(key.0)),
        new.notes,
        Instant(new.created_at),
    ]);
    written.map_err(|error| {
        if is_duplicate(&error) { LedgerError::Exists(format!("the integration \"{}\"", new.name)) } else { failed(error) }
    })
}

pub(super) fn remove(connection: &Connection, id: IntegrationId) -> Result<(), LedgerError> {
    let removed = connection
        .prepare_cached("DELETE FROM integrations WHERE id = ?1")
        .and_then(|mut statement| statement.execute([Id(id.0)]));
    match removed {
        Err(error) if is_dangling(&error) => {
            Err(LedgerError::InUse("this integration still has keys; remove them first".to_owned()))
        }
        other => found(other.map_err(failed)?, "integration"),
    }
}

/// The name of an integration whose keys this key manages, if there is one.
pub(super) fn managed_by(connection: &Connection, key: KeyId) -> rusqlite::Result<Option<String>> {
    connection
        .prepare_cached("SELECT name FROM integrations WHERE managed_by = ?1 ORDER BY slug LIMIT 1")?
        .query_map([Id(key.0)], |row| row.get(0))?
        .next()
        .transpose()
}
