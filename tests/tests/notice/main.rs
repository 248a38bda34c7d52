//! Desktop notices on a real daemon, and what is said where there is none. Needs dunst, Xvfb and dbus-daemon; a machine
//! without them fails with their names.
#![cfg(target_os = "linux")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "all of this is a test, outside of its test functions too"
)]

mod desktop;

use desktop::{Bus, Desktop, Session};
use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

/// The daemon's own limit is two seconds; the rest is for starting a process on a loaded machine.
const PROMPT: Duration = Duration::from_secs(6);

fn in_time<T>(work: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let done = work();
    assert!(begun.elapsed() < PROMPT, "took {:?}", begun.elapsed());
    done
}

#[test]
fn a_real_daemon_says_who_it_is_and_what_it_can_do() {
    let desktop = Desktop::start();
    let said = in_time(|| desktop.bus.run(&["who"]));
    assert!(said.starts_with("daemon dunst "), "{said}");
    assert!(said.contains("actions") && said.contains("body-markup"), "{said}");
}

#[test]
fn a_pressed_button_comes_back_by_its_id() {
    let desktop = Desktop::start();
    let notice = desktop.bus.spawn(&["show", "3 keys need you", "Agiled production, 7 days", "60"]);
    desktop.wait_until_displayed(1);
    desktop.control(&["action", "0"]);
    assert_eq!(notice.finish(), "shown by dunst\nanswer Action(\"rotate\")\n");
}

#[test]
fn a_notice_put_away_is_told_apart_and_its_text_arrives_as_typed() {
    let desktop = Desktop::start();
    let notice = desktop.bus.spawn(&["show", "1 key needs you", "<b>R&D</b> token, 3 days", "60"]);
    desktop.wait_until_displayed(1);
    desktop.control(&["close"]);
    assert_eq!(notice.finish(), "shown by dunst\nanswer Dismissed\n");
    let history = desktop.control(&["history"]);
    assert!(history.contains("1 key needs you"), "{history}");
    // As dunst keeps it: markup, in which the typed name is plain text.
    assert!(history.contains("&lt;b&gt;R&amp;D&lt;/b&gt; token, 3 days"), "{history}");
}

#[test]
fn holding_ends_with_its_limit() {
    let desktop = Desktop::start();
    assert_eq!(in_time(|| desktop.bus.run(&["show", "1 key needs you", "", "1"])), "shown by dunst\nanswer Held\n");
}

#[test]
fn a_daemon_that_dies_is_missing_afterwards() {
    let mut desktop = Desktop::start();
    desktop.stop_daemon();
    assert_eq!(in_time(|| desktop.bus.run(&["who"])), "error NoDaemon\n");
}

#[test]
fn a_bus_without_a_daemon_is_said_to_have_none() {
    let bus = Bus::start();
    assert_eq!(in_time(|| bus.run(&["show", "1 key needs you", "", "60"])), "error NoDaemon\n");
    assert_eq!(in_time(|| bus.run(&["who"])), "error NoDaemon\n");
}

#[test]
fn no_bus_is_said_to_be_none() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = Session { address: format!("unix:path={}", folder.path().join("bus").display()) };
    let said = in_time(|| nowhere.run(&["show", "1 key needs you", "", "60"]));
    assert!(said.starts_with("error NoBus("), "{said}");
}

#[test]
fn a_bus_that_never_answers_costs_two_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bus");
    // Connections are taken into the backlog and never answered.
    let _silent = UnixListener::bind(&path).unwrap();
    let silent = Session { address: format!("unix:path={}", path.display()) };
    assert_eq!(in_time(|| silent.run(&["show", "1 key needs you", "", "60"])), "error TimedOut\n");
}
