//! Keys that are switched off and on again: who may do it, what a key that is off can still do, and how it shows.

use crate::client::{Service, send};
use chrono::TimeDelta;
use keytender_practice::{Call, Fault, FaultKind, IssueRequest, KeyKind, KeyState, Practice, PracticeError, Refusal, Who};
use serde_json::json;

#[test]
fn every_kind_is_switched_off_and_on_by_whoever_retires_it() {
    for kind in KeyKind::all() {
        let service = Service::start();
        let key = service.issue(&kind.to_string());
        match kind.retire() {
            Who::Api => {
                let off = service.switch(&key.token, &key.id, false);
                assert_eq!((off.status, off.text("id"), &off.json()["enabled"]), (200, key.id.clone(), &json!(false)), "{kind}");
            }
            Who::Person => {
                service.switch(&key.token, &key.id, false).refused(403, "switched in the portal");
                assert_eq!(service.whoami(&key.token).status, 200, "{kind}: a refused switch switches nothing");
                service.practice.disable(&key.id).unwrap();
            }
        }
        service.whoami(&key.token).refused(401, "unauthorized");
        assert!(!service.practice.accepts(&key.token).unwrap(), "{kind}");
        match kind.retire() {
            Who::Api => {
                let on = service.switch(&key.token, &key.id, true);
                assert_eq!((on.status, &on.json()["enabled"]), (200, &json!(true)), "{kind}: it takes itself back");
            }
            Who::Person => {
                service.switch(&key.token, &key.id, true).refused(403, "switched in the portal");
                service.practice.enable(&key.id).unwrap();
            }
        }
        assert_eq!(service.whoami(&key.token).text("id"), key.id, "{kind}");
    }
}

#[test]
fn a_key_that_is_off_may_call_nothing_but_its_own_return() {
    let service = Service::start();
    let (key, other) = (service.issue("api-api-overlaps"), service.issue("api-api-overlaps"));
    for key in [&key, &other] {
        service.practice.disable(&key.id).unwrap();
    }
    let (token, id) = (&key.token, &key.id);
    for refused in [
        service.whoami(token),
        service.list(token),
        service.create(token),
        service.rotate(token),
        service.delete(token, id),
        service.switch(token, id, false),
        service.switch(token, &other.id, true),
        service.ask("PATCH", &format!("/api/v1/keys/{id}"), token, "{}"),
    ] {
        refused.refused(401, "unauthorized");
    }
    assert_eq!(service.switch(token, id, true).status, 200);
    assert_eq!(service.switch(token, &other.id, true).status, 200, "a key that is on switches its fellows");
    assert_eq!(service.whoami(&other.token).status, 200);
}

#[test]
fn only_live_keys_of_the_callers_kind_are_switched() {
    let service = Service::start();
    let (key, other) = (service.issue("api-api-overlaps"), service.issue("person-api-overlaps"));
    let gone = service.issue("api-api-overlaps");
    service.practice.revoke(&gone.id).unwrap();
    for id in [&other.id, &gone.id] {
        service.switch(&key.token, id, false).refused(404, "not found");
    }
    service.switch(&gone.token, &gone.id, true).refused(401, "unauthorized");
    for body in ["{", "{}", r#"{"enabled": "no"}"#, r#"{"enabled": true, "name": "x"}"#] {
        assert_eq!(service.ask("PATCH", &format!("/api/v1/keys/{}", key.id), &key.token, body).status, 422, "{body}");
    }
    for refused in [service.practice.disable(&gone.id), service.practice.enable("pk_x")] {
        assert!(matches!(refused, Err(PracticeError::Refused(Refusal::UnknownKey))));
    }
    service.let_pass(TimeDelta::days(90));
    service.switch(&key.token, &key.id, true).refused(401, "unauthorized");
}

#[test]
fn switching_again_to_the_same_changes_nothing() {
    let service = Service::start();
    let (key, fellow) = (service.issue("api-api-overlaps"), service.issue("api-api-overlaps"));
    for on in [false, false, true, true] {
        let reply = service.switch(&fellow.token, &key.id, on);
        assert_eq!((reply.status, &reply.json()["enabled"]), (200, &json!(on)));
    }
}

#[test]
fn a_key_that_is_off_is_still_listed_takes_its_slot_and_can_be_revoked() {
    let service = Service::start();
    let kind: KeyKind = "api-api-slots".parse().unwrap();
    let (off, on) = (service.issue("api-api-slots"), service.issue("api-api-slots"));
    service.practice.disable(&off.id).unwrap();
    let list = service.list(&on.token).json();
    assert_eq!((&list["keys"][0]["id"], &list["keys"][0]["enabled"]), (&json!(off.id), &json!(false)));
    assert_eq!(list["keys"][1]["enabled"], true);
    let full = service.practice.issue(&IssueRequest::new(kind));
    assert!(matches!(full, Err(PracticeError::Refused(Refusal::SlotsFull))));
    let row = service.practice.list().unwrap().remove(0);
    assert_eq!((row.state, row.enabled), (KeyState::Live, false));
    assert_eq!(service.delete(&on.token, &off.id).status, 204);
    service.practice.issue(&IssueRequest::new(kind)).unwrap();
}

#[test]
fn what_replaces_a_key_that_is_off_is_on() {
    let service = Service::start();
    let old = service.issue("person-person-dies");
    service.practice.disable(&old.id).unwrap();
    let new = service.practice.regenerate(&old.id).unwrap();
    assert_eq!(service.whoami(&new.token).status, 200);
}

#[test]
fn a_switch_can_be_seen_late() {
    let service = Service::start();
    let key = service.issue("api-api-overlaps");
    let status = || service.whoami(&key.token).status;
    service.practice.set_fault(Fault::once(Call::Disable, FaultKind::StillAccepted { seconds: 4 })).unwrap();
    service.practice.set_fault(Fault::once(Call::Enable, FaultKind::NotYetAccepted { seconds: 2 })).unwrap();
    assert_eq!(service.switch(&key.token, &key.id, false).json()["enabled"], false);
    service.let_pass(TimeDelta::seconds(3));
    assert_eq!(status(), 200);
    service.let_pass(TimeDelta::seconds(1));
    assert_eq!(status(), 401);
    assert_eq!(service.switch(&key.token, &key.id, true).json()["enabled"], true);
    assert_eq!(status(), 401);
    assert_eq!(service.switch(&key.token, &key.id, true).status, 200, "it may ask again while it is not seen yet");
    service.let_pass(TimeDelta::seconds(2));
    assert_eq!(status(), 200);
    assert!(service.practice.faults().unwrap().is_empty());
}

#[test]
fn a_lost_reply_leaves_the_switch_done_and_a_spoilt_one_does_not_say_so() {
    let service = Service::start();
    let (key, fellow) = (service.issue("api-api-overlaps"), service.issue("api-api-overlaps"));
    let path = format!("/api/v1/keys/{}", key.id);
    service.practice.set_fault(Fault::once(Call::Disable, FaultKind::LostAfter)).unwrap();
    assert!(service.call("PATCH", &path, &fellow.token, r#"{"enabled": false}"#).is_none());
    service.whoami(&key.token).refused(401, "unauthorized");
    service.practice.set_fault(Fault::once(Call::Enable, FaultKind::WrongShape)).unwrap();
    let spoilt = service.switch(&fellow.token, &key.id, true);
    assert!(spoilt.status == 200 && spoilt.json().get("enabled").is_none(), "{spoilt:?}");
    assert_eq!(service.whoami(&key.token).status, 200);
}

#[test]
fn the_portal_switches_with_buttons_and_as_json() {
    let service = Service::start();
    let (at, key) = (service.address(), service.issue("person-person-overlaps"));
    let (disable, enable) = (format!("/disable/{}", key.id), format!("/enable/{}", key.id));
    let page = || send(at, "GET", "/", &[], "").unwrap().body;
    let post = |path: &str| send(at, "POST", path, &[], "").unwrap();
    assert!(page().contains(&format!("action=\"{disable}\"")) && !page().contains("<td>disabled</td>"));

    let done = post(&disable);
    assert_eq!((done.status, done.header("location")), (303, Some("/")));
    assert!(page().contains(&format!("action=\"{enable}\"")) && page().contains("<td>disabled</td>"));
    service.whoami(&key.token).refused(401, "unauthorized");
    assert_eq!(post(&enable).status, 303);
    assert_eq!(service.whoami(&key.token).status, 200);

    let row = post(&format!("/portal/keys/{}/disable", key.id));
    assert_eq!((row.status, &row.json()["enabled"], &row.json()["state"]), (200, &json!(false), &json!("live")));
    let keys = send(at, "GET", "/portal/keys", &[], "").unwrap().json();
    assert_eq!(keys["keys"][0]["enabled"], false);
    assert_eq!(post(&format!("/portal/keys/{}/enable", key.id)).json()["enabled"], true);

    service.practice.revoke(&key.id).unwrap();
    assert!(!page().contains("/disable/") && !page().contains("/enable/"), "what is over has no switch");
    assert_eq!(post(&disable).status, 404);
    assert_eq!(post(&format!("/portal/keys/{}/enable", key.id)).status, 404);
    let foreign = [("Origin", "https://practice.example")];
    assert_eq!(send(at, "POST", &disable, &foreign, "").unwrap().status, 403);
}

#[test]
fn the_file_reads_as_before_there_were_switches_and_keeps_them() {
    let service = Service::start();
    let key = service.issue("api-api-overlaps");
    let text = || std::fs::read_to_string(service.folder.path().join("practice.json")).unwrap();
    let before = text();
    assert!(!before.contains("enabled"), "a file without switched-off keys is one that an earlier program wrote");
    assert!(service.open_again().accepts(&key.token).unwrap());
    service.practice.disable(&key.id).unwrap();
    assert!(text().contains("\"enabled\": false"));
    let again: Practice = service.open_again();
    assert!(!again.accepts(&key.token).unwrap());
    again.enable(&key.id).unwrap();
    assert_eq!(text(), before);
}
