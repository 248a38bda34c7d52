//! The clipboard: a value is put there, stays for a while, and is taken away again unless something else was copied since.
//!
//! On Linux what a program copies is served by that program, so whoever calls [`hold`] has to stay for as long as the value
//! may be pasted; the command line does it in a process of its own. What may not live here: how long that is, and whose value
//! it is.

use keytender_core::secret::SecretText;
use std::thread;
use std::time::Duration;

/// Why a value was not copied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClipboardError {
    /// There is no desktop session, or none with a clipboard.
    #[error("there is no clipboard here: {0}")]
    Absent(String),
    /// It did not take the value.
    #[error("the clipboard did not take the value: {0}")]
    Refused(String),
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cleared {
    /// The value was still there, and is gone now.
    Yes,
    /// Something else had been copied meanwhile, and was left alone.
    Overwritten,
}

/// Copies a value, says so to `copied`, waits, and clears the clipboard if the value is still there. Clipboard histories are
/// asked not to keep it.
///
/// # Errors
/// See [`ClipboardError`]. Once `copied` was called, only a clipboard that went away is one.
pub fn hold(value: &SecretText, stay: Duration, copied: impl FnOnce()) -> Result<Cleared, ClipboardError> {
    let absent = |error: arboard::Error| ClipboardError::Absent(error.to_string());
    let refused = |error: arboard::Error| ClipboardError::Refused(error.to_string());
    let mut clipboard = arboard::Clipboard::new().map_err(absent)?;
    private(clipboard.set()).text(value.expose()).map_err(refused)?;
    copied();
    thread::sleep(stay);
    // One that cannot be read holds something that is no text: not ours.
    let there = clipboard.get_text().map(SecretText::new);
    if there.is_ok_and(|there| there.matches(value)) {
        clipboard.clear().map_err(refused)?;
        Ok(Cleared::Yes)
    } else {
        Ok(Cleared::Overwritten)
    }
}

#[cfg(target_os = "linux")]
fn private(set: arboard::Set<'_>) -> arboard::Set<'_> {
    arboard::SetExtLinux::exclude_from_history(set)
}

#[cfg(target_os = "macos")]
fn private(set: arboard::Set<'_>) -> arboard::Set<'_> {
    arboard::SetExtApple::exclude_from_history(set)
}

#[cfg(target_os = "windows")]
fn private(set: arboard::Set<'_>) -> arboard::Set<'_> {
    use arboard::SetExtWindows;
    set.exclude_from_cloud().exclude_from_history()
}
