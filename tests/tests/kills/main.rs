//! `kill -9` at every named instant of one rotation of every kind: before the intent, after it, after the call, between sealing
//! and commit, before and after the outcome. Then `rotations resume`, with a person at the portal where one is needed. The
//! real program, a real keychain, a real server.
//!
//! What counts as lost, cut-off and orphan is written in ARCHITECTURE.md under "The words".

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what went wrong by panicking")]

mod round;

use keytender_practice::{KeyKind, KeyState, OldKey, Who};
use keytender_tests::binary::{Person, PracticeServer};
use round::{Kill, Round};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What became of all kills.
#[derive(Default)]
struct Tally {
    kills: usize,
    lost: usize,
    cut_off: usize,
    orphans: usize,
    by_point: BTreeMap<String, usize>,
}

#[test]
fn nothing_is_lost_wherever_it_is_killed() {
    let kinds: Vec<KeyKind> = KeyKind::all().collect();
    let (next, tally) = (AtomicUsize::new(0), Mutex::new(Tally::default()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(kind) = kinds.get(next.fetch_add(1, Ordering::Relaxed)) {
                    kill_everywhere(*kind, &tally);
                }
            });
        }
    });
    let tally = tally.into_inner().unwrap();
    for (point, kills) in &tally.by_point {
        println!("{point:<28} {kills:>4} kills");
    }
    println!("{} kills: {} lost, {} cut off, {} orphans left", tally.kills, tally.lost, tally.cut_off, tally.orphans);
    assert_eq!(tally.lost, 0);
    assert_eq!(tally.orphans, 0);
    assert!(tally.kills >= 13 * 40, "only {} kills", tally.kills);
    // Every effect of an ordinary rotation was hit on both sides of its commit, and the make between sealing and commit.
    for effect in ["check-store", "allocate-slot", "verify-old", "make", "keep", "wipe-slot", "verify-new", "promote", "write"] {
        for when in ["intent", "begin", "acted", "done"] {
            let point = format!("{when}:{effect}");
            assert!(tally.by_point.contains_key(&point), "{point} was never hit");
        }
    }
    for point in
        ["called:make", "sealed:make", "stored:keep", "acted:paste", "acted:revoke-old", "acted:probe-old", "acted:finish"]
    {
        assert!(tally.by_point.contains_key(point), "{point} was never hit");
    }
}

fn kill_everywhere(kind: KeyKind, tally: &Mutex<Tally>) {
    let (person, _daemon) = Person::with_keychain();
    let server = PracticeServer::start();
    person.add_practice(&server.url);

    let traced = Round::begin(&person, &server, kind, "traced", None).run();
    let kills = traced.kills();
    assert!(kills.len() >= 30, "{kind}: only {} instants", kills.len());
    check(&traced, tally, None);

    for (number, kill) in kills.into_iter().enumerate() {
        let round = Round::begin(&person, &server, kind, &format!("key {number}"), Some(kill.clone())).run();
        assert!(round.was_killed(), "{kind}: {kill:?} was not reached");
        check(&round, tally, Some(&kill));
    }
}

/// Nothing lost, nothing of ours left behind, the old one dead, the file right.
fn check(round: &Round<'_>, tally: &Mutex<Tally>, kill: Option<&Kill>) {
    let (practice, kind) = (&round.server.practice, round.kind);
    let story = || format!("{kind} {kill:?}\n{}", round.story());
    let view = round.view();
    let reveal = round.person.run(&["key", "reveal", &round.key()]);
    let value = reveal.out.trim_end().to_owned();
    let can_be_had = reveal.code == Some(0) && practice.accepts(&value).unwrap();
    let live = practice.list().unwrap().into_iter().filter(|row| row.kind == kind && row.state == KeyState::Live).count();

    assert_eq!(view["status"], "done", "{}", story());
    assert!(!practice.accepts(&round.old.token).unwrap(), "the old key is alive: {}", story());
    let text = std::fs::read_to_string(&round.dotenv).unwrap();
    assert_eq!(text, format!("# settings\nFIRST=1\nTOKEN={value}\n\nLAST='two words'\n"), "{}", story());
    let slots = std::fs::read_dir(round.person.home().join("escrow")).unwrap();
    let left = slots.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().ends_with(".slot")).count();
    assert_eq!(left, 0, "a sealed reply is left behind: {}", story());

    let mut tally = tally.lock().unwrap();
    tally.kills += usize::from(kill.is_some());
    tally.lost += usize::from(!can_be_had);
    tally.orphans += live.saturating_sub(1);
    if view["cut_off"] == true {
        tally.cut_off += 1;
        // Only there the single copy of a new key can be in a process's memory alone.
        let expected =
            kill.is_some_and(|kill| kill.point == "called:make") && kind.old() == OldKey::Dies && kind.make() == Who::Api;
        assert!(expected, "cut off: {}", story());
    }
    if let Some(kill) = kill {
        *tally.by_point.entry(kill.point.clone()).or_default() += 1;
    }
    assert!(can_be_had, "lost: {}", story());
    assert_eq!(live, 1, "left behind: {}", story());
    drop(tally);
    round.tidy_up();
}
