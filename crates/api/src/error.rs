//! Errors as a front shows them: a closed kind that says what to do with it, and sentences that say what happened, what
//! still works and what to do next.

use keytender_core::error::Retry;
use keytender_core::ports::{DestinationError, EscrowError, LedgerError, VaultError};
use serde::Serialize;

/// What kind of error; decides the exit code and the shape on screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorKind {
    /// Something on this computer failed.
    Fault,
    /// The request makes no sense as it is: a name that is taken, a field that is missing, an ambiguous address.
    Invalid,
    /// No such thing.
    NotFound,
    /// The vault is locked.
    Locked,
    /// No vault answers, or not in time.
    StoreGone,
    /// A person is needed.
    PersonNeeded,
    /// A consent is missing, or safety forbids it.
    Refused,
    /// Another process is at it.
    Busy,
    /// The service cannot be reached or gives no verdict.
    Unreachable,
}

/// An error of a use case. Never carries a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{happened}")]
pub struct Error {
    /// What kind.
    pub kind: ErrorKind,
    /// What happened, and what still works where that is not plain.
    pub happened: String,
    /// What to do next; names a command.
    pub help: Option<String>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, happened: impl Into<String>) -> Self {
        Self { kind, happened: happened.into(), help: None }
    }

    pub(crate) fn invalid(happened: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, happened)
    }

    pub(crate) fn refused(happened: impl Into<String>) -> Self {
        Self::new(ErrorKind::Refused, happened)
    }

    pub(crate) fn fault(happened: impl Into<String>) -> Self {
        Self::new(ErrorKind::Fault, happened)
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Whether and when the same call may succeed.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self.kind {
            ErrorKind::Fault | ErrorKind::StoreGone | ErrorKind::Unreachable => Retry::Later,
            ErrorKind::Invalid | ErrorKind::NotFound => Retry::Never,
            ErrorKind::Locked | ErrorKind::PersonNeeded | ErrorKind::Refused => Retry::NeedsPerson,
            ErrorKind::Busy => Retry::Now,
        }
    }
}

impl From<LedgerError> for Error {
    fn from(error: LedgerError) -> Self {
        let happened = error.to_string();
        match error {
            LedgerError::Exists(_) | LedgerError::InUse(_) => Self::invalid(happened),
            LedgerError::NotFound(_) => Self::new(ErrorKind::NotFound, happened),
            LedgerError::Stale { .. } | LedgerError::Busy => {
                Self::new(ErrorKind::Busy, happened).help("wait for it to finish, or look with `keytender rotations list`")
            }
            LedgerError::Newer { .. } => Self::refused(happened).help("use the newer Keytender; this one only touches what it knows"),
            LedgerError::Damaged(_) => Self::fault(happened)
                .help("values are safe in the vault; put a copy from `backups/` back, or run `keytender doctor --rebuild` on a new home"),
            LedgerError::Full => Self::fault(happened).help("free some space and try again; nothing is lost"),
            LedgerError::Failed(_) => Self::fault(happened),
        }
    }
}

impl From<VaultError> for Error {
    fn from(error: VaultError) -> Self {
        let happened = error.to_string();
        let sealed = "or start with `--vault sealed`, which needs no keychain";
        match error {
            VaultError::Locked { .. } => Self::new(ErrorKind::Locked, happened).help("unlock it and try again"),
            VaultError::Absent { .. } => {
                Self::new(ErrorKind::StoreGone, happened).help(format!("start the keychain and try again, {sealed}"))
            }
            VaultError::Hung { .. } => Self::new(ErrorKind::StoreGone, happened).help(format!(
                "nothing is lost; try again when it answers, {sealed}. An unanswered unlock prompt looks like this too"
            )),
            VaultError::Failing { .. } => Self::new(ErrorKind::StoreGone, happened).help(format!("try again, {sealed}")),
            VaultError::NotFound { .. } => {
                Self::new(ErrorKind::NotFound, happened).help("`keytender doctor` compares ledger and vault")
            }
            VaultError::Exists { .. } => Self::fault(happened),
        }
    }
}

impl From<EscrowError> for Error {
    fn from(error: EscrowError) -> Self {
        match error {
            EscrowError::Vault(vault) => vault.into(),
            EscrowError::Full(_) => Self::fault(error.to_string()).help("free some space and try again; nothing is lost"),
            EscrowError::Written(_) | EscrowError::Nothing(_) | EscrowError::Io(_) => Self::fault(error.to_string()),
            EscrowError::WrongKey(_) | EscrowError::KeyPair(_) => Self::fault(error.to_string())
                .help("was the vault replaced? The reply stays sealed; put the old vault back and run `keytender recover`"),
        }
    }
}

impl From<DestinationError> for Error {
    fn from(error: DestinationError) -> Self {
        let happened = error.to_string();
        match error {
            DestinationError::NeedsConsent(_) => Self::refused(happened),
            DestinationError::Unexpected(_) | DestinationError::Unparsable(_) | DestinationError::Unwritable(_) => {
                Self::invalid(happened)
            }
            DestinationError::Changed(_) => Self::new(ErrorKind::Busy, happened).help("try again"),
            DestinationError::CommandFailed(_) | DestinationError::Io(_) => Self::fault(happened),
        }
    }
}
