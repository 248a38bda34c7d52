//! Tables `notices` and `snoozes`: what became of reminders, and which keys are to be left in peace until when.
//!
//! What is due is computed from versions, not stored; a notice's row only says that it has happened.

use super::columns::{Id, Instant, Word};
use super::error::{failed, is_dangling};
use chrono::{DateTime, Utc};
use keytender_core::ids::{KeyId, VersionId};
use keytender_core::ports::{LedgerError, Notice};
use rusqlite::{Connection, params};

/// Schema version 1. A notice's primary key is the rule that a threshold fires once per version and expiry revision.
pub(super) const V1: &str = "
CREATE TABLE notices (
    version         BLOB NOT NULL REFERENCES versions (id) ON DELETE CASCADE,
    expiry_revision INTEGER NOT NULL,
    threshold       TEXT NOT NULL,
    outcome         TEXT NOT NULL,
    at              TEXT NOT NULL,
    PRIMARY KEY (version, expiry_revision, threshold)
) STRICT, WITHOUT ROWID;
CREATE TABLE snoozes (
    key   BLOB NOT NULL PRIMARY KEY REFERENCES keys (id) ON DELETE CASCADE,
    until TEXT NOT NULL
) STRICT, WITHOUT ROWID;
";

/// The notices of every version that is its key's current one.
pub(super) fn notices(connection: &Connection) -> rusqlite::Result<Vec<Notice>> {
    connection
        .prepare_cached(
            "SELECT n.version, n.expiry_revision, n.threshold, n.outcome, n.at
             FROM keys k CROSS JOIN notices n ON n.version = k.current",
        )?
        .query_map([], |row| {
            Ok(Notice {
                version: VersionId(row.get::<_, Id>(0)?.0),
                expiry_revision: row.get(1)?,
                threshold: row.get(2)?,
                outcome: row.get::<_, Word<_>>(3)?.0,
                at: row.get::<_, Instant>(4)?.0,
            })
        })?
        .collect()
}

/// Adds a notice; one that is recorded is left as it is.
pub(super) fn add_notice(connection: &Connection, new: &Notice) -> Result<(), LedgerError> {
    connection
        .prepare_cached(
            "INSERT INTO notices (version, expiry_revision, threshold, outcome, at) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (version, expiry_revision, threshold) DO NOTHING",
        )
        .and_then(|mut statement| {
            statement.execute(params![Id(new.version.0), new.expiry_revision, new.threshold, Word(new.outcome), Instant(new.at)])
        })
        .map(|_| ())
        .map_err(|error| missing(error, "version"))
}

/// Snoozes that reach past `now`.
pub(super) fn snoozes(connection: &Connection, now: DateTime<Utc>) -> rusqlite::Result<Vec<(KeyId, DateTime<Utc>)>> {
    connection
        .prepare_cached("SELECT key, until FROM snoozes WHERE until > ?1 ORDER BY until, key")?
        .query_map([Instant(now)], |row| Ok((KeyId(row.get::<_, Id>(0)?.0), row.get::<_, Instant>(1)?.0)))?
        .collect()
}

/// Sets a key's snooze; a newer one replaces the older, also when it ends earlier.
pub(super) fn snooze(connection: &Connection, key: KeyId, until: DateTime<Utc>) -> Result<(), LedgerError> {
    connection
        .prepare_cached("INSERT INTO snoozes (key, until) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET until = excluded.until")
        .and_then(|mut statement| statement.execute(params![Id(key.0), Instant(until)]))
        .map(|_| ())
        .map_err(|error| missing(error, "key"))
}

fn missing(error: rusqlite::Error, what: &str) -> LedgerError {
    if is_dangling(&error) { LedgerError::NotFound(what.to_owned()) } else { failed(error) }
}
