//! Service manifests and their pure interpreter: manifest + settings -> request value; response value -> what it says.
//! Sends nothing.
//!
//! Reading order: [`manifest`](crate::Service) is the format as written, `service` resolves and checks it, [`Standing`] fills
//! requests and reads replies. What may not live here: files (the catalogue is compiled in), sockets, the clock, and any
//! knowledge of a particular service.

mod cases;
mod catalog;
mod dates;
mod digest;
mod error;
mod interpret;
mod jwt;
mod manifest;
mod recognise;
mod rules;
mod schema;
mod service;
mod template;

pub use catalog::Catalog;
pub use error::{InterpretError, ManifestError, ManifestFault, SettingError, ValueError};
pub use interpret::{
    Held, ListReading, MakeReading, NoReading, RevokeReading, Standing, Step, Subject, SwitchReading, VerifyReading,
};
pub use manifest::{Confidence, Field, Hazard, HazardWhen, KeyOption, Limits, Managing, OptionKind, SettingKind, Shown, Source};
pub use schema::schema;
pub use service::{Kind, KindFacts, Service, Setting, Switch};
