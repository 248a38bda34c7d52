//! Table `meta`: facts about the file itself. Today one, the installation's id.
//!
//! The schema's version is not here: SQLite keeps it in the header (`user_version`), where it can be read before a table.

use super::error::failed;
use keytender_core::ids::InstallationId;
use keytender_core::ports::LedgerError;
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

/// Schema version 1.
pub(super) const V1: &str = "
CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
";

/// Writes a new file's installation id; called by the migration that makes the table, in its transaction.
pub(super) fn start(connection: &Connection, installation: Uuid) -> rusqlite::Result<()> {
    connection.execute("INSERT INTO meta (name, value) VALUES ('installation', ?1)", [installation.to_string()])?;
    Ok(())
}

/// The installation's id.
pub(super) fn installation(connection: &Connection) -> Result<InstallationId, LedgerError> {
    let text: Option<String> = connection
        .query_row("SELECT value FROM meta WHERE name = 'installation'", params![], |row| row.get(0))
        .optional()
        .map_err(failed)?;
    text.and_then(|text| text.parse().ok()).ok_or_else(|| LedgerError::Damaged("it names no installation".to_owned()))
}
