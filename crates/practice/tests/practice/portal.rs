//! The portal: its page, its forms, its JSON, and whom it refuses.

use crate::client::{Reply, Service, send};
use keytender_practice::{IssueRequest, KeyState};

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

fn post_form(service: &Service, path: &str, form: &str) -> Reply {
    let origin = format!("http://{}", service.address());
    send(service.address(), "POST", path, &[FORM, ("Origin", &origin)], form).unwrap()
}

fn get(service: &Service, path: &str) -> Reply {
    send(service.address(), "GET", path, &[], "").unwrap()
}

/// The text of the element with that id.
fn element(page: &str, id: &str) -> String {
    let (_, rest) = page.split_once(&format!("id=\"{id}\">")).unwrap_or_else(|| panic!("no {id} in {page}"));
    rest.split_once('<').unwrap().0.to_owned()
}

#[test]
fn a_person_makes_regenerates_and_revokes_with_forms_and_sees_each_token_once() {
    let service = Service::start();
    let made = post_form(&service, "/make", "kind=person-person-dies&name=my+site&days=30&created_days_ago=29");
    assert_eq!(made.status, 201);
    assert!(made.body.contains("This is shown once"));
    let (id, token) = (element(&made.body, "issued-id"), element(&made.body, "token"));
    let whoami = service.whoami(&token);
    assert_eq!((whoami.text("name"), whoami.text("expires_at")), ("my site".into(), "2026-03-02T12:00:00Z".into()));
    assert!(!get(&service, "/").body.contains(&token));

    let again = post_form(&service, "/make", "kind=person-person-dies&name=my+site");
    assert_eq!(again.status, 409);
    assert!(again.body.contains(&format!("regenerate {id} instead")));
    assert_eq!(post_form(&service, "/make", "kind=person-person-dies&name=another").status, 201);

    let regenerated = post_form(&service, &format!("/regenerate/{id}"), "");
    let (new_id, new_token) = (element(&regenerated.body, "issued-id"), element(&regenerated.body, "token"));
    assert!(!service.practice.accepts(&token).unwrap() && service.practice.accepts(&new_token).unwrap());
    assert_eq!(post_form(&service, &format!("/regenerate/{id}"), "").status, 404);

    let revoked = post_form(&service, &format!("/revoke/{new_id}"), "");
    assert_eq!((revoked.status, revoked.header("location")), (303, Some("/")));
    assert!(!service.practice.accepts(&new_token).unwrap());
    let states: Vec<KeyState> = service.practice.list().unwrap().iter().map(|row| row.state).collect();
    assert_eq!(states, [KeyState::Replaced, KeyState::Live, KeyState::Revoked]);
}

#[test]
fn programs_use_the_portal_as_json() {
    let service = Service::start();
    let at = service.address();
    let body = r#"{"kind": "api-api-dies", "name": "one", "days": 30, "created_days_ago": 5}"#;
    let made = send(at, "POST", "/portal/keys", &[], body).unwrap();
    assert_eq!((made.status, made.text("created_at")), (201, "2026-02-24T12:00:00Z".into()));
    let id = made.text("id");
    let again = send(at, "POST", "/portal/keys", &[], body).unwrap();
    again.refused(409, &format!("a live key of that name exists; regenerate {id} instead"));
    let regenerated = send(at, "POST", &format!("/portal/keys/{id}/regenerate"), &[], "").unwrap();
    assert_eq!(regenerated.status, 201);
    assert_eq!(service.whoami(&regenerated.text("token")).text("name"), "one");
    let new_id = regenerated.text("id");
    assert_eq!(send(at, "DELETE", &format!("/portal/keys/{new_id}"), &[], "").unwrap().status, 204);
    assert_eq!(send(at, "DELETE", &format!("/portal/keys/{new_id}"), &[], "").unwrap().status, 404);
    let keys = get(&service, "/portal/keys").json();
    assert_eq!((&keys["keys"][0]["state"], &keys["keys"][1]["state"]), (&"replaced".into(), &"revoked".into()));
    let unknown = send(at, "POST", "/portal/keys", &[], r#"{"kind": "api-api-forever"}"#).unwrap();
    assert!(unknown.status == 422 && unknown.text("error").contains("there is no kind of key"));
    let log = service.practice.make_log().unwrap();
    assert_eq!((log.portal, log.api), (2, 0));
}

#[test]
fn only_kinds_whose_old_key_dies_are_regenerated() {
    let service = Service::start();
    let key = service.issue("person-api-overlaps");
    assert_eq!(post_form(&service, &format!("/regenerate/{}", key.id), "").status, 409);
    assert!(service.practice.accepts(&key.token).unwrap());
}

#[test]
fn foreign_hosts_and_origins_are_refused_and_change_nothing() {
    let service = Service::start();
    let (at, here) = (service.address(), format!("http://{}", service.address()));
    let port = at.port();
    let body = r#"{"kind": "api-api-overlaps"}"#;
    let refused: [&[(&str, &str)]; 7] = [
        &[("Host", "practice.example")],
        &[("Host", "127.0.0.1.practice.example")],
        &[("Host", "")],
        &[("Origin", "https://practice.example")],
        &[("Origin", "null")],
        &[("Origin", "http://127.0.0.1:1")],
        &[("Host", "localhost"), ("Origin", here.as_str())],
    ];
    for headers in refused {
        for (method, path) in [("POST", "/portal/keys"), ("GET", "/"), ("GET", "/portal/keys"), ("DELETE", "/portal/faults")] {
            let reply = send(at, method, path, headers, body).unwrap();
            assert_eq!(reply.status, 403, "{method} {path} {headers:?}");
        }
    }
    assert!(service.practice.list().unwrap().is_empty());
    let named = format!("localhost:{port}");
    let welcome: [&[(&str, &str)]; 3] =
        [&[], &[("Host", &named), ("Origin", &format!("http://{named}"))], &[("Host", &format!("[::1]:{port}"))]];
    for headers in welcome {
        assert_eq!(send(at, "POST", "/portal/keys", headers, body).unwrap().status, 201, "{headers:?}");
    }
}

#[test]
fn the_page_escapes_what_people_named() {
    let service = Service::start();
    let kind = "api-api-overlaps".parse().unwrap();
    let name = r#"<script>alert("&')</script>"#;
    service.practice.issue(&IssueRequest { name: Some(name.into()), ..IssueRequest::new(kind) }).unwrap();
    let escaped = "&lt;script&gt;alert(&quot;&amp;&#39;)&lt;/script&gt;";
    let page = get(&service, "/").body;
    assert!(page.contains(escaped) && !page.contains("<script"), "{page}");
    let prefilled = get(&service, "/?name=%22%3E%3Cscript%3E&kind=%22%3E%3Cscript%3E&days=%22%3E%3Cscript%3E").body;
    assert!(prefilled.contains("value=\"&quot;&gt;&lt;script&gt;\"") && !prefilled.contains("<script"), "{prefilled}");
}

#[test]
fn the_page_asks_for_nothing_from_elsewhere() {
    let service = Service::start();
    let front = get(&service, "/");
    let policy = front.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
    assert_eq!(front.header("cache-control"), Some("no-store"));
    assert!(!front.body.contains("http://") && !front.body.contains("https://") && !front.body.contains("style=\""));
    let style = get(&service, "/page.css");
    assert_eq!((style.status, style.header("content-type")), (200, Some("text/css")));
}

#[test]
fn a_link_leads_to_the_right_choice() {
    let service = Service::start();
    let page = get(&service, "/?kind=person-api-slots&name=site&days=30").body;
    assert!(page.contains("<option selected>person-api-slots</option>"));
    assert!(page.contains("value=\"site\"") && page.contains("<option value=\"30\" selected>"));
}
