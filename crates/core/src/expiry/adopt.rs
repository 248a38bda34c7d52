//! Which of two answers to "when does it die?" stands.
//!
//! Facts beat the calendar: what the service reports overrules what was typed, counted or estimated. What a person types
//! overrules everything except an earlier date from the service, and then it is refused with the reason, not swallowed.

use super::{Expiry, Moment};
use chrono::TimeDelta;

/// Two reports this close are the same fact: `expires_in` counted from two replies differs by their travel time, and each
/// difference that counted would start the version's reminders anew.
const SAME_FACT: TimeDelta = TimeDelta::minutes(5);

/// The service has said that the version dies before the date that was typed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the service reports that it dies on {at} ({by}); that date stands. Give an earlier one, or leave it as it is")]
pub struct Overruled {
    /// What the service said.
    pub at: Moment,
    /// Where it said so.
    pub by: String,
}

/// What replaces `current` now that `reported` has been learned; none where `current` stands or says the same.
///
/// A typed date may be given as well: it is adopted as by [`amend`].
#[must_use]
pub fn adopt(current: &Expiry, reported: &Expiry) -> Option<Expiry> {
    let replaces = match (current, reported) {
        (Expiry::Reported { at: old, .. }, Expiry::Reported { at: new, .. }) => !says_the_same(*old, *new),
        (_, Expiry::Reported { .. }) => true,
        (_, Expiry::Typed { .. }) => return amend(current, reported).ok().filter(|amended| amended != current),
        // Counted dates and a bare "never" only fill what nobody has said.
        (Expiry::Policy { .. } | Expiry::Estimated { .. } | Expiry::Unknown, Expiry::Never) => true,
        (Expiry::Policy { .. } | Expiry::Estimated { .. } | Expiry::Unknown, Expiry::Policy { .. }) => current != reported,
        (Expiry::Estimated { .. } | Expiry::Unknown, Expiry::Estimated { .. }) => current != reported,
        _ => false,
    };
    replaces.then(|| reported.clone())
}

/// What stands once a person has typed `typed` (a date, never, or unknown) over `current`.
///
/// # Errors
/// [`Overruled`] when the service reported a date and `typed` would put the version's death later than that, or nowhere.
pub fn amend(current: &Expiry, typed: &Expiry) -> Result<Expiry, Overruled> {
    match current {
        Expiry::Reported { at, by } if typed.at().is_none_or(|typed| typed.instant() > at.instant()) => {
            Err(Overruled { at: *at, by: by.clone() })
        }
        _ => Ok(typed.clone()),
    }
}

/// Whether a newer report adds nothing: as good as the same instant, or only the date of an instant that is known.
fn says_the_same(old: Moment, new: Moment) -> bool {
    match (old, new) {
        (Moment::Instant(old), Moment::Instant(new)) => (new - old).abs() <= SAME_FACT,
        (Moment::Instant(old), Moment::Date(new)) => old.date_naive() == new,
        (Moment::Date(old), Moment::Date(new)) => old == new,
        (Moment::Date(_), Moment::Instant(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Moment {
        Moment::Date(text.parse().unwrap())
    }
    fn instant(text: &str) -> Moment {
        Moment::Instant(text.parse().unwrap())
    }
    fn reported(at: Moment) -> Expiry {
        Expiry::Reported { at, by: "/expires_at".into() }
    }
    fn counted(at: Moment) -> Expiry {
        Expiry::Policy { at, rule: "90 days from creation".into() }
    }

    #[test]
    fn a_report_overrules_whatever_was_believed() {
        let fact = reported(date("2027-01-10"));
        for belief in [
            Expiry::Typed { at: date("2027-01-01") },
            Expiry::Typed { at: date("2027-02-01") },
            counted(date("2027-01-10")),
            Expiry::Estimated { at: date("2027-03-01"), rule: String::new() },
            reported(date("2027-02-01")),
            Expiry::Never,
            Expiry::Unknown,
        ] {
            assert_eq!(adopt(&belief, &fact), Some(fact.clone()), "over {belief:?}");
        }
    }

    #[test]
    fn the_same_fact_told_again_changes_nothing() {
        let exact = reported(instant("2027-01-10T08:00:00Z"));
        assert_eq!(adopt(&exact, &exact), None);
        assert_eq!(adopt(&exact, &reported(instant("2027-01-10T08:00:02Z"))), None);
        assert_eq!(adopt(&exact, &reported(date("2027-01-10"))), None, "a date tells less than the instant does");
        let rough = reported(date("2027-01-10"));
        assert_eq!(adopt(&rough, &exact), Some(exact.clone()), "an instant tells more than the date did");
    }

    #[test]
    fn a_typed_date_never_silently_postpones_what_the_service_said() {
        let fact = reported(date("2027-01-10"));
        let later = Expiry::Typed { at: date("2027-01-11") };
        let earlier = Expiry::Typed { at: date("2027-01-09") };
        assert_eq!(adopt(&fact, &later), None);
        assert_eq!(amend(&fact, &later), Err(Overruled { at: date("2027-01-10"), by: "/expires_at".into() }));
        assert_eq!(adopt(&fact, &earlier), Some(earlier.clone()));
        assert!(amend(&fact, &Expiry::Never).is_err() && amend(&fact, &Expiry::Unknown).is_err());
        assert_eq!(amend(&counted(date("2027-01-10")), &Expiry::Never), Ok(Expiry::Never));
    }

    #[test]
    fn counted_dates_fill_gaps_only() {
        let rule = counted(date("2027-01-10"));
        assert_eq!(adopt(&Expiry::Unknown, &rule), Some(rule.clone()));
        assert_eq!(adopt(&Expiry::Typed { at: date("2027-02-01") }, &rule), None);
        assert_eq!(adopt(&reported(date("2027-02-01")), &rule), None);
        assert_eq!(adopt(&rule, &Expiry::Never), Some(Expiry::Never));
        assert_eq!(adopt(&Expiry::Typed { at: date("2027-02-01") }, &Expiry::Never), None);
        assert_eq!(adopt(&rule, &Expiry::Unknown), None);
    }
}
