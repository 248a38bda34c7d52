//! What a call that switches a key off, or on again, tells. A service that says "done" is not believed until the value is
//! refused, or accepted again; that is the use case's part.

use crate::interpret::answer::{Answer, Rules};
use crate::interpret::{Standing, Subject};
use crate::manifest::SwitchCall;
use crate::rules::Reply;
use crate::service::SwitchBy;
use chrono::{DateTime, Utc};
use keytender_core::exchange::ResponseValue;
use std::collections::BTreeMap;

/// What a call that switches tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SwitchReading {
    /// The service says that the key stands as asked.
    Switched {
        /// In words.
        evidence: String,
    },
    /// The service refused.
    NotSwitched {
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
    /// Reads the reply to [`Standing::switch_request`].
    #[must_use]
    pub fn read_switch(&self, on: bool, response: &ResponseValue) -> SwitchReading {
        let Some(SwitchBy::Api(calls)) = &self.kind.switch else {
            return SwitchReading::NoVerdict { evidence: "no request switches this kind of key".to_owned() };
        };
        let call = calls.way(on);
        let name = self.name_call(&call.request, Subject::Old, None);
        read(call, &self.options(), &name, &Reply::from(response), response.received_at)
    }
}

pub(crate) fn read(
    call: &SwitchCall,
    options: &BTreeMap<String, String>,
    name: &str,
    reply: &Reply<'_>,
    received_at: DateTime<Utc>,
) -> SwitchReading {
    let rules = Rules {
        done: call.done.as_deref(),
        refused: call.refused.as_deref(),
        usually_done: &[200, 202, 204],
        // Unlike for a revoke, a key that is not there is a refusal: it can never be switched on again.
        usually_refused: &[400, 401, 403, 404, 405, 410, 422],
    };
    match rules.read(options, name, reply, received_at) {
        Answer::Done { evidence } => SwitchReading::Switched { evidence },
        Answer::Refused { evidence } => SwitchReading::NotSwitched { evidence },
        Answer::NoVerdict { evidence } => SwitchReading::NoVerdict { evidence },
        Answer::Limited { until } => SwitchReading::Limited { until },
    }
}
