//! A rotation under way: a line for each thing that was done, questions where a person sits at the terminal, and where it
//! stands in the end.

use crate::ask;
use crate::exit::Exit;
use crate::print::word_of;
use crate::secret;
use crate::session::Session;
use keytender_api::{AnswerRequest, Api, Error, Progress, Resting, RotationView, StepView, WaitView, outcome_in_words};
use keytender_core::rotation::{Ask, End, RemoteEntry};
use std::time::Duration;

/// How a command takes a rotation up.
pub(crate) enum Begin {
    /// It was just started.
    Drive,
    /// Looks again at what stood in the way.
    Resume,
    /// Goes back.
    Abort,
    /// Answers what it asks.
    Answer(AnswerRequest),
}

/// Goes on with a rotation as far as that is possible now, and says where it stands.
pub(crate) fn follow(session: &Session, api: &Api, id: &str, patience: u64, begin: Begin) -> Result<Exit, Error> {
    let patience = Duration::from_secs(patience);
    let mut watch = |progress: &Progress| report(session, id, progress);
    let going_back = matches!(begin, Begin::Abort);
    let mut resting = match begin {
        Begin::Drive => api.drive(id, patience, &mut watch)?,
        Begin::Resume => api.resume(id, patience, &mut watch)?,
        Begin::Abort => api.abort(id, patience, &mut watch)?,
        Begin::Answer(answer) => api.answer(id, answer, patience, &mut watch)?,
    };
    let mut view = api.rotation(id)?;
    while let (Resting::Asks(asked), true) = (&resting, !session.out.json && ask::at_terminal()) {
        let Some(answer) = put_question(session, &view, asked)? else { break };
        resting = api.answer(id, answer, patience, &mut watch)?;
        view = api.rotation(id)?;
    }
    session.out.document(&view);
    conclude(session, &view);
    let ended_as_asked = going_back && matches!(resting, Resting::Ended(End::Aborted(_)));
    Ok(if ended_as_asked { Exit::Fine } else { resting.kind().map_or(Exit::Fine, Exit::from) })
}

/// A line for each outcome, and for each wait.
fn report(session: &Session, id: &str, progress: &Progress) {
    match progress {
        Progress::Begins(_) => {}
        Progress::Ended(effect, outcome) => {
            let words = outcome_in_words(outcome);
            tracing::info!(rotation = id, effect = effect.kind(), outcome = %words, "done");
            session.out.say(format!("  {:<17} {words}", effect.kind()));
        }
        Progress::Waits(until, why) => {
            tracing::info!(rotation = id, %until, ?why, "waits");
            session.out.say(format!("  {:<17} until {}", "waiting", session.dates().to_the_second(*until)));
        }
    }
}

/// Asks the person at the terminal; none where they leave it for later.
fn put_question(session: &Session, view: &RotationView, asked: &Ask) -> Result<Option<AnswerRequest>, Error> {
    let Some(WaitView::Person { question, steps, .. }) = &view.wait else { return Ok(None) };
    session.out.say(format!("\n{question}"));
    say_steps(session, steps);
    let done = |step: &str| Ok(Some(AnswerRequest::Done(step.to_owned())));
    match asked {
        Ask::Paste { .. } => {
            let value = secret::read(secret::From::Person, "The new value (it is not shown): ")?;
            Ok(Some(AnswerRequest::Secret(value)))
        }
        Ask::NewWorks => enter_then(done("new-works")),
        Ask::RetireOld(_) | Ask::RetireNew(_) => enter_then(done("retired")),
        Ask::LostReply | Ask::RevokeOrphans(_) => enter_then(done("make-again")),
        Ask::Narrower(_) => {
            if ask::agreed("Accept that?")? {
                done("accept-narrower")
            } else {
                session.out.say(format!("Left as it is. `keytender rotations abort {}` goes back.", view.id));
                Ok(None)
            }
        }
        Ask::WhichOld(ids) => pick(ids, ids.clone(), None),
        Ask::PossibleOrphans(list) => {
            let ids: Vec<String> = list.iter().map(|entry| entry.id.clone()).collect();
            let none = "None of them is ours: leave them and make another key";
            pick(&ids, list.iter().map(in_words).collect(), Some(none))
        }
        Ask::PutByHand(id) | Ask::PutBackByHand(id) => place(&[(id.to_string(), None)]),
        Ask::Unwritten(list) => {
            let places: Vec<_> = list.iter().map(|(id, why)| (id.to_string(), Some(why.as_str()))).collect();
            place(&places)
        }
    }
}

fn enter_then(answer: Result<Option<AnswerRequest>, Error>) -> Result<Option<AnswerRequest>, Error> {
    ask::done("Press Enter when that is done (Ctrl-C leaves it for later).")?;
    answer
}

/// One of these ids, or, where there is such a choice, none of them.
fn pick(ids: &[String], mut shown: Vec<String>, none: Option<&str>) -> Result<Option<AnswerRequest>, Error> {
    shown.extend(none.map(str::to_owned));
    let chosen = ask::chosen("Which one?", shown)?;
    Ok(Some(match ids.get(chosen) {
        Some(id) => AnswerRequest::Pick(id.clone()),
        None => AnswerRequest::Done("make-again".to_owned()),
    }))
}

fn in_words(entry: &RemoteEntry) -> String {
    match &entry.name {
        Some(name) => format!("{} ({name})", entry.id),
        None => entry.id.clone(),
    }
}

/// Destinations that a person sees to, or leaves out.
fn place(places: &[(String, Option<&str>)]) -> Result<Option<AnswerRequest>, Error> {
    let about = |index: usize| places[index].1.map(|why| format!(" ({why})")).unwrap_or_default();
    let mut options = Vec::new();
    for index in 0..places.len() {
        options.push(format!("It is done there{}", about(index)));
        options.push(format!("Leave that place out of this rotation{}", about(index)));
    }
    options.push("Leave it for later".to_owned());
    let chosen = ask::chosen("What now?", options)?;
    let Some((id, _)) = places.get(chosen / 2) else { return Ok(None) };
    let step = if chosen % 2 == 0 { id.clone() } else { format!("waive:{id}") };
    Ok(Some(AnswerRequest::Done(step)))
}

/// Where it stands, and the commands that go on.
pub(crate) fn conclude(session: &Session, view: &RotationView) {
    let out = &session.out;
    out.say(format!("\n{}", view.standing));
    if view.cut_off {
        out.say("The reply that carried the only copy of a new key never arrived; another was, or has to be, made.");
    }
    if !view.possible_orphans.is_empty() {
        out.say(format!(
            "Look at these ids in the portal; a lost reply may have made them: {}",
            view.possible_orphans.join(", ")
        ));
    }
    match &view.wait {
        None | Some(WaitView::Nothing) if view.ended_at.is_some() => {}
        None | Some(WaitView::Nothing) => out.say(format!("`keytender rotations resume {}` goes on.", view.id)),
        Some(WaitView::Person { question, steps, answers }) => {
            out.say(format!("A person is needed: {question}"));
            say_steps(session, steps);
            for answer in answers {
                out.say(format!("    {answer}"));
            }
        }
        Some(WaitView::Hindrance { what }) => {
            out.say(format!("It waits: {what}.\n    keytender rotations resume {}", view.id));
        }
        Some(WaitView::Instant { at, why }) => {
            let at = session.dates().instant(*at);
            out.say(format!("It goes on at {at}: {why}.\n    keytender rotations resume {}", view.id));
        }
        Some(WaitView::Stuck { why }) => out.say(format!("Stuck ({}): {why}", word_of(&view.phase))),
    }
}

/// Steps in a portal, numbered.
pub(crate) fn say_steps(session: &Session, steps: &[StepView]) {
    for (number, step) in steps.iter().enumerate() {
        let open = step.open.as_ref().map(|url| format!("\n     {url}")).unwrap_or_default();
        session.out.say(format!("  {}. {}{open}", number + 1, step.say));
    }
}
