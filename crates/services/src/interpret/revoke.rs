//! What a revoke tells. A service that says "done" is not believed until the old value is refused; that is the engine's part.

use crate::interpret::answer::{Answer, Rules};
use crate::interpret::{Standing, Subject};
use crate::manifest::RevokeCall;
use crate::rules::Reply;
use crate::service::RetireBy;
use chrono::{DateTime, Utc};
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
    let rules = Rules {
        done: call.done.as_deref(),
        refused: call.refused.as_deref(),
        // Gone, or never there: 404 and 410 are as good as 204.
        usually_done: &[200, 202, 204, 404, 410],
        usually_refused: &[400, 401, 403, 405],
    };
    match rules.read(options, name, reply, received_at) {
        Answer::Done { evidence } => RevokeReading::Revoked { evidence },
        Answer::Refused { evidence } => RevokeReading::NotRevoked { evidence },
        Answer::NoVerdict { evidence } => RevokeReading::NoVerdict { evidence },
        Answer::Limited { until } => RevokeReading::Limited { until },
    }
}
