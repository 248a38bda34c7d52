//! Rotation: the journal's events, the state they fold to, and the engine as one pure function.
//!
//! `next(state, facts)` says what to do; a driver (in `keytender-api`) does it and appends what came of it; `State::apply`
//! takes it in. The same two functions serve running, resuming and simulation. Nothing here does anything itself.

mod apply;
mod changes;
mod event;
mod guard;
mod next;
mod state;

pub use apply::{Impossible, SKEW_MAX_SECONDS};
pub use changes::changes;
pub use event::{
    Answer, DestinationTerm, Effect, Event, Evidence, Found, Hindrance, Kept, Learned, Outcome, Purpose, Reach, RemoteEntry,
    Terms, VerifyRound,
};
pub use guard::{Breach, check};
pub use next::{Ask, Next, Pause, next};
pub use state::{End, Making, Phase, Place, State};

/// The version of the engine and of its journal. A journal of a newer one is not touched.
pub const ENGINE: u32 = 1;
