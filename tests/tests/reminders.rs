//! Reminders from the command line: what is due is told by list and exit code, a notice is shown once, and putting off ends
//! where the last day begins. The arithmetic is core's and has tests of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what went wrong by panicking")]

use keytender_practice::{IssueRequest, KeyKind, OldKey, Who};
use keytender_tests::binary::{Person, PracticeServer};

/// A person with a key that has `left` of its thirty days to live.
fn with_days_left(left: u32) -> (Person, PracticeServer) {
    let mut person = Person::without_bus();
    let passphrase = person.folder.path().join("passphrase");
    std::fs::write(&passphrase, "some words\n").unwrap();
    person.set("KEYTENDER_VAULT", "sealed");
    let server = PracticeServer::start();
    person.add_practice(&server.url);
    let kind = KeyKind::new(Who::Api, Who::Api, OldKey::Overlaps);
    let request = IssueRequest { days: 30, created_days_ago: 30 - left, ..IssueRequest::new(kind) };
    let issued = server.practice.issue(&request).unwrap();
    let file = passphrase.to_str().unwrap();
    let kind = kind.to_string();
    let add = ["--passphrase-file", file, "key", "add", "home", "--name", "one", "--kind", &kind, "--secret-stdin"];
    let _ = person.feed(&add, &issued.token).ok();
    (person, server)
}

#[test]
fn what_is_due_is_told_once_as_a_notice_and_always_in_the_list() {
    let (person, _server) = with_days_left(1);
    let list = person.run(&["reminders", "list", "--json"]);
    assert_eq!(list.code, Some(3), "{}", list.err);
    let view = list.json();
    assert_eq!((view["due"][0]["key"].as_str(), view["due"][0]["level"].as_str()), (Some("home/one"), Some("urgent")));
    assert!(view["sentence"].as_str().unwrap().contains("home one"), "{view:#}");

    // The last day has come, so neither the hour nor the weekday of this run holds the notice back.
    let shown = person.run(&["remind", "--once"]);
    assert_eq!(shown.code, Some(3), "{}{}", shown.out, shown.err);
    assert!(shown.out.contains("home one"), "{}", shown.out);
    assert!(shown.err.contains("desktop"), "without a session it is said here, and that nobody else said it: {}", shown.err);
    let again = person.run(&["remind", "--once", "--json"]);
    assert_eq!(again.code, Some(0), "{}", again.out);
    assert!(again.json()["notice"].is_null(), "told once: {}", again.out);
    assert_eq!(person.run(&["reminders", "list"]).code, Some(3), "the list goes on saying it");
    assert!(person.run(&["history"]).ok().contains("reminded (1d)"));
}

#[test]
fn nothing_is_due_and_nothing_is_said() {
    let (person, _server) = with_days_left(30);
    assert_eq!(person.run(&["reminders", "list"]).ok().trim(), "Nothing is due.");
    assert_eq!(person.run(&["remind", "--once"]).ok().trim(), "No notice is due.");
    let coming = person.run(&["reminders", "simulate", "--days", "40", "--json"]).json();
    let thresholds: Vec<&str> =
        coming.as_array().unwrap().iter().map(|one| one["keys"][0]["threshold"].as_str().unwrap()).collect();
    // What comes after its death may fall on one Monday, and is then one notice.
    let ladder = ["7d", "3d", "1d", "dead", "dead+3d"];
    assert!(ladder.iter().all(|rung| thresholds.contains(rung)), "{thresholds:?}");
}

#[test]
fn putting_off_is_offered_and_never_reaches_into_the_last_day() {
    let (person, _server) = with_days_left(5);
    let offered = person.run(&["reminders", "snooze", "home/one", "--json"]).json();
    let offers = offered["offers"].as_array().unwrap();
    assert!(offers.iter().any(|offer| offer["choice"] == "one-day-left"), "{offered:#}");
    assert!(offered["until"].is_null());
    let too_far = person.run(&["reminders", "snooze", "home/one", "--until", "5d"]);
    assert_eq!(too_far.code, Some(2), "{}", too_far.out);
    assert!(too_far.err.contains("one-day-left"), "what may be chosen is named: {}", too_far.err);
    let chosen = person.run(&["reminders", "snooze", "home/one", "--until", "one-day-left", "--json"]).json();
    let list = person.run(&["reminders", "list", "--json"]).json();
    assert_eq!(list["due"][0]["snoozed_until"], chosen["until"]);
    assert_eq!(person.run(&["remind", "--once"]).code, Some(0), "nothing is said meanwhile");
}
