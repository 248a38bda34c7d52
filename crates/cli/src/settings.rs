//! `config.toml`: what a person edits, and the one line that is written for them (which store holds their values).

use keytender_api::{Error, ErrorKind};
use keytender_core::reminder::Preferences;
use serde::Deserialize;
use std::io::Write;
use std::path::{Path, PathBuf};

/// What is in the file; what is not stays as it usually is.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// `keychain` or `sealed`, fixed at first use.
    pub(crate) vault: Option<StoreName>,
    /// When notices come.
    pub(crate) reminders: Preferences,
    /// A PEM file with certificates to trust beside the system's, for self-hosted services.
    pub(crate) extra_certificates: Option<PathBuf>,
}

/// A store by its name in the file and in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum StoreName {
    /// The operating system's keychain.
    Keychain,
    /// The sealed file.
    Sealed,
}

impl StoreName {
    /// As it is written.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Keychain => "keychain",
            Self::Sealed => "sealed",
        }
    }
}

impl Settings {
    /// Reads the file; none is as good as an empty one.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(unusable(path, &error.to_string())),
        };
        toml::from_str(&text).map_err(|error| {
            let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            let happened = format!("{}:{line}: {}", path.display(), error.message());
            Error { kind: ErrorKind::Invalid, happened, help: Some("correct that line; nothing was done".into()) }
        })
    }
}

/// Writes the store's name into the file's first line, above what a person wrote there. The file is replaced as a whole.
pub(crate) fn record_store(path: &Path, store: StoreName) -> Result<(), Error> {
    let failed = |error: std::io::Error| unusable(path, &error.to_string());
    let before = match std::fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        read => read.map_err(failed)?,
    };
    let aside = path.with_extension(format!("toml.{}", std::process::id()));
    let mut file = std::fs::File::create_new(&aside).map_err(failed)?;
    let written = write!(file, "vault = \"{}\"\n{before}", store.as_str()).and_then(|()| file.sync_all());
    written.and_then(|()| std::fs::rename(&aside, path)).map_err(|error| {
        let _ = std::fs::remove_file(&aside);
        failed(error)
    })
}

fn unusable(path: &Path, detail: &str) -> Error {
    Error { kind: ErrorKind::Fault, happened: format!("{}: {detail}", path.display()), help: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_store_is_written_above_what_a_person_wrote() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        assert_eq!(Settings::read(&path).unwrap().vault, None);
        std::fs::write(&path, "# mine\n[reminders]\nat = \"08:15:00\"\n").unwrap();
        record_store(&path, StoreName::Sealed).unwrap();
        let settings = Settings::read(&path).unwrap();
        assert_eq!(settings.vault, Some(StoreName::Sealed));
        assert_eq!(settings.reminders.at.to_string(), "08:15:00");
        assert!(std::fs::read_to_string(&path).unwrap().contains("# mine"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_slip_is_named_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, "vault = \"keychain\"\n\nremindres = 3\n").unwrap();
        let error = Settings::read(&path).err().unwrap();
        assert!(error.happened.contains("config.toml:3:") && error.happened.contains("remindres"), "{error}");
    }
}
