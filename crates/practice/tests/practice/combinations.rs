//! Each kind of key from birth to death: what its combination of make, retire and old allows, and what it refuses.

use crate::client::Service;
use chrono::TimeDelta;
use keytender_practice::{IssueRequest, KeyKind, OldKey, PracticeError, Refusal, Who};
use serde_json::json;

#[test]
fn every_kind_makes_and_retires_by_its_own_rules() {
    for kind in KeyKind::all() {
        let service = Service::start();
        let first = service.issue(&kind.to_string());
        let whoami = service.whoami(&first.token);
        assert_eq!((whoami.status, whoami.text("id"), whoami.text("kind")), (200, first.id.clone(), kind.to_string()));

        // Make, by the API where it may, else by a person.
        let second = match (kind.make(), kind.old()) {
            (Who::Person, old) => {
                service.create(&first.token).refused(403, "made in the portal");
                service.rotate(&first.token).refused(403, "made in the portal");
                let made = match old {
                    OldKey::Dies => service.practice.regenerate(&first.id).unwrap(),
                    OldKey::Overlaps | OldKey::Slots => service.issue(&kind.to_string()),
                };
                (made.id.clone(), made.token)
            }
            (Who::Api, OldKey::Dies) => {
                service.create(&first.token).refused(409, "use rotate");
                let made = service.rotate(&first.token);
                assert_eq!(made.status, 201, "{kind}");
                (made.text("id"), made.text("token"))
            }
            (Who::Api, OldKey::Overlaps | OldKey::Slots) => {
                service.rotate(&first.token).refused(409, "use create");
                let made = service.create(&first.token);
                assert_eq!(made.status, 201, "{kind}");
                (made.text("id"), made.text("token"))
            }
        };
        let (second_id, second_token) = second;
        assert_ne!(second_id, first.id);
        assert_eq!(service.whoami(&second_token).text("id"), second_id);

        // The old key: dead, or alive beside the new one until it is retired.
        if kind.old() == OldKey::Dies {
            service.whoami(&first.token).refused(401, "unauthorized");
        } else {
            assert_eq!(service.whoami(&first.token).status, 200, "{kind}");
            match kind.retire() {
                Who::Api => {
                    assert_eq!(service.delete(&second_token, &first.id).status, 204, "{kind}");
                    service.delete(&second_token, &first.id).refused(404, "not found");
                }
                Who::Person => {
                    service.delete(&second_token, &first.id).refused(403, "retired in the portal");
                    assert_eq!(service.whoami(&first.token).status, 200, "a refused revoke revokes nothing");
                    service.practice.revoke(&first.id).unwrap();
                }
            }
            service.whoami(&first.token).refused(401, "unauthorized");
        }
        assert_eq!(service.whoami(&second_token).status, 200, "{kind}: the new key outlives the old one");
    }
}

#[test]
fn a_key_created_by_the_api_is_what_was_asked_for() {
    let service = Service::start();
    let first = service.issue("api-api-overlaps");
    let made = service.ask("POST", "/api/v1/keys", &first.token, r#"{"name": "deploy", "days": 30, "scopes": ["read"]}"#);
    let fields = made.json();
    assert_eq!(fields["name"], "deploy");
    assert_eq!(fields["scopes"], json!(["read"]));
    assert_eq!(fields["created_at"], "2026-03-01T12:00:00Z");
    assert_eq!(fields["expires_at"], "2026-03-31T12:00:00Z");
    assert_eq!(made.header("cache-control"), Some("no-store"));
    let whoami = service.whoami(&made.text("token")).json();
    for field in ["id", "name", "scopes", "created_at", "expires_at"] {
        assert_eq!(whoami[field], fields[field]);
    }
    assert_eq!(service.create(&first.token).text("expires_at"), "2026-05-30T12:00:00Z", "90 days unless said");
}

#[test]
fn bad_input_is_refused_and_makes_nothing() {
    let service = Service::start();
    let first = service.issue("api-api-overlaps");
    for body in ["{", "[]", r#"{"days": 31}"#, r#"{"name": ""}"#, r#"{"scopes": ["two words"]}"#, r#"{"lifetime": 30}"#] {
        assert_eq!(service.ask("POST", "/api/v1/keys", &first.token, body).status, 422, "{body}");
    }
    assert_eq!(service.practice.make_log().unwrap().api, 0);
}

#[test]
fn rotating_keeps_name_scopes_and_lifetime() {
    let service = Service::start();
    let kind = "api-person-dies".parse().unwrap();
    let request =
        IssueRequest { name: Some("deploy".into()), days: 30, scopes: Some(vec!["read".into()]), ..IssueRequest::new(kind) };
    let first = service.practice.issue(&request).unwrap();
    service.let_pass(TimeDelta::days(10));
    let fields = service.rotate(&first.token).json();
    assert_eq!((&fields["name"], &fields["scopes"]), (&json!("deploy"), &json!(["read"])));
    assert_eq!(fields["expires_at"], "2026-04-10T12:00:00Z");
}

#[test]
fn the_list_shows_live_keys_of_the_callers_kind_without_tokens() {
    let service = Service::start();
    let first = service.issue("api-api-overlaps");
    let second = service.create(&first.token);
    let gone = service.issue("api-api-overlaps");
    service.practice.revoke(&gone.id).unwrap();
    service.issue("api-api-dies");
    let list = service.list(&first.token);
    let keys = list.json()["keys"].as_array().unwrap().clone();
    assert_eq!(keys.iter().map(|key| &key["id"]).collect::<Vec<_>>(), [&json!(first.id), &second.json()["id"]]);
    let token = &first.token;
    assert_eq!(keys[0]["hint"], format!("{}...{}", &token[..8], &token[token.len() - 4..]));
    assert!(!list.body.contains(token) && !list.body.contains(&second.text("token")));
}

#[test]
fn unlisted_keys_are_made_and_revoked_but_never_listed() {
    let service = Service::start();
    let first = service.issue("api-api-unlisted");
    assert_eq!(service.create(&first.token).status, 201);
    service.list(&first.token).refused(404, "not found");
}

#[test]
fn two_slots_hold_two_keys_and_no_names() {
    let service = Service::start();
    let first = service.issue("api-api-slots");
    let second = service.ask("POST", "/api/v1/keys", &first.token, r#"{"name": "marker"}"#);
    assert_eq!((second.status, &second.json()["name"]), (201, &json!(null)));
    assert_eq!(service.list(&first.token).json()["keys"][1]["name"], json!(null));
    service.create(&first.token).refused(409, "limit");
    let in_portal = service.practice.issue(&IssueRequest::new("api-api-slots".parse().unwrap()));
    assert!(matches!(in_portal, Err(PracticeError::Refused(Refusal::SlotsFull))));
    assert_eq!(service.delete(&second.text("token"), &first.id).status, 204);
    assert_eq!(service.create(&second.text("token")).status, 201);
}

#[test]
fn a_key_may_revoke_itself_but_none_of_another_kind() {
    let service = Service::start();
    let (first, other) = (service.issue("api-api-overlaps"), service.issue("person-api-overlaps"));
    service.delete(&first.token, &other.id).refused(404, "not found");
    assert_eq!(service.delete(&first.token, &first.id).status, 204);
    service.delete(&first.token, &first.id).refused(401, "unauthorized");
}

#[test]
fn keys_die_of_age_and_back_dated_ones_sooner() {
    let service = Service::start();
    let kind = "person-person-overlaps".parse().unwrap();
    let request = IssueRequest { days: 30, created_days_ago: 28, ..IssueRequest::new(kind) };
    let key = service.practice.issue(&request).unwrap();
    assert_eq!(service.whoami(&key.token).text("expires_at"), "2026-03-03T12:00:00Z");
    service.let_pass(TimeDelta::days(2));
    service.whoami(&key.token).refused(401, "unauthorized");
    assert!(!service.practice.accepts(&key.token).unwrap());
}

#[test]
fn nothing_is_answered_without_a_live_key() {
    let service = Service::start();
    let key = service.issue("api-api-overlaps");
    let almost = format!("{}x", key.token);
    for (method, path) in
        [("GET", "/api/v1/whoami"), ("GET", "/api/v1/keys"), ("POST", "/api/v1/keys"), ("DELETE", "/api/v1/keys/pk_x")]
    {
        service.ask(method, path, &almost, "").refused(401, "unauthorized");
        let bare = crate::client::send(service.address(), method, path, &[], "").unwrap();
        bare.refused(401, "unauthorized");
    }
    let raw = [("Authorization", key.token.as_str())];
    crate::client::send(service.address(), "GET", "/api/v1/whoami", &raw, "").unwrap().refused(401, "unauthorized");
    service.ask("GET", "/api/v1/elsewhere", &key.token, "").refused(404, "not found");
}
