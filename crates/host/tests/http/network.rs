//! What a request without a reply says about whether it arrived; limits; and from where the client may be called.

use crate::servers::{Server, read_head};
use crate::{client, options, request};
use keytender_core::exchange::CallClass;
use keytender_core::ports::{Clock, Http, HttpTrouble, Sent};
use keytender_host::http::HttpClient;
use std::net::TcpListener;
use std::time::Duration;

#[test]
fn a_server_that_never_answers_may_have_acted() {
    let server = Server::silent();
    for class in [CallClass::Verify, CallClass::Make] {
        let mut options = options();
        options.timeout = Duration::from_millis(if class == CallClass::Verify { 200 } else { 60_000 });
        options.make_timeout = Duration::from_millis(if class == CallClass::Make { 200 } else { 60_000 });
        let mut asked = request(&server.url("/"), "t");
        asked.class = class;
        let error = HttpClient::new(options).unwrap().send(&asked).unwrap_err();
        assert_eq!((error.trouble, error.sent), (HttpTrouble::Timeout(0), Sent::Maybe), "{class:?}");
    }
}

#[test]
fn a_connection_that_closes_without_a_word_may_have_brought_the_request() {
    for behave in [Server::new(|mut stream, seen| read_head(&mut stream, seen)), Server::answering("HTTP/1.1 20")] {
        let error = client().send(&request(&behave.url("/"), "t")).unwrap_err();
        assert_eq!((error.trouble, error.sent), (HttpTrouble::Cut, Sent::Maybe));
    }
}

#[test]
fn a_refused_connection_carried_nothing() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = client().send(&request(&format!("http://127.0.0.1:{port}/secret-path"), "t")).unwrap_err();
    assert_eq!(error.sent, Sent::No);
    let HttpTrouble::Connect(told) = error.trouble else { panic!("{error:?}") };
    assert!(told.contains("refused") && !told.contains("secret-path"), "{told}");
}

#[test]
fn a_name_that_does_not_resolve_carried_nothing() {
    let error = client().send(&request("https://api.example.com/", "t")).unwrap_err();
    assert_eq!(error.sent, Sent::No);
    let HttpTrouble::Connect(told) = error.trouble else { panic!("{error:?}") };
    assert!(told.contains("api.example.com is not in this test"), "{told}");
}

#[test]
fn a_used_up_budget_answers_at_once_and_sends_nothing() {
    let server = Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    let client = client();
    let mut make = request(&server.url("/"), "t");
    make.class = CallClass::Make;
    make.calls_per_minute = 2;
    client.send(&make).unwrap();
    client.send(&make).unwrap();
    let error = client.send(&make).unwrap_err();
    assert_eq!((error.trouble, error.sent), (HttpTrouble::Limited("2026-11-21T09:01:00Z".parse().unwrap()), Sent::No));
    assert_eq!(server.connections(), 2);
    make.class = CallClass::Verify;
    client.send(&make).unwrap();
}

#[test]
fn what_a_service_asks_for_is_remembered() {
    for (status, header, until) in [
        ("429 Too Many Requests", "Retry-After: 120", "2026-11-21T09:02:00Z"),
        ("503 Service Unavailable", "Retry-After: Sat, 21 Nov 2026 09:30:00 GMT", "2026-11-21T09:30:00Z"),
        ("429 Too Many Requests", "X-Retry-After: 1795253400", "2026-11-21T09:30:00Z"),
        ("429 Too Many Requests", "ratelimit-reset: 1795253400", "2026-11-21T09:30:00Z"),
    ] {
        let server = Server::answering(format!("HTTP/1.1 {status}\r\n{header}\r\ncontent-length: 0\r\n\r\n"));
        let client = client();
        let asked = request(&server.url("/"), "t");
        client.send(&asked).unwrap();
        let error = client.send(&asked).unwrap_err();
        assert_eq!((error.trouble, error.sent), (HttpTrouble::Limited(until.parse().unwrap()), Sent::No), "{header}");
        assert_eq!(server.connections(), 1);
    }
}

#[test]
fn the_client_may_be_used_and_dropped_anywhere() {
    let server = Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    let asked = request(&server.url("/"), "t");
    for runtime in [
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap(),
    ] {
        runtime.block_on(async {
            let client = client();
            assert_eq!(client.send(&asked).unwrap().body.expose(), b"ok");
        });
    }
    let client = client();
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| assert_eq!(client.send(&asked).unwrap().received_at, crate::Still.now()));
        }
    });
}
