//! Where the sealed vault's passphrase comes from when no person types it: a file, or a descriptor that the caller opened.
//! Never the command line's arguments, which every process of the machine can read.

use keytender_core::secret::SecretText;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use zeroize::Zeroizing;

/// Longer ones are a wrong file, not a passphrase. In bytes.
const LONGEST: usize = 4096;

/// A passphrase and what there is to say about where it came from.
pub struct Passphrase {
    /// The passphrase, without the line's end.
    pub text: SecretText,
    /// Other users of the machine can read the file it came from: worth a warning.
    pub exposed: bool,
}

/// Why there is no passphrase.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PassphraseError {
    /// It cannot be opened or read.
    #[error("the passphrase cannot be read from {place}: {kind}")]
    Unreadable {
        /// From where.
        place: String,
        /// What the system answered.
        kind: std::io::ErrorKind,
    },
    /// Nothing there.
    #[error("{place} holds no passphrase")]
    Empty {
        /// From where.
        place: String,
    },
    /// More than 4096 bytes, several lines, or no text.
    #[error("{place} holds something else than a passphrase: one line of text, at most {LONGEST} bytes")]
    NoPassphrase {
        /// From where.
        place: String,
    },
}

impl Passphrase {
    /// The one line in a file.
    ///
    /// # Errors
    /// See [`PassphraseError`].
    pub fn from_file(path: &Path) -> Result<Self, PassphraseError> {
        let place = path.display().to_string();
        let unreadable = |error: std::io::Error| PassphraseError::Unreadable { place: place.clone(), kind: error.kind() };
        let file = File::open(path).map_err(unreadable)?;
        let exposed = exposed(&file).map_err(unreadable)?;
        read_line(file, &place).map(|text| Self { text, exposed })
    }

    /// The one line that a descriptor gives which the caller of the command opened (`3< file`, or a pipe).
    ///
    /// # Errors
    /// See [`PassphraseError`].
    #[cfg(unix)]
    pub fn from_descriptor(number: u32) -> Result<Self, PassphraseError> {
        let place = format!("descriptor {number}");
        // By name rather than by number: taking over a bare number could close someone else's file.
        let file = File::open(format!("/dev/fd/{number}"));
        let file = file.map_err(|error| PassphraseError::Unreadable { place: place.clone(), kind: error.kind() })?;
        read_line(file, &place).map(|text| Self { text, exposed: false })
    }
}

/// One line, its end stripped.
fn read_line(source: impl Read, place: &str) -> Result<SecretText, PassphraseError> {
    // Of full size from the start: a buffer that grows would leave unwiped copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST + 2));
    let limit = u64::try_from(LONGEST + 2).unwrap_or(u64::MAX);
    let unreadable = |error: std::io::Error| PassphraseError::Unreadable { place: place.to_owned(), kind: error.kind() };
    source.take(limit).read_to_end(&mut bytes).map_err(unreadable)?;
    let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.is_empty() {
        return Err(PassphraseError::Empty { place: place.to_owned() });
    }
    let text = std::str::from_utf8(line).ok().filter(|text| text.len() <= LONGEST && !text.contains('\n'));
    let text = text.ok_or_else(|| PassphraseError::NoPassphrase { place: place.to_owned() })?;
    Ok(SecretText::new(text.to_owned()))
}

#[cfg(unix)]
fn exposed(file: &File) -> std::io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;
    Ok(file.metadata()?.permissions().mode() & 0o077 != 0)
}

/// Other platforms have no mode bits; their access lists are not read.
#[cfg(not(unix))]
fn exposed(_: &File) -> std::io::Result<bool> {
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<String, PassphraseError> {
        read_line(bytes, "there").map(|text| text.expose().to_owned())
    }

    #[test]
    fn one_line_end_is_stripped_and_nothing_else() {
        assert_eq!(read(b"correct horse ").unwrap(), "correct horse ");
        assert_eq!(read(b"correct horse\n").unwrap(), "correct horse");
        assert_eq!(read(b"correct horse\r\n").unwrap(), "correct horse");
        assert!(matches!(read(b"two\nlines\n"), Err(PassphraseError::NoPassphrase { .. })));
        assert!(matches!(read(b"\n"), Err(PassphraseError::Empty { .. })));
        assert!(matches!(read(&[0xff, 0xfe]), Err(PassphraseError::NoPassphrase { .. })));
        assert_eq!(read(&[b'a'; LONGEST]).unwrap().len(), LONGEST);
        assert!(matches!(read(&[b'a'; LONGEST + 1]), Err(PassphraseError::NoPassphrase { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_reported() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("passphrase");
        std::fs::write(&path, "correct horse\n").unwrap();
        for (mode, exposed) in [(0o600, false), (0o640, true), (0o604, true)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let read = Passphrase::from_file(&path).ok().unwrap();
            assert_eq!((read.text.expose(), read.exposed), ("correct horse", exposed), "{mode:o}");
        }
        assert!(matches!(Passphrase::from_file(folder.path()), Err(PassphraseError::Unreadable { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn a_descriptor_is_read_by_its_number() {
        use std::io::Write;
        use std::os::fd::AsRawFd;
        let (reader, mut writer) = std::io::pipe().unwrap();
        writer.write_all(b"correct horse\n").unwrap();
        drop(writer);
        let number = u32::try_from(reader.as_raw_fd()).unwrap();
        assert_eq!(Passphrase::from_descriptor(number).ok().unwrap().text.expose(), "correct horse");
        assert!(matches!(Passphrase::from_descriptor(9_999), Err(PassphraseError::Unreadable { .. })));
    }
}
