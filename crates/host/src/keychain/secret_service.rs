//! The Linux keychain: a Secret Service (gnome-keyring, KWallet, KeePassXC) on the session's D-Bus.
//!
//! Values go through `keyring`'s Secret Service store. That store unlocks by itself whatever it finds locked, which puts a
//! prompt on screen and blocks, so nothing reaches it before a second, unencrypted connection has asked whether things are
//! unlocked; no value travels on that one. When a prompt is wanted it is also raised there, because closing that connection
//! takes the prompt off the screen again.
//!
//! Only the owner thread may hold a [`Session`]: its calls block for as long as the daemon likes.

use super::desk::Ticket;
use super::secret_service_errors::{classify, classify_keyring, classify_zbus};
use super::trouble::Trouble;
use keyring_core::{CredentialStore, Entry};
use keytender_core::secret::SecretBytes;
use secret_service::EncryptionType;
use secret_service::blocking::{Item, SecretService};
use std::cell::OnceCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use zbus::blocking::Connection;

/// What errors and proofs call this store.
pub(super) const STORE: &str = "keychain (Secret Service)";

/// One conversation with the daemon. Of no more use once the daemon has been restarted.
pub(super) struct Session {
    bus: Connection,
    probe: SecretService<'static>,
    /// Made when the first value is wanted: asking whether the keychain is ready needs none.
    store: OnceCell<Arc<CredentialStore>>,
}

impl Session {
    /// Connects to the session bus and the daemon behind it.
    pub(super) fn connect() -> Result<Self, Trouble> {
        let absent = |trouble| match trouble {
            Trouble::Stale(detail) => Trouble::Absent(detail),
            other => other,
        };
        let bus = Connection::session().map_err(|error| absent(classify_zbus(&error)))?;
        let probe =
            SecretService::connect_with_existing(EncryptionType::Plain, bus.clone()).map_err(|error| absent(classify(&error)))?;
        Ok(Self { bus, probe, store: OnceCell::new() })
    }

    /// Whether the default collection is there and unlocked. Never prompts.
    pub(super) fn ready(&self) -> Result<(), Trouble> {
        let collection = self.probe.get_default_collection().map_err(|error| classify(&error))?;
        if collection.is_locked().map_err(|error| classify(&error))? { Err(Trouble::Locked) } else { Ok(()) }
    }

    /// An item's bytes.
    pub(super) fn fetch(&self, owner: &str, name: &str, ticket: &Ticket<'_>) -> Result<SecretBytes, Trouble> {
        if self.look(&HashMap::from([("service", owner), ("username", name)]), ticket)?.is_empty() {
            return Err(Trouble::NoItem);
        }
        let bytes = self.entry(owner, name)?.get_secret().map_err(|error| classify_keyring(&error))?;
        Ok(SecretBytes::new(bytes))
    }

    /// Makes an item. The caller has looked and found none.
    pub(super) fn write(&self, owner: &str, name: &str, bytes: &SecretBytes) -> Result<(), Trouble> {
        self.entry(owner, name)?.set_secret(bytes.expose()).map_err(|error| classify_keyring(&error))
    }

    /// Deletes an item, if it is there.
    pub(super) fn remove(&self, owner: &str, name: &str, ticket: &Ticket<'_>) -> Result<(), Trouble> {
        if self.look(&HashMap::from([("service", owner), ("username", name)]), ticket)?.is_empty() {
            return Ok(());
        }
        match self.entry(owner, name)?.delete_credential() {
            Ok(()) | Err(keyring_core::Error::NoEntry) => Ok(()),
            Err(error) => Err(classify_keyring(&error)),
        }
    }

    /// The names of every item of this owner. Items of others are neither searched for nor touched.
    pub(super) fn names(&self, owner: &str, ticket: &Ticket<'_>) -> Result<Vec<String>, Trouble> {
        // Attributes are read here and not through the store, whose way of reading them takes an error for "has none":
        // a list that is silently short would make live values look lost.
        let items = self.look(&HashMap::from([("service", owner)]), ticket)?;
        let mut names = Vec::with_capacity(items.len());
        for item in items {
            let mut attributes = item.get_attributes().map_err(|error| classify(&error))?;
            names.extend(attributes.remove("username"));
        }
        Ok(names)
    }

    /// The store in words, such as `Secret Service (gnome-keyring), default collection`.
    pub(super) fn describe(&self) -> String {
        match self.daemon() {
            Some(daemon) => format!("Secret Service ({daemon}), default collection"),
            None => "Secret Service, default collection".to_owned(),
        }
    }

    /// The name of the program that answers, where the system shows it.
    fn daemon(&self) -> Option<String> {
        let bus = zbus::blocking::fdo::DBusProxy::new(&self.bus).ok()?;
        let pid = bus.get_connection_unix_process_id("org.freedesktop.secrets".try_into().ok()?).ok()?;
        let command = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let program = String::from_utf8(command.split(|byte| *byte == 0).next()?.to_vec()).ok()?;
        let name = program.rsplit('/').next()?;
        Some(name.strip_suffix("-daemon").unwrap_or(name).to_owned())
    }

    /// The items with these attributes, all of them unlocked: a person is asked to unlock where there is a screen to ask on.
    /// None found counts only if the default collection is open: some daemons hide the items of a locked one.
    fn look(&self, attributes: &HashMap<&str, &str>, ticket: &Ticket<'_>) -> Result<Vec<Item<'_>>, Trouble> {
        let found = self.search(attributes)?;
        if !found.locked.is_empty() {
            let locked: Vec<&Item<'_>> = found.locked.iter().collect();
            self.unlock(ticket, || self.probe.unlock_all(&locked))?;
        } else if found.unlocked.is_empty() {
            let collection = self.probe.get_default_collection().map_err(|error| classify(&error))?;
            if !collection.is_locked().map_err(|error| classify(&error))? {
                return Ok(Vec::new());
            }
            self.unlock(ticket, || collection.unlock())?;
        } else {
            return Ok(found.unlocked);
        }
        let found = self.search(attributes)?;
        if found.locked.is_empty() { Ok(found.unlocked) } else { Err(Trouble::Locked) }
    }

    fn search(&self, attributes: &HashMap<&str, &str>) -> Result<secret_service::SearchItemsResult<Item<'_>>, Trouble> {
        self.probe.search_items(attributes.clone()).map_err(|error| classify(&error))
    }

    fn unlock(&self, ticket: &Ticket<'_>, ask: impl FnOnce() -> Result<(), secret_service::Error>) -> Result<(), Trouble> {
        if !screen() {
            return Err(Trouble::Locked);
        }
        let bus = self.bus.clone();
        // A close that fails leaves the prompt up and the thread with it; later callers hear that it is locked.
        let dismiss = Box::new(move || drop(bus.close()));
        ticket.prompt(dismiss, || ask().map_err(|error| classify(&error)))
    }

    fn entry(&self, owner: &str, name: &str) -> Result<Entry, Trouble> {
        let store = match self.store.get() {
            Some(store) => store,
            None => {
                let store = open_store().map_err(|error| classify_keyring(&error))?;
                self.store.get_or_init(|| store)
            }
        };
        // Without a label of ours the store would write one that says where it comes from. No target: it would be one more
        // attribute, and its absence already means the default collection.
        store.build(owner, name, Some(&HashMap::from([("label", name)]))).map_err(|error| classify_keyring(&error))
    }
}

/// The store that `keyring` opens for this platform, the first time; after that a new one, because `keyring` opens its own
/// once per process and remembers a failure for good, and a store does not survive its daemon.
fn open_store() -> keyring_core::Result<Arc<CredentialStore>> {
    static FIRST: AtomicBool = AtomicBool::new(true);
    if FIRST.swap(false, Ordering::SeqCst)
        && keyring::Entry::store_status().is_ok()
        && let Some(store) = keyring_core::get_default_store()
    {
        return Ok(store);
    }
    let store = zbus_secret_service_keyring_store::Store::new()?;
    keyring_core::set_default_store(store.clone());
    Ok(store)
}

/// Whether a prompt could be seen by anyone.
fn screen() -> bool {
    ["WAYLAND_DISPLAY", "DISPLAY"].iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}
