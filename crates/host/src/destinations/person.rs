//! A person puts the value there. The rotation asks them and takes their word; nothing can be written or read here.

use keytender_core::ports::DestinationError;

/// The answer to a write that nobody but the person can do.
pub(super) fn unwritable(line: &str) -> DestinationError {
    DestinationError::Unwritable(format!("a person does this: {line}"))
}
