//! Small things in words that several commands say.

use super::Dates;
use keytender_core::expiry::Expiry;
use keytender_core::words::Health;
use serde::Serialize;

/// `Mon 2027-03-01 09:30, 29 days left (reported: /expires_at)`.
pub(crate) fn expiry_in_words(expiry: &Expiry, days_left: Option<i64>, dates: Dates) -> String {
    let source = match expiry {
        Expiry::Never => return "never, as far as is known".to_owned(),
        Expiry::Unknown => return "unknown".to_owned(),
        Expiry::Reported { by, .. } => format!("reported: {by}"),
        Expiry::Policy { rule, .. } => format!("policy: {rule}"),
        Expiry::Estimated { rule, .. } => format!("estimated, at the latest: {rule}, counted from the day first seen"),
        Expiry::Typed { .. } => "typed".to_owned(),
    };
    let at = expiry.at().map(|at| dates.moment(at)).unwrap_or_default();
    match days_left {
        Some(days) => format!("{at}, {} ({source})", days_in_words(days)),
        None => format!("{at} ({source})"),
    }
}

/// `29 days left`, `less than a day left`, `dead for 3 days`.
pub(crate) fn days_in_words(days: i64) -> String {
    match days {
        ..=-2 => format!("dead for {} days", -days),
        -1 => "dead since yesterday or today".to_owned(),
        0 => "less than a day left".to_owned(),
        1 => "1 day left".to_owned(),
        days => format!("{days} days left"),
    }
}

/// alive, dead, unknown.
pub(crate) fn health_in_words(health: Health) -> &'static str {
    match health {
        Health::Alive => "alive",
        Health::Dead => "dead",
        Health::Unknown => "unknown",
    }
}

/// A word as JSON spells it, so that text and JSON use the same one.
pub(crate) fn word_of(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        // A variant with content: its name.
        Ok(serde_json::Value::Object(map)) => map.into_iter().next().map(|(name, _)| name).unwrap_or_default(),
        Ok(_) | Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use keytender_core::words::{Environment, Old};

    #[test]
    fn days_are_never_more_than_there_are() {
        for (days, words) in [
            (29, "29 days left"),
            (1, "1 day left"),
            (0, "less than a day left"),
            (-1, "dead since yesterday or today"),
            (-3, "dead for 3 days"),
        ] {
            assert_eq!(days_in_words(days), words);
        }
    }

    #[test]
    fn words_are_spelt_as_in_json() {
        assert_eq!(word_of(&Environment::Staging), "staging");
        assert_eq!(word_of(&Old::Slots(2)), "slots");
    }
}
