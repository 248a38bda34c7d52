//! What a write left behind that never came to its end, put in order before the next one.
//!
//! Touches nothing but the temporary file named in that write's record, and removes it only if it is the one that the write
//! made, or the old file that the undo copy holds as well.

use super::file::{read_entry, trouble};
use super::swap::{digest, exchange, kept_beside, remove_entry};
use super::undo::{Record, UndoFolder};
use keytender_core::ids::DestinationId;
use keytender_core::ports::DestinationError;
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;
use std::io;
use std::path::Path;

/// Looks for an unfinished write of a destination and puts the files back in order.
pub(super) fn recover(destination: DestinationId, undo: &UndoFolder) -> Result<(), DestinationError> {
    let Some((record, inode)) = undo.unfinished(destination)? else {
        return undo.settle(destination);
    };
    let path = record.folder.join(&record.name);
    let result = put_in_order(&record, inode, &path);
    match &result {
        // What could not be looked at now is looked at by the next write.
        Err(DestinationError::Io(_) | DestinationError::Unwritable(_)) => {}
        _ => undo.settle(destination)?,
    }
    result
}

fn put_in_order(record: &Record, inode: Option<u64>, path: &Path) -> Result<(), DestinationError> {
    let failed = |error: io::Error| trouble(path, error);
    let temporary = record.temporary.as_str();
    if !is_temporary_name(temporary) {
        return Ok(());
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = match rustix::fs::open(&record.folder, flags, Mode::empty()) {
        Ok(folder) => folder,
        Err(Errno::NOENT) => return Ok(()),
        Err(errno) => return Err(failed(errno.into())),
    };
    let stat = match rustix::fs::statat(&folder, temporary, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => stat,
        Err(Errno::NOENT) => return Ok(()),
        Err(errno) => return Err(failed(errno.into())),
    };
    let Some(inode) = inode else {
        // Stopped before the inode was noted, hence before a byte was written into it.
        let ours = stat.st_size == 0 && stat.st_uid == rustix::process::geteuid().as_raw();
        return if ours { remove_entry(&folder, temporary).map_err(failed) } else { Ok(()) };
    };
    if stat.st_ino != inode {
        // The two had changed places, and what had stood at the path was not compared yet.
        let out = read_entry(&folder, temporary.as_ref()).map_err(failed)?;
        if out.is_none_or(|(_, bytes)| digest(&bytes) != record.old_digest) {
            let now = read_entry(&folder, record.name.as_os_str()).map_err(failed)?;
            if !now.is_some_and(|(identity, bytes)| identity.inode == inode && digest(&bytes) == record.new_digest) {
                return Err(kept_beside(path, temporary));
            }
            exchange(&folder, temporary, &record.name).map_err(|errno| failed(errno.into()))?;
        }
    }
    remove_entry(&folder, temporary).map_err(failed)?;
    rustix::fs::fsync(&folder).map_err(|errno| failed(errno.into()))
}

fn is_temporary_name(name: &str) -> bool {
    let random = name.strip_prefix(".kt-").and_then(|rest| rest.strip_suffix(".tmp"));
    random.is_some_and(|random| random.len() == 32 && random.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
