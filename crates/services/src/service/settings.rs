//! Settings of an integration, and the origins that follow from them.

use crate::error::SettingError;
use crate::interpret::percent_encode;
use crate::manifest::{Placed, SettingKind};
use crate::service::Service;
use crate::template::{Hole, Part, Template};
use keytender_core::exchange::Origin;
use regex::Regex;
use std::collections::BTreeMap;
use url::Url;

/// One setting of an integration.
#[derive(Debug, Clone)]
pub struct Setting {
    /// Its name.
    pub name: String,
    /// What it is, for the form.
    pub label: String,
    /// Used where nothing is given.
    pub default: Option<String>,
    /// Whether something must be given.
    pub required: bool,
    /// Whether it is a URL or a plain text.
    pub kind: SettingKind,
    /// What the whole text must match.
    pub pattern: Option<Regex>,
}

impl Setting {
    /// The text as it is used: blanks around it gone, a URL without the slash at its end.
    fn tidy(&self, text: &str) -> Result<String, SettingError> {
        let unfit = |why: String| SettingError::Unfit { name: self.name.clone(), why };
        let text = text.trim();
        if text.chars().any(char::is_control) {
            return Err(unfit("it holds a control character".to_owned()));
        }
        if self.pattern.as_ref().is_some_and(|pattern| !pattern.is_match(text)) {
            return Err(unfit("it does not look like one".to_owned()));
        }
        match self.kind {
            SettingKind::Text => Ok(text.to_owned()),
            SettingKind::Url => {
                let url = Url::parse(text).map_err(|error| unfit(format!("it is not a URL: {error}")))?;
                let plain = matches!(url.scheme(), "https" | "http")
                    && url.host_str().is_some()
                    && url.username().is_empty()
                    && url.password().is_none()
                    && url.query().is_none()
                    && url.fragment().is_none();
                if !plain {
                    return Err(unfit("it must be an https:// or http:// address without user name, `?` or `#`".to_owned()));
                }
                // The parsed form is what the host sends to; `https://EXAMPLE.com\path` and its like end here.
                Ok(url.as_str().trim_end_matches('/').to_owned())
            }
        }
    }
}

impl Service {
    /// The settings as they are used: those given, tidied, and the defaults of the others. Filling twice changes nothing.
    ///
    /// # Errors
    /// When one is unknown, missing or does not fit.
    pub fn fill_settings(&self, given: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, SettingError> {
        if let Some(unknown) = given.keys().find(|name| !self.settings.iter().any(|setting| setting.name == **name)) {
            let known: Vec<&str> = self.settings.iter().map(|setting| setting.name.as_str()).collect();
            return Err(SettingError::Unknown { name: unknown.clone(), known: known.join(", ") });
        }
        let mut filled = BTreeMap::new();
        for setting in &self.settings {
            let text = given.get(&setting.name).map(|text| text.trim()).filter(|text| !text.is_empty());
            match text.or(setting.default.as_deref()) {
                Some(text) => filled.insert(setting.name.clone(), setting.tidy(text)?),
                None if setting.required => {
                    return Err(SettingError::Missing { name: setting.name.clone(), label: setting.label.clone() });
                }
                None => filled.insert(setting.name.clone(), String::new()),
            };
        }
        Ok(filled)
    }

    /// Where requests of an integration with these settings may go.
    ///
    /// # Errors
    /// When a setting is missing or does not fit, or makes a host that is none.
    pub fn origins(&self, given: &BTreeMap<String, String>) -> Result<Vec<Origin>, SettingError> {
        let filled = self.fill_settings(given)?;
        let mut origins = Vec::new();
        for host in &self.hosts {
            let text = fill(host, &filled);
            // An optional setting that was left out opens no host.
            if text.is_empty() {
                continue;
            }
            let origin = Url::parse(&text).ok().and_then(|url| Origin::of(&url)).ok_or_else(|| SettingError::Unfit {
                name: host.holes().map(ToString::to_string).collect::<Vec<_>>().join(", "),
                why: format!("`{text}` is no host"),
            })?;
            if !origins.contains(&origin) {
                origins.push(origin);
            }
        }
        Ok(origins)
    }
}

impl Service {
    /// The hosts as a person reads them before any integration exists: defaults filled in, other settings as `{name}`.
    #[must_use]
    pub fn hosts_shown(&self) -> Vec<String> {
        let shown = |setting: &Setting| {
            (setting.name.clone(), setting.default.clone().unwrap_or_else(|| format!("{{setting.{}}}", setting.name)))
        };
        let filled: BTreeMap<String, String> = self.settings.iter().map(shown).collect();
        self.hosts.iter().map(|host| fill(host, &filled)).collect()
    }

    /// The hosts that the file itself names, with its defaults; none for a host that only a person can name.
    #[must_use]
    pub fn documented_origins(&self) -> Vec<Origin> {
        let defaults: BTreeMap<String, String> =
            self.settings.iter().filter_map(|setting| Some((setting.name.clone(), setting.default.clone()?))).collect();
        let named = |host: &&Placed<Template>| {
            host.holes().all(|hole| matches!(hole, Hole::Setting(name) if defaults.contains_key(name)))
        };
        let urls = self.hosts.iter().filter(named).filter_map(|host| Url::parse(&fill(host, &defaults)).ok());
        urls.filter_map(|url| Origin::of(&url)).collect()
    }
}

/// Fills a template that holds settings only. A setting at the start stands as it is, any other is percent-encoded.
pub(super) fn fill(template: &Template, filled: &BTreeMap<String, String>) -> String {
    let mut text = String::new();
    for (place, part) in template.parts().iter().enumerate() {
        match part {
            Part::Text(plain) => text.push_str(plain),
            Part::Hole(Hole::Setting(name)) => {
                let setting = filled.get(name).map_or("", String::as_str);
                text.push_str(&if place == 0 { setting.to_owned() } else { percent_encode(setting) });
            }
            // Loading refuses every other hole in a host and in the portal's address.
            Part::Hole(hole) => text.push_str(&format!("{{{hole}}}")),
        }
    }
    text
}
