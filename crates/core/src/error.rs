//! What every error of Keytender can tell its caller: whether trying again helps, and what to do next.
//!
//! Error types stay closed enums beside what they describe; this module holds only what they share.

use serde::{Deserialize, Serialize};

/// Whether, and when, the same call may succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Retry {
    /// At once.
    Now,
    /// After a while, without anyone doing anything.
    Later,
    /// Not as long as the input stays the same.
    Never,
    /// Once a person has done what the help says.
    NeedsPerson,
}
