//! The API that programs call with a live key: whoami, and the keys of the caller's own kind.
//!
//! A key that is switched off may call nothing but this: to be switched on again, itself. So whoever holds only that one key
//! can take back what they did with it, as with services where another credential does the switching, and there is no other
//! thing that a key which was switched off can still do.
//!
//! Every call is one turn on the state: the waiting fault is looked up, the caller is let in, the call is done and the fault
//! spent, all under one lock. What may not live here: what a kind allows (`rules`), and the wire (`reply`).

use crate::error::{PracticeError, Refusal};
use crate::faults::{Call, FaultKind};
use crate::practice::Practice;
use crate::reply::{Answer, Reply, parse};
use crate::rules::{IssueRequest, Lag, default_days};
use crate::state::{Key, KeyRow, State};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) fn routes() -> Router<Practice> {
    Router::new()
        .route("/api/v1/whoami", get(whoami))
        .route("/api/v1/keys", get(list).post(create))
        .route("/api/v1/keys/self/rotate", post(rotate))
        .route("/api/v1/keys/{id}", delete(revoke).patch(switch))
}

/// The body of a create call.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateBody {
    name: Option<String>,
    #[serde(default = "default_days")]
    days: u32,
    scopes: Option<Vec<String>>,
}

/// The body of a switch.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SwitchBody {
    enabled: bool,
}

/// Which keys a call lets in.
enum Admission {
    /// Those that are accepted.
    Accepted,
    /// Those, and the key with this id even though it is switched off.
    AcceptedOrReturning(String),
}

impl Admission {
    fn caller<'s>(&self, state: &'s State, token: &str, now: DateTime<Utc>) -> Option<&'s Key> {
        state.accepted(token, now).or_else(|| match self {
            Self::Accepted => None,
            Self::AcceptedOrReturning(id) => state.returning(token, id, now),
        })
    }
}

/// One call that was let in.
struct Visit<'a> {
    state: &'a mut State,
    caller: Key,
    now: DateTime<Utc>,
    lag: Lag,
}

async fn whoami(Shared(practice): Shared<Practice>, headers: HeaderMap) -> Response {
    perform(&practice, &headers, Call::Verify, |visit| {
        let key = visit.caller;
        Ok(Reply::ok(json!({
            "id": key.id,
            "name": key.name,
            "kind": key.kind,
            "scopes": key.scopes,
            "created_at": key.created_at,
            "expires_at": key.expires_at,
        })))
    })
    .await
}

async fn list(Shared(practice): Shared<Practice>, headers: HeaderMap) -> Response {
    perform(&practice, &headers, Call::List, |visit| {
        let kind = visit.caller.kind;
        if !kind.listed() {
            return Err(Refusal::UnknownKey.into());
        }
        let keys: Vec<_> = visit.state.live(kind, visit.now).map(|key| shown(&key.row(visit.now))).collect();
        Ok(Reply::ok(json!({ "keys": keys })))
    })
    .await
}

async fn create(Shared(practice): Shared<Practice>, headers: HeaderMap, body: Bytes) -> Response {
    perform(&practice, &headers, Call::Make, move |visit| {
        let CreateBody { name, days, scopes } = parse(&body)?;
        let request = IssueRequest { kind: visit.caller.kind, name, days, created_days_ago: 0, scopes };
        Ok(Reply::issued(&visit.state.create(&request, visit.now, visit.lag)?))
    })
    .await
}

/// The body is read, so that a dropped connection ends in good order, and not looked at.
async fn rotate(Shared(practice): Shared<Practice>, headers: HeaderMap, _body: Bytes) -> Response {
    perform(&practice, &headers, Call::Make, |visit| {
        Ok(Reply::issued(&visit.state.rotate(&visit.caller, visit.now, visit.lag)?))
    })
    .await
}

async fn revoke(Shared(practice): Shared<Practice>, headers: HeaderMap, Path(id): Path<String>) -> Response {
    perform(&practice, &headers, Call::Revoke, move |visit| {
        visit.state.delete(&visit.caller, &id, visit.now, visit.lag)?;
        Ok(Reply::no_content())
    })
    .await
}

async fn switch(Shared(practice): Shared<Practice>, headers: HeaderMap, Path(id): Path<String>, body: Bytes) -> Response {
    let wanted = parse::<SwitchBody>(&body);
    // A body that says neither is refused whatever it meets on the way; it counts as the call that opens no further door.
    let (call, admission) = match &wanted {
        Ok(SwitchBody { enabled: true }) => (Call::Enable, Admission::AcceptedOrReturning(id.clone())),
        Ok(SwitchBody { enabled: false }) | Err(_) => (Call::Disable, Admission::Accepted),
    };
    perform_for(&practice, &headers, call, admission, move |visit| {
        let row = visit.state.switch(&visit.caller, &id, wanted?.enabled, visit.now, visit.lag)?;
        Ok(Reply::ok(shown(&row)))
    })
    .await
}

/// A key as the API shows it to its fellows.
fn shown(row: &KeyRow) -> Value {
    json!({
        "id": row.id,
        "name": row.name,
        "hint": row.hint,
        "created_at": row.created_at,
        "expires_at": row.expires_at,
        "scopes": row.scopes,
        "enabled": row.enabled,
    })
}

/// A call that only accepted keys may make: all but one.
async fn perform(
    practice: &Practice,
    headers: &HeaderMap,
    call: Call,
    work: impl FnOnce(Visit<'_>) -> Result<Reply, PracticeError> + Send + 'static,
) -> Response {
    perform_for(practice, headers, call, Admission::Accepted, work).await
}

async fn perform_for(
    practice: &Practice,
    headers: &HeaderMap,
    call: Call,
    admission: Admission,
    work: impl FnOnce(Visit<'_>) -> Result<Reply, PracticeError> + Send + 'static,
) -> Response {
    let token = bearer(headers).map(str::to_owned);
    let answer = practice.transact_off_thread(move |state, now| turn(state, now, call, &admission, token.as_deref(), work)).await;
    match answer {
        Ok(answer) => answer.into_response().await,
        Err(error) => error.into_response(),
    }
}

/// One call on the state. A refusal is an answer like any other, so that the fault it met is spent; any other error undoes
/// the whole turn.
fn turn(
    state: &mut State,
    now: DateTime<Utc>,
    call: Call,
    admission: &Admission,
    token: Option<&str>,
    work: impl FnOnce(Visit<'_>) -> Result<Reply, PracticeError>,
) -> Result<Answer, PracticeError> {
    let fault = state.waiting_fault(call);
    if let Some(fault @ (FaultKind::LostBefore | FaultKind::Status { .. } | FaultKind::Html)) = fault {
        state.spend_fault(call);
        return Ok(Answer::Prevented(fault));
    }
    let lag = match &fault {
        Some(FaultKind::StillAccepted { seconds } | FaultKind::NotYetAccepted { seconds }) => {
            Some(TimeDelta::seconds(i64::from(*seconds)))
        }
        _ => None,
    };
    let caller = token.and_then(|token| admission.caller(state, token, now)).cloned();
    let result = match caller {
        Some(caller) => work(Visit { state, caller, now, lag }),
        None => Ok(Reply::error(StatusCode::UNAUTHORIZED, "unauthorized")),
    };
    let reply = match result {
        Ok(reply) => reply,
        Err(error @ PracticeError::Refused(_)) => Reply::from(&error),
        Err(error) => return Err(error),
    };
    match fault {
        None => Ok(Answer::Whole(reply)),
        Some(fault) if fault.is_lag() && !reply.is_success() => Ok(Answer::Whole(reply)),
        Some(fault) => {
            state.spend_fault(call);
            Ok(Answer::Broken(reply, call, fault))
        }
    }
}

/// The token of an `Authorization: Bearer` header.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}
