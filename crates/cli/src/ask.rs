//! Asking the person at the terminal. Where there is none, nothing here is called.

use keytender_api::{Error, ErrorKind};
use keytender_core::secret::SecretText;
use std::io::{self, BufRead, IsTerminal, Write};

/// Whether a person sits there: both ends of the conversation are a terminal.
pub(crate) fn at_terminal() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Something to know, on standard error.
pub(crate) fn warn(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// What is typed where nobody sees it.
pub(crate) fn hidden(prompt: &str) -> io::Result<SecretText> {
    rpassword::prompt_password(prompt).map(SecretText::new)
}

/// Yes or no; no unless said.
pub(crate) fn agreed(question: &str) -> Result<bool, Error> {
    inquire::Confirm::new(question).with_default(false).prompt().map_err(|error| interrupted(&error))
}

/// One of these, by its place in the list.
pub(crate) fn chosen(question: &str, options: Vec<String>) -> Result<usize, Error> {
    inquire::Select::new(question, options).raw_prompt().map(|option| option.index).map_err(|error| interrupted(&error))
}

/// Waits for Enter.
pub(crate) fn done(question: &str) -> Result<(), Error> {
    let _ = write!(io::stderr().lock(), "{question} ");
    let mut line = String::new();
    match io::stdin().lock().read_line(&mut line) {
        Ok(1..) => Ok(()),
        Ok(0) | Err(_) => Err(left()),
    }
}

fn interrupted(_: &inquire::InquireError) -> Error {
    left()
}

/// The person went away in the middle of a question.
pub(crate) fn left() -> Error {
    Error {
        kind: ErrorKind::PersonNeeded,
        happened: "left unanswered".to_owned(),
        help: Some("nothing is lost; the same command asks again".to_owned()),
    }
}
