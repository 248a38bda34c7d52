//! A running service with a clock of its own, and a client that sees what really came over the wire, byte by byte.

use chrono::{DateTime, TimeDelta, Utc};
use keytender_practice::{IssueRequest, Issued, KeyKind, Practice, Running, Server};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;

/// A service that answers, over a folder that goes away with it.
pub(crate) struct Service {
    pub(crate) practice: Practice,
    pub(crate) folder: TempDir,
    running: Mutex<Option<Running>>,
    address: SocketAddr,
    now: Arc<Mutex<DateTime<Utc>>>,
}

impl Service {
    pub(crate) fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let now = Arc::new(Mutex::new("2026-03-01T12:00:00Z".parse().unwrap()));
        let clock = Arc::clone(&now);
        let practice = Practice::open_with_clock(folder.path(), move || *clock.lock().unwrap()).unwrap();
        let running = Server::spawn(practice.clone(), 0).unwrap();
        Self { practice, folder, address: running.address(), running: Mutex::new(Some(running)), now }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops the server; the folder and the functions stay.
    pub(crate) fn stop(&self) {
        drop(self.running.lock().unwrap().take());
    }

    /// The same folder and clock opened once more, as another process would.
    pub(crate) fn open_again(&self) -> Practice {
        let clock = Arc::clone(&self.now);
        Practice::open_with_clock(self.folder.path(), move || *clock.lock().unwrap()).unwrap()
    }

    pub(crate) fn let_pass(&self, time: TimeDelta) {
        *self.now.lock().unwrap() += time;
    }

    pub(crate) fn issue(&self, kind: &str) -> Issued {
        self.practice.issue(&IssueRequest::new(kind.parse::<KeyKind>().unwrap())).unwrap()
    }

    /// A call of the API with that token; `None` when the connection ended without a byte of reply.
    pub(crate) fn call(&self, method: &str, path: &str, token: &str, body: &str) -> Option<Reply> {
        send(self.address(), method, path, &[("Authorization", &format!("Bearer {token}"))], body)
    }

    /// [`Service::call`] that must be answered whole.
    pub(crate) fn ask(&self, method: &str, path: &str, token: &str, body: &str) -> Reply {
        let reply = self.call(method, path, token, body).unwrap();
        assert!(reply.whole, "the reply broke off");
        reply
    }

    pub(crate) fn whoami(&self, token: &str) -> Reply {
        self.ask("GET", "/api/v1/whoami", token, "")
    }

    pub(crate) fn create(&self, token: &str) -> Reply {
        self.ask("POST", "/api/v1/keys", token, "{}")
    }

    pub(crate) fn rotate(&self, token: &str) -> Reply {
        self.ask("POST", "/api/v1/keys/self/rotate", token, "")
    }

    pub(crate) fn list(&self, token: &str) -> Reply {
        self.ask("GET", "/api/v1/keys", token, "")
    }

    pub(crate) fn switch(&self, token: &str, id: &str, on: bool) -> Reply {
        self.ask("PATCH", &format!("/api/v1/keys/{id}"), token, &format!(r#"{{"enabled": {on}}}"#))
    }

    pub(crate) fn delete(&self, token: &str, id: &str) -> Reply {
        self.ask("DELETE", &format!("/api/v1/keys/{id}"), token, "")
    }
}

/// What came over the wire.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
    /// Whether as much body came as the head announced.
    pub(crate) whole: bool,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// A field of the JSON that must be text.
    pub(crate) fn text(&self, field: &str) -> String {
        self.json()[field].as_str().unwrap_or_else(|| panic!("no text {field} in {self:?}")).to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(header, _)| header.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// That status with that `error`.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, error: &str) {
        assert_eq!((self.status, self.json()["error"].as_str()), (status, Some(error)));
    }
}

/// Sends one request and reads until the connection ends; `None` when it ended without a byte. `Host` is the server's address
/// unless the headers name one.
pub(crate) fn send(address: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Option<Reply> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut request = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        request.push_str(&format!("Host: {address}\r\n"));
    }
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    request.push_str(body);
    stream.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    // A reset after the last byte is one of the ends that a fault makes; what came before it counts.
    if let Err(error) = stream.read_to_end(&mut bytes) {
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}");
    }
    parse(&String::from_utf8(bytes).unwrap())
}

fn parse(text: &str) -> Option<Reply> {
    if text.is_empty() {
        return None;
    }
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let mut reply = Reply { status, head: head.to_owned(), body: body.to_owned(), whole: true };
    if let Some(announced) = reply.header("content-length") {
        reply.whole = announced.parse() == Ok(body.len());
    }
    Some(reply)
}
