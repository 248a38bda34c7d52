//! `keytender history`

use crate::exit::Exit;
use crate::print::word_of;
use crate::session::Session;
use keytender_api::Error;

pub(super) fn run(key: Option<&str>, limit: u32, session: &Session) -> Result<Exit, Error> {
    let lines = session.join()?.api.history(key, limit)?;
    session.out.document(&lines);
    if lines.is_empty() {
        session.out.say("Nothing has happened yet.");
        return Ok(Exit::Fine);
    }
    let dates = session.dates();
    let rows = lines.iter().map(|line| {
        let what = line.key.clone().or_else(|| line.rotation.clone()).unwrap_or_default();
        [dates.instant(line.at), word_of(&line.kind), what, line.text.clone()]
    });
    session.out.table(["when", "what", "key", ""], rows);
    Ok(Exit::Fine)
}
