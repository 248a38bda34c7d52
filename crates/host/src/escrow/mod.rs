//! The escrow on disk: pre-allocated slots into which a reply is sealed before anything parses it.
//!
//! Sealing takes the public half only, so it works while the keychain is locked, hung or gone, and in a process that was
//! never given the vault. Nothing here knows what a reply means, or decides when a slot may be wiped.
//!
//! ```text
//! HOME/escrow/public.key              the public half
//! HOME/escrow/OWNER-ATTEMPT.slot      one slot, 0600, fixed size
//! ```

mod pair;
mod record;
mod slot;
#[cfg(test)]
mod tests;

use keytender_core::ports::{Escrow, EscrowError, Sealed, SlotId, SlotState, Vault};
use keytender_core::secret::SecretBytes;
use pair::KeyPair;
use slot::Content;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a rotation wants free beside its slot: room for the ledger, the vault and the destinations to be written to.
const FREE_BYTES_MIN: u64 = 16 * 1024 * 1024;

/// Asks the file system of a folder for its free bytes.
type FreeBytes = fn(&Path) -> io::Result<u64>;

/// The escrow of one home folder.
pub struct FileEscrow {
    folder: PathBuf,
    pair: KeyPair,
    free_bytes: FreeBytes,
}

impl FileEscrow {
    /// The escrow of a home folder, its private half in the vault. Touches neither before it is asked to.
    #[must_use]
    pub fn new(home: &Path, vault: Arc<dyn Vault>) -> Self {
        Self::on(home, Some(vault))
    }

    /// The escrow as a process sees it that seals and never opens: with the public half only. Where the private half would
    /// be needed, it answers [`VaultError::Absent`].
    #[must_use]
    pub fn for_sealing(home: &Path) -> Self {
        Self::on(home, None)
    }

    fn on(home: &Path, vault: Option<Arc<dyn Vault>>) -> Self {
        let folder = home.join("escrow");
        Self { pair: KeyPair::new(folder.join("public.key"), vault), folder, free_bytes }
    }

    fn slot_path(&self, slot: SlotId) -> PathBuf {
        self.folder.join(format!("{slot}.slot"))
    }

    fn make_folder(&self) -> Result<(), EscrowError> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.folder).map_err(|error| failed("making its folder", &error))
    }
}

impl Escrow for FileEscrow {
    fn prove(&self) -> Result<(), EscrowError> {
        self.make_folder()?;
        self.pair.prove()?;
        sync_folder(&self.folder)
    }

    fn allocate(&self, slot: SlotId) -> Result<(), EscrowError> {
        self.make_folder()?;
        let free = (self.free_bytes)(&self.folder).map_err(|error| failed("asking for free space", &error))?;
        if free < FREE_BYTES_MIN {
            return Err(EscrowError::Full(format!("{} KiB are free, 16 MiB are wanted", free / 1024)));
        }
        let path = self.slot_path(slot);
        let file = match slot::open(&path) {
            Ok(file) => Some(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed("opening a slot", &error)),
        };
        if let Some(file) = &file
            && !matches!(slot::read(file).map_err(|error| failed("reading a slot", &error))?, Content::Empty)
        {
            return Err(EscrowError::Written(slot));
        }
        match slot::allocate(&path) {
            Ok(_) => sync_folder(&self.folder),
            Err(error) => {
                // A slot without its room is worse than none: the next look would take it for allocated.
                if file.is_none() {
                    let _ = std::fs::remove_file(&path);
                }
                Err(failed("allocating a slot", &error))
            }
        }
    }

    fn seal(&self, slot: SlotId, record: &Sealed) -> Result<(), EscrowError> {
        let public = self.pair.public()?;
        let plain = record::encode(record).map_err(|error| EscrowError::Io(format!("encoding a record: {error}")))?;
        let ciphertext = pair::seal_to(&public, &plain)?;
        let file = slot::open(&self.slot_path(slot)).map_err(|error| missing_or(slot, &error))?;
        // Two sealers at one slot would tear both records; the lock ends with the file handle.
        file.lock().map_err(|error| failed("locking a slot", &error))?;
        match slot::read(&file).map_err(|error| failed("reading a slot", &error))? {
            Content::Empty => slot::write(&file, &ciphertext).map_err(|error| failed("writing a slot", &error)),
            Content::Torn | Content::Whole(_) => Err(EscrowError::Written(slot)),
        }
    }

    fn inspect(&self, slot: SlotId) -> Result<SlotState, EscrowError> {
        let file = match slot::open(&self.slot_path(slot)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(SlotState::Missing),
            Err(error) => return Err(failed("opening a slot", &error)),
        };
        Ok(match slot::read(&file).map_err(|error| failed("reading a slot", &error))? {
            Content::Empty => SlotState::Empty,
            Content::Torn => SlotState::Torn,
            Content::Whole(_) => SlotState::Whole,
        })
    }

    fn open(&self, slot: SlotId) -> Result<Sealed, EscrowError> {
        let file = slot::open(&self.slot_path(slot)).map_err(|error| missing_or(slot, &error))?;
        let Content::Whole(ciphertext) = slot::read(&file).map_err(|error| failed("reading a slot", &error))? else {
            return Err(EscrowError::Nothing(slot));
        };
        let plain = self.pair.private()?.unseal(&ciphertext).map_err(|_| EscrowError::WrongKey(slot))?;
        record::decode(&zeroize::Zeroizing::new(plain))
            .ok_or_else(|| EscrowError::Io(format!("slot {slot} opens, but its record is of a form this version does not know")))
    }

    fn wipe(&self, slot: SlotId) -> Result<(), EscrowError> {
        let path = self.slot_path(slot);
        let file = match slot::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed("opening a slot", &error)),
        };
        slot::blank(&file).map_err(|error| failed("overwriting a slot", &error))?;
        drop(file);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("removing a slot", &error)),
            _ => sync_folder(&self.folder),
        }
    }

    fn slots(&self) -> Result<Vec<SlotId>, EscrowError> {
        let entries = match std::fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed("listing slots", &error)),
        };
        let mut slots = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| failed("listing slots", &error))?;
            slots.extend(entry.file_name().to_str().and_then(slot_of_name));
        }
        slots.sort_unstable();
        Ok(slots)
    }

    fn seal_bytes(&self, plain: &SecretBytes) -> Result<Vec<u8>, EscrowError> {
        pair::seal_to(&self.pair.public()?, plain.expose())
    }

    fn open_bytes(&self, sealed: &[u8]) -> Result<SecretBytes, EscrowError> {
        self.pair.private()?.unseal(sealed).map(SecretBytes::new).map_err(|_| {
            EscrowError::KeyPair("these sealed bytes are damaged, or were sealed by another installation".to_owned())
        })
    }
}

/// The slot that a file name belongs to, if it is a slot's.
fn slot_of_name(name: &str) -> Option<SlotId> {
    let (owner, attempt) = name.strip_suffix(".slot")?.rsplit_once('-')?;
    Some(SlotId { owner: owner.parse().ok()?, attempt: attempt.parse().ok()? })
}

/// A slot that is not there holds nothing; any other trouble is the file system's.
fn missing_or(slot: SlotId, error: &io::Error) -> EscrowError {
    match error.kind() {
        io::ErrorKind::NotFound => EscrowError::Nothing(slot),
        _ => failed("opening a slot", error),
    }
}

/// The error for what the file system answered.
fn failed(what: &str, error: &io::Error) -> EscrowError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            EscrowError::Full(format!("{what}: {error}"))
        }
        _ => EscrowError::Io(format!("{what}: {error}")),
    }
}

/// Forces a folder's entries to the disk. Windows has no such call; NTFS journals them.
fn sync_folder(folder: &Path) -> Result<(), EscrowError> {
    #[cfg(unix)]
    std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| failed("writing its folder", &error))?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

/// Bytes that an ordinary user may still write.
#[cfg(unix)]
fn free_bytes(folder: &Path) -> io::Result<u64> {
    let figures = rustix::fs::statvfs(folder)?;
    Ok(figures.f_bavail.saturating_mul(figures.f_frsize))
}

/// Not asked on this system; allocating the slot finds out about its own room.
#[cfg(not(unix))]
fn free_bytes(_folder: &Path) -> io::Result<u64> {
    Ok(u64::MAX)
}
