//! The key pair: the public half in a file, so that sealing needs no vault; the private half in the vault and nowhere else.

use crypto_box::aead::OsRng;
use crypto_box::{PublicKey, SecretKey};
use keytender_core::ports::{EscrowError, Item, Vault, VaultError};
use keytender_core::secret::SecretBytes;
use sha2::{Digest, Sha256};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use zeroize::Zeroizing;

/// The first word of the public half's file; the key and the start of its digest follow, in hex.
const MARK: &str = "keytender-escrow-x25519";

/// Both halves, each where it belongs.
pub(super) struct KeyPair {
    path: PathBuf,
    vault: Option<Arc<dyn Vault>>,
    /// The public half that a canary was opened with; what lies in the file afterwards is no longer asked.
    proven: Mutex<Option<PublicKey>>,
}

impl KeyPair {
    /// The pair with its public half in the file; touches neither half. Without a vault, only the public half can be had.
    pub(super) fn new(path: PathBuf, vault: Option<Arc<dyn Vault>>) -> Self {
        Self { path, vault, proven: Mutex::new(None) }
    }

    /// The public half to seal to: the proven one, else the one on disk. Never asks the vault.
    pub(super) fn public(&self) -> Result<PublicKey, EscrowError> {
        if let Some(proven) = self.proven.lock().unwrap_or_else(PoisonError::into_inner).clone() {
            return Ok(proven);
        }
        match read_public(&self.path)? {
            OnDisk::Public(key) => Ok(key),
            OnDisk::Missing | OnDisk::Damaged => Err(EscrowError::KeyPair(
                "its public half is gone or damaged, so nothing can be sealed. It is made anew from the private half in the vault \
                 by the next check of the store"
                    .to_owned(),
            )),
        }
    }

    /// The private half, which must be there.
    pub(super) fn private(&self) -> Result<SecretKey, EscrowError> {
        fetch_private(self.vault()?)?.ok_or_else(private_gone)
    }

    /// Has both halves, makes them on first use, and opens a fresh canary with them.
    pub(super) fn prove(&self) -> Result<(), EscrowError> {
        let (public, private) = self.both()?;
        let mut canary = [0; 32];
        getrandom::fill(&mut canary).map_err(|error| EscrowError::Io(format!("no randomness: {error}")))?;
        let opened = private.unseal(&seal_to(&public, &canary)?).ok();
        if opened.as_deref() != Some(&canary[..]) {
            return Err(EscrowError::KeyPair("a sealed canary did not open; nothing was sealed".to_owned()));
        }
        *self.proven.lock().unwrap_or_else(PoisonError::into_inner) = Some(public);
        Ok(())
    }

    /// Both halves. A public half that is lost or damaged is derived from the private one again.
    fn both(&self) -> Result<(PublicKey, SecretKey), EscrowError> {
        let vault = self.vault()?;
        let (public, private) = match (read_public(&self.path)?, fetch_private(vault)?) {
            (OnDisk::Public(public), Some(private)) => (Some(public), private),
            (OnDisk::Missing | OnDisk::Damaged, Some(private)) => (None, private),
            (OnDisk::Missing, None) => (None, make_private(vault)?),
            (OnDisk::Public(_) | OnDisk::Damaged, None) => return Err(private_gone()),
        };
        let derived = private.public_key();
        match public {
            Some(public) if public != derived => Err(EscrowError::KeyPair(format!(
                "its public half on disk does not belong to the private half in the vault, so what would be sealed could not be \
                 opened. If the vault is the right one, move {} away: it is made anew from the private half",
                self.path.display()
            ))),
            Some(_) => Ok((derived, private)),
            None => {
                write_public(&self.path, &derived)?;
                Ok((derived, private))
            }
        }
    }

    fn vault(&self) -> Result<&dyn Vault, EscrowError> {
        self.vault.as_deref().ok_or_else(|| {
            EscrowError::Vault(VaultError::Absent {
                store: "vault".to_owned(),
                detail: "this process was started to seal, not to open".to_owned(),
            })
        })
    }
}

fn private_gone() -> EscrowError {
    EscrowError::KeyPair(
        "its private half is not in the vault, so what was sealed cannot be opened. Unlock or restore the vault that holds it; only \
         if that vault is gone for good, move the escrow folder away and a new pair is made"
            .to_owned(),
    )
}

/// Seals bytes to a public half.
pub(super) fn seal_to(public: &PublicKey, plain: &[u8]) -> Result<Vec<u8>, EscrowError> {
    public.seal(&mut OsRng, plain).map_err(|_| EscrowError::Io("sealing failed".to_owned()))
}

/// What the file of the public half tells.
enum OnDisk {
    /// There is no such file.
    Missing,
    /// It is there and is no public key of ours: cut off or changed.
    Damaged,
    /// The public half.
    Public(PublicKey),
}

/// Reads the public half. Its check digits are there because a reply sealed to a key with one bit flipped is lost.
///
/// # Errors
/// [`EscrowError::Io`].
fn read_public(path: &Path) -> Result<OnDisk, EscrowError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(parse(&text).map_or(OnDisk::Damaged, OnDisk::Public)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(OnDisk::Missing),
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => Ok(OnDisk::Damaged),
        Err(error) => Err(EscrowError::Io(format!("reading the public key: {error}"))),
    }
}

fn parse(text: &str) -> Option<PublicKey> {
    let mut words = text.split_whitespace();
    let (mark, key, check) = (words.next()?, words.next()?, words.next()?);
    let bytes: [u8; 32] = hex::decode(key).ok()?.try_into().ok()?;
    (mark == MARK && check == check_digits(&bytes) && words.next().is_none()).then(|| PublicKey::from_bytes(bytes))
}

fn check_digits(key: &[u8; 32]) -> String {
    hex::encode(&Sha256::digest(key)[..8])
}

/// Writes the public half, whole or not at all.
///
/// # Errors
/// [`EscrowError::Full`], [`EscrowError::Io`].
fn write_public(path: &Path, key: &PublicKey) -> Result<(), EscrowError> {
    let text = format!("{MARK} {} {}\n", hex::encode(key.as_bytes()), check_digits(key.as_bytes()));
    let mut options = atomic_write_file::AtomicWriteFile::options();
    #[cfg(unix)]
    {
        use atomic_write_file::unix::OpenOptionsExt;
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.preserve_mode(false);
    }
    let written = options.open(path).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.commit()
    });
    written.map_err(|error| super::failed("writing the public key", &error))
}

/// The private half, from the vault; none when the vault works and holds none.
///
/// # Errors
/// [`EscrowError::Vault`]; [`EscrowError::KeyPair`] when what the vault holds is no private key.
fn fetch_private(vault: &dyn Vault) -> Result<Option<SecretKey>, EscrowError> {
    let bytes = match vault.fetch(&Item::EscrowPrivate) {
        Ok(bytes) => bytes,
        Err(VaultError::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    SecretKey::from_slice(bytes.expose()).map(Some).map_err(|_| {
        EscrowError::KeyPair(
            "what the vault holds as its private half is no key; sealed slots stay as they are. Restore the vault's item from a backup"
                .to_owned(),
        )
    })
}

/// Makes a pair and stores its private half, reading it back before anyone may seal to it. When another process was
/// quicker, its private half is taken.
///
/// # Errors
/// [`EscrowError::Vault`]; [`EscrowError::KeyPair`] when the vault gives back something else than it was given.
pub(super) fn make_private(vault: &dyn Vault) -> Result<SecretKey, EscrowError> {
    let made = SecretKey::generate(&mut OsRng);
    let bytes = SecretBytes::new(Zeroizing::new(made.to_bytes()).to_vec());
    let ours = match vault.put(&Item::EscrowPrivate, &bytes) {
        Ok(()) => true,
        Err(VaultError::Exists { .. }) => false,
        Err(error) => return Err(error.into()),
    };
    let stored = fetch_private(vault)?;
    stored.filter(|stored| !ours || *stored == made).ok_or_else(|| {
        EscrowError::KeyPair(
            "the vault did not give back the private half that it was given; nothing was sealed to it".to_owned(),
        )
    })
}
