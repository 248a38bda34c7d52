//! Verify: one harmless request that says alive, dead or unknown.

use crate::Api;
use crate::error::{Error, ErrorKind};
use chrono::{DateTime, Utc};
use keytender_core::expiry::{Expiry, Moment, adopt};
use keytender_core::ports::{Change, HttpTrouble};
use keytender_core::words::{Activity, ActivityKind, Health, HealthCheck, Integration, Key};
use keytender_services::{Held, Subject};
use serde::Serialize;

/// What a verify told.
#[derive(Debug, Clone, Serialize)]
pub struct VerifyView {
    /// `integration/key`.
    pub key: String,
    /// The verdict; `unknown` is neither of the others.
    pub health: Health,
    /// What it rests on.
    pub evidence: String,
    /// Who the key acts as.
    pub identity: Option<String>,
    /// Its scopes, where the service tells.
    pub scopes: Option<Vec<String>>,
    /// When it dies, as it is known now.
    pub expiry: Expiry,
    /// What was learned that contradicts what was known, in words.
    pub news: Vec<String>,
    /// When it was asked.
    pub at: DateTime<Utc>,
}

impl Api {
    /// Asks the service about the current version of a key and records what it told.
    ///
    /// # Errors
    /// When the kind has no harmless verify, the vault is not there, or the request may not be sent. A service that cannot
    /// be reached is no error: the verdict is unknown.
    pub fn verify(&self, address: &str) -> Result<VerifyView, Error> {
        let (integration, key) = self.find_key(address)?;
        self.verify_key(integration, key)
    }

    /// Verifies every key that can be verified; the others are left out.
    ///
    /// # Errors
    /// When the ledger or the vault is not there.
    pub fn verify_all(&self) -> Result<Vec<VerifyView>, Error> {
        let integrations = self.parts.ledger.integrations()?;
        let mut list = Vec::new();
        for key in self.parts.ledger.keys()?.into_iter().filter(|key| key.current.is_some() && !key.disabled) {
            let Some(integration) = integrations.iter().find(|it| it.id == key.integration).cloned() else { continue };
            let verifies =
                self.service(&integration.service).ok().and_then(|it| it.kind(&key.kind)).is_some_and(|it| it.facts().verifies);
            if verifies {
                list.push(self.verify_key(integration, key)?);
            }
        }
        Ok(list)
    }

    fn verify_key(&self, integration: Integration, key: Key) -> Result<VerifyView, Error> {
        let mut scene = self.scene(integration, key)?;
        if !scene.kind.facts().verifies {
            return Err(Error::new(
                ErrorKind::PersonNeeded,
                format!("{} has no harmless request that tells whether this kind of key is alive", scene.service.name),
            )
            .help("use the key for what it is for, and look in the portal"));
        }
        let Some(current) = scene.key.current else {
            return Err(Error::new(ErrorKind::NotFound, "this key has no current version")
                .help("`keytender key show` lists its versions"));
        };
        let version = self.parts.ledger.version(current)?;
        let value = self.fetch_value(current)?;
        self.fetch_managing(&mut scene)?;
        let held = Held { value: &value, remote_id: version.remote_id.as_deref(), remote_name: version.remote_name.as_deref() };
        let standing = scene.standing(Some(held), None);
        let request = standing.verify_request(Subject::Old).map_err(|error| Error::invalid(error.to_string()))?;
        let at = self.parts.clock.now();
        let mut view = VerifyView {
            key: scene.address(),
            health: Health::Unknown,
            evidence: String::new(),
            identity: None,
            scopes: None,
            expiry: version.expiry.clone(),
            news: Vec::new(),
            at,
        };
        let response = match self.parts.http.send(&request) {
            Ok(response) => response,
            Err(error) if matches!(error.trouble, HttpTrouble::Forbidden(_)) => return Err(Error::refused(error.to_string())),
            Err(error) => {
                view.evidence = format!("{} {}: {error}", request.method, request.shown);
                return Ok(view);
            }
        };
        let reading = standing.read_verify(Subject::Old, &response);
        view.health = reading.health;
        view.evidence = reading.evidence;
        if view.health == Health::Unknown {
            return Ok(view);
        }
        let mut changes = Vec::new();
        let check = HealthCheck { health: view.health, at, evidence: view.evidence.clone() };
        changes.push(Change::SetHealth { version: current, health: check });
        if view.health == Health::Alive {
            let learned = reading.learned;
            if let Some(issued) = learned.issued_at.filter(|_| !version.issued_known) {
                changes.push(Change::SetIssued { version: current, at: Moment::instant(issued) });
            }
            if let Some(expiry) = learned.expiry.as_ref().and_then(|reported| adopt(&version.expiry, reported)) {
                // Learning what was not known is no news that contradicts anything.
                if version.expiry != Expiry::Unknown {
                    let said = expiry.at().map_or_else(|| "it does not expire".to_owned(), |at| format!("it dies on {at}"));
                    view.news.push(format!(
                        "the service says {said}; that overrules what was known ({})",
                        version.expiry.provenance()
                    ));
                }
                changes.push(Change::SetExpiry { version: current, expiry: expiry.clone() });
                view.expiry = expiry;
            }
            if let Some(remote_id) = learned.remote_id.filter(|_| version.remote_id.is_none()) {
                changes.push(Change::SetRemoteId { version: current, remote_id });
            }
            changes.push(Change::SetIdentity {
                key: scene.key.id,
                identity: learned.identity.clone(),
                scopes: learned.scopes.clone(),
            });
            view.identity = learned.identity;
            view.scopes = learned.scopes;
        } else if version.health.as_ref().is_none_or(|last| last.health != Health::Dead) {
            let left = version.expiry.days_left(at).filter(|days| *days > 0);
            view.news.push(match left {
                Some(days) => format!("it stopped working; it was expected to live {days} more days"),
                None => "it does not work any more".into(),
            });
            let text = format!("found dead: {}", view.evidence);
            changes.push(Change::Log(Activity {
                at,
                kind: ActivityKind::Verified,
                key: Some(scene.key.id),
                rotation: None,
                text,
            }));
        }
        self.parts.ledger.apply(&changes)?;
        Ok(view)
    }
}
