//! How a value is spelled in a .env file so that every reader of that file gets it back exactly.
//!
//! Keys and tokens are nearly always plain and go in as they are, in the quotes that stood there. What is not plain is
//! offered in several spellings, and the first that all readers read back is taken; if none is, the caller refuses.

use adotenv::{Dialect, Quote, parse_strict_with};
use zeroize::Zeroizing;

/// The token to write after `NAME=`, quotes included. None if no spelling is read back by all of `dialects`.
pub(super) fn spell(value: &str, standing: Quote, dialects: &[Dialect]) -> Option<Zeroizing<String>> {
    candidates(value, standing, dialects == [Dialect::DOCKER_RAW])
        .into_iter()
        .find(|token| dialects.iter().all(|dialect| reads_back(value, token, *dialect)))
}

fn candidates(value: &str, standing: Quote, literal_only: bool) -> Vec<Zeroizing<String>> {
    let within = |quote: &str| Zeroizing::new(format!("{quote}{value}{quote}"));
    let bare = || Zeroizing::new(value.to_owned());
    let standing_quote = match standing {
        Quote::Single => Some("'"),
        Quote::Double => Some("\""),
        Quote::Backtick => Some("`"),
        // No quotes, or some that this page has not heard of: those are given up for known ones.
        _ => None,
    };
    if is_plain(value) || literal_only {
        return vec![standing_quote.map_or_else(bare, within)];
    }
    if value.contains(['$', '`']) {
        // Expanded by shells and by most readers anywhere but in single quotes.
        return vec![within("'")];
    }
    let mut candidates = Vec::new();
    candidates.extend(standing_quote.map(within));
    candidates.extend([within("'"), within("\"")]);
    let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\r', "\\r");
    candidates.push(Zeroizing::new(format!("\"{}\"", *Zeroizing::new(escaped))));
    // Last: shells and some readers split an unquoted value or cut it short.
    candidates.push(bare());
    candidates
}

/// Whether all readers, and shells that `source` the file, take these characters as they are without quotes.
fn is_plain(value: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./:=+@%,^~".contains(&byte);
    // A shell puts a home folder in the place of `~` at the start of a word or after a colon.
    value.bytes().all(plain) && !value.starts_with('~') && !value.contains(":~")
}

fn reads_back(value: &str, token: &str, dialect: Dialect) -> bool {
    let text = Zeroizing::new(format!("A={token}\nB=b\n"));
    parse_strict_with(&text, dialect).is_ok_and(|document| {
        let read: Vec<_> = document.entries().map(|entry| (entry.key(), entry.value())).collect();
        read == [("A", Some(value)), ("B", Some("b"))]
    })
}
