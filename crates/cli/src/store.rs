//! Which store holds the values: chosen at first use, recorded in `config.toml`, the same ever after.
//!
//! [`LazyVault`] stands in for it until a command needs a value: no list prompts for a passphrase, wakes a keychain, or waits
//! for one.

use crate::args::VaultWord;
use crate::ask;
use crate::passphrase::{For, Source};
use crate::settings::{self, StoreName};
use keytender_api::{Error, ErrorKind};
use keytender_core::ids::InstallationId;
use keytender_core::ports::{Item, StoreProof, Vault, VaultError};
use keytender_core::secret::SecretBytes;
use keytender_host::home::Home;
use keytender_host::keychain::{Deadlines, Keychain};
use keytender_host::sealed::{SealedError, SealedVault};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How often a passphrase may be mistyped at one prompt.
const TRIES: u32 = 3;

/// The store that was asked for, against the one that is on record.
pub(crate) fn choose(
    asked: Option<VaultWord>,
    recorded: Option<StoreName>,
    sealed_file_exists: bool,
) -> Result<StoreName, Error> {
    let asked = asked.map(|word| match word {
        VaultWord::Keychain => StoreName::Keychain,
        VaultWord::Sealed => StoreName::Sealed,
    });
    match (asked, recorded) {
        (Some(asked), Some(recorded)) if asked != recorded => Err(Error {
            kind: ErrorKind::Refused,
            happened: format!("values of this home lie in the {} vault, not in the {} one", recorded.as_str(), asked.as_str()),
            help: Some(format!(
                "leave --vault away; to move, begin another home (`keytender --home FOLDER --vault {} ...`), add each key there \
                 from `keytender key reveal`, and remove this one when all have arrived",
                asked.as_str()
            )),
        }),
        (Some(name), _) | (None, Some(name)) => Ok(name),
        // Made by a run that ended before it could record it.
        (None, None) if sealed_file_exists => Ok(StoreName::Sealed),
        (None, None) => Ok(StoreName::Keychain),
    }
}

/// The store of a home, opened when it is first asked for something.
pub(crate) struct LazyVault {
    name: StoreName,
    /// It was on record when this command began.
    recorded: bool,
    home: Home,
    installation: InstallationId,
    passphrase: Source,
    state: Mutex<State>,
}

enum State {
    Closed,
    Open(Arc<dyn Vault>),
    /// Not to be tried again in this command, and why: a descriptor gives its passphrase once, a person is asked once.
    Shut(VaultError, String),
}

impl LazyVault {
    pub(crate) fn new(name: StoreName, recorded: bool, home: Home, installation: InstallationId, passphrase: Source) -> Self {
        Self { name, recorded, home, installation, passphrase, state: Mutex::new(State::Closed) }
    }

    /// Opens it now, asking for a passphrase if need be.
    pub(crate) fn open(&self) -> Result<(), VaultError> {
        self.opened().map(drop)
    }

    /// Makes an error of this store say what the store alone knows.
    pub(crate) fn explain(&self, error: Error) -> Error {
        let shut = match &*self.state() {
            State::Shut(_, why) => Some(why.clone()),
            State::Closed | State::Open(_) => None,
        };
        let help = match (error.kind, self.name, self.recorded) {
            (ErrorKind::Locked, StoreName::Sealed, _) => {
                "give its passphrase with --passphrase-file, --passphrase-fd, or at a terminal"
            }
            (ErrorKind::StoreGone, StoreName::Keychain, false) => {
                "start a keychain and try again, or begin with `--vault sealed`: values then lie in a file under a passphrase \
                 of yours, and a lost passphrase is lost"
            }
            (ErrorKind::StoreGone, StoreName::Keychain, true) => {
                "nothing is lost: start the keychain and try again (an unlock prompt that nobody answered looks like this too)"
            }
            (ErrorKind::StoreGone, StoreName::Sealed, _) => "nothing was changed; the file is `vault.sealed` in the home folder",
            _ => return error,
        };
        let happened = shut.map_or_else(|| error.happened.clone(), |why| format!("{}: {why}", error.happened));
        Error { happened, help: Some(help.to_owned()), ..error }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn opened(&self) -> Result<Arc<dyn Vault>, VaultError> {
        let mut state = self.state();
        match &*state {
            State::Open(vault) => return Ok(Arc::clone(vault)),
            State::Shut(error, _) => return Err(error.clone()),
            State::Closed => {}
        }
        let opened = match self.name {
            // A keychain that comes up in the middle of a command is found, so a failure is not remembered.
            StoreName::Keychain => self.keychain()?,
            StoreName::Sealed => match self.sealed() {
                Ok(vault) => vault,
                Err((error, why)) => {
                    *state = State::Shut(error.clone(), why);
                    return Err(error);
                }
            },
        };
        *state = State::Open(Arc::clone(&opened));
        Ok(opened)
    }

    fn keychain(&self) -> Result<Arc<dyn Vault>, VaultError> {
        let vault = Keychain::open(self.installation, Deadlines::default());
        if !self.recorded {
            // Nothing is entrusted to a keychain that was not seen to keep something.
            let proof = vault.prove()?;
            self.record().map_err(|error| VaultError::Failing { store: proof.store.clone(), detail: error.happened })?;
            ask::warn(&format!("Values are kept in the {}.", proof.store));
        }
        Ok(Arc::new(vault))
    }

    fn sealed(&self) -> Result<Arc<dyn Vault>, (VaultError, String)> {
        let path = self.home.sealed_vault_file();
        let locked = |why: String| (VaultError::from(SealedError::Locked), why);
        let failed = |error: SealedError| (VaultError::from(error.clone()), error.to_string());
        let vault = if self.recorded || SealedVault::exists(&path) {
            let mut tries = if self.passphrase.is_silent() { 1 } else { TRIES };
            loop {
                let passphrase = self.passphrase.obtain(For::Unlocking).map_err(locked)?;
                tries -= 1;
                match SealedVault::unlock(&path, &passphrase) {
                    Ok(vault) => break vault,
                    Err(SealedError::WrongPassphrase) if tries > 0 => ask::warn("That is not the passphrase."),
                    Err(error) => return Err(failed(error)),
                }
            }
        } else {
            let passphrase = self.passphrase.obtain(For::Creating).map_err(locked)?;
            SealedVault::create(&path, &passphrase).map_err(failed)?
        };
        if !self.recorded {
            self.record().map_err(|error| {
                let store = format!("sealed vault {}", path.display());
                (VaultError::Failing { store, detail: error.happened.clone() }, error.happened)
            })?;
            ask::warn(&format!("Values are kept in {}, sealed under your passphrase.", path.display()));
        }
        Ok(Arc::new(vault))
    }

    fn record(&self) -> Result<(), Error> {
        settings::record_store(&self.home.config_file(), self.name)
    }
}

impl Vault for LazyVault {
    fn kind(&self) -> &'static str {
        self.name.as_str()
    }

    fn put(&self, item: &Item, bytes: &SecretBytes) -> Result<(), VaultError> {
        self.opened()?.put(item, bytes)
    }

    fn fetch(&self, item: &Item) -> Result<SecretBytes, VaultError> {
        self.opened()?.fetch(item)
    }

    fn remove(&self, item: &Item) -> Result<(), VaultError> {
        self.opened()?.remove(item)
    }

    fn items(&self) -> Result<Vec<Item>, VaultError> {
        self.opened()?.items()
    }

    fn ready(&self) -> Result<(), VaultError> {
        let closed = matches!(*self.state(), State::Closed);
        match self.name {
            // Nobody may be prompted for this, and opening an unproven keychain could prompt.
            StoreName::Keychain if closed => Keychain::open(self.installation, Deadlines::default()).ready(),
            StoreName::Sealed if closed && !self.passphrase.is_silent() => Err(SealedError::Locked.into()),
            StoreName::Keychain | StoreName::Sealed => self.opened()?.ready(),
        }
    }

    fn prove(&self) -> Result<StoreProof, VaultError> {
        self.opened()?.prove()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use keytender_core::ports::Ids;
    use keytender_host::clock::SystemIds;

    #[test]
    fn the_store_on_record_is_kept_to() {
        use StoreName::{Keychain, Sealed};
        assert_eq!(choose(None, None, false), Ok(Keychain));
        assert_eq!(choose(None, None, true), Ok(Sealed));
        assert_eq!(choose(Some(VaultWord::Sealed), None, false), Ok(Sealed));
        assert_eq!(choose(None, Some(Sealed), true), Ok(Sealed));
        assert_eq!(choose(Some(VaultWord::Keychain), Some(Keychain), false), Ok(Keychain));
        let error = choose(Some(VaultWord::Sealed), Some(Keychain), false).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Refused);
    }

    #[test]
    fn a_sealed_vault_is_made_once_and_opened_without_asking() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::open(Some(folder.path().join("home"))).unwrap();
        let words = folder.path().join("words");
        std::fs::write(&words, "correct horse\n").unwrap();
        let installation = InstallationId(SystemIds.make_id());
        let vault =
            |recorded: bool, source: Source| LazyVault::new(StoreName::Sealed, recorded, home.clone(), installation, source);
        let first = vault(false, Source::File(words.clone()));
        assert!(!home.sealed_vault_file().exists(), "nothing happens before it is needed");
        first.prove().unwrap();
        let recorded = settings::Settings::read(&home.config_file()).unwrap().vault;
        assert_eq!(recorded, Some(StoreName::Sealed));
        assert_eq!(vault(true, Source::File(words)).ready(), Ok(()));

        let asked = vault(true, Source::Prompt);
        assert!(matches!(asked.ready(), Err(VaultError::Locked { .. })), "being ready prompts nobody");
        std::fs::write(folder.path().join("wrong"), "wrong\n").unwrap();
        let wrong = vault(true, Source::File(folder.path().join("wrong")));
        assert!(matches!(wrong.items(), Err(VaultError::Locked { .. })));
        let locked = Error { kind: ErrorKind::Locked, happened: "the sealed vault is locked".into(), help: None };
        assert!(wrong.explain(locked).happened.ends_with(": the passphrase is wrong"));
        std::fs::remove_file(home.sealed_vault_file()).unwrap();
        let gone = vault(true, Source::File(folder.path().join("words")));
        assert!(matches!(gone.prove(), Err(VaultError::Absent { .. })), "a vault that was there is not made anew");
    }
}
