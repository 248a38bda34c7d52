//! Keytender's core: the words of the product as types, the arithmetic of expiry and reminders, and the rotation engine.
//!
//! Pure and synchronous. What may not live here: files, sockets, SQL, the keychain, processes, randomness and the clock.
//! Whatever the core needs from outside is named by a trait in [`ports`] and carried out by `keytender-host`.

pub mod envelope;
pub mod error;
pub mod exchange;
pub mod expiry;
pub mod ids;
pub mod ports;
pub mod reminder;
pub mod retry_after;
pub mod rotation;
pub mod secret;
pub mod words;
