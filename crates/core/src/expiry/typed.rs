//! Reading what a person types for `--expires` and `--issued`.
//!
//! Dates are `YYYY-MM-DD` or RFC 3339; `90d`, `2w`, `12h` and `1y` count from now (ahead for an expiry, back for an issue).

use super::{Expiry, Moment};
use chrono::{DateTime, Datelike, Months, NaiveDate, TimeDelta, Utc};

/// No key of this product's world is older than this or outlives the four-digit calendar; anything else is a slip of the hand.
const YEARS: std::ops::RangeInclusive<i32> = 1990..=9999;

/// East of Greenwich the local date is ahead of UTC by up to 14 hours, so "today" may begin in UTC's future.
const EASTERNMOST: TimeDelta = TimeDelta::hours(14);

/// Why a typed date was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TypedError {
    /// Not in any of the accepted forms.
    #[error("{0:?} is no date: write 2027-03-01, 2027-03-01T09:00:00Z, or a span such as 90d, 2w, 12h, 1y")]
    NotADate(String),
    /// The form is right, but the calendar has no such day.
    #[error("there is no {0}: {1}")]
    NoSuchDay(String, String),
    /// The year lies outside of 1990 to 9999.
    #[error("the year of {0:?} is out of range: dates from 1990 to 9999 are taken, such as 2027-03-01")]
    YearOutOfRange(String),
    /// A date of issue that has not come yet.
    #[error("{0} lies in the future; a date of issue is today's or an earlier one, such as 2026-11-01, or 3d for three days ago")]
    IssuedAhead(Moment),
}

/// Reads `DATE`, `never` or `unknown`. A date without a time dies at 00:00 UTC of that day; one in the past is taken, for
/// keys that are dead already.
///
/// # Errors
/// See [`TypedError`].
pub fn parse_expires(text: &str, now: DateTime<Utc>) -> Result<Expiry, TypedError> {
    match text.trim() {
        word if word.eq_ignore_ascii_case("never") => Ok(Expiry::Never),
        word if word.eq_ignore_ascii_case("unknown") => Ok(Expiry::Unknown),
        date => parse_moment(date, now, Towards::Future).map(|at| Expiry::Typed { at }),
    }
}

/// Reads a date of issue; `90d` means ninety days ago.
///
/// # Errors
/// [`TypedError::IssuedAhead`] for a date that has begun nowhere on earth yet; see [`TypedError`] for the rest.
pub fn parse_issued(text: &str, now: DateTime<Utc>) -> Result<Moment, TypedError> {
    let issued = parse_moment(text.trim(), now, Towards::Past)?;
    let latest = match issued {
        Moment::Date(_) => now + EASTERNMOST,
        Moment::Instant(_) => now,
    };
    if issued.instant() > latest { Err(TypedError::IssuedAhead(issued)) } else { Ok(issued) }
}

#[derive(Clone, Copy)]
enum Towards {
    Past,
    Future,
}

fn parse_moment(text: &str, now: DateTime<Utc>, towards: Towards) -> Result<Moment, TypedError> {
    let unreadable = || TypedError::NotADate(text.to_owned());
    let out_of_range = || TypedError::YearOutOfRange(text.to_owned());
    if let Some((count, unit)) = span(text) {
        let count: u32 = count.parse().map_err(|_| out_of_range())?;
        let at = shifted(now, count, unit, towards).ok_or_else(out_of_range)?;
        return if YEARS.contains(&at.year()) { Ok(Moment::Instant(at)) } else { Err(out_of_range()) };
    }
    let day = text.get(..10).unwrap_or(text);
    let date = parse_day(day).ok_or_else(unreadable)?.map_err(|hint| TypedError::NoSuchDay(day.to_owned(), hint))?;
    if !YEARS.contains(&date.year()) {
        return Err(out_of_range());
    }
    if text.len() == day.len() {
        return Ok(Moment::Date(date));
    }
    DateTime::parse_from_rfc3339(text).map(|at| Moment::Instant(at.to_utc())).map_err(|_| unreadable())
}

/// Splits `90d` into its digits and its unit.
fn span(text: &str) -> Option<(&str, char)> {
    let unit = text.chars().last().filter(|unit| "hdwy".contains(*unit))?;
    let count = &text[..text.len() - unit.len_utf8()];
    (!count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit())).then_some((count, unit))
}

fn shifted(now: DateTime<Utc>, count: u32, unit: char, towards: Towards) -> Option<DateTime<Utc>> {
    // A year is a calendar year: from 29 February it leads to 28 February.
    if unit == 'y' {
        let months = Months::new(count.checked_mul(12)?);
        return match towards {
            Towards::Future => now.checked_add_months(months),
            Towards::Past => now.checked_sub_months(months),
        };
    }
    let hours = i64::from(count)
        * match unit {
            'w' => 24 * 7,
            'd' => 24,
            _ => 1,
        };
    let delta = TimeDelta::try_hours(hours)?;
    match towards {
        Towards::Future => now.checked_add_signed(delta),
        Towards::Past => now.checked_sub_signed(delta),
    }
}

/// Reads exactly `YYYY-MM-DD`: none when it has another form, a hint when the calendar has no such day.
fn parse_day(text: &str) -> Option<Result<NaiveDate, String>> {
    let digits = |range: std::ops::Range<usize>| {
        let part = text.get(range)?;
        part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<u32>().ok())?
    };
    if text.len() != 10 || text.get(4..5) != Some("-") || text.get(7..8) != Some("-") {
        return None;
    }
    let (year, month, day) = (i32::try_from(digits(0..4)?).ok()?, digits(5..7)?, digits(8..10)?);
    Some(NaiveDate::from_ymd_opt(year, month, day).ok_or_else(|| match (month, day) {
        (2, 29) => format!("{year} is no leap year; the last day of its February is {year:04}-02-28"),
        (1..=12, _) => format!("month {month} has no day {day}"),
        _ => format!("months run from 01 to 12, and {month:02} was given; the order is year-month-day"),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        "2028-02-29T10:30:00Z".parse().unwrap()
    }
    fn expires(text: &str) -> Result<String, String> {
        parse_expires(text, now()).map(|e| e.at().map_or(e.provenance().into(), |at| at.to_string())).map_err(|e| e.to_string())
    }

    #[test]
    fn every_form_is_read() {
        for (typed, meant) in [
            ("never", "never"),
            ("Unknown", "unknown"),
            ("2028-02-29", "2028-02-29"),
            (" 2020-01-01 ", "2020-01-01"),
            ("2028-03-01T09:00:00+02:00", "2028-03-01 07:00 UTC"),
            ("90d", "2028-05-29 10:30 UTC"),
            ("12h", "2028-02-29 22:30 UTC"),
            ("2w", "2028-03-14 10:30 UTC"),
            ("1y", "2029-02-28 10:30 UTC"),
        ] {
            assert_eq!(expires(typed), Ok(meant.to_owned()), "{typed}");
        }
    }

    #[test]
    fn a_slip_is_named_with_an_example() {
        for (typed, named) in [
            ("", "is no date: write 2027-03-01"),
            ("soon", "is no date"),
            ("d", "is no date"),
            ("-3d", "is no date"),
            ("01.03.2027", "is no date"),
            ("2027-3-1", "is no date"),
            ("2027-03-01 09:00", "is no date"),
            ("+2027-03-0", "is no date"),
            ("2027-03-0\u{e9}", "is no date"),
            ("2027-02-29", "2027 is no leap year; the last day of its February is 2027-02-28"),
            ("2027-04-31", "month 4 has no day 31"),
            ("2027-31-04", "the order is year-month-day"),
            ("0227-03-01", "out of range"),
            ("99999999999d", "out of range"),
            ("4294967295y", "out of range"),
            ("9000y", "out of range"),
        ] {
            let said = expires(typed).unwrap_err();
            assert!(said.contains(named), "{typed}: {said}");
        }
    }

    #[test]
    fn a_date_of_issue_has_come_somewhere_on_earth() {
        assert_eq!(parse_issued("2028-02-29", now()), Ok(Moment::Date("2028-02-29".parse().unwrap())));
        assert_eq!(parse_issued("2028-03-01", now()), Ok(Moment::Date("2028-03-01".parse().unwrap())), "already in Kiritimati");
        assert!(matches!(parse_issued("2028-03-02", now()), Err(TypedError::IssuedAhead(_))));
        assert!(matches!(parse_issued("2028-02-29T10:30:01Z", now()), Err(TypedError::IssuedAhead(_))));
        assert_eq!(parse_issued("1y", now()).unwrap().to_string(), "2027-02-28 10:30 UTC");
    }
}
