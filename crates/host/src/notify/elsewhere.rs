//! Notices on macOS and Windows, where `notify-rust` speaks to the system itself. Not yet run.
//!
//! Neither system says whether it shows anything, and neither can be waited for with a limit: the notice's thread stays
//! until the notice is answered or the process ends, which is why it is nobody else's thread.

use super::{Answer, Daemon, NotifyError, Report, Wanted};
use notify_rust::{CloseReason, Notification, NotificationResponse};

/// The system itself.
pub(super) fn daemon() -> Result<Daemon, NotifyError> {
    let capabilities = ["actions", "body"].map(str::to_owned).to_vec();
    Ok(Daemon { name: std::env::consts::OS.to_owned(), version: String::new(), capabilities })
}

/// Shows a notice, says who shows it, and stays with it until it is answered.
pub(super) fn present(wanted: &Wanted, report: Report) {
    let Report { shown, answer, mut gone } = report;
    let mut notification = Notification::new();
    notification.appname("Keytender").summary(&wanted.summary).body(&wanted.body);
    #[cfg(target_os = "windows")]
    if wanted.urgent {
        notification.urgency(notify_rust::Urgency::Critical);
    }
    for (id, label) in &wanted.actions {
        notification.action(id, label);
    }
    let handle = match notification.show() {
        Ok(handle) => handle,
        Err(error) => return drop(shown.send(Err(NotifyError::Failed(error.to_string())))),
    };
    if shown.send(daemon()).is_err() || gone.try_recv() == Err(tokio::sync::oneshot::error::TryRecvError::Closed) {
        return;
    }
    // An error here means that the notice is gone, which dropping `answer` says.
    drop(handle.wait_for_response(|response: &NotificationResponse| drop(answer.send(meaning(response)))));
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
