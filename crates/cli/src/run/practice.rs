//! `keytender practice ...`

use crate::args::{FaultCommand, FaultWord, PracticeCommand};
use crate::exit::Exit;
use crate::parts::fault;
use crate::print::word_of;
use crate::session::Session;
use keytender_api::{Error, ErrorKind};
use keytender_core::secret::SecretText;
use keytender_practice::{Fault, FaultKind, IssueRequest, Issued, Practice, PracticeError, Refusal, Server, Times};

pub(super) fn run(command: PracticeCommand, session: &Session) -> Result<Exit, Error> {
    let practice = Practice::open(session.home()?.practice_folder()).map_err(said)?;
    let out = &session.out;
    match command {
        PracticeCommand::Start { port } => serve(practice, port, session)?,
        PracticeCommand::Issue { kind, name, days, created_days_ago, secret_only } => {
            let request = IssueRequest { name, days, created_days_ago, ..IssueRequest::new(kind) };
            show(practice.issue(&request).map_err(said)?, secret_only, session);
        }
        PracticeCommand::List => {
            let list = practice.list().map_err(said)?;
            out.document(&list);
            if list.is_empty() {
                out.say("No practice key was made yet. `keytender practice issue --kind api-api-overlaps` makes one.");
                return Ok(Exit::Fine);
            }
            let dates = session.dates();
            let rows = list.into_iter().map(|row| {
                let name = row.name.unwrap_or_default();
                let (made, dies) = (dates.instant(row.created_at), dates.instant(row.expires_at));
                [row.id, row.kind.to_string(), name, row.hint, word_of(&row.state), made, dies]
            });
            out.table(["id", "kind", "name", "begins", "state", "made", "expires"], rows);
        }
        PracticeCommand::Revoke { id } => {
            practice.revoke(&id).map_err(said)?;
            out.document(&serde_json::json!({ "revoked": id }));
            out.say(format!("{id} is revoked."));
        }
        PracticeCommand::Disable { id } => {
            practice.disable(&id).map_err(said)?;
            out.document(&serde_json::json!({ "disabled": id }));
            out.say(format!("{id} is switched off."));
        }
        PracticeCommand::Enable { id } => {
            practice.enable(&id).map_err(said)?;
            out.document(&serde_json::json!({ "enabled": id }));
            out.say(format!("{id} is switched on."));
        }
        PracticeCommand::Regenerate { id, secret_only } => {
            show(practice.regenerate(&id).map_err(said)?, secret_only, session);
        }
        PracticeCommand::Fault(command) => faults(command, &practice, session)?,
    }
    Ok(Exit::Fine)
}

/// Answers on 127.0.0.1 until the process is asked to stop.
fn serve(practice: Practice, port: u16, session: &Session) -> Result<(), Error> {
    let failed = |error: std::io::Error| fault(format!("the practice service could not start: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    runtime.block_on(async {
        let server = Server::bind(practice, port).map_err(said)?;
        let url = format!("http://{}", server.address());
        let stop = stop_asked().map_err(failed)?;
        session.out.document(&serde_json::json!({ "url": url }));
        session.out.say(format!(
            "The practice service listens on {url}, its portal too. In another terminal:\n\n\
             keytender integration add practice --name Practice --set base_url={url}\n\
             keytender practice issue --kind api-api-overlaps --secret-only \\\n  \
               | keytender key add practice --name Demo --kind api-api-overlaps --secret-stdin\n\n\
             Ctrl-C ends it; its keys are kept."
        ));
        server.run(stop).await.map_err(said)
    })
}

/// Completes when the process is asked to stop. Listens from now on, so that nobody is killed between bind and run.
#[cfg(unix)]
fn stop_asked() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupted, mut terminated) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn stop_asked() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        // An error means that there is no console to press Ctrl-C at; then only the task manager ends it.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

/// What was just made. Its value is shown here and never again, as in a portal.
fn show(issued: Issued, secret_only: bool, session: &Session) {
    let out = &session.out;
    let Issued { id, token, kind, name, scopes, created_at, expires_at } = issued;
    let token = SecretText::new(token);
    if secret_only {
        out.write(&[token.expose().as_bytes(), b"\n"]);
        return;
    }
    out.document(&serde_json::json!({
        "id": id, "token": token.expose(), "kind": kind, "name": name, "scopes": scopes,
        "created_at": created_at, "expires_at": expires_at,
    }));
    let dates = session.dates();
    out.say(format!("{id} ({kind}), made {}, dies {}", dates.instant(created_at), dates.instant(expires_at)));
    if !out.json {
        out.write(&[b"The value, shown this once:\n", token.expose().as_bytes(), b"\n"]);
    }
}

fn faults(command: FaultCommand, practice: &Practice, session: &Session) -> Result<(), Error> {
    let out = &session.out;
    match command {
        FaultCommand::Add { call, kind, number, retry_after, times } => {
            let kind = fault_kind(kind, number, retry_after)?;
            practice.set_fault(Fault { call: call.into(), kind, times: times.0 }).map_err(said)?;
            out.document(&practice.faults().map_err(said)?);
            out.say("The fault waits for its call.");
        }
        FaultCommand::List => {
            let list = practice.faults().map_err(said)?;
            out.document(&list);
            if list.is_empty() {
                out.say("No fault waits.");
            }
            for fault in &list {
                let times = match fault.times {
                    Times::Count(count) => format!("{count} times"),
                    Times::Forever => "until cleared".to_owned(),
                };
                out.say(format!("{}: {:?}, {times}", word_of(&fault.call), fault.kind));
            }
        }
        FaultCommand::Clear => {
            practice.clear_faults().map_err(said)?;
            out.document(&serde_json::json!([]));
            out.say("All faults are forgotten.");
        }
    }
    Ok(())
}

fn fault_kind(word: FaultWord, number: Option<u64>, retry_after: Option<String>) -> Result<FaultKind, Error> {
    let usage = |happened: String| Error { kind: ErrorKind::Invalid, happened, help: None };
    if retry_after.is_some() && word != FaultWord::Status {
        return Err(usage("`--retry-after` goes with `status`".to_owned()));
    }
    let number = |what: &str| number.ok_or_else(|| usage(format!("this fault needs a number: {what}")));
    let small = |number: u64| u32::try_from(number).map_err(|_| usage(format!("{number} is too large")));
    Ok(match word {
        FaultWord::LostBefore => FaultKind::LostBefore,
        FaultWord::LostAfter => FaultKind::LostAfter,
        FaultWord::Html => FaultKind::Html,
        FaultWord::WrongShape => FaultKind::WrongShape,
        FaultWord::Cut => {
            FaultKind::Cut { bytes: usize::try_from(number("the bytes that arrive")?).map_err(|error| usage(error.to_string()))? }
        }
        FaultWord::Slow => FaultKind::Slow { millis: number("milliseconds")? },
        FaultWord::Status => {
            let code = number("the status code")?;
            let code = u16::try_from(code).map_err(|_| usage(format!("{code} is no status code")))?;
            FaultKind::Status { code, retry_after }
        }
        FaultWord::StillAccepted => FaultKind::StillAccepted { seconds: small(number("seconds")?)? },
        FaultWord::NotYetAccepted => FaultKind::NotYetAccepted { seconds: small(number("seconds")?)? },
    })
}

fn said(error: PracticeError) -> Error {
    let kind = match &error {
        PracticeError::Refused(Refusal::UnknownKey) => ErrorKind::NotFound,
        PracticeError::Refused(_) => ErrorKind::Invalid,
        _ => ErrorKind::Fault,
    };
    Error { kind, happened: error.to_string(), help: None }
}
