//! The escrow: pre-allocated files into which a service's reply (or a person's paste) is sealed before anything parses it.

use crate::secret::SecretBytes;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One slot: who it belongs to (a rotation, or a key that is being added) and which attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SlotId {
    /// The id of the rotation or key.
    pub owner: Uuid,
    /// 1 for the first attempt.
    pub attempt: u32,
}

impl std::fmt::Display for SlotId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.owner, self.attempt)
    }
}

/// What lies in a slot, told without the private key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SlotState {
    /// No such slot.
    Missing,
    /// Allocated; nothing was sealed into it.
    Empty,
    /// A whole sealed record; its digest is right.
    Whole,
    /// A record that was not written to its end.
    Torn,
}

/// What was sealed: a reply or a paste, byte for byte, with what is needed to parse it later.
pub struct Sealed {
    /// HTTP status of a reply; 0 for a paste.
    pub status: u16,
    /// Headers of a reply; none for a paste.
    pub headers: Vec<(String, String)>,
    /// Body or paste.
    pub body: SecretBytes,
    /// Whether it arrived to its end and fitted into the slot.
    pub complete: bool,
}

/// Why the escrow failed.
#[derive(Debug, thiserror::Error)]
pub enum EscrowError {
    /// The disk has no room for a slot (or for the 16 MiB that a rotation wants).
    #[error("not enough room on the disk for the escrow: {0}")]
    Full(String),
    /// The slot has been written already.
    #[error("escrow slot {0} has been written already")]
    Written(SlotId),
    /// There is no such slot, or nothing whole in it.
    #[error("escrow slot {0} holds nothing that can be opened")]
    Nothing(SlotId),
    /// The record is whole and the private key does not open it.
    #[error("escrow slot {0} cannot be opened with this installation's key")]
    WrongKey(SlotId),
    /// The two halves of the key pair do not belong together, or one is gone or damaged. The text says what still works and
    /// what to do; a person decides.
    #[error("the escrow's key pair: {0}")]
    KeyPair(String),
    /// The private key could not be had.
    #[error(transparent)]
    Vault(#[from] crate::ports::VaultError),
    /// The file system failed.
    #[error("escrow: {0}")]
    Io(String),
}

/// Sealed slots on disk. Sealing needs only the public key, so it works while the keychain is locked or gone.
pub trait Escrow: Send + Sync {
    /// Makes the key pair on first use; afterwards proves that a sealed canary opens with the private half in the vault.
    ///
    /// # Errors
    /// See [`EscrowError`].
    fn prove(&self) -> Result<(), EscrowError>;
    /// Allocates a slot, so that sealing into it cannot fail for want of room; also wants 16 MiB free. Repeating is harmless.
    ///
    /// # Errors
    /// See [`EscrowError`].
    fn allocate(&self, slot: SlotId) -> Result<(), EscrowError>;
    /// Seals into an allocated, empty slot and forces it to disk before it returns. What does not fit is cut off and
    /// recorded as incomplete.
    ///
    /// # Errors
    /// See [`EscrowError`].
    fn seal(&self, slot: SlotId, record: &Sealed) -> Result<(), EscrowError>;
    /// What lies in a slot.
    ///
    /// # Errors
    /// See [`EscrowError`].
    fn inspect(&self, slot: SlotId) -> Result<SlotState, EscrowError>;
    /// Opens a whole record with the private half from the vault.
    ///
    /// # Errors
    /// See [`EscrowError`].
    fn open(&self, slot: SlotId) -> Result<Sealed, EscrowError>;
    /// Overwrites and removes a slot; one that is missing counts as wiped.
    ///
    /// # Errors
    /// See [`EscrowError`].
    fn wipe(&self, slot: SlotId) -> Result<(), EscrowError>;
    /// Every slot on disk.
    ///
    /// # Errors
    /// See [`EscrowError`].
    fn slots(&self) -> Result<Vec<SlotId>, EscrowError>;
    /// Seals bytes for an undo copy or a backup that only this installation can open.
    ///
    /// # Errors
    /// See [`EscrowError`].
    fn seal_bytes(&self, plain: &SecretBytes) -> Result<Vec<u8>, EscrowError>;
    /// Opens what [`Escrow::seal_bytes`] sealed.
    ///
    /// # Errors
    /// See [`EscrowError`].
    fn open_bytes(&self, sealed: &[u8]) -> Result<SecretBytes, EscrowError>;
}
