//! Places where a value is used, on this machine: .env files, text files, commands, people.
//!
//! A file per kind. The kinds that are files say what the new content is (`dotenv`, `text`); reading and replacing a
//! file carefully is the same for all of them (`file`, `swap`, `leftover`, `undo`). A kind may not write a file by itself, and no
//! error of any kind carries a value.

mod attributes;
mod command;
mod dotenv;
mod file;
mod leftover;
mod person;
mod process;
mod scrub;
mod spelling;
mod swap;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
mod text;
mod undo;
mod warnings;

use file::ReadFile;
use keytender_core::ids::DestinationId;
use keytender_core::ports::{DestinationError, Destinations, Escrow, Holding, Warning, Written};
use keytender_core::secret::{SecretBytes, SecretText, Value};
use keytender_core::words::{Destination, DestinationWhere, DotenvPlace, Placement};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use swap::{Rehearsal, Replacement};
use undo::UndoFolder;

/// The destinations that this machine can write.
pub struct LocalDestinations {
    undo: UndoFolder,
    rehearsal: Rehearsal,
}

/// What a kind of file says about a change.
enum Edit {
    /// The new value stands already; the evidence.
    Stands(String),
    /// The whole new content, and the evidence that holds once it stands.
    Replace(SecretBytes, String),
}

impl LocalDestinations {
    /// Destinations whose sealed undo copies go to a folder, which is made when it is needed.
    #[must_use]
    pub fn new(undo_folder: PathBuf, escrow: Arc<dyn Escrow>) -> Self {
        Self { undo: UndoFolder::new(undo_folder, escrow), rehearsal: Rehearsal::none() }
    }

    /// The whole file as it stood before it was last written, if a copy is still kept. Needs the escrow's private key.
    ///
    /// # Errors
    /// The copy cannot be read or opened.
    pub fn undo_copy(&self, destination: DestinationId) -> Result<Option<SecretBytes>, DestinationError> {
        self.undo.newest(destination)
    }

    fn write_file(
        &self,
        destination: DestinationId,
        path: &Path,
        placement: Placement,
        edit: impl Fn(&ReadFile) -> Result<Edit, DestinationError>,
    ) -> Result<Written, DestinationError> {
        leftover::recover(destination, &self.undo)?;
        let old = ReadFile::read(path, placement)?;
        let (new, evidence) = match edit(&old)? {
            Edit::Stands(evidence) => return Ok(Written::Confirmed(evidence)),
            Edit::Replace(new, evidence) => (new, evidence),
        };
        old.check_replaceable()?;
        Replacement { destination, old: &old, new: &new, undo: &self.undo, rehearsal: &self.rehearsal }.run()?;
        match edit(&ReadFile::read(path, placement)?)? {
            Edit::Stands(_) => Ok(Written::Confirmed(evidence)),
            Edit::Replace(..) => Err(DestinationError::Changed(path.display().to_string())),
        }
    }
}

impl Destinations for LocalDestinations {
    fn holding(&self, destination: &Destination, expected: &Value) -> Result<Holding, DestinationError> {
        match &destination.place {
            DestinationWhere::Dotenv { path, places, placement } => {
                let wanted = wanted(places, None, expected)?;
                let file = ReadFile::read(path, *placement)?;
                dotenv::holding(&file.path, &file.bytes, &wanted)
            }
            DestinationWhere::Text { path, field, placement } => {
                let expected = only_field(field.as_deref(), expected)?;
                let file = ReadFile::read(path, *placement)?;
                text::holding(&file.path, &file.bytes, expected)
            }
            DestinationWhere::Command { .. } | DestinationWhere::Person { .. } => Ok(Holding::Unreadable),
        }
    }

    fn writable(&self, destination: &Destination) -> Result<Vec<Warning>, DestinationError> {
        let (path, placement, places) = match &destination.place {
            DestinationWhere::Dotenv { path, places, placement } => (path, placement, places.as_slice()),
            DestinationWhere::Text { path, placement, .. } => (path, placement, &[][..]),
            DestinationWhere::Command { argv, folder, .. } => return command::check(argv, folder).map(|()| Vec::new()),
            DestinationWhere::Person { .. } => return Ok(Vec::new()),
        };
        self.undo.prepare()?;
        let file = ReadFile::read(path, *placement)?;
        file.check_replaceable()?;
        Ok(warnings::about(&file, places.iter().map(|place| place.variable.as_str())))
    }

    fn write(&self, destination: &Destination, old: Option<&Value>, new: &Value) -> Result<Written, DestinationError> {
        match &destination.place {
            DestinationWhere::Dotenv { path, places, placement } => {
                let wanted = wanted(places, old, new)?;
                self.write_file(destination.id, path, *placement, |file| dotenv::edit(&file.path, &file.bytes, &wanted))
            }
            DestinationWhere::Text { path, field, placement } => {
                let old = old.map(|old| only_field(field.as_deref(), old)).transpose()?;
                let new = only_field(field.as_deref(), new)?;
                self.write_file(destination.id, path, *placement, |file| text::edit(&file.path, &file.bytes, old, new))
            }
            DestinationWhere::Command { argv, folder, field, timeout_seconds } => {
                command::run(argv, folder, field.as_deref(), *timeout_seconds, new).map(Written::Pushed)
            }
            DestinationWhere::Person { line } => Err(person::unwritable(line)),
        }
    }

    fn forget_undo(&self, destination: DestinationId) -> Result<(), DestinationError> {
        self.undo.forget(destination)
    }
}

/// Each place with the texts of its field.
fn wanted<'a>(
    places: &'a [DotenvPlace],
    old: Option<&'a Value>,
    new: &'a Value,
) -> Result<Vec<dotenv::Wanted<'a>>, DestinationError> {
    let wanted = |place: &'a DotenvPlace| {
        let field = place.field.as_deref();
        let old = old.map(|old| only_field(field, old)).transpose()?;
        Ok(dotenv::Wanted { variable: &place.variable, old: old.map(SecretText::expose), new: only_field(field, new)?.expose() })
    };
    places.iter().map(wanted).collect()
}

/// The named field of a value, or its only one.
fn only_field<'a>(name: Option<&str>, value: &'a Value) -> Result<&'a SecretText, DestinationError> {
    let mut fields = value.fields();
    let text = match (name, fields.next(), fields.next()) {
        (Some(name), ..) => {
            value.field(name).ok_or_else(|| DestinationError::Unparsable(format!("the value has no field {name}")))?
        }
        (None, Some((_, only)), None) => only,
        (None, ..) => {
            let names: Vec<&str> = value.fields().map(|(name, _)| name).collect();
            let names = names.join(", ");
            return Err(DestinationError::Unparsable(format!("the value has several fields ({names}); say which one goes here")));
        }
    };
    // An empty text, or one that ends early for every reader, is no value that anything could be replaced with.
    if text.is_empty() || text.expose().contains('\0') {
        return Err(DestinationError::Unparsable("an empty value, or one with a NUL in it, is not written anywhere".to_owned()));
    }
    Ok(text)
}

/// `line 3`, `lines 3, 9`; none for no lines.
fn line_list(lines: impl Iterator<Item = usize>) -> Option<String> {
    let mut lines: Vec<usize> = lines.collect();
    lines.sort_unstable();
    lines.dedup();
    let list = lines.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
    match lines.len() {
        0 => None,
        1 => Some(format!("line {list}")),
        _ => Some(format!("lines {list}")),
    }
}
