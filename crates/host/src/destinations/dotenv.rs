//! Variables of a .env file.
//!
//! There is no one .env format. The text is read as the five common readers read it (a strict portable one, Node dotenv,
//! python-dotenv, Docker Compose, `docker --env-file`); those that find the expected value are the file's readers, and the
//! change has to look right to each of them. Only the bytes of the value are replaced: comments, order, line endings, a
//! byte-order mark and everything else stay by construction, and the result is read again to see that exactly the wanted
//! variables changed. The parser makes copies of values that it does not wipe; they live as long as one call.

use super::spelling;
use super::{Edit, line_list};
use adotenv::{Dialect, Document, Entry, ItemKind, Quote, parse_with};
use keytender_core::ports::{DestinationError, Holding};
use keytender_core::secret::SecretBytes;
use std::ops::Range;
use std::path::Path;
use zeroize::Zeroizing;

/// From the strictest to the most literal; errors are told in the words of the first.
const READERS: [Dialect; 5] =
    [Dialect::PORTABLE, Dialect::NODE_DOTENV, Dialect::PYTHON_DOTENV, Dialect::COMPOSE, Dialect::DOCKER_RAW];

/// One variable, what it should hold now and what it is to hold.
pub(super) struct Wanted<'a> {
    pub(super) variable: &'a str,
    /// None at the first placing: the variable is added, or filled if it is empty.
    pub(super) old: Option<&'a str>,
    pub(super) new: &'a str,
}

/// A value to be replaced.
struct Spot {
    entry: usize,
    bytes: Range<usize>,
    quote: Quote,
}

/// A variable as one reader sees it, all its occurrences being as expected.
struct Sighting {
    spots: Vec<Spot>,
    lines: Vec<usize>,
    absent: bool,
}

/// The text with every wanted variable changed, or the word that all of them stand already.
pub(super) fn edit(path: &Path, bytes: &SecretBytes, wanted: &[Wanted<'_>]) -> Result<Edit, DestinationError> {
    let text = text_of(path, bytes)?;
    refuse_duplicates(path, wanted)?;
    let mut readers = Vec::new();
    for dialect in READERS {
        let document = parse_with(text, dialect).0;
        let sightings: Option<Vec<Sighting>> = wanted.iter().map(|wanted| sight(&document, wanted)).collect();
        readers.extend(sightings.map(|sightings| (document, sightings)));
    }
    let Some((_, sightings)) = readers.first() else { return Err(unexpected(path, text, wanted)) };
    if sightings.iter().all(|sighting| sighting.spots.is_empty() && !sighting.absent) {
        return Ok(Edit::Stands(evidence(path, sightings)));
    }

    // `docker --env-file` knows no quotes, so it has a say only where nothing else reads the file.
    let docker_reads = readers.iter().any(|(document, _)| document.dialect() == Dialect::DOCKER_RAW);
    if readers.len() > 1 {
        readers.retain(|(document, _)| document.dialect() != Dialect::DOCKER_RAW);
    }
    let (_, sightings) = &readers[0];
    let dialects: Vec<Dialect> = readers.iter().map(|(document, _)| document.dialect()).collect();
    let (changed, requoted) = splice(text, wanted, sightings, &dialects).ok_or_else(|| unspellable(path, wanted))?;
    for (before, sightings) in &readers {
        let after = parse_with(&changed, before.dialect()).0;
        if !only_wanted_changed(before, &after, wanted, sightings) {
            return Err(unspellable(path, wanted));
        }
    }
    let mut evidence = evidence(path, sightings);
    if docker_reads && requoted {
        evidence.push_str(" (in quotes now, which `docker --env-file` would take for part of the value)");
    }
    Ok(Edit::Replace(secret(changed), evidence))
}

/// Whether every variable holds the expected value.
pub(super) fn holding(path: &Path, bytes: &SecretBytes, expected: &[Wanted<'_>]) -> Result<Holding, DestinationError> {
    let text = text_of(path, bytes)?;
    let stands = |dialect| {
        let document = parse_with(text, dialect).0;
        expected.iter().all(|wanted| sight(&document, wanted).is_some_and(|seen| seen.spots.is_empty() && !seen.absent))
    };
    if READERS.into_iter().any(stands) {
        return Ok(Holding::Expected);
    }
    Ok(Holding::Other(seen_instead(path, text, expected)))
}

fn text_of<'a>(path: &Path, bytes: &'a SecretBytes) -> Result<&'a str, DestinationError> {
    std::str::from_utf8(bytes.expose()).map_err(|_| {
        DestinationError::Unparsable(format!("{} is not UTF-8 text; name it as a text file instead", path.display()))
    })
}

fn refuse_duplicates(path: &Path, wanted: &[Wanted<'_>]) -> Result<(), DestinationError> {
    for (index, one) in wanted.iter().enumerate() {
        if wanted[..index].iter().any(|other| other.variable == one.variable) {
            let shown = path.display();
            return Err(DestinationError::Unparsable(format!("{} is named twice for {shown}; name it once", one.variable)));
        }
    }
    Ok(())
}

fn occurrences<'d>(document: &'d Document<'_>, variable: &str) -> Vec<Entry<'d>> {
    document.entries().filter(|entry| entry.key() == variable && entry.participates_in_lookup()).collect()
}

/// None where any occurrence is neither old nor new: it is not known which of them counts, so all must agree.
fn sight(document: &Document<'_>, wanted: &Wanted<'_>) -> Option<Sighting> {
    let occurrences = occurrences(document, wanted.variable);
    let absent = occurrences.is_empty();
    if absent && wanted.old.is_some() {
        return None;
    }
    let mut sighting = Sighting { spots: Vec::new(), lines: Vec::new(), absent };
    for entry in occurrences {
        sighting.lines.push(entry.line());
        let value = entry.value()?;
        if value != wanted.new {
            if value != wanted.old.unwrap_or("") {
                return None;
            }
            sighting.spots.push(Spot { entry: entry.id(), bytes: entry.value_span()?, quote: entry.quote() });
        }
    }
    Some(sighting)
}

/// Puts the new values into their places and adds what is absent. Also tells whether a value got quotes that were not
/// there. None if a value has no spelling that all dialects read back.
fn splice(text: &str, wanted: &[Wanted<'_>], sightings: &[Sighting], dialects: &[Dialect]) -> Option<(Zeroizing<String>, bool)> {
    let mut places = Vec::new();
    let mut requoted = false;
    for (wanted, sighting) in wanted.iter().zip(sightings) {
        for spot in &sighting.spots {
            let token = spelling::spell(wanted.new, spot.quote, dialects)?;
            requoted |= spot.quote == Quote::None && *token != *wanted.new;
            places.push((spot.bytes.clone(), token));
        }
    }
    places.sort_by_key(|(bytes, _)| bytes.start);
    let mut changed = Zeroizing::new(String::with_capacity(text.len() + 4096));
    let mut from = 0;
    for (bytes, token) in &places {
        changed.push_str(text.get(from..bytes.start)?);
        changed.push_str(token);
        from = bytes.end;
    }
    changed.push_str(text.get(from..)?);

    let ending = if text.contains("\r\n") { "\r\n" } else { "\n" };
    for (wanted, _) in wanted.iter().zip(sightings).filter(|(_, sighting)| sighting.absent) {
        let token = spelling::spell(wanted.new, Quote::None, dialects)?;
        requoted |= *token != *wanted.new;
        if !changed.is_empty() && !changed.ends_with('\n') {
            changed.push_str(ending);
        }
        changed.push_str(wanted.variable);
        changed.push('=');
        changed.push_str(&token);
        changed.push_str(ending);
    }
    Some((changed, requoted))
}

fn only_wanted_changed(before: &Document<'_>, after: &Document<'_>, wanted: &[Wanted<'_>], sightings: &[Sighting]) -> bool {
    let added: Vec<&Wanted<'_>> =
        wanted.iter().zip(sightings).filter(|(_, sighting)| sighting.absent).map(|(wanted, _)| wanted).collect();
    let new_value = |entry: usize| {
        let hit = wanted.iter().zip(sightings).find(|(_, sighting)| sighting.spots.iter().any(|spot| spot.entry == entry));
        hit.map(|(wanted, _)| wanted.new)
    };
    let count = before.entries().len();
    after.entries().len() == count + added.len()
        && after.items().len() == before.items().len() + added.len()
        && before.items().zip(after.items()).all(|(old, new)| old.kind() == new.kind())
        && after.items().skip(before.items().len()).all(|item| item.kind() == ItemKind::Entry)
        && before.entries().zip(after.entries()).all(|(old, new)| {
            (new.key(), new.exported(), new.participates_in_lookup()) == (old.key(), old.exported(), old.participates_in_lookup())
                && new.value() == new_value(old.id()).or(old.value())
        })
        && after
            .entries()
            .skip(count)
            .zip(added)
            .all(|(new, wanted)| new.key() == wanted.variable && new.value() == Some(wanted.new))
}

fn secret(mut text: Zeroizing<String>) -> SecretBytes {
    SecretBytes::new(std::mem::take(&mut *text).into_bytes())
}

fn evidence(path: &Path, sightings: &[Sighting]) -> String {
    let added = sightings.iter().filter(|sighting| sighting.absent).count();
    let lines = line_list(sightings.iter().flat_map(|sighting| sighting.lines.iter().copied()));
    match (added, lines) {
        (0, Some(lines)) => format!("{} {lines}", path.display()),
        (_, Some(lines)) => format!("{} {lines}, and {added} added at the end", path.display()),
        (_, None) => format!("{}, added at the end", path.display()),
    }
}

fn unexpected(path: &Path, text: &str, wanted: &[Wanted<'_>]) -> DestinationError {
    DestinationError::Unexpected(seen_instead(path, text, wanted))
}

/// The first variable that is not as it should be, in words without values.
fn seen_instead(path: &Path, text: &str, wanted: &[Wanted<'_>]) -> String {
    let document = parse_with(text, READERS[0]).0;
    let shown = path.display();
    for wanted in wanted {
        let occurrences = occurrences(&document, wanted.variable);
        if occurrences.is_empty() {
            return format!("no variable {} in {shown}", wanted.variable);
        }
        let expected = |entry: &Entry<'_>| entry.value().is_some_and(|value| value == wanted.new || Some(value) == wanted.old);
        if let Some(other) = occurrences.iter().find(|entry| !expected(entry)) {
            let what = if other.value().is_none_or(str::is_empty) { "no value" } else { "another value" };
            return format!("{} holds {what} in {shown} line {}", wanted.variable, other.line());
        }
    }
    format!("no reader of .env files finds all variables as expected in {shown}")
}

fn unspellable(path: &Path, wanted: &[Wanted<'_>]) -> DestinationError {
    let variables: Vec<&str> = wanted.iter().map(|wanted| wanted.variable).collect();
    DestinationError::Unparsable(format!(
        "{} cannot be changed in {} so that the common readers of .env files agree on it and on everything else there; put it \
         there by hand",
        variables.join(", "),
        path.display()
    ))
}
