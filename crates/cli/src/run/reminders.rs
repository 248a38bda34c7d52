//! `keytender reminders ...` and `remind`

use crate::args::RemindersCommand;
use crate::child::{self, NoticeOnScreen};
use crate::exit::Exit;
use crate::print::{expiry_in_words, word_of};
use crate::session::Session;
use keytender_api::{Error, NoticeText, ReminderView};
use keytender_core::reminder::Level;

pub(super) fn run(command: RemindersCommand, session: &Session) -> Result<Exit, Error> {
    let joined = session.join()?;
    let (api, wishes, out, dates) = (&joined.api, &joined.settings.reminders, &session.out, session.dates());
    match command {
        RemindersCommand::List => {
            let view = api.reminders(wishes)?;
            out.document(&view);
            let Some(sentence) = &view.sentence else {
                out.say("Nothing is due.");
                return Ok(Exit::Fine);
            };
            out.say(format!("{sentence}\n"));
            let row = |one: &ReminderView| {
                let dead = if one.found_dead { "the service refuses it; " } else { "" };
                let expires = expiry_in_words(&one.expiry, one.days_left, dates);
                let snoozed = one.snoozed_until.map(|until| dates.instant(until)).unwrap_or_default();
                [one.key.clone(), word_of(&one.level), format!("{dead}{expires}"), snoozed]
            };
            out.table(["key", "level", "expires", "snoozed until"], view.due.iter().map(row));
            Ok(Exit::Due)
        }
        RemindersCommand::Simulate { days } => {
            let list = api.reminders_simulate(wishes, days)?;
            out.document(&list);
            if list.is_empty() {
                out.say(format!("No notice will come within {days} days."));
                return Ok(Exit::Fine);
            }
            let rows = list.iter().map(|one| {
                let keys: Vec<String> = one.keys.iter().map(|key| format!("{} ({})", key.key, key.threshold)).collect();
                [dates.instant(one.at), word_of(&one.level), one.sentence.clone(), keys.join(", ")]
            });
            out.table(["when", "level", "notice", "for"], rows);
            Ok(Exit::Fine)
        }
        RemindersCommand::Snooze { key, until } => {
            let view = api.snooze(&key, until.as_deref(), wishes)?;
            out.document(&view);
            match view.until {
                Some(until) => out.say(format!("Nothing will be said of `{}` before {}.", view.key, dates.instant(until))),
                None if view.offers.is_empty() => out.say("It is dead or about to die; there is nothing to wait for."),
                None => {
                    out.say("Choose one with --until:");
                    for offer in &view.offers {
                        out.say(format!("  {:<17} {}", word_of(&offer.choice), dates.instant(offer.until)));
                    }
                }
            }
            Ok(Exit::Fine)
        }
    }
}

/// Shows the notice that is due now: on the desktop where there is one, and here.
pub(super) fn remind(session: &Session) -> Result<Exit, Error> {
    let joined = session.join()?;
    joined.back_up();
    let mut desktop = false;
    let notice = joined.api.remind_once(&joined.settings.reminders, &mut |notice| {
        desktop = on_desktop(notice, session);
        session.out.say(&notice.summary);
        if !notice.body.is_empty() {
            session.out.say(&notice.body);
        }
    })?;
    session.out.document(&serde_json::json!({ "notice": notice, "desktop": desktop }));
    match notice {
        Some(_) => Ok(Exit::Due),
        None => {
            session.out.say("No notice is due.");
            Ok(Exit::Fine)
        }
    }
}

fn on_desktop(notice: &NoticeText, session: &Session) -> bool {
    let wanted =
        NoticeOnScreen { summary: notice.summary.clone(), body: notice.body.clone(), urgent: notice.level >= Level::Urgent };
    match child::show(&wanted) {
        Ok(()) => true,
        Err(why) => {
            session.out.note(format!("Not shown on the desktop: {why}"));
            false
        }
    }
}
