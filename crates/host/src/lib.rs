//! One module per outside thing: keychain, sealed vault, escrow, ledger, HTTP, clock, notices, destinations.

pub mod clipboard;
pub mod clock;
pub mod crash;
#[cfg(unix)]
pub mod destinations;
pub mod escrow;
pub mod home;
pub mod http;
pub mod keychain;
pub mod ledger;
#[cfg(any(test, feature = "memory"))]
pub mod memory;
pub mod notify;
mod private;
pub mod process;
pub mod sealed;
