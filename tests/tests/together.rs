//! Several processes at the same key at the same instant: one makes, the others say that somebody is at it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what went wrong by panicking")]

use keytender_practice::{KeyKind, KeyState, OldKey, Who};
use keytender_tests::binary::{Person, PracticeServer, Ran};

const PROCESSES: usize = 8;

fn at_once(person: &Person, arguments: &[&str]) -> Vec<Ran> {
    let children: Vec<_> = (0..PROCESSES).map(|_| person.command(arguments).spawn().unwrap()).collect();
    children.into_iter().map(|child| child.wait_with_output().unwrap().into()).collect()
}

#[test]
fn eight_rotations_of_one_key_make_one() {
    let (person, _daemon) = Person::with_keychain();
    let server = PracticeServer::start();
    person.add_practice(&server.url);
    let kind = KeyKind::new(Who::Api, Who::Api, OldKey::Overlaps);
    for round in 0..5 {
        let old = person.add_key(&server.practice, kind, &format!("key {round}"));
        let key = format!("home/key-{round}");
        let ran = at_once(&person, &["rotate", &key, "--yes", "--patience", "60"]);
        let story = || ran.iter().map(|one| format!("{:?} {}{}", one.code, one.out, one.err)).collect::<Vec<_>>().join("\n");
        // Who comes late, after the first has finished, rotates the new key: that is a rotation of its own, and no second make
        // of the same one. Who comes meanwhile is told so.
        let done = ran.iter().filter(|one| one.code == Some(0)).count();
        let busy = ran.iter().filter(|one| matches!(one.code, Some(7 | 8))).count();
        assert!(done >= 1 && done + busy == PROCESSES, "{}", story());
        let rotations = person.run(&["rotations", "list", "--all", "--json"]).json();
        let finished =
            rotations.as_array().unwrap().iter().filter(|row| row["key"] == key.as_str() && row["status"] == "done").count();
        assert_eq!(finished, done, "{}", story());
        let live = server.practice.list().unwrap().into_iter().filter(|row| row.state == KeyState::Live).count();
        assert_eq!(live, round + 1, "one living key for each, none left behind\n{}", story());
        assert!(!server.practice.accepts(&old.token).unwrap());
        let value = person.run(&["key", "reveal", &key]).ok().trim_end().to_owned();
        assert!(server.practice.accepts(&value).unwrap());
    }
}

#[test]
fn eight_resumes_of_one_killed_rotation_make_no_second_key() {
    let (person, _daemon) = Person::with_keychain();
    let server = PracticeServer::start();
    person.add_practice(&server.url);
    let kind = KeyKind::new(Who::Api, Who::Api, OldKey::Overlaps);
    let _old = person.add_key(&server.practice, kind, "one");
    let mut killed = person.command(&["rotate", "home/one", "--yes"]);
    let killed: Ran = killed.env("KEYTENDER_CRASH_AT", "sealed:make#1").output().unwrap().into();
    assert_eq!(killed.code, None, "it was to be killed: {}{}", killed.out, killed.err);
    let id = person.run(&["rotations", "list", "--json"]).json()[0]["id"].as_str().unwrap().to_owned();
    let ran = at_once(&person, &["rotations", "resume", &id, "--patience", "60"]);
    assert!(ran.iter().all(|one| matches!(one.code, Some(0 | 8))), "{:?}", ran.iter().map(|one| &one.err).collect::<Vec<_>>());
    assert!(ran.iter().any(|one| one.code == Some(0)));
    assert_eq!(server.practice.make_log().unwrap().api, 1, "the sealed reply was the outcome");
    let live = server.practice.list().unwrap().into_iter().filter(|row| row.state == KeyState::Live).count();
    assert_eq!(live, 1);
}
