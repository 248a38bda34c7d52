//! Shows one notice and says what became of it, as `remind --once` lets a process of its own do. It is a binary because the
//! session bus is found through the environment, which a test cannot change for itself alone.
//!
//! `show_notice who` or `show_notice show SUMMARY BODY HOLD_SECONDS`; one line of output per thing that happened.
#![allow(clippy::print_stdout, reason = "its output is what the test reads")]

use keytender_host::notify::{self, Shown};
use std::time::Duration;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["who"] => match notify::capabilities() {
            Ok(daemon) => println!("daemon {} {} {}", daemon.name, daemon.version, daemon.capabilities.join(",")),
            Err(error) => println!("error {error:?}"),
        },
        ["show", summary, body, seconds] => match notify::show(summary, body, &[("rotate", "Rotate")], false) {
            Ok(shown) => report(&shown, seconds.parse().map_or(Duration::ZERO, Duration::from_secs)),
            Err(error) => println!("error {error:?}"),
        },
        _ => println!("usage: show_notice who | show_notice show SUMMARY BODY HOLD_SECONDS"),
    }
}

fn report(shown: &Shown, limit: Duration) {
    println!("shown by {}", shown.daemon().name);
    println!("answer {:?}", shown.hold(limit));
}
