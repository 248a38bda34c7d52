//! Table `consents`: one row per (kind, subject); a newer consent replaces the older.

use super::columns::Instant;
use super::error::failed;
use keytender_core::ports::{Consent, LedgerError};
use rusqlite::{Connection, OptionalExtension, params};

/// Schema version 1.
pub(super) const V1: &str = "
CREATE TABLE consents (
    kind    TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail  TEXT NOT NULL,
    at      TEXT NOT NULL,
    PRIMARY KEY (kind, subject)
) STRICT, WITHOUT ROWID;
";

pub(super) fn one(connection: &Connection, kind: &str, subject: &str) -> rusqlite::Result<Option<Consent>> {
    connection
        .prepare_cached("SELECT kind, subject, detail, at FROM consents WHERE kind = ?1 AND subject = ?2")?
        .query_row([kind, subject], |row| {
            Ok(Consent { kind: row.get(0)?, subject: row.get(1)?, detail: row.get(2)?, at: row.get::<_, Instant>(3)?.0 })
        })
        .optional()
}

pub(super) fn give(connection: &Connection, consent: &Consent) -> Result<(), LedgerError> {
    connection
        .prepare_cached(
            "INSERT INTO consents (kind, subject, detail, at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (kind, subject) DO UPDATE SET detail = excluded.detail, at = excluded.at",
        )
        .and_then(|mut statement| statement.execute(params![consent.kind, consent.subject, consent.detail, Instant(consent.at)]))
        .map(|_| ())
        .map_err(failed)
}
