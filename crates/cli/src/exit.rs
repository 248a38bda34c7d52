//! Exit codes: one list for code, `--help` and README.

use keytender_api::ErrorKind;
use keytender_core::words::Health;
use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Fine.
    Fine = 0,
    /// Something on this computer failed.
    Fault = 1,
    /// Wrong usage: the request makes no sense as it is.
    Usage = 2,
    /// Something is due.
    Due = 3,
    /// A key is dead.
    Dead = 4,
    /// The store is locked, or not there.
    Locked = 5,
    /// A person is needed.
    PersonNeeded = 6,
    /// Refused, for safety or want of consent.
    Refused = 7,
    /// Another process is at it.
    Busy = 8,
    /// Unknown, or unreachable.
    Unknown = 9,
    /// No such thing.
    NotFound = 10,
}

/// The list as `--help` shows it.
pub(crate) const TABLE: &str = "\
Exit codes:
   0  fine
   1  a fault
   2  wrong usage
   3  something is due
   4  a key is dead
   5  the store is locked, or does not answer
   6  a person is needed
   7  refused, for safety or want of consent
   8  busy: another process is at it
   9  unknown, or unreachable
  10  not found";

impl From<ErrorKind> for Exit {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Fault => Self::Fault,
            ErrorKind::Invalid => Self::Usage,
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::Locked | ErrorKind::StoreGone => Self::Locked,
            ErrorKind::PersonNeeded => Self::PersonNeeded,
            ErrorKind::Refused => Self::Refused,
            ErrorKind::Busy => Self::Busy,
            ErrorKind::Unreachable => Self::Unknown,
        }
    }
}

impl Exit {
    /// Of what services said about keys: one that is dead outweighs one that is unknown.
    pub(crate) fn of_healths(healths: impl IntoIterator<Item = Health>) -> Self {
        healths.into_iter().fold(Self::Fine, |so_far, health| match (so_far, health) {
            (Self::Dead, _) | (_, Health::Dead) => Self::Dead,
            (_, Health::Unknown) => Self::Unknown,
            (so_far, Health::Alive) => so_far,
        })
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_code() {
        use ErrorKind::*;
        let kinds = [Fault, Invalid, Locked, StoreGone, PersonNeeded, Refused, Busy, Unreachable, NotFound];
        assert_eq!(kinds.map(|kind| Exit::from(kind) as u8), [1, 2, 5, 5, 6, 7, 8, 9, 10]);
    }

    #[test]
    fn the_help_lists_every_code() {
        for code in 0..=10 {
            assert!(TABLE.lines().any(|line| line.trim_start().starts_with(&format!("{code}  "))), "{code}");
        }
        assert_eq!(Exit::NotFound as u8, 10);
    }

    #[test]
    fn the_worst_health_decides() {
        use Health::*;
        for (healths, exit) in [
            (vec![], Exit::Fine),
            (vec![Alive, Alive], Exit::Fine),
            (vec![Alive, Unknown, Alive], Exit::Unknown),
            (vec![Unknown, Dead, Unknown], Exit::Dead),
        ] {
            assert_eq!(Exit::of_healths(healths), exit);
        }
    }
}
