//! The undo folder: sealed copies of files as they stood before a write, and the record of a write under way.
//!
//! Both are named by the destination's id. Copies are sealed to the escrow's key and hold the whole old file; a record
//! holds names, inode numbers and a digest, never content. Nothing here touches a destination's own folder.

use super::file::trouble;
use keytender_core::ids::DestinationId;
use keytender_core::ports::{DestinationError, Escrow, EscrowError};
use keytender_core::secret::SecretBytes;
use serde::{Deserialize, Serialize};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The folder, 0700, with everything in it 0600.
pub(super) struct UndoFolder {
    path: PathBuf,
    escrow: Arc<dyn Escrow>,
}

/// What a write notes before it makes its temporary file, so that a later write can tell whose leftover it finds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// The folder of the destination's file.
    pub(super) folder: PathBuf,
    /// The destination's file.
    pub(super) name: PathBuf,
    /// The temporary file beside it.
    pub(super) temporary: String,
    /// SHA-256 of the file as it was read, in hex.
    pub(super) old_digest: String,
    /// SHA-256 of what takes its place, in hex.
    pub(super) new_digest: String,
}

/// A record that is being kept; the temporary file's inode is added to it once that is known.
pub(super) struct OpenRecord {
    path: PathBuf,
    file: File,
}

impl UndoFolder {
    pub(super) fn new(path: PathBuf, escrow: Arc<dyn Escrow>) -> Self {
        Self { path, escrow }
    }

    /// Makes the folder if it is not there.
    pub(super) fn prepare(&self) -> Result<(), DestinationError> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.path).map_err(|error| trouble(&self.path, error))
    }

    /// Seals a copy of a file's bytes and forces it to disk. Returns its path.
    pub(super) fn keep(&self, destination: DestinationId, bytes: &SecretBytes) -> Result<PathBuf, DestinationError> {
        self.prepare()?;
        let sealed = self.escrow.seal_bytes(bytes).map_err(|error| unsealed(&error))?;
        let newest = self.copies(destination)?.last().map_or(0, |(number, _)| *number);
        let path = self.path.join(format!("{destination}-{:04}.undo", newest + 1));
        let write = || {
            let mut file = private().create_new(true).open(&path)?;
            file.write_all(&sealed)?;
            file.sync_all()?;
            self.sync()
        };
        write().map_err(|error: io::Error| {
            // Half a copy is worth nothing, and a write that it was made for does not begin.
            let _ = fs::remove_file(&path);
            trouble(&path, error)
        })?;
        Ok(path)
    }

    /// Opens the newest copy, if there is one.
    pub(super) fn newest(&self, destination: DestinationId) -> Result<Option<SecretBytes>, DestinationError> {
        let copies = self.copies(destination)?;
        let Some((_, path)) = copies.last() else { return Ok(None) };
        let sealed = fs::read(path).map_err(|error| trouble(path, error))?;
        self.escrow.open_bytes(&sealed).map(Some).map_err(|error| unsealed(&error))
    }

    /// Removes one copy: the write that it was made for did not happen.
    pub(super) fn discard(&self, copy: &Path) -> Result<(), DestinationError> {
        fs::remove_file(copy).or_else(absent_is_fine).map_err(|error| trouble(copy, error))
    }

    /// Removes all copies of a destination.
    pub(super) fn forget(&self, destination: DestinationId) -> Result<(), DestinationError> {
        let copies = self.copies(destination)?;
        for (_, path) in &copies {
            self.discard(path)?;
        }
        if copies.is_empty() { Ok(()) } else { self.sync().map_err(|error| trouble(&self.path, error)) }
    }

    /// All copies of a destination, oldest first.
    fn copies(&self, destination: DestinationId) -> Result<Vec<(u32, PathBuf)>, DestinationError> {
        let entries = match fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(trouble(&self.path, error)),
        };
        let prefix = format!("{destination}-");
        let mut copies = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| trouble(&self.path, error))?;
            let name = entry.file_name();
            let number = name.to_str().and_then(|name| name.strip_prefix(&prefix)?.strip_suffix(".undo")?.parse().ok());
            copies.extend(number.map(|number: u32| (number, entry.path())));
        }
        copies.sort();
        Ok(copies)
    }

    fn record_path(&self, destination: DestinationId) -> PathBuf {
        self.path.join(format!("{destination}.write"))
    }

    /// Notes a write that is about to make its temporary file, and forces the note to disk.
    pub(super) fn note(&self, destination: DestinationId, record: &Record) -> Result<OpenRecord, DestinationError> {
        self.prepare()?;
        let path = self.record_path(destination);
        let write = || {
            let mut file = private().create(true).truncate(true).open(&path)?;
            serde_json::to_writer(&mut file, record)?;
            file.write_all(b"\n")?;
            file.sync_all()?;
            self.sync()?;
            Ok(file)
        };
        let file = write().map_err(|error: io::Error| trouble(&path, error))?;
        Ok(OpenRecord { path, file })
    }

    /// The record of a write that never came to its end, with the temporary file's inode if that was still noted.
    pub(super) fn unfinished(&self, destination: DestinationId) -> Result<Option<(Record, Option<u64>)>, DestinationError> {
        let path = self.record_path(destination);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(trouble(&path, error)),
        };
        let mut lines = text.split_inclusive('\n');
        // A torn record means that the temporary file was never made: the record is forced to disk before that.
        let record = lines.next().and_then(|line| serde_json::from_str(line.strip_suffix('\n')?).ok());
        let inode = lines.next().and_then(|line| line.strip_suffix('\n')?.parse().ok());
        Ok(record.map(|record| (record, inode)))
    }

    /// Removes the record: nothing is left over.
    pub(super) fn settle(&self, destination: DestinationId) -> Result<(), DestinationError> {
        let path = self.record_path(destination);
        fs::remove_file(&path).or_else(absent_is_fine).map_err(|error| trouble(&path, error))
    }

    fn sync(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }
}

impl OpenRecord {
    /// Adds the temporary file's inode and forces it to disk. Only then may a value be written into that file.
    pub(super) fn note_inode(&mut self, inode: u64) -> Result<(), DestinationError> {
        let mut write = || {
            self.file.write_all(format!("{inode}\n").as_bytes())?;
            self.file.sync_all()
        };
        write().map_err(|error: io::Error| trouble(&self.path, error))
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}

fn absent_is_fine(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

fn unsealed(error: &EscrowError) -> DestinationError {
    DestinationError::Io(format!("the undo copy: {error}"))
}
