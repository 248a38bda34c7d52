//! The catalogue as a front shows it, and the consent to manifests of one's own.

use crate::Api;
use crate::error::{Error, ErrorKind};
use keytender_core::expiry::Lifetime;
use keytender_core::ports::{Change, Consent};
use keytender_core::words::{Activity, ActivityKind, KeyClass, Make, Old, Retire, ServiceSlug};
use keytender_services::{Service, Setting, Source};
use serde::Serialize;

/// A service.
#[derive(Debug, Clone, Serialize)]
pub struct ServiceView {
    /// Its slug.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// It comes from a file of one's own.
    pub user: bool,
    /// It may be used: built in, or agreed to as it is.
    pub trusted: bool,
    /// Where its keys are sent, with settings as placeholders.
    pub hosts: Vec<String>,
    /// What an integration of it sets.
    pub settings: Vec<SettingView>,
    /// Its kinds of key.
    pub kinds: Vec<KindView>,
    /// What the facts rest on.
    pub sources: Vec<Source>,
}

/// A setting.
#[derive(Debug, Clone, Serialize)]
pub struct SettingView {
    /// Its name, as in `--set NAME=VALUE`.
    pub name: String,
    /// For people.
    pub label: String,
    /// What it is when nothing is said.
    pub default: Option<String>,
    /// It has to be said.
    pub required: bool,
}

impl SettingView {
    fn of(setting: &Setting) -> Self {
        let Setting { name, label, default, required, .. } = setting.clone();
        Self { name, label, default, required }
    }
}

/// A kind of key.
#[derive(Debug, Clone, Serialize)]
pub struct KindView {
    /// Its name in the manifest.
    pub name: String,
    /// For people.
    pub label: String,
    /// What sort of credential.
    pub class: KeyClass,
    /// How long it lives.
    pub life: Lifetime,
    /// Who makes a new one.
    pub make: Make,
    /// Who retires an old one.
    pub retire: Retire,
    /// What happens to the old one.
    pub old: Old,
    /// A harmless verify exists.
    pub verifies: bool,
    /// The names of the fields of its value.
    pub fields: Vec<String>,
}

/// What checking a manifest file gave.
#[derive(Debug, Clone, Serialize)]
pub struct CheckView {
    /// The service's slug.
    pub slug: String,
    /// How many kinds of key it describes.
    pub kinds: usize,
    /// How many cases it was held to.
    pub cases: usize,
    /// Where its keys would be sent.
    pub hosts: Vec<String>,
    /// SHA-256 of the file, in hex.
    pub hash: String,
}

impl Api {
    /// All services, by slug.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn services(&self) -> Result<Vec<ServiceView>, Error> {
        self.parts.catalog.services().map(|service| self.service_view(service)).collect()
    }

    /// One service, trusted or not.
    ///
    /// # Errors
    /// When there is none of that slug.
    pub fn service_shown(&self, slug: &str) -> Result<ServiceView, Error> {
        self.service_view(self.service_any(slug)?)
    }

    fn service_any(&self, slug: &str) -> Result<&Service, Error> {
        self.parts.catalog.service(&ServiceSlug(slug.to_owned())).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("no service `{slug}`")).help("`keytender services list` shows what there is")
        })
    }

    fn service_view(&self, service: &Service) -> Result<ServiceView, Error> {
        let kinds = service.kinds.iter().map(|kind| {
            let facts = kind.facts();
            KindView {
                name: kind.name.clone(),
                label: kind.label.clone(),
                class: kind.class,
                life: kind.life,
                make: facts.make,
                retire: facts.retire,
                old: facts.old,
                verifies: facts.verifies,
                fields: kind.fields.iter().map(|field| field.name.clone()).collect(),
            }
        });
        Ok(ServiceView {
            slug: service.slug.to_string(),
            name: service.name.clone(),
            user: service.user,
            trusted: !service.user || self.trusted(service)?,
            hosts: service.hosts_shown(),
            settings: service.settings.iter().map(SettingView::of).collect(),
            kinds: kinds.collect(),
            sources: service.sources.clone(),
        })
    }

    /// Agrees to a manifest of one's own as it is now; one changed byte asks again. Gives the hosts agreed to.
    ///
    /// # Errors
    /// When there is none of that slug, or it is built in.
    pub fn trust(&self, slug: &str) -> Result<Vec<String>, Error> {
        let service = self.service_any(slug)?;
        if !service.user {
            return Err(Error::invalid(format!("`{slug}` is built in and needs no consent")));
        }
        let at = self.parts.clock.now();
        let hosts = service.hosts_shown();
        let consent = Consent { kind: "manifest".into(), subject: slug.to_owned(), detail: service.hash.clone(), at };
        let text = format!("agreed to the manifest of `{slug}` ({}); it sends keys to {}", &service.hash[..12], hosts.join(", "));
        let line = Activity { at, kind: ActivityKind::Consented, key: None, rotation: None, text };
        self.parts.ledger.apply(&[Change::GiveConsent(consent), Change::Log(line)])?;
        Ok(hosts)
    }
}

/// Checks a manifest that lies anywhere, cases included, without adding it.
///
/// # Errors
/// Names file, line and reason.
pub fn check_manifest(file_name: &str, text: &str) -> Result<CheckView, Error> {
    let service = Service::parse(file_name, text).map_err(|error| {
        // The error's own text ends with its help; here each has its line.
        Error::invalid(format!("{}:{}:{}: {}", error.file, error.line, error.column, error.fault)).help(error.fault.help())
    })?;
    Ok(CheckView {
        slug: service.slug.to_string(),
        kinds: service.kinds.len(),
        cases: service.case_count(),
        hosts: service.hosts_shown(),
        hash: service.hash,
    })
}
