//! Versions: what they hold, which one is current, and the facts that are learned about them.

use super::*;
use keytender_core::words::{Health, HealthCheck};

#[test]
fn versions_come_back_as_they_went_in() {
    let desk = Desk::with_key();
    let date = Moment::Date("2027-02-28".parse().unwrap());
    let expiries = [
        Expiry::Reported { at: date, by: "/expires_at".to_owned() },
        Expiry::Estimated { at: Moment::Instant(at(5)), rule: "90 days".to_owned() },
        Expiry::Typed { at: date },
        Expiry::Never,
        Expiry::Unknown,
    ];
    for (n, expiry) in (2..).zip(expiries) {
        let added = Version {
            expiry,
            state: VersionState::Compromised,
            remote_id: Some("42".to_owned()),
            issued_known: false,
            made_by: Some(rotation_id(7)),
            health: Some(HealthCheck { health: Health::Alive, at: at(n), evidence: "GET / answered 200".to_owned() }),
            removed_at: Some(at(n + 1)),
            ..version(n, 1)
        };
        desk.ledger.apply(&[Change::AddVersion(added.clone())]).unwrap();
        assert_eq!(desk.ledger.version(added.id).unwrap(), added);
    }
    let newest_first: Vec<_> = desk.ledger.versions(key_id(1)).unwrap().iter().map(|version| version.id).collect();
    assert_eq!(newest_first, [6, 5, 4, 3, 2, 1].map(version_id));
    let stored: Vec<_> = desk.ledger.stored_versions().unwrap().iter().map(|version| version.id).collect();
    assert_eq!(stored, [version_id(1)]);
    assert_eq!(desk.ledger.version(version_id(9)), Err(LedgerError::NotFound("version".to_owned())));
}

#[test]
fn a_version_that_is_there_is_left_as_it_is() {
    let desk = Desk::with_key();
    let before = desk.ledger.version(version_id(1)).unwrap();
    desk.ledger.apply(&[Change::AddVersion(Version { store: "sealed".to_owned(), ..version(1, 1) })]).unwrap();
    assert_eq!(desk.ledger.version(version_id(1)).unwrap(), before);
    assert_eq!(desk.ledger.apply(&[Change::AddVersion(version(2, 9))]), not_found("key"));
}

#[test]
fn the_pointer_and_the_states_move_together() {
    let desk = Desk::with_key();
    let state = |n| desk.ledger.version(version_id(n)).unwrap().state;
    let point =
        |version: Option<u128>| desk.ledger.apply(&[Change::SetCurrent { key: key_id(1), version: version.map(version_id) }]);
    desk.ledger.apply(&[Change::AddVersion(version(2, 1))]).unwrap();
    assert_eq!((state(1), state(2)), (VersionState::Current, VersionState::Pending));
    point(Some(2)).unwrap();
    assert_eq!((state(1), state(2)), (VersionState::Previous, VersionState::Current));
    assert_eq!(desk.ledger.current_versions().unwrap(), [desk.ledger.version(version_id(2)).unwrap()]);

    let revoked = VersionState::Revoked;
    desk.ledger.apply(&[Change::MoveVersion { version: version_id(2), state: revoked }]).unwrap();
    point(None).unwrap();
    assert_eq!((state(1), state(2)), (VersionState::Previous, revoked), "what was moved on stays moved on");
    assert_eq!(desk.ledger.key(key_id(1)).unwrap().current, None);
    assert!(desk.ledger.current_versions().unwrap().is_empty());
    assert_eq!(point(Some(9)), not_found("version"));
    let nobody = Change::SetCurrent { key: key_id(9), version: None };
    assert_eq!(desk.ledger.apply(&[nobody]), not_found("key"));
    let unknown = Change::MoveVersion { version: version_id(9), state: revoked };
    assert_eq!(desk.ledger.apply(&[unknown]), not_found("version"));
}

#[test]
fn a_key_points_only_to_a_version_of_its_own() {
    let desk = Desk::with_key();
    desk.ledger.apply(&[Change::AddKey(key(2, 1, "Other"))]).unwrap();
    let theft = Change::SetCurrent { key: key_id(2), version: Some(version_id(1)) };
    assert_eq!(desk.ledger.apply(&[theft]), not_found("version"));
    let born_pointing = Key { current: Some(version_id(1)), ..key(3, 1, "Third") };
    let refused = desk.ledger.apply(&[Change::AddKey(born_pointing.clone())]);
    assert!(matches!(refused, Err(LedgerError::NotFound(_))), "{refused:?}");
    // With its own version in the same list it is fine: that is how a lost ledger is rebuilt.
    let own = Key { current: Some(version_id(3)), ..born_pointing };
    desk.ledger.apply(&[Change::AddKey(own.clone()), Change::AddVersion(version(3, 3))]).unwrap();
    assert_eq!(desk.ledger.key(key_id(3)).unwrap(), own);
}

#[test]
fn facts_about_a_version_are_set_one_by_one() {
    let desk = Desk::with_key();
    let health = HealthCheck { health: Health::Dead, at: at(8), evidence: "GET / answered 401".to_owned() };
    let id = version_id(1);
    let before = desk.ledger.version(id).unwrap();
    desk.ledger
        .apply(&[
            Change::SetRemoteId { version: id, remote_id: "77".to_owned() },
            Change::SetHealth { version: id, health: health.clone() },
            Change::MarkRemoved { version: id, at: at(9) },
            Change::SetIssued { version: id, at: at(3) },
        ])
        .unwrap();
    let after = Version {
        remote_id: Some("77".to_owned()),
        health: Some(health.clone()),
        removed_at: Some(at(9)),
        issued_at: at(3),
        issued_known: true,
        ..before
    };
    assert_eq!(desk.ledger.version(id).unwrap(), after);
    let gone = version_id(9);
    for change in [
        Change::SetRemoteId { version: gone, remote_id: "1".to_owned() },
        Change::SetHealth { version: gone, health },
        Change::MarkRemoved { version: gone, at: at(9) },
        Change::SetIssued { version: gone, at: at(3) },
        Change::SetExpiry { version: gone, expiry: Expiry::Never },
    ] {
        assert_eq!(desk.ledger.apply(std::slice::from_ref(&change)), not_found("version"), "{change:?}");
    }
}

#[test]
fn only_another_expiry_counts_the_revision_up() {
    let desk = Desk::with_key();
    let id = version_id(1);
    let set = |expiry: &Expiry| {
        desk.ledger.apply(&[Change::SetExpiry { version: id, expiry: expiry.clone() }]).unwrap();
        let version = desk.ledger.version(id).unwrap();
        assert_eq!(&version.expiry, expiry);
        version.expiry_revision
    };
    let first = desk.ledger.version(id).unwrap().expiry;
    let moment = Moment::Instant(at(90));
    assert_eq!(set(&first), 1, "the same");
    assert_eq!(set(&Expiry::Estimated { at: moment, rule: "90 days from creation".to_owned() }), 2, "another provenance");
    assert_eq!(set(&Expiry::Estimated { at: moment, rule: "a quarter".to_owned() }), 3, "another rule");
    assert_eq!(set(&Expiry::Typed { at: moment }), 4);
    assert_eq!(set(&Expiry::Typed { at: moment }), 4, "the same");
    assert_eq!(set(&Expiry::Typed { at: Moment::Instant(at(91)) }), 5, "another instant");
    assert_eq!(set(&Expiry::Never), 6);
    assert_eq!(set(&Expiry::Never), 6, "the same");
    assert_eq!(set(&Expiry::Unknown), 7);
}
