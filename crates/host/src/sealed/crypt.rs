//! The sealed vault's cryptography: Argon2id from a passphrase, XChaCha20-Poly1305 for everything that is sealed.
//!
//! The passphrase's key seals nothing but a random data key, and the data key seals the records; so a passphrase can be
//! changed without touching a record, and only the data key stays in memory. What may not live here: files and their format.

use super::error::SealedError;
use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use keytender_core::secret::{SecretBytes, SecretText};
use zeroize::Zeroizing;

/// Bytes of an XChaCha20 nonce: long enough to be drawn at random for every record.
const NONCE: usize = 24;
/// Bytes of a key.
const KEY: usize = 32;

/// What an attempt at the passphrase costs. Stored in the header, so that it can be raised for new vaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cost {
    /// Memory, in KiB.
    pub(super) memory_kib: u32,
    /// Passes over it.
    pub(super) passes: u32,
    /// Lanes.
    pub(super) lanes: u32,
}

impl Cost {
    /// RFC 9106's second recommended option (64 MiB, 3 passes), with one lane because the code is not threaded. About a
    /// tenth of a second on a laptop, paid once per unlock.
    pub(super) const USUAL: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 1 };

    /// Beyond these a header asks for more than any Keytender writes; a damaged or forged one must not eat the machine.
    pub(super) fn is_bearable(self) -> bool {
        self.memory_kib <= 1024 * 1024 && self.passes <= 32 && self.lanes <= 16
    }
}

/// The key to everything sealed under it; wiped when dropped.
pub(super) struct Key(Zeroizing<Vec<u8>>);

impl Key {
    /// A new random key.
    pub(super) fn make() -> Result<Self, SealedError> {
        random::<KEY>().map(|bytes| Self(Zeroizing::new(bytes.to_vec())))
    }

    /// The key that a passphrase gives.
    pub(super) fn derive(passphrase: &SecretText, salt: &[u8], cost: Cost) -> Result<Self, SealedError> {
        let impossible = |_| SealedError::Crypto { what: "the passphrase cannot be turned into a key (too little memory?)" };
        let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(KEY)).map_err(impossible)?;
        let mut key = Zeroizing::new(vec![0; KEY]);
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        argon.hash_password_into(passphrase.expose().as_bytes(), salt, &mut key).map_err(impossible)?;
        Ok(Self(key))
    }

    /// Seals another key under this one.
    pub(super) fn wrap(&self, key: &Self, about: &[u8]) -> Result<Vec<u8>, SealedError> {
        self.seal_bytes(&key.0, about)
    }

    /// Opens a key sealed by [`Key::wrap`]; none if this key or `about` is not the one it was sealed with.
    pub(super) fn unwrap_key(&self, sealed: &[u8], about: &[u8]) -> Option<Self> {
        self.open_bytes(sealed, about).filter(|key| key.len() == KEY).map(|key| Self(Zeroizing::new(key)))
    }

    /// Seals bytes; `about` is bound to them without being sealed.
    pub(super) fn seal(&self, bytes: &SecretBytes, about: &[u8]) -> Result<Vec<u8>, SealedError> {
        self.seal_bytes(bytes.expose(), about)
    }

    /// Opens bytes sealed by [`Key::seal`]; none if anything about them was changed.
    pub(super) fn open(&self, sealed: &[u8], about: &[u8]) -> Option<SecretBytes> {
        self.open_bytes(sealed, about).map(SecretBytes::new)
    }

    fn seal_bytes(&self, msg: &[u8], aad: &[u8]) -> Result<Vec<u8>, SealedError> {
        let impossible = SealedError::Crypto { what: "nothing can be sealed" };
        let nonce = random::<NONCE>()?;
        let cipher = XChaCha20Poly1305::new_from_slice(&self.0).map_err(|_| impossible.clone())?;
        let sealed = cipher.encrypt(&XNonce::from(nonce), Payload { msg, aad }).map_err(|_| impossible)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    fn open_bytes(&self, sealed: &[u8], aad: &[u8]) -> Option<Vec<u8>> {
        let (nonce, msg) = sealed.split_first_chunk::<NONCE>()?;
        let cipher = XChaCha20Poly1305::new_from_slice(&self.0).ok()?;
        cipher.decrypt(&XNonce::from(*nonce), Payload { msg, aad }).ok()
    }
}

/// Random bytes from the system.
pub(super) fn random<const LENGTH: usize>() -> Result<[u8; LENGTH], SealedError> {
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes).map_err(|_| SealedError::Crypto { what: "the system gives no randomness" })?;
    Ok(bytes)
}
