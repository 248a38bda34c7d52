//! The vault: where values lie.

use crate::error::Retry;
use crate::secret::SecretBytes;

/// The address of one thing in the vault.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Item {
    /// A version's value in its envelope, by the name that `derive_item_name` gives.
    Version(String),
    /// The private half of the escrow's key pair.
    EscrowPrivate,
    /// What the write-read-delete proof writes.
    Canary(String),
}

impl Item {
    /// The name under this installation: `v-<hex>`, `escrow`, `canary-<hex>`.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Version(name) => format!("v-{name}"),
            Self::EscrowPrivate => "escrow".to_owned(),
            Self::Canary(name) => format!("canary-{name}"),
        }
    }

    /// The item of a name, if it is one of ours.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "escrow" => Some(Self::EscrowPrivate),
            _ => name
                .strip_prefix("v-")
                .map(|hex| Self::Version(hex.to_owned()))
                .or_else(|| name.strip_prefix("canary-").map(|hex| Self::Canary(hex.to_owned()))),
        }
    }
}

/// Why the vault did not do what it was asked. Four of them are four different answers to a person: locked, absent, hung,
/// failing. None carries a value, and none is to be told apart by its text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// It is there and locked, and nobody unlocked it (or the prompt was dismissed).
    #[error("the {store} is locked")]
    Locked {
        /// Which store, in words.
        store: String,
    },
    /// There is none on this machine, or nothing answers at its address.
    #[error("no {store} answers: {detail}")]
    Absent {
        /// Which store, in words.
        store: String,
        /// What was tried and what came back.
        detail: String,
    },
    /// It took the call and did not answer within the deadline.
    #[error("the {store} did not answer within {seconds} s")]
    Hung {
        /// Which store, in words.
        store: String,
        /// The deadline.
        seconds: u64,
    },
    /// It answered with a failure.
    #[error("the {store} failed: {detail}")]
    Failing {
        /// Which store, in words.
        store: String,
        /// The kind of failure, without what it carried.
        detail: String,
    },
    /// It works and holds no such item.
    #[error("the {store} holds no such item")]
    NotFound {
        /// Which store, in words.
        store: String,
    },
    /// The item exists: items are never overwritten.
    #[error("the {store} already holds this item")]
    Exists {
        /// Which store, in words.
        store: String,
    },
}

impl VaultError {
    /// Whether and when the same call may succeed.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::Locked { .. } | Self::Absent { .. } => Retry::NeedsPerson,
            Self::Hung { .. } | Self::Failing { .. } => Retry::Later,
            Self::NotFound { .. } | Self::Exists { .. } => Retry::Never,
        }
    }
}

/// Evidence that a store works: a canary written, read back, compared and deleted just now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreProof {
    /// Which store, in words, such as `Secret Service (gnome-keyring), default collection`.
    pub store: String,
    /// How long the round trip took, in milliseconds.
    pub millis: u64,
}

/// A store of values.
pub trait Vault: Send + Sync {
    /// `keychain` or `sealed`, as recorded with each version.
    fn kind(&self) -> &'static str;
    /// Stores a new item. Never overwrites: an item that is there with other bytes is [`VaultError::Exists`]; one with the
    /// same bytes is `Ok`, so that a `put` whose answer was lost can be repeated.
    ///
    /// # Errors
    /// See [`VaultError`].
    fn put(&self, item: &Item, bytes: &SecretBytes) -> Result<(), VaultError>;
    /// Reads an item.
    ///
    /// # Errors
    /// See [`VaultError`].
    fn fetch(&self, item: &Item) -> Result<SecretBytes, VaultError>;
    /// Removes an item; one that is not there counts as removed.
    ///
    /// # Errors
    /// See [`VaultError`].
    fn remove(&self, item: &Item) -> Result<(), VaultError>;
    /// Every item of this installation.
    ///
    /// # Errors
    /// See [`VaultError`].
    fn items(&self) -> Result<Vec<Item>, VaultError>;
    /// Answers whether a read would go through now, without prompting anyone: `Ok` = unlocked and there.
    ///
    /// # Errors
    /// See [`VaultError`].
    fn ready(&self) -> Result<(), VaultError>;
    /// Writes, reads back, compares and deletes a canary.
    ///
    /// # Errors
    /// See [`VaultError`].
    fn prove(&self) -> Result<StoreProof, VaultError>;
}
