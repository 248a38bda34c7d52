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
