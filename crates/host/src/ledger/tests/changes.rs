//! Every change does what the port says of it, and a list of them is done whole or not at all. Those of versions are in
//! versions.rs.

use super::*;
use keytender_core::ports::{Consent, Notice, NoticeOutcome};
use keytender_core::words::{Activity, ActivityKind, DotenvPlace, Environment, Placement};

#[test]
fn integrations_are_added_edited_listed_by_name_and_removed() {
    let desk = Desk::new();
    let (mut zoo, work) = (integration(1, "zoo"), integration(2, "Work"));
    desk.ledger.apply(&[Change::AddIntegration(zoo.clone()), Change::AddIntegration(work.clone())]).unwrap();
    assert_eq!(desk.ledger.integrations().unwrap(), [work.clone(), zoo.clone()]);

    zoo.environment = Some(Environment::Production);
    zoo.name = "Aquarium".parse().unwrap();
    zoo.settings.clear();
    desk.ledger.apply(&[Change::EditIntegration(zoo.clone())]).unwrap();
    assert_eq!(desk.ledger.integrations().unwrap(), [zoo, work.clone()]);

    assert_eq!(desk.ledger.apply(&[Change::EditIntegration(integration(3, "gone"))]), not_found("integration"));
    desk.ledger.apply(&[Change::RemoveIntegration(integration_id(1))]).unwrap();
    assert_eq!(desk.ledger.integrations().unwrap(), [work]);
    assert_eq!(desk.ledger.apply(&[Change::RemoveIntegration(integration_id(1))]), not_found("integration"));
}

#[test]
fn names_are_unique_by_slug_and_the_error_says_which() {
    let desk = Desk::with_key();
    let taken = |what: &str| Err(LedgerError::Exists(what.to_owned()));
    let again = desk.ledger.apply(&[Change::AddIntegration(integration(2, "WORK!"))]);
    assert_eq!(again, taken("the integration \"WORK!\""));
    assert_eq!(desk.ledger.apply(&[Change::AddKey(key(2, 1, "c.i"))]), Ok(()), "`c-i` is another slug than `ci`");
    assert_eq!(desk.ledger.apply(&[Change::AddKey(key(3, 1, "(ci)"))]), taken("the key \"(ci)\""));
    assert_eq!(desk.ledger.apply(&[Change::EditKey(key(2, 1, "CI"))]), taken("the key \"CI\""));
    desk.ledger.apply(&[Change::AddIntegration(integration(2, "Home")), Change::AddKey(key(3, 2, "CI"))]).unwrap();
    let edited = desk.ledger.apply(&[Change::EditIntegration(integration(2, "work"))]);
    assert_eq!(edited, taken("the integration \"work\""));
}

#[test]
fn a_list_of_changes_is_done_whole_or_not_at_all() {
    let desk = Desk::with_key();
    let failed = desk.ledger.apply(&[
        Change::AddIntegration(integration(2, "Home")),
        Change::AddKey(key(2, 2, "CI")),
        Change::RemoveKey(key_id(77)),
    ]);
    assert_eq!(failed, not_found("key"));
    assert_eq!(desk.ledger.integrations().unwrap().len(), 1);
    assert_eq!(desk.ledger.keys().unwrap().len(), 1);
}

#[test]
fn keys_come_by_integration_and_name() {
    let desk = Desk::new();
    let names = [(1, 1, "b"), (2, 1, "A"), (3, 2, "c")];
    desk.ledger.apply(&[Change::AddIntegration(integration(1, "zoo")), Change::AddIntegration(integration(2, "Work"))]).unwrap();
    let adds: Vec<Change> = names.iter().map(|(n, of, name)| Change::AddKey(key(*n, *of, name))).collect();
    desk.ledger.apply(&adds).unwrap();
    let listed: Vec<KeyId> = desk.ledger.keys().unwrap().iter().map(|key| key.id).collect();
    assert_eq!(listed, [key_id(3), key_id(2), key_id(1)]);
    assert_eq!(desk.ledger.key(key_id(1)).unwrap(), key(1, 1, "b"));
    assert_eq!(desk.ledger.key(key_id(9)), Err(LedgerError::NotFound("key".to_owned())));
    assert_eq!(desk.ledger.apply(&[Change::AddKey(key(4, 9, "d"))]), not_found("integration"));
}

#[test]
fn an_edit_replaces_a_key_but_leaves_its_current_version() {
    let desk = Desk::with_key();
    let mut edited = key(1, 1, "Pipeline");
    (edited.disabled, edited.current) = (true, None);
    (edited.tags, edited.identity) = (vec![], None);
    desk.ledger.apply(&[Change::EditKey(edited.clone())]).unwrap();
    let current = Some(version_id(1));
    assert_eq!(desk.ledger.key(key_id(1)).unwrap(), Key { current, ..edited });
    assert_eq!(desk.ledger.apply(&[Change::EditKey(key(9, 1, "x"))]), not_found("key"));
    assert_eq!(desk.ledger.apply(&[Change::EditKey(key(1, 9, "x"))]), not_found("integration"));
}

#[test]
fn an_integration_with_keys_stays() {
    let desk = Desk::with_key();
    let refused = desk.ledger.apply(&[Change::RemoveIntegration(integration_id(1))]);
    assert!(matches!(refused, Err(LedgerError::InUse(_))), "{refused:?}");
    desk.ledger.apply(&[Change::RemoveKey(key_id(1)), Change::RemoveIntegration(integration_id(1))]).unwrap();
    assert!(desk.ledger.integrations().unwrap().is_empty());
}

#[test]
fn a_managing_key_must_be_there_and_stays_while_it_manages() {
    let desk = Desk::with_key();
    let managed = |n| Integration { managed_by: Some(key_id(n)), ..integration(2, "Cloud") };
    assert!(matches!(desk.ledger.apply(&[Change::AddIntegration(managed(9))]), Err(LedgerError::NotFound(_))));
    // In either order within one list: the key may belong to the integration that it manages.
    desk.ledger.apply(&[Change::AddIntegration(managed(2)), Change::AddKey(key(2, 2, "root"))]).unwrap();
    assert_eq!(desk.ledger.integrations().unwrap()[0], managed(2));
    let refused = desk.ledger.apply(&[Change::RemoveKey(key_id(2))]);
    assert!(matches!(&refused, Err(LedgerError::InUse(why)) if why.contains("\"Cloud\"")), "{refused:?}");
    desk.ledger.apply(&[Change::EditIntegration(integration(2, "Cloud")), Change::RemoveKey(key_id(2))]).unwrap();
}

#[test]
fn removing_a_key_takes_all_that_hangs_on_it_and_leaves_history() {
    let desk = Desk::with_key();
    let line = Activity { at: at(1), kind: ActivityKind::Removed, key: Some(key_id(1)), rotation: None, text: "CI".into() };
    desk.ledger.append(rotation_id(1), 0, at(1), &started(1), &[Change::OpenRotation(rotation(1, 1))]).unwrap();
    desk.ledger
        .apply(&[
            Change::AddDestination(destination(1, 1)),
            Change::AddNotice(notice("7d", NoticeOutcome::Shown)),
            Change::Snooze { key: key_id(1), until: at(50) },
            Change::Log(line.clone()),
        ])
        .unwrap();
    for status in [RotationStatus::Open, RotationStatus::Stuck] {
        desk.ledger.apply(&[Change::MoveRotation { rotation: rotation_id(1), status, at: at(2) }]).unwrap();
        let refused = desk.ledger.apply(&[Change::RemoveKey(key_id(1))]);
        assert!(matches!(refused, Err(LedgerError::InUse(_))), "{status:?}: {refused:?}");
    }
    let ended = Change::MoveRotation { rotation: rotation_id(1), status: RotationStatus::Aborted, at: at(3) };
    desk.ledger.apply(&[ended, Change::RemoveKey(key_id(1))]).unwrap();
    for table in ["keys", "versions", "destinations", "rotations", "journal", "notices", "snoozes"] {
        let sql = format!("SELECT count(*) FROM {table}");
        let left: i64 = desk.ledger.connection().query_row(&sql, [], |row| row.get(0)).unwrap();
        assert_eq!(left, 0, "{table}");
    }
    assert_eq!(desk.ledger.history(Some(key_id(1)), 9).unwrap(), [line]);
    assert_eq!(desk.ledger.apply(&[Change::RemoveKey(key_id(1))]), not_found("key"));
}

#[test]
fn an_identity_that_is_not_told_stays() {
    let desk = Desk::with_key();
    let set = |identity: Option<&str>, scopes: Option<&[&str]>| {
        let scopes = scopes.map(|list| list.iter().map(|&scope| scope.to_owned()).collect());
        let change = Change::SetIdentity { key: key_id(1), identity: identity.map(str::to_owned), scopes };
        desk.ledger.apply(&[change]).unwrap();
        let key = desk.ledger.key(key_id(1)).unwrap();
        (key.identity.unwrap(), key.scopes.join(" "))
    };
    assert_eq!(set(None, None), ("äda".to_owned(), "api read_user".to_owned()));
    assert_eq!(set(Some("eve"), None), ("eve".to_owned(), "api read_user".to_owned()));
    assert_eq!(set(None, Some(&[])), ("eve".to_owned(), String::new()), "no scopes is told, too");
    let nobody = Change::SetIdentity { key: key_id(9), identity: None, scopes: None };
    assert_eq!(desk.ledger.apply(&[nobody]), not_found("key"));
}

#[test]
fn destinations_come_oldest_first_and_keep_what_is_known_of_them() {
    let desk = Desk::with_key();
    let place = DestinationWhere::Dotenv {
        path: "/srv/my app/.env".into(),
        places: vec![DotenvPlace { variable: "TOKEN".to_owned(), field: None }],
        placement: Placement { follow_symlink: true, foreign_owner: false },
    };
    let (older, newer) = (Destination { place, ..destination(1, 1) }, destination(2, 1));
    desk.ledger.apply(&[Change::AddDestination(newer.clone()), Change::AddDestination(older.clone())]).unwrap();
    assert_eq!(desk.ledger.destinations(key_id(1)).unwrap(), [older.clone(), newer.clone()]);
    assert_eq!(desk.ledger.all_destinations().unwrap(), [older.clone(), newer.clone()]);
    assert!(desk.ledger.destinations(key_id(2)).unwrap().is_empty());

    let states = [
        DestinationState::Confirmed { version: version_id(1), at: at(3) },
        DestinationState::Pushed { version: version_id(1), at: at(3) },
        DestinationState::Attested { version: version_id(1), at: at(3) },
        DestinationState::OutOfDate { seen: "another value".to_owned(), at: at(3) },
        DestinationState::Waived { at: at(3) },
    ];
    for state in states {
        desk.ledger.apply(&[Change::SetDestination { destination: newer.id, state: state.clone() }]).unwrap();
        assert_eq!(desk.ledger.destinations(key_id(1)).unwrap()[1].state, state);
    }
    desk.ledger.apply(&[Change::RemoveDestination(newer.id)]).unwrap();
    assert_eq!(desk.ledger.all_destinations().unwrap(), [older]);
    assert_eq!(desk.ledger.apply(&[Change::RemoveDestination(newer.id)]), not_found("destination"));
    let gone = Change::SetDestination { destination: newer.id, state: DestinationState::Unknown };
    assert_eq!(desk.ledger.apply(&[gone]), not_found("destination"));
    assert_eq!(desk.ledger.apply(&[Change::AddDestination(destination(3, 9))]), not_found("key"));
}

#[test]
fn a_key_has_one_open_rotation_and_stuck_ones_count() {
    let desk = Desk::with_key();
    let open = |n| desk.ledger.apply(&[Change::OpenRotation(rotation(n, 1))]);
    let move_to = |n, status| desk.ledger.apply(&[Change::MoveRotation { rotation: rotation_id(n), status, at: at(40 + n) }]);
    let taken = Err(LedgerError::Exists("an open rotation of this key".to_owned()));
    open(1).unwrap();
    assert_eq!(open(2), taken);
    move_to(1, RotationStatus::Stuck).unwrap();
    assert_eq!(open(2), taken);
    move_to(1, RotationStatus::Done).unwrap();
    open(2).unwrap();
    assert_eq!(move_to(1, RotationStatus::Open), taken, "an ended one does not come back beside it");
    assert_eq!(move_to(9, RotationStatus::Done), not_found("rotation"));
    assert_eq!(desk.ledger.apply(&[Change::OpenRotation(rotation(3, 9))]), not_found("key"));

    let ids = |open_only| -> Vec<_> { desk.ledger.rotations(open_only).unwrap().iter().map(|row| row.id).collect() };
    assert_eq!(ids(false), [rotation_id(2), rotation_id(1)]);
    assert_eq!(ids(true), [rotation_id(2)]);
    assert_eq!(desk.ledger.rotation(rotation_id(9)), Err(LedgerError::NotFound("rotation".to_owned())));
}

#[test]
fn a_rotation_that_ends_gets_its_end_once() {
    let desk = Desk::with_key();
    desk.ledger.apply(&[Change::OpenRotation(rotation(1, 1))]).unwrap();
    let moved = |status, n| {
        desk.ledger.apply(&[Change::MoveRotation { rotation: rotation_id(1), status, at: at(n) }]).unwrap();
        let row = desk.ledger.rotation(rotation_id(1)).unwrap();
        assert_eq!(row.status, status);
        row.ended_at
    };
    assert_eq!(moved(RotationStatus::Stuck, 4), None);
    assert_eq!(moved(RotationStatus::Open, 5), None);
    assert_eq!(moved(RotationStatus::Done, 6), Some(at(6)));
    assert_eq!(moved(RotationStatus::Done, 7), Some(at(6)), "said again, it ended when it did");
}

#[test]
fn a_newer_consent_replaces_the_older() {
    let desk = Desk::new();
    let consent = |subject: &str, detail: &str, n| Consent {
        kind: "manifest".to_owned(),
        subject: subject.to_owned(),
        detail: detail.to_owned(),
        at: at(n),
    };
    let (old, new, other) = (consent("mine", "aa", 1), consent("mine", "bb", 2), consent("yours", "cc", 3));
    desk.ledger.apply(&[old, other.clone(), new.clone()].map(Change::GiveConsent)).unwrap();
    assert_eq!(desk.ledger.consent("manifest", "mine").unwrap(), Some(new));
    assert_eq!(desk.ledger.consent("manifest", "yours").unwrap(), Some(other));
    assert_eq!(desk.ledger.consent("origin", "mine").unwrap(), None);
}

fn notice(threshold: &str, outcome: NoticeOutcome) -> Notice {
    Notice { version: version_id(1), expiry_revision: 1, threshold: threshold.to_owned(), outcome, at: at(9) }
}

#[test]
fn a_notice_is_recorded_once_and_listed_while_its_version_is_current() {
    let desk = Desk::with_key();
    let (shown, covered) = (notice("7d", NoticeOutcome::Shown), notice("14d", NoticeOutcome::Covered));
    let again = notice("7d", NoticeOutcome::Cancelled);
    let next = Notice { expiry_revision: 2, ..shown.clone() };
    desk.ledger.apply(&[shown.clone(), covered.clone(), again, next.clone()].map(Change::AddNotice)).unwrap();
    let mut listed = desk.ledger.notices().unwrap();
    listed.sort_by(|a, b| (a.expiry_revision, &a.threshold).cmp(&(b.expiry_revision, &b.threshold)));
    assert_eq!(listed, [covered, shown, next]);
    let astray = Notice { version: version_id(9), ..notice("7d", NoticeOutcome::Shown) };
    assert_eq!(desk.ledger.apply(&[Change::AddNotice(astray)]), not_found("version"));
    desk.ledger.apply(&[Change::SetCurrent { key: key_id(1), version: None }]).unwrap();
    assert!(desk.ledger.notices().unwrap().is_empty());
}

#[test]
fn a_snooze_counts_until_its_instant_and_a_newer_one_replaces_it() {
    let desk = Desk::with_key();
    let snooze = |n| Change::Snooze { key: key_id(1), until: at(n) };
    desk.ledger.apply(&[snooze(60), snooze(50)]).unwrap();
    assert_eq!(desk.ledger.snoozes(at(49)).unwrap(), [(key_id(1), at(50))]);
    assert!(desk.ledger.snoozes(at(50)).unwrap().is_empty());
    assert_eq!(desk.ledger.apply(&[Change::Snooze { key: key_id(9), until: at(9) }]), not_found("key"));
}

#[test]
fn history_comes_newest_first_and_cannot_be_rewritten() {
    let desk = Desk::new();
    let line = |n: u128, key: Option<u128>| Activity {
        at: at(n),
        kind: ActivityKind::Verified,
        key: key.map(key_id),
        rotation: Some(rotation_id(1)),
        text: format!("line {n}"),
    };
    // The clock went back between the first and the second: the order is that of writing.
    let lines = [line(9, Some(1)), line(2, None), line(3, Some(1))];
    desk.ledger.apply(&lines.clone().map(Change::Log)).unwrap();
    let [first, second, third] = lines;
    assert_eq!(desk.ledger.history(None, 2).unwrap(), [third.clone(), second]);
    assert_eq!(desk.ledger.history(Some(key_id(1)), 9).unwrap(), [third, first]);
    for sql in ["UPDATE activity SET text = ''", "DELETE FROM activity", "REPLACE INTO activity SELECT * FROM activity"] {
        assert!(desk.sql(sql).unwrap_err().to_string().contains("append-only"), "{sql}");
    }
}
