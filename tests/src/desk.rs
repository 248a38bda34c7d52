//! Everything in one process: the use cases over the real ledger, escrow, HTTP client and file writer, against the real
//! practice server. Only the vault is in memory here; the keychain has tests of its own, and the `keytender` binary too.

use crate::shifted::ShiftedClock;
use keytender_api::{AnswerRequest, Api, IntegrationAdd, KeyAdd, Parts, Resting};
use keytender_core::ports::{Checkpoint, Clock, Vault};
use keytender_core::rotation::Purpose;
use keytender_core::secret::SecretText;
use keytender_host::clock::SystemIds;
use keytender_host::destinations::LocalDestinations;
use keytender_host::escrow::FileEscrow;
use keytender_host::home::Home;
use keytender_host::http::{HttpClient, HttpOptions};
use keytender_host::ledger::SqliteLedger;
use keytender_host::memory::MemoryVault;
use keytender_practice::{IssueRequest, KeyKind, Practice, Running, Server};
use keytender_services::Catalog;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// How long a run waits by itself; the clock jumps over every pause, so nobody does.
pub const PATIENCE: Duration = Duration::from_secs(3600);

/// A home folder, a practice server, and the use cases over both.
pub struct Desk {
    /// The folder of everything; gone when dropped.
    pub folder: TempDir,
    /// The practice service's own view.
    pub practice: Practice,
    /// The use cases.
    pub api: Api,
    /// The vault, to be locked and unlocked.
    pub vault: Arc<MemoryVault>,
    /// The clock, to be moved.
    pub clock: Arc<ShiftedClock>,
    server: Running,
}

struct NoCheckpoint;

impl Checkpoint for NoCheckpoint {
    fn pass(&self, _: &str) {}
}

impl Desk {
    /// A desk with an integration `home` of the practice service.
    ///
    /// # Errors
    /// When a part cannot be started.
    pub fn open() -> Result<Self, Box<dyn Error>> {
        Self::open_with(Catalog::builtin()?)
    }

    /// [`Desk::open`] with services of the test's own beside the built-in ones.
    ///
    /// # Errors
    /// When a part cannot be started.
    pub fn open_with(catalog: Catalog) -> Result<Self, Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let clock = Arc::new(ShiftedClock::default());
        let practice_clock = Arc::clone(&clock);
        let practice = Practice::open_with_clock(folder.path().join("practice"), move || practice_clock.now())?;
        let server = Server::spawn(practice.clone(), 0)?;
        let vault = Arc::new(MemoryVault::new());
        let api = Self::api(folder.path(), Arc::clone(&vault), Arc::clone(&clock), catalog)?;
        api.integration_add(IntegrationAdd {
            service: "practice".into(),
            name: "home".into(),
            settings: [("base_url".to_owned(), server.url())].into(),
            ..IntegrationAdd::default()
        })?;
        Ok(Self { folder, practice, api, vault, clock, server })
    }

    fn api(folder: &Path, vault: Arc<MemoryVault>, clock: Arc<ShiftedClock>, catalog: Catalog) -> Result<Api, Box<dyn Error>> {
        let home = Home::open(Some(folder.join("home")))?;
        let held: Arc<dyn Vault> = vault;
        let escrow = Arc::new(FileEscrow::new(home.root(), Arc::clone(&held)));
        Ok(Api::new(Parts {
            ledger: Arc::new(SqliteLedger::open(&home.ledger_file(), home.installation()?)?),
            vault: held,
            destinations: Arc::new(LocalDestinations::new(home.undo_folder(), Arc::clone(&escrow) as _)),
            escrow,
            http: Arc::new(HttpClient::new(HttpOptions::new(Arc::clone(&clock) as _))?),
            clock,
            ids: Arc::new(SystemIds),
            checkpoint: Arc::new(NoCheckpoint),
            catalog,
        }))
    }

    /// Issues a key of this kind at the practice service and adds it as `home/KIND`. Gives its id there and its value.
    ///
    /// # Errors
    /// When the service or the vault refuses.
    pub fn add(&self, kind: KeyKind) -> Result<(String, String), Box<dyn Error>> {
        self.add_named(kind, &kind.to_string())
    }

    /// Like [`Desk::add`], under a name of its own.
    ///
    /// # Errors
    /// When the service or the vault refuses.
    pub fn add_named(&self, kind: KeyKind, name: &str) -> Result<(String, String), Box<dyn Error>> {
        let issued = self.practice.issue(&IssueRequest::new(kind))?;
        self.api.key_add(KeyAdd {
            integration: "home".into(),
            name: name.to_owned(),
            kind: Some(kind.to_string()),
            expires: None,
            issued: None,
            options: Default::default(),
            tags: Vec::new(),
            secret: SecretText::new(issued.token.clone()),
        })?;
        Ok((issued.id, issued.token))
    }

    /// Where the practice server listens.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// A .env file beside the home folder that holds the value in `TOKEN`, among other lines.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn dotenv(&self, value: &str) -> std::io::Result<PathBuf> {
        let path = self.folder.path().join(".env");
        std::fs::write(&path, format!("# the app's settings\r\nexport TOKEN=\"{value}\" # by hand\r\nOTHER=1"))?;
        Ok(path)
    }

    /// Starts a rotation or a revocation and drives it to its first rest. Gives its id and where it rests.
    ///
    /// # Errors
    /// When it cannot be started or its journal cannot be written.
    pub fn begin(&self, key: &str, purpose: Purpose) -> Result<(String, Resting), keytender_api::Error> {
        let plan = self.api.plan(key, purpose, false)?;
        let id = self.api.start(key, purpose, false, &plan.digest)?;
        let resting = self.api.drive(&id, PATIENCE, &mut |_| {})?;
        Ok((id, resting))
    }

    /// Answers a waiting rotation.
    ///
    /// # Errors
    /// When nothing waits for that answer.
    pub fn answer(&self, id: &str, answer: AnswerRequest) -> Result<Resting, keytender_api::Error> {
        self.api.answer(id, answer, PATIENCE, &mut |_| {})
    }

    /// The current value of a key, as `reveal` gives it.
    ///
    /// # Errors
    /// When there is none.
    pub fn value(&self, key: &str) -> Result<String, Box<dyn Error>> {
        let value = self.api.reveal(key, "revealed")?;
        let only = value.fields().next().map(|(_, text)| text.expose().to_owned());
        only.ok_or_else(|| "a value without fields".into())
    }
}
