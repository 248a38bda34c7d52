//! The practice service: an ordinary HTTP server on loopback that issues keys to practise on.
//!
//! It lets a newcomer, and every test, see add -> reminder -> rotate -> revoke with no account anywhere. It issues keys of
//! every combination of who makes them, who retires them and what becomes of the old one ([`KeyKind`]), and can be told to
//! misbehave ([`Fault`]) the way real services do.
//!
//! A call flows: `server` -> `api` or `portal` -> [`Practice`] -> `store` (one file, one lock) -> `rules` on `state`.
//!
//! What may not live here: anything of Keytender's own. The crate depends on none of our crates, and nothing in the engine
//! knows it; Keytender meets it as it meets any other service, through a manifest and HTTP.

mod api;
mod error;
mod faults;
mod kinds;
mod page;
mod portal;
mod practice;
mod reply;
mod rules;
mod server;
mod state;
mod store;
mod token;

pub use error::{PracticeError, Refusal};
pub use faults::{Call, Fault, FaultKind, Times};
pub use kinds::{KeyKind, OldKey, SLOTS, UnknownKind, Who};
pub use practice::Practice;
pub use rules::{IssueRequest, Issued};
pub use server::{Running, Server};
pub use state::{KeyRow, KeyState, MakeLog};
