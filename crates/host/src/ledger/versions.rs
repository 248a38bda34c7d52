//! Table `versions`.
//!
//! Expiry and health lie in plain columns rather than as JSON: lists and the reminder tick read one for every key.

use super::columns::{Id, Instant, Word};
use super::error::{failed, found, is_dangling};
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use keytender_core::expiry::{Expiry, Moment};
use keytender_core::ids::{KeyId, RotationId, VersionId};
use keytender_core::ports::LedgerError;
use keytender_core::words::{HealthCheck, Version, VersionState};
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Params, Row, ToSql, params};

/// Schema version 1. `made_by` refers to a rotation without a foreign key: a ledger that was rebuilt from the vault knows
/// the versions and no longer the rotations. The unique pair is what a key's `current` points to.
pub(super) const V1: &str = "
CREATE TABLE versions (
    id              BLOB NOT NULL PRIMARY KEY,
    key             BLOB NOT NULL REFERENCES keys (id) ON DELETE CASCADE,
    state           TEXT NOT NULL,
    store           TEXT NOT NULL,
    remote_id       TEXT,
    remote_name     TEXT,
    expiry          TEXT NOT NULL,
    expiry_at       TEXT,
    expiry_why      TEXT,
    expiry_revision INTEGER NOT NULL,
    issued_at       TEXT NOT NULL,
    issued_known    INTEGER NOT NULL CHECK (issued_known IN (0, 1)),
    made_by         BLOB,
    health          TEXT,
    health_at       TEXT,
    health_evidence TEXT,
    removed_at      TEXT,
    created_at      TEXT NOT NULL,
    UNIQUE (key, id)
) STRICT, WITHOUT ROWID;
";

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT v.id, v.key, v.state, v.store, v.remote_id, v.remote_name, v.expiry, v.expiry_at, v.expiry_why, ",
            "v.expiry_revision, v.issued_at, v.issued_known, v.made_by, v.health, v.health_at, v.health_evidence, ",
            "v.removed_at, v.created_at FROM ",
            $rest
        )
    };
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Version> {
    let health: Option<Word<_>> = row.get(13)?;
    let health = match health {
        Some(word) => Some(HealthCheck { health: word.0, at: row.get::<_, Instant>(14)?.0, evidence: row.get(15)? }),
        None => None,
    };
    Ok(Version {
        id: VersionId(row.get::<_, Id>(0)?.0),
        key: KeyId(row.get::<_, Id>(1)?.0),
        state: row.get::<_, Word<_>>(2)?.0,
        store: row.get(3)?,
        remote_id: row.get(4)?,
        remote_name: row.get(5)?,
        expiry: expiry_from_row(row)?,
        expiry_revision: row.get(9)?,
        issued_at: row.get::<_, Instant>(10)?.0,
        issued_known: row.get(11)?,
        made_by: row.get::<_, Option<Id>>(12)?.map(|id| RotationId(id.0)),
        health,
        removed_at: row.get::<_, Option<Instant>>(16)?.map(|at| at.0),
        created_at: row.get::<_, Instant>(17)?.0,
    })
}

/// A moment: a date as `2026-11-21`, an instant as [`Instant`] writes it.
struct When(Moment);

impl ToSql for When {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self.0 {
            Moment::Instant(at) => at.to_rfc3339_opts(SecondsFormat::Nanos, true).into(),
            Moment::Date(date) => date.to_string().into(),
        })
    }
}

impl FromSql for When {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let text = value.as_str()?;
        if text.contains('T') {
            return Instant::column_result(value).map(|at| Self(Moment::Instant(at.0)));
        }
        text.parse::<NaiveDate>().map(|date| Self(Moment::Date(date))).map_err(FromSqlError::other)
    }
}

fn expiry_from_row(row: &Row<'_>) -> rusqlite::Result<Expiry> {
    let at = || row.get::<_, When>(7).map(|when| when.0);
    Ok(match row.get_ref(6)?.as_str()? {
        "reported" => Expiry::Reported { at: at()?, by: row.get(8)? },
        "policy" => Expiry::Policy { at: at()?, rule: row.get(8)? },
        "estimated" => Expiry::Estimated { at: at()?, rule: row.get(8)? },
        "typed" => Expiry::Typed { at: at()? },
        "never" => Expiry::Never,
        "unknown" => Expiry::Unknown,
        other => {
            let unheard = format!("an expiry of the kind \"{other}\"");
            return Err(rusqlite::Error::FromSqlConversionFailure(6, rusqlite::types::Type::Text, unheard.into()));
        }
    })
}

/// The part of an expiry that says why: the reply's field or the policy's rule.
fn why(expiry: &Expiry) -> Option<&str> {
    match expiry {
        Expiry::Reported { by: why, .. } | Expiry::Policy { rule: why, .. } | Expiry::Estimated { rule: why, .. } => Some(why),
        Expiry::Typed { .. } | Expiry::Never | Expiry::Unknown => None,
    }
}

fn list(connection: &Connection, sql: &str, params: impl Params) -> rusqlite::Result<Vec<Version>> {
    connection.prepare_cached(sql)?.query_map(params, from_row)?.collect()
}

/// A key's, newest first. By date, not by id: the ids of versions that rotations make are derived, not in order.
pub(super) fn of_key(connection: &Connection, key: KeyId) -> rusqlite::Result<Vec<Version>> {
    list(connection, select!("versions v WHERE v.key = ?1 ORDER BY v.created_at DESC, v.id DESC"), [Id(key.0)])
}

pub(super) fn current(connection: &Connection) -> rusqlite::Result<Vec<Version>> {
    list(connection, select!("keys k CROSS JOIN versions v ON v.id = k.current"), [])
}

pub(super) fn stored(connection: &Connection) -> rusqlite::Result<Vec<Version>> {
    list(connection, select!("versions v WHERE v.removed_at IS NULL ORDER BY v.key, v.created_at, v.id"), [])
}

/// Every version, for the check.
pub(super) fn everything(connection: &Connection) -> rusqlite::Result<Vec<Version>> {
    list(connection, select!("versions v"), [])
}

pub(super) fn one(connection: &Connection, id: VersionId) -> Result<Version, LedgerError> {
    let version = connection
        .prepare_cached(select!("versions v WHERE v.id = ?1"))
        .and_then(|mut statement| statement.query_row([Id(id.0)], from_row).optional())
        .map_err(failed)?;
    version.ok_or_else(|| LedgerError::NotFound("version".to_owned()))
}

/// Adds a version; one with the same id stays as it is, whatever has become of it since.
pub(super) fn add(connection: &Connection, new: &Version) -> Result<(), LedgerError> {
    let added = connection
        .prepare_cached(
            "INSERT INTO versions (id, key, state, store, remote_id, remote_name, expiry, expiry_at, expiry_why,
             expiry_revision, issued_at, issued_known, made_by, health, health_at, health_evidence, removed_at, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)
             ON CONFLICT (id) DO NOTHING",
        )
        .and_then(|mut statement| {
            statement.execute(params![
                Id(new.id.0),
                Id(new.key.0),
                Word(new.state),
                new.store,
                new.remote_id,
                new.remote_name,
                new.expiry.provenance(),
                new.expiry.at().map(When),
                why(&new.expiry),
                new.expiry_revision,
                Instant(new.issued_at),
                new.issued_known,
                new.made_by.map(|rotation| Id(rotation.0)),
                new.health.as_ref().map(|check| Word(check.health)),
                new.health.as_ref().map(|check| Instant(check.at)),
                new.health.as_ref().map(|check| check.evidence.as_str()),
                new.removed_at.map(Instant),
                Instant(new.created_at),
            ])
        });
    added.map(|_| ()).map_err(|error| if is_dangling(&error) { LedgerError::NotFound("key".to_owned()) } else { failed(error) })
}

fn update(connection: &Connection, sql: &str, params: impl Params) -> Result<(), LedgerError> {
    let rows = connection.prepare_cached(sql).and_then(|mut statement| statement.execute(params)).map_err(failed)?;
    found(rows, "version")
}

pub(super) fn set_issued(connection: &Connection, id: VersionId, at: DateTime<Utc>) -> Result<(), LedgerError> {
    update(connection, "UPDATE versions SET issued_at = ?2, issued_known = 1 WHERE id = ?1", params![Id(id.0), Instant(at)])
}

pub(super) fn move_to(connection: &Connection, id: VersionId, state: VersionState) -> Result<(), LedgerError> {
    update(connection, "UPDATE versions SET state = ?2 WHERE id = ?1", params![Id(id.0), Word(state)])
}

/// A key's pointer moved: the version it names is current, and one that was so until now is previous. A version that has
/// already been moved on (revoked, compromised) keeps its state.
pub(super) fn follow_pointer(connection: &Connection, key: KeyId, version: Option<VersionId>) -> Result<(), LedgerError> {
    connection
        .prepare_cached("UPDATE versions SET state = 'previous' WHERE key = ?1 AND state = 'current' AND id IS NOT ?2")
        .and_then(|mut statement| statement.execute(params![Id(key.0), version.map(|version| Id(version.0))]))
        .map_err(failed)?;
    match version {
        Some(version) => update(
            connection,
            "UPDATE versions SET state = 'current' WHERE id = ?2 AND key = ?1",
            params![Id(key.0), Id(version.0)],
        ),
        None => Ok(()),
    }
}

pub(super) fn set_remote_id(connection: &Connection, id: VersionId, remote_id: &str) -> Result<(), LedgerError> {
    update(connection, "UPDATE versions SET remote_id = ?2 WHERE id = ?1", params![Id(id.0), remote_id])
}

/// Sets the expiry; the revision counts up only if it is another.
pub(super) fn set_expiry(connection: &Connection, id: VersionId, expiry: &Expiry) -> Result<(), LedgerError> {
    update(
        connection,
        "UPDATE versions SET expiry = ?2, expiry_at = ?3, expiry_why = ?4, expiry_revision = expiry_revision
         + NOT (expiry IS ?2 AND expiry_at IS ?3 AND expiry_why IS ?4) WHERE id = ?1",
        params![Id(id.0), expiry.provenance(), expiry.at().map(When), why(expiry)],
    )
}

pub(super) fn set_health(connection: &Connection, id: VersionId, check: &HealthCheck) -> Result<(), LedgerError> {
    update(
        connection,
        "UPDATE versions SET health = ?2, health_at = ?3, health_evidence = ?4 WHERE id = ?1",
        params![Id(id.0), Word(check.health), Instant(check.at), check.evidence],
    )
}

pub(super) fn mark_removed(connection: &Connection, id: VersionId, at: DateTime<Utc>) -> Result<(), LedgerError> {
    update(connection, "UPDATE versions SET removed_at = ?2 WHERE id = ?1", params![Id(id.0), Instant(at)])
}
