//! Desktop notices: shown through the system's own daemon, held while their buttons may be pressed.
//!
//! What may not live here: when a notice is due, what it says, and what its buttons do. A notice is a bonus: everything it
//! offers is in the window and on the command line too, so no failure here may hold up anything else. Each notice has a
//! thread of its own, callers wait two seconds at most, and it does not matter whether they run inside an async runtime.
//!
//! Linux is run and tested; macOS and Windows are written against the documented behaviour and not yet run.

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "elsewhere.rs")]
mod system;

use keytender_core::error::Retry;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;
use tokio::sync::oneshot;

/// How long a caller waits for the daemon. One that is alive answers within milliseconds; one that must be started by the
/// bus, within a second.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why no notice was shown. The reminder stays due, and is in the window and in `keytender reminders` all the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotifyError {
    /// There is no session bus to reach a notification daemon by: a server, a container, a cron job.
    #[error("no desktop session: {0}. Run this inside one, or read `keytender reminders`")]
    NoBus(String),
    /// There is a session bus, and nobody on it shows notices.
    #[error("no notification daemon is running in this desktop session; start one, or read `keytender reminders`")]
    NoDaemon,
    /// The daemon or the bus did not answer in time.
    #[error("the notification daemon did not answer within {} seconds", PATIENCE.as_secs())]
    TimedOut,
    /// It answered with an error, or the system did.
    #[error("the notice could not be shown: {0}")]
    Failed(String),
}

impl NotifyError {
    /// Whether and when the same call may succeed.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::NoBus(_) | Self::NoDaemon => Retry::NeedsPerson,
            Self::TimedOut | Self::Failed(_) => Retry::Later,
        }
    }
}

/// Who shows notices here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Daemon {
    /// What it calls itself, such as `dunst` or `gnome-shell`.
    pub name: String,
    /// Its version; empty where the system does not say.
    pub version: String,
    /// What it can do, in the words of the desktop notifications specification: `actions`, `body`, `body-markup`, ...
    pub capabilities: Vec<String>,
}

impl Daemon {
    /// Whether it can do this.
    #[must_use]
    pub fn can(&self, capability: &str) -> bool {
        self.capabilities.iter().any(|one| one == capability)
    }
}

/// What became of a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A button was pressed: its id.
    Action(String),
    /// The notice itself was clicked.
    Opened,
    /// A person put it away.
    Dismissed,
    /// It was shown for as long as the daemon shows one.
    Expired,
    /// It was closed otherwise, or the daemon went away.
    Withdrawn,
    /// None of these within the time that it was held.
    Held,
}

/// A notice on screen. Some desktops drop a notice together with the connection that asked for it: keep this as long as the
/// notice should be seen.
#[derive(Debug)]
pub struct Shown {
    daemon: Daemon,
    answer: Receiver<Answer>,
    /// Dropped with this value, which lets the notice's thread end.
    _stay: oneshot::Sender<()>,
}

impl Shown {
    /// Who shows it.
    #[must_use]
    pub fn daemon(&self) -> &Daemon {
        &self.daemon
    }

    /// Waits until it is answered or closed, `limit` at most. An answer is given once; afterwards it is
    /// [`Answer::Withdrawn`].
    #[must_use]
    pub fn hold(&self, limit: Duration) -> Answer {
        self.answer.recv_timeout(limit).unwrap_or_else(|error| match error {
            RecvTimeoutError::Timeout => Answer::Held,
            RecvTimeoutError::Disconnected => Answer::Withdrawn,
        })
    }
}

/// A notice on its way to the thread that shows it.
struct Wanted {
    summary: String,
    body: String,
    actions: Vec<(String, String)>,
    urgent: bool,
}

/// How a notice's thread tells what happened, and hears that nobody cares any more.
struct Report {
    shown: mpsc::Sender<Result<Daemon, NotifyError>>,
    answer: mpsc::Sender<Answer>,
    gone: oneshot::Receiver<()>,
}

/// Shows a notice: one line, plain text below it, and buttons as (id, label) where the daemon has them; the id `default`
/// stands for a click on the notice itself. Urgent ones stay until they are put away and pass "do not disturb" where the
/// desktop lets them.
///
/// # Errors
/// See [`NotifyError`]; within about two seconds in every case.
pub fn show(summary: &str, body: &str, actions: &[(&str, &str)], urgent: bool) -> Result<Shown, NotifyError> {
    let wanted = Wanted {
        summary: summary.to_owned(),
        body: body.to_owned(),
        actions: actions.iter().map(|(id, label)| ((*id).to_owned(), (*label).to_owned())).collect(),
        urgent,
    };
    let (shown, arrived) = mpsc::channel();
    let (answer, answered) = mpsc::channel();
    let (stay, gone) = oneshot::channel();
    on_own_thread(move || system::present(&wanted, Report { shown, answer, gone }))?;
    Ok(Shown { daemon: wait_for(&arrived)?, answer: answered, _stay: stay })
}

/// Who would show a notice, and what it can do.
///
/// # Errors
/// See [`NotifyError`]; within about two seconds in every case.
pub fn capabilities() -> Result<Daemon, NotifyError> {
    let (told, heard) = mpsc::channel();
    // The caller may have given up waiting; then nobody hears it.
    on_own_thread(move || drop(told.send(system::daemon())))?;
    wait_for(&heard)
}

fn on_own_thread(work: impl FnOnce() + Send + 'static) -> Result<(), NotifyError> {
    let thread = thread::Builder::new().name("notice".into()).spawn(work);
    thread.map(drop).map_err(|error| NotifyError::Failed(error.to_string()))
}

fn wait_for(told: &Receiver<Result<Daemon, NotifyError>>) -> Result<Daemon, NotifyError> {
    told.recv_timeout(PATIENCE).unwrap_or_else(|error| match error {
        RecvTimeoutError::Timeout => Err(NotifyError::TimedOut),
        RecvTimeoutError::Disconnected => Err(NotifyError::Failed("the thread that shows it ended unexpectedly".into())),
    })
}
