//! The `keytender` binary, run as a person or a script runs it: a home of its own, a private session bus, a real
//! gnome-keyring, the practice server.

use crate::keyring::{Daemon, PrivateBus};
use keytender_practice::{IssueRequest, Issued, KeyKind, Practice, Running, Server};
use serde_json::Value;
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// The binary that cargo built; `cargo xtask test` builds it first.
///
/// # Panics
/// If it was not built.
#[must_use]
pub fn keytender() -> PathBuf {
    // Tests lie in target/<profile>/deps, binaries one folder above.
    let test = std::env::current_exe().expect("a test has a path");
    let folder = test.parent().and_then(Path::parent).expect("a test lies two folders deep in target");
    let binary = folder.join(format!("keytender{}", std::env::consts::EXE_SUFFIX));
    assert!(binary.is_file(), "{} is not there: run `cargo build -p keytender-cli` first", binary.display());
    binary
}

/// What a command came to.
pub struct Ran {
    /// Its exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Ran {
    /// The output as JSON.
    ///
    /// # Panics
    /// If it is not.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}\n{}\n{}", self.out, self.err))
    }

    /// The output, if it ended with 0.
    ///
    /// # Panics
    /// If it did not.
    #[must_use]
    pub fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{}\n{}", self.out, self.err);
        self.out
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// A home folder and the session that commands run in.
pub struct Person {
    /// Everything lies in here, and is gone when dropped.
    pub folder: TempDir,
    /// The environment of the session.
    session: Vec<(&'static str, OsString)>,
    /// Further variables for every command.
    variables: Vec<(String, String)>,
    bus: Option<PrivateBus>,
}

impl Person {
    /// A person whose session has a bus and nobody on it.
    ///
    /// # Panics
    /// If the bus cannot be started.
    #[must_use]
    pub fn without_keychain() -> Self {
        let bus = PrivateBus::start();
        let session = bus.environment();
        Self { folder: tempfile::tempdir().expect("a folder"), session, variables: Vec::new(), bus: Some(bus) }
    }

    /// A person without a session bus at all, as on a server.
    ///
    /// # Panics
    /// If there is no room for a folder.
    #[must_use]
    pub fn without_bus() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), session: Vec::new(), variables: Vec::new(), bus: None }
    }

    /// A person with an unlocked gnome-keyring.
    ///
    /// # Panics
    /// If it cannot be started.
    #[must_use]
    pub fn with_keychain() -> (Self, Daemon) {
        let person = Self::without_keychain();
        let daemon = person.start_keychain();
        (person, daemon)
    }

    /// Starts another gnome-keyring over the same files.
    ///
    /// # Panics
    /// If there is no bus, or it cannot be started.
    #[must_use]
    pub fn start_keychain(&self) -> Daemon {
        Daemon::start(self.bus.as_ref().expect("a session bus").environment())
    }

    /// The home folder (`KEYTENDER_HOME`).
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// Sets a variable for every later command.
    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    /// Takes such a variable away again.
    pub fn unset(&mut self, name: &str) {
        self.variables.retain(|(known, _)| known != name);
    }

    /// A command of the binary, not yet started.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(keytender());
        for name in ["DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR"] {
            command.env_remove(name);
        }
        command.args(arguments).envs(self.session.iter().map(|(name, value)| (name, value)));
        command.env("KEYTENDER_HOME", self.home()).envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).current_dir(self.folder.path());
        command
    }

    /// Runs a command to its end.
    ///
    /// # Panics
    /// If it cannot be started.
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.command(arguments).output().expect("keytender starts").into()
    }

    /// Runs a command and feeds it a text on standard input.
    ///
    /// # Panics
    /// If it cannot be started.
    #[must_use]
    pub fn feed(&self, arguments: &[&str], text: &str) -> Ran {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().expect("keytender starts");
        // A command that ends before it reads closes the pipe; what it says about that is what the test looks at.
        drop(child.stdin.take().map(|mut stdin| stdin.write_all(text.as_bytes())));
        child.wait_with_output().expect("keytender ends").into()
    }

    /// Adds an integration `home` of the practice service at this address.
    ///
    /// # Panics
    /// If the command refuses.
    pub fn add_practice(&self, url: &str) {
        let setting = format!("base_url={url}");
        let _ = self.run(&["integration", "add", "practice", "--name", "home", "--set", &setting]).ok();
    }

    /// Issues a practice key of this kind and adds it as `home/NAME`.
    ///
    /// # Panics
    /// If the service or the command refuses.
    #[must_use]
    pub fn add_key(&self, practice: &Practice, kind: KeyKind, name: &str) -> Issued {
        let issued = practice.issue(&IssueRequest::new(kind)).expect("a practice key");
        let kind = kind.to_string();
        let _ = self.feed(&["key", "add", "home", "--name", name, "--kind", &kind, "--secret-stdin"], &issued.token).ok();
        issued
    }

    /// A .env file that holds the value in `TOKEN`, declared as a destination of the key.
    ///
    /// # Panics
    /// If it cannot be written or declared.
    #[must_use]
    pub fn add_dotenv(&self, key: &str, value: &str) -> PathBuf {
        let path = self.folder.path().join(format!("{}.env", key.replace('/', "-")));
        std::fs::write(&path, format!("# settings\nFIRST=1\nTOKEN={value}\n\nLAST='two words'\n")).expect("a .env file");
        let file = path.to_str().expect("a path in UTF-8");
        let _ = self.run(&["destination", "add", key, "dotenv", "--file", file, "--var", "TOKEN"]).ok();
        path
    }
}

/// A practice server in this process, over a folder of its own.
pub struct PracticeServer {
    /// The service's own view.
    pub practice: Practice,
    /// Where it listens.
    pub url: String,
    _folder: TempDir,
    _running: Running,
}

impl PracticeServer {
    /// Starts one on a free port.
    ///
    /// # Panics
    /// If it cannot be started.
    #[must_use]
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let practice = Practice::open(folder.path()).expect("a practice service");
        let running = Server::spawn(practice.clone(), 0).expect("a free port");
        Self { practice, url: running.url(), _folder: folder, _running: running }
    }
}
