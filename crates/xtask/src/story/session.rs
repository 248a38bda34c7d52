//! Where the story's values lie: a private session bus with a keychain of its own, or the person's keychain if they say so.

use crate::shell::{self, Fault, Step};
use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// How long a fresh keychain may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whether a keychain with a default collection answers on this session's bus. Starts the session's own if it is asleep;
/// reads no item.
pub(super) fn keychain_answers() -> bool {
    if !cfg!(target_os = "linux") {
        return true;
    }
    let reply =
        ask_bus("org.freedesktop.secrets", "/org/freedesktop/secrets", "org.freedesktop.Secret.Service.ReadAlias", "default");
    // The object path "/" means that there is no such collection.
    reply.is_some_and(|reply| reply.contains("object path \"/org/"))
}

/// Whether somebody has taken the keychain's name on this bus. Unlike a call to that name, the question starts nobody.
fn keychain_is_on_the_bus() -> bool {
    let bus = "org.freedesktop.DBus";
    let reply = ask_bus(bus, "/org/freedesktop/DBus", "org.freedesktop.DBus.NameHasOwner", "org.freedesktop.secrets");
    reply.is_some_and(|reply| reply.contains("boolean true"))
}

fn ask_bus(whom: &str, object: &str, call: &str, argument: &str) -> Option<String> {
    let (whom, argument) = (format!("--dest={whom}"), format!("string:{argument}"));
    let step = Step::new("dbus-send").args(["--session", "--print-reply", "--reply-timeout=2000"]);
    step.args([whom.as_str(), object, call, &argument]).quietly()
}

/// Runs this program again with `arguments`, inside a session bus of its own whose state lies in `folder`.
pub(super) fn run_inside(folder: &Path, arguments: &[&str]) -> Result<(), Fault> {
    let own = std::env::current_exe().map_err(Fault::file(Path::new("cargo xtask")))?;
    let (data, runtime) = (folder.join("keyring"), folder.join("runtime"));
    for made in [&data, &runtime] {
        make_private(made)?;
    }
    let step = Step::new("dbus-run-session").args(["--"]).args([own]).args(arguments);
    let mut command = step.env("XDG_DATA_HOME", &data).env("XDG_RUNTIME_DIR", &runtime).into_command();
    let status = command.status().map_err(|cause| Fault::Start { program: "dbus-run-session".to_owned(), cause })?;
    // What went wrong inside has been said inside.
    if status.success() { Ok(()) } else { Err(Fault::Unexpected("The story did not come to its end.".to_owned())) }
}

/// Starts a keychain on this (private) bus, unlocked by a password that nobody learns. It ends with the bus.
pub(super) fn start_keychain() -> Result<(), Fault> {
    let not_started = |cause| Fault::Start { program: "gnome-keyring-daemon".to_owned(), cause };
    let step = Step::new("gnome-keyring-daemon").args(["--unlock", "--components=secrets"]);
    let mut command = step.into_command();
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().map_err(not_started)?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(password()?.as_bytes()).map_err(not_started)?;
    }
    // The daemon leaves this child behind as soon as it has read its password.
    child.wait().map_err(not_started)?;
    wait_for("the private keychain", PATIENCE, || keychain_is_on_the_bus() && keychain_answers())
}

/// Looks again and again until something is so.
pub(super) fn wait_for(what: &str, patience: Duration, mut so: impl FnMut() -> bool) -> Result<(), Fault> {
    let start = Instant::now();
    while !so() {
        if start.elapsed() > patience {
            return Err(Fault::Unexpected(format!("{what} did not answer within {} s", patience.as_secs())));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Makes a folder that only its owner may look into.
pub(super) fn make_private(folder: &Path) -> Result<(), Fault> {
    fs::create_dir_all(folder).map_err(Fault::file(folder))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).map_err(Fault::file(folder))?;
    }
    Ok(())
}

fn password() -> Result<String, Fault> {
    let source = Path::new("/dev/urandom");
    let mut bytes = [0; 16];
    fs::File::open(source).and_then(|mut file| file.read_exact(&mut bytes)).map_err(Fault::file(source))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A shell for the person, in this session.
pub(super) fn open_shell(environment: &[(&str, std::ffi::OsString)]) -> Result<(), Fault> {
    let shell = std::env::var_os("SHELL").unwrap_or_else(|| shell::os("sh"));
    let mut command = Step::new(&shell).into_command();
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    // How the person leaves their shell is their affair.
    command.status().map(drop).map_err(|cause| Fault::Start { program: shell.to_string_lossy().into_owned(), cause })
}
