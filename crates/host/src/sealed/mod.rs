//! The sealed vault: one encrypted file, for machines where no keychain answers.
//!
//! The whole file is written anew for every change (written aside, synced, moved into place), so that a crash leaves the old
//! or the new one. Writers take a lock beside the file and read it again under that lock, so that two processes do not lose
//! each other's records; readers need none. What may not live here: what the bytes mean (`keytender_core::envelope`), and
//! asking a person for the passphrase.

mod crypt;
mod error;
mod format;
mod passphrase;
#[cfg(test)]
mod tests;

pub use self::error::SealedError;
pub use self::passphrase::{Passphrase, PassphraseError};

use self::crypt::{Cost, Key};
use self::error::STORE;
use self::format::Content;
use atomic_write_file::AtomicWriteFile;
use keytender_core::ports::{Item, StoreProof, Vault, VaultError};
use keytender_core::secret::{SecretBytes, SecretText};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// The vault's file in the home folder.
pub const FILE_NAME: &str = "vault.sealed";

/// How long a writer waits for another. A write takes milliseconds; a process stopped over one must not stop us for good.
const LOCK_WAIT: Duration = Duration::from_secs(5);
/// Between two attempts at the lock.
const LOCK_POLL: Duration = Duration::from_millis(5);

/// A sealed vault, locked or unlocked. Unlocked, it keeps the data key in memory and nothing else.
pub struct SealedVault {
    path: PathBuf,
    /// How long to wait for another writer.
    patience: Duration,
    open: Mutex<Option<Open>>,
}

/// What an unlocked vault remembers.
struct Open {
    key: Key,
    /// The header that the key was sealed in: the file under another header is another vault.
    header: Vec<u8>,
}

/// What the file holds, as far as it can be read. For finding out after damage; see [`SealedVault::survey`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// The items that can be read.
    pub readable: Vec<Item>,
    /// How many records cannot be opened.
    pub damaged: usize,
    /// Whether the file ends before its last record.
    pub cut_short: bool,
}

impl SealedVault {
    /// The vault at this path, locked. Looks at nothing yet.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned(), patience: LOCK_WAIT, open: Mutex::new(None) }
    }

    /// Whether there is a vault at this path.
    #[must_use]
    pub fn exists(path: &Path) -> bool {
        path.exists()
    }

    /// Makes a new, empty vault in a folder that exists. It comes unlocked. A lost passphrase cannot be recovered.
    ///
    /// # Errors
    /// [`SealedError::AlreadyThere`], [`SealedError::Busy`], [`SealedError::File`] or [`SealedError::Crypto`].
    pub fn create(path: &Path, passphrase: &SecretText) -> Result<Self, SealedError> {
        Self::create_at(path, passphrase, Cost::USUAL)
    }

    fn create_at(path: &Path, passphrase: &SecretText, cost: Cost) -> Result<Self, SealedError> {
        let vault = Self::at(path);
        let (content, key) = Content::of_new(passphrase, cost)?;
        let _lock = vault.lock_file()?;
        if path.exists() {
            return Err(SealedError::AlreadyThere { path: path.display().to_string() });
        }
        vault.write(&content)?;
        *vault.state() = Some(Open { key, header: content.header });
        Ok(vault)
    }

    /// The vault at this path, unlocked. Takes about a tenth of a second on purpose.
    ///
    /// # Errors
    /// [`SealedError::WrongPassphrase`], [`SealedError::Missing`], [`SealedError::DamagedHeader`], [`SealedError::Newer`],
    /// [`SealedError::File`] or [`SealedError::Crypto`]. Damaged records and a file cut short show when they are met.
    pub fn unlock(path: &Path, passphrase: &SecretText) -> Result<Self, SealedError> {
        let vault = Self::at(path);
        vault.reopen(passphrase)?;
        Ok(vault)
    }

    /// Unlocks this vault, again or for the first time.
    ///
    /// # Errors
    /// As [`SealedVault::unlock`]; the vault then stays as it was.
    pub fn reopen(&self, passphrase: &SecretText) -> Result<(), SealedError> {
        let content = self.read()?;
        let key = content.unlock(passphrase)?;
        *self.state() = Some(Open { key, header: content.header });
        Ok(())
    }

    /// Drops the data key: from now on every call answers [`VaultError::Locked`].
    pub fn lock(&self) {
        *self.state() = None;
    }

    /// What there is, after damage too, where [`Vault::items`] refuses rather than give a list that is short.
    ///
    /// # Errors
    /// [`SealedError::Locked`], [`SealedError::Exchanged`], [`SealedError::Missing`] or [`SealedError::File`].
    pub fn survey(&self) -> Result<Survey, SealedError> {
        self.with_content(|content, key| {
            let (names, damaged) = content.names(key);
            let readable = names.iter().filter_map(|name| Item::from_name(name)).collect();
            Ok(Survey { readable, damaged, cut_short: content.require_whole().is_err() })
        })
    }

    /// Reads the file and does this with its content and the data key.
    fn with_content<T>(&self, job: impl FnOnce(&mut Content, &Key) -> Result<T, SealedError>) -> Result<T, SealedError> {
        let state = self.state();
        let open = state.as_ref().ok_or(SealedError::Locked)?;
        let mut content = self.read()?;
        if content.header != open.header {
            return Err(SealedError::Exchanged);
        }
        job(&mut content, &open.key)
    }

    /// Like [`Self::with_content`], under the file's lock; writes the content where `job` says that it changed.
    fn change(&self, job: impl FnOnce(&mut Content, &Key) -> Result<bool, SealedError>) -> Result<(), SealedError> {
        if self.state().is_none() {
            return Err(SealedError::Locked);
        }
        let _lock = self.lock_file()?;
        self.with_content(|content, key| {
            content.require_whole()?;
            if job(content, key)? { self.write(content) } else { Ok(()) }
        })
    }

    fn add(&self, name: &str, bytes: &SecretBytes) -> Result<(), SealedError> {
        self.change(|content, key| {
            if !content.holds(name) {
                return content.add(name, bytes, key).map(|()| true);
            }
            if content.open(name, key)?.matches(bytes) { Ok(false) } else { Err(SealedError::Taken) }
        })
    }

    fn take_out(&self, name: &str) -> Result<(), SealedError> {
        self.change(|content, _| Ok(content.take_out(name)))
    }

    fn open(&self, name: &str) -> Result<SecretBytes, SealedError> {
        self.with_content(|content, key| content.open(name, key))
    }

    fn read(&self) -> Result<Content, SealedError> {
        match std::fs::read(&self.path) {
            Ok(bytes) => Ok(Content::parse(&bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(SealedError::Missing { path: self.path.display().to_string() })
            }
            Err(error) => Err(self.failed("cannot read", &error)),
        }
    }

    /// Puts a new file in the place of the old one. The caller holds the lock.
    fn write(&self, content: &Content) -> Result<(), SealedError> {
        let failed = |error: std::io::Error| self.failed("cannot write", &error);
        self.sweep().map_err(failed)?;
        let mut options = AtomicWriteFile::options();
        #[cfg(unix)]
        {
            use atomic_write_file::unix::OpenOptionsExt as _;
            use std::os::unix::fs::OpenOptionsExt as _;
            options.preserve_mode(false).mode(0o600);
        }
        let mut file = options.open(&self.path).map_err(failed)?;
        file.write_all(&content.to_bytes()).map_err(failed)?;
        // Syncs the file, moves it into place and syncs the folder.
        file.commit().map_err(failed)
    }

    /// Removes what writers that were killed left beside the file. Only holders of the lock make such files.
    fn sweep(&self) -> std::io::Result<()> {
        let (Some(folder), Some(name)) = (self.path.parent(), self.path.file_name().and_then(|name| name.to_str())) else {
            return Ok(());
        };
        let prefix = format!(".{name}.");
        for entry in std::fs::read_dir(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })? {
            let entry = entry?;
            if entry.file_name().to_str().is_some_and(|name| name.starts_with(&prefix)) {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// The lock that writers hold. It lies in a file of its own, because the vault's is replaced at every write.
    fn lock_file(&self) -> Result<File, SealedError> {
        let path = self.path.with_added_extension("lock");
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(|error| self.failed("cannot lock", &error))?;
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) if begun.elapsed() < self.patience => std::thread::sleep(LOCK_POLL),
                Err(TryLockError::WouldBlock) => return Err(SealedError::Busy { seconds: self.patience.as_secs() }),
                Err(TryLockError::Error(error)) => return Err(self.failed("cannot lock", &error)),
            }
        }
    }

    fn failed(&self, doing: &'static str, error: &std::io::Error) -> SealedError {
        SealedError::File { doing, path: self.path.display().to_string(), kind: error.kind() }
    }

    /// The state, whatever a panicking thread left: it is a whole key or none.
    fn state(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Vault for SealedVault {
    fn kind(&self) -> &'static str {
        "sealed"
    }

    fn put(&self, item: &Item, bytes: &SecretBytes) -> Result<(), VaultError> {
        Ok(self.add(&item.name(), bytes)?)
    }

    fn fetch(&self, item: &Item) -> Result<SecretBytes, VaultError> {
        Ok(self.open(&item.name())?)
    }

    fn remove(&self, item: &Item) -> Result<(), VaultError> {
        Ok(self.take_out(&item.name())?)
    }

    fn items(&self) -> Result<Vec<Item>, VaultError> {
        let names = self.with_content(|content, key| {
            content.require_whole()?;
            match content.names(key) {
                (names, 0) => Ok(names),
                (_, count) => Err(SealedError::DamagedRecords { count }),
            }
        })?;
        Ok(names.iter().filter_map(|name| Item::from_name(name)).collect())
    }

    fn ready(&self) -> Result<(), VaultError> {
        Ok(self.with_content(|content, _| content.require_whole())?)
    }

    fn prove(&self) -> Result<StoreProof, VaultError> {
        let begun = Instant::now();
        let canary = Item::Canary(Uuid::new_v4().simple().to_string());
        let bytes = SecretBytes::new(Uuid::new_v4().as_bytes().to_vec());
        self.put(&canary, &bytes)?;
        let read = self.fetch(&canary);
        self.remove(&canary)?;
        if !read?.matches(&bytes) {
            let detail = "it gave back other bytes than it was given".to_owned();
            return Err(VaultError::Failing { store: STORE.to_owned(), detail });
        }
        let store = format!("sealed vault {}", self.path.display());
        Ok(StoreProof { store, millis: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX) })
    }
}
