//! What came of making a key: the one reading on which a secret depends that cannot be had a second time.
//!
//! Only what the manifest describes counts as made or refused; whatever else arrives is ambiguous and is reconciled.

use crate::dates::retry_at;
use crate::interpret::verify::learn;
use crate::interpret::{Standing, Subject};
use crate::manifest::{MakeCall, Pointer};
use crate::rules::{Reply, evidence, first};
use crate::service::{Kind, MakeBy};
use chrono::{DateTime, Utc};
use keytender_core::expiry::{Expiry, Moment};
use keytender_core::ports::Sealed;
use keytender_core::secret::{SecretText, Value};
use std::collections::BTreeMap;

/// What came of making a key.
pub enum MakeReading {
    /// A key was made and here it is.
    Made {
        /// Its value.
        value: Value,
        /// Its id at the service, where the reply or the value tells it.
        remote_id: Option<String>,
        /// The name it bears there.
        remote_name: Option<String>,
        /// When it dies: what was granted, never what was asked.
        expiry: Expiry,
        /// When it was made, by the service's word.
        issued_at: Option<Moment>,
        /// What the old key could do and this one cannot, in words; none if nothing is missing or nothing is told.
        narrower: Option<String>,
    },
    /// Nothing was made.
    Refused {
        /// In words.
        evidence: String,
        /// When another attempt makes sense; none = not without a change.
        again_at: Option<DateTime<Utc>>,
    },
    /// The reply does not tell whether something was made.
    Ambiguous {
        /// In words.
        evidence: String,
    },
    /// The service says that it made a key, and it is not where the manifest looks for it.
    Unparsable {
        /// What was looked for and not found.
        detail: String,
    },
}

impl Standing<'_> {
    /// Reads the sealed reply to [`Standing::make_request`], or a person's paste (status 0).
    #[must_use]
    pub fn read_make(&self, sealed: &Sealed, now: DateTime<Utc>) -> MakeReading {
        if sealed.status == 0 {
            return read_paste(self.kind, sealed, now);
        }
        let MakeBy::Api(call) = &self.kind.make else {
            return MakeReading::Unparsable { detail: "a person makes this kind of key, and a reply was sealed".to_owned() };
        };
        let name = self.name_call(&call.request, Subject::Old, None);
        let reply = Reply::new(sealed.status, &sealed.headers, sealed.body.expose(), sealed.complete);
        read(self.kind, call, &self.options(), &self.key.scopes, &name, reply, now)
    }
}

fn read_paste(kind: &Kind, sealed: &Sealed, now: DateTime<Utc>) -> MakeReading {
    let unparsable = |detail: String| MakeReading::Unparsable { detail };
    if !sealed.complete {
        return unparsable("what was pasted is longer than the space set aside for it".to_owned());
    }
    let Ok(text) = std::str::from_utf8(sealed.body.expose()) else {
        return unparsable("what was pasted is not text".to_owned());
    };
    match kind.value_from_text(text) {
        Err(error) => unparsable(error.to_string()),
        Ok((value, _warnings)) => {
            let learned = learn(&kind.carries, None, Some(&value), now);
            let expiry = kind.expiry_of(&value, learned.issued_at.unwrap_or(Moment::Instant(now)), true);
            let issued_at = learned.issued_at;
            MakeReading::Made { value, remote_id: learned.remote_id, remote_name: None, expiry, issued_at, narrower: None }
        }
    }
}

pub(crate) fn read(
    kind: &Kind,
    call: &MakeCall,
    options: &BTreeMap<String, String>,
    old_scopes: &[String],
    name: &str,
    mut reply: Reply<'_>,
    now: DateTime<Utc>,
) -> MakeReading {
    let again_at = retry_at(reply.headers(), now);
    // A limiter stands in front of whatever would have made the key.
    if reply.status == 429 {
        // Without a word on when, a minute is what most limits are counted in.
        let again_at = again_at.or(Some(now + chrono::TimeDelta::minutes(1)));
        return MakeReading::Refused { evidence: evidence(name, &reply, Some("too many calls")), again_at };
    }
    if let Some(because) = refusal(call, options, &reply) {
        return MakeReading::Refused { evidence: evidence(name, &reply, because), again_at };
    }
    if first(&call.done, &reply, options).is_none() {
        let evidence = evidence(name, &reply, Some("that does not tell whether a key was made"));
        // A success that the rules do not know: the key may stand in it, so it is kept for a corrected manifest. A page where
        // JSON was due is something else in front of the service (a portal, maintenance); no manifest would find a key in it.
        let success = reply.complete && matches!(reply.status, 200..=299) && reply.json.is_some();
        return if success { MakeReading::Unparsable { detail: evidence } } else { MakeReading::Ambiguous { evidence } };
    }
    // Everything but the value first: taking the value out of the document moves it, so that no second copy exists.
    let reply_value = |reply: &mut Reply<'_>| -> Result<Value, Pointer> {
        kind.fields
            .iter()
            .filter_map(|field| call.value.get(&field.name).map(|pointer| (field, pointer)))
            .map(|(field, pointer)| {
                let text = reply.json.as_mut().and_then(|document| take_text(document, pointer));
                text.map(|text| (field.name.clone(), text)).ok_or_else(|| pointer.clone())
            })
            .collect::<Result<_, _>>()
            .map(Value::new)
    };
    let said = learn(&call.learn, Some(&reply), None, now);
    let remote_name = call.learn.name.as_ref().and_then(|find| find.text(Some(&reply), None));
    let value = match reply_value(&mut reply) {
        Ok(value) => value,
        Err(pointer) => {
            let detail = format!("{name} answered {} and there is no text at `{}`", reply.status, pointer.0);
            return MakeReading::Unparsable { detail };
        }
    };
    let carried = learn(&kind.carries, None, Some(&value), now);
    // Facts of the new value that the reply rule reads out of the value itself (`jwt:`, `md5:` in `learn`).
    let of_value = learn(&call.learn, None, Some(&value), now);
    let issued_at = said.issued_at.or(of_value.issued_at).or(carried.issued_at);
    let counted = || kind.expiry_of(&value, issued_at.unwrap_or(Moment::Instant(now)), true);
    MakeReading::Made {
        remote_id: said.remote_id.or(of_value.remote_id).or(carried.remote_id),
        remote_name,
        expiry: said.expiry.or(of_value.expiry).unwrap_or_else(counted),
        issued_at,
        narrower: said.scopes.as_deref().and_then(|scopes| narrower(old_scopes, scopes)),
        value,
    }
}

/// Whether the reply says that nothing was made; with the reason, if its rule gives one.
fn refusal<'c>(call: &'c MakeCall, options: &BTreeMap<String, String>, reply: &Reply<'_>) -> Option<Option<&'c str>> {
    /// What a refusal looks like where the manifest says nothing. 408, 409 and 425 are left out: they may follow a key.
    const REFUSALS: [u16; 6] = [400, 401, 403, 404, 405, 422];
    match &call.refused {
        Some(rules) => first(rules, reply, options).map(|rule| rule.because.as_deref()),
        None => (reply.tells() && REFUSALS.contains(&reply.status)).then_some(None),
    }
}

fn take_text(document: &mut serde_json::Value, pointer: &Pointer) -> Option<SecretText> {
    match document.pointer_mut(&pointer.0)?.take() {
        serde_json::Value::String(text) if !text.is_empty() => Some(SecretText::new(text)),
        _ => None,
    }
}

/// What the old key could do and the new one cannot.
fn narrower(old: &[String], new: &[String]) -> Option<String> {
    let missing: Vec<&str> = old.iter().filter(|scope| !new.contains(scope)).map(String::as_str).collect();
    (!missing.is_empty()).then(|| format!("the new key lacks {}", missing.join(", ")))
}
