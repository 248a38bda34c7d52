//! What a killed adding, a lost ledger and a lost home file leave behind, and how it comes back.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what went wrong by panicking")]

use keytender_practice::{IssueRequest, KeyKind, OldKey, Who};
use keytender_tests::binary::{Person, PracticeServer, Ran};
use std::io::Write;
use std::process::Stdio;

fn kind() -> KeyKind {
    KeyKind::new(Who::Api, Who::Api, OldKey::Overlaps)
}

#[test]
fn an_adding_that_was_killed_is_finished_by_recover() {
    let (person, _daemon) = Person::with_keychain();
    let server = PracticeServer::start();
    person.add_practice(&server.url);
    for point in ["sealed:add#1", "stored:keep#1", "stored:add#1"] {
        let issued = server.practice.issue(&IssueRequest::new(kind())).unwrap();
        let name =
            format!("after {}", point.split(['#', ':']).next().unwrap()) + if point.contains("keep") { " keep" } else { "" };
        let kind = kind().to_string();
        let mut command = person.command(&["key", "add", "home", "--name", &name, "--kind", &kind, "--secret-stdin"]);
        let mut child = command.env("KEYTENDER_CRASH_AT", point).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(issued.token.as_bytes()).unwrap();
        let killed = Ran::from(child.wait_with_output().unwrap());
        assert_eq!(killed.code, None, "{point}: {}{}", killed.out, killed.err);
        let recovered = person.run(&["recover"]);
        assert_eq!(recovered.code, Some(0), "{point}: {}{}", recovered.out, recovered.err);
        let key = format!("home/{}", name.replace(' ', "-"));
        assert_eq!(person.run(&["key", "reveal", &key]).ok().trim_end(), issued.token, "{point}");
        let slots = std::fs::read_dir(person.home().join("escrow")).unwrap();
        let left = slots.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().ends_with(".slot")).count();
        assert_eq!(left, 0, "{point}: its slot is wiped");
    }
}

#[test]
fn a_killed_adding_that_was_repeated_under_the_same_name_is_no_loop() {
    let (person, _daemon) = Person::with_keychain();
    let server = PracticeServer::start();
    person.add_practice(&server.url);
    let (kind, lost, kept) = (kind(), server.practice.issue(&IssueRequest::new(kind())).unwrap(), "one");
    let name = kind.to_string();
    for again in [&lost.token, &server.practice.issue(&IssueRequest::new(kind)).unwrap().token] {
        let mut command = person.command(&["key", "add", "home", "--name", kept, "--kind", &name, "--secret-stdin"]);
        let mut child = command.env("KEYTENDER_CRASH_AT", "sealed:add#1").stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(lost.token.as_bytes()).unwrap();
        assert_eq!(Ran::from(child.wait_with_output().unwrap()).code, None);
        let _ = person.feed(&["key", "add", "home", "--name", kept, "--kind", &name, "--secret-stdin"], again).ok();
        assert_eq!(person.run(&["recover"]).code, Some(0));
        assert_eq!(person.run(&["recover"]).code, Some(0), "nothing is left to do");
        let well = person.run(&["doctor", "--json"]).json();
        assert_eq!(well["well"], true, "{well:#}");
        // The same value needs no second key; another one gets a name of its own.
        let keys = person.run(&["key", "list", "--json"]).json();
        let expected = if *again == lost.token { 1 } else { 2 };
        assert_eq!(keys.as_array().unwrap().len(), expected, "{keys:#}");
        let _ = person.run(&["key", "remove", "home/one", "--yes"]).ok();
    }
}

#[test]
fn a_lost_ledger_is_rebuilt_from_the_keychain() {
    let (person, _daemon) = Person::with_keychain();
    let server = PracticeServer::start();
    person.add_practice(&server.url);
    let old = person.add_key(&server.practice, kind(), "one");
    let _ = person.run(&["rotate", "home/one", "--yes", "--patience", "60"]).ok();
    let value = person.run(&["key", "reveal", "home/one"]).ok();
    assert_ne!(value.trim_end(), old.token);
    for name in ["ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"] {
        let _ = std::fs::remove_file(person.home().join(name));
    }
    for read in [&["key", "list"][..], &["doctor"], &["key", "reveal", "home/one"]] {
        let lost = person.run(read);
        assert!(lost.code == Some(1) && lost.err.contains("--rebuild"), "{read:?}: {}{}", lost.out, lost.err);
    }
    let rebuilt = person.run(&["doctor", "--rebuild", "--json"]).json();
    assert_eq!(
        (&rebuilt["integrations"], &rebuilt["keys"], &rebuilt["versions"]),
        (&1.into(), &1.into(), &2.into()),
        "{rebuilt:#}"
    );
    assert_eq!(person.run(&["key", "reveal", "home/one"]).ok(), value, "the youngest is the current one");
    // Its settings came back with it, so that it can be used at once.
    let _ = person.run(&["verify", "home/one"]).ok();
    let _ = person.run(&["rotate", "home/one", "--yes", "--patience", "60"]).ok();
}
