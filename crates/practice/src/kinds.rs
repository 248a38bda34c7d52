//! The kinds of key that the practice service issues: one for every combination of the three facts that describe a rotation.
//!
//! What may not live here: what each kind allows (`rules`).

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// How many keys of a `slots` kind may be live side by side, as with AWS access keys.
pub const SLOTS: usize = 2;

/// Who can do something: a program through the API, or only a person in the portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Who {
    /// A program, with a live key.
    Api,
    /// A person, in the portal.
    Person,
}

/// What happens to the old key when the new one is born.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OldKey {
    /// It goes on working, beside any number of others.
    Overlaps,
    /// It goes on working, but only [`SLOTS`] keys fit side by side.
    Slots,
    /// It is refused from that moment on.
    Dies,
}

/// A kind of key, named `{make}-{retire}-{old}`, such as `person-api-slots`; and `api-api-unlisted`, whose keys no call lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyKind {
    make: Who,
    retire: Who,
    old: OldKey,
    listed: bool,
}

impl KeyKind {
    /// Like `api-api-overlaps`, but the list call answers 404: after a lost reply nobody can look for what was made.
    pub const UNLISTED: Self = Self { make: Who::Api, retire: Who::Api, old: OldKey::Overlaps, listed: false };

    /// The kind of that combination.
    #[must_use]
    pub const fn new(make: Who, retire: Who, old: OldKey) -> Self {
        Self { make, retire, old, listed: true }
    }

    /// All thirteen kinds, in a fixed order.
    pub fn all() -> impl Iterator<Item = Self> {
        let both = [Who::Api, Who::Person];
        both.into_iter()
            .flat_map(move |make| both.into_iter().map(move |retire| (make, retire)))
            .flat_map(|(make, retire)| {
                [OldKey::Overlaps, OldKey::Slots, OldKey::Dies].into_iter().map(move |old| Self::new(make, retire, old))
            })
            .chain([Self::UNLISTED])
    }

    /// Who makes a new key.
    #[must_use]
    pub const fn make(self) -> Who {
        self.make
    }

    /// Who retires a key.
    #[must_use]
    pub const fn retire(self) -> Who {
        self.retire
    }

    /// What happens to the old key when a new one is made.
    #[must_use]
    pub const fn old(self) -> OldKey {
        self.old
    }

    /// Whether the list call serves this kind.
    #[must_use]
    pub const fn listed(self) -> bool {
        self.listed
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = |who| match who {
            Who::Api => "api",
            Who::Person => "person",
        };
        let old = match (self.listed, self.old) {
            (false, _) => "unlisted",
            (true, OldKey::Overlaps) => "overlaps",
            (true, OldKey::Slots) => "slots",
            (true, OldKey::Dies) => "dies",
        };
        write!(f, "{}-{}-{old}", who(self.make), who(self.retire))
    }
}

/// The text names no kind of key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no kind of key named {0:?}; the kinds are {{api|person}}-{{api|person}}-{{overlaps|slots|dies}} and api-api-unlisted"
)]
pub struct UnknownKind(String);

impl FromStr for KeyKind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        Self::all().find(|kind| kind.to_string() == text).ok_or_else(|| UnknownKind(text.to_owned()))
    }
}

impl TryFrom<String> for KeyKind {
    type Error = UnknownKind;

    fn try_from(text: String) -> Result<Self, UnknownKind> {
        text.parse()
    }
}

impl From<KeyKind> for String {
    fn from(kind: KeyKind) -> Self {
        kind.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_combination_has_one_name_that_reads_back() {
        let names: HashSet<String> = KeyKind::all().map(|kind| kind.to_string()).collect();
        assert_eq!(names.len(), 13);
        for kind in KeyKind::all() {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        assert!(names.contains("person-api-slots"));
        assert!("api-api-forever".parse::<KeyKind>().is_err());
    }
}
