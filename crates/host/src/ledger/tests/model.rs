//! Random lists of changes against a tiny model of keys, versions and pointers: the ledger accepts and refuses what the
//! model does, holds what it holds, and no pointer ever names what is not there.

use super::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Few ids, so that lists meet what is there.
const IDS: std::ops::Range<u128> = 0..4;

#[derive(Debug, Clone)]
enum Act {
    AddKey(u128, Option<u128>),
    EditKey(u128, Option<u128>),
    RemoveKey(u128),
    AddVersion(u128, u128),
    Move(u128, VersionState),
    Point(u128, Option<u128>),
    Expire(u128, bool),
}

impl Act {
    fn change(&self) -> Change {
        let named = |n: u128, current: &Option<u128>| Key { current: current.map(version_id), ..key(n, 1, &format!("k{n}")) };
        match self {
            Self::AddKey(n, current) => Change::AddKey(named(*n, current)),
            Self::EditKey(n, current) => Change::EditKey(named(*n, current)),
            Self::RemoveKey(n) => Change::RemoveKey(key_id(*n)),
            Self::AddVersion(n, of) => Change::AddVersion(version(*n, *of)),
            Self::Move(n, state) => Change::MoveVersion { version: version_id(*n), state: *state },
            Self::Point(n, to) => Change::SetCurrent { key: key_id(*n), version: to.map(version_id) },
            Self::Expire(n, never) => {
                Change::SetExpiry { version: version_id(*n), expiry: if *never { Expiry::Never } else { Expiry::Unknown } }
            }
        }
    }
}

/// Keys with their pointers; versions with their key, state and expiry revision.
#[derive(Debug, Clone, Default, PartialEq)]
struct Model {
    keys: BTreeMap<KeyId, Option<VersionId>>,
    versions: BTreeMap<VersionId, (KeyId, VersionState, Option<bool>, u32)>,
}

impl Model {
    /// The model after a list, or none if the list must be refused.
    fn after(&self, acts: &[Act]) -> Option<Self> {
        let mut next = self.clone();
        acts.iter().try_for_each(|act| next.act(act))?;
        next.is_sound().then_some(next)
    }

    fn act(&mut self, act: &Act) -> Option<()> {
        match act {
            Act::AddKey(n, current) => {
                let new = self.keys.insert(key_id(*n), current.map(version_id)).is_none();
                new.then_some(())
            }
            Act::EditKey(n, _) => self.keys.get(&key_id(*n)).map(|_| ()),
            Act::RemoveKey(n) => {
                self.versions.retain(|_, (of, ..)| *of != key_id(*n));
                self.keys.remove(&key_id(*n)).map(|_| ())
            }
            Act::AddVersion(n, of) => {
                let entry = self.versions.entry(version_id(*n));
                if let std::collections::btree_map::Entry::Vacant(free) = entry {
                    self.keys.get(&key_id(*of))?;
                    free.insert((key_id(*of), VersionState::Pending, None, 1));
                }
                Some(())
            }
            Act::Move(n, state) => self.versions.get_mut(&version_id(*n)).map(|version| version.1 = *state),
            Act::Point(n, to) => {
                let to = to.map(version_id);
                *self.keys.get_mut(&key_id(*n))? = to;
                for (id, (of, state, ..)) in &mut self.versions {
                    if *of == key_id(*n) && *state == VersionState::Current && Some(*id) != to {
                        *state = VersionState::Previous;
                    }
                }
                let Some(to) = to else { return Some(()) };
                let version = self.versions.get_mut(&to).filter(|version| version.0 == key_id(*n))?;
                version.1 = VersionState::Current;
                Some(())
            }
            Act::Expire(n, never) => {
                let version = self.versions.get_mut(&version_id(*n))?;
                if version.2 != Some(*never) {
                    (version.2, version.3) = (Some(*never), version.3 + 1);
                }
                Some(())
            }
        }
    }

    /// No pointer names what is not there, or is another key's.
    fn is_sound(&self) -> bool {
        self.keys.iter().all(|(key, current)| {
            current.is_none_or(|current| self.versions.get(&current).is_some_and(|version| version.0 == *key))
        })
    }

    fn of(ledger: &SqliteLedger) -> Self {
        let keys = ledger.keys().unwrap();
        let versions = keys.iter().flat_map(|key| ledger.versions(key.id).unwrap());
        Self {
            versions: versions
                .map(|version| {
                    let expiry = match version.expiry {
                        Expiry::Never => Some(true),
                        Expiry::Unknown => Some(false),
                        _ => None,
                    };
                    (version.id, (version.key, version.state, expiry, version.expiry_revision))
                })
                .collect(),
            keys: keys.into_iter().map(|key| (key.id, key.current)).collect(),
        }
    }
}

fn act() -> impl Strategy<Value = Act> {
    let maybe = || proptest::option::of(IDS);
    let state = prop_oneof![
        Just(VersionState::Pending),
        Just(VersionState::Current),
        Just(VersionState::Previous),
        Just(VersionState::Revoked),
        Just(VersionState::Compromised),
    ];
    prop_oneof![
        2 => (IDS, proptest::option::weighted(0.2, IDS)).prop_map(|(n, to)| Act::AddKey(n, to)),
        1 => (IDS, maybe()).prop_map(|(n, to)| Act::EditKey(n, to)),
        1 => IDS.prop_map(Act::RemoveKey),
        4 => (IDS, IDS).prop_map(|(n, of)| Act::AddVersion(n, of)),
        2 => (IDS, state).prop_map(|(n, state)| Act::Move(n, state)),
        3 => (IDS, maybe()).prop_map(|(n, to)| Act::Point(n, to)),
        2 => (IDS, any::<bool>()).prop_map(|(n, never)| Act::Expire(n, never)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_ledger_does_what_the_model_does(lists in proptest::collection::vec(proptest::collection::vec(act(), 1..4), 1..30)) {
        let desk = Desk::new();
        desk.ledger.apply(&[Change::AddIntegration(integration(1, "Work"))]).unwrap();
        let mut model = Model::default();
        for list in lists {
            let changes: Vec<Change> = list.iter().map(Act::change).collect();
            let applied = desk.ledger.apply(&changes);
            let expected = model.after(&list);
            prop_assert_eq!(applied.is_ok(), expected.is_some(), "{:?}: {:?}", list, applied);
            model = expected.unwrap_or(model);
            prop_assert_eq!(&Model::of(&desk.ledger), &model);
            let pointed: BTreeSet<VersionId> = model.keys.values().flatten().copied().collect();
            let current: BTreeSet<VersionId> = desk.ledger.current_versions().unwrap().iter().map(|v| v.id).collect();
            prop_assert_eq!(current, pointed);
        }
        prop_assert_eq!(desk.ledger.check().unwrap(), Vec::<String>::new());
    }
}
