//! `keytender disable` and `enable`

use crate::drive;
use crate::exit::Exit;
use crate::session::Session;
use keytender_api::Error;

/// Switches a key off at its service, or on again.
pub(super) fn run(key: &str, on: bool, session: &Session) -> Result<Exit, Error> {
    let view = session.join()?.api.set_enabled(key, on)?;
    let out = &session.out;
    out.document(&view);
    let state = if view.enabled { "on" } else { "off" };
    out.say(format!("{} is {state}: {}", view.key, view.evidence));
    if view.done {
        return Ok(Exit::Fine);
    }
    let again = format!("keytender {} {}", if on { "enable" } else { "disable" }, view.key);
    if view.steps.is_empty() {
        out.say(format!("That does not show yet; look again with:\n    {again}"));
        return Ok(Exit::Unknown);
    }
    out.say("A person is needed:");
    drive::say_steps(session, &view.steps);
    out.say(format!("    {again}"));
    Ok(Exit::PersonNeeded)
}
