//! Manifests of one's own, through the command line: refused with file, line and reason; used only after consent; one changed
//! byte asks again; and a redirect is never followed with a key.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what went wrong by panicking")]

use keytender_tests::binary::Person;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use std::time::Duration;

const SOUND: &str = r#"slug = "mine"
name = "My service"
hosts = ["{setting.base_url}"]

[[source]]
title = "Its own help page"
seen = 2026-11-21
proves = ["who it is asked by"]

[setting.base_url]
label = "Where it listens"
kind = "url"
required = true

[kind.token]
label = "token"
class = "api-key"
shown = "once"
life = { fixed_days = 30 }
verify = "me"
patterns = [{ regex = 'mine-[a-f0-9]{32}', confidence = "documented" }]
rotate = { make = { person = "make" }, retire = { person = "revoke" }, old = "overlaps" }

[verify.me]
confidence = "documented"
request = { method = "GET", url = "{setting.base_url}/me", auth = { header = { name = "x-token", value = "{value.secret}" } } }
alive = [{ status = 200, present = ["/id"] }]
dead = [{ status = 401 }]

[[guide.make]]
say = "Make one."

[[guide.revoke]]
say = "Revoke it."

[[case]]
name = "alive"
call = "verify.me"
origin = "documented"
reply = { status = 200, json = { id = 1 } }
expect = "alive"
"#;

fn check(person: &Person, text: &str) -> (Option<i32>, String) {
    let file = person.folder.path().join("mine.toml");
    std::fs::write(&file, text).unwrap();
    let ran = person.run(&["services", "check", file.to_str().unwrap()]);
    (ran.code, format!("{}{}", ran.out, ran.err))
}

fn line_of(needle: &str, text: &str) -> usize {
    text.lines().position(|line| line.contains(needle)).unwrap() + 1
}

#[test]
fn a_bad_manifest_is_refused_with_file_line_and_reason() {
    let person = Person::without_bus();
    let (code, said) = check(&person, SOUND);
    assert_eq!(code, Some(0), "{said}");
    let bad = [
        ("shown = \"once\"", "shown = \"once\"\nsparkle = true", "sparkle"),
        ("{setting.base_url}/me", "https://elsewhere.example/me", "elsewhere.example"),
        ("mine-[a-f0-9]{32}", "mine-[a-f0-9{32}", "regex"),
        ("{value.secret}", "{value.password}", "password"),
        ("expect = \"alive\"", "expect = \"dead\"", "alive"),
    ];
    for (from, to, reason) in bad {
        let text = SOUND.replace(from, to);
        assert_ne!(text, SOUND);
        let (code, said) = check(&person, &text);
        assert_eq!(code, Some(2), "{to}: {said}");
        let needle = to.lines().last().unwrap();
        // A case that contradicts its rules is pointed at where it begins.
        let lines = if reason == "alive" {
            line_of("[[case]]", &text)..=text.lines().count()
        } else {
            line_of(needle, &text)..=line_of(needle, &text)
        };
        let named = lines.clone().any(|line| said.contains(&format!("mine.toml:{line}:")));
        assert!(named, "{to}: line {lines:?} is not named: {said}");
        assert!(said.contains(reason), "{to}: {said}");
    }
}

/// Takes connections until dropped, answers each with the same bytes, and tells what it was sent.
fn server(reply: impl Fn(u16) -> String + Send + 'static) -> (u16, mpsc::Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
            let mut request = Vec::new();
            let mut part = [0; 4096];
            while !request.windows(4).any(|four| four == b"\r\n\r\n") {
                match stream.read(&mut part) {
                    Ok(0) | Err(_) => break,
                    Ok(n) => request.extend_from_slice(&part[..n]),
                }
            }
            stream.write_all(reply(port).as_bytes()).unwrap();
            if tell.send(request).is_err() {
                break;
            }
        }
    });
    (port, told)
}

#[test]
fn a_manifest_of_ones_own_asks_first_and_a_redirect_is_not_followed() {
    let (person, _daemon) = Person::with_keychain();
    let (other, at_other) = server(|_| "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n{\"id\":1}".to_owned());
    for code in [301, 302, 303, 307, 308] {
        let (first, at_first) = server(move |_| {
            format!("HTTP/1.1 {code} Moved\r\nLocation: http://127.0.0.1:{other}/me\r\nContent-Length: 0\r\n\r\n")
        });
        let home = person.home().join("services");
        std::fs::create_dir_all(&home).unwrap();
        let text = format!("{SOUND}# {code}\n");
        std::fs::write(home.join("mine.toml"), text).unwrap();

        let name = format!("n{code}");
        let setting = format!("base_url=http://127.0.0.1:{first}");
        let add = ["integration", "add", "mine", "--name", &name, "--set", &setting];
        let untrusted = person.run(&add);
        assert_eq!(untrusted.code, Some(7), "a byte changed, so it is asked again: {}{}", untrusted.out, untrusted.err);
        assert!(untrusted.err.contains("services trust mine"), "{}", untrusted.err);
        let _ = person.run(&["services", "trust", "mine"]).ok();
        let _ = person.run(&add).ok();

        let value = format!("mine-{}", uuid::Uuid::new_v4().simple());
        let added = person.feed(&["key", "add", &name, "--name", "key", "--secret-stdin"], &value);
        assert_eq!(added.code, Some(0), "{}{}", added.out, added.err);
        let sent = at_first.recv_timeout(Duration::from_secs(5)).expect("the first server is asked");
        assert!(String::from_utf8_lossy(&sent).contains(&value), "the key goes where it was agreed to");
        let verified = person.run(&["verify", &format!("{name}/key")]);
        assert_eq!(verified.code, Some(9), "a redirect is no verdict: {}", verified.out);
        assert!(at_other.try_recv().is_err(), "{code}: the second server must not even be asked");
    }
}
