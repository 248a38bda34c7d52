//! The lock of a rotation: one process, and one thread of it, steps a rotation at a time.
//!
//! The kernel's file lock (`flock`, `LockFileEx`) is let go when its process dies, however it dies. The single-instance
//! plugin of a desktop is no lock. What this lock cannot rule out (a file system without locks) the journal's
//! compare-and-swap still does.

use super::error::failed_io;
use crate::private;
use keytender_core::ids::RotationId;
use keytender_core::ports::LedgerError;
use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What this process holds. Where file locks belong to the process, a second thread would get one that is held already.
static HELD: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// A held lock; dropping it lets it go.
pub(super) struct Hold {
    file: File,
    path: PathBuf,
}

/// Takes the lock of a rotation, or answers [`LedgerError::Busy`] at once.
pub(super) fn rotation(locks: &Path, rotation: RotationId) -> Result<Hold, LedgerError> {
    let path = locks.join(format!("{rotation}.lock"));
    let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    if held.contains(&path) {
        return Err(LedgerError::Busy);
    }
    let hold = take(locks, &path)?.ok_or(LedgerError::Busy)?;
    held.insert(path);
    Ok(hold)
}

/// Takes the lock under which a ledger is made, brought to a newer schema or copied. Those are short, so this waits for
/// another process, for as long as a person would: an answer after ten seconds is better than none behind a stopped one.
pub(super) fn whole_ledger(locks: &Path) -> Result<Hold, LedgerError> {
    const PAUSE: Duration = Duration::from_millis(20);
    const TRIES: u32 = 500;
    let path = locks.join("ledger.lock");
    for _ in 0..TRIES {
        if let Some(hold) = take(locks, &path)? {
            return Ok(hold);
        }
        std::thread::sleep(PAUSE);
    }
    Err(LedgerError::Failed("another process has been opening the ledger for ten seconds; end it, then try again".to_owned()))
}

/// Takes a file lock; none when someone has it.
fn take(locks: &Path, path: &Path) -> Result<Option<Hold>, LedgerError> {
    let io = |error: &std::io::Error| failed_io(&format!("the lock {}", path.display()), error);
    private::make_folder(locks).map_err(|error| io(&error))?;
    loop {
        let file = private::open_file(path).map_err(|error| io(&error))?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(io(&error)),
            // Whoever held it before has removed the file: what we locked is nobody's path any more. Once more.
            Ok(()) if !is_at(&file, path) => {}
            Ok(()) => return Ok(Some(Hold { file, path: path.to_owned() })),
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        // Removed while it is held, so that no two processes ever hold two files of the same name; see `take`.
        #[cfg(unix)]
        let _ = std::fs::remove_file(&self.path); // one that stays is taken again just as well
        // Said aloud, not left to closing: a child that was forked and has not yet run its program holds a copy.
        let _ = self.file.unlock(); // closing lets it go in any case
        HELD.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.path);
    }
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(held), Ok(there)) => (held.dev(), held.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_at(_file: &File, _path: &Path) -> bool {
    true // lock files are not removed there
}
