//! Counting a service's documented lifetime from the date of issue.

use super::{Expiry, Lifetime, Moment};

/// When a version dies by its service's documented rule alone.
///
/// `issued` is the date of issue where `issued_known`, and else the date first seen: what is counted from that can only be
/// too late, so it is marked as estimated. Where the person may choose and the service has a default, the default is taken;
/// where only the service knows ([`Lifetime::Reported`]) or nothing is documented, the answer is unknown.
#[must_use]
pub fn derive_policy(life: Lifetime, issued: Moment, issued_known: bool) -> Expiry {
    let (days, rule) = match life {
        Lifetime::FixedDays(days) => (days, format!("{days} days")),
        Lifetime::Chosen { default_days: Some(default), max_days } => {
            let days = max_days.map_or(default, |max| default.min(max));
            (days, format!("{days} days unless chosen otherwise,"))
        }
        Lifetime::Never => return Expiry::Never,
        Lifetime::Chosen { default_days: None, .. } | Lifetime::Reported | Lifetime::Unknown => return Expiry::Unknown,
    };
    let at = issued.plus_days(days);
    if issued_known {
        Expiry::Policy { at, rule: format!("{rule} from creation") }
    } else {
        Expiry::Estimated { at, rule: format!("{rule} from the day first seen") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDate;

    fn date(text: &str) -> Moment {
        Moment::Date(text.parse().unwrap())
    }

    #[test]
    fn a_known_issue_gives_a_policy_date_and_an_unknown_one_an_estimate() {
        let known = derive_policy(Lifetime::FixedDays(90), date("2026-11-21"), true);
        assert_eq!(known, Expiry::Policy { at: date("2027-02-19"), rule: "90 days from creation".into() });
        let guessed = derive_policy(Lifetime::FixedDays(90), date("2026-11-21"), false);
        assert_eq!(guessed, Expiry::Estimated { at: date("2027-02-19"), rule: "90 days from the day first seen".into() });
    }

    #[test]
    fn the_default_of_a_chosen_lifetime_stays_below_its_maximum() {
        let life = Lifetime::Chosen { default_days: Some(365), max_days: Some(90) };
        assert_eq!(derive_policy(life, date("2028-02-29"), true).at(), Some(date("2028-05-29")));
        let asked = Lifetime::Chosen { default_days: None, max_days: Some(90) };
        assert_eq!(derive_policy(asked, date("2028-02-29"), true), Expiry::Unknown);
    }

    #[test]
    fn what_never_dies_or_is_only_reported_has_no_policy_date() {
        assert_eq!(derive_policy(Lifetime::Never, date("2026-11-21"), true), Expiry::Never);
        assert_eq!(derive_policy(Lifetime::Reported, date("2026-11-21"), true), Expiry::Unknown);
        assert_eq!(derive_policy(Lifetime::Unknown, date("2026-11-21"), true), Expiry::Unknown);
    }

    #[test]
    fn counting_past_the_calendar_ends_at_its_end() {
        let at = derive_policy(Lifetime::FixedDays(u32::MAX), date("2026-11-21"), true).at();
        assert_eq!(at, Some(Moment::Date(NaiveDate::MAX)));
    }
}
