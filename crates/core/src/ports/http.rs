//! HTTP, as the rotation driver needs it: one request, one reply, and an honest word on whether it may have arrived.

use crate::exchange::{RequestValue, ResponseValue};
use chrono::{DateTime, Utc};

/// Whether the service may have acted on a request that brought no whole reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// Not one byte of the request left: refused here, name not found, connection refused, TLS failed.
    No,
    /// It may have arrived.
    Maybe,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpTrouble {
    /// The request was refused here: origin not in the consented list, plain http, private address.
    #[error("not sent: {0}")]
    Forbidden(String),
    /// No connection: name not found, refused, TLS failed. The text tells which, without the URL's path.
    #[error("could not connect: {0}")]
    Connect(String),
    /// No answer in time.
    #[error("no answer within {0} s")]
    Timeout(u64),
    /// The connection broke before the reply's head arrived.
    #[error("the connection broke before a reply arrived")]
    Cut,
    /// The service's own limit, or ours for it, is used up until the instant.
    #[error("too many calls to this service; the next is possible at {0}")]
    Limited(DateTime<Utc>),
}

/// A request that brought no reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{trouble}")]
pub struct HttpError {
    /// What went wrong.
    pub trouble: HttpTrouble,
    /// Whether the service may have acted.
    pub sent: Sent,
}

/// Sends requests. Redirects are never followed: a 3xx is a reply like any other. Nothing is retried.
pub trait Http: Send + Sync {
    /// Sends one request and waits for its reply. A reply whose body broke off, or went over 1 MiB, is a reply with
    /// `complete = false`, not an error.
    ///
    /// # Errors
    /// See [`HttpError`].
    fn send(&self, request: &RequestValue) -> Result<ResponseValue, HttpError>;
}
