//! What can go wrong at a keychain, told apart by type and never by message text.

use keytender_core::ports::VaultError;
use std::time::Duration;

/// What went wrong. No variant carries anything read from an item.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Locked, and nobody unlocked it.
    Locked,
    /// Nothing there to speak to; in words, why.
    Absent(String),
    /// No answer within this time.
    Hung(Duration),
    /// An answer that is a failure; its kind.
    Failing(String),
    /// The session, or something it refers to, is no more (the daemon was restarted); its kind. Worth a fresh session.
    Stale(String),
    /// No such item.
    NoItem,
    /// The item is there with other bytes.
    Taken,
}

impl Trouble {
    /// The same in the words of the port, for the store of this name.
    pub(super) fn at(self, store: &str) -> VaultError {
        let store = store.to_owned();
        match self {
            Self::Locked => VaultError::Locked { store },
            Self::Absent(detail) => VaultError::Absent { store, detail },
            Self::Hung(after) => VaultError::Hung { store, seconds: after.as_secs() },
            Self::Failing(detail) | Self::Stale(detail) => VaultError::Failing { store, detail },
            Self::NoItem => VaultError::NotFound { store },
            Self::Taken => VaultError::Exists { store },
        }
    }
}
