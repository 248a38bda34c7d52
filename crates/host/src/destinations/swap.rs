//! Replacing a file as one step that can be taken back.
//!
//! The new content is made ready beside the file, then the two change places (`RENAME_EXCHANGE`), then what came out is
//! compared with what had been read: if somebody else changed it in between, the two change back and nothing of theirs is
//! lost. At every instant the path leads to a whole file, the old one or the new one. What remains impossible: a program
//! that holds the old file open and writes into it after all this writes into a file without a name.
//!
//! Clean-up is done by plain code and not by destructors, so that a process that dies anywhere leaves exactly what the
//! tests leave; [`super::leftover`] puts that in order before the next write.

use super::attributes;
use super::file::{ReadFile, read_entry, trouble};
use super::undo::{OpenRecord, Record, UndoFolder};
use keytender_core::ids::DestinationId;
use keytender_core::ports::DestinationError;
use keytender_core::secret::SecretBytes;
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Where a replacement stands; tests stop it or step in there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    UndoKept,
    Noted,
    Created,
    InodeNoted,
    HalfWritten,
    Ready,
    Exchanged,
    Compared,
    Removed,
}

/// What tests put between the steps. The real thing has nothing there.
pub(super) struct Rehearsal {
    pub(super) at: Box<dyn Fn(Step) + Send + Sync>,
    /// Whether to use the file system's exchange where it has one.
    pub(super) exchange: bool,
}

impl Rehearsal {
    pub(super) fn none() -> Self {
        Self { at: Box::new(|_| ()), exchange: true }
    }
}

/// One replacement of one file.
pub(super) struct Replacement<'a> {
    pub(super) destination: DestinationId,
    pub(super) old: &'a ReadFile,
    pub(super) new: &'a SecretBytes,
    pub(super) undo: &'a UndoFolder,
    pub(super) rehearsal: &'a Rehearsal,
}

/// How the new file came to its place.
enum Swapped {
    /// The old one now has the temporary name.
    Exchanged,
    /// The old one is gone.
    Renamed,
}

impl Replacement<'_> {
    /// Carries it out. On an error the path leads to what stood there.
    pub(super) fn run(&self) -> Result<(), DestinationError> {
        let copy = self.undo.keep(self.destination, &self.old.bytes)?;
        self.at(Step::UndoKept);
        let temporary = make_temporary_name()?;
        let result = self.stage(&temporary).and_then(|inode| Ok((inode, self.swap(&temporary)?)));
        let (inode, swapped) = match result {
            Ok(staged) => staged,
            Err(error) => {
                self.remove(&temporary)?;
                self.undo.settle(self.destination)?;
                self.undo.discard(&copy)?;
                return Err(error);
            }
        };
        if matches!(swapped, Swapped::Exchanged) {
            self.at(Step::Exchanged);
            if !self.came_out_as_read(&temporary)? {
                self.put_back(&temporary, inode)?;
                self.undo.settle(self.destination)?;
                self.undo.discard(&copy)?;
                return Err(DestinationError::Changed(self.old.path.display().to_string()));
            }
            self.at(Step::Compared);
            self.remove(&temporary)?;
        }
        self.at(Step::Removed);
        rustix::fs::fsync(&self.old.folder).map_err(|errno| trouble(&self.old.folder_path, errno.into()))?;
        self.undo.settle(self.destination)
    }

    fn at(&self, step: Step) {
        (self.rehearsal.at)(step);
    }

    /// Makes the new file beside the old one, whole, forced to disk, with the old one's mode, owner and attributes.
    /// Returns its inode.
    fn stage(&self, temporary: &str) -> Result<u64, DestinationError> {
        let mut record = self.undo.note(
            self.destination,
            &Record {
                folder: self.old.folder_path.clone(),
                name: self.old.name.clone().into(),
                temporary: temporary.to_owned(),
                old_digest: digest(&self.old.bytes),
                new_digest: digest(self.new),
            },
        )?;
        self.at(Step::Noted);
        let path = self.old.folder_path.join(temporary);
        // 0600 until it is whole: it holds a secret before it has its final mode and owner.
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.old.folder, temporary, flags, Mode::RUSR | Mode::WUSR)
            .map_err(|errno| trouble(&path, errno.into()))?;
        self.at(Step::Created);
        self.fill(File::from(file), &mut record, &path)
    }

    fn fill(&self, mut file: File, record: &mut OpenRecord, path: &Path) -> Result<u64, DestinationError> {
        let inode = file.metadata().map_err(|error| trouble(path, error))?.ino();
        record.note_inode(inode)?;
        self.at(Step::InodeNoted);
        let (first, rest) = self.new.expose().split_at(self.new.len() / 2);
        file.write_all(first).map_err(|error| trouble(path, error))?;
        self.at(Step::HalfWritten);
        file.write_all(rest).map_err(|error| trouble(path, error))?;
        attributes::carry_over(self.old, &file)?;
        file.sync_all().map_err(|error| trouble(path, error))?;
        self.at(Step::Ready);
        Ok(inode)
    }

    fn swap(&self, temporary: &str) -> Result<Swapped, DestinationError> {
        let (folder, name) = (&self.old.folder, &self.old.name);
        if self.rehearsal.exchange {
            match exchange(folder, temporary, name.as_ref()) {
                Ok(()) => return Ok(Swapped::Exchanged),
                Err(Errno::NOENT) => return Err(DestinationError::Changed(self.old.path.display().to_string())),
                // A file system without exchange (NFS, FAT, old kernels): look again, as late as possible, then rename.
                Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
                Err(errno) => return Err(trouble(&self.old.path, errno.into())),
            }
        }
        if !self.old.stands()? {
            return Err(DestinationError::Changed(self.old.path.display().to_string()));
        }
        rustix::fs::renameat(folder, temporary, folder, name).map_err(|errno| trouble(&self.old.path, errno.into()))?;
        Ok(Swapped::Renamed)
    }

    fn came_out_as_read(&self, temporary: &str) -> Result<bool, DestinationError> {
        let out = read_entry(&self.old.folder, temporary.as_ref()).map_err(|error| trouble(&self.old.path, error))?;
        Ok(out.is_some_and(|(identity, bytes)| identity == self.old.identity && bytes.matches(&self.old.bytes)))
    }

    /// Gives the path back to what somebody else made of the file.
    fn put_back(&self, temporary: &str, inode: u64) -> Result<(), DestinationError> {
        let failed = |errno: Errno| trouble(&self.old.path, errno.into());
        exchange(&self.old.folder, temporary, self.old.name.as_ref()).map_err(failed)?;
        let ours = read_entry(&self.old.folder, temporary.as_ref())
            .map_err(|error| trouble(&self.old.path, error))?
            .is_some_and(|(identity, bytes)| identity.inode == inode && bytes.matches(self.new));
        if ours {
            return self.remove(temporary);
        }
        // Changed a second time, between the two exchanges: the later text belongs at the path, the earlier one is kept.
        exchange(&self.old.folder, temporary, self.old.name.as_ref()).map_err(failed)?;
        self.undo.settle(self.destination)?;
        Err(kept_beside(&self.old.path, temporary))
    }

    fn remove(&self, temporary: &str) -> Result<(), DestinationError> {
        remove_entry(&self.old.folder, temporary).map_err(|error| trouble(&self.old.folder_path.join(temporary), error))
    }
}

pub(super) fn kept_beside(path: &Path, temporary: &str) -> DestinationError {
    DestinationError::Unexpected(format!(
        "{} was changed several times while it was being written; its latest text stands, an earlier one is kept beside it as \
         {temporary}: look at both, remove that one, and try again",
        path.display()
    ))
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
pub(super) fn exchange(folder: &OwnedFd, temporary: &str, name: &Path) -> rustix::io::Result<()> {
    rustix::fs::renameat_with(folder, temporary, folder, name, rustix::fs::RenameFlags::EXCHANGE)
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
pub(super) fn exchange(_: &OwnedFd, _: &str, _: &Path) -> rustix::io::Result<()> {
    Err(Errno::NOSYS)
}

pub(super) fn remove_entry(folder: &OwnedFd, name: &str) -> io::Result<()> {
    match rustix::fs::unlinkat(folder, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

/// A name that tells nothing and is nobody else's.
fn make_temporary_name() -> Result<String, DestinationError> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|error| DestinationError::Io(format!("no randomness: {error}")))?;
    Ok(format!(".kt-{}.tmp", hex::encode(random)))
}

pub(super) fn digest(bytes: &SecretBytes) -> String {
    hex::encode(Sha256::digest(bytes.expose()))
}
