//! What SQLite and the file system say, sorted into the ledger's closed kinds.
//!
//! By result code, never by message text. What a constraint means is known only where the statement stands, so tables ask
//! [`is_duplicate`] and [`is_dangling`] and name it themselves.

use keytender_core::ports::LedgerError;
use rusqlite::{Error, ErrorCode, ffi};
use std::io;

/// A row with this name or id is there already.
pub(super) fn is_duplicate(error: &Error) -> bool {
    matches!(extended_code(error), Some(ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY))
}

/// A row that is referred to is not there, or one that is to go is referred to.
pub(super) fn is_dangling(error: &Error) -> bool {
    extended_code(error) == Some(ffi::SQLITE_CONSTRAINT_FOREIGNKEY)
}

fn extended_code(error: &Error) -> Option<i32> {
    error.sqlite_error().map(|inner| inner.extended_code)
}

/// The kind of any failure whose statement has nothing to add.
pub(super) fn failed(error: Error) -> LedgerError {
    match &error {
        Error::SqliteFailure(inner, _) => match inner.code {
            ErrorCode::DiskFull => LedgerError::Full,
            // Shared memory that cannot grow: the disk (or its quota) is full before SQLite writes anything.
            _ if inner.extended_code == ffi::SQLITE_IOERR_SHMSIZE => LedgerError::Full,
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => LedgerError::Damaged(error.to_string()),
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
                LedgerError::Failed("another process kept the ledger to itself for too long; try again".to_owned())
            }
            _ => LedgerError::Failed(error.to_string()),
        },
        // A row that is there and does not read back as what it should be.
        Error::FromSqlConversionFailure(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::InvalidColumnType(..)
        | Error::Utf8Error(..) => LedgerError::Damaged(error.to_string()),
        _ => LedgerError::Failed(error.to_string()),
    }
}

/// The kind of a failure outside SQLite.
pub(super) fn failed_io(what: &str, error: &io::Error) -> LedgerError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => LedgerError::Full,
        _ => LedgerError::Failed(format!("{what}: {error}")),
    }
}

/// A statement that must have met exactly one row.
pub(super) fn found(rows: usize, what: &str) -> Result<(), LedgerError> {
    if rows == 0 { Err(LedgerError::NotFound(what.to_owned())) } else { Ok(()) }
}
