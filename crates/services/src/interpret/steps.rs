//! What a person does in the portal, filled in for the key at hand.

use crate::interpret::{Standing, Subject};
use crate::manifest::StepTemplate;
use crate::service::{MakeBy, RetireBy, SwitchBy};
use crate::template::{Part, Template};

/// One thing that a person does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What to do.
    pub say: String,
    /// The page to open.
    pub open: Option<String>,
}

impl Standing<'_> {
    /// How a person makes a new key; none where a request does.
    #[must_use]
    pub fn make_steps(&self) -> Vec<Step> {
        match &self.kind.make {
            MakeBy::Person(steps) => self.steps(steps),
            MakeBy::Api(_) => Vec::new(),
        }
    }

    /// How a person retires the old key; none where a request does.
    #[must_use]
    pub fn retire_steps(&self) -> Vec<Step> {
        match &self.kind.retire {
            RetireBy::Person(steps) => self.steps(steps),
            RetireBy::Api(_) => Vec::new(),
        }
    }

    /// How a person switches the key off, or on again; none where a request does, or where nothing can.
    #[must_use]
    pub fn switch_steps(&self, on: bool) -> Vec<Step> {
        match &self.kind.switch {
            Some(SwitchBy::Person(steps)) => self.steps(steps.way(on)),
            Some(SwitchBy::Api(_)) | None => Vec::new(),
        }
    }

    fn steps(&self, templates: &[StepTemplate]) -> Vec<Step> {
        // Steps stay readable where a setting has become unfit: a person can still do what is asked.
        let settings =
            self.service.fill_settings(&self.integration.settings).unwrap_or_else(|_| self.integration.settings.clone());
        let options = self.options();
        let fill = self.fill(&settings, &options, Subject::Old, None);
        let say = |template: &Template| {
            let part = |part: &Part| match part {
                Part::Text(text) => text.clone(),
                Part::Hole(hole) => fill.hole(hole).map_or_else(|_| format!("(unknown {hole})"), std::borrow::Cow::into_owned),
            };
            template.parts().iter().map(part).collect()
        };
        templates
            .iter()
            .map(|step| Step { say: say(&step.say), open: step.open.as_ref().and_then(|open| fill.url(open, false).ok()) })
            .collect()
    }
}
