//! The operating system's keychain as a [`Vault`]: Secret Service on Linux, Keychain on macOS, Credential Manager on Windows.
//!
//! Every item bears two attributes, both opaque: `service` is this installation's id, `username` the item's name. So
//! `secret-tool lookup service <installation> username <name>` prints what is stored, and nothing in the keychain's
//! unencrypted part tells services, accounts or dates. What may not live here: what the bytes mean
//! (`keytender_core::envelope`), and choosing between keychain and sealed vault.

mod desk;
#[cfg(not(target_os = "linux"))]
mod native;
#[cfg(target_os = "linux")]
mod secret_service;
#[cfg(target_os = "linux")]
mod secret_service_errors;
mod trouble;

#[cfg(not(target_os = "linux"))]
use self::native as platform;
#[cfg(target_os = "linux")]
use self::secret_service as platform;

pub use self::desk::Deadlines;
use self::desk::{Desk, Ticket};
use self::platform::Session;
use self::trouble::Trouble;
use keytender_core::ids::InstallationId;
use keytender_core::ports::{Item, StoreProof, Vault, VaultError};
use keytender_core::secret::SecretBytes;
use std::time::Instant;
use uuid::Uuid;

/// The keychain, as far as it belongs to one installation.
pub struct Keychain {
    owner: String,
    desk: Desk<Sessions>,
}

impl Keychain {
    /// Never fails and speaks to nobody yet: every call answers for itself, and a keychain that comes up later is found.
    #[must_use]
    pub fn open(installation: InstallationId, deadlines: Deadlines) -> Self {
        Self { owner: installation.0.simple().to_string(), desk: Desk::new(deadlines) }
    }

    /// Has the owner thread do this, within the deadlines.
    fn ask<T: Send + 'static>(
        &self,
        job: impl Fn(&Session, &str, &Ticket<'_>) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, VaultError> {
        let owner = self.owner.clone();
        self.desk
            .ask(move |sessions: &mut Sessions, ticket| sessions.with(|session| job(session, &owner, ticket)))
            .map_err(|trouble| trouble.at(platform::STORE))
    }
}

impl Vault for Keychain {
    fn kind(&self) -> &'static str {
        "keychain"
    }

    fn put(&self, item: &Item, bytes: &SecretBytes) -> Result<(), VaultError> {
        let (name, bytes) = (item.name(), bytes.duplicate());
        self.ask(move |session, owner, ticket| put(session, owner, &name, &bytes, ticket))
    }

    fn fetch(&self, item: &Item) -> Result<SecretBytes, VaultError> {
        let name = item.name();
        self.ask(move |session, owner, ticket| session.fetch(owner, &name, ticket))
    }

    fn remove(&self, item: &Item) -> Result<(), VaultError> {
        let name = item.name();
        self.ask(move |session, owner, ticket| session.remove(owner, &name, ticket))
    }

    fn items(&self) -> Result<Vec<Item>, VaultError> {
        let names = self.ask(|session, owner, ticket| session.names(owner, ticket))?;
        Ok(names.iter().filter_map(|name| Item::from_name(name)).collect())
    }

    fn ready(&self) -> Result<(), VaultError> {
        self.ask(|session, _, _| session.ready())
    }

    fn prove(&self) -> Result<StoreProof, VaultError> {
        let begun = Instant::now();
        let store = self.ask(|session, owner, ticket| {
            let canary = Item::Canary(Uuid::new_v4().simple().to_string()).name();
            let bytes = SecretBytes::new(Uuid::new_v4().as_bytes().to_vec());
            put(session, owner, &canary, &bytes, ticket)?;
            let read = session.fetch(owner, &canary, ticket);
            session.remove(owner, &canary, ticket)?;
            if read?.matches(&bytes) {
                Ok(session.describe())
            } else {
                Err(Trouble::Failing("it gave back other bytes than it was given".to_owned()))
            }
        })?;
        Ok(StoreProof { store, millis: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX) })
    }
}

/// Looks first, because the stores replace what is there. That also makes it safe to repeat when an answer was lost.
fn put(session: &Session, owner: &str, name: &str, bytes: &SecretBytes, ticket: &Ticket<'_>) -> Result<(), Trouble> {
    match session.fetch(owner, name, ticket) {
        Ok(there) if there.matches(bytes) => Ok(()),
        Ok(_) => Err(Trouble::Taken),
        Err(Trouble::NoItem) => session.write(owner, name, bytes),
        Err(other) => Err(other),
    }
}

/// What the owner thread owns: the session of the moment.
#[derive(Default)]
struct Sessions {
    current: Option<Session>,
}

impl Sessions {
    /// Does this in the current session, and once more in a fresh one if that turns out to be stale. Whatever is done here
    /// must be safe to do twice.
    fn with<T>(&mut self, job: impl Fn(&Session) -> Result<T, Trouble>) -> Result<T, Trouble> {
        if let Some(session) = self.current.take() {
            match job(&session) {
                Err(Trouble::Stale(_)) => {}
                done => {
                    self.current = Some(session);
                    return done;
                }
            }
        }
        let session = Session::connect()?;
        let done = job(&session);
        if !matches!(done, Err(Trouble::Stale(_))) {
            self.current = Some(session);
        }
        done
    }
}
