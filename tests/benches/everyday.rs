//! What a person waits for: `key list` at 10,000 keys, one rotation next to its bare HTTP calls, `key reveal` next to
//! `secret-tool lookup`. Each pair is measured in one run, turn by turn, so that a busy machine is busy for both.
//!
//! `cargo xtask bench` prints the table; no figure here is a test.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark prints, and says by panicking why it cannot run"
)]

use chrono::{DateTime, Utc};
use keytender_core::expiry::{Expiry, Moment};
use keytender_core::ids::{IntegrationId, KeyId, VersionId};
use keytender_core::ports::{Change, Item, Ledger, Vault};
use keytender_core::rotation::Purpose;
use keytender_core::secret::SecretBytes;
use keytender_core::words::{Integration, Key, ServiceSlug, Version, VersionState};
use keytender_host::ledger::SqliteLedger;
use keytender_practice::{KeyKind, OldKey, Who};
use keytender_tests::binary::{Person, PracticeServer};
use keytender_tests::desk::Desk;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use uuid::Uuid;

const ROUNDS: usize = 40;

fn main() {
    // `cargo test` builds and starts benchmarks as well; they only run when asked to.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    reveal();
    list();
    overhead();
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

fn timed(what: impl FnOnce()) -> Duration {
    let start = Instant::now();
    what();
    start.elapsed()
}

fn kind() -> KeyKind {
    KeyKind::new(Who::Api, Who::Api, OldKey::Overlaps)
}

fn reveal() {
    let (person, daemon) = Person::with_keychain();
    let server = PracticeServer::start();
    person.add_practice(&server.url);
    let issued = person.add_key(&server.practice, kind(), "one");
    let shown = person.run(&["key", "show", "home/one", "--json"]).json();
    let item = shown["current"]["item"].as_str().unwrap().to_owned();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(timed(|| assert_eq!(person.run(&["key", "reveal", "home/one"]).ok().trim_end(), issued.token)));
        theirs.push(timed(|| assert!(daemon.secret_tool(&["lookup", "username", &item]).status.success())));
    }
    let (ours, theirs) = (median(&mut ours), median(&mut theirs));
    let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
    println!("key reveal          {:>8.2} ms   secret-tool lookup {:>8.2} ms   ratio {ratio:.2}", millis(ours), millis(theirs));
}

fn list() {
    let (empty, full) = (Person::without_bus(), Person::without_bus());
    let _ = empty.run(&["key", "list"]).ok();
    let _ = full.run(&["key", "list"]).ok();
    fill(&SqliteLedger::open(&full.home().join("ledger.sqlite"), Uuid::new_v4()).unwrap(), 10_000);
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        with.push(timed(|| assert!(full.run(&["key", "list", "--json"]).ok().len() > 1_000_000)));
        without.push(timed(|| drop(empty.run(&["key", "list", "--json"]).ok())));
    }
    let (with, without) = (median(&mut with), median(&mut without));
    let ratio = with.as_secs_f64() / without.as_secs_f64();
    println!("key list, 10,000    {:>8.2} ms   key list, none     {:>8.2} ms   ratio {ratio:.2}", millis(with), millis(without));
}

fn fill(ledger: &SqliteLedger, keys: u64) {
    let at: DateTime<Utc> = "2026-11-21T09:00:00Z".parse().unwrap();
    let integration = Integration {
        id: IntegrationId(Uuid::now_v7()),
        service: ServiceSlug("practice".into()),
        name: "many".parse().unwrap(),
        environment: None,
        settings: Default::default(),
        managed_by: None,
        notes: String::new(),
        created_at: at,
    };
    let mut changes = vec![Change::AddIntegration(integration.clone())];
    for number in 0..keys {
        let (key, version) = (KeyId(Uuid::now_v7()), VersionId(Uuid::now_v7()));
        changes.push(Change::AddKey(Key {
            id: key,
            integration: integration.id,
            name: format!("key {number}").parse().unwrap(),
            kind: kind().to_string(),
            options: Default::default(),
            scopes: vec!["read".into(), "write".into()],
            identity: Some("dev".into()),
            current: None,
            tags: Vec::new(),
            disabled: false,
            created_at: at,
        }));
        changes.push(Change::AddVersion(Version {
            id: version,
            key,
            state: VersionState::Current,
            store: "keychain".into(),
            remote_id: Some(number.to_string()),
            remote_name: None,
            expiry: Expiry::Reported { at: Moment::Instant(at), by: "/expires_at".into() },
            expiry_revision: 1,
            issued_at: at,
            issued_known: true,
            made_by: None,
            health: None,
            removed_at: None,
            created_at: at,
        }));
        changes.push(Change::SetCurrent { key, version: Some(version) });
    }
    ledger.apply(&changes).unwrap();
}

/// A rotation in one process over everything real but the keychain, whose two writes and reads are measured by themselves.
fn overhead() {
    let desk = Desk::open().unwrap();
    for number in 0..100 {
        desk.vault.put(&Item::Version(format!("{number:032x}")), &SecretBytes::new(vec![0; 400])).unwrap();
    }
    let (mut rotations, mut bare) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let name = format!("key {round}");
        let (_, token) = desk.add_named(kind(), &name).unwrap();
        let key = format!("home/key-{round}");
        rotations.push(timed(|| drop(desk.begin(&key, Purpose::Replace).unwrap())));
        let spare = desk.practice.issue(&keytender_practice::IssueRequest::new(kind())).unwrap();
        bare.push(timed(|| bare_calls(&desk.url(), &spare.token)));
        assert!(!desk.practice.accepts(&token).unwrap() && !desk.practice.accepts(&spare.token).unwrap());
    }
    let (rotation, bare) = (median(&mut rotations), median(&mut bare));
    println!(
        "one rotation        {:>8.2} ms   its bare calls     {:>8.2} ms   overhead {:.2} ms",
        millis(rotation),
        millis(bare),
        millis(rotation.saturating_sub(bare))
    );
}

/// The seven requests of that rotation, with nothing around them.
fn bare_calls(url: &str, token: &str) {
    let id = call(url, "GET", "/api/v1/whoami", token)["id"].as_str().unwrap().to_owned();
    let _ = call(url, "GET", "/api/v1/keys", token);
    let made = call(url, "POST", "/api/v1/keys", token)["token"].as_str().unwrap().to_owned();
    let _ = call(url, "GET", "/api/v1/whoami", &made);
    let _ = call(url, "GET", "/api/v1/whoami", &made);
    let _ = call(url, "DELETE", &format!("/api/v1/keys/{id}"), &made);
    let _ = call(url, "GET", "/api/v1/whoami", token);
}

fn call(url: &str, method: &str, path: &str, token: &str) -> serde_json::Value {
    let host = url.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(host).unwrap();
    let body = if method == "POST" { "{}" } else { "" };
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    serde_json::from_str(reply.split_once("\r\n\r\n").map_or("", |(_, text)| text)).unwrap_or_default()
}
