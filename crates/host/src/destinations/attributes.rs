//! Mode, owner and extended attributes, carried from the old file to the one that takes its place.
//!
//! Whatever decides who may read the file is carried over or the write is refused; labels that the system sets by itself
//! are carried over where it lets us.

use super::file::{ReadFile, trouble};
use keytender_core::ports::DestinationError;
use rustix::fs::{Gid, Mode, Uid, XattrFlags};
use std::fs::File;
use std::os::unix::fs::MetadataExt;

/// The access control list, as Linux keeps it.
const ACCESS_LIST: &str = "system.posix_acl_access";

pub(super) fn carry_over(old: &ReadFile, new: &File) -> Result<(), DestinationError> {
    let ours = new.metadata().map_err(|error| trouble(&old.path, error))?;
    let (uid, gid) = (old.metadata.uid(), old.metadata.gid());
    if (ours.uid(), ours.gid()) != (uid, gid) {
        rustix::fs::fchown(new, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))
            .map_err(|_| refused(old, "its owner and group"))?;
    }
    let names = list(&old.file);
    if !names.iter().any(|name| name == ACCESS_LIST) && list(new).iter().any(|name| name == ACCESS_LIST) {
        // Inherited from the folder's default list; it would let in people whom the old file kept out.
        rustix::fs::fremovexattr(new, ACCESS_LIST).map_err(|_| refused(old, "its access control list"))?;
    }
    // After the owner: changing that takes set-user-id bits away.
    let mode = Mode::from_raw_mode((old.metadata.mode() & 0o7777) as rustix::fs::RawMode);
    rustix::fs::fchmod(new, mode).map_err(|_| refused(old, "its mode"))?;
    for name in &names {
        let copied = value(&old.file, name).and_then(|value| rustix::fs::fsetxattr(new, name, &value, XattrFlags::empty()));
        if copied.is_err() && name == ACCESS_LIST {
            return Err(refused(old, "its access control list"));
        }
    }
    Ok(())
}

/// The names of a file's attributes; none where the file system has none.
fn list(file: &File) -> Vec<String> {
    let size = rustix::fs::flistxattr_query(file).unwrap_or(0);
    let mut names = vec![0_u8; size];
    let filled = rustix::fs::flistxattr(file, names.as_mut_slice()).unwrap_or(0);
    names.truncate(filled);
    names
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty())
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect()
}

fn value(file: &File, name: &str) -> rustix::io::Result<Vec<u8>> {
    let size = rustix::fs::fgetxattr_query(file, name)?;
    let mut value = vec![0_u8; size];
    let filled = rustix::fs::fgetxattr(file, name, value.as_mut_slice())?;
    value.truncate(filled);
    Ok(value)
}

fn refused(old: &ReadFile, what: &str) -> DestinationError {
    DestinationError::Unwritable(format!("{}: a new file beside it cannot be given {what}; edit it by hand", old.path.display()))
}
