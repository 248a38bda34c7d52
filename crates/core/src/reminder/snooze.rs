//! Which snoozes may be offered. None reaches past the last day; in the last day only a short breath is left; for the dead
//! there is none.

use super::calendar::{Calendar, Preferences};
use chrono::{DateTime, Days, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// A snooze in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SnoozeUntil {
    /// The next day at the preferred time.
    TomorrowMorning,
    /// The next workday at the preferred time.
    NextWorkday,
    /// Three days on, at the preferred time.
    ThreeDays,
    /// One day before it dies.
    OneDayLeft,
    /// An hour from now; in the last day only.
    OneHour,
    /// 20:00 local; in the last day only.
    Tonight,
}

/// A snooze that may be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// What it is called.
    pub choice: SnoozeUntil,
    /// When it ends.
    pub until: DateTime<Utc>,
}

/// The evening of [`SnoozeUntil::Tonight`].
const EVENING: Option<NaiveTime> = NaiveTime::from_hms_opt(20, 0, 0);

/// The snoozes that may be offered at `now` for what dies at `dies`, soonest first and each instant once.
#[must_use]
pub fn offers(dies: DateTime<Utc>, now: DateTime<Utc>, zone: Tz, preferences: &Preferences) -> Vec<Offer> {
    let calendar = Calendar { zone, preferences: preferences.clone() };
    let today = calendar.date(now);
    let morning = |days: u64| calendar.instant(today.checked_add_days(Days::new(days))?, preferences.at);
    let last_day = dies - TimeDelta::days(1);
    let (choices, limit) = if now < last_day {
        let choices = [
            (SnoozeUntil::TomorrowMorning, morning(1)),
            (SnoozeUntil::NextWorkday, Some(calendar.workday_after(now))),
            (SnoozeUntil::ThreeDays, morning(3)),
            (SnoozeUntil::OneDayLeft, Some(last_day)),
        ];
        (choices.to_vec(), last_day)
    } else {
        let tonight = EVENING.and_then(|evening| calendar.instant(today, evening));
        let choices = [(SnoozeUntil::OneHour, Some(now + TimeDelta::hours(1))), (SnoozeUntil::Tonight, tonight)];
        // Strictly before its death: that has a notice of its own.
        (choices.to_vec(), dies - TimeDelta::seconds(1))
    };
    let possible = choices.into_iter().filter_map(|(choice, until)| until.map(|until| Offer { choice, until }));
    let mut offers: Vec<Offer> = possible.filter(|offer| now < offer.until && offer.until <= limit).collect();
    offers.sort_by_key(|offer| offer.until);
    offers.dedup_by_key(|offer| offer.until);
    offers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }
    fn offered(dies: &str, now: &str) -> Vec<(SnoozeUntil, DateTime<Utc>)> {
        let offers = offers(at(dies), at(now), Tz::Europe__Berlin, &Preferences::default());
        offers.into_iter().map(|offer| (offer.choice, offer.until)).collect()
    }

    #[test]
    fn on_a_friday_tomorrow_and_the_next_workday_differ() {
        assert_eq!(
            offered("2026-12-01T00:00:00Z", "2026-11-20T09:00:00Z"),
            [
                (SnoozeUntil::TomorrowMorning, at("2026-11-21T08:30:00Z")),
                // Three days on is the same Monday.
                (SnoozeUntil::NextWorkday, at("2026-11-23T08:30:00Z")),
                (SnoozeUntil::OneDayLeft, at("2026-11-30T00:00:00Z")),
            ]
        );
    }

    #[test]
    fn what_reaches_past_the_last_day_is_left_out() {
        assert_eq!(
            offered("2026-11-23T12:00:00Z", "2026-11-20T09:00:00Z"),
            [(SnoozeUntil::TomorrowMorning, at("2026-11-21T08:30:00Z")), (SnoozeUntil::OneDayLeft, at("2026-11-22T12:00:00Z")),]
        );
    }

    #[test]
    fn in_the_last_day_there_is_an_hour_and_tonight() {
        assert_eq!(
            offered("2026-11-21T00:00:00Z", "2026-11-20T09:00:00Z"),
            [(SnoozeUntil::OneHour, at("2026-11-20T10:00:00Z")), (SnoozeUntil::Tonight, at("2026-11-20T19:00:00Z"))]
        );
        assert_eq!(offered("2026-11-20T18:00:00Z", "2026-11-20T17:30:00Z"), []);
        assert_eq!(offered("2026-11-20T18:00:00Z", "2026-11-20T18:30:00Z"), [], "the dead are not snoozed");
    }
}
