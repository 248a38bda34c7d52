//! The state file: one JSON document in one folder, read and written whole under an advisory lock.
//!
//! Loaded afresh every time, so that several processes (a running server, the command line, tests) can share the folder with
//! none of them in charge. What may not live here: any knowledge of keys and faults.

use crate::error::PracticeError;
use crate::state::{FORMAT, State};
use serde::Deserialize;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

const STATE_FILE: &str = "practice.json";
const NEW_STATE_FILE: &str = "practice.json.new";
/// The lock lies on a file of its own, because the state file is a new one after every change.
const LOCK_FILE: &str = "practice.lock";

/// The folder in which the state file lies.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    folder: PathBuf,
}

impl Store {
    /// Opens the folder, made (0700) if there is none, and reads the state once, so that damage is told now.
    pub(crate) fn open(folder: &Path) -> Result<Self, PracticeError> {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder).map_err(failed("make the folder", folder))?;
        let store = Self { folder: folder.to_owned() };
        store.transact(|_| Ok(()))?;
        Ok(store)
    }

    /// Runs `work` on the state, alone among all processes and threads, and writes what changed. An error of `work` writes
    /// nothing. Waits for the lock without a limit: it is only ever held for one small read and write.
    pub(crate) fn transact<T>(&self, work: impl FnOnce(&mut State) -> Result<T, PracticeError>) -> Result<T, PracticeError> {
        let path = self.folder.join(LOCK_FILE);
        let lock = private_file().create(true).truncate(false).open(&path).map_err(failed("open", &path))?;
        lock.lock().map_err(failed("lock", &path))?; // released when the file is closed
        let (mut state, before) = self.read()?;
        let result = work(&mut state)?;
        let after = self.text(&state)?;
        if after != before {
            self.write(&after)?;
        }
        Ok(result)
    }

    /// The state, with its text as it would be written.
    fn read(&self) -> Result<(State, String), PracticeError> {
        let path = self.folder.join(STATE_FILE);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let state = State::empty();
                let text = self.text(&state)?;
                return Ok((state, text));
            }
            Err(error) => return Err(failed("read", &path)(error)),
        };
        // The format first: a newer file may have fields that this program would call damage.
        #[derive(Deserialize)]
        struct Announced {
            format: u32,
        }
        let announced: Announced = serde_json::from_slice(&bytes).map_err(|error| damaged(&path, &error))?;
        if announced.format > FORMAT {
            return Err(PracticeError::Newer { path, format: announced.format });
        }
        let state = serde_json::from_slice(&bytes).map_err(|error| damaged(&path, &error))?;
        let text = self.text(&state)?;
        Ok((state, text))
    }

    fn text(&self, state: &State) -> Result<String, PracticeError> {
        serde_json::to_string_pretty(state).map_err(|error| failed("write", &self.folder.join(STATE_FILE))(error.into()))
    }

    /// A new file (0600), written through, then renamed over the old one. The lock makes one fixed name enough, so that a
    /// killed process leaves at most one stray file, which the next write removes.
    fn write(&self, text: &str) -> Result<(), PracticeError> {
        let (path, new) = (self.folder.join(STATE_FILE), self.folder.join(NEW_STATE_FILE));
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed("remove", &new)(error)),
            Ok(()) | Err(_) => {}
        }
        let written = private_file().create_new(true).open(&new).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
        written.map_err(failed("write", &new))?;
        fs::rename(&new, &path).map_err(failed("replace", &path))
    }
}

/// A file to write that only its owner may read.
fn private_file() -> OpenOptions {
    let mut options = File::options();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> PracticeError {
    let path = path.to_owned();
    move |source| PracticeError::Storage { doing, path, source }
}

/// Says where and of which sort the damage is, without quoting the file: it may hold anything.
fn damaged(path: &Path, error: &serde_json::Error) -> PracticeError {
    let sort = match error.classify() {
        serde_json::error::Category::Eof => "it ends too early",
        serde_json::error::Category::Syntax => "it is not JSON",
        serde_json::error::Category::Data | serde_json::error::Category::Io => "it has another shape",
    };
    PracticeError::Damaged {
        path: path.to_owned(),
        reason: format!("{sort}, at line {} column {}", error.line(), error.column()),
    }
}
