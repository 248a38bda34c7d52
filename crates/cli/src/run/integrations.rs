//! `keytender integration ...`

use super::map_of;
use crate::args::IntegrationCommand;
use crate::exit::Exit;
use crate::print::word_of;
use crate::session::Session;
use keytender_api::{Error, IntegrationAdd, IntegrationEdit, IntegrationView};

pub(super) fn run(command: IntegrationCommand, session: &Session) -> Result<Exit, Error> {
    let api = &session.join()?.api;
    let out = &session.out;
    match command {
        IntegrationCommand::Add { slug, name, env, settings, managed_by, self_hosted, yes } => {
            let view = api.integration_add(IntegrationAdd {
                service: slug,
                name,
                environment: env.map(Into::into),
                settings: map_of(settings),
                managed_by,
                other_host_agreed: yes,
                self_hosted,
            })?;
            show(&view, session);
        }
        IntegrationCommand::List => {
            let list = api.integrations()?;
            out.document(&list);
            if list.is_empty() {
                out.say("No integration yet. `keytender services list`, then `keytender integration add SLUG --name NAME`.");
                return Ok(Exit::Fine);
            }
            let rows = list.iter().map(|one| {
                let env = one.environment.map(|env| word_of(&env)).unwrap_or_default();
                [one.slug.clone(), one.service_name.clone(), env, one.keys.to_string(), one.hosts.join(", ")]
            });
            out.table(["integration", "service", "environment", "keys", "hosts"], rows);
        }
        IntegrationCommand::Show { integration } => show(&api.integration(&integration)?, session),
        IntegrationCommand::Edit { integration, name, env, settings, managed_by, notes, self_hosted, yes } => {
            let edit = IntegrationEdit {
                name,
                environment: env.map(Into::into),
                settings: map_of(settings),
                managed_by,
                notes,
                other_host_agreed: yes,
                self_hosted,
            };
            show(&api.integration_edit(&integration, edit)?, session);
        }
        IntegrationCommand::Remove { integration } => {
            api.integration_remove(&integration)?;
            out.document(&serde_json::json!({ "removed": integration }));
            out.say(format!("Integration `{integration}` is removed."));
        }
    }
    Ok(Exit::Fine)
}

fn show(view: &IntegrationView, session: &Session) {
    let out = &session.out;
    out.document(view);
    let env = view.environment.map(|env| format!(" ({})", word_of(&env))).unwrap_or_default();
    out.say(format!("{} [{}]: {}{env}, {} keys", view.name, view.slug, view.service_name, view.keys));
    out.say(format!("  keys are sent to   {}", view.hosts.join(", ")));
    for (name, value) in &view.settings {
        out.say(format!("  {name:<18} {value}"));
    }
    if let Some(key) = &view.managed_by {
        out.say(format!("  managed by         {key}"));
    }
    if !view.notes.is_empty() {
        out.say(format!("  notes              {}", view.notes));
    }
    out.say(format!("  id                 {}", view.id));
}
