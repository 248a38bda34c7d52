//! What each command does: calls a use case, shows what it gave, answers with an exit code. A noun is a file.
//!
//! What may not live here: rules about keys, rotations or reminders; those are the API's.

mod destinations;
mod doctor;
mod history;
mod integrations;
mod keys;
mod manual;
mod practice;
mod reminders;
mod reveal;
mod rotations;
mod services;
mod switch;
mod verify;

use crate::args::{Cli, Command, Pair};
use crate::child;
use crate::exit::Exit;
use crate::parts::fault;
use crate::session::Session;
use keytender_api::Error;
use keytender_core::rotation::Purpose;
use std::collections::BTreeMap;

/// Runs a command to its end and says how it ended.
pub(crate) fn run(cli: Cli) -> Exit {
    let session = Session::new(cli.global);
    let exit = dispatch(cli.command, &session).unwrap_or_else(|error| {
        let exit = Exit::from(error.kind);
        session.report(error);
        exit
    });
    match session.out.broken() {
        Some(error) => {
            session.report(fault(format!("standard output: {error}")));
            Exit::Fault
        }
        None => exit,
    }
}

fn dispatch(command: Command, session: &Session) -> Result<Exit, Error> {
    match command {
        Command::Doctor { rebuild } => doctor::run(rebuild, session),
        Command::Services(command) => services::run(command, session),
        Command::Integration(command) => integrations::run(command, session),
        Command::Key(command) => keys::run(command, session),
        Command::Destination(command) => destinations::run(command, session),
        Command::Verify { key, all: _ } => verify::run(key.as_deref(), session),
        Command::Rotate(args) => rotations::start(&args, Purpose::Replace, session),
        Command::Revoke(args) => rotations::start(&args, Purpose::Revoke, session),
        Command::Disable { key } => switch::run(&key, false, session),
        Command::Enable { key } => switch::run(&key, true, session),
        Command::Rotations(command) => rotations::run(command, session),
        Command::Recover { patience } => rotations::recover(patience, session),
        Command::Reminders(command) => reminders::run(command, session),
        Command::Remind { once: _ } => reminders::remind(session),
        Command::History { key, limit } => history::run(key.as_deref(), limit, session),
        Command::Practice(command) => practice::run(command, session),
        Command::Completions { shell } => manual::completions(shell, session),
        Command::Man { folder } => manual::pages(&folder),
        Command::HoldClipboard => child::hold_clipboard(),
        Command::HoldNotice => child::hold_notice(),
    }
}

/// Pairs as the API takes them; of two with one name the last counts.
fn map_of(pairs: Vec<Pair>) -> BTreeMap<String, String> {
    pairs.into_iter().map(|pair| (pair.name, pair.value)).collect()
}
