//! Is the file sound? SQLite's own check of its pages, its check of references, and ours: every row reads back.

use super::error::failed;
use super::{activity, destinations, integrations, journal, keys, meta, reminders, rotations, versions};
use chrono::{DateTime, Utc};
use keytender_core::ports::LedgerError;
use rusqlite::Connection;

/// What is wrong, in words; nothing when it is sound. Only what has nothing to do with the file's contents is an error.
pub(super) fn complaints(connection: &Connection) -> Result<Vec<String>, LedgerError> {
    let mut complaints = Complaints::default();
    complaints.take(pages(connection).map_err(failed))?;
    complaints.take(references(connection).map_err(failed))?;
    complaints.note(meta::installation(connection))?;
    complaints.note(integrations::all(connection).map_err(failed))?;
    complaints.note(keys::all(connection).map_err(failed))?;
    complaints.note(versions::everything(connection).map_err(failed))?;
    complaints.note(destinations::all(connection).map_err(failed))?;
    complaints.note(reminders::notices(connection).map_err(failed))?;
    complaints.note(reminders::snoozes(connection, DateTime::<Utc>::UNIX_EPOCH).map_err(failed))?;
    complaints.note(activity::newest(connection, None, u32::MAX).map_err(failed))?;
    for rotation in complaints.note(rotations::all(connection, false).map_err(failed))?.unwrap_or_default() {
        complaints.note(journal::of_rotation(connection, rotation.id))?;
    }
    Ok(complaints.0)
}

/// SQLite walks every page, index and constraint: one row with `ok`, or what it found (at most its default of 100).
fn pages(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut found: Vec<String> =
        connection.prepare("PRAGMA integrity_check")?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    found.retain(|line| line != "ok");
    Ok(found)
}

fn references(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare("PRAGMA foreign_key_check")?
        .query_map([], |row| {
            let (child, parent): (String, String) = (row.get(0)?, row.get(2)?);
            Ok(format!("a row of {child} refers to a row of {parent} that is not there"))
        })?
        .collect()
}

#[derive(Default)]
struct Complaints(Vec<String>);

impl Complaints {
    /// Takes in a list of complaints, or the damage that kept it from being made.
    fn take(&mut self, list: Result<Vec<String>, LedgerError>) -> Result<(), LedgerError> {
        if let Some(list) = self.note(list)? {
            self.0.extend(list);
        }
        Ok(())
    }

    /// Turns damage into a complaint, said once.
    fn note<T>(&mut self, result: Result<T, LedgerError>) -> Result<Option<T>, LedgerError> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(LedgerError::Damaged(what)) => {
                if !self.0.contains(&what) {
                    self.0.push(what);
                }
                Ok(None)
            }
            Err(other) => Err(other),
        }
    }
}
