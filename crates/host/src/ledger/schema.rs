//! The schema's versions. Migrations only append: what a released version wrote is never edited, and each inner list below
//! is one version, made of what the tables' own files add to it.

use super::error::failed;
use super::{activity, consents, destinations, integrations, journal, keys, meta, reminders, rotations, versions};
use keytender_core::ports::LedgerError;
use rusqlite::{Connection, Transaction};
use rusqlite_migration::{M, Migrations};
use uuid::Uuid;

/// Every version of the schema, oldest first.
const VERSIONS: &[&[&str]] = &[&[
    meta::V1,
    integrations::V1,
    keys::V1,
    versions::V1,
    destinations::V1,
    rotations::V1,
    journal::V1,
    activity::V1,
    consents::V1,
    reminders::V1,
]];

/// The version that this binary writes.
pub(super) const LATEST: u64 = VERSIONS.len() as u64;

/// The version of an open file; 0 for an empty one.
pub(super) fn version(connection: &Connection) -> Result<u64, LedgerError> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(failed)
}

/// Brings a file to the newest version, or leaves it as it was. `fresh_installation` becomes the id of an empty one.
pub(super) fn migrate(connection: &mut Connection, fresh_installation: Uuid) -> Result<(), LedgerError> {
    migrate_to(connection, VERSIONS.len(), fresh_installation)
}

/// Brings an older file to a version. Foreign keys are off meanwhile, because rebuilding a table with them on would cascade;
/// each version ends with a check of all of them instead.
pub(super) fn migrate_to(connection: &mut Connection, target: usize, fresh_installation: Uuid) -> Result<(), LedgerError> {
    let scripts: Vec<String> = VERSIONS.iter().map(|tables| tables.concat()).collect();
    let steps = scripts.iter().enumerate().map(|(index, script)| {
        let step = match index {
            0 => M::up_with_hook(script, move |transaction: &Transaction<'_>| Ok(meta::start(transaction, fresh_installation)?)),
            _ => M::up(script),
        };
        step.foreign_key_check()
    });
    connection.pragma_update(None, "foreign_keys", false).map_err(failed)?;
    Migrations::new(steps.collect()).to_version(connection, target).map_err(|error| match error {
        rusqlite_migration::Error::RusqliteError { err, .. } => failed(err),
        other => LedgerError::Failed(format!("the ledger could not be brought to this version's form: {other}")),
    })
}
