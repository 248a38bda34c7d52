//! Request and response values: what the interpreter asks the host to send, and what came back. Neither is parsed or
//! sent here.
//!
//! A request's URL, headers and body may carry a key, so all of it is secret: `Debug` shows method and origin only.

use crate::secret::{SecretBytes, SecretText};
use crate::words::ServiceSlug;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;
use url::Url;

/// Scheme, host and port: where a value may go. Written `https://host` or `http://127.0.0.1:4873`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Origin(String);

impl Origin {
    /// The origin of a URL; none for one without a host (`file:`, `data:`).
    #[must_use]
    pub fn of(url: &Url) -> Option<Self> {
        url.host_str()?;
        Some(Self(url.origin().ascii_serialization()))
    }

    /// The text, `scheme://host[:port]`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a request is for: decides its time limit, whether anything may repeat it, and which limit counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallClass {
    /// Asks whether a value is alive. 30 s; repeatable.
    Verify,
    /// Lists keys or reads one. 30 s; repeatable.
    List,
    /// Makes a key. 120 s, identity encoding; never repeated by anything but the journal.
    Make,
    /// Revokes, disables or enables. 30 s; repeated by the journal only.
    Retire,
}

/// A request, ready to be sent.
pub struct RequestValue {
    /// The service, for its limiter.
    pub service: ServiceSlug,
    /// What it is for.
    pub class: CallClass,
    /// `GET`, `POST`, ...
    pub method: &'static str,
    /// The full URL. May hold a key (some services put it in the path).
    pub url: SecretText,
    /// The same URL with every filled-in value replaced by its name in braces: safe to print and to journal.
    pub shown: String,
    /// Header names (lower case) and values.
    pub headers: Vec<(String, SecretText)>,
    /// The body, if any.
    pub body: Option<SecretBytes>,
    /// Where it may go: the consented hosts of the manifest under the integration's settings. The host sends to no other.
    pub origins: Vec<Origin>,
    /// A person marked this integration's service as self-hosted: plain http and private addresses are allowed.
    pub self_hosted: bool,
    /// Management calls a minute that the service stands, from its manifest.
    pub calls_per_minute: u32,
}

impl fmt::Debug for RequestValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({:?}, {} headers)", self.method, self.shown, self.class, self.headers.len())
    }
}

/// A reply, as far as it came.
pub struct ResponseValue {
    /// The status code.
    pub status: u16,
    /// Header names (lower case) and values. May echo secrets.
    pub headers: Vec<(String, String)>,
    /// The body, at most 1 MiB of it.
    pub body: SecretBytes,
    /// Whether the body arrived to its end.
    pub complete: bool,
    /// When the last byte arrived, by this computer's clock.
    pub received_at: DateTime<Utc>,
}

impl ResponseValue {
    /// The first header of this name (lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for ResponseValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} bytes{})", self.status, self.body.len(), if self.complete { "" } else { ", cut" })
    }
}
