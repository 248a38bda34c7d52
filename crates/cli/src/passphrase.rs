//! The sealed vault's passphrase: from a file, from a descriptor, or typed where nobody sees it. Never an argument.

use crate::args::Global;
use crate::ask;
use keytender_core::secret::SecretText;
use keytender_host::sealed::Passphrase;
use std::path::PathBuf;

/// Where it comes from.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// One line of a file.
    File(PathBuf),
    /// One line from an open descriptor.
    Descriptor(u32),
    /// A person.
    Prompt,
}

/// Whether the vault is there already, or is made with this passphrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum For {
    /// An existing vault.
    Unlocking,
    /// A new one: what is typed is typed twice.
    Creating,
}

impl Source {
    pub(crate) fn of(global: &Global) -> Self {
        match (&global.passphrase_file, global.passphrase_fd) {
            (Some(file), _) => Self::File(file.clone()),
            (None, Some(number)) => Self::Descriptor(number),
            (None, None) => Self::Prompt,
        }
    }

    /// Whether it can be had without asking anyone.
    pub(crate) fn is_silent(&self) -> bool {
        !matches!(self, Self::Prompt)
    }

    /// The passphrase, or why there is none, in words.
    pub(crate) fn obtain(&self, purpose: For) -> Result<SecretText, String> {
        match self {
            Self::File(path) => {
                let read = Passphrase::from_file(path).map_err(|error| error.to_string())?;
                if read.exposed {
                    ask::warn(&format!("others on this computer can read {}; `chmod 600` it", path.display()));
                }
                Ok(read.text)
            }
            #[cfg(unix)]
            Self::Descriptor(number) => {
                Passphrase::from_descriptor(*number).map(|read| read.text).map_err(|error| error.to_string())
            }
            #[cfg(not(unix))]
            Self::Descriptor(_) => Err("this system hands no descriptors to programs; use --passphrase-file".to_owned()),
            Self::Prompt => typed(purpose),
        }
    }
}

fn typed(purpose: For) -> Result<SecretText, String> {
    if !ask::at_terminal() {
        return Err("there is no terminal to type its passphrase at".to_owned());
    }
    let hidden = |prompt: &str| ask::hidden(prompt).map_err(|error| format!("no passphrase was typed: {error}"));
    if purpose == For::Unlocking {
        return hidden("Passphrase of the sealed vault: ");
    }
    ask::warn("Keytender makes a sealed vault. A lost passphrase is lost, and with it everything in the vault.");
    let first = hidden("New passphrase: ")?;
    if first.is_empty() {
        return Err("an empty passphrase protects nothing".to_owned());
    }
    if !hidden("The same again: ")?.matches(&first) {
        return Err("the two passphrases differ; nothing was made".to_owned());
    }
    Ok(first)
}
