//! Every combination of who makes, who retires and what becomes of the old one, rotated and revoked against the practice
//! server; then each fault that the server can be told to have.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what went wrong by panicking")]

use keytender_api::{AnswerRequest, DestinationAdd, Resting};
use keytender_core::rotation::{Ask, End, Purpose};
use keytender_core::secret::SecretText;
use keytender_core::words::{DestinationWhere, DotenvPlace, Placement};
use keytender_practice::{IssueRequest, KeyKind, OldKey, Who};
use keytender_tests::desk::Desk;

fn destination(desk: &Desk, key: &str, value: &str) -> std::path::PathBuf {
    let path = desk.dotenv(value).unwrap();
    let place = DestinationWhere::Dotenv {
        path: path.clone(),
        places: vec![DotenvPlace { variable: "TOKEN".into(), field: None }],
        placement: Placement::default(),
    };
    let view = desk.api.destination_add(DestinationAdd { key: key.into(), place, write: false }).unwrap();
    assert_eq!(view.up_to_date, Some(true), "{:?}", view.remarks);
    path
}

/// What a person does in the portal, until the rotation ends.
fn by_hand(desk: &Desk, id: &str, old_id: &str, kind: KeyKind, mut resting: Resting) -> End {
    for _ in 0..10 {
        let answer = match &resting {
            Resting::Ended(end) => return end.clone(),
            Resting::Asks(Ask::Paste { .. }) => {
                let made = match kind.old() {
                    OldKey::Dies => desk.practice.regenerate(old_id).unwrap(),
                    OldKey::Overlaps | OldKey::Slots => desk.practice.issue(&IssueRequest::new(kind)).unwrap(),
                };
                AnswerRequest::Secret(SecretText::new(made.token.clone()))
            }
            Resting::Asks(Ask::RetireOld(_)) => {
                desk.practice.revoke(old_id).unwrap();
                AnswerRequest::Done("retired".into())
            }
            other => panic!("{kind}: {other:?}\n{:#?}", desk.api.rotation(id).unwrap()),
        };
        resting = desk.answer(id, answer).unwrap();
    }
    panic!("{kind}: it never ends");
}

#[test]
fn every_kind_is_rotated_and_its_old_value_refused() {
    let kinds: Vec<KeyKind> = KeyKind::all().collect();
    assert_eq!(kinds.len(), 13);
    for kind in kinds {
        let desk = Desk::open().unwrap();
        let (old_id, old) = desk.add(kind).unwrap();
        let key = format!("home/{kind}");
        let env = destination(&desk, &key, &old);
        let (id, resting) = desk.begin(&key, Purpose::Replace).unwrap();
        assert_eq!(by_hand(&desk, &id, &old_id, kind, resting), End::Done, "{kind}");
        let new = desk.value(&key).unwrap();
        assert_ne!(new, old, "{kind}");
        assert!(desk.practice.accepts(&new).unwrap(), "{kind}: the new key is refused");
        assert!(!desk.practice.accepts(&old).unwrap(), "{kind}: the old key is still accepted");
        let text = std::fs::read_to_string(env).unwrap();
        assert_eq!(text, format!("# the app's settings\r\nexport TOKEN=\"{new}\" # by hand\r\nOTHER=1"), "{kind}");
        let live =
            desk.practice.list().unwrap().into_iter().filter(|row| row.state == keytender_practice::KeyState::Live).count();
        assert_eq!(live, 1, "{kind}: nothing is left behind");
        assert!(desk.api.doctor().unwrap().lines.iter().all(|line| line.ok), "{kind}: {:#?}", desk.api.doctor().unwrap());
    }
}

#[test]
fn every_kind_is_revoked_alone() {
    for kind in KeyKind::all() {
        let desk = Desk::open().unwrap();
        let (old_id, old) = desk.add(kind).unwrap();
        let key = format!("home/{kind}");
        let (id, resting) = desk.begin(&key, Purpose::Revoke).unwrap();
        assert_eq!(by_hand(&desk, &id, &old_id, kind, resting), End::Done, "{kind}");
        assert!(!desk.practice.accepts(&old).unwrap(), "{kind}");
        assert!(desk.api.key_shown(&key).unwrap().current.is_none(), "{kind}");
    }
}

#[test]
fn aborting_before_the_old_one_is_retired_goes_back() {
    let kind = KeyKind::new(Who::Api, Who::Person, OldKey::Overlaps);
    let desk = Desk::open().unwrap();
    let (_, old) = desk.add(kind).unwrap();
    let key = format!("home/{kind}");
    let env = destination(&desk, &key, &old);
    let before = std::fs::read(&env).unwrap();
    let (id, resting) = desk.begin(&key, Purpose::Replace).unwrap();
    assert!(matches!(resting, Resting::Asks(Ask::RetireOld(_))), "{resting:?}");
    let new = desk.value(&key).unwrap();
    let resting = desk.api.abort(&id, keytender_tests::desk::PATIENCE, &mut |_| {}).unwrap();
    // Only a person revokes this kind, the new key included.
    assert!(matches!(resting, Resting::Asks(Ask::RetireNew(_))), "{resting:?}");
    let new_id = desk.practice.list().unwrap().last().unwrap().id.clone();
    desk.practice.revoke(&new_id).unwrap();
    let resting = desk.answer(&id, AnswerRequest::Done("retired".into())).unwrap();
    assert!(matches!(resting, Resting::Ended(End::Aborted(_))), "{resting:?}");
    assert_eq!(desk.value(&key).unwrap(), old);
    assert_eq!(std::fs::read(&env).unwrap(), before);
    assert!(!desk.practice.accepts(&new).unwrap());
}

#[test]
fn a_dead_key_of_every_kind_is_replaced() {
    for kind in KeyKind::all() {
        let desk = Desk::open().unwrap();
        let (old_id, old) = desk.add(kind).unwrap();
        desk.practice.revoke(&old_id).unwrap();
        let key = format!("home/{kind}");
        let (id, mut resting) = desk.begin(&key, Purpose::Replace).unwrap();
        // Only a living key signs in here, so a person makes the new one; `regenerate` has nothing left to replace.
        if let Resting::Asks(Ask::Paste { .. }) = resting {
            let made = desk.practice.issue(&IssueRequest::new(kind)).unwrap();
            resting = desk.answer(&id, AnswerRequest::Secret(SecretText::new(made.token.clone()))).unwrap();
        }
        assert!(matches!(resting, Resting::Ended(End::Done)), "{kind}: {resting:?}\n{:#?}", desk.api.rotation(&id).unwrap());
        let new = desk.value(&key).unwrap();
        assert!(new != old && desk.practice.accepts(&new).unwrap(), "{kind}");
    }
}

#[test]
fn a_wrong_paste_is_asked_again_and_nothing_is_lost() {
    for kind in KeyKind::all().filter(|kind| kind.make() == Who::Person && kind.old() != OldKey::Dies) {
        let desk = Desk::open().unwrap();
        let (old_id, old) = desk.add(kind).unwrap();
        let key = format!("home/{kind}");
        let (id, resting) = desk.begin(&key, Purpose::Replace).unwrap();
        assert!(matches!(resting, Resting::Asks(Ask::Paste { refused: false, same_as_old: false, .. })), "{kind}: {resting:?}");
        let paste = |text: &str| desk.answer(&id, AnswerRequest::Secret(SecretText::new(text.to_owned()))).unwrap();
        let resting = paste(&old);
        assert!(matches!(resting, Resting::Asks(Ask::Paste { same_as_old: true, .. })), "{kind}: {resting:?}");
        for rubbish in ["", "\u{0}\u{1}", "not a key of this service", &old[..20]] {
            let resting = paste(rubbish);
            assert!(matches!(resting, Resting::Asks(Ask::Paste { refused: true, .. })), "{kind} {rubbish:?}: {resting:?}");
            assert_eq!(desk.value(&key).unwrap(), old, "{kind}: the old one is the current one all along");
        }
        let made = desk.practice.issue(&IssueRequest::new(kind)).unwrap();
        let resting = paste(&made.token);
        assert_eq!(by_hand(&desk, &id, &old_id, kind, resting), End::Done, "{kind}");
        assert_eq!(desk.value(&key).unwrap(), made.token, "{kind}");
    }
}
