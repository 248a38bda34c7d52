//! `keytender services ...`

use crate::args::ServicesCommand;
use crate::exit::Exit;
use crate::parts::fault;
use crate::print::word_of;
use crate::session::Session;
use keytender_api::{Error, ErrorKind, KindView, ServiceView, check_manifest};
use keytender_core::expiry::Lifetime;
use keytender_core::words::{Make, Old, Retire};

pub(super) fn run(command: ServicesCommand, session: &Session) -> Result<Exit, Error> {
    let out = &session.out;
    match command {
        ServicesCommand::List => {
            let joined = session.join()?;
            session.complain(joined);
            let list = joined.api.services()?;
            out.document(&list);
            let rows = list.iter().map(|service| {
                let origin = match (service.user, service.trusted) {
                    (false, _) => "built in",
                    (true, true) => "yours",
                    (true, false) => "yours, not agreed to",
                };
                [service.slug.clone(), service.name.clone(), origin.to_owned(), kinds(service), service.hosts.join(", ")]
            });
            out.table(["service", "name", "from", "rotates", "hosts"], rows);
        }
        ServicesCommand::Show { slug } => show(&session.join()?.api.service_shown(&slug)?, session),
        ServicesCommand::Check { file } => {
            let text = std::fs::read_to_string(&file).map_err(|error| match error.kind() {
                std::io::ErrorKind::NotFound => {
                    Error { kind: ErrorKind::NotFound, happened: format!("no file {}", file.display()), help: None }
                }
                _ => fault(format!("{}: {error}", file.display())),
            })?;
            let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let view = check_manifest(&name, &text)?;
            out.document(&view);
            out.say(format!(
                "`{}` is sound: {} kinds of key, {} cases read as they say. Keys would be sent to {}.",
                view.slug,
                view.kinds,
                view.cases,
                view.hosts.join(", ")
            ));
        }
        ServicesCommand::Schema => out.raw_document(&keytender_services::schema()),
        ServicesCommand::Trust { slug } => {
            let hosts = session.join()?.api.trust(&slug)?;
            out.document(&serde_json::json!({ "trusted": slug, "hosts": hosts }));
            out.say(format!("Agreed to `{slug}` as it is now. It sends keys to {}.", hosts.join(", ")));
        }
    }
    Ok(Exit::Fine)
}

fn kinds(service: &ServiceView) -> String {
    let by_itself = service.kinds.iter().filter(|kind| kind.make == Make::Api && kind.retire == Retire::Api).count();
    match (by_itself, service.kinds.len()) {
        (0, _) => "with you".to_owned(),
        (some, all) if some == all => "by itself".to_owned(),
        (some, all) => format!("by itself ({some} of {all} kinds)"),
    }
}

fn show(view: &ServiceView, session: &Session) {
    let out = &session.out;
    out.document(view);
    let trust = if view.trusted { "" } else { " (yours; not agreed to in this form)" };
    out.say(format!("{} [{}]{trust}", view.name, view.slug));
    out.say(format!("Keys are sent to {}.", view.hosts.join(", ")));
    if !view.settings.is_empty() {
        out.say("\nSettings:");
        let rows = view.settings.iter().map(|setting| {
            let default = match (&setting.default, setting.required) {
                (Some(default), _) => default.clone(),
                (None, true) => "(has to be said)".to_owned(),
                (None, false) => String::new(),
            };
            [setting.name.clone(), setting.label.clone(), default]
        });
        out.table(["setting", "what", "default"], rows);
    }
    out.say("\nKinds of key:");
    out.table(["kind", "what", "lives", "made by", "retired by", "the old one", "fields"], view.kinds.iter().map(row));
    out.say("\nWhat that rests on:");
    for source in &view.sources {
        out.say(format!("  {}", source_line(source)));
    }
}

fn row(kind: &KindView) -> [String; 7] {
    let lives = match kind.life {
        Lifetime::FixedDays(days) => format!("{days} days"),
        Lifetime::Chosen { max_days: Some(max), .. } => format!("chosen, at most {max} days"),
        Lifetime::Chosen { max_days: None, .. } => "as chosen".to_owned(),
        Lifetime::Never => "for ever".to_owned(),
        Lifetime::Reported => "as reported".to_owned(),
        Lifetime::Unknown => "unknown".to_owned(),
    };
    let old = match kind.old {
        Old::Overlaps => "works on".to_owned(),
        Old::Slots(slots) => format!("works on, {slots} at most"),
        Old::Dies => "dies at once".to_owned(),
    };
    let who = |api: bool| if api { "request" } else { "you" }.to_owned();
    let fields = kind.fields.join(", ");
    [
        kind.name.clone(),
        format!("{} ({})", kind.label, word_of(&kind.class)),
        lives,
        who(kind.make == Make::Api),
        who(kind.retire == Retire::Api),
        old,
        fields,
    ]
}

fn source_line(source: &keytender_services::Source) -> String {
    let url = source.url.as_ref().map(|url| format!(" {url}")).unwrap_or_default();
    format!("{}{url} (seen {})", source.title, source.seen)
}
