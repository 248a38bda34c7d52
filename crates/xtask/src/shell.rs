//! Running other programs, visibly: every command is printed as a person would type it before it runs.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Why a task stopped.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The command line of the task runner itself was wrong.
    Usage(String),
    /// Something the computer lacks and that could not be installed; the text says what to type.
    Lacking(String),
    /// A program could not be started.
    Start {
        /// Its name.
        program: String,
        /// Why.
        cause: std::io::Error,
    },
    /// A program ended with an error, which it has printed itself.
    Ended(String),
    /// Reading or writing a file failed.
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// Something did not happen in time, or not as it should.
    Unexpected(String),
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Usage(what) | Self::Lacking(what) | Self::Unexpected(what) => f.write_str(what),
            Self::Start { program, cause } => write!(f, "{program} could not be started: {cause}"),
            Self::Ended(what) => write!(f, "this failed: {what}"),
            Self::File { path, cause } => write!(f, "{}: {cause}", path.display()),
        }
    }
}

impl Fault {
    /// For `map_err` on file operations.
    pub(crate) fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |cause| Self::File { path, cause }
    }
}

/// One program with its arguments.
pub(crate) struct Step {
    command: Command,
}

impl Step {
    /// A program found on the search path, or by its full path. Runs at the root of the workspace.
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(program);
        command.current_dir(root());
        Self { command }
    }

    /// The cargo that runs this task runner.
    pub(crate) fn cargo<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Self {
        let mut step = Self::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        // `cargo run` describes xtask to its child in these; to a cargo below they would describe the wrong package.
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
                step.command.env_remove(name);
            }
        }
        step.command.args(arguments);
        step
    }

    /// Adds arguments.
    pub(crate) fn args<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.command.args(arguments);
        self
    }

    /// Sets a variable of the program's environment.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs in this folder.
    pub(crate) fn folder(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// The command as a person would type it.
    pub(crate) fn line(&self) -> String {
        let program = Path::new(self.command.get_program()).file_stem().unwrap_or_default().to_string_lossy();
        std::iter::once(program.into_owned()).chain(self.command.get_args().map(quoted)).collect::<Vec<_>>().join(" ")
    }

    /// Prints the command, runs it on this terminal and waits.
    pub(crate) fn run(mut self) -> Result<(), Fault> {
        let line = self.line();
        println!("$ {line}");
        let status = self.command.status().map_err(|cause| self.not_started(cause))?;
        if status.success() { Ok(()) } else { Err(Fault::Ended(line)) }
    }

    /// Prints the command and runs it, handing each line of its standard output to `see` after printing it; its standard
    /// error goes to this terminal. Says whether it ended well.
    pub(crate) fn watch(mut self, mut see: impl FnMut(&str)) -> Result<bool, Fault> {
        println!("$ {}", self.line());
        self.command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = self.command.spawn().map_err(|cause| self.not_started(cause))?;
        if let Some(output) = child.stdout.take() {
            // Lossy: a test may print anything, and one odd byte must not end the run.
            for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line);
                println!("{line}");
                see(&line);
            }
        }
        Ok(child.wait().map_err(|cause| self.not_started(cause))?.success())
    }

    /// Runs without a word and gives what it printed, if it ended well.
    pub(crate) fn quietly(mut self) -> Option<String> {
        let output = self.command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// The bare command, for what needs its pipes.
    pub(crate) fn into_command(self) -> Command {
        self.command
    }

    fn not_started(&self, cause: std::io::Error) -> Fault {
        Fault::Start { program: self.command.get_program().to_string_lossy().into_owned(), cause }
    }
}

fn quoted(argument: &OsStr) -> String {
    let text = argument.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,@+%".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text.into_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.ancestors().nth(2).unwrap_or(own).to_owned()
}

/// Where a program lies on the search path.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    // Debian keeps some daemons outside an ordinary user's search path.
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(PathBuf::from));
    folders.map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// Whether a person sits at this terminal: never under CI, whatever its terminal looks like.
pub(crate) fn person_present() -> bool {
    std::env::var_os("CI").is_none() && std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

/// Asks a person; an empty answer is `default`.
pub(crate) fn agrees(question: &str, default: bool) -> bool {
    print!("{question} [{}] ", if default { "Y/n" } else { "y/N" });
    let answer = read_line();
    match answer.trim().to_ascii_lowercase().as_str() {
        "" => default,
        answer => answer.starts_with('y'),
    }
}

/// Waits for a person to press Enter.
pub(crate) fn pause() {
    print!("  [Enter] ");
    read_line();
}

fn read_line() -> String {
    // A terminal that went away answers like an empty line.
    let _ = std::io::stdout().flush();
    let mut line = String::new();
    let _ = std::io::stdin().read_line(&mut line);
    line
}

/// Texts as the operating system's strings, for argument lists that mix both.
pub(crate) fn os(text: &str) -> OsString {
    OsString::from(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_it_would_be_typed() {
        let step = Step::new("/usr/bin/keytender").args(["key", "add", "a b", "it's", "--set=K=V"]);
        assert_eq!(step.line(), r"keytender key add 'a b' 'it'\''s' --set=K=V");
    }

    #[test]
    fn the_root_holds_the_lock_file() {
        assert!(root().join("Cargo.lock").is_file());
    }

    #[cfg(unix)]
    #[test]
    fn watching_sees_every_line_and_the_end() {
        let mut lines = Vec::new();
        let well = Step::new("sh").args(["-c", r"printf 'one\ntwo\377\n'; exit 3"]).watch(|line| lines.push(line.to_owned()));
        assert!(!well.expect("sh is there"));
        assert_eq!(lines, ["one", "two\u{fffd}"]);
    }
}
