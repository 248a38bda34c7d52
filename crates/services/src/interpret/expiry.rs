//! When a version dies: by the service's word in the reply or in the value, else by its rule, else nobody knows.

use crate::dates::moment;
use crate::interpret::Standing;
use crate::manifest::Learn;
use crate::rules::Reply;
use crate::service::Kind;
use chrono::{DateTime, Utc};
use keytender_core::expiry::{Expiry, Lifetime, Moment};
use keytender_core::secret::Value;

impl Standing<'_> {
    /// When a value dies, as far as that is known without asking the service: see [`Kind::expiry_of`].
    #[must_use]
    pub fn expiry_of(&self, value: &Value, issued: Moment, issued_known: bool) -> Expiry {
        self.kind.expiry_of(value, issued, issued_known)
    }
}

impl Kind {
    /// When a value dies, as far as that is known without asking the service: what the value carries (`exp` of a JWT), else
    /// the kind's lifetime counted from the issue. An issue date that is only the date first seen makes an estimate.
    #[must_use]
    pub fn expiry_of(&self, value: &Value, issued: Moment, issued_known: bool) -> Expiry {
        if let Some((at, by)) = reported(&self.carries, None, Some(value), issued.instant()) {
            return Expiry::Reported { at, by };
        }
        let counted = |days: u32| {
            let (at, rule) = (issued.plus_days(days), format!("{days} days from creation"));
            if issued_known { Expiry::Policy { at, rule } } else { Expiry::Estimated { at, rule } }
        };
        match self.life {
            Lifetime::FixedDays(days) => counted(days),
            Lifetime::Never => Expiry::Never,
            // What was chosen is not known here; a default or maximum would be a guess that reads like a fact.
            Lifetime::Chosen { .. } | Lifetime::Reported | Lifetime::Unknown => Expiry::Unknown,
        }
    }
}

/// The expiry that a reply or value tells, and which part of it does.
pub(super) fn reported(
    learn: &Learn,
    reply: Option<&Reply<'_>>,
    value: Option<&Value>,
    replied_at: DateTime<Utc>,
) -> Option<(Moment, String)> {
    let time = learn.expires_at.as_ref()?;
    Some((moment(&time.from.find(reply, value)?, time.format, Some(replied_at))?, time.from.to_string()))
}
