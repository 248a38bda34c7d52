//! A desktop session of one test's own: a private bus, an X server without a screen, and dunst. Everything is started by
//! this process and killed by its id.

use std::io::{BufRead, BufReader, Read, Write};
use std::ops::Deref;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a part of the session may take to come up.
const START: Duration = Duration::from_secs(20);

/// A bus as any session bus, except that it starts nothing by itself: an installed dunst would be started on demand.
const BUS_CONFIGURATION: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:dir=FOLDER</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#;

/// A process that ends with its owner.
struct Owned(Child);

impl Owned {
    fn start(command: &mut Command) -> Self {
        let program = command.get_program().to_string_lossy().into_owned();
        Self(command.spawn().unwrap_or_else(|error| {
            panic!("{program} does not start ({error}); this test needs the packages dunst, xvfb, dbus and dbus-bin")
        }))
    }

    /// The first line of its standard output.
    fn first_line(&mut self) -> String {
        let mut line = String::new();
        BufReader::new(self.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(!line.trim().is_empty(), "it ended before it was ready");
        line.trim().to_owned()
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Where a session bus is said to be.
pub(crate) struct Session {
    pub(crate) address: String,
}

impl Session {
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("DBUS_SESSION_BUS_ADDRESS", &self.address).env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
        command
    }

    /// Starts `show_notice` in this session.
    pub(crate) fn spawn(&self, arguments: &[&str]) -> Notice {
        let program = env!("CARGO_BIN_EXE_show_notice");
        Notice(Owned::start(self.command(program).args(arguments).stdout(Stdio::piped())))
    }

    /// Runs `show_notice` in this session to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        self.spawn(arguments).finish()
    }
}

/// A running `show_notice`.
pub(crate) struct Notice(Owned);

impl Notice {
    /// What it said, once it has ended.
    pub(crate) fn finish(mut self) -> String {
        let mut said = String::new();
        self.0.0.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        said
    }
}

/// A private session bus with nobody on it.
pub(crate) struct Bus {
    session: Session,
    _process: Owned,
    folder: TempDir,
}

impl Bus {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let configuration = folder.path().join("bus.conf");
        let text = BUS_CONFIGURATION.replace("FOLDER", &folder.path().display().to_string());
        std::fs::File::create(&configuration).unwrap().write_all(text.as_bytes()).unwrap();
        let mut process = Owned::start(
            Command::new("dbus-daemon")
                .arg(format!("--config-file={}", configuration.display()))
                .args(["--nofork", "--nopidfile", "--print-address=1"])
                .stdout(Stdio::piped())
                // It complains where it may not raise its own file limit, and goes on.
                .stderr(Stdio::null()),
        );
        let session = Session { address: process.first_line() };
        Self { session, _process: process, folder }
    }
}

impl Deref for Bus {
    type Target = Session;
    fn deref(&self) -> &Session {
        &self.session
    }
}

/// A session with a notification daemon. Fields are dropped in this order.
pub(crate) struct Desktop {
    daemon: Owned,
    pub(crate) bus: Bus,
    _screen: Owned,
}

impl Desktop {
    pub(crate) fn start() -> Self {
        let mut screen = Owned::start(
            Command::new("Xvfb")
                .args(["-displayfd", "1", "-screen", "0", "800x600x24", "-nolisten", "tcp"])
                .stdout(Stdio::piped())
                .stderr(Stdio::null()),
        );
        let display = format!(":{}", screen.first_line());
        let bus = Bus::start();
        let settings = bus.folder.path().join("dunstrc");
        std::fs::write(&settings, "[global]\n    markup = full\n").unwrap();
        let mut command = bus.command("dunst");
        command.arg("-config").arg(settings).env("DISPLAY", display).stdout(Stdio::null()).stderr(Stdio::null());
        let desktop = Self { daemon: Owned::start(&mut command), bus, _screen: screen };
        poll("dunst on the bus", || desktop.bus.run(&["who"]).starts_with("daemon "));
        desktop
    }

    /// Asks dunst through its own command.
    pub(crate) fn control(&self, arguments: &[&str]) -> String {
        let output = self.bus.command("dunstctl").args(arguments).output().expect("dunstctl, of the package dunst");
        assert!(output.status.success(), "dunstctl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) fn wait_until_displayed(&self, count: usize) {
        poll("a notice on screen", || self.control(&["count", "displayed"]).trim() == count.to_string());
    }

    pub(crate) fn stop_daemon(&mut self) {
        self.daemon.0.kill().unwrap();
        self.daemon.0.wait().unwrap();
    }
}

fn poll(what: &str, mut ready: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !ready() {
        assert!(begun.elapsed() < START, "waited {START:?} for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
