//! A real keychain for tests: a D-Bus session of their own and a gnome-keyring-daemon of their own, both in a folder that is
//! deleted afterwards. Nothing here touches the keychain of whoever runs the tests. A machine without these programs fails
//! the test; it never skips it.
//!
//! Which bus a process speaks to is decided by its environment, so a check runs in a child process: [`inside`] runs the
//! calling test once more, alone, within a private session. A test of a program passes [`PrivateBus::environment`] to it.

#![allow(clippy::panic, reason = "test support: what cannot be had here must fail the test, with the reason")]

use rustix::process::{Pid, Signal, kill_process};
use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Names the test that a child process was started for.
const INSIDE: &str = "KEYTENDER_TEST_INSIDE";
/// Longer than any of this takes on a loaded machine.
const BOUND: Duration = Duration::from_secs(20);

/// Runs `check` in a child process whose session bus is private and has nobody on it. `test` is the full name of the calling
/// test.
///
/// # Panics
/// If the check fails, or a program that it takes is not installed.
pub fn inside(test: &str, check: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some_and(|name| name == test) {
        return check();
    }
    let bus = PrivateBus::start();
    rerun(test, bus.environment());
}

/// Like [`inside`], in a child process that takes itself to have a screen. There is none, so every prompt is dismissed.
///
/// # Panics
/// If the check fails, or a program that it takes is not installed.
pub fn inside_with_screen(test: &str, check: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some_and(|name| name == test) {
        return check();
    }
    let bus = PrivateBus::start();
    let mut environment = bus.environment();
    environment.push(("DISPLAY", ":no-such-screen".into()));
    rerun(test, environment);
}

/// Like [`inside`], in a child process that has no session bus.
///
/// # Panics
/// If the check fails.
pub fn without_bus(test: &str, check: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some_and(|name| name == test) {
        return check();
    }
    let home = TempDir::new().unwrap_or_else(|error| panic!("a folder for the session: {error}"));
    let nowhere = format!("unix:path={}", home.path().join("no-bus").display());
    rerun(test, environment(home.path(), nowhere.as_ref()));
}

fn rerun(test: &str, environment: Vec<(&'static str, OsString)>) {
    let binary = std::env::current_exe().unwrap_or_else(|error| panic!("the path of this test: {error}"));
    let output = Command::new(binary)
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(INSIDE, test)
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .envs(environment)
        .output()
        .unwrap_or_else(|error| panic!("{test} does not start: {error}"));
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    // A misspelt name would run nothing and succeed.
    assert!(output.status.success() && out.contains("1 passed"), "{test} failed within its private session:\n{out}\n{err}");
}

/// A session bus with no services on it and none to be started by it.
pub struct PrivateBus {
    daemon: Child,
    address: OsString,
    home: TempDir,
}

impl PrivateBus {
    /// Starts one.
    ///
    /// # Panics
    /// If `dbus-daemon` is not installed or does not come up.
    #[must_use]
    pub fn start() -> Self {
        let home = TempDir::new().unwrap_or_else(|error| panic!("a folder for the bus: {error}"));
        let config = home.path().join("bus.conf");
        write(&config, &bus_config(home.path()));
        let mut command = Command::new("dbus-daemon");
        command.arg(format!("--config-file={}", config.display())).args(["--nofork", "--print-address"]);
        let mut daemon = start(command.stdout(Stdio::piped()).stderr(Stdio::null()), "dbus");
        let mut address = String::new();
        let told = daemon.stdout.take().map(|out| BufReader::new(out).read_line(&mut address));
        assert!(matches!(told, Some(Ok(length)) if length > 0), "dbus-daemon came up without an address");
        Self { daemon, address: address.trim().into(), home }
    }

    /// What a process must find in its environment to live in this session.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, OsString)> {
        environment(self.home.path(), &self.address)
    }
}

impl Drop for PrivateBus {
    fn drop(&mut self) {
        end(&mut self.daemon);
    }
}

/// The folders that gnome-keyring and its clients look into, all of them private.
fn environment(home: &Path, bus: &OsStr) -> Vec<(&'static str, OsString)> {
    let home = home.as_os_str().to_owned();
    let folders = ["HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"];
    let mut environment: Vec<_> = folders.iter().map(|name| (*name, home.clone())).collect();
    environment.push(("DBUS_SESSION_BUS_ADDRESS", bus.to_owned()));
    environment
}

fn bus_config(home: &Path) -> String {
    let socket = home.join("bus");
    format!(
        r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>
"#,
        socket.display()
    )
}

/// A gnome-keyring-daemon in the session of an environment. Its files stay in the session's folder, so a second one finds
/// what the first one stored.
pub struct Daemon {
    process: Child,
    environment: Vec<(&'static str, OsString)>,
}

impl Daemon {
    /// Starts one with its default collection unlocked. `environment` is added to this process's own; a check that runs
    /// [`inside`] a session passes none.
    ///
    /// # Panics
    /// If `gnome-keyring-daemon` is not installed or does not come up.
    #[must_use]
    pub fn start(environment: Vec<(&'static str, OsString)>) -> Self {
        let mut command = Command::new("gnome-keyring-daemon");
        command.args(["--foreground", "--unlock", "--components=secrets"]).envs(environment.clone());
        let mut process = start(command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()), "gnome-keyring");
        let told = process.stdin.take().map(|mut input| input.write_all(b"the session's password"));
        assert!(matches!(told, Some(Ok(()))), "gnome-keyring-daemon took no password");
        let daemon = Self { process, environment };
        daemon.wait_until("gnome-keyring-daemon comes up unlocked", || {
            let locked = daemon.dbus(&[
                "org.freedesktop.DBus.Properties.Get",
                "string:org.freedesktop.Secret.Collection",
                "string:Locked",
            ]);
            locked.is_some_and(|reply| reply.contains("boolean false"))
        });
        daemon
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Stops it in its tracks (SIGSTOP): it takes calls and answers none.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on (SIGCONT).
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Kills it (SIGKILL) and waits until the bus has noticed.
    ///
    /// # Panics
    /// If it stays on the bus.
    pub fn kill(mut self) {
        end(&mut self.process);
        self.wait_until("the bus notices that gnome-keyring-daemon is gone", || {
            self.dbus(&["org.freedesktop.DBus.Peer.Ping"]).is_none()
        });
    }

    /// Locks the default collection. Start another daemon to have it unlocked again.
    ///
    /// # Panics
    /// If it does not lock.
    pub fn lock(&self) {
        let mut command = Command::new("dbus-send");
        command.args(["--session", "--print-reply", "--dest=org.freedesktop.secrets", "/org/freedesktop/secrets"]);
        command.args(["org.freedesktop.Secret.Service.Lock", &format!("array:objpath:{COLLECTION}")]);
        let locked = command.envs(self.environment.clone()).output();
        assert!(locked.is_ok_and(|output| output.status.success()), "gnome-keyring-daemon does not lock");
    }

    /// What `secret-tool` prints when asked this. Independent of everything under test.
    ///
    /// # Panics
    /// If `secret-tool` is not installed.
    #[must_use]
    pub fn secret_tool(&self, arguments: &[&str]) -> std::process::Output {
        let output = Command::new("secret-tool").args(arguments).envs(self.environment.clone()).output();
        output.unwrap_or_else(|error| panic!("secret-tool (package libsecret-tools) does not start: {error}"))
    }

    /// Every file that it keeps.
    ///
    /// # Panics
    /// If its folder cannot be read.
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        let own = self.environment.iter().find(|(name, _)| *name == "XDG_DATA_HOME").map(|(_, home)| home.clone());
        let home = own.or_else(|| std::env::var_os("XDG_DATA_HOME")).unwrap_or_default();
        let files = std::fs::read_dir(Path::new(&home).join("keyrings"));
        let files = files.unwrap_or_else(|error| panic!("the daemon's folder: {error}"));
        files.filter_map(|file| Some(file.ok()?.path())).collect()
    }

    /// Calls a method of the default collection; the printed reply, if it answers.
    fn dbus(&self, call: &[&str]) -> Option<String> {
        let mut command = Command::new("dbus-send");
        command.args(["--session", "--print-reply", "--dest=org.freedesktop.secrets", COLLECTION]);
        let output = command.args(call).envs(self.environment.clone()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn wait_until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let begun = Instant::now();
        while !holds() {
            assert!(begun.elapsed() < BOUND, "waited in vain until {what}");
        }
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw);
        let sent = pid.map(|pid| kill_process(pid, signal));
        assert!(matches!(sent, Some(Ok(()))), "no signal reaches gnome-keyring-daemon");
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        end(&mut self.process);
    }
}

const COLLECTION: &str = "/org/freedesktop/secrets/aliases/default";

fn start(command: &mut Command, package: &str) -> Child {
    command.spawn().unwrap_or_else(|error| {
        let program = command.get_program().to_string_lossy();
        panic!("{program} (package {package}) does not start: {error}. Tests of the keychain need it: apt-get install {package}")
    })
}

/// Kills and buries one process of ours; one that has already ended is buried only.
fn end(process: &mut Child) {
    drop(process.kill());
    drop(process.wait());
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
