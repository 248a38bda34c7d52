//! Writing a value to the places where it is used.

use crate::ids::DestinationId;
use crate::secret::Value;
use crate::words::Destination;

/// What a destination holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holding {
    /// The expected value.
    Expected,
    /// Something else, or nothing, in words without values: `TOKEN holds another value`, `no variable TOKEN`.
    Other(String),
    /// It cannot be read back (a command, a person).
    Unreadable,
}

/// What a person ought to know before a value is written there. Not an obstacle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// git tracks the file.
    TrackedByGit,
    /// The variable's prefix makes a build tool publish it to browsers.
    PublishedToBrowsers(String),
    /// Others than the owner may read the file (mode in octal).
    ReadableByOthers(u32),
}

/// What writing achieved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// Read back and equal. The text is the evidence, such as `/srv/app/.env line 3`.
    Confirmed(String),
    /// Handed over; cannot be read back. The text is the evidence, such as `command ended with 0`.
    Pushed(String),
}

/// Why a destination was not written. Whatever the kind, it holds what it held before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DestinationError {
    /// It holds neither the old value nor the new one.
    #[error("{0}")]
    Unexpected(String),
    /// Somebody else changed it while it was being written; nothing of theirs is lost.
    #[error("{0} was changed by someone else just now")]
    Changed(String),
    /// It needs a consent that was not given: a symbolic link, a foreign owner.
    #[error("{0}")]
    NeedsConsent(String),
    /// It is not there, not a regular file, or not ours to write.
    #[error("{0}")]
    Unwritable(String),
    /// The file is not what its kind says, or the change could not be made without touching other bytes.
    #[error("{0}")]
    Unparsable(String),
    /// The command failed, or took too long.
    #[error("{0}")]
    CommandFailed(String),
    /// The disk is full or the file system failed.
    #[error("{0}")]
    Io(String),
}

/// All kinds of destination that this machine can write.
pub trait Destinations: Send + Sync {
    /// What the destination holds, compared with `expected`.
    ///
    /// # Errors
    /// See [`DestinationError`].
    fn holding(&self, destination: &Destination, expected: &Value) -> Result<Holding, DestinationError>;
    /// Whether a write would go through now (exists, writable folder, consents, room on the disk), without writing.
    ///
    /// # Errors
    /// See [`DestinationError`].
    fn writable(&self, destination: &Destination) -> Result<Vec<Warning>, DestinationError>;
    /// Replaces `old` by `new`, compare-and-swap, with a sealed undo copy named by the destination; reads back. Writing
    /// where `new` already stands is a success that changes nothing.
    ///
    /// # Errors
    /// See [`DestinationError`].
    fn write(&self, destination: &Destination, old: Option<&Value>, new: &Value) -> Result<Written, DestinationError>;
    /// Removes the undo copies of a destination once the old key is retired.
    ///
    /// # Errors
    /// See [`DestinationError`].
    fn forget_undo(&self, destination: DestinationId) -> Result<(), DestinationError>;
}
