//! What a reply to a call that changes a key says about the change. Revoking and switching read it alike, by rules of their
//! own; what a "done" is worth is for the caller to find out.

use crate::dates::retry_at;
use crate::manifest::Placed;
use crate::rules::{Reply, Rule, evidence, first};
use chrono::{DateTime, Duration, Utc};
use std::collections::BTreeMap;

/// What the reply says.
pub(super) enum Answer {
    /// The change is made.
    Done { evidence: String },
    /// The service refused.
    Refused { evidence: String },
    /// Nothing.
    NoVerdict { evidence: String },
    /// Too many calls.
    Limited { until: DateTime<Utc> },
}

/// The rules that a file writes out, and the statuses that stand in for those it leaves out.
pub(super) struct Rules<'r> {
    pub(super) done: Option<&'r [Placed<Rule>]>,
    pub(super) refused: Option<&'r [Placed<Rule>]>,
    pub(super) usually_done: &'static [u16],
    pub(super) usually_refused: &'static [u16],
}

impl Rules<'_> {
    pub(super) fn read(
        &self,
        options: &BTreeMap<String, String>,
        name: &str,
        reply: &Reply<'_>,
        received_at: DateTime<Utc>,
    ) -> Answer {
        if reply.status == 429 {
            // A minute is what limiters that name no time mostly mean.
            let until = retry_at(reply.headers(), received_at).unwrap_or(received_at + Duration::seconds(60));
            return Answer::Limited { until };
        }
        let fits = |rules: Option<&[Placed<Rule>]>, usually: &[u16]| match rules {
            Some(rules) => first(rules, reply, options).map(|rule| rule.because.clone()),
            None => (reply.tells() && usually.contains(&reply.status)).then_some(None),
        };
        let (done, refused) = (fits(self.done, self.usually_done), fits(self.refused, self.usually_refused));
        let evidence = |because: Option<&str>| evidence(name, reply, because);
        match (done, refused) {
            (Some(because), None) => Answer::Done { evidence: evidence(because.as_deref()) },
            // A rule that the file writes out beats a status that is refused only by default.
            (Some(because), Some(_)) if self.refused.is_none() => Answer::Done { evidence: evidence(because.as_deref()) },
            (None, Some(because)) => Answer::Refused { evidence: evidence(because.as_deref()) },
            (Some(_), Some(because)) if self.done.is_none() => Answer::Refused { evidence: evidence(because.as_deref()) },
            (Some(_), Some(_)) => Answer::NoVerdict { evidence: evidence(Some("rules for done and for refused both fit")) },
            (None, None) => Answer::NoVerdict { evidence: evidence(Some("no rule tells what that means")) },
        }
    }
}
