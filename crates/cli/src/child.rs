//! Processes of our own binary that outlive the command: one keeps the clipboard, one keeps a notice on screen.
//!
//! What they are about goes through a pipe, never among the arguments. They say one line, which the command waits for, and
//! then stay for as long as is needed.

use crate::exit::Exit;
use crate::parts::fault;
use crate::secret;
use keytender_api::Error;
use keytender_core::secret::SecretText;
use keytender_host::{clipboard, notify, process};
use serde::{Deserialize, Serialize};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

/// How long a value stays in the clipboard.
pub(crate) const CLIPBOARD_STAY: Duration = Duration::from_secs(15);

/// How long a notice is kept on screen if nobody answers it. A day would be one process more for every notice of a quarter.
const NOTICE_STAY: Duration = Duration::from_secs(60 * 60);

/// The line that says that all is well; any other is why it is not.
const WELL: &str = "ok";

/// A notice on its way to the process that shows it.
#[derive(Serialize, Deserialize)]
pub(crate) struct NoticeOnScreen {
    pub(crate) summary: String,
    pub(crate) body: String,
    pub(crate) urgent: bool,
}

/// Has a process of its own hold this in the clipboard.
pub(crate) fn copy(value: &SecretText) -> Result<(), Error> {
    start("hold-clipboard", value.expose().as_bytes())
}

/// Has a process of its own show a notice.
pub(crate) fn show(notice: &NoticeOnScreen) -> Result<(), Error> {
    let text = serde_json::to_vec(notice).map_err(|error| fault(error.to_string()))?;
    start("hold-notice", &text)
}

fn start(command: &str, fed: &[u8]) -> Result<(), Error> {
    let failed = |error: io::Error| fault(format!("a process of our own could not be started: {error}"));
    let own = std::env::current_exe().map_err(failed)?;
    let mut child = Command::new(own);
    child.arg(command).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = child.spawn().map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(fed).map_err(failed)?;
    }
    let mut line = String::new();
    if let Some(stdout) = child.stdout.take() {
        BufReader::new(stdout).read_line(&mut line).map_err(failed)?;
    }
    match line.trim_end() {
        WELL => Ok(()),
        "" => Err(fault("a process of our own ended without a word".to_owned())),
        why => Err(fault(why.to_owned())),
    }
}

/// `hold-clipboard`, in the process of its own.
pub(crate) fn hold_clipboard() -> Result<Exit, Error> {
    process::detach();
    let value = secret::exact(io::stdin().lock())?;
    clipboard::hold(&value, CLIPBOARD_STAY, || say(WELL)).map(|_| Exit::Fine).map_err(|error| told(error.to_string()))
}

/// `hold-notice`, in the process of its own.
pub(crate) fn hold_notice() -> Result<Exit, Error> {
    process::detach();
    let mut text = String::new();
    io::stdin().lock().read_to_string(&mut text).map_err(|error| told(error.to_string()))?;
    let notice: NoticeOnScreen = serde_json::from_str(&text).map_err(|error| told(error.to_string()))?;
    let shown = notify::show(&notice.summary, &notice.body, &[], notice.urgent).map_err(|error| told(error.to_string()))?;
    say(WELL);
    // Whatever becomes of it, everything it offers is in the list too.
    let _ = shown.hold(NOTICE_STAY);
    Ok(Exit::Fine)
}

/// Says why, to the command that waits for it.
fn told(why: String) -> Error {
    say(&why.replace('\n', " "));
    fault(why)
}

fn say(line: &str) {
    let mut stdout = io::stdout().lock();
    // The command that asked may be gone; what it asked for is done all the same.
    let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
}
