//! Rotation: the journal's events, the state they fold to, and the engine as one pure function.
//!
//! `next(state, facts)` says what to do; a driver (in `keytender-api`) does it and appends what came of it; `State::apply`
//! takes it in. The same two functions serve running, resuming and simulation. Nothing here does anything itself.

mod event;

pub use event::{
    Answer, DestinationTerm, Effect, Event, Evidence, Found, Hindrance, Kept, Learned, Outcome, Purpose, Reach, RemoteEntry,
    Terms, VerifyRound,
};
