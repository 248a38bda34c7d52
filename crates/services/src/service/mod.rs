//! A service file after it was loaded and found sound: every name resolved, every template checked, every case read.

mod check;
mod kind;
mod load;
mod settings;
mod switch;

pub use kind::{Kind, KindFacts};
pub(crate) use kind::{MakeBy, RetireBy};
pub use settings::Setting;
pub use switch::Switch;
pub(crate) use switch::{SwitchBy, SwitchPair};

use crate::error::{ManifestError, SettingError};
use crate::manifest::{Hazard, Limits, Placed, Source};
use crate::template::Template;
use keytender_core::words::ServiceSlug;
use std::collections::BTreeMap;

/// One vendor product.
#[derive(Debug, Clone)]
pub struct Service {
    /// Its slug: the file's name.
    pub slug: ServiceSlug,
    /// As people call it.
    pub name: String,
    /// One sentence: what it is.
    pub about: Option<String>,
    /// SHA-256 of the file's text in lower-case hex: what a consent and a rotation are pinned to.
    pub hash: String,
    /// It is a person's own file, not one of the catalogue.
    pub user: bool,
    /// Where the facts come from.
    pub sources: Vec<Source>,
    /// What an integration must or may say, in the file's order.
    pub settings: Vec<Setting>,
    /// Kinds of key, in the file's order.
    pub kinds: Vec<Kind>,
    /// What can surprise.
    pub hazards: Vec<Hazard>,
    /// How often it may be called.
    pub limits: Limits,
    pub(crate) hosts: Vec<Placed<Template>>,
    portal: Option<Template>,
    cases: usize,
}

impl Service {
    /// Reads a service file. The file is refused as a whole if anything in it is unknown, unused, contradictory, leads
    /// outside its hosts, or if one of its cases is read differently from what it says.
    ///
    /// # Errors
    /// See [`ManifestError`]; it points at the line.
    pub fn parse(file_name: &str, text: &str) -> Result<Self, ManifestError> {
        load::load(file_name, text)
    }

    /// A kind of key by its name.
    #[must_use]
    pub fn kind(&self, name: &str) -> Option<&Kind> {
        self.kinds.iter().find(|kind| kind.name == name)
    }

    /// How many documented or observed replies the file carries. All of them were read when it was loaded.
    #[must_use]
    pub fn case_count(&self) -> usize {
        self.cases
    }

    /// The page on which a person manages keys, if there is one.
    ///
    /// # Errors
    /// When a setting is missing or does not fit.
    pub fn portal_url(&self, given: &BTreeMap<String, String>) -> Result<Option<String>, SettingError> {
        let filled = self.fill_settings(given)?;
        Ok(self.portal.as_ref().map(|portal| settings::fill(portal, &filled)))
    }
}
