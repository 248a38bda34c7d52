//! Notices over D-Bus.
//!
//! The daemon is asked who it is before anything is shown: that call's errors are typed, so "no bus", "no daemon" and
//! "silent" are told apart without reading texts, which `notify-rust`'s own error would take.

use super::{Answer, Daemon, NotifyError, PATIENCE, Report, Wanted};
use notify_rust::{CloseReason, Notification, NotificationHandle, NotificationResponse, Urgency};
use tokio::sync::oneshot;
use zbus::fdo;
use zbus::zvariant::{DynamicDeserialize, Type};

const NAME: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";

/// Asks the daemon who it is and what it can do.
pub(super) fn daemon() -> Result<Daemon, NotifyError> {
    runtime()?.block_on(in_time(introduction()))
}

/// Shows a notice, says who shows it, and stays with it until it is answered or nobody cares.
pub(super) fn present(wanted: &Wanted, report: Report) {
    let Report { shown, answer, gone } = report;
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        // Whoever gave up waiting does not hear it; the same below.
        Err(error) => return drop(shown.send(Err(error))),
    };
    runtime.block_on(async {
        let (daemon, handle) = match in_time(put_up(wanted)).await {
            Ok(put_up) => put_up,
            Err(error) => return drop(shown.send(Err(error))),
        };
        if shown.send(Ok(daemon)).is_err() {
            // The caller has already been told that nothing was shown, and will show it again.
            handle.close_async().await;
            return;
        }
        stay_with(&handle, answer, gone).await;
    });
}

/// A runtime for this thread alone; the D-Bus connections bring their own reactor.
fn runtime() -> Result<tokio::runtime::Runtime, NotifyError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.map_err(|error| NotifyError::Failed(error.to_string()))
}

/// Gives up in time, so that a bus that hangs keeps no thread.
async fn in_time<T>(work: impl Future<Output = Result<T, NotifyError>>) -> Result<T, NotifyError> {
    tokio::time::timeout(PATIENCE, work).await.unwrap_or(Err(NotifyError::TimedOut))
}

async fn introduction() -> Result<Daemon, NotifyError> {
    let bus = zbus::Connection::session().await.map_err(|error| NotifyError::NoBus(error.to_string()))?;
    let (name, _vendor, version, _specification) = ask::<(String, String, String, String)>(&bus, "GetServerInformation").await?;
    Ok(Daemon { name, version, capabilities: ask(&bus, "GetCapabilities").await? })
}

async fn ask<T>(bus: &zbus::Connection, question: &str) -> Result<T, NotifyError>
where
    T: for<'d> DynamicDeserialize<'d> + Type,
{
    let reply = bus.call_method(Some(NAME), PATH, Some(NAME), question, &()).await.map_err(failure)?;
    reply.body().deserialize().map_err(failure)
}

async fn put_up(wanted: &Wanted) -> Result<(Daemon, NotificationHandle), NotifyError> {
    let daemon = introduction().await?;
    let handle = notification(wanted, &daemon).show_async().await;
    handle.map(|handle| (daemon, handle)).map_err(|error| NotifyError::Failed(error.to_string()))
}

/// The library subscribes to answers only now: one given within the milliseconds since the notice went up is missed, and the
/// holder's limit ends the wait.
async fn stay_with(handle: &NotificationHandle, answer: std::sync::mpsc::Sender<Answer>, gone: oneshot::Receiver<()>) {
    let answered = handle.wait_for_action_async(|response| drop(answer.send(meaning(response))));
    tokio::select! {
        () = answered => {}
        _ = gone => {}
    }
}

fn notification(wanted: &Wanted, daemon: &Daemon) -> Notification {
    let mut notification = Notification::new();
    let body = if daemon.can("body-markup") { escaped(&wanted.body) } else { wanted.body.clone() };
    notification.appname("Keytender").icon("keytender").summary(&wanted.summary).body(&body);
    notification.urgency(if wanted.urgent { Urgency::Critical } else { Urgency::Normal });
    if daemon.can("actions") {
        for (id, label) in &wanted.actions {
            notification.action(id, label);
        }
    }
    notification
}

/// Names that a person typed must not become markup: a link or an image in a notice would be shown, and fetched, by the
/// daemon.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn meaning(response: &NotificationResponse) -> Answer {
    match response {
        NotificationResponse::Action(id) => Answer::Action(id.clone()),
        NotificationResponse::Default => Answer::Opened,
        NotificationResponse::Closed(CloseReason::Dismissed) => Answer::Dismissed,
        NotificationResponse::Closed(CloseReason::Expired) => Answer::Expired,
        NotificationResponse::Closed(CloseReason::CloseAction | CloseReason::Other(_)) | NotificationResponse::Reply(_) => {
            Answer::Withdrawn
        }
    }
}

fn failure(error: zbus::Error) -> NotifyError {
    match fdo::Error::from(error) {
        fdo::Error::ServiceUnknown(_)
        | fdo::Error::NameHasNoOwner(_)
        // One is installed for the bus to start, and did not come up: usually for want of a display.
        | fdo::Error::SpawnExecFailed(_)
        | fdo::Error::SpawnForkFailed(_)
        | fdo::Error::SpawnChildExited(_)
        | fdo::Error::SpawnChildSignaled(_)
        | fdo::Error::SpawnFailed(_)
        | fdo::Error::SpawnFailedToSetup(_)
        | fdo::Error::SpawnServiceNotFound(_) => NotifyError::NoDaemon,
        fdo::Error::NoReply(_) | fdo::Error::Timeout(_) | fdo::Error::TimedOut(_) => NotifyError::TimedOut,
        other => NotifyError::Failed(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(body: &str) -> Wanted {
        Wanted {
            summary: "1 key needs you".into(),
            body: body.into(),
            actions: vec![("rotate".into(), "Rotate".into())],
            urgent: true,
        }
    }
    fn daemon(capabilities: &[&str]) -> Daemon {
        let capabilities = capabilities.iter().map(|one| (*one).to_owned()).collect();
        Daemon { name: "daemon".into(), version: String::new(), capabilities }
    }

    #[test]
    fn typed_names_are_never_markup() {
        let plain = wanted("<img src=\"http://127.0.0.1/\"> & co, 7 days");
        let escaped = notification(&plain, &daemon(&["body", "body-markup"])).body;
        assert_eq!(escaped, "&lt;img src=\"http://127.0.0.1/\"&gt; &amp; co, 7 days");
        assert_eq!(notification(&plain, &daemon(&["body"])).body, plain.body);
    }

    #[test]
    fn buttons_are_offered_to_daemons_that_have_them() {
        assert_eq!(notification(&wanted(""), &daemon(&["actions"])).actions, ["rotate", "Rotate"]);
        assert!(notification(&wanted(""), &daemon(&["body"])).actions.is_empty());
    }
}
