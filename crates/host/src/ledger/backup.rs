//! A copy of the ledger a day, seven kept. A copy holds what the ledger holds: no values.

use super::error::{failed, failed_io};
use super::{SqliteLedger, hold};
use crate::private;
use chrono::{DateTime, NaiveDate, Utc};
use keytender_core::ports::LedgerError;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// How many copies are kept: a week in which to notice.
const KEPT: usize = 7;

impl SqliteLedger {
    /// Copies the ledger to `ledger-YYYY-MM-DD.sqlite` in `folder` (made 0700, the copy 0600), by the UTC date of `now`, and
    /// removes all but the seven newest copies. Answers where the copy is, or none if that day has one.
    ///
    /// # Errors
    /// [`LedgerError::Damaged`] when the ledger is not sound: then nothing is copied and no older copy is removed. See
    /// [`LedgerError`] for the rest; a copy that was not finished is not there.
    pub fn backup_daily(&self, folder: &Path, now: DateTime<Utc>) -> Result<Option<PathBuf>, LedgerError> {
        let io = |error: io::Error| failed_io(&folder.display().to_string(), &error);
        private::make_folder(folder).map_err(io)?;
        let copy = folder.join(format!("ledger-{}.sqlite", now.date_naive()));
        if copy.exists() {
            return Ok(None);
        }
        // One process copies; the other then finds the copy.
        let _turn = hold::whole_ledger(&self.locks)?;
        if copy.exists() {
            return Ok(None);
        }
        let part = folder.join("ledger.part");
        let copied = self.copy_to(&part).and_then(|()| {
            std::fs::rename(&part, &copy).map_err(io)?;
            remove_old(folder).map_err(io)
        });
        if copied.is_err() {
            let _ = std::fs::remove_file(&part); // the reason for the failure matters more than this one's
        }
        copied.map(|()| Some(copy))
    }

    fn copy_to(&self, part: &Path) -> Result<(), LedgerError> {
        let io = |error: io::Error| failed_io(&part.display().to_string(), &error);
        match std::fs::remove_file(part) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io(error)),
            _ => {} // what a killed process left is gone
        }
        let file = private::open_file(part).map_err(io)?;
        let source = self.connection();
        let sound: String = source.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(failed)?;
        if sound != "ok" {
            return Err(LedgerError::Damaged(sound));
        }
        let mut copy = Connection::open_with_flags(part, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(failed)?;
        let step = Backup::new(&source, &mut copy).and_then(|backup| backup.step(-1)).map_err(failed)?;
        if step != StepResult::Done {
            return Err(LedgerError::Failed("another process is writing to the ledger; its copy is made later".to_owned()));
        }
        drop(source);
        // The copy says that it has a write-ahead log, as its source does; a copy is one file.
        let _: String = copy.pragma_update_and_check(None, "journal_mode", "delete", |row| row.get(0)).map_err(failed)?;
        copy.close().map_err(|(_, error)| failed(error))?;
        file.sync_all().map_err(io)
    }
}

/// Removes all but the newest copies and makes the folder's new entries durable. Other files are not ours to remove.
fn remove_old(folder: &Path) -> io::Result<()> {
    let mut copies: Vec<(NaiveDate, PathBuf)> = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let date = name.to_str().and_then(|name| name.strip_prefix("ledger-")?.strip_suffix(".sqlite")?.parse().ok());
        copies.extend(date.map(|date| (date, entry.path())));
    }
    copies.sort();
    let surplus = copies.len().saturating_sub(KEPT);
    copies.iter().take(surplus).try_for_each(|(_, path)| std::fs::remove_file(path))?;
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}
