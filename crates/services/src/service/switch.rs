//! Who switches a kind of key off and on again, and how. What the calls say is read in [`crate::interpret`].

use crate::manifest::{StepTemplate, SwitchCall};
use serde::Serialize;

/// Who switches one off and on again, and how. Both ways are always there, and done by the same.
#[derive(Debug, Clone)]
pub(crate) enum SwitchBy {
    /// Requests.
    Api(Box<SwitchPair<SwitchCall>>),
    /// A person.
    Person(SwitchPair<Vec<StepTemplate>>),
}

/// Something for each way of a switch.
#[derive(Debug, Clone)]
pub(crate) struct SwitchPair<T> {
    pub(crate) disable: T,
    pub(crate) enable: T,
}

impl<T> SwitchPair<T> {
    /// The way that leads to on, or to off.
    pub(crate) fn way(&self, on: bool) -> &T {
        if on { &self.enable } else { &self.disable }
    }
}

/// Who switches a key off and on again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Switch {
    /// Requests to the service.
    Api,
    /// A person, in the service's portal.
    Person,
}
