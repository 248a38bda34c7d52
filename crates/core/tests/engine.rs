//! The engine against a model service, with replies lost, verdicts withheld and the process killed at any point: whatever
//! happens, a value that the service accepts can be had, nothing of ours is left behind unlisted, and it ends.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a model says what went wrong by panicking with its story")]

#[path = "engine/model.rs"]
mod model;

use keytender_core::rotation::{End, Next, Purpose};
use keytender_core::words::{Make, Old, Retire};
use model::{Model, Setting};
use proptest::prelude::*;

fn setting() -> impl Strategy<Value = Setting> {
    let make = prop_oneof![Just(Make::Api), Just(Make::Person)];
    let retire = prop_oneof![Just(Retire::Api), Just(Retire::Person)];
    let old = prop_oneof![Just(Old::Overlaps), Just(Old::Slots(2)), Just(Old::Dies)];
    (make, retire, old, any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), 0..4_usize).prop_map(
        |(make, retire, old, lists, marks, verifies, make_needs_old, destinations)| Setting {
            make,
            retire,
            old,
            lists,
            marks: marks && lists,
            verifies,
            make_needs_old,
            destinations,
            purpose: Purpose::Replace,
        },
    )
}

/// Mostly nothing goes wrong; the bytes that mean something come often enough to meet each other.
fn luck_byte() -> impl Strategy<Value = u8> {
    prop_oneof![4 => Just(0), 1 => Just(99), 2 => 100..=103_u8, 4 => 150..=255_u8]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_and_it_ends(setting in setting(), luck in proptest::collection::vec(luck_byte(), 0..160)) {
        let mut model = Model::new(setting, luck);
        let last = model.run();
        prop_assert!(matches!(last, Next::Ended(_) | Next::Stuck(_)), "did not end: {last:?}\n{}", model.story());
        if last == Next::Ended(End::Done) {
            prop_assert!(model.current_is_alive(), "done, and the current value is refused\n{}", model.story());
            prop_assert!(!model.old_is_alive(), "done, and the old key is alive\n{}", model.story());
            prop_assert!(model.marked_orphans().is_empty(), "done, with an orphan {:?}\n{}", model.marked_orphans(), model.story());
        }
        if let Next::Ended(End::Aborted(_)) = last {
            prop_assert!(model.old_is_alive() || model.old_died_by_itself(), "aborted, and the old key is gone\n{}", model.story());
            prop_assert!(model.current_is_old(), "aborted, and another version is current\n{}", model.story());
            prop_assert!(model.marked_orphans().is_empty(), "aborted, with an orphan {:?}\n{}", model.marked_orphans(), model.story());
        }
    }

    #[test]
    fn revoking_alone_ends_with_the_key_refused(
        setting in setting(),
        luck in proptest::collection::vec(luck_byte(), 0..60),
    ) {
        let mut model = Model::new(Setting { purpose: Purpose::Revoke, ..setting }, luck);
        let last = model.run();
        match last {
            Next::Ended(End::Done) => prop_assert!(!model.old_is_alive(), "{}", model.story()),
            Next::Ended(End::Aborted(_)) => prop_assert!(model.current_is_old(), "{}", model.story()),
            other => prop_assert!(false, "did not end: {other:?}\n{}", model.story()),
        }
    }
}

#[test]
fn a_quiet_run_ends_well_in_every_combination() {
    for make in [Make::Api, Make::Person] {
        for retire in [Retire::Api, Retire::Person] {
            for old in [Old::Overlaps, Old::Slots(2), Old::Dies] {
                for bits in 0..16_u8 {
                    let bit = |n: u8| bits & (1 << n) != 0;
                    let setting = Setting {
                        make,
                        retire,
                        old,
                        lists: bit(0),
                        marks: bit(0) && bit(1),
                        verifies: bit(2),
                        make_needs_old: bit(3),
                        destinations: 3,
                        purpose: Purpose::Replace,
                    };
                    let mut model = Model::new(setting.clone(), Vec::new());
                    assert_eq!(model.run(), Next::Ended(End::Done), "{setting:?}\n{}", model.story());
                    assert!(model.current_is_alive() && !model.old_is_alive(), "{setting:?}\n{}", model.story());
                }
            }
        }
    }
}
