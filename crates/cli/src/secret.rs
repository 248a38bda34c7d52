//! Values on their way in: from standard input, or typed where nobody sees it.

use crate::ask;
use keytender_api::{Error, ErrorKind};
use keytender_core::secret::{SecretBytes, SecretText};
use std::io::Read;

/// Longer than any key (a PEM bundle has a few KiB); what is longer is the wrong file. In bytes.
const LONGEST: usize = 64 * 1024;

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    /// Standard input, to its end.
    Stdin,
    /// A person who was not asked yet.
    Person,
}

/// Reads a value. The line's end that `echo` and editors add is not part of it.
pub(crate) fn read(from: From, prompt: &str) -> Result<SecretText, Error> {
    let secret = match from {
        From::Stdin => without_line_end(exact(std::io::stdin().lock())?),
        From::Person if ask::at_terminal() => ask::hidden(prompt).map_err(|_| ask::left())?,
        From::Person => {
            let help = "feed it to standard input and say `--secret-stdin`; it never goes among the arguments";
            return Err(usage("there is no terminal to type the value at", help));
        }
    };
    if secret.is_empty() {
        return Err(usage("there is no value", "feed it to standard input, without quotes around it"));
    }
    Ok(secret)
}

/// All of it, byte for byte.
pub(crate) fn exact(source: impl Read) -> Result<SecretText, Error> {
    // Of full size from the start: a buffer that grows would leave unwiped copies behind.
    let mut bytes = Vec::with_capacity(LONGEST + 1);
    let limit = u64::try_from(LONGEST + 1).unwrap_or(u64::MAX);
    if let Err(error) = source.take(limit).read_to_end(&mut bytes) {
        drop(SecretBytes::new(bytes));
        return Err(usage(&format!("standard input cannot be read: {error}"), "feed the value to it"));
    }
    let text = SecretText::new(String::from_utf8(bytes).map_err(|error| {
        drop(SecretBytes::new(error.into_bytes()));
        usage("what came on standard input is not text", "feed the value as the service showed it")
    })?);
    if text.len() > LONGEST {
        return Err(usage("what came on standard input is longer than any key", "feed the value alone"));
    }
    Ok(text)
}

fn without_line_end(secret: SecretText) -> SecretText {
    let text = secret.expose();
    match text.strip_suffix("\r\n").or_else(|| text.strip_suffix('\n')) {
        Some(line) => SecretText::new(line.to_owned()),
        None => secret,
    }
}

fn usage(happened: &str, help: &str) -> Error {
    Error { kind: ErrorKind::Invalid, happened: happened.to_owned(), help: Some(help.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_end_goes_and_nothing_else() {
        for (fed, value) in [("a b \n", "a b "), ("a\r\n", "a"), ("a\n\n", "a\n"), ("{\n\"id\": 1}", "{\n\"id\": 1}")] {
            assert_eq!(without_line_end(exact(fed.as_bytes()).ok().unwrap()).expose(), value);
        }
    }

    #[test]
    fn what_is_no_value_is_refused_without_being_quoted() {
        for fed in [vec![0xff, 0xfe], vec![b'a'; LONGEST + 1]] {
            let error = exact(&fed[..]).err().unwrap();
            assert_eq!(error.kind, ErrorKind::Invalid);
            assert!(!error.happened.contains("aaa"), "{error}");
        }
    }
}
