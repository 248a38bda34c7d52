//! A person's calendar: workdays, the preferred time, quiet hours, and what daylight saving does to them.
//!
//! A local time that a clock change skips is taken as the first instant after the gap, one that comes twice as its first
//! coming; a day that a zone leaves out (Apia, 30 December 2011) has no instants and is passed over.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeZone, Utc, Weekday};
use chrono_tz::{GapInfo, Tz};
use serde::{Deserialize, Serialize};

/// How far ahead or back a day is looked for: a week, and room for days that a zone leaves out.
const REACH_DAYS: u64 = 9;

/// Hours in which only the urgent may be shown. None, if both ends are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quiet {
    /// From this local time on.
    pub from: NaiveTime,
    /// Until this local time, on the next day if it is earlier than `from`.
    pub to: NaiveTime,
}

/// What a person can choose about reminders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Preferences {
    /// The local time of the day's group.
    pub at: NaiveTime,
    /// Days on which a group is shown; every day if empty.
    pub workdays: Vec<Weekday>,
    /// Hours in which only the urgent may be shown; none if nothing is quiet.
    pub quiet: Option<Quiet>,
    /// The day of the weekly digest; none switches it off.
    pub digest: Option<Weekday>,
}

impl Default for Preferences {
    fn default() -> Self {
        let time = |hour: u32, minute: u32| NaiveTime::from_hms_opt(hour, minute, 0).unwrap_or(NaiveTime::MIN);
        Self {
            at: time(9, 30),
            workdays: vec![Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri],
            quiet: Some(Quiet { from: time(22, 0), to: time(8, 0) }),
            digest: Some(Weekday::Mon),
        }
    }
}

/// Preferences in a zone.
#[derive(Debug, Clone)]
pub(super) struct Calendar {
    pub(super) zone: Tz,
    pub(super) preferences: Preferences,
}

impl Calendar {
    /// The local date at an instant.
    pub(super) fn date(&self, at: DateTime<Utc>) -> NaiveDate {
        at.with_timezone(&self.zone).date_naive()
    }

    /// The instant of a local time; none on a day that the zone leaves out.
    pub(super) fn instant(&self, date: NaiveDate, time: NaiveTime) -> Option<DateTime<Utc>> {
        let local = date.and_time(time);
        if let Some(at) = self.zone.from_local_datetime(&local).earliest() {
            return Some(at.to_utc());
        }
        let after = GapInfo::new(&local, &self.zone)?.end?;
        (after.date_naive() == date).then(|| after.to_utc())
    }

    /// The first time of the day's group at or after `from`.
    pub(super) fn group_from(&self, from: DateTime<Utc>) -> DateTime<Utc> {
        let today = self.date(from);
        self.find(days_ahead(today), |day| self.is_workday(day), |at| at >= from).unwrap_or(from)
    }

    /// The last time of the day's group before `until`.
    pub(super) fn group_before(&self, until: DateTime<Utc>) -> DateTime<Utc> {
        let today = self.date(until);
        let back = (0..=REACH_DAYS).map_while(|days| today.checked_sub_days(Days::new(days)));
        self.find(back, |day| self.is_workday(day), |at| at < until).unwrap_or(until)
    }

    /// The first group on a later local day than `after`'s, the digest's day included.
    pub(super) fn group_on_later_day(&self, after: DateTime<Utc>) -> DateTime<Utc> {
        let days = days_ahead(self.date(after)).skip(1);
        self.find(days, |day| self.is_workday(day) || self.is_digest_day(day), |at| at > after).unwrap_or(after)
    }

    /// The first workday's group on a later local day than `after`'s.
    pub(super) fn workday_after(&self, after: DateTime<Utc>) -> DateTime<Utc> {
        self.find(days_ahead(self.date(after)).skip(1), |day| self.is_workday(day), |at| at > after).unwrap_or(after)
    }

    /// Today's digest: its local date and instant, if `now` lies on its day and not before it.
    pub(super) fn digest_today(&self, now: DateTime<Utc>) -> Option<(NaiveDate, DateTime<Utc>)> {
        let today = self.date(now);
        let at = self.is_digest_day(today).then(|| self.instant(today, self.preferences.at))??;
        (at <= now).then_some((today, at))
    }

    /// The first digest at or after `from` and after `now`.
    pub(super) fn digest_from(&self, from: DateTime<Utc>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.preferences.digest?;
        let today = self.date(from.max(now));
        // Two weeks, because a zone may leave out the very day.
        self.find(days_ahead(today), |day| self.is_digest_day(day), |at| at >= from && at > now)
    }

    /// The end of the quiet hours that `now` lies in; none outside of them.
    ///
    /// Counted in instants, not in local times: an hour that comes twice does not begin the quiet anew.
    pub(super) fn quiet_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let Quiet { from, to } = self.preferences.quiet.filter(|quiet| quiet.from != quiet.to)?;
        let today = self.date(now);
        // Two days back: quiet that began before a left-out day ends after it.
        let mut evenings = (0..=2).filter_map(|days| today.checked_sub_days(Days::new(days)));
        evenings.find_map(|day| {
            let start = self.instant(day, from)?;
            let last_day = if to > from { day } else { day.succ_opt()? };
            let end = days_ahead(last_day).find_map(|day| self.instant(day, to))?;
            (start <= now && now < end).then_some(end)
        })
    }

    fn is_workday(&self, day: NaiveDate) -> bool {
        self.preferences.workdays.is_empty() || self.preferences.workdays.contains(&day.weekday())
    }

    fn is_digest_day(&self, day: NaiveDate) -> bool {
        self.preferences.digest == Some(day.weekday())
    }

    fn find(
        &self,
        mut days: impl Iterator<Item = NaiveDate>,
        wanted: impl Fn(NaiveDate) -> bool,
        fits: impl Fn(DateTime<Utc>) -> bool,
    ) -> Option<DateTime<Utc>> {
        days.find_map(|day| wanted(day).then(|| self.instant(day, self.preferences.at))?.filter(|at| fits(*at)))
    }
}

/// A day and those after it, as far as anything is looked for: two weeks and the room for a left-out day.
fn days_ahead(day: NaiveDate) -> impl Iterator<Item = NaiveDate> {
    (0..=2 * REACH_DAYS).map_while(move |days| day.checked_add_days(Days::new(days)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }
    fn calendar(zone: Tz) -> Calendar {
        Calendar { zone, preferences: Preferences::default() }
    }
    fn time(text: &str) -> NaiveTime {
        text.parse().unwrap()
    }

    #[test]
    fn groups_fall_on_workdays_at_the_local_time() {
        let berlin = calendar(Tz::Europe__Berlin);
        // Friday 12:00 local, in winter and across the change to summer time.
        assert_eq!(berlin.group_from(at("2026-11-20T11:00:00Z")), at("2026-11-23T08:30:00Z"));
        assert_eq!(berlin.group_from(at("2027-03-26T11:00:00Z")), at("2027-03-29T07:30:00Z"));
        assert_eq!(berlin.group_before(at("2026-11-23T08:30:00Z")), at("2026-11-20T08:30:00Z"));
        assert_eq!(calendar(Tz::Asia__Kathmandu).group_from(at("2026-11-23T00:00:00Z")), at("2026-11-23T03:45:00Z"));
        assert_eq!(berlin.group_on_later_day(at("2026-11-20T08:30:00Z")), at("2026-11-23T08:30:00Z"));
    }

    #[test]
    fn skipped_doubled_and_missing_times_have_one_answer() {
        let berlin = calendar(Tz::Europe__Berlin);
        let gap = berlin.instant("2027-03-28".parse().unwrap(), time("02:30:00"));
        assert_eq!(gap, Some(at("2027-03-28T01:00:00Z")), "02:30 is skipped: 03:00 summer time");
        let twice = berlin.instant("2026-10-25".parse().unwrap(), time("02:30:00"));
        assert_eq!(twice, Some(at("2026-10-25T00:30:00Z")), "the first 02:30");
        let apia = calendar(Tz::Pacific__Apia);
        assert_eq!(apia.instant("2011-12-30".parse().unwrap(), time("09:30:00")), None, "the day that Samoa left out");
        // Thursday noon; Friday does not exist, so the next workday is Monday the 2nd.
        assert_eq!(apia.group_from(at("2011-12-29T22:00:00Z")), at("2012-01-01T19:30:00Z"));
    }

    #[test]
    fn quiet_hours_span_midnight_and_do_not_begin_twice() {
        let mut berlin = calendar(Tz::Europe__Berlin);
        assert_eq!(berlin.quiet_until(at("2026-11-20T20:59:59Z")), None);
        assert_eq!(berlin.quiet_until(at("2026-11-20T21:00:00Z")), Some(at("2026-11-21T07:00:00Z")));
        assert_eq!(berlin.quiet_until(at("2026-11-21T06:59:59Z")), Some(at("2026-11-21T07:00:00Z")));
        assert_eq!(berlin.quiet_until(at("2026-11-21T07:00:00Z")), None);
        berlin.preferences.quiet = Some(Quiet { from: time("22:00:00"), to: time("02:30:00") });
        assert_eq!(berlin.quiet_until(at("2026-10-25T01:10:00Z")), None, "the second 02:10: the quiet is over");
        let mut apia = calendar(Tz::Pacific__Apia);
        apia.preferences.quiet = Some(Quiet { from: time("22:00:00"), to: time("00:30:00") });
        let over_the_left_out_day = at("2011-12-30T10:15:00Z");
        assert_eq!(apia.quiet_until(over_the_left_out_day), Some(at("2011-12-30T10:30:00Z")), "from Thursday to Saturday");
        berlin.preferences.quiet = Some(Quiet { from: time("12:00:00"), to: time("13:00:00") });
        assert_eq!(berlin.quiet_until(at("2026-11-20T11:30:00Z")), Some(at("2026-11-20T12:00:00Z")));
    }

    #[test]
    fn the_digest_has_its_day() {
        let berlin = calendar(Tz::Europe__Berlin);
        let monday: NaiveDate = "2026-11-23".parse().unwrap();
        assert_eq!(berlin.digest_today(at("2026-11-23T08:29:59Z")), None);
        assert_eq!(berlin.digest_today(at("2026-11-23T20:00:00Z")), Some((monday, at("2026-11-23T08:30:00Z"))));
        assert_eq!(berlin.digest_today(at("2026-11-24T08:30:00Z")), None);
        assert_eq!(berlin.digest_from(at("2026-11-23T08:30:00Z"), at("2026-11-23T08:30:00Z")), Some(at("2026-11-30T08:30:00Z")));
    }
}
