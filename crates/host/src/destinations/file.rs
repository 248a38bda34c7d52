//! Reading a file that is to be written: what it is, whether it may be replaced, and every byte of it.
//!
//! Shared by all kinds of destination that are files. A file is looked at before it is opened and is opened without
//! following links, so nothing is ever read from a FIFO or a device, and what was judged is what was read. Replacing it is
//! in [`super::swap`]; nothing here writes.

use keytender_core::ports::DestinationError;
use keytender_core::secret::SecretBytes;
use keytender_core::words::Placement;
use rustix::fs::{Access, AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;
use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The largest file that is edited, in bytes. A hand-kept configuration file is thousands of times smaller.
pub(super) const FILE_BYTES_MAX: u64 = 10 * 1024 * 1024;
/// Room wanted beyond two copies of the file: folder entries, the leftover record, the seal's own bytes.
const ROOM_BYTES_MIN: u64 = 256 * 1024;

/// What tells one state of a file from another without its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) inode: u64,
    pub(super) size: u64,
    modified: (i64, i64),
}

impl Identity {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self { inode: metadata.ino(), size: metadata.size(), modified: (metadata.mtime(), metadata.mtime_nsec()) }
    }
}

/// A file as it was read, with the folder it stands in held open: whatever happens to the path meanwhile, the replacement
/// goes to the same folder.
pub(super) struct ReadFile {
    pub(super) folder: OwnedFd,
    pub(super) folder_path: PathBuf,
    pub(super) name: OsString,
    /// The file's own path: the target's, where a link was followed.
    pub(super) path: PathBuf,
    pub(super) file: File,
    pub(super) metadata: Metadata,
    pub(super) identity: Identity,
    pub(super) bytes: SecretBytes,
}

impl ReadFile {
    /// Reads the file that a destination names.
    pub(super) fn read(path: &Path, placement: Placement) -> Result<Self, DestinationError> {
        let path = resolve(path, placement)?;
        let (Some(folder_path), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(DestinationError::Unwritable(format!("{} does not name a file", path.display())));
        };
        let (folder_path, name) = (folder_path.to_owned(), name.to_owned());
        let folder = rustix::fs::open(&folder_path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
            .map_err(|errno| trouble(&folder_path, errno.into()))?;
        let (file, metadata) = open_regular(&folder, &name).map_err(|error| trouble(&path, error))?;
        judge(&path, &metadata, placement)?;
        let bytes = read_whole(&file, metadata.size()).map_err(|error| trouble(&path, error))?;
        // Somebody may have been writing while it was read; a text that never stood there must not be edited.
        let after = file.metadata().map_err(|error| trouble(&path, error))?;
        let identity = Identity::of(&metadata);
        if Identity::of(&after) != identity || bytes.len() as u64 != identity.size {
            return Err(DestinationError::Changed(path.display().to_string()));
        }
        Ok(Self { folder, folder_path, name, path, file, metadata, identity, bytes })
    }

    /// Whether a replacement would go through now: the file and its folder are writable and the disk has room.
    pub(super) fn check_replaceable(&self) -> Result<(), DestinationError> {
        if self.metadata.mode() & 0o222 == 0 {
            // Replacing it would need the folder's permission only; whoever took the write bits away meant something else.
            return Err(DestinationError::Unwritable(format!("{} is marked read-only", self.path.display())));
        }
        rustix::fs::accessat(&self.folder, ".", Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS).map_err(|errno| {
            DestinationError::Unwritable(format!(
                "the folder {} cannot be written ({}), and a file is replaced by one made beside it",
                self.folder_path.display(),
                io::Error::from(errno)
            ))
        })?;
        let room = rustix::fs::fstatvfs(&self.folder).map_err(|errno| trouble(&self.folder_path, errno.into()))?;
        if room.f_bavail.saturating_mul(room.f_frsize) < self.identity.size * 2 + ROOM_BYTES_MIN {
            return Err(DestinationError::Io(format!("no room on the disk of {}", self.folder_path.display())));
        }
        Ok(())
    }

    /// Whether the path still leads to this file in this state.
    pub(super) fn stands(&self) -> Result<bool, DestinationError> {
        match read_entry(&self.folder, &self.name) {
            Ok(now) => Ok(now.is_some_and(|(identity, bytes)| identity == self.identity && bytes.matches(&self.bytes))),
            Err(error) => Err(trouble(&self.path, error)),
        }
    }
}

/// The path whose last part is no symbolic link, by consent.
fn resolve(path: &Path, placement: Placement) -> Result<PathBuf, DestinationError> {
    if !path.is_absolute() {
        return Err(DestinationError::Unwritable(format!("{} is not an absolute path", path.display())));
    }
    let metadata = std::fs::symlink_metadata(path).map_err(|error| trouble(path, error))?;
    if !metadata.is_symlink() {
        return Ok(path.to_owned());
    }
    let target = std::fs::canonicalize(path).map_err(|error| trouble(path, error))?;
    if placement.follow_symlink {
        return Ok(target);
    }
    Err(DestinationError::NeedsConsent(format!(
        "{} is a symbolic link to {}; agree to writing the target, or name the target itself",
        path.display(),
        target.display()
    )))
}

/// Opens an entry of a folder if it is a regular file; anything else is not opened at all.
fn open_regular(folder: &OwnedFd, name: &OsStr) -> io::Result<(File, Metadata)> {
    let stat = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => None,
        FileType::Directory => Some("a folder"),
        FileType::Fifo => Some("a FIFO"),
        FileType::Socket => Some("a socket"),
        FileType::Symlink => Some("a symbolic link"),
        _ => Some("a device"),
    };
    if let Some(kind) = kind {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("is {kind}, not a regular file")));
    }
    // NONBLOCK: should a FIFO take the file's place just now, opening it must not hang.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::openat(folder, name, flags, Mode::empty())?);
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "is not a regular file any more"));
    }
    Ok((file, metadata))
}

/// An entry of a folder with its content; none if there is no such entry, or if it is not a regular file of a size that is
/// edited.
pub(super) fn read_entry(folder: &OwnedFd, name: &OsStr) -> io::Result<Option<(Identity, SecretBytes)>> {
    let (file, metadata) = match open_regular(folder, name) {
        Ok(opened) => opened,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidInput) => return Ok(None),
        Err(error) => return Err(error),
    };
    if metadata.size() > FILE_BYTES_MAX * 2 {
        return Ok(None);
    }
    Ok(Some((Identity::of(&metadata), read_whole(&file, metadata.size())?)))
}

fn read_whole(file: &File, size: u64) -> io::Result<SecretBytes> {
    // One byte more than expected, so that the buffer does not grow and leave a copy behind unless the file has grown.
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(size).unwrap_or(0) + 1));
    file.take(FILE_BYTES_MAX * 2 + 1).read_to_end(&mut bytes)?;
    Ok(SecretBytes::new(std::mem::take(&mut *bytes)))
}

fn judge(path: &Path, metadata: &Metadata, placement: Placement) -> Result<(), DestinationError> {
    let shown = path.display();
    if metadata.size() > FILE_BYTES_MAX {
        let mebibytes = FILE_BYTES_MAX / 1024 / 1024;
        return Err(DestinationError::Unwritable(format!("{shown} is larger than {mebibytes} MiB; edit it by hand")));
    }
    if metadata.nlink() > 1 {
        return Err(DestinationError::Unwritable(format!(
            "{shown} has {} hard links; replacing it would part this name from the others, which would keep the old value. \
             Remove the other links, or edit it by hand",
            metadata.nlink()
        )));
    }
    let me = rustix::process::geteuid().as_raw();
    if metadata.uid() != me && !placement.foreign_owner {
        return Err(DestinationError::NeedsConsent(format!(
            "{shown} belongs to another user (uid {}); agree to writing it all the same",
            metadata.uid()
        )));
    }
    if metadata.uid() != me && me != 0 {
        return Err(DestinationError::Unwritable(format!(
            "{shown} belongs to uid {}, and only root can write it without changing its owner",
            metadata.uid()
        )));
    }
    Ok(())
}

/// A failure of the file system in the words of a destination.
pub(super) fn trouble(path: &Path, error: io::Error) -> DestinationError {
    let shown = path.display();
    if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) {
        return DestinationError::Changed(format!("{shown} (a symbolic link now)"));
    }
    match error.kind() {
        io::ErrorKind::NotFound => DestinationError::Unwritable(format!("{shown} is not there")),
        io::ErrorKind::InvalidInput => DestinationError::Unwritable(format!("{shown} {error}")),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::NotADirectory => {
            DestinationError::Unwritable(format!("{shown}: {error}"))
        }
        _ => DestinationError::Io(format!("{shown}: {error}")),
    }
}
