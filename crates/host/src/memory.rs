//! A vault in memory, for tests of this crate and (with the feature `memory`) of others. Never a place for real keys.

use keytender_core::ports::{Item, StoreProof, Vault, VaultError};
use keytender_core::secret::SecretBytes;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A vault that forgets when it is dropped, and that can be locked to see who needs it.
#[derive(Default)]
pub struct MemoryVault {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    items: BTreeMap<Item, SecretBytes>,
    locked: bool,
}

impl MemoryVault {
    /// An empty, unlocked vault.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on every call answers [`VaultError::Locked`].
    pub fn lock(&self) {
        self.state().locked = true;
    }

    /// Undoes [`MemoryVault::lock`].
    pub fn unlock(&self) {
        self.state().locked = false;
    }

    /// The state, whatever a panicking test left of it.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state if the vault is unlocked.
    fn unlocked(&self) -> Result<MutexGuard<'_, State>, VaultError> {
        let state = self.state();
        if state.locked { Err(VaultError::Locked { store: store() }) } else { Ok(state) }
    }
}

/// What errors call this vault.
fn store() -> String {
    "vault in memory".to_owned()
}

impl Vault for MemoryVault {
    fn kind(&self) -> &'static str {
        "memory"
    }

    fn put(&self, item: &Item, bytes: &SecretBytes) -> Result<(), VaultError> {
        let mut state = self.unlocked()?;
        match state.items.get(item) {
            Some(held) if held.matches(bytes) => Ok(()),
            Some(_) => Err(VaultError::Exists { store: store() }),
            None => {
                state.items.insert(item.clone(), bytes.duplicate());
                Ok(())
            }
        }
    }

    fn fetch(&self, item: &Item) -> Result<SecretBytes, VaultError> {
        let state = self.unlocked()?;
        state.items.get(item).map(SecretBytes::duplicate).ok_or_else(|| VaultError::NotFound { store: store() })
    }

    fn remove(&self, item: &Item) -> Result<(), VaultError> {
        self.unlocked()?.items.remove(item);
        Ok(())
    }

    fn items(&self) -> Result<Vec<Item>, VaultError> {
        Ok(self.unlocked()?.items.keys().cloned().collect())
    }

    fn ready(&self) -> Result<(), VaultError> {
        self.unlocked().map(|_| ())
    }

    fn prove(&self) -> Result<StoreProof, VaultError> {
        self.unlocked().map(|_| StoreProof { store: store(), millis: 0 })
    }
}
