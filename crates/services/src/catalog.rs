//! The catalogue: the services that come with Keytender, and a person's own.
//!
//! A file's name tells its slug, so a service is read when it is first asked for: a command about one key costs one file,
//! however many there are.

use crate::error::{ManifestError, ManifestFault};
use crate::recognise::Recogniser;
use crate::service::Service;
use keytender_core::words::ServiceSlug;
use std::borrow::Cow;
use std::sync::OnceLock;

/// Every file of `catalog/`, listed when the crate is built: name and text.
const BUILTIN: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/catalog.rs"));

/// Services by slug.
#[derive(Debug, Clone)]
pub struct Catalog {
    /// By slug.
    entries: Vec<Entry>,
    recogniser: OnceLock<Recogniser>,
}

/// A service file, and the service in it once it was asked for.
#[derive(Debug, Clone)]
struct Entry {
    slug: ServiceSlug,
    file_name: Cow<'static, str>,
    text: Cow<'static, str>,
    user: bool,
    service: OnceLock<Option<Service>>,
}

impl Entry {
    fn new(file_name: Cow<'static, str>, text: Cow<'static, str>, user: bool) -> Self {
        let slug = ServiceSlug(file_name.strip_suffix(".toml").unwrap_or(&file_name).to_owned());
        Self { slug, file_name, text, user, service: OnceLock::new() }
    }

    fn parse(&self) -> Result<Service, ManifestError> {
        let mut service = Service::parse(&self.file_name, &self.text)?;
        service.user = self.user;
        Ok(service)
    }

    fn service(&self) -> Option<&Service> {
        self.service.get_or_init(|| self.parse().ok()).as_ref()
    }
}

impl Catalog {
    /// The services that come with Keytender, all of them read.
    ///
    /// # Errors
    /// Never in a released build: a test loads every file.
    pub fn builtin() -> Result<Self, ManifestError> {
        let catalog = Self::on_demand(Vec::new());
        for entry in &catalog.entries {
            let service = entry.parse()?;
            entry.service.get_or_init(|| Some(service));
        }
        Ok(catalog)
    }

    /// The services that come with Keytender and a person's own files (name and text), none of them read yet. An own file
    /// that is refused, or whose slug is taken, counts as not there; [`Catalog::add_user`] tells why.
    #[must_use]
    pub fn on_demand(own: Vec<(String, String)>) -> Self {
        let builtin = BUILTIN.iter().map(|(name, text)| Entry::new((*name).into(), (*text).into(), false));
        let own = own.into_iter().map(|(name, text)| Entry::new(name.into(), text.into(), true));
        let mut entries: Vec<Entry> = builtin.chain(own).collect();
        // Stable, so that of two with one slug the built-in one stays.
        entries.sort_by(|one, other| one.slug.cmp(&other.slug));
        entries.dedup_by(|later, kept| later.slug == kept.slug);
        Self { entries, recogniser: OnceLock::new() }
    }

    /// Adds a person's own service file.
    ///
    /// # Errors
    /// When the file is refused, or its slug is taken.
    pub fn add_user(&mut self, file_name: &str, text: &str) -> Result<(), ManifestError> {
        let entry = Entry::new(file_name.to_owned().into(), text.to_owned().into(), true);
        let service = entry.parse()?;
        let Err(place) = self.place_of(&service.slug) else {
            let at = text.find("slug").unwrap_or(0);
            return Err(ManifestError::at(file_name, text, at, ManifestFault::Taken(service.slug.to_string())));
        };
        entry.service.get_or_init(|| Some(service));
        self.entries.insert(place, entry);
        self.recogniser = OnceLock::new();
        Ok(())
    }

    /// Where the service of a slug is, or would be.
    fn place_of(&self, slug: &ServiceSlug) -> Result<usize, usize> {
        self.entries.binary_search_by(|entry| entry.slug.cmp(slug))
    }

    /// A service by its slug.
    #[must_use]
    pub fn service(&self, slug: &ServiceSlug) -> Option<&Service> {
        let place = self.place_of(slug).ok()?;
        self.entries[place].service()
    }

    /// All services, by slug.
    pub fn services(&self) -> impl Iterator<Item = &Service> {
        self.entries.iter().filter_map(Entry::service)
    }

    /// Which kinds of key a pasted text looks like. Only patterns that belong to one kind alone count, so none is an ordinary
    /// answer; several mean that a person chooses.
    #[must_use]
    pub fn recognise(&self, text: &str) -> Vec<(ServiceSlug, String)> {
        self.recogniser.get_or_init(|| Recogniser::of(self.services())).recognise(text)
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
    fn a_service_is_read_when_it_is_asked_for() {
        let own = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        let text = include_str!("../catalog/practice.toml");
        let mine = text.replace("slug = \"practice\"", "slug = \"mine\"");
        let catalog =
            Catalog::on_demand(vec![own("mine.toml", &mine), own("practice.toml", "not even TOML"), own("odd.toml", "x")]);
        let read = |catalog: &Catalog| catalog.entries.iter().filter(|entry| entry.service.get().is_some()).count();
        assert_eq!(read(&catalog), 0);
        let mine = catalog.service(&ServiceSlug("mine".into())).unwrap();
        assert!(mine.user && mine.slug.as_str() == "mine");
        assert_eq!(read(&catalog), 1);
        let builtin = catalog.service(&ServiceSlug("practice".into())).unwrap();
        assert!(!builtin.user, "of two with one slug the built-in one stays");
        assert!(catalog.service(&ServiceSlug("odd".into())).is_none());
        assert_eq!(catalog.services().count(), 3);
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
