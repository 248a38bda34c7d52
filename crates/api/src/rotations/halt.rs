//! Why an effect ended before its last line.

use crate::error::{Error, ErrorKind};
use crate::stored::StoreError;
use keytender_core::ports::{EscrowError, HttpError, HttpTrouble, VaultError};
use keytender_core::rotation::{Hindrance, Outcome};
use keytender_services::InterpretError;

/// Why an effect ended early.
pub(super) enum Halt {
    /// It could not be carried out just now and changed nothing.
    Hindered(Hindrance, String),
    /// It has come to an outcome already.
    Came(Box<Outcome>),
    /// The run cannot go on; what was committed stays.
    Fault(Error),
}

impl Halt {
    /// Splits what is an outcome from what stops the run.
    pub(super) fn into_outcome(self) -> Result<Outcome, Error> {
        match self {
            Self::Hindered(hindrance, detail) => Ok(Outcome::Postponed { hindrance, detail }),
            Self::Came(outcome) => Ok(*outcome),
            Self::Fault(error) => Err(error),
        }
    }
}

impl From<Outcome> for Halt {
    fn from(outcome: Outcome) -> Self {
        Self::Came(Box::new(outcome))
    }
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        match error.kind {
            ErrorKind::Locked => Self::Hindered(Hindrance::StoreLocked, error.happened),
            ErrorKind::StoreGone => Self::Hindered(Hindrance::StoreFailing, error.happened),
            ErrorKind::Fault
            | ErrorKind::Invalid
            | ErrorKind::NotFound
            | ErrorKind::PersonNeeded
            | ErrorKind::Refused
            | ErrorKind::Busy
            | ErrorKind::Unreachable => Self::Fault(error),
        }
    }
}

impl From<VaultError> for Halt {
    fn from(error: VaultError) -> Self {
        let hindrance = match error {
            VaultError::Locked { .. } => Hindrance::StoreLocked,
            VaultError::Absent { .. } => Hindrance::StoreAbsent,
            VaultError::Hung { .. } => Hindrance::StoreHung,
            VaultError::Failing { .. } | VaultError::NotFound { .. } | VaultError::Exists { .. } => Hindrance::StoreFailing,
        };
        Self::Hindered(hindrance, error.to_string())
    }
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Vault(vault) => vault.into(),
            StoreError::Mismatch(what) => Self::Hindered(Hindrance::StoreFailing, what),
        }
    }
}

impl From<EscrowError> for Halt {
    fn from(error: EscrowError) -> Self {
        let hindrance = match error {
            EscrowError::Vault(vault) => return vault.into(),
            EscrowError::Full(_) => Hindrance::DiskFull,
            EscrowError::Written(_)
            | EscrowError::Nothing(_)
            | EscrowError::WrongKey(_)
            | EscrowError::KeyPair(_)
            | EscrowError::Io(_) => Hindrance::Person,
        };
        Self::Hindered(hindrance, error.to_string())
    }
}

impl From<InterpretError> for Halt {
    fn from(error: InterpretError) -> Self {
        Self::Hindered(Hindrance::Person, error.to_string())
    }
}

/// Of a request whose repetition is harmless: no reply is "no verdict".
impl From<HttpError> for Halt {
    fn from(error: HttpError) -> Self {
        let hindrance = match error.trouble {
            HttpTrouble::Limited(until) => Hindrance::Limited { until },
            HttpTrouble::Forbidden(_) => Hindrance::Person,
            HttpTrouble::Connect(_) | HttpTrouble::Timeout(_) | HttpTrouble::Cut => Hindrance::NoVerdict,
        };
        Self::Hindered(hindrance, error.to_string())
    }
}
