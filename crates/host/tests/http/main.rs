//! The HTTP client against servers on loopback: what it sends where, what it keeps of a reply, and what it says when there
//! is none.
#![allow(clippy::unwrap_used, clippy::panic, reason = "clippy takes test functions for tests, not what they share")]

mod network;
mod places;
mod replies;
mod secrecy;
mod servers;
mod tls;

use chrono::{DateTime, Utc};
use keytender_core::exchange::{CallClass, Origin, RequestValue};
use keytender_core::ports::Clock;
use keytender_core::secret::SecretText;
use keytender_core::words::ServiceSlug;
use keytender_host::http::{HttpClient, HttpOptions};
use std::sync::Arc;
use std::time::Duration;

/// A clock that stands still.
struct Still;

impl Clock for Still {
    fn now(&self) -> DateTime<Utc> {
        "2026-11-21T09:00:00Z".parse().unwrap()
    }

    fn pause(&self, _: Duration) {}

    fn zone(&self) -> String {
        "UTC".to_owned()
    }
}

/// Short limits, and no name resolves to anything.
fn options() -> HttpOptions {
    let mut options = HttpOptions::new(Arc::new(Still));
    options.lookup = Arc::new(|name| Err(std::io::Error::other(format!("{name} is not in this test"))));
    options.connect_timeout = Duration::from_secs(5);
    options.timeout = Duration::from_secs(5);
    options.make_timeout = Duration::from_secs(5);
    options
}

fn client() -> HttpClient {
    HttpClient::new(options()).unwrap()
}

/// A value that no other test has, made at run time.
fn canary() -> String {
    uuid::Uuid::now_v7().simple().to_string() + "canary00"
}

/// A verifying GET with a token in a header of its own, to a URL whose origin is consented.
fn request(url: &str, token: &str) -> RequestValue {
    RequestValue {
        service: ServiceSlug("example".to_owned()),
        class: CallClass::Verify,
        method: "GET",
        url: SecretText::new(url.to_owned()),
        shown: "{base}/me".to_owned(),
        headers: vec![("x-token".to_owned(), SecretText::new(token.to_owned()))],
        body: None,
        origins: vec![Origin::of(&url.parse().unwrap()).unwrap()],
        self_hosted: false,
        calls_per_minute: 1000,
    }
}
