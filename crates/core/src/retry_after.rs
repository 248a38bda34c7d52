//! When a service that turned a call away wants to be asked again.
//!
//! Reads headers only and never waits; the limiter in the host and the interpreter both go by it.

use crate::exchange::ResponseValue;
use chrono::{DateTime, TimeDelta, Utc};

/// The headers that name the instant, in the order in which they are believed. `retry-after` is RFC 9110 10.2.3 (seconds or
/// an HTTP date); `x-retry-after` is Docker Hub's (unix time); `ratelimit-reset` is DigitalOcean's (unix time) and, as the
/// IETF draft has it, seconds; `x-ratelimit-reset` is GitHub's (unix time).
const HEADERS: [&str; 4] = ["retry-after", "x-retry-after", "ratelimit-reset", "x-ratelimit-reset"];

/// From this number on, a bare number is no count of seconds from now (it would be 31 years) but unix time.
const UNIX_SECONDS_FROM: f64 = 1e9;
/// From this number on, unix time is in milliseconds.
const UNIX_MILLIS_FROM: f64 = 1e12;

/// When the service may be asked again, as its refusal says: a 429 or 503 by any of the known headers, a 403 only by
/// `retry-after` itself (so GitHub answers calls over its secondary limit). None for every other reply, and for one that
/// does not say. Never before `now`.
#[must_use]
pub fn retry_after(response: &ResponseValue, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let believed = match response.status {
        429 | 503 => &HEADERS[..],
        403 => &HEADERS[..1],
        _ => return None,
    };
    believed.iter().find_map(|name| instant(response.header(name)?.trim(), now)).map(|at| at.max(now))
}

/// The instant that a header's text names: a number, or an HTTP date.
fn instant(text: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let Ok(number) = text.parse::<f64>() else {
        return httpdate::parse_http_date(text).ok().map(DateTime::from);
    };
    // `parse` also takes "inf" and "nan"; the upper bound keeps the casts below exact.
    if !(0.0..UNIX_MILLIS_FROM * 10.0).contains(&number) {
        return None;
    }
    let millis = |number: f64| (number * 1000.0).ceil() as i64;
    if number < UNIX_SECONDS_FROM {
        now.checked_add_signed(TimeDelta::try_milliseconds(millis(number))?)
    } else if number < UNIX_MILLIS_FROM {
        DateTime::from_timestamp_millis(millis(number))
    } else {
        DateTime::from_timestamp_millis(number as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::SecretBytes;
    use proptest::prelude::*;

    fn now() -> DateTime<Utc> {
        "2026-11-21T09:00:00Z".parse().unwrap()
    }

    fn reply(status: u16, headers: &[(&str, &str)]) -> ResponseValue {
        ResponseValue {
            status,
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            body: SecretBytes::new(Vec::new()),
            complete: true,
            received_at: now(),
        }
    }

    fn told(status: u16, headers: &[(&str, &str)]) -> Option<String> {
        retry_after(&reply(status, headers), now()).map(|at| at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
    }

    #[test]
    fn every_known_form_is_read() {
        let cases: &[(&str, &str, &str)] = &[
            ("retry-after", "120", "2026-11-21T09:02:00.000Z"),
            ("retry-after", " 0 ", "2026-11-21T09:00:00.000Z"),
            ("retry-after", "1.25", "2026-11-21T09:00:01.250Z"),
            ("retry-after", "Sat, 21 Nov 2026 09:30:00 GMT", "2026-11-21T09:30:00.000Z"),
            ("retry-after", "Saturday, 21-Nov-26 09:30:00 GMT", "2026-11-21T09:30:00.000Z"),
            ("retry-after", "Sat Nov 21 09:30:00 2026", "2026-11-21T09:30:00.000Z"),
            ("x-retry-after", "1795253400", "2026-11-21T09:30:00.000Z"),
            ("ratelimit-reset", "1795253400", "2026-11-21T09:30:00.000Z"),
            ("ratelimit-reset", "30", "2026-11-21T09:00:30.000Z"),
            ("x-ratelimit-reset", "1795253400000", "2026-11-21T09:30:00.000Z"),
        ];
        for (name, value, expected) in cases {
            assert_eq!(told(429, &[(name, value)]).as_deref(), Some(*expected), "{name}: {value}");
        }
    }

    #[test]
    fn a_past_instant_means_now() {
        assert_eq!(told(503, &[("x-retry-after", "1000000001")]).as_deref(), Some("2026-11-21T09:00:00.000Z"));
    }

    #[test]
    fn the_standard_header_is_believed_first_and_nonsense_is_passed_over() {
        assert_eq!(
            told(429, &[("ratelimit-reset", "1795253400"), ("retry-after", "5")]).as_deref(),
            Some("2026-11-21T09:00:05.000Z")
        );
        assert_eq!(told(429, &[("retry-after", "soon"), ("ratelimit-reset", "5")]).as_deref(), Some("2026-11-21T09:00:05.000Z"));
        for nonsense in ["", "-5", "inf", "nan", "1e300", "\u{0}", "Sat, 99 Nov 2026 09:30:00 GMT"] {
            assert_eq!(told(429, &[("retry-after", nonsense)]), None, "{nonsense:?}");
        }
    }

    #[test]
    fn only_refusals_are_asked() {
        assert_eq!(told(200, &[("retry-after", "5"), ("ratelimit-reset", "1795253400")]), None);
        assert_eq!(told(403, &[("ratelimit-reset", "1795253400")]), None, "a 403 with a quota header is just a 403");
        assert!(told(403, &[("retry-after", "60")]).is_some());
        assert_eq!(told(429, &[]), None);
    }

    proptest! {
        #[test]
        fn no_text_panics_and_none_leads_into_the_past(text in ".{0,40}", number in proptest::num::f64::ANY) {
            for value in [text, number.to_string()] {
                if let Some(at) = retry_after(&reply(429, &[("retry-after", &value)]), now()) {
                    prop_assert!(at >= now());
                }
            }
        }
    }
}
