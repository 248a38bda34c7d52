//! One run of the command: what every command takes, where it prints, and the parts once one needs them.

use crate::args::Global;
use crate::log;
use crate::parts::{Joined, open_home};
use crate::passphrase::Source;
use crate::print::{Dates, Out};
use keytender_api::{Error, ErrorKind};
use keytender_host::clock::SystemClock;
use keytender_host::home::Home;
use std::cell::OnceCell;

/// One run of the command.
pub(crate) struct Session {
    pub(crate) out: Out,
    global: Global,
    home: OnceCell<Home>,
    joined: OnceCell<Joined>,
}

impl Session {
    pub(crate) fn new(global: Global) -> Self {
        Self { out: Out::new(global.json), global, home: OnceCell::new(), joined: OnceCell::new() }
    }

    /// The home folder. From here on there is a log.
    pub(crate) fn home(&self) -> Result<&Home, Error> {
        if let Some(home) = self.home.get() {
            return Ok(home);
        }
        let home = open_home(self.global.home.clone())?;
        log::start(home.logs_folder(), self.global.verbose);
        Ok(self.home.get_or_init(|| home))
    }

    /// The use cases on their parts.
    pub(crate) fn join(&self) -> Result<&Joined, Error> {
        self.join_over(false)
    }

    /// The parts, over a ledger that may be lost: for the one command that brings it back.
    pub(crate) fn join_to_rebuild(&self) -> Result<&Joined, Error> {
        self.join_over(true)
    }

    fn join_over(&self, rebuild: bool) -> Result<&Joined, Error> {
        if let Some(joined) = self.joined.get() {
            return Ok(joined);
        }
        let joined = Joined::open(self.home()?, self.global.vault, Source::of(&self.global), rebuild)?;
        Ok(self.joined.get_or_init(|| joined))
    }

    /// The person's calendar.
    pub(crate) fn dates(&self) -> Dates {
        Dates::of(&SystemClock)
    }

    /// Says an error, with what only the parts can add to it.
    pub(crate) fn report(&self, error: Error) {
        let error = match self.joined.get() {
            Some(joined) => {
                if error.kind == ErrorKind::NotFound {
                    // What is missing may be in a service file that was refused.
                    self.complain(joined);
                }
                joined.vault.explain(error)
            }
            None => error,
        };
        tracing::warn!(kind = ?error.kind, happened = %error.happened, "ended with an error");
        self.out.error(&error);
    }

    /// Names the person's own service files that are refused; whether there are any.
    pub(crate) fn complain(&self, joined: &Joined) -> bool {
        let complaints = joined.complaints().unwrap_or_default();
        for complaint in &complaints {
            self.out.note(complaint.to_string());
        }
        !complaints.is_empty()
    }
}
