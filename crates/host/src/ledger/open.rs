//! Opening and closing the file: its mode, its pragmas, its schema.
//!
//! A file that a newer Keytender wrote is refused before SQLite touches it: not migrated, not checkpointed, no mode changed.

use super::error::{failed, failed_io};
use super::{hold, schema};
use crate::private;
use keytender_core::ports::LedgerError;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;
use uuid::Uuid;

/// How long a statement waits for another process's transaction. Ours take milliseconds; a machine under load, or one
/// process in the middle of a large checkpoint, may need seconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// Most memory for pages, in KiB: 10,000 keys with their versions and notices take half of it. SQLite's own 2 MiB would have
/// every list of such a ledger read from the file again.
const CACHE_KIB: i64 = 32 * 1024;

/// Prepared statements that are kept: more than there are different ones.
const STATEMENTS: usize = 96;

/// Opens the ledger at an absolute path, made if it is not there.
pub(super) fn connection(path: &Path, locks: &Path, fresh_installation: Uuid) -> Result<Connection, LedgerError> {
    let written = header_version(path)?;
    refuse_newer(written.unwrap_or(0))?;
    // Two processes that both find no file, or an old one, take turns. Where nothing is to be done nobody waits.
    let turn = if written == Some(schema::LATEST) { None } else { Some(hold::whole_ledger(locks)?) };

    // SQLite gives its side files the mode of the main one, so that one's mode is right before SQLite opens it.
    private::open_file(path).map_err(|error| failed_io(&path.display().to_string(), &error))?;
    for side in side_files(path) {
        private::narrow(&side).map_err(|error| failed_io(&side.display().to_string(), &error))?;
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_timeout(PATIENCE).map_err(failed)?;

    // The newer version may still stand in the write-ahead log alone; closing must then not carry it over.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(failed)?;
    let version = schema::version(&connection)?;
    refuse_newer(version)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map_err(failed)?;

    prepare(&connection).map_err(failed)?;
    if version < schema::LATEST {
        schema::migrate(&mut connection, fresh_installation)?;
    }
    connection.pragma_update(None, "foreign_keys", true).map_err(failed)?;
    drop(turn);
    Ok(connection)
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    // Readers and the writer of two processes do not block each other.
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        tracing::warn!(%mode, "the file system allows no write-ahead log; two processes will wait for each other");
    }
    // A commit that was reported is on disk: the journal's intents are worth nothing otherwise.
    connection.pragma_update(None, "synchronous", "full")?;
    // What is deleted is overwritten with zeros.
    let _: i64 = connection.pragma_update_and_check(None, "secure_delete", true, |row| row.get(0))?;
    // A damaged page is noticed when it is read, and a planted schema runs no functions with side effects.
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?; // negative: KiB, positive would be pages
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(())
}

/// Moves the write-ahead log into the file and cuts it to nothing, so that what was deleted is gone from it too. Waits for
/// nobody: with another process in the file, the last one to close it does this.
pub(super) fn sweep(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(Duration::ZERO)?;
    let swept = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    connection.busy_timeout(PATIENCE)?;
    swept
}

/// The write-ahead log and its shared memory.
pub(super) fn side_files(path: &Path) -> [PathBuf; 2] {
    ["-wal", "-shm"].map(|suffix| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    })
}

fn refuse_newer(found: u64) -> Result<(), LedgerError> {
    if found > schema::LATEST { Err(LedgerError::Newer { found, known: schema::LATEST }) } else { Ok(()) }
}

/// The schema's version as the file's header says, without SQLite; none for a file that is missing or empty.
/// <https://www.sqlite.org/fileformat2.html>: the magic in bytes 0 to 15, the user version big-endian in 60 to 63.
///
/// Anything else is damage before SQLite sees it, for SQLite takes a file of one byte for an empty one and would make a new
/// ledger of what may be the stump of an old one.
fn header_version(path: &Path) -> Result<Option<u64>, LedgerError> {
    let io = |error: io::Error| failed_io(&path.display().to_string(), &error);
    let mut header = Vec::new();
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(io)?.take(64).read_to_end(&mut header).map_err(io)?,
    };
    let version: Option<[u8; 4]> = header.get(60..64).and_then(|bytes| bytes.try_into().ok());
    match version {
        Some(bytes) if header.starts_with(b"SQLite format 3\0") => Ok(Some(u64::from(u32::from_be_bytes(bytes)))),
        _ if header.is_empty() => Ok(None),
        _ => Err(LedgerError::Damaged(format!("{} is no SQLite file", path.display()))),
    }
}
