//! Each fault: what came over the wire, what was done behind it, and that it ends after as many calls as were asked for.

use crate::client::Service;
use chrono::TimeDelta;
use keytender_practice::{Call, Fault, FaultKind};
use std::time::{Duration, Instant};

const KEYS: &str = "/api/v1/keys";

/// A service with one key and one fault that applies once.
fn service_with(call: Call, kind: FaultKind) -> (Service, String, String) {
    let service = Service::start();
    let key = service.issue("api-api-overlaps");
    service.practice.set_fault(Fault::once(call, kind)).unwrap();
    (service, key.id, key.token)
}

fn makes(service: &Service) -> u64 {
    service.practice.make_log().unwrap().api
}

#[test]
fn lost_before_does_nothing_and_lost_after_does_it_unheard() {
    for (fault, done) in [(FaultKind::LostBefore, 0), (FaultKind::LostAfter, 1)] {
        let (service, _, token) = service_with(Call::Make, fault);
        assert!(service.call("POST", KEYS, &token, "{}").is_none());
        assert_eq!(makes(&service), done);
        assert_eq!(service.practice.list().unwrap().len() as u64, 1 + done);
        assert_eq!(service.create(&token).status, 201, "the fault applies once");
    }
}

#[test]
fn a_rotate_lost_after_leaves_the_old_key_dead_and_the_new_one_unknown() {
    let service = Service::start();
    let key = service.issue("api-api-dies");
    service.practice.set_fault(Fault::once(Call::Make, FaultKind::LostAfter)).unwrap();
    assert!(service.call("POST", "/api/v1/keys/self/rotate", &key.token, "").is_none());
    service.whoami(&key.token).refused(401, "unauthorized");
    assert_eq!(makes(&service), 1);
}

#[test]
fn a_lost_revoke_is_done_or_not_as_the_fault_says() {
    for (fault, alive) in [(FaultKind::LostBefore, true), (FaultKind::LostAfter, false)] {
        let (service, id, token) = service_with(Call::Revoke, fault);
        assert!(service.call("DELETE", &format!("{KEYS}/{id}"), &token, "").is_none());
        assert_eq!(service.practice.accepts(&token).unwrap(), alive);
    }
}

#[test]
fn a_cut_reply_breaks_off_at_every_byte_it_is_asked_to() {
    let service = Service::start();
    let token = service.issue("api-api-overlaps").token;
    let whole = service.whoami(&token).body;
    for bytes in 0..=whole.len() {
        service.practice.set_fault(Fault::once(Call::Verify, FaultKind::Cut { bytes })).unwrap();
        let reply = service.call("GET", "/api/v1/whoami", &token, "").unwrap();
        assert_eq!((reply.status, reply.body.as_str()), (200, &whole[..bytes]));
        assert_eq!(reply.header("content-length"), Some(whole.len().to_string().as_str()));
        assert_eq!(reply.whole, bytes == whole.len());
    }
}

#[test]
fn a_cut_make_is_done() {
    let (service, _, token) = service_with(Call::Make, FaultKind::Cut { bytes: 20 });
    let reply = service.call("POST", KEYS, &token, "{}").unwrap();
    assert_eq!((reply.status, reply.body.len(), reply.whole), (201, 20, false));
    assert_eq!(makes(&service), 1);
}

#[test]
fn a_slow_reply_comes_late_with_the_call_done_at_once() {
    let (service, _, token) = service_with(Call::Make, FaultKind::Slow { millis: 300 });
    let started = Instant::now();
    let reply = service.create(&token);
    assert!(started.elapsed() >= Duration::from_millis(300));
    assert_eq!(reply.status, 201);

    // A client that does not wait has a made key behind it.
    service.practice.set_fault(Fault::once(Call::Make, FaultKind::Slow { millis: 3_600_000 })).unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| service.call("POST", KEYS, &token, "{}"));
        let deadline = Instant::now() + Duration::from_secs(10);
        while makes(&service) < 2 {
            assert!(Instant::now() < deadline, "the make was not committed while its reply was late");
            std::thread::yield_now();
        }
        assert!(!waiting.is_finished());
        service.stop();
        assert!(waiting.join().unwrap().is_none(), "stopping the service ends the wait");
    });
}

#[test]
fn a_status_refuses_and_says_when_to_come_back() {
    let kind = FaultKind::Status { code: 429, retry_after: Some("Sun, 01 Mar 2026 12:02:00 GMT".into()) };
    let (service, _, token) = service_with(Call::Make, kind);
    let reply = service.create(&token);
    reply.refused(429, "Too Many Requests");
    assert_eq!(reply.header("retry-after"), Some("Sun, 01 Mar 2026 12:02:00 GMT"));
    assert_eq!(makes(&service), 0);
}

#[test]
fn an_html_page_in_place_of_json_is_a_200() {
    let (service, id, token) = service_with(Call::Revoke, FaultKind::Html);
    let reply = service.delete(&token, &id);
    assert_eq!(reply.status, 200);
    assert!(reply.header("content-type").unwrap().starts_with("text/html") && reply.body.starts_with("<!doctype html>"));
    assert!(service.practice.accepts(&token).unwrap());
}

#[test]
fn a_wrong_shape_lacks_what_the_caller_came_for() {
    for (call, method, path, lacking) in
        [(Call::Make, "POST", KEYS, "token"), (Call::Verify, "GET", "/api/v1/whoami", "id"), (Call::List, "GET", KEYS, "keys")]
    {
        let (service, _, token) = service_with(call, FaultKind::WrongShape);
        let spoilt = service.ask(method, path, &token, "");
        assert!(spoilt.json().is_object() && spoilt.json().get(lacking).is_none(), "{spoilt:?}");
        assert!(service.ask(method, path, &token, "").json().get(lacking).is_some());
        assert_eq!(makes(&service), if call == Call::Make { 2 } else { 0 });
    }
}

#[test]
fn a_revoked_key_is_still_accepted_for_a_while() {
    let (service, id, token) = service_with(Call::Revoke, FaultKind::StillAccepted { seconds: 60 });
    service.delete(&token, "pk_unknown").refused(404, "not found"); // spends nothing: nothing was revoked
    assert_eq!(service.delete(&token, &id).status, 204);
    assert_eq!(service.whoami(&token).status, 200);
    assert!(service.list(&token).json()["keys"].as_array().unwrap().is_empty(), "it is revoked all the same");
    service.let_pass(TimeDelta::seconds(60));
    service.whoami(&token).refused(401, "unauthorized");
    assert!(service.practice.faults().unwrap().is_empty());
}

#[test]
fn a_new_key_is_not_yet_accepted_for_a_while() {
    let (service, _, token) = service_with(Call::Make, FaultKind::NotYetAccepted { seconds: 60 });
    let made = service.create(&token).text("token");
    service.whoami(&made).refused(401, "unauthorized");
    service.let_pass(TimeDelta::seconds(60));
    assert_eq!(service.whoami(&made).status, 200);
}

#[test]
fn faults_wait_in_a_queue_and_are_counted_down() {
    let service = Service::start();
    let token = service.issue("api-api-overlaps").token;
    let status = |code| FaultKind::Status { code, retry_after: None };
    for text in [
        r#"{"call": "verify", "kind": "status", "code": 500, "times": 2}"#,
        r#"{"call": "verify", "kind": "status", "code": 503, "times": "forever"}"#,
    ] {
        let set = crate::client::send(service.address(), "POST", "/portal/faults", &[], text).unwrap();
        assert_eq!(set.status, 201);
    }
    let statuses: Vec<u16> = (0..5).map(|_| service.whoami(&token).status).collect();
    assert_eq!(statuses, [500, 500, 503, 503, 503]);
    assert_eq!(service.list(&token).status, 200, "other calls do not meet it");
    assert_eq!(service.practice.faults().unwrap(), [Fault::forever(Call::Verify, status(503))]);

    let waiting = crate::client::send(service.address(), "GET", "/portal/faults", &[], "").unwrap();
    assert_eq!(waiting.json()["faults"][0]["times"], "forever");
    assert_eq!(crate::client::send(service.address(), "DELETE", "/portal/faults", &[], "").unwrap().status, 204);
    assert_eq!(service.whoami(&token).status, 200);

    let useless = r#"{"call": "verify", "kind": "still-accepted", "seconds": 1}"#;
    let refused = crate::client::send(service.address(), "POST", "/portal/faults", &[], useless).unwrap();
    refused.refused(422, "still-accepted goes with revoke and disable");
}
