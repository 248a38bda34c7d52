//! Reminders: which notice is due, when, for which version, and which is the last word.
//!
//! Pure arithmetic over ledger rows: `threshold` and `ladder` say at which points of a life a notice is wanted, `calendar`
//! turns them into instants a person is awake at, `board` weighs them against what was shown already, `sentence` puts a
//! group into words, `snooze` computes what may be offered. Nothing here asks what time it is, waits, or shows anything.
//!
//! The ledger of notices is keyed by (version, expiry revision, threshold). A threshold is recorded once; a graver one that
//! is recorded covers all milder ones; another revision of the expiry starts anew.

mod board;
mod calendar;
mod ladder;
mod past;
mod sentence;
mod snooze;
mod threshold;
mod watched;

pub use board::Board;
pub use calendar::{Preferences, Quiet};
pub use ladder::{Ladder, Level, level};
pub use sentence::Group;
pub use snooze::{Offer, SnoozeUntil, offers};
pub use threshold::{Rung, Threshold, UnknownThreshold};
pub use watched::{Reminder, Watched};
