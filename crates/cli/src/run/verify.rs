//! `keytender verify`

use crate::exit::Exit;
use crate::print::{expiry_in_words, health_in_words};
use crate::session::Session;
use keytender_api::{Error, VerifyView};
use keytender_core::ports::Clock;
use keytender_host::clock::SystemClock;

/// One key, or all of them if none is named.
pub(super) fn run(key: Option<&str>, session: &Session) -> Result<Exit, Error> {
    let api = &session.join()?.api;
    let views = match key {
        Some(key) => vec![api.verify(key)?],
        None => api.verify_all()?,
    };
    match (key, &views[..]) {
        (Some(_), [view]) => session.out.document(view),
        _ => session.out.document(&views),
    }
    if views.is_empty() {
        session.out.say("No key here can be asked about by a harmless request.");
    }
    views.iter().for_each(|view| say(view, session));
    Ok(Exit::of_healths(views.iter().map(|view| view.health)))
}

/// What a verify told, in a few lines.
pub(super) fn say(view: &VerifyView, session: &Session) {
    let out = &session.out;
    out.say(format!("{} is {}: {}", view.key, health_in_words(view.health), view.evidence));
    if let Some(identity) = &view.identity {
        out.say(format!("  acts as  {identity}"));
    }
    if let Some(scopes) = &view.scopes {
        out.say(format!("  may      {}", if scopes.is_empty() { "nothing in particular".to_owned() } else { scopes.join(", ") }));
    }
    let days = view.expiry.days_left(SystemClock.now());
    out.say(format!("  expires  {}", expiry_in_words(&view.expiry, days, session.dates())));
    for news in &view.news {
        out.say(format!("  new: {news}"));
    }
}
