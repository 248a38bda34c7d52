//! What is kept of a reply, whole or not, and how much of it.

use crate::servers::{Server, holds, read_head};
use crate::{canary, client, options, request};
use flate2::Compression;
use flate2::write::GzEncoder;
use keytender_core::exchange::CallClass;
use keytender_core::ports::{Http, HttpTrouble, Sent};
use keytender_core::secret::SecretBytes;
use keytender_host::http::HttpClient;
use std::io::{Read, Write};
use std::time::Duration;

const MIB: usize = 1024 * 1024;

#[test]
fn a_reply_comes_back_as_it_was_sent() {
    let server = Server::answering("HTTP/1.1 201 Created\r\nX-Expires: soon\r\ncontent-length: 4\r\n\r\nbody");
    let token = canary();
    let mut post = request(&server.url("/keys?x=1"), &token);
    post.method = "POST";
    post.class = CallClass::Make;
    post.body = Some(SecretBytes::new(b"{}".to_vec()));
    let reply = client().send(&post).unwrap();
    assert_eq!((reply.status, reply.complete, reply.header("x-expires")), (201, true, Some("soon")));
    assert_eq!(reply.body.expose(), b"body");
    let seen = server.seen();
    assert!(holds(&seen[0], "POST /keys?x=1 HTTP/1.1"));
    assert!(holds(&seen[0], &token));
    assert!(holds(&seen[0], "accept-encoding: identity"));
    assert!(holds(&seen[0], &format!("user-agent: keytender/{}", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn a_body_that_breaks_off_is_kept_as_far_as_it_came() {
    for head in ["content-length: 100\r\n\r\n", "transfer-encoding: chunked\r\n\r\n64\r\n"] {
        for class in [CallClass::Verify, CallClass::Make] {
            let server = Server::answering(format!("HTTP/1.1 200 OK\r\n{head}{}", "x".repeat(60)));
            let mut cut = request(&server.url("/"), "t");
            cut.class = class;
            let reply = client().send(&cut).unwrap();
            assert_eq!((reply.status, reply.complete), (200, false), "{head}");
            assert_eq!(reply.body.expose(), "x".repeat(60).as_bytes(), "{head}");
        }
    }
}

#[test]
fn a_body_that_stalls_is_kept_when_the_time_is_up() {
    let server = Server::new(|mut stream, seen| {
        read_head(&mut stream, seen);
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").unwrap();
        let _ = stream.read_to_end(seen);
    });
    let mut options = options();
    options.timeout = Duration::from_millis(300);
    let reply = HttpClient::new(options).unwrap().send(&request(&server.url("/"), "t")).unwrap();
    assert_eq!((reply.body.expose(), reply.complete), (&b"half"[..], false));
}

#[test]
fn an_endless_body_is_read_to_the_limit_and_no_further() {
    let server = Server::new(|mut stream, seen| {
        read_head(&mut stream, seen);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while stream.write_all(&[b'x'; 65_536]).is_ok() {}
    });
    let reply = client().send(&request(&server.url("/"), "t")).unwrap();
    assert_eq!((reply.body.len(), reply.complete), (MIB, false));
}

#[test]
fn a_body_of_exactly_the_limit_is_whole() {
    let mut bytes = format!("HTTP/1.1 200 OK\r\ncontent-length: {MIB}\r\n\r\n").into_bytes();
    bytes.resize(bytes.len() + MIB, b'x');
    let server = Server::answering(bytes);
    let reply = client().send(&request(&server.url("/"), "t")).unwrap();
    assert_eq!((reply.body.len(), reply.complete), (MIB, true));
}

/// A reply whose body is so many zeros, compressed.
fn gzipped(zeros: usize) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    std::io::copy(&mut std::io::repeat(0).take(zeros as u64), &mut encoder).unwrap();
    let body = encoder.finish().unwrap();
    let mut reply = format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", body.len()).into_bytes();
    reply.extend(body);
    reply
}

#[test]
fn a_gzip_bomb_unpacks_to_the_limit_and_no_further() {
    let server = Server::answering(gzipped(200 * MIB));
    let reply = client().send(&request(&server.url("/"), "t")).unwrap();
    assert_eq!((reply.body.len(), reply.complete), (MIB, false));
    assert!(holds(&server.seen()[0], "accept-encoding: gzip"));
}

#[test]
fn gzip_is_unpacked_for_verify_and_left_alone_for_make() {
    let server = Server::answering(gzipped(1000));
    let mut asked = request(&server.url("/"), "t");
    let reply = client().send(&asked).unwrap();
    assert_eq!((reply.body.expose(), reply.complete), (&[0; 1000][..], true));
    asked.class = CallClass::Make;
    let reply = client().send(&asked).unwrap();
    assert_eq!(reply.header("content-encoding"), Some("gzip"));
    assert_eq!((&reply.body.expose()[..2], reply.complete), (&[0x1f, 0x8b][..], true));
}

#[test]
fn a_million_headers_are_refused_in_bounded_memory() {
    for line in ["a: b\r\n".to_owned(), format!("a: {}\r\n", "b".repeat(60_000))] {
        let server = Server::new(move |mut stream, seen| {
            read_head(&mut stream, seen);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
            for _ in 0..1_000_000 {
                if stream.write_all(line.as_bytes()).is_err() {
                    return;
                }
            }
        });
        let error = client().send(&request(&server.url("/"), "t")).unwrap_err();
        assert_eq!((error.trouble, error.sent), (HttpTrouble::Cut, Sent::Maybe));
    }
}
