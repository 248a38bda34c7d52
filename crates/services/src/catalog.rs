//! The catalogue: the services that come with Keytender, and a person's own.

use crate::error::{ManifestError, ManifestFault};
use crate::recognise::Recogniser;
use crate::service::Service;
use keytender_core::words::ServiceSlug;

/// Every file of `catalog/`, listed when the crate is built: name and text.
const BUILTIN: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/catalog.rs"));

/// Services by slug.
#[derive(Debug, Clone)]
pub struct Catalog {
    services: Vec<Service>,
    recogniser: Recogniser,
}

impl Catalog {
    /// The services that come with Keytender, by slug.
    ///
    /// # Errors
    /// Never in a released build: a test loads every file.
    pub fn builtin() -> Result<Self, ManifestError> {
        let services: Vec<Service> = BUILTIN.iter().map(|(name, text)| Service::parse(name, text)).collect::<Result<_, _>>()?;
        let recogniser = Recogniser::of(&services);
        Ok(Self { services, recogniser })
    }

    /// Adds a person's own service file.
    ///
    /// # Errors
    /// When the file is refused, or its slug is taken.
    pub fn add_user(&mut self, file_name: &str, text: &str) -> Result<&Service, ManifestError> {
        let mut service = Service::parse(file_name, text)?;
        if self.service(&service.slug).is_some() {
            let at = text.find("slug").unwrap_or(0);
            return Err(ManifestError::at(file_name, text, at, ManifestFault::Taken(service.slug.to_string())));
        }
        service.user = true;
        let place = self.services.partition_point(|other| other.slug < service.slug);
        self.services.insert(place, service);
        self.recogniser = Recogniser::of(&self.services);
        Ok(&self.services[place])
    }

    /// A service by its slug.
    #[must_use]
    pub fn service(&self, slug: &ServiceSlug) -> Option<&Service> {
        self.services.iter().find(|service| service.slug == *slug)
    }

    /// All services, by slug.
    pub fn services(&self) -> impl Iterator<Item = &Service> {
        self.services.iter()
    }

    /// Which kinds of key a pasted text looks like. Only patterns that belong to one kind alone count, so none is an ordinary
    /// answer; several mean that a person chooses.
    #[must_use]
    pub fn recognise(&self, text: &str) -> Vec<(ServiceSlug, String)> {
        self.recogniser.recognise(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_catalogue_is_sound_and_carries_cases() {
        let catalog = match Catalog::builtin() {
            Ok(catalog) => catalog,
            Err(error) => panic!("{error}"),
        };
        let slugs: Vec<&str> = catalog.services().map(|service| service.slug.as_str()).collect();
        assert!(slugs.is_sorted(), "{slugs:?}");
        for service in catalog.services() {
            assert!(service.case_count() > 0, "{} has no cases", service.slug);
            assert!(!service.sources.is_empty() && !service.kinds.is_empty(), "{}", service.slug);
            assert!(!service.user);
        }
    }

    #[test]
    fn the_practice_service_has_a_kind_for_every_combination() {
        let catalog = Catalog::builtin().unwrap();
        let practice = catalog.service(&ServiceSlug("practice".into())).unwrap();
        assert_eq!(practice.kinds.len(), 13);
        for kind in &practice.kinds {
            use crate::service::Switch;
            use keytender_core::words::{Make, Old, Retire};
            let facts = kind.facts();
            let word = |api: bool| if api { "api" } else { "person" };
            let old = match facts.old {
                _ if !facts.lists => "unlisted",
                Old::Overlaps => "overlaps",
                Old::Slots(2) => "slots",
                Old::Dies => "dies",
                Old::Slots(_) => "?",
            };
            let (make, retire) = (word(facts.make == Make::Api), word(facts.retire == Retire::Api));
            assert_eq!(kind.name, format!("{make}-{retire}-{old}"));
            assert_eq!(facts.marks, facts.lists && make == "api" && old == "overlaps", "{}", kind.name);
            assert_eq!(facts.make_needs_old, make == "api");
            assert_eq!(facts.retire_needs_id, retire == "api");
            assert_eq!((facts.settle_seconds, facts.linger_seconds, facts.verifies), (3, 5, true));
            assert!(!facts.needs_managing);
            let by = if retire == "api" { Switch::Api } else { Switch::Person };
            assert_eq!((facts.disables, facts.switch_needs_id), (Some(by), retire == "api"), "{}", kind.name);
        }
    }

    #[test]
    fn a_registry_token_is_made_by_its_account() {
        let catalog = Catalog::builtin().unwrap();
        let registry = catalog.service(&ServiceSlug("npm-registry".into())).unwrap();
        let facts = registry.kind("token").unwrap().facts();
        assert!(facts.needs_managing && facts.lists && facts.retire_needs_id);
        assert!(!facts.make_needs_old, "the account makes tokens even when the old one is dead");
        assert!(!facts.marks, "the registry ignores names");
        let kinds: Vec<&str> = registry.kinds.iter().map(|kind| kind.name.as_str()).collect();
        assert_eq!(kinds, ["token", "account"], "kinds keep the order of the file");
    }

    #[test]
    fn distinctive_values_are_recognised() {
        let catalog = Catalog::builtin().unwrap();
        let token = format!("npm_{}", "a1".repeat(18));
        assert_eq!(catalog.recognise(&format!(" {token}\n")), [(ServiceSlug("npm-registry".into()), "token".to_owned())]);
        assert!(catalog.recognise(&format!("x{token}")).is_empty());
        assert!(catalog.recognise(&format!("ktp_{}", "a1".repeat(20))).is_empty(), "thirteen kinds share that shape");
    }
}
