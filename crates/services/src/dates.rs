//! Reading the ways in which services write an instant, and when a reply says to try again.

use crate::manifest::TimeFormat;
use chrono::{DateTime, Duration, NaiveDate, NaiveDateTime, Utc};
use keytender_core::expiry::Moment;
use serde_json::Value;

/// The moment that a fact names; none where it is written in another way. `replied_at` is when the reply arrived.
pub(crate) fn moment(fact: &Value, format: TimeFormat, replied_at: Option<DateTime<Utc>>) -> Option<Moment> {
    match format {
        TimeFormat::Rfc3339 => rfc3339(fact.as_str()?).map(Moment::Instant),
        TimeFormat::Rfc2822 => http_date(fact.as_str()?).map(Moment::Instant),
        TimeFormat::Date => NaiveDate::parse_from_str(fact.as_str()?, "%Y-%m-%d").ok().map(Moment::Date),
        TimeFormat::UnixSeconds => DateTime::from_timestamp(whole(fact)?, 0).map(Moment::Instant),
        TimeFormat::UnixMilliseconds => DateTime::from_timestamp_millis(whole(fact)?).map(Moment::Instant),
        TimeFormat::SecondsLeft => {
            let seconds = whole(fact).filter(|seconds| *seconds > 0)?;
            replied_at?.checked_add_signed(Duration::try_seconds(seconds)?).map(Moment::Instant)
        }
    }
}

fn whole(fact: &Value) -> Option<i64> {
    match fact {
        // Some services send `1795255872.0`; a fraction of a second is of no interest.
        #[allow(clippy::cast_possible_truncation, reason = "`as` saturates, and the far future is the far future")]
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|seconds| seconds as i64)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// RFC 3339, and its common bendings: a blank for the T, ` UTC` for the Z, no zone at all (UTC).
fn rfc3339(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(at.to_utc());
    }
    let naive = text.trim_end_matches("UTC").trim_end_matches('Z').trim_end().replacen(' ', "T", 1);
    NaiveDateTime::parse_from_str(&naive, "%Y-%m-%dT%H:%M:%S%.f").ok().map(|at| at.and_utc())
}

/// The date of an HTTP header: `Sat, 21 Nov 2026 09:11:12 GMT`.
pub(crate) fn http_date(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc2822(text.trim()).ok().map(|at| at.to_utc())
}

/// When a reply says to try again: `Retry-After` in seconds or as a date, `X-Retry-After` as unix seconds (Docker Hub),
/// `RateLimit-Reset` / `X-RateLimit-Reset` as unix seconds or, if small, as seconds from now.
pub(crate) fn retry_at(headers: &[(String, String)], now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    /// No service asks for a wait of more than a year; a larger number is a point in time.
    const YEAR_SECONDS: i64 = 366 * 86_400;
    let header = |name: &str| headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim());
    let number = |text: &str| {
        let seconds: i64 = text.parse().ok().filter(|seconds| *seconds >= 0)?;
        if seconds <= YEAR_SECONDS {
            now.checked_add_signed(Duration::try_seconds(seconds)?)
        } else {
            DateTime::from_timestamp(seconds, 0)
        }
    };
    ["retry-after", "x-retry-after", "ratelimit-reset", "x-ratelimit-reset"]
        .into_iter()
        .find_map(|name| header(name).and_then(|text| number(text).or_else(|| http_date(text))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_way_of_writing_gives_the_same_instant() {
        let at = DateTime::from_timestamp(1_795_252_272, 0).unwrap();
        let instant = Some(Moment::Instant(at));
        for (fact, format) in [
            (json!("2026-11-21T09:11:12Z"), TimeFormat::Rfc3339),
            (json!("2026-11-21T10:11:12.000+01:00"), TimeFormat::Rfc3339),
            (json!("2026-11-21T09:11:12"), TimeFormat::Rfc3339),
            (json!("2026-11-21 09:11:12 UTC"), TimeFormat::Rfc3339),
            (json!("Sat, 21 Nov 2026 09:11:12 GMT"), TimeFormat::Rfc2822),
            (json!(1_795_252_272), TimeFormat::UnixSeconds),
            (json!("1795252272"), TimeFormat::UnixSeconds),
            (json!(1_795_252_272.0), TimeFormat::UnixSeconds),
            (json!(1_795_252_272_000_i64), TimeFormat::UnixMilliseconds),
        ] {
            assert_eq!(moment(&fact, format, None), instant, "{fact}");
        }
        let now = at - Duration::seconds(60);
        assert_eq!(moment(&json!(60), TimeFormat::SecondsLeft, Some(now)), instant);
        assert_eq!(moment(&json!(0), TimeFormat::SecondsLeft, Some(now)), None);
        let date = NaiveDate::from_ymd_opt(2026, 11, 21).unwrap();
        assert_eq!(moment(&json!("2026-11-21"), TimeFormat::Date, None), Some(Moment::Date(date)));
        assert_eq!(moment(&json!("tomorrow"), TimeFormat::Rfc3339, None), None);
        assert_eq!(moment(&json!(i64::MAX), TimeFormat::UnixSeconds, None), None);
    }

    #[test]
    fn a_wait_is_read_from_whichever_header_tells_it() {
        let now = DateTime::from_timestamp(1_795_252_272, 0).unwrap();
        let at = |name: &str, value: &str| retry_at(&[(name.to_owned(), value.to_owned())], now);
        let later = Some(now + Duration::seconds(30));
        assert_eq!(at("Retry-After", "30"), later);
        assert_eq!(at("retry-after", "Sat, 21 Nov 2026 09:11:42 GMT"), later);
        assert_eq!(at("x-retry-after", "1795252302"), later);
        assert_eq!(at("ratelimit-reset", "30"), later);
        assert_eq!(at("retry-after", "soon"), None);
        assert_eq!(at("retry-after", "-1"), None);
    }
}
