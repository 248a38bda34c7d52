//! Requests and readings through the public door, on a made-up service that uses every part of the format.

// The world that the tests share is made beside them, where clippy's leave for tests does not reach.
#![allow(clippy::unwrap_used, clippy::panic)]

use chrono::{DateTime, NaiveDate, Utc};
use keytender_core::exchange::{CallClass, RequestValue, ResponseValue};
use keytender_core::expiry::{Expiry, Moment};
use keytender_core::ids::{IntegrationId, KeyId};
use keytender_core::ports::Sealed;
use keytender_core::rotation::Found;
use keytender_core::secret::{SecretBytes, SecretText, Value};
use keytender_core::words::{Health, Integration, Key};
use keytender_services::{
    Catalog, Held, InterpretError, MakeReading, RevokeReading, Service, SettingError, Standing, Subject, Switch, SwitchReading,
    ValueError,
};
use std::collections::BTreeMap;
use std::sync::LazyLock;

const DEMO: &str = include_str!("data/demo.toml");

static SERVICE: LazyLock<Service> = LazyLock::new(|| Service::parse("demo.toml", DEMO).unwrap_or_else(|error| panic!("{error}")));

/// A service, an integration, a key and its values, owned so that a [`Standing`] can borrow them.
struct World {
    service: Service,
    integration: Integration,
    key: Key,
    old: Value,
    managing: Value,
    old_id: Option<&'static str>,
}

impl World {
    fn new() -> Self {
        let service = SERVICE.clone();
        let integration = Integration {
            id: IntegrationId(uuid()),
            service: service.slug.clone(),
            name: "demo".parse().unwrap(),
            environment: None,
            settings: texts(&[("site", "a b/c")]),
            managed_by: None,
            notes: String::new(),
            created_at: now(),
        };
        let key = Key {
            id: KeyId(uuid()),
            integration: integration.id,
            name: "ci".parse().unwrap(),
            kind: "key".into(),
            options: texts(&[("tags", "one, two"), ("days", "30")]),
            scopes: vec!["read".into(), "write".into()],
            identity: None,
            current: None,
            tags: Vec::new(),
            disabled: false,
            created_at: now(),
        };
        let managing = value(&[("id", "robot"), ("secret", "p\"w")]);
        Self { service, integration, key, old: value(&[("secret", &token())]), managing, old_id: Some("k/1") }
    }

    fn standing(&self) -> Standing<'_> {
        Standing {
            service: &self.service,
            kind: self.service.kind("key").unwrap(),
            integration: &self.integration,
            key: &self.key,
            old: Some(Held { value: &self.old, remote_id: self.old_id, remote_name: Some("ci 2026") }),
            new: None,
            managing: Some(&self.managing),
            new_name: "ci kt-abcdef012345",
            self_hosted: false,
        }
    }
}

fn uuid() -> uuid::Uuid {
    uuid::Uuid::from_u128(7)
}

/// Built at run time, with characters that a careless URL would break on.
fn token() -> String {
    format!("demo_{}&x=1/..", "z".repeat(8))
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_252_272, 0).unwrap()
}

fn texts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

fn value(fields: &[(&str, &str)]) -> Value {
    Value::new(fields.iter().map(|(name, text)| ((*name).to_owned(), SecretText::new((*text).to_owned()))).collect())
}

fn header<'r>(request: &'r RequestValue, name: &str) -> &'r str {
    request.headers.iter().find(|(header, _)| header == name).map_or("", |(_, text)| text.expose())
}

fn response(status: u16, body: &str) -> ResponseValue {
    ResponseValue { status, headers: Vec::new(), body: SecretBytes::new(body.into()), complete: true, received_at: now() }
}

fn sealed(status: u16, body: &str) -> Sealed {
    Sealed { status, headers: Vec::new(), body: SecretBytes::new(body.into()), complete: true }
}

#[test]
fn what_is_filled_in_cannot_change_a_url() {
    let world = World::new();
    let request = world.standing().verify_request(Subject::Old).unwrap();
    let token = "demo_zzzzzzzz%26x%3D1%2F..";
    assert_eq!(request.url.expose(), format!("https://demo.example/v1/a%20b%2Fc/me?token={token}"));
    assert_eq!(request.shown, "https://demo.example/v1/a%20b%2Fc/me?token={value.secret}");
    assert_eq!((request.method, request.class), ("GET", CallClass::Verify));
    let origins: Vec<&str> = request.origins.iter().map(keytender_core::exchange::Origin::as_str).collect();
    assert_eq!(origins, ["https://demo.example", "https://api.demo.example"]);

    let revoke = world.standing().revoke_request(Some("k/1"), Subject::Old).unwrap();
    assert_eq!(revoke.url.expose(), "https://demo.example/v1/keys/k%2F1");
    assert_eq!(header(&revoke, "x-key"), self::token());
    for bad in ["", ".", ".."] {
        let refused = world.standing().revoke_request(Some(bad), Subject::Old);
        assert_eq!(refused.unwrap_err(), InterpretError::Unfit("id".into()), "{bad:?} would address another resource");
    }
    assert_eq!(world.standing().revoke_request(None, Subject::Old).unwrap_err(), InterpretError::NoId);
}

#[test]
fn an_id_that_is_the_value_does_not_show() {
    let world = World::new();
    let secret = token();
    let request = world.standing().revoke_request(Some(&secret), Subject::Old).unwrap();
    assert_eq!(request.shown, "https://demo.example/v1/keys/{id}");
    assert!(!format!("{request:?}").contains("zzzz"));
}

#[test]
fn a_base_url_of_ones_own_moves_every_request_and_nothing_else() {
    let mut world = World::new();
    world.integration.settings.insert("base_url".into(), " http://127.0.0.1:4873/ ".into());
    let request = world.standing().verify_request(Subject::Old).unwrap();
    assert!(request.url.expose().starts_with("http://127.0.0.1:4873/a%20b"));
    let list = world.standing().list_request(Subject::Old).unwrap();
    assert!(list.url.expose().starts_with("https://api.demo.example/keys?per_page=100&site=a%20b%2Fc"));
    for bad in ["demo.example", "ftp://demo.example", "https://u:p@demo.example", "https://demo.example/?x", "https://"] {
        world.integration.settings.insert("base_url".into(), bad.into());
        assert!(matches!(world.standing().verify_request(Subject::Old), Err(InterpretError::Setting(_))), "{bad}");
    }
}

#[test]
fn settings_are_filled_once_and_for_all() {
    let world = World::new();
    let filled = world.service.fill_settings(&texts(&[("site", " eu ")])).unwrap();
    assert_eq!(filled, texts(&[("base_url", "https://demo.example/v1"), ("site", "eu")]));
    assert_eq!(world.service.fill_settings(&filled).unwrap(), filled);
    assert!(matches!(world.service.fill_settings(&texts(&[("sight", "eu")])), Err(SettingError::Unknown { .. })));
}

#[test]
fn a_json_body_keeps_types_and_quotes() {
    let world = World::new();
    let request = world.standing().make_request().unwrap();
    let body: serde_json::Value = serde_json::from_slice(request.body.as_ref().unwrap().expose()).unwrap();
    let expected = serde_json::json!({
        "name": "ci kt-abcdef012345", "readonly": true, "days": 30, "tags": ["one", "two"], "scopes": ["read", "write"],
        "note": "for 30 days",
    });
    assert_eq!(body, expected);
    assert_eq!(header(&request, "authorization"), "Basic cm9ib3Q6cCJ3");
    assert_eq!(header(&request, "content-type"), "application/json");
    assert_eq!(header(&request, "x-name"), "ci kt-abcdef012345");

    let mut unscoped = World::new();
    unscoped.key.scopes.clear();
    let request = unscoped.standing().make_request().unwrap();
    let body: serde_json::Value = serde_json::from_slice(request.body.as_ref().unwrap().expose()).unwrap();
    assert!(body.get("scopes").is_none(), "unknown scopes are left out, not asked for as none");
}

#[test]
fn a_header_takes_no_line_break_and_a_user_name_no_colon() {
    let world = World::new();
    let standing = Standing { new_name: "a\r\nx-evil: 1", ..world.standing() };
    assert_eq!(standing.make_request().unwrap_err(), InterpretError::Unfit("new.name".into()));
    let colon = value(&[("id", "ro:bot"), ("secret", "pw")]);
    assert!(matches!(Standing { managing: Some(&colon), ..world.standing() }.make_request(), Err(InterpretError::Unfit(_))));
    let none = Standing { managing: None, ..world.standing() };
    assert_eq!(none.make_request().unwrap_err(), InterpretError::NoManaging { why: "only the pair may make keys".into() });
    assert_eq!(none.verify_request(Subject::New).unwrap_err(), InterpretError::NoValue("new"));
}

#[test]
fn a_verify_tells_only_what_a_rule_tells() {
    let world = World::new();
    let standing = world.standing();
    let health = |reply: &ResponseValue| standing.read_verify(Subject::Old, reply).health;
    let mut alive = response(200, r#"{"id":7,"scopes":"write read,read"}"#);
    alive.headers = vec![("x-expires".into(), "2027-01-31".into()), ("date".into(), "Sat, 21 Nov 2026 09:11:02 GMT".into())];
    let reading = standing.read_verify(Subject::Old, &alive);
    assert_eq!(reading.health, Health::Alive);
    assert_eq!(reading.learned.remote_id.as_deref(), Some("7"));
    assert_eq!(reading.learned.scopes, Some(vec!["read".into(), "write".into()]));
    assert_eq!(reading.learned.clock_ahead_seconds, Some(10));
    let date = Moment::Date(NaiveDate::from_ymd_opt(2027, 1, 31).unwrap());
    assert_eq!(reading.learned.expiry, Some(Expiry::Reported { at: date, by: "header x-expires".into() }));
    assert!(reading.evidence.starts_with("GET https://demo.example/v1/a%20b%2Fc/me?token={value.secret} answered 200"));

    assert_eq!(health(&response(401, "")), Health::Dead);
    assert_eq!(health(&response(403, r#"{"reason":"expired"}"#)), Health::Dead);
    for status in [200, 204, 301, 302, 400, 403, 404, 408, 429, 500, 502, 503] {
        assert_eq!(health(&response(status, "{}")), Health::Unknown, "{status}");
    }
    let cut = ResponseValue { complete: false, ..response(401, "") };
    assert_eq!(health(&cut), Health::Unknown);
}

#[test]
fn the_old_key_is_found_by_id_by_digest_and_by_hint() {
    let mut world = World::new();
    let list = |ids: &[(&str, &str)]| {
        let keys: Vec<_> = ids.iter().map(|(id, hint)| serde_json::json!({ "id": id, "hint": hint, "name": "n" })).collect();
        response(200, &serde_json::json!({ "keys": keys }).to_string())
    };
    let one = |id: &str| Found::One { id: id.to_owned() };
    let old = |world: &World, reply: &ResponseValue| world.standing().read_list(reply).unwrap().old;
    assert_eq!(old(&world, &list(&[("k/1", "*"), ("k2", "x=1/..")])), one("k/1"));
    assert_eq!(old(&world, &list(&[("k2", "1/..")])), Found::None, "a known id that is not listed is not listed");

    world.old_id = None;
    let digest = md5_of(&token());
    assert_eq!(old(&world, &list(&[(&digest, "*"), ("k2", "*")])), one(&digest));
    // Bullets hide; dots would too, so the visible end here has none.
    world.old = value(&[("secret", "demo_abcdWXYZ")]);
    assert_eq!(old(&world, &list(&[("k1", "demo_\u{2022}\u{2022}WXYZ"), ("k2", "WXY")])), one("k1"));
    let several = Found::Several { ids: vec!["k1".into(), "k2".into()] };
    assert_eq!(old(&world, &list(&[("k1", "...WXYZ"), ("k2", "...XYZ"), ("k3", "...abc")])), several);
}

fn md5_of(text: &str) -> String {
    use md5::Digest as _;
    hex::encode(md5::Md5::digest(text.as_bytes()))
}

#[test]
fn half_a_list_is_no_list() {
    let world = World::new();
    let read = |reply: ResponseValue| world.standing().read_list(&reply);
    let whole = r#"{"keys":[{"id":"k1","name":"a"}]}"#;
    assert_eq!(read(response(200, whole)).unwrap().entries[0].name.as_deref(), Some("a"));
    let mut paged = response(200, whole);
    paged.headers = vec![("link".into(), r#"<https://api.demo.example/keys?page=2>; rel="next""#.into())];
    assert!(read(paged).unwrap_err().evidence.contains("goes on"));
    assert!(read(ResponseValue { complete: false, ..response(200, whole) }).is_err());
    assert!(read(response(200, r#"{"keys":[{"name":"a"}]}"#)).unwrap_err().evidence.contains("no id"));
    assert!(read(response(200, "<html>")).is_err());
    let mut limited = response(429, "");
    limited.headers = vec![("retry-after".into(), "30".into())];
    assert_eq!(read(limited).unwrap_err().retry_at, Some(now() + chrono::Duration::seconds(30)));
}

#[test]
fn a_make_reply_is_made_refused_ambiguous_or_unparsable() {
    let world = World::new();
    let read = |sealed: Sealed| world.standing().read_make(&sealed, now());
    let body = serde_json::json!({ "data": { "id": 9, "token": token(), "scopes": ["read"], "ttl": 3600 } }).to_string();
    let MakeReading::Made { value, remote_id, expiry, narrower, .. } = read(sealed(201, &body)) else { panic!() };
    assert!(value.field("secret").is_some_and(|text| text.expose() == token()));
    assert_eq!(remote_id.as_deref(), Some("9"));
    assert_eq!(narrower.as_deref(), Some("the new key lacks write"));
    let at = Moment::Instant(now() + chrono::Duration::hours(1));
    assert_eq!(expiry, Expiry::Reported { at, by: "/data/ttl".into() }, "what was granted, not what was asked");

    assert!(matches!(read(sealed(401, "")), MakeReading::Refused { again_at: None, .. }));
    let mut limited = sealed(429, "");
    limited.headers = vec![("retry-after".into(), "60".into())];
    assert!(matches!(read(limited), MakeReading::Refused { again_at: Some(_), .. }));
    for status in [302, 408, 409, 425, 500, 502, 504] {
        assert!(matches!(read(sealed(status, "{}")), MakeReading::Ambiguous { .. }), "{status}");
    }
    assert!(matches!(read(Sealed { complete: false, ..sealed(201, &body[..20]) }), MakeReading::Ambiguous { .. }));
    for body in ["", "<html>", "{}", r#"{"data":{"token":null}}"#, r#"{"data":{"token":""}}"#] {
        assert!(matches!(read(sealed(201, body)), MakeReading::Unparsable { .. }), "{body}");
    }
    assert!(matches!(read(sealed(200, &body)), MakeReading::Unparsable { .. }), "a success that no rule knows is kept");
}

#[test]
fn a_paste_is_a_value_of_its_kind() {
    let world = World::new();
    let pasted = world.standing().read_make(&sealed(0, &format!("{}\r\n", token())), now());
    let MakeReading::Made { value, expiry, remote_id, .. } = pasted else { panic!() };
    assert!(value.field("secret").is_some_and(|text| text.expose() == token()));
    assert_eq!(remote_id, Some(md5_of(&token())), "the value carries its id");
    let rule = "90 days from creation".to_owned();
    assert_eq!(expiry, Expiry::Policy { at: Moment::Instant(now()).plus_days(90), rule });
    assert!(matches!(world.standing().read_make(&sealed(0, " \n"), now()), MakeReading::Unparsable { .. }));
}

#[test]
fn a_revoke_is_done_refused_limited_or_tells_nothing() {
    let world = World::new();
    let read = |status| world.standing().read_revoke(&response(status, ""));
    for status in [200, 202, 204, 404, 410] {
        assert!(matches!(read(status), RevokeReading::Revoked { .. }), "{status}");
    }
    for status in [400, 401, 403, 405] {
        assert!(matches!(read(status), RevokeReading::NotRevoked { .. }), "{status}");
    }
    for status in [302, 409, 418, 500, 503] {
        assert!(matches!(read(status), RevokeReading::NoVerdict { .. }), "{status}");
    }
    let RevokeReading::Revoked { evidence } = read(204) else { panic!() };
    assert_eq!(evidence, "DELETE https://demo.example/v1/keys/{id} answered 204");
    assert_eq!(read(429), RevokeReading::Limited { until: now() + chrono::Duration::seconds(60) });
}

#[test]
fn each_way_of_a_switch_is_a_request_of_its_own() {
    let world = World::new();
    let facts = world.standing().kind.facts();
    assert_eq!((facts.disables, facts.switch_needs_id), (Some(Switch::Api), true));
    for (on, body) in [(false, r#"{"disabled":true,"site":"a b/c"}"#), (true, r#"{"disabled":false}"#)] {
        let request = world.standing().switch_request(on, Some("k/1"), Subject::Old).unwrap();
        assert_eq!(request.url.expose(), "https://demo.example/v1/keys/k%2F1/state");
        assert_eq!((request.method, request.class), ("PATCH", CallClass::Retire));
        assert_eq!(header(&request, "x-manager"), "p\"w");
        assert_eq!(request.body.unwrap().expose(), body.as_bytes());
        assert_eq!(world.standing().switch_request(on, None, Subject::Old).unwrap_err(), InterpretError::NoId);
        assert!(world.standing().switch_steps(on).is_empty(), "a request switches that kind");
    }
    let pair = Standing { kind: world.service.kind("pair").unwrap(), ..world.standing() };
    assert_eq!(pair.kind.facts().disables, None);
    for (on, call) in [(false, "disable"), (true, "enable")] {
        let refused = pair.switch_request(on, Some("k/1"), Subject::Old).unwrap_err();
        assert_eq!(refused, InterpretError::NoCall { service: "demo".into(), kind: "pair".into(), call });
        assert!(matches!(pair.read_switch(on, &response(200, "")), SwitchReading::NoVerdict { .. }));
    }
}

#[test]
fn a_switch_is_done_refused_limited_or_tells_nothing() {
    let world = World::new();
    let off = |status| world.standing().read_switch(false, &response(status, ""));
    for status in [200, 202, 204] {
        assert!(matches!(off(status), SwitchReading::Switched { .. }), "{status}");
    }
    // A key that does not exist was not switched: nothing could switch it back.
    for status in [400, 401, 403, 404, 405, 410, 422] {
        assert!(matches!(off(status), SwitchReading::NotSwitched { .. }), "{status}");
    }
    for status in [302, 409, 500, 503] {
        assert!(matches!(off(status), SwitchReading::NoVerdict { .. }), "{status}");
    }
    assert_eq!(off(429), SwitchReading::Limited { until: now() + chrono::Duration::seconds(60) });

    let on = |status, body: &str| world.standing().read_switch(true, &response(status, body));
    let evidence = "PATCH https://demo.example/v1/keys/{id}/state answered 200: it is on".to_owned();
    assert_eq!(on(200, r#"{"disabled":false}"#), SwitchReading::Switched { evidence });
    assert!(matches!(on(200, r#"{"disabled":true}"#), SwitchReading::NoVerdict { .. }), "that is how it stood before");
    assert!(matches!(on(200, "<html>"), SwitchReading::NoVerdict { .. }));
    let evidence = "PATCH https://demo.example/v1/keys/{id}/state answered 403: your plan does not allow it".to_owned();
    assert_eq!(on(403, ""), SwitchReading::NotSwitched { evidence });
    let cut = ResponseValue { complete: false, ..response(204, "") };
    assert!(matches!(world.standing().read_switch(false, &cut), SwitchReading::NoVerdict { .. }));
}

#[test]
fn a_person_switches_where_a_person_retires() {
    let world = World::new();
    let catalog = Catalog::builtin().unwrap();
    let service = catalog.services().find(|service| service.slug.as_str() == "practice").unwrap();
    let integration = Integration { settings: BTreeMap::new(), ..world.integration.clone() };
    let standing = |kind| Standing { service, kind: service.kind(kind).unwrap(), integration: &integration, ..world.standing() };
    let guided = standing("api-person-slots");
    assert_eq!((guided.kind.facts().disables, guided.kind.facts().switch_needs_id), (Some(Switch::Person), false));
    let say = |on: bool| guided.switch_steps(on).remove(0).say;
    assert_eq!(
        (say(false).as_str(), say(true).as_str()),
        ("Find ci 2026 (k/1) and choose Disable.", "Find ci 2026 (k/1) and choose Enable.")
    );
    assert!(guided.switch_request(false, Some("k/1"), Subject::Old).is_err());
    let by_request = standing("api-api-dies");
    assert!(by_request.switch_request(false, Some("k1"), Subject::Old).is_ok() && by_request.switch_steps(false).is_empty());
}

#[test]
fn a_value_comes_from_text_or_from_json() {
    let service = Service::parse("demo.toml", DEMO).unwrap();
    let (key, pair) = (service.kind("key").unwrap(), service.kind("pair").unwrap());
    let plain = format!("demo_{}", "a".repeat(8));
    let (value, warnings) = key.value_from_text(&format!("{plain}\n")).unwrap();
    assert!(value.field("secret").is_some_and(|text| text.expose() == plain));
    assert!(warnings.is_empty(), "{warnings:?}");
    assert_eq!(key.value_from_text(" other").unwrap().1.len(), 2, "a blank and an odd shape both warn");
    for (text, error) in [
        ("", ValueError::Empty),
        ("\r\n", ValueError::Empty),
        ("a\nb", ValueError::Control("secret".into())),
        ("a\u{0}b", ValueError::Control("secret".into())),
    ] {
        assert_eq!(key.value_from_text(text).err(), Some(error), "{text:?}");
    }
    let (value, _) = pair.value_from_text(r#"{"secret":"s","id":"i"}"#).unwrap();
    assert_eq!(value.fields().map(|(name, _)| name).collect::<Vec<_>>(), ["id", "secret"], "the manifest's order");
    let error = pair.value_from_text("bare").err();
    assert_eq!(error, Some(ValueError::NotJson("\"id\", \"secret\"".into())));
    assert_eq!(pair.value_from_text(r#"{"id":"i"}"#).err(), Some(ValueError::MissingField("secret".into())));
    let extra = pair.value_from_text(r#"{"id":"i","secret":"s","x":"y"}"#).err();
    assert_eq!(extra, Some(ValueError::UnknownField("x".into())));
}

#[test]
fn a_person_reads_steps_with_names_in_them() {
    let world = World::new();
    let standing = Standing { kind: world.service.kind("pair").unwrap(), ..world.standing() };
    let steps = standing.retire_steps();
    assert_eq!(steps[0].say, "Replace ci 2026 in the portal.");
    assert_eq!(steps[0].open.as_deref(), Some("https://demo.example/v1/portal"));
    assert!(world.standing().retire_steps().is_empty(), "a request retires that kind");
}

proptest::proptest! {
    /// Whatever a person's setting, a service's id or a value holds: the request stays with the consented hosts, its path
    /// keeps its shape, and what is printed holds no value.
    #[test]
    fn nothing_that_is_filled_in_leads_elsewhere(site in "\\PC{1,24}", id in "\\PC{1,24}", secret in "[!-~]{8,40}") {
        let mut world = World::new();
        world.integration.settings.insert("site".into(), site);
        world.old = value(&[("secret", &secret)]);
        let standing = world.standing();
        for request in [standing.verify_request(Subject::Old), standing.revoke_request(Some(&id), Subject::Old)].into_iter().flatten() {
            let url = url::Url::parse(request.url.expose()).unwrap();
            proptest::prop_assert_eq!(url.host_str(), Some("demo.example"));
            proptest::prop_assert_eq!(url.path_segments().unwrap().count(), 3);
            proptest::prop_assert!(url.fragment().is_none());
            proptest::prop_assert!(!request.shown.contains(&secret));
        }
    }
}
