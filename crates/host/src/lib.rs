//! One module per outside thing: keychain, sealed vault, escrow, ledger, HTTP, clock, notices, destinations.

pub mod clock;
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
pub mod sealed;
