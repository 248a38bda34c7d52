//! What a verify tells: alive, dead or unknown, and what else the reply says about the key.

use crate::dates::{http_date, moment};
use crate::interpret::expiry::reported;
use crate::interpret::{Standing, Subject};
use crate::manifest::{Find, Learn, VerifyCall};
use crate::rules::{Reply, evidence, first};
use crate::service::Kind;
use chrono::{DateTime, Utc};
use keytender_core::exchange::ResponseValue;
use keytender_core::expiry::Expiry;
use keytender_core::rotation::Learned;
use keytender_core::secret::Value;
use keytender_core::words::Health;
use std::collections::BTreeMap;

/// What a verify tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyReading {
    /// The verdict. Unknown is never to be treated as either of the others.
    pub health: Health,
    /// What else it tells. Of a value that is not alive only what the value carries itself.
    pub learned: Learned,
    /// In words: what was asked, what was answered, why that means something.
    pub evidence: String,
}

impl Standing<'_> {
    /// Reads the reply to [`Standing::verify_request`].
    #[must_use]
    pub fn read_verify(&self, subject: Subject, response: &ResponseValue) -> VerifyReading {
        let Some(call) = &self.kind.verify else {
            let evidence = "this kind of key has no harmless verify".to_owned();
            return VerifyReading { health: Health::Unknown, learned: Learned::default(), evidence };
        };
        let held = self.held(subject);
        let name = self.name_call(&call.request, subject, held.and_then(|held| held.remote_id));
        let value = held.map(|held| held.value);
        read(self.kind, call, &self.options(), value, &name, &Reply::from(response), response.received_at)
    }
}

pub(crate) fn read(
    kind: &Kind,
    call: &VerifyCall,
    options: &BTreeMap<String, String>,
    value: Option<&Value>,
    name: &str,
    reply: &Reply<'_>,
    received_at: DateTime<Utc>,
) -> VerifyReading {
    let (health, because) = match (first(&call.alive, reply, options), first(&call.dead, reply, options)) {
        (Some(rule), None) => (Health::Alive, rule.because.as_deref()),
        (None, Some(rule)) => (Health::Dead, rule.because.as_deref()),
        (Some(_), Some(_)) => (Health::Unknown, Some("rules for alive and for dead both fit")),
        (None, None) => (Health::Unknown, Some("no rule tells what that means")),
    };
    let said = if health == Health::Alive { learn(&call.learn, Some(reply), value, received_at) } else { Learned::default() };
    let carried = learn(&kind.carries, None, value, received_at);
    let learned = Learned {
        remote_id: said.remote_id.or(carried.remote_id),
        identity: said.identity.or(carried.identity),
        scopes: said.scopes.or(carried.scopes),
        expiry: said.expiry.or(carried.expiry),
        issued_at: said.issued_at.or(carried.issued_at),
        clock_ahead_seconds: reply.header("date").and_then(http_date).map(|theirs| (received_at - theirs).num_seconds()),
    };
    VerifyReading { health, learned, evidence: evidence(name, reply, because) }
}

/// The facts that `learn` finds, apart from the service's clock.
pub(super) fn learn(learn: &Learn, reply: Option<&Reply<'_>>, value: Option<&Value>, replied_at: DateTime<Utc>) -> Learned {
    let issued_at =
        learn.issued_at.as_ref().and_then(|time| moment(&time.from.find(reply, value)?, time.format, Some(replied_at)));
    Learned {
        remote_id: learn.id.as_ref().and_then(|find| find.text(reply, value)),
        identity: learn.identity.as_ref().and_then(|find| find.text(reply, value)),
        scopes: learn.scopes.as_ref().and_then(|find| scopes(find, reply, value)),
        expiry: reported(learn, reply, value, replied_at).map(|(at, by)| Expiry::Reported { at, by }),
        issued_at,
        clock_ahead_seconds: None,
    }
}

/// Scopes, sorted and without repetition: a list of strings, or one string with blanks or commas between them.
fn scopes(find: &Find, reply: Option<&Reply<'_>>, value: Option<&Value>) -> Option<Vec<String>> {
    let mut scopes: Vec<String> = match find.find(reply, value)? {
        serde_json::Value::Array(items) => items.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<_>>()?,
        serde_json::Value::String(text) => text.split([' ', ',']).filter(|scope| !scope.is_empty()).map(str::to_owned).collect(),
        _ => return None,
    };
    scopes.sort();
    scopes.dedup();
    Some(scopes)
}
