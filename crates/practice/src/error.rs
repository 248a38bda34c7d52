//! What can go wrong, as two closed sets: what the service refuses by its rules, and what keeps it from working at all.
//!
//! What may not live here: HTTP status codes (`reply`).

use crate::kinds::KeyKind;
use std::io;
use std::path::PathBuf;

/// What the service refuses by its own rules. Nothing has changed; another call may do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Keys of this kind are made by a person in the portal. HTTP 403.
    #[error("made in the portal")]
    MadeInPortal,
    /// Keys of this kind are retired by a person in the portal. HTTP 403.
    #[error("retired in the portal")]
    RetiredInPortal,
    /// Keys of this kind are switched off and on by a person in the portal. HTTP 403.
    #[error("switched in the portal")]
    SwitchedInPortal,
    /// A key of this kind replaces the one before it: rotate it. HTTP 409.
    #[error("use rotate")]
    UseRotate,
    /// Keys of this kind live side by side: make another. HTTP 409.
    #[error("use create")]
    UseCreate,
    /// Both slots hold a live key: revoke one first. HTTP 409.
    #[error("limit")]
    SlotsFull,
    /// A live key of that name exists and a new one would replace it: regenerate that one. HTTP 409.
    #[error("a live key of that name exists; regenerate {id} instead")]
    RegenerateInstead {
        /// The live key's id.
        id: String,
    },
    /// Only keys whose old one dies can be regenerated: create another instead. HTTP 409.
    #[error("keys of kind {0} are not regenerated; create another and revoke the old one")]
    NotRegenerated(KeyKind),
    /// No such key, not one of the caller's kind, or no longer live. HTTP 404.
    #[error("not found")]
    UnknownKey,
    /// The input breaks a rule that the text names. HTTP 422.
    #[error("{0}")]
    BadInput(String),
}

/// Why a call to the practice service failed.
#[derive(Debug, thiserror::Error)]
pub enum PracticeError {
    /// The service's rules say no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The state file is not what this program writes. It is never reset by itself.
    #[error(
        "the practice service's file {} is damaged ({reason}). Its keys are for practice only: to start anew, \
         move that file away or delete it; everything else of Keytender is untouched", path.display()
    )]
    Damaged {
        /// The damaged file.
        path: PathBuf,
        /// What is wrong with it; quotes nothing of its content.
        reason: String,
    },
    /// The state file comes from a newer program.
    #[error(
        "the practice service's file {} was written by a newer version (format {format}). Use that version, or move the \
         file away to start anew", path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The format it announces.
        format: u32,
    },
    /// A file or folder could not be used. What was there before is still there.
    #[error("cannot {doing} {}: {source}", path.display())]
    Storage {
        /// What was tried, as a verb.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The system gave no random bytes, so no key was made.
    #[error("the system gave no random bytes, so no key was made: {0}")]
    Randomness(getrandom::Error),
    /// The server could not start to listen.
    #[error("cannot listen on 127.0.0.1:{port}: {source}. Choose another port, or 0 for any free one")]
    Listen {
        /// The port asked for.
        port: u16,
        /// The system's answer.
        source: io::Error,
    },
    /// The server's own work was cut short; it may or may not have been done.
    #[error("the practice service was interrupted")]
    Interrupted,
}
