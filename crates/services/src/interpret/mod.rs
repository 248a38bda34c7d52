//! The interpreter: manifest + settings -> request value; response value -> what it says. It sends nothing, asks no clock and
//! keeps nothing.
//!
//! A request is put together in [`request`], a reply is read in the module of its call. Reading a reply never fails: what
//! cannot be read is a reading too (unknown, no verdict, ambiguous), with evidence in words.

mod answer;
mod expiry;
mod fill;
mod list;
mod make;
mod request;
mod revoke;
mod steps;
mod switch;
mod verify;

pub(crate) use fill::percent_encode;
pub use list::{ListReading, NoReading};
pub use make::MakeReading;
pub use revoke::RevokeReading;
pub use steps::Step;
pub use switch::SwitchReading;
pub use verify::VerifyReading;

pub(crate) use list::read as read_list;
pub(crate) use make::read as read_make;
pub(crate) use revoke::read as read_revoke;
pub(crate) use switch::read as read_switch;
pub(crate) use verify::read as read_verify;

use crate::error::InterpretError;
use crate::service::{Kind, Service};
use keytender_core::secret::Value;
use keytender_core::words::{Integration, Key};
use std::collections::BTreeMap;

/// A value at hand, and what is known of it at the service.
#[derive(Clone, Copy)]
pub struct Held<'a> {
    /// The value.
    pub value: &'a Value,
    /// Its id at the service.
    pub remote_id: Option<&'a str>,
    /// Its name at the service.
    pub remote_name: Option<&'a str>,
}

/// Which of the two values a call is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// The version that is in use, or is replaced.
    Old,
    /// The version that takes its place.
    New,
}

impl Subject {
    fn word(self) -> &'static str {
        match self {
            Self::Old => "old",
            Self::New => "new",
        }
    }
}

/// Everything that a request is filled with and a reply is read against.
#[derive(Clone, Copy)]
pub struct Standing<'a> {
    /// The service.
    pub service: &'a Service,
    /// The kind of the key.
    pub kind: &'a Kind,
    /// The integration: its settings fill the addresses.
    pub integration: &'a Integration,
    /// The key: its options and scopes are copied when it is replaced.
    pub key: &'a Key,
    /// The value in use, if it is at hand.
    pub old: Option<Held<'a>>,
    /// The value that takes its place, once there is one.
    pub new: Option<Held<'a>>,
    /// The managing credential, where one is needed and at hand.
    pub managing: Option<&'a Value>,
    /// The name for a key that is made; carries the rotation's marker.
    pub new_name: &'a str,
    /// A person marked the integration's service as self-hosted.
    pub self_hosted: bool,
}

impl<'a> Standing<'a> {
    fn held(&self, subject: Subject) -> Option<Held<'a>> {
        match subject {
            Subject::Old => self.old,
            Subject::New => self.new,
        }
    }

    fn value(&self, subject: Subject) -> Option<&'a Value> {
        self.held(subject).map(|held| held.value)
    }

    /// The key's options with the defaults of those not chosen. Options that the manifest no longer knows are left out: an
    /// edited manifest must not make a key unreadable.
    fn options(&self) -> BTreeMap<String, String> {
        let chosen = |name: &String| self.key.options.get(name).cloned();
        self.kind
            .options
            .iter()
            .map(|(name, option)| (name.clone(), chosen(name).unwrap_or_else(|| option.default.clone())))
            .collect()
    }

    fn no_call(&self, call: &'static str) -> InterpretError {
        InterpretError::NoCall { service: self.service.slug.to_string(), kind: self.kind.name.clone(), call }
    }
}
