//! The ledger on SQLite: everything but values, in one file that the app and the command line may have open at once.
//!
//! A table is one file: its part of the schema, its row, its reads and writes. This module holds what they share: the
//! connection, its transactions, and the port. SQL stays in this folder; a value never enters it.
//!
//! One connection behind a mutex serves all threads of a process. Statements take microseconds and the one slow part,
//! waiting for the disk at a commit, is serial in SQLite anyway.

mod activity;
mod backup;
mod changes;
mod check;
mod columns;
mod consents;
mod destinations;
mod error;
mod hold;
mod integrations;
mod journal;
mod keys;
mod meta;
mod open;
mod reminders;
mod rotations;
mod schema;
mod versions;

#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use error::{failed, failed_io, is_dangling};
use keytender_core::ids::{InstallationId, KeyId, RotationId, VersionId};
use keytender_core::ports::{Change, Consent, JournalRow, Ledger, LedgerError, Notice};
use keytender_core::rotation::Event;
use keytender_core::words::{Activity, Destination, Integration, Key, RotationRow, Version};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::any::Any;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// The ledger in an SQLite file.
pub struct SqliteLedger {
    connection: Mutex<Connection>,
    installation: InstallationId,
    locks: PathBuf,
}

impl SqliteLedger {
    /// Opens the ledger at `path`, makes it if it is not there, and brings an older one to this version's schema. Its folder
    /// is made 0700, the file 0600. `fresh_installation`, which must be random, becomes the installation's id if the file is
    /// new, and is not looked at otherwise. Locks lie in the folder `locks` beside the file.
    ///
    /// # Errors
    /// [`LedgerError::Newer`] for a file that a newer version wrote, [`LedgerError::Damaged`] for one that is no ledger; both
    /// are left untouched. See [`LedgerError`] for the rest.
    pub fn open(path: &Path, fresh_installation: Uuid) -> Result<Self, LedgerError> {
        let path = std::path::absolute(path).map_err(|error| failed_io(&path.display().to_string(), &error))?;
        let folder = path.parent().ok_or_else(|| LedgerError::Failed(format!("{} is no file", path.display())))?;
        crate::private::make_folder(folder).map_err(|error| failed_io(&folder.display().to_string(), &error))?;
        let locks = folder.join("locks");
        let connection = open::connection(&path, &locks, fresh_installation)?;
        let installation = meta::installation(&connection)?;
        Ok(Self { connection: Mutex::new(connection), installation, locks })
    }

    /// A panic while the mutex was held rolled its transaction back, so the connection is as good as before.
    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T>(&self, query: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, LedgerError> {
        query(&self.connection()).map_err(failed)
    }

    /// Runs `work` and then `changes` in one transaction. It takes the write lock at its start, so that what `work` read
    /// still holds when the changes are written.
    fn write(
        &self,
        before: impl FnOnce(&Transaction<'_>) -> Result<(), LedgerError>,
        changes: &[Change],
        after: impl FnOnce(&Transaction<'_>) -> Result<(), LedgerError>,
    ) -> Result<(), LedgerError> {
        let mut connection = self.connection();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        before(&transaction)?;
        changes.iter().try_for_each(|change| changes::apply(&transaction, change))?;
        after(&transaction)?;
        transaction.commit().map_err(|error| {
            // Only two references wait for the commit: an integration's managing key and a key's current version.
            if is_dangling(&error) {
                LedgerError::NotFound("managing key or current version as was named".to_owned())
            } else {
                failed(error)
            }
        })?;
        if changes.iter().any(changes::removes) {
            // It is committed; that the log could not be cut now is no failure, closing the ledger cuts it again.
            let _ = open::sweep(&connection);
        }
        Ok(())
    }
}

impl Drop for SqliteLedger {
    fn drop(&mut self) {
        // Nobody is left to tell; what stays in the log is read from there by whoever opens the ledger next.
        let _ = open::sweep(self.connection.get_mut().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Ledger for SqliteLedger {
    fn installation(&self) -> InstallationId {
        self.installation
    }

    fn apply(&self, changes: &[Change]) -> Result<(), LedgerError> {
        self.write(|_| Ok(()), changes, |_| Ok(()))
    }

    fn append(
        &self,
        rotation: RotationId,
        expected: u64,
        at: DateTime<Utc>,
        event: &Event,
        changes: &[Change],
    ) -> Result<(), LedgerError> {
        let opens = changes.iter().any(|change| matches!(change, Change::OpenRotation(row) if row.id == rotation));
        self.write(
            |transaction| journal::expect(transaction, rotation, expected, opens),
            changes,
            |transaction| journal::append(transaction, rotation, expected + 1, at, event),
        )
    }

    fn hold(&self, rotation: RotationId) -> Result<Box<dyn Any + Send>, LedgerError> {
        Ok(Box::new(hold::rotation(&self.locks, rotation)?))
    }

    fn data_version(&self) -> Result<u64, LedgerError> {
        self.read(|connection| connection.pragma_query_value(None, "data_version", |row| row.get(0)))
    }

    fn integrations(&self) -> Result<Vec<Integration>, LedgerError> {
        self.read(integrations::all)
    }

    fn keys(&self) -> Result<Vec<Key>, LedgerError> {
        self.read(keys::all)
    }

    fn key(&self, id: KeyId) -> Result<Key, LedgerError> {
        keys::one(&self.connection(), id)
    }

    fn versions(&self, key: KeyId) -> Result<Vec<Version>, LedgerError> {
        self.read(|connection| versions::of_key(connection, key))
    }

    fn version(&self, id: VersionId) -> Result<Version, LedgerError> {
        versions::one(&self.connection(), id)
    }

    fn current_versions(&self) -> Result<Vec<Version>, LedgerError> {
        self.read(versions::current)
    }

    fn stored_versions(&self) -> Result<Vec<Version>, LedgerError> {
        self.read(versions::stored)
    }

    fn destinations(&self, key: KeyId) -> Result<Vec<Destination>, LedgerError> {
        self.read(|connection| destinations::of_key(connection, key))
    }

    fn all_destinations(&self) -> Result<Vec<Destination>, LedgerError> {
        self.read(destinations::all)
    }

    fn rotations(&self, open_only: bool) -> Result<Vec<RotationRow>, LedgerError> {
        self.read(|connection| rotations::all(connection, open_only))
    }

    fn rotation(&self, id: RotationId) -> Result<RotationRow, LedgerError> {
        rotations::one(&self.connection(), id)
    }

    fn journal(&self, rotation: RotationId) -> Result<Vec<JournalRow>, LedgerError> {
        journal::of_rotation(&self.connection(), rotation)
    }

    fn history(&self, key: Option<KeyId>, limit: u32) -> Result<Vec<Activity>, LedgerError> {
        self.read(|connection| activity::newest(connection, key, limit))
    }

    fn consent(&self, kind: &str, subject: &str) -> Result<Option<Consent>, LedgerError> {
        self.read(|connection| consents::one(connection, kind, subject))
    }

    fn notices(&self) -> Result<Vec<Notice>, LedgerError> {
        self.read(reminders::notices)
    }

    fn snoozes(&self, now: DateTime<Utc>) -> Result<Vec<(KeyId, DateTime<Utc>)>, LedgerError> {
        self.read(|connection| reminders::snoozes(connection, now))
    }

    fn check(&self) -> Result<Vec<String>, LedgerError> {
        check::complaints(&self.connection())
    }
}
