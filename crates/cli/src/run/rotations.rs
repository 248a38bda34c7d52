//! `keytender rotate`, `revoke`, `rotations ...` and `recover`

use crate::args::{RotateArgs, RotationsCommand};
use crate::ask;
use crate::drive::{self, Begin};
use crate::exit::Exit;
use crate::print::word_of;
use crate::secret;
use crate::session::Session;
use keytender_api::{AnswerRequest, Error, PlanView, Progress, RotationView, WaitView};
use keytender_core::rotation::Purpose;
use std::time::Duration;

/// Plans, asks, starts and follows.
pub(super) fn start(args: &RotateArgs, purpose: Purpose, session: &Session) -> Result<Exit, Error> {
    let joined = session.join()?;
    let (api, out) = (&joined.api, &session.out);
    let plan = api.plan(&args.key, purpose, args.waive_soak)?;
    if args.plan || !args.yes {
        out.document(&plan);
    }
    say_plan(&plan, session);
    if args.plan {
        return Ok(Exit::Fine);
    }
    if !args.yes {
        let asked = !out.json && ask::at_terminal();
        if !asked || !ask::agreed("Do it?")? {
            out.note("Nothing was done. `--yes` does it without asking.");
            return Ok(Exit::Refused);
        }
    }
    joined.back_up();
    let id = api.start(&args.key, purpose, args.waive_soak, &plan.digest)?;
    out.say(format!("\nRotation {id}"));
    drive::follow(session, api, &id, args.patience, Begin::Drive)
}

fn say_plan(plan: &PlanView, session: &Session) {
    let out = &session.out;
    let what = if plan.purpose == Purpose::Replace { "Rotating" } else { "Revoking" };
    out.say(format!("{what} `{}` ({}). Values go to {} only.\n", plan.key, plan.service, plan.hosts.join(", ")));
    for (number, line) in plan.lines.iter().enumerate() {
        let mark = if line.irreversible { "  [cannot be taken back]" } else { "" };
        out.say(format!("  {}. {:<8} {}{mark}", number + 1, word_of(&line.phase), line.text));
    }
    for warning in &plan.warnings {
        out.say(format!("\n  Note: {warning}"));
    }
}

pub(super) fn run(command: RotationsCommand, session: &Session) -> Result<Exit, Error> {
    let api = &session.join()?.api;
    match command {
        RotationsCommand::List { all } => {
            let list = api.rotations(!all)?;
            session.out.document(&list);
            if list.is_empty() {
                session.out.say(if all { "No rotation yet." } else { "No rotation is unfinished." });
                return Ok(Exit::Fine);
            }
            let dates = session.dates();
            let rows = list.iter().map(|view| {
                let waits = view.wait.as_ref().map(waits_for).unwrap_or_default();
                let phase = if view.ended_at.is_none() { format!(" ({})", word_of(&view.phase)) } else { String::new() };
                let status = format!("{}{phase}", word_of(&view.status));
                [view.id.clone(), view.key.clone(), word_of(&view.purpose), status, dates.instant(view.started_at), waits]
            });
            session.out.table(["rotation", "key", "to", "status", "started", "waits for"], rows);
            Ok(Exit::Fine)
        }
        RotationsCommand::Show { id } => {
            show(&api.rotation(&id)?, session);
            Ok(Exit::Fine)
        }
        RotationsCommand::Resume { id, patience } => {
            let id = api.rotation(&id)?.id;
            drive::follow(session, api, &id, patience, Begin::Resume)
        }
        RotationsCommand::Abort { id, patience } => {
            let id = api.rotation(&id)?.id;
            drive::follow(session, api, &id, patience, Begin::Abort)
        }
        RotationsCommand::Answer { id, answer, patience } => {
            let id = api.rotation(&id)?.id;
            let answer = match (answer.done, answer.pick) {
                (Some(step), _) => AnswerRequest::Done(step),
                (None, Some(remote_id)) => AnswerRequest::Pick(remote_id),
                (None, None) => AnswerRequest::Secret(secret::read(secret::From::Stdin, "")?),
            };
            drive::follow(session, api, &id, patience, Begin::Answer(answer))
        }
    }
}

fn waits_for(wait: &WaitView) -> String {
    match wait {
        WaitView::Person { .. } => "a person".to_owned(),
        WaitView::Hindrance { what } => what.clone(),
        WaitView::Instant { why, .. } => why.clone(),
        WaitView::Stuck { .. } => "stuck: a person".to_owned(),
        WaitView::Nothing => "nothing: it can go on".to_owned(),
    }
}

fn show(view: &RotationView, session: &Session) {
    let (out, dates) = (&session.out, session.dates());
    out.document(view);
    let status = word_of(&view.status);
    out.say(format!("Rotation {} of `{}`: {status}, {} phase", view.id, view.key, word_of(&view.phase)));
    for line in &view.evidence {
        out.say(format!("  {}  {:<17} {}", dates.instant(line.at), line.effect, line.text));
    }
    drive::conclude(session, view);
}

/// Goes on with everything that was interrupted.
pub(super) fn recover(patience: u64, session: &Session) -> Result<Exit, Error> {
    let joined = session.join()?;
    joined.back_up();
    let mut watch = |progress: &Progress| {
        if let Progress::Ended(effect, _) = progress {
            tracing::info!(effect = effect.kind(), "done while recovering");
        }
    };
    // So that values whose grace period is over can leave a vault that only a person can open.
    if let Err(error) = joined.vault.open() {
        session.report(error.into());
    }
    let list = joined.api.recover(Duration::from_secs(patience), &mut watch)?;
    session.out.document(&list);
    if list.is_empty() {
        session.out.say("Nothing was left unfinished.");
    }
    for view in &list {
        session.out.say(format!("{}: {}", view.subject, view.text));
    }
    Ok(if list.iter().all(|view| view.finished) { Exit::Fine } else { Exit::PersonNeeded })
}
