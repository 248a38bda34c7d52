//! Reads the cases of a service file with its own rules. A file whose examples and rules disagree is refused.

use crate::dates;
use crate::error::ManifestFault;
use crate::interpret::{MakeReading, RevokeReading, SwitchReading, read_list, read_make, read_revoke, read_switch, read_verify};
use crate::jwt;
use crate::manifest::{Case, Expected, Manifest, Placed};
use crate::rules::Reply;
use crate::service::{Kind, MakeBy, RetireBy, Service};
use chrono::{DateTime, Utc};
use keytender_core::expiry::{Expiry, Moment};
use keytender_core::rotation::{Found, Learned};
use keytender_core::secret::{SecretText, Value};
use keytender_core::words::Health;
use std::collections::BTreeMap;

type Reads = BTreeMap<&'static str, String>;

/// Every case, or the first that fails with the byte offset at which it stands.
pub(crate) fn check(service: &Service, manifest: &Manifest) -> Result<(), (usize, ManifestFault)> {
    manifest.cases.iter().try_for_each(|case| check_case(service, manifest, case))
}

fn check_case(service: &Service, manifest: &Manifest, case: &Placed<Case>) -> Result<(), (usize, ManifestFault)> {
    let kind = find_kind(service, manifest, case)?;
    let options = kind
        .fill_options(&case.options)
        .map_err(|error| (case.at, ManifestFault::Contradiction(format!("case `{}`: {error}", case.name))))?;
    let value = stand_in(kind, case);
    let body = body(case, &value);
    let headers: Vec<(String, String)> = case.reply.headers.clone().into_iter().collect();
    let reply = Reply::new(case.reply.status, &headers, body.as_bytes(), !case.reply.cut);
    let name = &**case.call;
    // Cases tell no time of their own; the one that a `date` header gives makes `seconds-left` checkable.
    let now = reply.header("date").and_then(dates::http_date).unwrap_or(DateTime::<Utc>::UNIX_EPOCH);
    let operation = name.split('.').next().unwrap_or_default();
    let (found, reads) = match (operation, &kind.verify, &kind.list, &kind.make, &kind.retire) {
        ("verify", Some(call), ..) => {
            let reading = read_verify(kind, call, &options, Some(&value), name, &reply, now);
            let verdict = match reading.health {
                Health::Alive => Expected::Alive,
                Health::Dead => Expected::Dead,
                Health::Unknown => Expected::Unknown,
            };
            (verdict, learned(reading.learned))
        }
        ("list", _, Some(call), ..) => match read_list(call, &options, name, &reply, now) {
            Err(_) => (Expected::NoReading, Reads::new()),
            Ok(list) => {
                let ids: Vec<&str> = list.entries.iter().map(|entry| entry.id.as_str()).collect();
                let old = match list.find(kind, &value, None) {
                    Found::One { id } => id,
                    Found::Several { ids } => ids.join(" "),
                    Found::None => String::new(),
                };
                (Expected::Listed, Reads::from([("ids", ids.join(" ")), ("old", old)]))
            }
        },
        ("make", _, _, MakeBy::Api(call), _) => made(read_make(kind, call, &options, &[], name, reply, now)),
        ("revoke", _, _, _, RetireBy::Api(call)) => {
            let found = match read_revoke(call, &options, name, &reply, now) {
                RevokeReading::Revoked { .. } => Expected::Revoked,
                RevokeReading::NotRevoked { .. } => Expected::Refused,
                RevokeReading::NoVerdict { .. } => Expected::NoVerdict,
                RevokeReading::Limited { .. } => Expected::Limited,
            };
            (found, Reads::new())
        }
        // A kind has two of these, so the name picks.
        ("switch", ..) => {
            let call = name.split_once('.').and_then(|(_, name)| manifest.switches.get(name));
            let missing = || (case.call.at, ManifestFault::Missing { what: "call", name: name.to_owned() });
            let found = match read_switch(call.ok_or_else(missing)?, &options, name, &reply, now) {
                SwitchReading::Switched { .. } => Expected::Switched,
                SwitchReading::NotSwitched { .. } => Expected::Refused,
                SwitchReading::NoVerdict { .. } => Expected::NoVerdict,
                SwitchReading::Limited { .. } => Expected::Limited,
            };
            (found, Reads::new())
        }
        _ => return Err((case.call.at, ManifestFault::Missing { what: "call", name: case.call.to_string() })),
    };
    let differs =
        |expected: String, found: String| Err((case.at, ManifestFault::Case { case: case.name.clone(), expected, found }));
    if found != case.expect {
        return differs(case.expect.to_string(), found.to_string());
    }
    for (fact, expected) in &case.reads {
        let read = reads.get(fact.as_str()).map_or("nothing", String::as_str);
        if read != expected {
            return differs(format!("{fact} = `{expected}`"), format!("`{read}`"));
        }
    }
    Ok(())
}

/// The kind that the case names, else the first that uses its call.
fn find_kind<'s>(service: &'s Service, manifest: &Manifest, case: &Case) -> Result<&'s Kind, (usize, ManifestFault)> {
    use crate::manifest::By;
    if let Some(name) = &case.kind {
        let missing = || (name.at, ManifestFault::Missing { what: "kind", name: name.to_string() });
        return service.kind(name).ok_or_else(missing);
    }
    let uses = |kind: &&Kind| {
        // What a kind leaves out comes from the kind it is like; the entry and that one are looked at.
        let entry = manifest.kinds.get(&kind.name);
        let like = entry.and_then(|entry| entry.like.as_ref()).and_then(|like| manifest.kinds.get(like.as_str()));
        let verify = [entry, like].into_iter().flatten().find_map(|entry| entry.verify.as_deref());
        let rotate = [entry, like].into_iter().flatten().find_map(|entry| entry.rotate.as_ref());
        let disable = [entry, like].into_iter().flatten().find_map(|entry| entry.disable.as_ref());
        let enable = [entry, like].into_iter().flatten().find_map(|entry| entry.enable.as_ref());
        let Some((operation, name)) = case.call.split_once('.') else { return false };
        match operation {
            "verify" => verify.is_some_and(|used| used == name),
            "list" => rotate.and_then(|rotate| rotate.list.as_deref()).is_some_and(|used| used == name),
            "make" => rotate.is_some_and(|rotate| matches!(&rotate.make, By::Api(used) if **used == name)),
            "switch" => [disable, enable].into_iter().flatten().any(|by| matches!(by, By::Api(used) if **used == name)),
            "revoke" => rotate.is_some_and(|rotate| matches!(&rotate.retire, By::Api(used) if **used == name)),
            _ => false,
        }
    };
    let missing = || (case.call.at, ManifestFault::Missing { what: "call", name: case.call.to_string() });
    service.kinds.iter().find(uses).ok_or_else(missing)
}

/// A value for the case: a JWT of its claims, or a text that no service issues. Generated, never a literal of a real one.
fn stand_in(kind: &Kind, case: &Case) -> Value {
    let text = case.claims.as_ref().map_or_else(|| "stand-in-for-a-value".to_owned(), jwt::unsigned);
    let fields = kind.fields.iter().map(|field| (field.name.clone(), SecretText::new(text.clone())));
    Value::new(fields.collect())
}

/// The body of the reply with `{value}` filled in.
fn body(case: &Case, value: &Value) -> String {
    let text = match (&case.reply.json, &case.reply.text) {
        (Some(json), _) => json.to_string(),
        (None, Some(text)) => text.clone(),
        (None, None) => String::new(),
    };
    value.fields().next().map_or_else(|| text.clone(), |(_, secret)| text.replace("{value}", secret.expose()))
}

fn learned(learned: Learned) -> Reads {
    let scopes = learned.scopes.map(|scopes| scopes.join(" "));
    let expires_at = learned.expiry.as_ref().and_then(Expiry::at);
    facts([("id", learned.remote_id), ("identity", learned.identity), ("scopes", scopes)], expires_at, learned.issued_at)
}

fn made(reading: MakeReading) -> (Expected, Reads) {
    match reading {
        MakeReading::Made { remote_id, remote_name, expiry, issued_at, .. } => {
            (Expected::Made, facts([("id", remote_id), ("name", remote_name), ("scopes", None)], expiry.at(), issued_at))
        }
        MakeReading::Refused { .. } => (Expected::Refused, Reads::new()),
        MakeReading::Ambiguous { .. } => (Expected::Ambiguous, Reads::new()),
        MakeReading::Unparsable { .. } => (Expected::Unparsable, Reads::new()),
    }
}

fn facts(texts: [(&'static str, Option<String>); 3], expires_at: Option<Moment>, issued_at: Option<Moment>) -> Reads {
    let written = |moment: Moment| match moment {
        Moment::Instant(at) => at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true),
        Moment::Date(date) => date.to_string(),
    };
    let times = [("expires_at", expires_at.map(written)), ("issued_at", issued_at.map(written))];
    texts.into_iter().chain(times).filter_map(|(name, fact)| fact.map(|fact| (name, fact))).collect()
}
