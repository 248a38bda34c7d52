//! What can go wrong with the sealed vault's file. Each says what happened, what still works, and what to do.

use keytender_core::ports::VaultError;

/// What errors and proofs call this store.
pub(super) const STORE: &str = "sealed vault";

/// Why the sealed vault did not do what it was asked. Carries neither values nor the passphrase.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealedError {
    /// It is locked.
    #[error("it is locked: unlock it with its passphrase")]
    Locked,
    /// There is no file.
    #[error("there is no file {path}: create a sealed vault, or restore the file from a backup")]
    Missing {
        /// Where it was looked for.
        path: String,
    },
    /// There is a file already; creating a vault over it would lose what it holds.
    #[error("{path} is there already: unlock it, or move it away first")]
    AlreadyThere {
        /// Where.
        path: String,
    },
    /// The header is whole and the passphrase does not open it.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// The header does not read as it was written. Without it no record can be opened.
    #[error("its header is damaged ({what}): restore the file from a backup; no passphrase opens it as it is")]
    DamagedHeader {
        /// Which part.
        what: &'static str,
    },
    /// Written by a newer Keytender.
    #[error("it was written by a newer Keytender (format {found}): update to open it")]
    Newer {
        /// Its format.
        found: u32,
    },
    /// Records do not open although the data key is right: their bytes were changed. The others can still be read.
    #[error("{count} of its records are damaged; the others can be read: restore the file from a backup")]
    DamagedRecords {
        /// How many.
        count: usize,
    },
    /// The file does not end as it was written: records may be missing. Those that are there can still be read; writing is
    /// refused, so that the loss stays visible.
    #[error(
        "its file is cut short: the {found} records that are there can be read, nothing is written: restore it from a backup"
    )]
    CutShort {
        /// How many records are there.
        found: usize,
    },
    /// Another vault lies where the unlocked one lay: its data key is another.
    #[error("its file was exchanged for another vault since it was unlocked: unlock it again")]
    Exchanged,
    /// No such item.
    #[error("it holds no such item")]
    NoItem,
    /// The item is there with other bytes.
    #[error("it already holds this item")]
    Taken,
    /// Another process kept the file's lock.
    #[error("another process has been writing to it for {seconds} s")]
    Busy {
        /// How long was waited.
        seconds: u64,
    },
    /// The file cannot be read or written.
    #[error("{doing} {path}: {kind}")]
    File {
        /// What was being done.
        doing: &'static str,
        /// To which file.
        path: String,
        /// What the system answered.
        kind: std::io::ErrorKind,
    },
    /// The passphrase could not be turned into a key, or the system gave no randomness.
    #[error("{what}")]
    Crypto {
        /// What was not possible.
        what: &'static str,
    },
}

impl From<SealedError> for VaultError {
    fn from(error: SealedError) -> Self {
        let store = STORE.to_owned();
        let detail = error.to_string();
        match error {
            SealedError::Locked | SealedError::WrongPassphrase => Self::Locked { store },
            SealedError::Missing { .. } => Self::Absent { store, detail },
            SealedError::Busy { seconds } => Self::Hung { store, seconds },
            SealedError::NoItem => Self::NotFound { store },
            SealedError::Taken => Self::Exists { store },
            SealedError::AlreadyThere { .. }
            | SealedError::DamagedHeader { .. }
            | SealedError::Newer { .. }
            | SealedError::DamagedRecords { .. }
            | SealedError::CutShort { .. }
            | SealedError::Exchanged
            | SealedError::File { .. }
            | SealedError::Crypto { .. } => Self::Failing { store, detail },
        }
    }
}
