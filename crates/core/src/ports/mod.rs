//! What the core and the use cases need from outside, as narrow traits. `keytender-host` implements them on real parts;
//! tests implement them in memory.
//!
//! All ports are blocking: a rotation waits for one thing at a time, runs on a thread of its own, and a killed process is
//! what its journal is for. Async code stays inside the host's adapters.

mod checkpoint;
mod clock;
mod destinations;
mod escrow;
mod http;
mod ledger;
mod vault;

pub use checkpoint::Checkpoint;
pub use clock::{Clock, Ids};
pub use destinations::{DestinationError, Destinations, Holding, Warning, Written};
pub use escrow::{Escrow, EscrowError, Sealed, SlotId, SlotState};
pub use http::{Http, HttpError, HttpTrouble, Sent};
pub use ledger::{Change, Consent, JournalRow, Ledger, LedgerError, Notice, NoticeOutcome};
pub use vault::{Item, StoreProof, Vault, VaultError};
