//! Which kinds of key a text looks like: one set of all distinctive patterns, looked at in one pass.

use crate::service::Service;
use keytender_core::words::ServiceSlug;
use regex::RegexSet;

/// The distinctive patterns of all services.
#[derive(Debug, Clone)]
pub(crate) struct Recogniser {
    patterns: RegexSet,
    kinds: Vec<(ServiceSlug, String)>,
}

impl Recogniser {
    pub(crate) fn of<'s>(services: impl Iterator<Item = &'s Service>) -> Self {
        let (mut patterns, mut kinds) = (Vec::new(), Vec::new());
        for service in services {
            for kind in &service.kinds {
                for (_, regex) in kind.patterns.iter().filter(|(pattern, _)| pattern.distinctive) {
                    patterns.push(regex.as_str());
                    kinds.push((service.slug.clone(), kind.name.clone()));
                }
            }
        }
        // Each pattern compiled by itself when its file was loaded; only their sum can be too large, and then nothing is
        // recognised and everything else works.
        Self { patterns: RegexSet::new(patterns).unwrap_or_else(|_| RegexSet::empty()), kinds }
    }

    pub(crate) fn recognise(&self, text: &str) -> Vec<(ServiceSlug, String)> {
        let mut found: Vec<_> =
            self.patterns.matches(text.trim()).iter().filter_map(|place| self.kinds.get(place).cloned()).collect();
        found.dedup();
        found
    }
}
