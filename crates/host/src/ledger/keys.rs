//! Table `keys`. Names are unique by slug within their integration.
//!
//! Only [`set_current`] moves a key's current version: an edit that was prepared before a rotation finished must not put
//! the old one back. The pointer can only name a version of the same key; SQLite refuses the transaction otherwise.

use super::columns::{Id, Instant, Json, Named};
use super::error::{failed, found, is_dangling, is_duplicate};
use super::{integrations, rotations};
use keytender_core::ids::{IntegrationId, KeyId, VersionId};
use keytender_core::ports::LedgerError;
use keytender_core::words::Key;
use rusqlite::{Connection, OptionalExtension, Row, params};

/// Schema version 1. `current` is looked at when the transaction ends: a key may come before the version it points to.
/// The trigger says below every statement what [`remove`] says in words.
pub(super) const V1: &str = "
CREATE TABLE keys (
    id          BLOB NOT NULL PRIMARY KEY,
    integration BLOB NOT NULL REFERENCES integrations (id),
    name        TEXT NOT NULL,
    slug        TEXT NOT NULL,
    kind        TEXT NOT NULL,
    options     TEXT NOT NULL,
    scopes      TEXT NOT NULL,
    identity    TEXT,
    current     BLOB,
    tags        TEXT NOT NULL,
    disabled    INTEGER NOT NULL CHECK (disabled IN (0, 1)),
    created_at  TEXT NOT NULL,
    UNIQUE (integration, slug),
    FOREIGN KEY (id, current) REFERENCES versions (key, id) DEFERRABLE INITIALLY DEFERRED
) STRICT, WITHOUT ROWID;
CREATE TRIGGER keys_in_rotation_stay BEFORE DELETE ON keys
WHEN EXISTS (SELECT 1 FROM rotations WHERE key = OLD.id AND status IN ('open', 'stuck'))
BEGIN SELECT RAISE(ABORT, 'a rotation of this key is open'); END;
";

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT k.id, k.integration, k.name, k.kind, k.options, k.scopes, k.identity, k.current, k.tags, k.disabled, ",
            "k.created_at FROM ",
            $rest
        )
    };
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Key> {
    Ok(Key {
        id: KeyId(row.get::<_, Id>(0)?.0),
        integration: IntegrationId(row.get::<_, Id>(1)?.0),
        name: row.get::<_, Named>(2)?.0,
        kind: row.get(3)?,
        options: row.get::<_, Json<_>>(4)?.0,
        scopes: row.get::<_, Json<_>>(5)?.0,
        identity: row.get(6)?,
        current: row.get::<_, Option<Id>>(7)?.map(|id| VersionId(id.0)),
        tags: row.get::<_, Json<_>>(8)?.0,
        disabled: row.get(9)?,
        created_at: row.get::<_, Instant>(10)?.0,
    })
}

/// All of them, by their integration's slug and their own.
pub(super) fn all(connection: &Connection) -> rusqlite::Result<Vec<Key>> {
    connection
        .prepare_cached(select!("integrations i CROSS JOIN keys k ON k.integration = i.id ORDER BY i.slug, k.slug"))?
        .query_map([], from_row)?
        .collect()
}

pub(super) fn one(connection: &Connection, id: KeyId) -> Result<Key, LedgerError> {
    let key = connection
        .prepare_cached(select!("keys k WHERE k.id = ?1"))
        .and_then(|mut statement| statement.query_row([Id(id.0)], from_row).optional())
        .map_err(failed)?;
    key.ok_or_else(|| LedgerError::NotFound("key".to_owned()))
}

pub(super) fn add(connection: &Connection, new: &Key) -> Result<(), LedgerError> {
    let added = connection
        .prepare_cached(
            "INSERT INTO keys (id, integration, name, slug, kind, options, scopes, identity, current, tags, disabled, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )
        .and_then(|mut statement| {
            statement.execute(params![
                Id(new.id.0),
                Id(new.integration.0),
                new.name.as_str(),
                new.name.slug(),
                new.kind,
                Json(&new.options),
                Json(&new.scopes),
                new.identity,
                new.current.map(|version| Id(version.0)),
                Json(&new.tags),
                new.disabled,
                Instant(new.created_at),
            ])
        });
    added.map(|_| ()).map_err(|error| refused(error, new))
}

/// Replaces everything in the row but the pointer to the current version.
pub(super) fn edit(connection: &Connection, new: &Key) -> Result<(), LedgerError> {
    let edited = connection
        .prepare_cached(
            "UPDATE keys SET integration = ?2, name = ?3, slug = ?4, kind = ?5, options = ?6, scopes = ?7, identity = ?8,
             tags = ?9, disabled = ?10, created_at = ?11 WHERE id = ?1",
        )
        .and_then(|mut statement| {
            statement.execute(params![
                Id(new.id.0),
                Id(new.integration.0),
                new.name.as_str(),
                new.name.slug(),
                new.kind,
                Json(&new.options),
                Json(&new.scopes),
                new.identity,
                Json(&new.tags),
                new.disabled,
                Instant(new.created_at),
            ])
        });
    found(edited.map_err(|error| refused(error, new))?, "key")
}

fn refused(error: rusqlite::Error, key: &Key) -> LedgerError {
    if is_duplicate(&error) {
        LedgerError::Exists(format!("the key \"{}\"", key.name))
    } else if is_dangling(&error) {
        LedgerError::NotFound("integration".to_owned())
    } else {
        failed(error)
    }
}

/// Removes a key with all that hangs on it by foreign key: versions and their notices, destinations, rotations and their
/// journals, its snooze. History stays.
pub(super) fn remove(connection: &Connection, id: KeyId) -> Result<(), LedgerError> {
    if rotations::has_open(connection, id).map_err(failed)? {
        return Err(LedgerError::InUse("a rotation of this key is open; finish or abort it first".to_owned()));
    }
    if let Some(integration) = integrations::managed_by(connection, id).map_err(failed)? {
        let help = format!("this key manages the keys of the integration \"{integration}\"; choose another there first");
        return Err(LedgerError::InUse(help));
    }
    let removed =
        connection.prepare_cached("DELETE FROM keys WHERE id = ?1").and_then(|mut statement| statement.execute([Id(id.0)]));
    found(removed.map_err(failed)?, "key")
}

/// Moves the pointer. What that means for the versions' states is in `versions::follow_pointer`.
pub(super) fn set_current(connection: &Connection, key: KeyId, version: Option<VersionId>) -> Result<(), LedgerError> {
    let moved = connection
        .prepare_cached("UPDATE keys SET current = ?2 WHERE id = ?1")
        .and_then(|mut statement| statement.execute(params![Id(key.0), version.map(|version| Id(version.0))]));
    found(moved.map_err(failed)?, "key")
}

pub(super) fn set_disabled(connection: &Connection, key: KeyId, disabled: bool) -> Result<(), LedgerError> {
    let set = connection
        .prepare_cached("UPDATE keys SET disabled = ?2 WHERE id = ?1")
        .and_then(|mut statement| statement.execute(params![Id(key.0), disabled]));
    found(set.map_err(failed)?, "key")
}

pub(super) fn set_identity(
    connection: &Connection,
    key: KeyId,
    identity: Option<&str>,
    scopes: Option<&[String]>,
) -> Result<(), LedgerError> {
    let set = connection
        .prepare_cached("UPDATE keys SET identity = coalesce(?2, identity), scopes = coalesce(?3, scopes) WHERE id = ?1")
        .and_then(|mut statement| statement.execute(params![Id(key.0), identity, scopes.map(Json)]));
    found(set.map_err(failed)?, "key")
}
