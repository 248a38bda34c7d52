//! House rules that a machine can hold: edges between crates, doors, supply, sources, traces.
//!
//! Each rule is data with one check, reports every breach at once, and shows on a planted breach that it bites. No rule about
//! behaviour lives here. What a rule allows stands in a table beside it: extend the table, with the reason, or mend the breach.
#![allow(clippy::expect_used, reason = "all of it is test code: what is not as expected fails the run")]

mod doors;
mod edges;
mod repo;
mod sources;
mod supply;
mod traces;

/// Fails with every breach on a line of its own, and with what to do about them.
fn clean(what_to_do: &str, breaches: &[String]) {
    assert!(breaches.is_empty(), "{what_to_do}\n  {}\n", breaches.join("\n  "));
}
