//! One module per outside thing: keychain, sealed vault, escrow, ledger, HTTP, clock, notices, destinations.

pub mod clock;
pub mod escrow;
pub mod http;
#[cfg(any(test, feature = "memory"))]
pub mod memory;
#[cfg(unix)]
pub mod destinations;
pub mod home;
pub mod ledger;
mod private;
pub mod notify;
pub mod keychain;
pub mod sealed;
