//! The keychain absent, locked, hung, killed and restarted under the real program: the right answer in time, nothing lost, the
//! sealed vault offered.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what went wrong by panicking")]

use keytender_practice::{KeyKind, KeyState, OldKey, Who};
use keytender_tests::binary::{Person, PracticeServer, Ran};
use keytender_tests::keyring::Daemon;
use rustix::process::{Pid, Signal, kill_process};
use std::time::{Duration, Instant};

/// The most a caller waits for a keychain that does not answer, with room for a loaded machine.
const LIMIT: Duration = Duration::from_secs(12);

/// A command with its options in front.
fn with<'t>(options: &[&'t str], rest: &[&'t str]) -> Vec<&'t str> {
    [options, rest].concat()
}

fn kind() -> KeyKind {
    KeyKind::new(Who::Api, Who::Api, OldKey::Overlaps)
}

#[test]
fn without_a_keychain_the_sealed_vault_is_offered_and_works() {
    for person in [Person::without_bus(), Person::without_keychain()] {
        let server = PracticeServer::start();
        person.add_practice(&server.url);
        let issued = server.practice.issue(&keytender_practice::IssueRequest::new(kind())).unwrap();
        let kind_name = kind().to_string();
        let add = ["key", "add", "home", "--name", "one", "--kind", &kind_name, "--secret-stdin"];
        let start = Instant::now();
        let refused = person.feed(&add, &issued.token);
        assert!(start.elapsed() < LIMIT, "it took {:?}", start.elapsed());
        assert_eq!(refused.code, Some(5), "{}{}", refused.out, refused.err);
        assert!(refused.err.contains("--vault sealed"), "the way out is named: {}", refused.err);
        assert!(!refused.err.contains(&issued.token));

        let passphrase = person.folder.path().join("passphrase");
        std::fs::write(&passphrase, format!("{}\n", uuid::Uuid::new_v4())).unwrap();
        let sealed = ["--vault", "sealed", "--passphrase-file", passphrase.to_str().unwrap()];
        let _ = person.feed(&with(&sealed, &add), &issued.token).ok();
        let file = person.folder.path().join(".env");
        std::fs::write(&file, format!("TOKEN={}\n", issued.token)).unwrap();
        let _ = person
            .run(&with(
                &sealed,
                &["destination", "add", "home/one", "dotenv", "--file", file.to_str().unwrap(), "--var", "TOKEN"],
            ))
            .ok();
        let _ = person.run(&with(&sealed, &["rotate", "home/one", "--yes", "--patience", "60"])).ok();
        let value = person.run(&with(&sealed, &["key", "reveal", "home/one"])).ok().trim_end().to_owned();
        assert!(server.practice.accepts(&value).unwrap() && !server.practice.accepts(&issued.token).unwrap());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), format!("TOKEN={value}\n"));

        // A wrong passphrase is told as such, and reads no value.
        std::fs::write(&passphrase, "another one\n").unwrap();
        let wrong = person.run(&with(&sealed, &["key", "reveal", "home/one"]));
        assert_eq!(wrong.code, Some(5), "{}", wrong.err);
        assert_eq!(wrong.out, "");
    }
}

#[test]
fn a_store_once_chosen_is_kept_to() {
    let (person, _daemon) = Person::with_keychain();
    let server = PracticeServer::start();
    person.add_practice(&server.url);
    let _ = person.add_key(&server.practice, kind(), "one");
    let passphrase = person.folder.path().join("passphrase");
    std::fs::write(&passphrase, "some words\n").unwrap();
    let other =
        person.run(&["--vault", "sealed", "--passphrase-file", passphrase.to_str().unwrap(), "key", "reveal", "home/one"]);
    assert_ne!(other.code, Some(0));
    assert!(other.err.contains("keychain"), "it says which store is in use: {}", other.err);
}

/// What happens to the keychain while the reply to the make lies sealed and is not kept yet.
fn with_trouble(trouble: impl FnOnce(&Person, Daemon) -> Daemon) {
    let (person, daemon) = Person::with_keychain();
    let server = PracticeServer::start();
    person.add_practice(&server.url);
    let old = person.add_key(&server.practice, kind(), "one");
    let env = person.add_dotenv("home/one", &old.token);

    let mut command = person.command(&["rotate", "home/one", "--yes", "--patience", "60"]);
    let child = command.env("KEYTENDER_PAUSE_AT", "done:make#1").spawn().unwrap();
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    wait_until_stopped(child.id());
    let daemon = trouble(&person, daemon);
    let start = Instant::now();
    kill_process(pid, Signal::CONT).unwrap();
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert!(start.elapsed() < LIMIT, "it took {:?}", start.elapsed());
    assert_eq!(ran.code, Some(5), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("old key still works"), "what works is said: {}", ran.out);
    assert!(server.practice.accepts(&old.token).unwrap());

    // Back again: a hung one goes on, a locked or killed one is started anew over its files.
    daemon.resume();
    daemon.kill();
    let _daemon = person.start_keychain();
    let resumed = person.run(&["rotations", "resume", "home/one", "--patience", "60"]);
    assert_eq!(resumed.code, Some(0), "{}{}", resumed.out, resumed.err);
    let value = person.run(&["key", "reveal", "home/one"]).ok().trim_end().to_owned();
    assert!(server.practice.accepts(&value).unwrap());
    assert!(!server.practice.accepts(&old.token).unwrap());
    assert!(std::fs::read_to_string(env).unwrap().contains(&value));
    assert_eq!(server.practice.make_log().unwrap().api, 1, "made once, not again");
    let live = server.practice.list().unwrap().into_iter().filter(|row| row.state == KeyState::Live).count();
    assert_eq!(live, 1);
}

fn wait_until_stopped(pid: u32) {
    let stopped = || std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") T "));
    let start = Instant::now();
    while !stopped() {
        assert!(start.elapsed() < Duration::from_secs(30), "it never came to the instant where it was to pause");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn it_is_locked_while_a_reply_lies_sealed() {
    with_trouble(|_, daemon| {
        daemon.lock();
        daemon
    });
}

#[test]
fn it_hangs_while_a_reply_lies_sealed() {
    with_trouble(|_, daemon| {
        daemon.pause();
        daemon
    });
}

#[test]
fn it_is_killed_and_restarted_while_a_reply_lies_sealed() {
    // Restarted locked: as after logging in again.
    with_trouble(|person, daemon| {
        daemon.kill();
        let daemon = person.start_keychain();
        daemon.lock();
        daemon
    });
}

#[test]
fn a_locked_or_hung_keychain_is_told_apart_and_in_time() {
    let (person, daemon) = Person::with_keychain();
    let server = PracticeServer::start();
    person.add_practice(&server.url);
    let issued = person.add_key(&server.practice, kind(), "one");
    daemon.pause();
    let start = Instant::now();
    let hung = person.run(&["key", "reveal", "home/one"]);
    assert!(start.elapsed() < LIMIT, "it took {:?}", start.elapsed());
    assert_eq!(hung.code, Some(5));
    assert!(hung.err.contains("did not answer"), "{}", hung.err);
    assert_eq!(person.run(&["doctor"]).code, Some(5), "the doctor tells it, too");
    // What needs no value goes on working meanwhile.
    let listed = person.run(&["key", "list"]);
    assert!(listed.out.contains("one"), "{}", listed.err);
    daemon.resume();
    assert_eq!(person.run(&["key", "reveal", "home/one"]).ok().trim_end(), issued.token);
    daemon.lock();
    let locked = person.run(&["key", "reveal", "home/one"]);
    assert_eq!(locked.code, Some(5));
    assert!(locked.err.contains("locked"), "{}", locked.err);
    daemon.kill();
    let gone = person.run(&["key", "reveal", "home/one"]);
    assert_eq!(gone.code, Some(5));
    assert!(!gone.err.contains("locked") && gone.err.contains("answers"), "{}", gone.err);
}
