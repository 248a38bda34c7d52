//! Integrations: added, shown, edited, removed.

use crate::Api;
use crate::error::Error;
use keytender_core::exchange::Origin;
use keytender_core::ids::{IntegrationId, KeyId};
use keytender_core::ports::{Change, Consent};
use keytender_core::words::{Activity, ActivityKind, Environment, Integration, Key, ServiceSlug};
use keytender_services::Service;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// What a new integration is made of.
#[derive(Debug, Clone, Default)]
pub struct IntegrationAdd {
    /// The service's slug.
    pub service: String,
    /// Your name for it.
    pub name: String,
    /// Test, live, staging, production.
    pub environment: Option<Environment>,
    /// Settings; those left out take the manifest's defaults.
    pub settings: BTreeMap<String, String>,
    /// The key that manages its keys.
    pub managed_by: Option<String>,
    /// A person agreed that keys go to a host other than the documented one.
    pub other_host_agreed: bool,
    /// A person marked it as self-hosted: plain http and private addresses are allowed.
    pub self_hosted: bool,
}

/// What is to be different; what is none stays.
#[derive(Debug, Clone, Default)]
pub struct IntegrationEdit {
    /// Your name for it.
    pub name: Option<String>,
    /// Test, live, staging, production.
    pub environment: Option<Environment>,
    /// Settings to set.
    pub settings: BTreeMap<String, String>,
    /// The key that manages its keys; the empty text takes it away.
    pub managed_by: Option<String>,
    /// Free text.
    pub notes: Option<String>,
    /// A person agreed that keys go to a host other than the documented one.
    pub other_host_agreed: bool,
    /// A person marked it as self-hosted.
    pub self_hosted: bool,
}

/// An integration.
#[derive(Debug, Clone, Serialize)]
pub struct IntegrationView {
    /// Its id.
    pub id: String,
    /// How the command line addresses it.
    pub slug: String,
    /// Your name for it.
    pub name: String,
    /// The service's slug.
    pub service: String,
    /// The service's name.
    pub service_name: String,
    /// Test, live, staging, production.
    pub environment: Option<Environment>,
    /// All settings, defaults included.
    pub settings: BTreeMap<String, String>,
    /// Where its keys are sent.
    pub hosts: Vec<String>,
    /// The key that manages its keys.
    pub managed_by: Option<String>,
    /// Free text.
    pub notes: String,
    /// How many keys it has.
    pub keys: usize,
}

impl Api {
    /// Adds an integration.
    ///
    /// # Errors
    /// When a setting is missing or wrong, the name is taken, or a consent is missing.
    pub fn integration_add(&self, request: IntegrationAdd) -> Result<IntegrationView, Error> {
        let slug = ServiceSlug(request.service);
        let service = self.service(&slug)?;
        let name = request.name.parse().map_err(|error: keytender_core::words::NameError| Error::invalid(error.to_string()))?;
        let at = self.parts.clock.now();
        let managed_by = request.managed_by.map(|address| self.find_key(&address)).transpose()?.map(|(_, key)| key.id);
        let integration = Integration {
            id: IntegrationId(self.parts.ids.make_id()),
            service: slug,
            name,
            environment: request.environment,
            settings: request.settings,
            managed_by,
            notes: String::new(),
            created_at: at,
        };
        let mut changes = vec![Change::AddIntegration(integration.clone())];
        changes.extend(self.consents(service, &integration, request.other_host_agreed, request.self_hosted)?);
        let text = format!("integration `{}` of {} added", integration.name, service.name);
        changes.push(Change::Log(Activity { at, kind: ActivityKind::Added, key: None, rotation: None, text }));
        self.parts.ledger.apply(&changes)?;
        self.integration_view(integration, 0)
    }

    /// Where the values of an integration may go is agreed to here. A host that the person typed where the manifest
    /// documents none is agreed to by typing it; one in place of a documented host needs a word of its own.
    fn consents(
        &self,
        service: &Service,
        integration: &Integration,
        other: bool,
        self_hosted: bool,
    ) -> Result<Vec<Change>, Error> {
        let settings = service.fill_settings(&integration.settings).map_err(|error| Error::invalid(error.to_string()))?;
        let origins = service.origins(&settings).map_err(|error| Error::invalid(error.to_string()))?;
        let documented = service.documented_origins();
        let subject = integration.id.to_string();
        let at = self.parts.clock.now();
        let consent =
            |kind: &str, detail: String| Change::GiveConsent(Consent { kind: kind.into(), subject: subject.clone(), detail, at });
        let mut changes = Vec::new();
        for origin in &origins {
            let foreign = !documented.is_empty() && !documented.contains(origin) && !is_loopback(origin);
            if foreign && !other {
                return Err(Error::refused(format!(
                    "keys of this integration would go to {origin}, which is not the documented host"
                ))
                .help("if that is yours, say so with `--yes`"));
            }
            let plain = origin.as_str().starts_with("http:") && !is_loopback(origin);
            if plain && !self_hosted {
                return Err(Error::refused(format!("{origin} is not encrypted; anyone on the way could read the keys"))
                    .help("use https, or say `--self-hosted` if the service runs in a network of your own"));
            }
        }
        let list: Vec<String> = origins.iter().map(ToString::to_string).collect();
        changes.push(consent("origin", list.join(" ")));
        if self_hosted {
            changes.push(consent("self-hosted", list.join(" ")));
        }
        Ok(changes)
    }

    /// All integrations, by name.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn integrations(&self) -> Result<Vec<IntegrationView>, Error> {
        let keys = self.parts.ledger.keys()?;
        let mut counts: HashMap<IntegrationId, usize> = HashMap::new();
        for key in keys {
            *counts.entry(key.integration).or_default() += 1;
        }
        let all = self.parts.ledger.integrations()?;
        all.into_iter()
            .map(|integration| {
                let count = counts.get(&integration.id).copied().unwrap_or(0);
                self.integration_view(integration, count)
            })
            .collect()
    }

    /// One integration.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn integration(&self, address: &str) -> Result<IntegrationView, Error> {
        let integration = self.find_integration(address)?;
        let count = self.parts.ledger.keys()?.iter().filter(|key| key.integration == integration.id).count();
        self.integration_view(integration, count)
    }

    fn integration_view(&self, integration: Integration, keys: usize) -> Result<IntegrationView, Error> {
        let service = self.parts.catalog.service(&integration.service);
        // A manifest that is gone or was edited into nonsense must not hide what is stored.
        let settings = service.and_then(|service| service.fill_settings(&integration.settings).ok());
        let settings = settings.unwrap_or_else(|| integration.settings.clone());
        let origins = service.and_then(|service| service.origins(&settings).ok()).unwrap_or_default();
        let managed_by = integration.managed_by.map(|id| self.key_address(id)).transpose()?;
        Ok(IntegrationView {
            id: integration.id.to_string(),
            slug: integration.name.slug(),
            name: integration.name.to_string(),
            service_name: service
                .map_or_else(|| format!("{} (no manifest)", integration.service), |service| service.name.clone()),
            service: integration.service.to_string(),
            environment: integration.environment,
            settings,
            hosts: origins.iter().map(ToString::to_string).collect(),
            managed_by,
            notes: integration.notes,
            keys,
        })
    }

    /// Changes an integration.
    ///
    /// # Errors
    /// When a setting is wrong, the name is taken, a consent is missing, or a rotation of one of its keys is open.
    pub fn integration_edit(&self, address: &str, edit: IntegrationEdit) -> Result<IntegrationView, Error> {
        let mut integration = self.find_integration(address)?;
        let service = self.service(&integration.service)?;
        if !edit.settings.is_empty() {
            self.no_open_rotation(&integration, "its settings cannot be changed")?;
        }
        if let Some(name) = edit.name {
            integration.name =
                name.parse().map_err(|error: keytender_core::words::NameError| Error::invalid(error.to_string()))?;
        }
        integration.environment = edit.environment.or(integration.environment);
        integration.settings.extend(edit.settings);
        match edit.managed_by.as_deref() {
            None => {}
            Some("") => integration.managed_by = None,
            Some(address) => integration.managed_by = Some(self.find_key(address)?.1.id),
        }
        integration.notes = edit.notes.unwrap_or(integration.notes);
        let at = self.parts.clock.now();
        let marked = self.parts.ledger.consent("self-hosted", &integration.id.to_string())?.is_some();
        let mut changes = vec![Change::EditIntegration(integration.clone())];
        changes.extend(self.consents(service, &integration, edit.other_host_agreed, edit.self_hosted || marked)?);
        let text = format!("integration `{}` edited", integration.name);
        changes.push(Change::Log(Activity { at, kind: ActivityKind::Edited, key: None, rotation: None, text }));
        self.parts.ledger.apply(&changes)?;
        self.integration(&integration.id.to_string())
    }

    /// Removes an integration that has no keys.
    ///
    /// # Errors
    /// When it has keys, or there is none of that name.
    pub fn integration_remove(&self, address: &str) -> Result<(), Error> {
        let integration = self.find_integration(address)?;
        let at = self.parts.clock.now();
        let text = format!("integration `{}` removed", integration.name);
        let line = Activity { at, kind: ActivityKind::Removed, key: None, rotation: None, text };
        self.parts.ledger.apply(&[Change::RemoveIntegration(integration.id), Change::Log(line)])?;
        Ok(())
    }

    fn no_open_rotation(&self, integration: &Integration, what: &str) -> Result<(), Error> {
        let keys: Vec<KeyId> =
            self.parts.ledger.keys()?.into_iter().filter(|key| key.integration == integration.id).map(|key| key.id).collect();
        match self.parts.ledger.rotations(true)?.into_iter().find(|row| keys.contains(&row.key)) {
            Some(row) => Err(Error::refused(format!("a rotation of one of its keys is unfinished; until then {what}"))
                .help(format!("`keytender rotations show {}`", row.id))),
            None => Ok(()),
        }
    }

    pub(crate) fn integration_of(&self, key: &Key) -> Result<Integration, Error> {
        let all = self.parts.ledger.integrations()?;
        all.into_iter()
            .find(|it| it.id == key.integration)
            .ok_or_else(|| Error::fault("the key's integration is missing from the ledger"))
    }
}

fn is_loopback(origin: &Origin) -> bool {
    let host = origin.as_str().split_once("://").map_or("", |(_, rest)| rest);
    let host = if host.starts_with('[') {
        host.split(']').next().map_or("", |it| &it[1..])
    } else {
        host.split(':').next().unwrap_or("")
    };
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
