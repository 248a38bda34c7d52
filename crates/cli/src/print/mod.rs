//! What a person, or a program, reads. Nothing is decided here, and no view is changed on its way out.
//!
//! With `--json` standard output carries exactly one document, in the shape of the API's views; everything said beside it goes
//! to standard error. A reader that goes away (`| head -1`) ends the printing, not the command.

mod dates;
mod words;

pub(crate) use dates::Dates;
pub(crate) use words::{expiry_in_words, health_in_words, word_of};

use clap::builder::styling::{AnsiColor, Style};
use keytender_api::Error;
use serde::Serialize;
use std::cell::RefCell;
use std::io::{self, IsTerminal, Write};

/// Standard output and standard error.
pub(crate) struct Out {
    /// One JSON document in place of sentences and tables.
    pub(crate) json: bool,
    /// What went wrong with standard output first.
    broken: RefCell<Option<io::Error>>,
}

impl Out {
    pub(crate) fn new(json: bool) -> Self {
        Self { json, broken: RefCell::new(None) }
    }

    /// A sentence, or several lines, for a person.
    pub(crate) fn say(&self, text: impl AsRef<str>) {
        if !self.json {
            self.write(&[text.as_ref().as_bytes(), b"\n"]);
        }
    }

    /// The document of a command; nothing without `--json`.
    pub(crate) fn document(&self, view: &impl Serialize) {
        if self.json {
            self.raw_document(view);
        }
    }

    /// A document that is printed either way.
    pub(crate) fn raw_document(&self, view: &impl Serialize) {
        match serde_json::to_string_pretty(view) {
            Ok(text) => self.write(&[text.as_bytes(), b"\n"]),
            Err(error) => self.keep(io::Error::other(error)),
        }
    }

    /// Bytes as they are: a value that was asked for, a script.
    pub(crate) fn write(&self, parts: &[&[u8]]) {
        let mut stdout = io::stdout().lock();
        let written = parts.iter().try_for_each(|part| stdout.write_all(part)).and_then(|()| stdout.flush());
        if let Err(error) = written {
            self.keep(error);
        }
    }

    /// Beside the matter: on standard error, for a person who watches.
    pub(crate) fn note(&self, text: impl AsRef<str>) {
        // Whoever closed standard error does not want to know.
        let _ = writeln!(io::stderr().lock(), "{}", text.as_ref());
    }

    /// A list. Columns are as wide as they need to be; on a terminal, cells wrap to its width.
    pub(crate) fn table<const N: usize>(&self, head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) {
        if self.json {
            return;
        }
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::NOTHING).set_header(head.map(str::to_uppercase));
        if io::stdout().is_terminal() {
            table.set_content_arrangement(comfy_table::ContentArrangement::Dynamic);
        }
        for row in rows {
            table.add_row(row);
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        self.say(table.trim_fmt());
    }

    /// An error: what happened, then what to do.
    pub(crate) fn error(&self, error: &Error) {
        if self.json {
            let document = serde_json::json!({ "error": error });
            self.note(document.to_string());
            return;
        }
        let (red, bold) = (AnsiColor::Red.on_default().bold(), Style::new().bold());
        let mut stderr = anstream::stderr().lock();
        let _ = writeln!(stderr, "{red}error{red:#}: {}", error.happened);
        if let Some(help) = &error.help {
            let _ = writeln!(stderr, "{bold}help{bold:#}: {help}");
        }
    }

    /// What went wrong with standard output, unless its reader merely went away.
    pub(crate) fn broken(&self) -> Option<io::Error> {
        self.broken.take().filter(|error| error.kind() != io::ErrorKind::BrokenPipe)
    }

    fn keep(&self, error: io::Error) {
        self.broken.borrow_mut().get_or_insert(error);
    }
}
