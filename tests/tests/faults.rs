//! Each fault that the practice server can be told to have, met by each sort of rotation that makes keys by request: it ends
//! well or asks, nothing is lost, and nothing of ours is left at the service unlisted.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what went wrong by panicking")]

use keytender_api::{AnswerRequest, IntegrationAdd, KeyAdd, Resting};
use keytender_core::rotation::{Ask, End, Purpose};
use keytender_practice::{Call, Fault, FaultKind, IssueRequest, KeyKind, KeyRow, KeyState, OldKey, Who};
use keytender_services::Catalog;
use keytender_tests::desk::{Desk, PATIENCE};

fn kinds() -> [KeyKind; 4] {
    let api = |old| KeyKind::new(Who::Api, Who::Api, old);
    [api(OldKey::Overlaps), api(OldKey::Slots), api(OldKey::Dies), KeyKind::UNLISTED]
}

fn faults() -> Vec<Fault> {
    let mut list = Vec::new();
    for call in [Call::Make, Call::Verify, Call::List, Call::Revoke] {
        list.extend([
            Fault::once(call, FaultKind::LostBefore),
            Fault::once(call, FaultKind::LostAfter),
            Fault::once(call, FaultKind::Slow { millis: 200 }),
            Fault::once(call, FaultKind::Status { code: 500, retry_after: None }),
            Fault::once(call, FaultKind::Status { code: 503, retry_after: Some("7".into()) }),
            Fault::once(call, FaultKind::Status { code: 429, retry_after: Some("30".into()) }),
            Fault::once(call, FaultKind::Html),
        ]);
    }
    for call in [Call::Make, Call::Verify, Call::List] {
        list.extend([0, 1, 20, 60].map(|bytes| Fault::once(call, FaultKind::Cut { bytes })));
    }
    list.push(Fault::once(Call::Revoke, FaultKind::StillAccepted { seconds: 3 }));
    list.push(Fault::once(Call::Make, FaultKind::NotYetAccepted { seconds: 2 }));
    list
}

fn live(desk: &Desk) -> Vec<KeyRow> {
    desk.practice.list().unwrap().into_iter().filter(|row| row.state == KeyState::Live).collect()
}

/// Drives it to its end, answering as a person who can see the portal.
fn to_the_end(desk: &Desk, id: &str, old_id: &str, mut resting: Resting) -> Resting {
    for _ in 0..10 {
        let answer = match &resting {
            Resting::Asks(Ask::LostReply) => {
                // What nobody holds is deleted in the portal.
                for row in live(desk).iter().filter(|row| row.id != old_id) {
                    desk.practice.revoke(&row.id).unwrap();
                }
                AnswerRequest::Done("make-again".into())
            }
            Resting::Asks(Ask::PossibleOrphans(list)) => AnswerRequest::Pick(list.first().unwrap().id.clone()),
            Resting::Asks(Ask::Paste { cut_off: true, .. }) => {
                let row = live(desk).pop().unwrap();
                let made = desk.practice.regenerate(&row.id).unwrap();
                AnswerRequest::Secret(keytender_core::secret::SecretText::new(made.token.clone()))
            }
            _ => return resting,
        };
        resting = desk.answer(id, answer).unwrap();
    }
    resting
}

#[test]
fn every_fault_is_survived_by_every_sort() {
    let mut hit = 0;
    for kind in kinds() {
        for fault in faults() {
            let what = format!("{kind} {fault:?}");
            let desk = Desk::open().unwrap();
            let (old_id, old) = desk.add(kind).unwrap();
            desk.practice.set_fault(fault).unwrap();
            let key = format!("home/{kind}");
            let (id, resting) = desk.begin(&key, Purpose::Replace).unwrap();
            let resting = to_the_end(&desk, &id, &old_id, resting);
            let story = || format!("{what}: {resting:?}\n{:#?}", desk.api.rotation(&id).unwrap());
            assert!(matches!(resting, Resting::Ended(End::Done)), "{}", story());
            let current = desk.value(&key).unwrap();
            assert!(desk.practice.accepts(&current).unwrap(), "{}", story());
            assert!(!desk.practice.accepts(&old).unwrap(), "{}", story());
            assert_eq!(live(&desk).len(), 1, "an orphan was left: {}", story());
            hit += usize::from(desk.practice.faults().unwrap().is_empty());
        }
    }
    // A fault that no call met proves nothing; the ones of a list call are never met where there is no list.
    assert!(hit >= 4 * faults().len() - 2 * 11, "{hit} of {} faults were met", 4 * faults().len());
}

#[test]
fn a_reply_that_cannot_be_read_is_kept_until_it_can() {
    for kind in kinds() {
        let desk = Desk::open().unwrap();
        let (old_id, old) = desk.add(kind).unwrap();
        desk.practice.set_fault(Fault::once(Call::Make, FaultKind::WrongShape)).unwrap();
        let (id, resting) = desk.begin(&format!("home/{kind}"), Purpose::Replace).unwrap();
        assert!(matches!(resting, Resting::Stuck(_)), "{kind}: {resting:?}");
        let again = desk.api.resume(&id, PATIENCE, &mut |_| {}).unwrap();
        assert!(matches!(again, Resting::Stuck(_)), "{kind}: {again:?}");
        let sealed = desk.folder.path().join("home/escrow").join(format!("{id}-1.slot"));
        assert!(sealed.is_file(), "{kind}: the reply is gone");
        // `dies` has cut the old one off; everywhere else it goes on working.
        assert_eq!(desk.value(&format!("home/{kind}")).unwrap(), old, "{kind}");
        assert_eq!(desk.practice.accepts(&old).unwrap(), kind.old() != OldKey::Dies, "{kind}");

        let resting = desk.answer(&id, AnswerRequest::Done("make-again".into())).unwrap();
        let resting = to_the_end(&desk, &id, &old_id, resting);
        assert!(matches!(resting, Resting::Ended(End::Done)), "{kind}: {resting:?}");
        assert_eq!(live(&desk).len(), 1, "{kind}: the key that nobody could read is gone");
        assert!(!sealed.exists(), "{kind}");
    }
}

#[test]
fn a_locked_vault_stops_it_and_unlocking_lets_it_go_on() {
    for kind in kinds() {
        let desk = Desk::open().unwrap();
        let (_, old) = desk.add(kind).unwrap();
        let key = format!("home/{kind}");
        let plan = desk.api.plan(&key, Purpose::Replace, false).unwrap();
        let id = desk.api.start(&key, Purpose::Replace, false, &plan.digest).unwrap();
        desk.vault.lock();
        let resting = desk.api.drive(&id, PATIENCE, &mut |_| {}).unwrap();
        assert!(matches!(&resting, Resting::Hindered(keytender_core::rotation::Hindrance::StoreLocked, _)), "{resting:?}");
        desk.vault.unlock();
        // The keychain locks again while the reply is on its way: it is sealed without it and kept later.
        let mut locked = false;
        let resting = desk.api.resume(&id, PATIENCE, &mut |progress| {
            if let keytender_api::Progress::Ended(keytender_core::rotation::Effect::Make { .. }, _) = progress {
                desk.vault.lock();
                locked = true;
            }
        });
        assert!(locked && matches!(resting.unwrap(), Resting::Hindered(keytender_core::rotation::Hindrance::StoreLocked, _)));
        desk.vault.unlock();
        let resting = desk.api.resume(&id, PATIENCE, &mut |_| {}).unwrap();
        assert!(matches!(resting, Resting::Ended(End::Done)), "{kind}: {resting:?}");
        assert!(desk.practice.accepts(&desk.value(&key).unwrap()).unwrap());
        assert!(!desk.practice.accepts(&old).unwrap());
        assert_eq!(desk.practice.make_log().unwrap().api, 1, "{kind}: made once");
    }
}

#[test]
fn a_day_has_only_so_many_makes_and_tries_that_never_left_do_not_count() {
    let text = include_str!("../../crates/services/catalog/practice.toml")
        .replace("makes_per_day = 1000", "makes_per_day = 2")
        .replace("slug = \"practice\"", "slug = \"limited\"");
    let mut catalog = Catalog::builtin().unwrap();
    catalog.add_user("limited.toml", &text).unwrap();
    let desk = Desk::open_with(catalog).unwrap();
    desk.api.trust("limited").unwrap();
    let settings = [("base_url".to_owned(), desk.url())].into();
    let integration = IntegrationAdd { service: "limited".into(), name: "limited".into(), settings, ..IntegrationAdd::default() };
    desk.api.integration_add(integration).unwrap();
    let issued = desk.practice.issue(&IssueRequest::new(kinds()[0])).unwrap();
    let added = KeyAdd {
        integration: "limited".into(),
        name: "one".into(),
        kind: Some(kinds()[0].to_string()),
        expires: None,
        issued: None,
        options: Default::default(),
        tags: Vec::new(),
        secret: keytender_core::secret::SecretText::new(issued.token.clone()),
    };
    desk.api.key_add(added).unwrap();
    let key = "limited/one";
    for _ in 0..2 {
        let (_, resting) = desk.begin(key, Purpose::Replace).unwrap();
        assert!(matches!(resting, Resting::Ended(End::Done)), "{resting:?}");
    }
    let (id, resting) = desk.begin(key, Purpose::Replace).unwrap();
    assert!(matches!(resting, Resting::Until(_, keytender_core::rotation::Pause::Limit)), "{resting:?}");
    // However often it is resumed before the day is over, the limit lifts when it is.
    for _ in 0..5 {
        let again = desk.api.resume(&id, PATIENCE, &mut |_| {}).unwrap();
        assert!(matches!(again, Resting::Until(..)), "{again:?}");
    }
    assert_eq!(desk.practice.make_log().unwrap().api, 2);
    desk.clock.advance(chrono::TimeDelta::days(1));
    let resting = desk.api.resume(&id, PATIENCE, &mut |_| {}).unwrap();
    assert!(matches!(resting, Resting::Ended(End::Done)), "{resting:?}");
}
