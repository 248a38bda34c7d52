//! Replies: how results and errors become HTTP, and how a fault breaks a reply on its way out.
//!
//! What may not live here: whether a fault applies (`api`), and what a call does.

use crate::error::{PracticeError, Refusal};
use crate::faults::{Call, FaultKind};
use crate::rules::Issued;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use hyper::body::Frame;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// A reply of the service: a status, and JSON unless there is nothing to say.
#[derive(Debug)]
pub(crate) struct Reply {
    status: StatusCode,
    body: Option<Value>,
}

/// Set on a response that must never be sent: the server drops the connection instead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unsent;

impl Reply {
    pub(crate) fn ok(body: Value) -> Self {
        Self { status: StatusCode::OK, body: Some(body) }
    }

    pub(crate) fn created(body: Value) -> Self {
        Self { status: StatusCode::CREATED, body: Some(body) }
    }

    pub(crate) fn no_content() -> Self {
        Self { status: StatusCode::NO_CONTENT, body: None }
    }

    /// The new key with its token.
    pub(crate) fn issued(issued: &Issued) -> Self {
        Self::created(json!({
            "id": issued.id,
            "token": issued.token,
            "name": issued.name,
            "created_at": issued.created_at,
            "expires_at": issued.expires_at,
            "scopes": issued.scopes,
        }))
    }

    pub(crate) fn error(status: StatusCode, text: &str) -> Self {
        Self { status, body: Some(json!({ "error": text })) }
    }

    /// Whether the call did what it was asked.
    pub(crate) fn is_success(&self) -> bool {
        self.status.is_success()
    }

    /// Drops what the caller of such a call came for.
    fn without_essence(mut self, call: Call) -> Self {
        let essence = match call {
            Call::Make => "token",
            Call::Verify => "id",
            Call::List => "keys",
            Call::Disable | Call::Enable => "enabled",
            Call::Revoke => return self,
        };
        if let Some(Value::Object(fields)) = &mut self.body {
            fields.shift_remove(essence);
        }
        self
    }

    /// The reply of which only the first `bytes` of the body arrive.
    fn cut_after(self, bytes: usize) -> Response {
        let text = self.body.map(|body| body.to_string()).unwrap_or_default();
        if bytes >= text.len() {
            return respond(self.status, Some(Body::from(text)));
        }
        let len = HeaderValue::from(text.len());
        let part = Bytes::from(text).slice(..bytes);
        let mut response = respond(self.status, Some(Body::new(CutBody { part: Some(part), flushed: false })));
        response.headers_mut().insert(header::CONTENT_LENGTH, len);
        response
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        respond(self.status, self.body.map(|body| Body::from(body.to_string())))
    }
}

/// Replies carry tokens, so nobody may keep them.
fn respond(status: StatusCode, body: Option<Body>) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(body) = body {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        *response.body_mut() = body;
    }
    response
}

/// How a call ends once its fault, if any, has had its way.
#[derive(Debug)]
pub(crate) enum Answer {
    /// As it should.
    Whole(Reply),
    /// Done, with a fault that has its way with the reply; the lag faults have had theirs and leave it whole.
    Broken(Reply, Call, FaultKind),
    /// A fault came first and nothing was done.
    Prevented(FaultKind),
}

impl Answer {
    /// The response on the wire; takes its time if the fault says so.
    pub(crate) async fn into_response(self) -> Response {
        match self {
            Self::Whole(reply) => reply.into_response(),
            Self::Broken(reply, call, fault) => match fault {
                FaultKind::LostAfter | FaultKind::LostBefore => unsent(),
                FaultKind::Cut { bytes } => reply.cut_after(bytes),
                FaultKind::WrongShape => reply.without_essence(call).into_response(),
                FaultKind::Slow { millis } => {
                    tokio::time::sleep(Duration::from_millis(millis)).await;
                    reply.into_response()
                }
                FaultKind::Status { .. }
                | FaultKind::Html
                | FaultKind::StillAccepted { .. }
                | FaultKind::NotYetAccepted { .. } => reply.into_response(),
            },
            Self::Prevented(FaultKind::Status { code, retry_after }) => refused_by_fault(code, retry_after.as_deref()),
            Self::Prevented(FaultKind::Html) => {
                Html("<!doctype html><title>Maintenance</title><h1>We will be back soon</h1>\n").into_response()
            }
            Self::Prevented(_) => unsent(),
        }
    }
}

fn unsent() -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(Unsent);
    response
}

fn refused_by_fault(code: u16, retry_after: Option<&str>) -> Response {
    let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = Reply::error(status, status.canonical_reason().unwrap_or("error")).into_response();
    if let Some(value) = retry_after.and_then(|text| HeaderValue::from_str(text).ok()) {
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    response
}

/// A body that breaks off. It waits once between its bytes and its error, because hyper flushes what it has only when a body
/// has nothing more to give for now; an error at once would take the head and the bytes with it.
struct CutBody {
    part: Option<Bytes>,
    flushed: bool,
}

impl HttpBody for CutBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(part) = self.part.take().filter(|part| !part.is_empty()) {
            return Poll::Ready(Some(Ok(Frame::data(part))));
        }
        if !self.flushed {
            self.flushed = true;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(io::Error::from(io::ErrorKind::ConnectionAborted))))
    }
}

impl Refusal {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::MadeInPortal | Self::RetiredInPortal | Self::SwitchedInPortal => StatusCode::FORBIDDEN,
            Self::UseRotate | Self::UseCreate | Self::SlotsFull | Self::RegenerateInstead { .. } | Self::NotRegenerated(_) => {
                StatusCode::CONFLICT
            }
            Self::UnknownKey => StatusCode::NOT_FOUND,
            Self::BadInput(_) => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }
}

impl PracticeError {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Refused(refusal) => refusal.status(),
            Self::Damaged { .. }
            | Self::Newer { .. }
            | Self::Storage { .. }
            | Self::Randomness(_)
            | Self::Listen { .. }
            | Self::Interrupted => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl From<&PracticeError> for Reply {
    fn from(error: &PracticeError) -> Self {
        Self::error(error.status(), &error.to_string())
    }
}

impl IntoResponse for PracticeError {
    fn into_response(self) -> Response {
        Reply::from(&self).into_response()
    }
}

/// A request's JSON body; none at all is an empty object.
pub(crate) fn parse<T: DeserializeOwned>(body: &Bytes) -> Result<T, Refusal> {
    let text: &[u8] = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(text).map_err(|error| Refusal::BadInput(error.to_string()))
}
