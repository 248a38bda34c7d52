//! `keytender key ...`, but for revealing and copying

use super::{map_of, reveal, verify};
use crate::args::KeyCommand;
use crate::ask;
use crate::exit::Exit;
use crate::print::{Dates, expiry_in_words, health_in_words, word_of};
use crate::secret;
use crate::session::Session;
use keytender_api::{Added, Api, Error, ErrorKind, KeyAdd, KeyEdit, KeyView, VerifyView, VersionView};
use keytender_core::words::Health;

pub(super) fn run(command: KeyCommand, session: &Session) -> Result<Exit, Error> {
    let out = &session.out;
    match command {
        KeyCommand::Add { integration, name, kind, expires, issued, secret_stdin, options, tags, no_verify } => {
            let api = &session.join()?.api;
            // Told before the value is asked for: where it will be sent.
            let hosts = api.integration(&integration)?.hosts;
            if !no_verify {
                out.note(format!("The key will be sent to {}, and nowhere else.", hosts.join(", ")));
            }
            let from = if secret_stdin { secret::From::Stdin } else { secret::From::Person };
            let secret = secret::read(from, "The value (it is not shown): ")?;
            let options = map_of(options);
            return add(api, KeyAdd { integration, name, kind, expires, issued, options, tags, secret }, no_verify, session);
        }
        KeyCommand::List => {
            let list = session.join()?.api.keys()?;
            out.document(&list);
            if list.is_empty() {
                out.say("No key yet. `keytender key add INTEGRATION --name NAME` stores one.");
                return Ok(Exit::Fine);
            }
            let dates = session.dates();
            out.table(["key", "kind", "expires", "health", "tags", ""], list.iter().map(|key| row(key, dates)));
        }
        KeyCommand::Show { key } => show(&session.join()?.api.key_shown(&key)?, session),
        KeyCommand::Edit { key, name, expires, issued, options, tags, no_tags } => {
            let tags = if no_tags || !tags.is_empty() { Some(tags) } else { None };
            let edit = KeyEdit { name, expires, issued, options: map_of(options), tags };
            show(&session.join()?.api.key_edit(&key, edit)?, session);
        }
        KeyCommand::Remove { key, yes } => remove(&key, yes, session)?,
        KeyCommand::Reveal { key, field } => reveal::reveal(&key, field.as_deref(), session)?,
        KeyCommand::Copy { key, field } => reveal::copy(&key, field.as_deref(), session)?,
    }
    Ok(Exit::Fine)
}

fn add(api: &Api, request: KeyAdd, no_verify: bool, session: &Session) -> Result<Exit, Error> {
    let out = &session.out;
    let added = api.key_add(request)?;
    for warning in &added.warnings {
        out.note(format!("warning: {warning}"));
    }
    let address = added.key.address.clone();
    out.say(format!("Stored as `{address}`."));
    let verified = if no_verify || !can_be_asked(api, &added) { None } else { verified(api, &address, session) };
    let key = if verified.is_some() { api.key_shown(&address)? } else { added.key };
    out.document(&serde_json::json!({ "key": key, "warnings": added.warnings, "hosts": added.hosts, "verify": verified }));
    match &verified {
        Some(view) => verify::say(view, session),
        None => out.say(format!("  expires  {}", expires(&key, session.dates()))),
    }
    if verified.is_some_and(|view| view.health == Health::Dead) {
        out.note("The key is stored, but the service refuses it.");
        return Ok(Exit::Dead);
    }
    Ok(Exit::Fine)
}

fn can_be_asked(api: &Api, added: &Added) -> bool {
    let service = api.service_shown(&added.key.service).ok();
    service.is_some_and(|service| service.kinds.iter().any(|kind| kind.name == added.key.kind && kind.verifies))
}

/// The key is stored whatever comes of this, so what stands in the way is told and is no error of adding.
fn verified(api: &Api, address: &str, session: &Session) -> Option<VerifyView> {
    match api.verify(address) {
        Ok(view) => Some(view),
        Err(error) => {
            session.out.note(format!("warning: the key is stored and was not verified: {error}"));
            None
        }
    }
}

fn remove(address: &str, yes: bool, session: &Session) -> Result<(), Error> {
    let joined = session.join()?;
    let key = joined.api.key_shown(address)?;
    let told = format!("`{}` and its value leave this computer; nothing is revoked at the service.", key.address);
    if !yes {
        let refused = |happened: &str| Error {
            kind: ErrorKind::Refused,
            happened: format!("{told} {happened}"),
            help: Some(format!(
                "`keytender key remove {} --yes` does it; `keytender revoke {0}` ends the key itself",
                key.address
            )),
        };
        if !ask::at_terminal() {
            return Err(refused("Nothing was done, because nobody was asked."));
        }
        session.out.note(&told);
        if !ask::agreed("Remove it?")? {
            return Err(refused("Nothing was done."));
        }
    }
    // The use case never prompts; a person who typed this command may be asked.
    joined.vault.open().map_err(Error::from)?;
    joined.api.key_remove(&key.id)?;
    session.out.document(&serde_json::json!({ "removed": key.address }));
    session.out.say(format!("`{}` is removed; nothing was revoked at the service.", key.address));
    Ok(())
}

fn expires(key: &KeyView, dates: Dates) -> String {
    match &key.current {
        Some(version) => expiry_in_words(&version.expiry, key.days_left, dates),
        None => "no current version".to_owned(),
    }
}

fn row(key: &KeyView, dates: Dates) -> [String; 6] {
    let expires = match (&key.current, key.days_left) {
        (Some(version), Some(days)) => {
            let at = version.expiry.at().map(|at| dates.moment(at)).unwrap_or_default();
            format!("{at} ({days} d)")
        }
        (Some(version), None) => version.expiry.provenance().to_owned(),
        (None, _) => String::new(),
    };
    let health = key.current.as_ref().and_then(|version| version.health).map_or("not asked", health_in_words);
    let remark = match (&key.open_rotation, key.disabled) {
        (Some(_), _) => "rotation unfinished",
        (None, true) => "disabled",
        (None, false) => "",
    };
    [key.address.clone(), key.kind.clone(), expires, health.to_owned(), key.tags.join(", "), remark.to_owned()]
}

fn show(view: &KeyView, session: &Session) {
    let (out, dates) = (&session.out, session.dates());
    out.document(view);
    out.say(format!("{} ({}, {})", view.address, view.service, view.kind));
    let line = |name: &str, text: &str| out.say(format!("  {name:<9} {text}"));
    line("expires", &expires(view, dates));
    if let Some(identity) = &view.identity {
        line("acts as", identity);
    }
    if !view.scopes.is_empty() {
        line("may", &view.scopes.join(", "));
    }
    for (name, value) in &view.options {
        line(name, value);
    }
    if !view.tags.is_empty() {
        line("tags", &view.tags.join(", "));
    }
    if view.disabled {
        line("disabled", "left alone: no reminders, no checks, no rotation");
    }
    if let Some(rotation) = &view.open_rotation {
        line("rotation", &format!("unfinished: keytender rotations show {rotation}"));
    }
    line("id", &view.id);
    for version in view.current.iter().chain(&view.others) {
        say_version(version, session);
    }
}

fn say_version(version: &VersionView, session: &Session) {
    let dates = session.dates();
    let issued = if version.issued_known { "made" } else { "first seen" };
    let mut parts = vec![word_of(&version.state), format!("{issued} {}", dates.instant(version.issued_at))];
    parts.extend(version.remote_id.as_ref().map(|id| format!("id {id} at the service")));
    parts.push(match version.removed_at {
        Some(at) => format!("value removed {}", dates.instant(at)),
        None => format!("value in the {} vault as {}", version.store, version.item),
    });
    session.out.say(format!("  version   {}", parts.join(", ")));
    if let (Some(health), Some(at)) = (version.health, version.checked_at) {
        let evidence = version.evidence.as_deref().unwrap_or_default();
        session.out.say(format!("            {} {}: {evidence}", health_in_words(health), dates.instant(at)));
    }
}
