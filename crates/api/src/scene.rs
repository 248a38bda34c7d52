//! Everything the interpreter fills its templates from, gathered for one key.

use crate::Api;
use crate::error::Error;
use keytender_core::ids::RotationId;
use keytender_core::ids::derive_marker;
use keytender_core::secret::Value;
use keytender_core::words::{Integration, Key, ServiceSlug};
use keytender_services::{Held, Kind, Service, Standing};

/// A key with its integration, its manifest and the credential that manages it.
pub(crate) struct Scene<'a> {
    pub(crate) service: &'a Service,
    pub(crate) kind: &'a Kind,
    /// With the manifest's defaults filled in.
    pub(crate) integration: Integration,
    pub(crate) key: Key,
    pub(crate) self_hosted: bool,
    /// Fetched from the vault when a request first needs it.
    pub(crate) managing: Option<Value>,
    /// The name that a key made by the rotation gets.
    pub(crate) new_name: String,
}

impl Api {
    /// The service of a slug, if the person consented to its manifest (built-in ones need none).
    pub(crate) fn service(&self, slug: &ServiceSlug) -> Result<&Service, Error> {
        let Some(service) = self.parts.catalog.service(slug) else {
            return Err(Error::new(crate::ErrorKind::NotFound, format!("no service `{slug}`"))
                .help("`keytender services list` shows what there is; a file in `services/` of the home folder adds one"));
        };
        if service.user && !self.trusted(service)? {
            let hosts = service.hosts_shown().join(", ");
            return Err(Error::refused(format!(
                "the manifest of `{slug}` is a file of your own that you have not agreed to in this form; it sends keys to {hosts}"
            ))
            .help(format!("read it, then `keytender services trust {slug}`")));
        }
        Ok(service)
    }

    /// Whether the person agreed to a user manifest byte for byte.
    pub(crate) fn trusted(&self, service: &Service) -> Result<bool, Error> {
        let consent = self.parts.ledger.consent("manifest", service.slug.as_str())?;
        Ok(consent.is_some_and(|consent| consent.detail == service.hash))
    }

    pub(crate) fn scene(&self, integration: Integration, key: Key) -> Result<Scene<'_>, Error> {
        let service = self.service(&integration.service)?;
        let kind = service.kind(&key.kind).ok_or_else(|| {
            Error::invalid(format!("`{}` has no kind `{}` any more", service.slug, key.kind)).help(format!(
                "`keytender services show {}` lists its kinds; remove this key and add it again as one of them",
                service.slug
            ))
        })?;
        let settings = service.fill_settings(&integration.settings).map_err(|error| Error::invalid(error.to_string()))?;
        let integration = Integration { settings, ..integration };
        let self_hosted = self.parts.ledger.consent("self-hosted", &integration.id.to_string())?.is_some();
        let new_name = key.name.to_string();
        Ok(Scene { service, kind, integration, key, self_hosted, managing: None, new_name })
    }
}

impl Scene<'_> {
    /// Names what a rotation makes: the key's own name and the marker by which an orphan is known.
    pub(crate) fn name_for(&mut self, rotation: RotationId) {
        self.new_name = format!("{} {}", self.key.name, derive_marker(rotation));
    }

    pub(crate) fn standing<'s>(&'s self, old: Option<Held<'s>>, new: Option<Held<'s>>) -> Standing<'s> {
        Standing {
            service: self.service,
            kind: self.kind,
            integration: &self.integration,
            key: &self.key,
            old,
            new,
            managing: self.managing.as_ref(),
            new_name: &self.new_name,
            self_hosted: self.self_hosted,
        }
    }

    /// `integration/key`, as the command line writes it.
    pub(crate) fn address(&self) -> String {
        format!("{}/{}", self.integration.name.slug(), self.key.name.slug())
    }
}

impl Api {
    /// Fetches the managing credential into the scene, if the integration has one. One that is missing is no error here:
    /// a request that needs it says so.
    pub(crate) fn fetch_managing(&self, scene: &mut Scene<'_>) -> Result<(), Error> {
        if scene.managing.is_some() {
            return Ok(());
        }
        if let Some(manager) = scene.integration.managed_by {
            let manager = self.parts.ledger.key(manager)?;
            scene.managing = manager.current.map(|version| self.fetch_value(version)).transpose()?;
        }
        Ok(())
    }
}
