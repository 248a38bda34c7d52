//! The use cases joined with the real parts of this computer. Opening costs a ledger; everything else waits until it is used.

use crate::passphrase::Source;
use crate::settings::Settings;
use crate::store::{self, LazyVault};
use keytender_api::{Api, Error, ErrorKind, Parts};
use keytender_core::exchange::{RequestValue, ResponseValue};
use keytender_core::ports::{Clock, Http, HttpError, HttpTrouble, Ledger, Sent, Vault};
use keytender_host::clock::{SystemClock, SystemIds};
use keytender_host::crash::Points;
use keytender_host::destinations::LocalDestinations;
use keytender_host::escrow::FileEscrow;
use keytender_host::home::{Home, HomeError};
use keytender_host::http::{HttpClient, HttpOptions};
use keytender_host::ledger::SqliteLedger;
use keytender_services::{Catalog, ManifestError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// Everything a command works with.
pub(crate) struct Joined {
    /// The use cases.
    pub(crate) api: Api,
    /// What a person set.
    pub(crate) settings: Settings,
    /// The store, for what only the command line asks of it.
    pub(crate) vault: Arc<LazyVault>,
    home: Home,
    ledger: Arc<SqliteLedger>,
}

impl Joined {
    /// Joins them over a home folder.
    pub(crate) fn open(
        home: &Home,
        asked: Option<crate::args::VaultWord>,
        passphrase: Source,
        rebuild: bool,
    ) -> Result<Self, Error> {
        let settings = Settings::read(&home.config_file())?;
        // A store is recorded with the first value: an empty ledger in its place would say that there is none.
        if settings.vault.is_some() && !home.ledger_file().exists() && !rebuild {
            return Err(Error {
                kind: ErrorKind::Fault,
                happened: format!("the ledger is missing from {}, where values were stored; they are still in the vault", home.root().display()),
                help: Some("put the newest copy from `backups/` there as ledger.sqlite, or let `keytender doctor --rebuild` take everything from the vault".to_owned()),
            });
        }
        let name = store::choose(asked, settings.vault, home.sealed_vault_file().exists())?;
        let installation = home.installation().map_err(|error| fault(error.to_string()))?;
        let ledger = Arc::new(SqliteLedger::open(&home.ledger_file(), installation)?);
        if ledger.installation().0 != installation {
            home.keep_installation(ledger.installation().0).map_err(|error| fault(error.to_string()))?;
        }
        let recorded = settings.vault.is_some();
        let vault = Arc::new(LazyVault::new(name, recorded, home.clone(), ledger.installation(), passphrase));
        let own = own_files(home)?.into_iter().map(|(path, text)| (name_of(&path), text)).collect();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let escrow = Arc::new(FileEscrow::new(home.root(), Arc::clone(&vault) as Arc<dyn Vault>));
        let parts = Parts {
            ledger: Arc::clone(&ledger) as Arc<dyn Ledger>,
            vault: Arc::clone(&vault) as Arc<dyn Vault>,
            destinations: Arc::new(LocalDestinations::new(home.undo_folder(), Arc::clone(&escrow) as Arc<_>)),
            escrow,
            http: Arc::new(LazyHttp::new(Arc::clone(&clock), settings.extra_certificates.clone())),
            clock,
            ids: Arc::new(SystemIds),
            checkpoint: Arc::new(Points::from_environment()),
            catalog: Catalog::on_demand(own),
        };
        Ok(Self { api: Api::new(parts), settings, vault, home: home.clone(), ledger })
    }

    /// The person's own service files that are refused, each with its place and reason. The others work all the same.
    pub(crate) fn complaints(&self) -> Result<Vec<ManifestError>, Error> {
        let own = own_files(&self.home)?;
        if own.is_empty() {
            return Ok(Vec::new());
        }
        let mut catalog = Catalog::builtin().map_err(|error| fault(error.to_string()))?;
        let refused = own.into_iter().filter_map(|(path, text)| {
            let error = catalog.add_user(&name_of(&path), &text).err()?;
            Some(ManifestError { file: path.display().to_string(), ..error })
        });
        Ok(refused.collect())
    }

    /// The day's copy of the ledger, if today has none. That it failed is no reason not to do what was asked.
    pub(crate) fn back_up(&self) {
        if let Err(error) = self.ledger.backup_daily(&self.home.backups_folder(), SystemClock.now()) {
            tracing::warn!(%error, "the ledger was not copied");
        }
    }
}

/// `services/*.toml` with their texts, by name. A file that cannot be read counts as one that is refused.
fn own_files(home: &Home) -> Result<Vec<(PathBuf, String)>, Error> {
    let folder = home.services_folder();
    let failed = |error: std::io::Error| fault(format!("{}: {error}", folder.display()));
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            files.push((path, text));
        }
    }
    files.sort();
    Ok(files)
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The home folder, with its errors in the words of the others.
pub(crate) fn open_home(path: Option<PathBuf>) -> Result<Home, Error> {
    Home::open(path).map_err(|error| {
        let kind = match error {
            HomeError::Nowhere | HomeError::NotAFolder { .. } => ErrorKind::Invalid,
            HomeError::ForeignLink { .. } | HomeError::ForeignFolder { .. } | HomeError::WorldWritable { .. } => {
                ErrorKind::Refused
            }
            HomeError::Failed { .. } => ErrorKind::Fault,
        };
        Error { kind, happened: error.to_string(), help: None }
    })
}

pub(crate) fn fault(happened: String) -> Error {
    Error { kind: ErrorKind::Fault, happened, help: None }
}

/// The HTTP client, started by the first request: it brings a thread and the system's certificates.
struct LazyHttp {
    clock: Arc<dyn Clock>,
    extra_roots: Option<PathBuf>,
    client: OnceLock<Result<HttpClient, String>>,
}

impl LazyHttp {
    fn new(clock: Arc<dyn Clock>, extra_roots: Option<PathBuf>) -> Self {
        Self { clock, extra_roots, client: OnceLock::new() }
    }
}

impl Http for LazyHttp {
    fn send(&self, request: &RequestValue) -> Result<ResponseValue, HttpError> {
        let client = self.client.get_or_init(|| {
            let options = HttpOptions { extra_roots: self.extra_roots.clone(), ..HttpOptions::new(Arc::clone(&self.clock)) };
            HttpClient::new(options).map_err(|error| error.to_string())
        });
        match client {
            Ok(client) => client.send(request),
            Err(why) => Err(HttpError { trouble: HttpTrouble::Forbidden(why.clone()), sent: Sent::No }),
        }
    }
}
