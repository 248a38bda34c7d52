//! Keys switched off and on at the practice server: by request, by a person, seen late, and with every reply going wrong.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what went wrong by panicking")]

use chrono::TimeDelta;
use keytender_api::{AnswerRequest, Error, ErrorKind, IntegrationAdd, IntegrationEdit, KeyAdd, Resting, SwitchView};
use keytender_core::rotation::{Ask, End, Purpose};
use keytender_core::secret::SecretText;
use keytender_core::words::{ActivityKind, Health};
use keytender_practice::{Call, Fault, FaultKind, IssueRequest, KeyKind, KeyState, Times, Who};
use keytender_services::Catalog;
use keytender_tests::desk::Desk;

/// A desk with one key by request, `home/api-api-overlaps`; its id at the service and its value.
fn one_key() -> (Desk, &'static str, String, String) {
    let desk = Desk::open().unwrap();
    let (id, value) = desk.add("api-api-overlaps".parse().unwrap()).unwrap();
    (desk, "home/api-api-overlaps", id, value)
}

/// What history says of switches, newest first.
fn switches(desk: &Desk, key: &str) -> Vec<String> {
    let lines = desk.api.history(Some(key), 50).unwrap().into_iter();
    lines.filter(|line| line.kind == ActivityKind::Switched).map(|line| line.text).collect()
}

/// The key as the ledger has it: switched off on request, and the last verdict on its value.
fn recorded(desk: &Desk, key: &str) -> (bool, Option<Health>) {
    let view = desk.api.key_shown(key).unwrap();
    (view.disabled, view.current.unwrap().health)
}

fn fault(desk: &Desk, call: Call, kind: FaultKind) {
    desk.practice.set_fault(Fault::once(call, kind)).unwrap();
}

#[track_caller]
fn refused(result: Result<SwitchView, Error>, kind: ErrorKind, words: &str) -> Error {
    let error = result.unwrap_err();
    let text = format!("{error} ({})", error.help.clone().unwrap_or_default());
    assert!(error.kind == kind && text.contains(words), "{:?}: {text}", error.kind);
    error
}

#[test]
fn every_kind_that_requests_retire_is_switched_off_and_on_by_request() {
    for kind in KeyKind::all().filter(|kind| kind.retire() == Who::Api) {
        let desk = Desk::open().unwrap();
        let (id, value) = desk.add(kind).unwrap();
        let key = format!("home/{kind}");

        let off = desk.api.set_enabled(&key, false).unwrap();
        assert!(off.done && !off.enabled && off.steps.is_empty(), "{off:?}");
        assert!(off.evidence.contains("answered 200; then GET") && off.evidence.contains("answered 401"), "{off:?}");
        assert!(!desk.practice.accepts(&value).unwrap(), "{kind}");
        assert_eq!(recorded(&desk, &key), (true, Some(Health::Dead)), "{kind}");
        assert_eq!(desk.practice.list().unwrap()[0].state, KeyState::Live, "{kind}: it is not ended");
        assert_eq!(desk.value(&key).unwrap(), value, "{kind}: it is still held");
        assert_eq!(desk.api.key_shown(&key).unwrap().current.unwrap().remote_id, Some(id), "{kind}");

        let on = desk.api.set_enabled(&key, true).unwrap();
        assert!(on.done && on.enabled && on.steps.is_empty(), "{on:?}");
        assert!(desk.practice.accepts(&value).unwrap(), "{kind}");
        assert_eq!(recorded(&desk, &key), (false, Some(Health::Alive)), "{kind}");
        let lines = switches(&desk, &key);
        let begin: Vec<&str> = lines.iter().map(|line| line.split(':').next().unwrap()).collect();
        assert_eq!(begin, ["switched on", "to be switched on", "switched off", "to be switched off"], "{kind}");
        assert!(lines.iter().all(|line| !line.contains(&value)));
    }
}

#[test]
fn a_person_switches_in_the_portal_and_the_same_command_completes_it() {
    for kind in KeyKind::all().filter(|kind| kind.retire() == Who::Person) {
        let desk = Desk::open().unwrap();
        let (id, value) = desk.add(kind).unwrap();
        let key = format!("home/{kind}");
        for (on, word) in [(false, "Disable"), (true, "Enable")] {
            for _ in 0..2 {
                let asked = desk.api.set_enabled(&key, on).unwrap();
                assert!(!asked.done && asked.enabled != on, "{asked:?}");
                assert!(asked.steps[0].say.contains(word) && asked.steps[0].say.contains(&id), "{:?}", asked.steps);
                assert!(asked.steps[0].open.as_ref().is_some_and(|page| page.starts_with("http://127.0.0.1:")));
                assert_eq!(desk.practice.accepts(&value).unwrap(), !on, "{kind}: nothing was sent");
                assert_eq!(recorded(&desk, &key).0, on, "{kind}: nothing is recorded before it shows");
            }
            if on { desk.practice.enable(&id) } else { desk.practice.disable(&id) }.unwrap();
            let done = desk.api.set_enabled(&key, on).unwrap();
            assert!(done.done && done.enabled == on && done.steps.is_empty(), "{done:?}");
            assert_eq!(recorded(&desk, &key).0, !on, "{kind}");
        }
        let begin: Vec<String> = switches(&desk, &key).iter().map(|line| line.split(':').next().unwrap().to_owned()).collect();
        assert_eq!(begin, ["switched on", "switched off"], "{kind}");
    }
}

#[test]
fn what_stands_as_asked_is_not_asked_again() {
    let (desk, key, id, _) = one_key();
    let on = desk.api.set_enabled(key, true).unwrap();
    assert!(on.done && on.enabled && on.evidence.starts_with("nothing had to be sent: GET"), "{on:?}");
    assert!(switches(&desk, key).is_empty(), "nothing has changed");
    // Switched off by someone else: seen, and recorded.
    desk.practice.disable(&id).unwrap();
    let off = desk.api.set_enabled(key, false).unwrap();
    assert!(off.done && !off.enabled && off.evidence.starts_with("nothing had to be sent"), "{off:?}");
    assert_eq!(recorded(&desk, key), (true, Some(Health::Dead)));
    assert!(desk.api.set_enabled(key, false).unwrap().done);
    assert_eq!(switches(&desk, key).len(), 1);
}

#[test]
fn a_key_that_is_off_is_not_checked() {
    let (desk, key, ..) = one_key();
    assert_eq!(desk.api.verify_all().unwrap().len(), 1);
    desk.api.set_enabled(key, false).unwrap();
    assert!(desk.api.verify_all().unwrap().is_empty());
    desk.api.set_enabled(key, true).unwrap();
    assert_eq!(desk.api.verify_all().unwrap().len(), 1);
}

#[test]
fn a_switch_is_waited_for_as_long_as_the_service_may_take() {
    let (desk, key, _, value) = one_key();
    fault(&desk, Call::Disable, FaultKind::StillAccepted { seconds: 4 });
    assert!(desk.api.set_enabled(key, false).unwrap().done, "the manifest allows five seconds");
    assert!(!desk.practice.accepts(&value).unwrap());
    fault(&desk, Call::Enable, FaultKind::NotYetAccepted { seconds: 2 });
    assert!(desk.api.set_enabled(key, true).unwrap().done, "the manifest allows three seconds");
    assert!(desk.practice.accepts(&value).unwrap());
}

#[test]
fn a_service_that_says_done_is_not_believed_until_it_shows() {
    let (desk, key, _, _) = one_key();
    fault(&desk, Call::Disable, FaultKind::StillAccepted { seconds: 60 });
    let off = desk.api.set_enabled(key, false).unwrap();
    assert!(!off.done && off.enabled && off.steps.is_empty(), "{off:?}");
    assert!(off.evidence.contains("answered 200; then GET"), "{off:?}");
    assert_eq!(recorded(&desk, key), (false, Some(Health::Alive)));
    desk.clock.advance(TimeDelta::seconds(60));
    assert!(desk.api.set_enabled(key, false).unwrap().done, "run again, it finds it done");
    assert_eq!(recorded(&desk, key), (true, Some(Health::Dead)));

    fault(&desk, Call::Enable, FaultKind::NotYetAccepted { seconds: 60 });
    let on = desk.api.set_enabled(key, true).unwrap();
    assert!(!on.done && !on.enabled, "{on:?}");
    assert_eq!(recorded(&desk, key), (true, Some(Health::Dead)), "still off, as far as anyone can see");
    desk.clock.advance(TimeDelta::seconds(60));
    assert!(desk.api.set_enabled(key, true).unwrap().done);
    assert_eq!(recorded(&desk, key), (false, Some(Health::Alive)));
}

#[test]
fn a_reply_that_is_lost_or_spoilt_is_made_up_for_by_looking() {
    for spoilt in [FaultKind::LostAfter, FaultKind::WrongShape, FaultKind::Cut { bytes: 10 }] {
        let (desk, key, _, value) = one_key();
        fault(&desk, Call::Disable, spoilt.clone());
        let off = desk.api.set_enabled(key, false).unwrap();
        assert!(off.done && !off.enabled, "{spoilt:?}: {off:?}");
        fault(&desk, Call::Enable, spoilt.clone());
        assert!(desk.api.set_enabled(key, true).unwrap().done, "{spoilt:?}");
        assert!(desk.practice.accepts(&value).unwrap());
    }
    // And when it never happened, looking says so.
    let server_trouble = FaultKind::Status { code: 503, retry_after: None };
    for nothing_done in [FaultKind::LostBefore, FaultKind::Html, server_trouble] {
        let (desk, key, _, value) = one_key();
        fault(&desk, Call::Disable, nothing_done.clone());
        let off = desk.api.set_enabled(key, false).unwrap();
        assert!(!off.done && off.enabled, "{nothing_done:?}: {off:?}");
        assert_eq!(recorded(&desk, key), (false, Some(Health::Alive)));
        assert!(desk.practice.accepts(&value).unwrap());
        assert!(desk.api.set_enabled(key, false).unwrap().done, "{nothing_done:?}: run again, it is done");
    }
}

#[test]
fn a_service_that_cannot_be_asked_is_not_asked_to_switch() {
    let (desk, key, _, value) = one_key();
    let down = Fault { call: Call::Verify, kind: FaultKind::LostBefore, times: Times::Forever };
    desk.practice.set_fault(down).unwrap();
    refused(desk.api.set_enabled(key, false), ErrorKind::Unreachable, "nothing was sent");
    desk.practice.clear_faults().unwrap();
    assert!(desk.practice.accepts(&value).unwrap());
    assert!(switches(&desk, key).is_empty());

    fault(&desk, Call::Disable, FaultKind::Status { code: 429, retry_after: Some("30".into()) });
    refused(desk.api.set_enabled(key, false), ErrorKind::Unreachable, "nothing was changed");
    // What the service wished for is kept: before that, not even a look is sent.
    refused(desk.api.set_enabled(key, false), ErrorKind::Unreachable, "too many calls");
    desk.clock.advance(TimeDelta::seconds(31));
    assert!(desk.api.set_enabled(key, false).unwrap().done);
}

#[test]
fn a_refusal_leaves_the_key_as_it_was_and_says_so() {
    let (desk, key, _, value) = one_key();
    fault(&desk, Call::Disable, FaultKind::Status { code: 403, retry_after: None });
    let error = refused(desk.api.set_enabled(key, false), ErrorKind::Refused, "refused to switch it off");
    assert!(error.happened.contains("answered 403") && !error.happened.contains(&value), "{error}");
    assert_eq!(recorded(&desk, key), (false, None));
    let lines = switches(&desk, key);
    assert!(lines[0].starts_with("not switched off: PATCH") && lines[1].starts_with("to be switched off"), "{lines:?}");

    // A key that someone revoked cannot be switched on again.
    desk.api.set_enabled(key, false).unwrap();
    let id = desk.practice.list().unwrap()[0].id.clone();
    desk.practice.revoke(&id).unwrap();
    refused(desk.api.set_enabled(key, true), ErrorKind::Refused, "`keytender rotate home/api-api-overlaps` replaces it");
    assert!(recorded(&desk, key).0);
}

#[test]
fn a_key_whose_time_is_over_is_not_taken_for_one_that_is_off() {
    let (desk, key, ..) = one_key();
    desk.api.verify(key).unwrap();
    desk.clock.advance(TimeDelta::days(91));
    refused(desk.api.set_enabled(key, false), ErrorKind::Refused, "there is nothing to switch off");
    assert!(!recorded(&desk, key).0);
}

#[test]
fn off_is_not_taken_for_revoked() {
    let (desk, key, _, old) = one_key();
    assert!(desk.api.set_enabled(key, false).unwrap().done);
    let error = desk.api.plan(key, Purpose::Revoke, false).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(error.help.unwrap().contains("enable"));
    assert_eq!(desk.practice.list().unwrap()[0].state, KeyState::Live);

    // Replacing it is possible: it counts as dead, so a person makes the new one, and that one is not switched off.
    let plan = desk.api.plan(key, Purpose::Replace, false).unwrap();
    assert!(plan.warnings.iter().any(|warning| warning.contains("switched off")), "{:?}", plan.warnings);
    let (id, resting) = desk.begin(key, Purpose::Replace).unwrap();
    assert!(matches!(resting, Resting::Asks(Ask::Paste { old_was_dead: true, .. })), "{resting:?}");
    let made = desk.practice.issue(&IssueRequest::new("api-api-overlaps".parse().unwrap())).unwrap();
    let resting = desk.answer(&id, AnswerRequest::Secret(SecretText::new(made.token.clone()))).unwrap();
    assert!(matches!(resting, Resting::Ended(End::Done)), "{resting:?}");
    assert_ne!(desk.value(key).unwrap(), old);
    assert_eq!(recorded(&desk, key), (false, Some(Health::Alive)));
}

#[test]
fn nothing_is_switched_while_a_rotation_is_unfinished() {
    let desk = Desk::open().unwrap();
    let kind: KeyKind = "person-api-overlaps".parse().unwrap();
    let (_, value) = desk.add(kind).unwrap();
    let key = format!("home/{kind}");
    let (rotation, _) = desk.begin(&key, Purpose::Replace).unwrap();
    refused(desk.api.set_enabled(&key, false), ErrorKind::Busy, &format!("keytender rotations resume {rotation}"));
    assert!(desk.practice.accepts(&value).unwrap());
}

#[test]
fn a_locked_vault_and_a_missing_key_are_told() {
    let (desk, key, _, value) = one_key();
    desk.vault.lock();
    refused(desk.api.set_enabled(key, false), ErrorKind::Locked, "unlock");
    desk.vault.unlock();
    assert!(desk.practice.accepts(&value).unwrap());
    refused(desk.api.set_enabled("home/none", false), ErrorKind::NotFound, "home/none");
}

#[test]
fn where_a_service_has_no_switch_the_other_ways_are_named() {
    let desk = Desk::open().unwrap();
    let settings = [("base_url".to_owned(), "http://127.0.0.1:9".to_owned())].into();
    let registry = IntegrationAdd { service: "npm-registry".into(), name: "registry".into(), settings, ..Default::default() };
    desk.api.integration_add(registry).unwrap();
    add(&desk, "registry", "ci", "token", "made-at-run-time");
    refused(desk.api.set_enabled("registry/ci", false), ErrorKind::Refused, "`keytender revoke registry/ci`");
    refused(desk.api.set_enabled("registry/ci", true), ErrorKind::Refused, "`keytender verify registry/ci`");
}

#[test]
fn a_key_that_was_off_before_keytender_knew_its_id_is_a_persons_matter() {
    for (kind, why) in [("api-api-overlaps", "answered 401"), ("api-api-unlisted", "the service cannot list keys")] {
        let desk = Desk::open().unwrap();
        let (id, _) = desk.add(kind.parse().unwrap()).unwrap();
        desk.practice.disable(&id).unwrap();
        let key = format!("home/{kind}");
        refused(desk.api.set_enabled(&key, true), ErrorKind::PersonNeeded, why);
        desk.practice.enable(&id).unwrap();
        assert!(desk.api.set_enabled(&key, true).unwrap().done);
    }
}

/// Keys that another credential lists and switches, as at many services. Nothing but the list tells their ids.
const MANAGED: &str = r#"
slug = "managed"
name = "Managed service"
hosts = ["{setting.base_url}"]

[[source]]
title = "Made up for tests"
seen = 2026-11-21
proves = ["nothing"]

[setting.base_url]
label = "Base URL"
kind = "url"
required = true

[kind.app]
label = "app key"
class = "api-key"
life = "unknown"
verify = "whoami"
managing = { kind = "chief", why = "only the chief switches" }
disable = { api = "off" }
enable = { api = "on" }
rotate = { list = "keys", make = { person = "portal" }, retire = { person = "portal" }, old = "overlaps" }

[kind.chief]
label = "managing key"
class = "api-key"
life = "unknown"
verify = "whoami"
rotate = { make = { person = "portal" }, retire = { person = "portal" }, old = "overlaps" }

[verify.whoami]
confidence = "documented"
request = { method = "GET", url = "{setting.base_url}/api/v1/whoami", auth = { bearer = "{value.secret}" } }
alive = [{ status = 200 }]
dead = [{ status = 401 }]

[list.keys]
confidence = "documented"
request = { method = "GET", url = "{setting.base_url}/api/v1/keys", auth = { bearer = "{managing.secret}" } }
done = [{ status = 200 }]
entries = "/keys"
id = "/id"
hint = { at = "/hint", shows = "both" }

[switch.off]
confidence = "documented"
request = { method = "PATCH", url = "{setting.base_url}/api/v1/keys/{id}", auth = { bearer = "{managing.secret}" }, json = { enabled = false } }

[switch.on]
confidence = "documented"
request = { method = "PATCH", url = "{setting.base_url}/api/v1/keys/{id}", auth = { bearer = "{managing.secret}" }, json = { enabled = true } }

[[guide.portal]]
say = "Do it in the portal."
"#;

#[test]
fn another_credential_switches_and_its_list_tells_the_id() {
    let mut catalog = Catalog::builtin().unwrap();
    catalog.add_user("managed.toml", MANAGED).unwrap();
    let desk = Desk::open_with(catalog).unwrap();
    desk.api.trust("managed").unwrap();
    let settings = [("base_url".to_owned(), desk.url())].into();
    let managed = IntegrationAdd { service: "managed".into(), name: "work".into(), settings, ..Default::default() };
    desk.api.integration_add(managed).unwrap();
    let issue = || desk.practice.issue(&IssueRequest::new("api-api-overlaps".parse().unwrap())).unwrap();
    let (app, chief) = (issue(), issue());
    add(&desk, "work", "app", "app", &app.token);
    add(&desk, "work", "chief", "chief", &chief.token);
    refused(desk.api.set_enabled("work/app", false), ErrorKind::PersonNeeded, "--managed-by");
    let managed = IntegrationEdit { managed_by: Some("work/chief".into()), ..Default::default() };
    desk.api.integration_edit("work", managed).unwrap();

    // Off before Keytender knew its id: the list, which the chief signs for, tells it.
    desk.practice.disable(&app.id).unwrap();
    assert!(desk.api.set_enabled("work/app", true).unwrap().done);
    assert!(desk.practice.accepts(&app.token).unwrap());
    let remote_id = |key: &str| desk.api.key_shown(key).unwrap().current.unwrap().remote_id;
    assert_eq!(remote_id("work/app"), Some(app.id.clone()));
    let off = desk.api.set_enabled("work/app", false).unwrap();
    assert!(off.done && !off.enabled, "{off:?}");
    assert!(!desk.practice.accepts(&app.token).unwrap() && desk.practice.accepts(&chief.token).unwrap());

    // A key that the list does not show is left alone.
    let stranger = desk.practice.issue(&IssueRequest::new("person-api-overlaps".parse().unwrap())).unwrap();
    add(&desk, "work", "stranger", "app", &stranger.token);
    refused(desk.api.set_enabled("work/stranger", false), ErrorKind::PersonNeeded, "does not list it");
    assert!(desk.practice.accepts(&stranger.token).unwrap());
}

fn add(desk: &Desk, integration: &str, name: &str, kind: &str, value: &str) {
    let request = KeyAdd {
        integration: integration.into(),
        name: name.into(),
        kind: Some(kind.into()),
        expires: None,
        issued: None,
        options: Default::default(),
        tags: Vec::new(),
        secret: SecretText::new(value.to_owned()),
    };
    desk.api.key_add(request).unwrap();
}
