//! `keytender doctor`

use crate::exit::Exit;
use crate::session::Session;
use keytender_api::Error;

pub(super) fn run(rebuild: bool, session: &Session) -> Result<Exit, Error> {
    let joined = if rebuild { session.join_to_rebuild()? } else { session.join()? };
    let out = &session.out;
    let refused_files = session.complain(joined);
    if rebuild {
        let view = joined.api.rebuild()?;
        out.document(&view);
        out.say(format!(
            "Taken in from the vault: {} integrations, {} keys, {} versions.",
            view.integrations, view.keys, view.versions
        ));
        for item in &view.unreadable {
            out.say(format!("Left alone, because it cannot be read: {item}"));
        }
        return Ok(if view.unreadable.is_empty() { Exit::Fine } else { Exit::Fault });
    }
    joined.back_up();
    let view = joined.api.doctor()?;
    out.document(&view);
    for line in &view.lines {
        out.say(format!("{:<5} {}: {}", if line.ok { "ok" } else { "NOT OK" }, line.what, line.text));
    }
    // A locked or missing vault has a code of its own; whatever else is wrong is a fault.
    let trouble = view.lines.iter().find_map(|line| line.trouble);
    Ok(match trouble {
        Some(kind) => kind.into(),
        None if view.well && !refused_files => Exit::Fine,
        None => Exit::Fault,
    })
}
