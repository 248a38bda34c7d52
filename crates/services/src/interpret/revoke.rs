//! What a revoke tells. A service that says "done" is not believed until the old value is refused; that is the engine's part.

use crate::dates::retry_at;
use crate::interpret::{Standing, Subject};
use crate::manifest::RevokeCall;
use crate::rules::{Reply, evidence, first};
use crate::service::RetireBy;
use chrono::{DateTime, Duration, Utc};
use keytender_core::exchange::ResponseValue;
use std::collections::BTreeMap;

/// What a revoke tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevokeReading {
    /// The service says that the key does not exist any more.
    Revoked {
        /// In words.
        evidence: String,
    },
    /// The service refused.
    NotRevoked {
        /// In words.
        evidence: String,
    },
    /// The reply tells nothing.
    NoVerdict {
        /// In words.
        evidence: String,
    },
    /// Too many calls.
    Limited {
        /// When the next is possible.
        until: DateTime<Utc>,
    },
}

impl Standing<'_> {
    /// Reads the reply to [`Standing::revoke_request`].
    #[must_use]
    pub fn read_revoke(&self, response: &ResponseValue) -> RevokeReading {
        let RetireBy::Api(call) = &self.kind.retire else {
            return RevokeReading::NoVerdict { evidence: "a person retires this kind of key".to_owned() };
        };
        let name = self.name_call(&call.request, Subject::Old, None);
        read(call, &self.options(), &name, &Reply::from(response), response.received_at)
    }
}

pub(crate) fn read(
    call: &RevokeCall,
    options: &BTreeMap<String, String>,
    name: &str,
    reply: &Reply<'_>,
    received_at: DateTime<Utc>,
) -> RevokeReading {
    /// Gone, or never there: 404 and 410 are as good as 204.
    const DONE: [u16; 5] = [200, 202, 204, 404, 410];
    const REFUSED: [u16; 4] = [400, 401, 403, 405];
    if reply.status == 429 {
        // A minute is what limiters that name no time mostly mean.
        let until = retry_at(reply.headers(), received_at).unwrap_or(received_at + Duration::seconds(60));
        return RevokeReading::Limited { until };
    }
    let fits = |rules: &Option<Vec<_>>, otherwise: &[u16]| match rules {
        Some(rules) => first(rules, reply, options).map(|rule| rule.because.clone()),
        None => (reply.tells() && otherwise.contains(&reply.status)).then_some(None),
    };
    let (done, refused) = (fits(&call.done, &DONE), fits(&call.refused, &REFUSED));
    match (done, refused) {
        (Some(because), None) => RevokeReading::Revoked { evidence: evidence(name, reply, because.as_deref()) },
        // A rule that the file writes out beats a status that is refused only by default.
        (Some(because), Some(_)) if call.refused.is_none() => {
            RevokeReading::Revoked { evidence: evidence(name, reply, because.as_deref()) }
        }
        (None, Some(because)) => RevokeReading::NotRevoked { evidence: evidence(name, reply, because.as_deref()) },
        (Some(_), Some(because)) if call.done.is_none() => {
            RevokeReading::NotRevoked { evidence: evidence(name, reply, because.as_deref()) }
        }
        (Some(_), Some(_)) => {
            RevokeReading::NoVerdict { evidence: evidence(name, reply, Some("rules for done and for refused both fit")) }
        }
        (None, None) => RevokeReading::NoVerdict { evidence: evidence(name, reply, Some("no rule tells what that means")) },
    }
}
