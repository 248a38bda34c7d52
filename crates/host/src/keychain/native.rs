//! The keychains of macOS and Windows, through the store that `keyring` picks for the platform. Not yet run: written against
//! the documented behaviour of `keyring` 4.2, apple-native-keyring-store 1.0 and windows-native-keyring-store 1.1.
//!
//! Neither holds a connection that could go stale, and both raise their own prompts, so there is less here than for Linux.

use super::desk::Ticket;
use super::trouble::Trouble;
use keyring_core::{CredentialStore, Entry, Error};
use keytender_core::secret::SecretBytes;
use std::collections::HashMap;
use std::sync::Arc;

/// What errors and proofs call this store.
#[cfg(target_os = "macos")]
pub(super) const STORE: &str = "macOS Keychain";
/// What errors and proofs call this store.
#[cfg(not(target_os = "macos"))]
pub(super) const STORE: &str = "Windows Credential Manager";

/// The platform's store.
pub(super) struct Session {
    store: Arc<CredentialStore>,
}

impl Session {
    /// The store that `keyring` opened for this platform.
    pub(super) fn connect() -> Result<Self, Trouble> {
        if let Err(error) = keyring::Entry::store_status() {
            return Err(classify(error));
        }
        let store = keyring_core::get_default_store();
        store.map(|store| Self { store }).ok_or_else(|| Trouble::Absent("this platform has no keychain".to_owned()))
    }

    /// The store was opened. The Credential Manager is open as long as its user is logged in; whether the macOS Keychain is
    /// locked cannot be asked through `keyring`.
    pub(super) fn ready(&self) -> Result<(), Trouble> {
        Ok(())
    }

    /// An item's bytes.
    pub(super) fn fetch(&self, owner: &str, name: &str, _: &Ticket<'_>) -> Result<SecretBytes, Trouble> {
        self.entry(owner, name)?.get_secret().map(SecretBytes::new).map_err(|error| classify(&error))
    }

    /// Makes an item. The caller has looked and found none.
    pub(super) fn write(&self, owner: &str, name: &str, bytes: &SecretBytes) -> Result<(), Trouble> {
        self.entry(owner, name)?.set_secret(bytes.expose()).map_err(|error| classify(&error))
    }

    /// Deletes an item, if it is there.
    pub(super) fn remove(&self, owner: &str, name: &str, _: &Ticket<'_>) -> Result<(), Trouble> {
        match self.entry(owner, name)?.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(classify(&error)),
        }
    }

    /// The names of every item of this owner. Items of others are neither searched for nor touched.
    pub(super) fn names(&self, owner: &str, _: &Ticket<'_>) -> Result<Vec<String>, Trouble> {
        // Windows finds items by their target, which the store makes of both names: `<name>.<owner>`.
        let pattern = format!(r"\.{owner}$");
        let spec = if cfg!(target_os = "macos") { ("service", owner) } else { ("pattern", pattern.as_str()) };
        let entries = self.store.search(&HashMap::from([spec])).map_err(|error| classify(&error))?;
        let specifiers = entries.iter().filter_map(Entry::get_specifiers);
        Ok(specifiers.filter(|(service, _)| service == owner).map(|(_, name)| name).collect())
    }

    /// The store in words.
    pub(super) fn describe(&self) -> String {
        STORE.to_owned()
    }

    fn entry(&self, owner: &str, name: &str) -> Result<Entry, Trouble> {
        // By default Windows lets credentials roam to a domain's other machines.
        let local = HashMap::from([("persistence", "local")]);
        let modifiers = cfg!(target_os = "windows").then_some(&local);
        self.store.build(owner, name, modifiers).map_err(|error| classify(&error))
    }
}

/// Texts are not passed on: some of these errors carry the value they failed on.
fn classify(error: &Error) -> Trouble {
    match error {
        Error::NoEntry => Trouble::NoItem,
        Error::NoStorageAccess(_) => Trouble::Locked,
        Error::NoDefaultStore => Trouble::Absent("this platform has no keychain".to_owned()),
        Error::TooLong(_, limit) => Trouble::Failing(format!("the value is over the store's limit of {limit} bytes")),
        Error::Ambiguous(entries) => Trouble::Failing(format!("{} items bear the same name", entries.len())),
        _ => Trouble::Failing("the platform refused the call".to_owned()),
    }
}
