//! Rotations: planned, started, driven, answered, shown.
//!
//! The decisions are the engine's (`keytender_core::rotation`); here they are carried out, one effect at a time, with its
//! intent committed before and its outcome after.

mod act;
mod answer;
mod calls;
mod driver;
mod halt;
mod keep;
mod plan;
mod sweep;
mod view;

pub use answer::AnswerRequest;
pub use driver::{Progress, Resting};
pub(crate) use plan::in_words;
pub use plan::{PlanLine, PlanView};

pub use view::{EvidenceView, RotationView, StepView, WaitView, outcome_in_words};
