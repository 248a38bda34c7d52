//! `keytender destination ...`

use crate::args::{DestinationCommand, PlaceCommand};
use crate::exit::Exit;
use crate::parts::fault;
use crate::print::{Dates, word_of};
use crate::session::Session;
use keytender_api::{DestinationAdd, DestinationCheckView, DestinationView, Error};
use keytender_core::words::{DestinationState, DestinationWhere};
use std::path::{Path, PathBuf};

pub(super) fn run(command: DestinationCommand, session: &Session) -> Result<Exit, Error> {
    let api = &session.join()?.api;
    let out = &session.out;
    match command {
        DestinationCommand::Add { key, place } => {
            let (place, write) = place_of(place)?;
            let view = api.destination_add(DestinationAdd { key, place, write })?;
            out.document(&view);
            say_check(&view, session);
        }
        DestinationCommand::List { key } => {
            let list = api.destinations(key.as_deref())?;
            out.document(&list);
            if list.is_empty() {
                out.say("No place is known. `keytender destination add KEY ...` tells Keytender where a key is used.");
                return Ok(Exit::Fine);
            }
            let dates = session.dates();
            out.table(["key", "kind", "place", "state", "id"], list.iter().map(|one| row(one, dates)));
        }
        DestinationCommand::Check { key } => {
            let list = api.destinations_check(&key)?;
            out.document(&list);
            if list.is_empty() {
                out.say("No place is known where this key is used.");
            }
            list.iter().for_each(|view| say_check(view, session));
            let stale = list.iter().any(|view| view.up_to_date == Some(false));
            return Ok(if stale { Exit::Due } else { Exit::Fine });
        }
        DestinationCommand::Remove { id } => {
            api.destination_remove(&id)?;
            out.document(&serde_json::json!({ "removed": id }));
            out.say("That place is forgotten; what stands there is left as it is.");
        }
    }
    Ok(Exit::Fine)
}

fn place_of(place: PlaceCommand) -> Result<(DestinationWhere, bool), Error> {
    Ok(match place {
        PlaceCommand::Dotenv { file, variables, consent, write } => {
            let places = variables.into_iter().map(|variable| variable.0).collect();
            (DestinationWhere::Dotenv { path: absolute(&file)?, places, placement: consent.into() }, write.now)
        }
        PlaceCommand::Text { file, field, consent, write } => {
            (DestinationWhere::Text { path: absolute(&file)?, field, placement: consent.into() }, write.now)
        }
        PlaceCommand::Command { field, folder, timeout, write, program } => {
            let folder = absolute(&folder.unwrap_or_else(|| PathBuf::from(".")))?;
            (DestinationWhere::Command { argv: program, folder, field, timeout_seconds: timeout }, write.now)
        }
        PlaceCommand::Person { line } => (DestinationWhere::Person { line }, false),
    })
}

/// Absolute, so that it means the same in whatever folder a rotation is run; links are left as they were typed.
fn absolute(path: &Path) -> Result<PathBuf, Error> {
    std::path::absolute(path).map_err(|error| fault(format!("{}: {error}", path.display())))
}

fn say_check(view: &DestinationCheckView, session: &Session) {
    let holds = match view.up_to_date {
        Some(true) => "holds the current value",
        Some(false) => "does NOT hold the current value",
        None => "cannot be read back",
    };
    let DestinationView { kind, place, id, .. } = &view.destination;
    session.out.say(format!("{kind} {place}: {holds}. [{}]", tail(id)));
    for remark in &view.remarks {
        session.out.say(format!("  {remark}"));
    }
}

fn row(view: &DestinationView, dates: Dates) -> [String; 5] {
    let state = match &view.state {
        DestinationState::Unknown => "nobody looked yet".to_owned(),
        DestinationState::OutOfDate { seen, at } => format!("out of date: {seen} ({})", dates.instant(*at)),
        DestinationState::Confirmed { at, .. }
        | DestinationState::Pushed { at, .. }
        | DestinationState::Attested { at, .. }
        | DestinationState::Waived { at } => format!("{} {}", state_word(&view.state), dates.instant(*at)),
    };
    [view.key.clone(), view.kind.to_owned(), view.place.clone(), state, tail(&view.id)]
}

fn state_word(state: &DestinationState) -> String {
    let tagged = serde_json::to_value(state).unwrap_or_default();
    word_of(&tagged["state"])
}

/// The end of an id addresses it as well as its beginning, and tells ids of the same minute apart.
fn tail(id: &str) -> String {
    id.rsplit('-').next().unwrap_or(id).to_owned()
}
