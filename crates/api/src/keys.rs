//! Keys: added, shown, edited, removed, revealed.

use crate::Api;
use crate::error::{Error, ErrorKind};
use crate::stored::{StoreError, Storing};
use chrono::{DateTime, Utc};
use keytender_core::expiry::{Expiry, Moment};
use keytender_core::ids::{IntegrationId, KeyId, RotationId, VersionId};
use keytender_core::ports::{Change, Sealed, SlotId};
use keytender_core::secret::{SecretBytes, SecretText, Value};
use keytender_core::words::{Activity, ActivityKind, Health, Integration, Key, Name, Version, VersionState};
use keytender_services::{Held, Kind};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// What a new key is made of.
pub struct KeyAdd {
    /// The integration it belongs to.
    pub integration: String,
    /// Your name for it.
    pub name: String,
    /// The kind; none where the service has one kind, or the value's pattern tells.
    pub kind: Option<String>,
    /// When it dies, if the person knows; see [`keytender_core::expiry::parse_expires`].
    pub expires: Option<String>,
    /// When it was made, if the person knows.
    pub issued: Option<String>,
    /// Values of the kind's options.
    pub options: BTreeMap<String, String>,
    /// Free words to find it by.
    pub tags: Vec<String>,
    /// The value as pasted: bare, or JSON of the fields where the kind has several.
    pub secret: SecretText,
}

/// What is to be different; what is none stays.
#[derive(Debug, Clone, Default)]
pub struct KeyEdit {
    /// Your name for it.
    pub name: Option<String>,
    /// When it dies.
    pub expires: Option<String>,
    /// When it was made.
    pub issued: Option<String>,
    /// Options to set.
    pub options: BTreeMap<String, String>,
    /// Free words, all of them.
    pub tags: Option<Vec<String>>,
}

/// A version.
#[derive(Debug, Clone, Serialize)]
pub struct VersionView {
    /// Its id.
    pub id: String,
    /// Where it stands.
    pub state: VersionState,
    /// Which vault holds it.
    pub store: String,
    /// The name of its item in the vault.
    pub item: String,
    /// Its id at the service.
    pub remote_id: Option<String>,
    /// When it dies, and how that is known.
    pub expiry: Expiry,
    /// When it was made.
    pub issued_at: DateTime<Utc>,
    /// Whether that is known, or the date first seen.
    pub issued_known: bool,
    /// The last verdict.
    pub health: Option<Health>,
    /// When that was given.
    pub checked_at: Option<DateTime<Utc>>,
    /// What it rests on.
    pub evidence: Option<String>,
    /// When the value left the vault.
    pub removed_at: Option<DateTime<Utc>>,
}

/// A key.
#[derive(Debug, Clone, Serialize)]
pub struct KeyView {
    /// Its id.
    pub id: String,
    /// `integration/key`.
    pub address: String,
    /// Your name for it.
    pub name: String,
    /// The service's slug.
    pub service: String,
    /// The kind.
    pub kind: String,
    /// Who it acts as.
    pub identity: Option<String>,
    /// Its scopes.
    pub scopes: Vec<String>,
    /// Values of the kind's options.
    pub options: BTreeMap<String, String>,
    /// Free words.
    pub tags: Vec<String>,
    /// Left alone on request.
    pub disabled: bool,
    /// Whole days until it dies; negative once it has; none when unknown or never.
    pub days_left: Option<i64>,
    /// The version in use.
    pub current: Option<VersionView>,
    /// Earlier and pending versions, newest first; only when one key is shown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<VersionView>,
    /// The rotation that is unfinished, if one is.
    pub open_rotation: Option<String>,
}

/// A key that was added, and what a person ought to know about it.
pub struct Added {
    /// The key.
    pub key: KeyView,
    /// A pattern that does not match, a value that is stored already, a vague name.
    pub warnings: Vec<String>,
    /// Where it will be sent when it is verified.
    pub hosts: Vec<String>,
}

/// Names that say nothing about system or environment.
const VAGUE_NAMES: [&str; 8] = ["test", "key", "new", "new key", "api key", "token", "my key", "default"];

impl Api {
    /// Stores a key. The value is sealed before anything looks at it; if the process dies on the way, `recover` finds it.
    ///
    /// # Errors
    /// When something about the request is wrong (the value is then not kept), or the vault is not there.
    pub fn key_add(&self, request: KeyAdd) -> Result<Added, Error> {
        let integration = self.find_integration(&request.integration)?;
        let service = self.service(&integration.service)?;
        let name = request.name.parse().map_err(|error: keytender_core::words::NameError| Error::invalid(error.to_string()))?;
        let kind = pick_kind(service, request.kind.as_deref(), &request.secret)?;
        let now = self.parts.clock.now();
        let typed = request.expires.as_deref().map(|text| typed_expiry(text, now)).transpose()?;
        let issued = request.issued.as_deref().map(|text| typed_moment(text, now)).transpose()?;
        let id = KeyId(self.parts.ids.make_id());
        let key = Key {
            id,
            integration: integration.id,
            name,
            kind: kind.name.clone(),
            options: kind.fill_options(&request.options).map_err(|error| Error::invalid(error.to_string()))?,
            scopes: Vec::new(),
            identity: None,
            current: None,
            tags: request.tags,
            disabled: false,
            created_at: now,
        };
        if self.key_of_name(integration.id, &key.name)?.is_some() {
            return Err(Error::invalid(format!("`{}` has a key `{}` already", integration.name, key.name))
                .help("choose another name, or `keytender rotate` the one that is there"));
        }

        self.parts.vault.prove()?;
        self.parts.escrow.prove()?;
        let slot = SlotId { owner: id.0, attempt: 1 };
        // The lock of a rotation, taken in the key's own id: `recover` leaves the slot alone while it is held.
        let _lock = self.parts.ledger.hold(RotationId(id.0))?;
        self.parts.escrow.allocate(slot)?;
        let paste = Sealed {
            status: 0,
            // What `recover` needs to finish the adding; none of it is secret.
            headers: vec![
                ("integration".into(), integration.id.to_string()),
                ("name".into(), key.name.to_string()),
                ("kind".into(), key.kind.clone()),
            ],
            body: SecretBytes::new(request.secret.expose().as_bytes().to_vec()),
            complete: true,
        };
        self.parts.escrow.seal(slot, &paste)?;
        self.parts.checkpoint.pass("sealed:add");
        let parsed = kind.value_from_text(request.secret.expose());
        let (value, mut warnings) = match parsed {
            Ok(parsed) => parsed,
            Err(error) => {
                self.parts.escrow.wipe(slot)?;
                return Err(Error::invalid(error.to_string()));
            }
        };
        warnings.extend(self.add_warnings(&key, &value)?);
        self.put_first_version(&integration, key, kind, &value, typed, issued)?;
        self.parts.checkpoint.pass("stored:add");
        self.parts.escrow.wipe(slot)?;
        let key = self.key_shown(&id.to_string())?;
        let (integration, row) = self.find_key(&id.to_string())?;
        let hosts = self.hosts(&self.scene(integration, row)?)?;
        Ok(Added { key, warnings, hosts })
    }

    /// Puts the first version of a key into the vault and everything about it into the ledger, in one transaction.
    pub(crate) fn put_first_version(
        &self,
        integration: &Integration,
        key: Key,
        kind: &Kind,
        value: &Value,
        typed: Option<Expiry>,
        issued: Option<Moment>,
    ) -> Result<(), Error> {
        let now = self.parts.clock.now();
        let version = VersionId(self.parts.ids.make_id());
        let scene = self.scene(integration.clone(), key.clone())?;
        let held = Held { value, remote_id: None, remote_name: None };
        let derived = scene.standing(Some(held), None).expiry_of(value, issued.unwrap_or(Moment::Instant(now)), issued.is_some());
        // What the value itself reports (a JWT's exp) beats what was typed; a rule of the service does not.
        let expiry = match (typed, derived) {
            (Some(_), reported @ Expiry::Reported { .. }) => reported,
            (Some(typed), _) => typed,
            (None, derived) => derived,
        };
        let issued_at = issued.map_or(now, Moment::instant);
        let storing = Storing { integration, key: &key, version, expiry: &expiry, issued_at, remote_id: None };
        self.store_value(&storing, value)?;
        let row = Version {
            id: version,
            key: key.id,
            state: VersionState::Current,
            store: self.parts.vault.kind().to_owned(),
            remote_id: None,
            remote_name: None,
            expiry,
            expiry_revision: 1,
            issued_at,
            issued_known: issued.is_some(),
            made_by: None,
            health: None,
            removed_at: None,
            created_at: now,
        };
        let text = format!("key `{}` ({}) added to `{}`", key.name, kind.label, integration.name);
        let line = Activity { at: now, kind: ActivityKind::Added, key: Some(key.id), rotation: None, text };
        let id = key.id;
        let changes = [
            Change::AddKey(key),
            Change::AddVersion(row),
            Change::SetCurrent { key: id, version: Some(version) },
            Change::Log(line),
        ];
        self.parts.ledger.apply(&changes)?;
        Ok(())
    }

    fn add_warnings(&self, key: &Key, value: &Value) -> Result<Vec<String>, Error> {
        let mut warnings = Vec::new();
        if VAGUE_NAMES.contains(&key.name.as_str().to_lowercase().as_str()) {
            warnings
                .push(format!("`{}` says little; name the system and the environment, such as `Zapier production`", key.name));
        }
        for version in self.parts.ledger.current_versions()?.iter().filter(|version| version.store == self.parts.vault.kind()) {
            let other = self.parts.ledger.key(version.key)?;
            // Only keys of the same integration are compared: reading every value for one warning would be a bad trade.
            if other.integration == key.integration && self.fetch_value(version.id).is_ok_and(|held| held.matches(value)) {
                warnings.push(format!("this value is stored already, as `{}`", self.key_address(version.key)?));
            }
        }
        Ok(warnings)
    }

    /// All keys, by integration and name.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn keys(&self) -> Result<Vec<KeyView>, Error> {
        let now = self.parts.clock.now();
        let integrations: HashMap<_, _> = self.parts.ledger.integrations()?.into_iter().map(|it| (it.id, it)).collect();
        let mut versions: HashMap<_, _> = self.parts.ledger.current_versions()?.into_iter().map(|it| (it.key, it)).collect();
        let open: HashMap<_, _> =
            self.parts.ledger.rotations(true)?.into_iter().map(|row| (row.key, row.id.to_string())).collect();
        let keys = self.parts.ledger.keys()?;
        Ok(keys
            .into_iter()
            .map(|key| {
                let integration = integrations.get(&key.integration);
                let current = versions.remove(&key.id);
                self.key_view(integration, key, current, Vec::new(), &open, now)
            })
            .collect())
    }

    /// One key with all its versions.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn key_shown(&self, address: &str) -> Result<KeyView, Error> {
        let (integration, key) = self.find_key(address)?;
        let now = self.parts.clock.now();
        let (current, others) =
            self.parts.ledger.versions(key.id)?.into_iter().partition::<Vec<_>, _>(|it| Some(it.id) == key.current);
        let open = self.parts.ledger.rotations(true)?.into_iter().map(|row| (row.key, row.id.to_string())).collect();
        Ok(self.key_view(Some(&integration), key, current.into_iter().next(), others, &open, now))
    }

    fn key_view(
        &self,
        integration: Option<&Integration>,
        key: Key,
        current: Option<Version>,
        others: Vec<Version>,
        open: &HashMap<KeyId, String>,
        now: DateTime<Utc>,
    ) -> KeyView {
        KeyView {
            id: key.id.to_string(),
            address: address_of(integration, &key),
            name: key.name.to_string(),
            service: integration.map(|it| it.service.to_string()).unwrap_or_default(),
            kind: key.kind,
            identity: key.identity,
            scopes: key.scopes,
            options: key.options,
            tags: key.tags,
            disabled: key.disabled,
            days_left: current.as_ref().and_then(|version| version.expiry.days_left(now)),
            current: current.map(|version| self.version_view(version)),
            others: others.into_iter().map(|version| self.version_view(version)).collect(),
            open_rotation: open.get(&key.id).cloned(),
        }
    }

    fn version_view(&self, version: Version) -> VersionView {
        VersionView {
            item: self.item(version.id).name(),
            id: version.id.to_string(),
            state: version.state,
            store: version.store,
            remote_id: version.remote_id,
            expiry: version.expiry,
            issued_at: version.issued_at,
            issued_known: version.issued_known,
            health: version.health.as_ref().map(|check| check.health),
            checked_at: version.health.as_ref().map(|check| check.at),
            evidence: version.health.map(|check| check.evidence),
            removed_at: version.removed_at,
        }
    }

    /// Changes a key.
    ///
    /// # Errors
    /// When the name is taken, a date makes no sense, or an option is unknown.
    pub fn key_edit(&self, address: &str, edit: KeyEdit) -> Result<KeyView, Error> {
        let (integration, mut key) = self.find_key(address)?;
        let now = self.parts.clock.now();
        let id = key.id;
        let mut changes = Vec::new();
        if let Some(name) = edit.name {
            key.name = name.parse().map_err(|error: keytender_core::words::NameError| Error::invalid(error.to_string()))?;
        }
        if !edit.options.is_empty() {
            let mut options = key.options.clone();
            options.extend(edit.options);
            let service = self.service(&integration.service)?;
            let kind = service.kind(&key.kind).ok_or_else(|| Error::invalid(format!("no kind `{}`", key.kind)))?;
            key.options = kind.fill_options(&options).map_err(|error| Error::invalid(error.to_string()))?;
        }
        key.tags = edit.tags.unwrap_or(key.tags);
        let current = key.current;
        changes.push(Change::EditKey(key));
        if edit.expires.is_some() || edit.issued.is_some() {
            let version = current.ok_or_else(|| Error::invalid("this key has no current version that could expire"))?;
            changes.extend(self.expiry_changes(&integration, id, version, edit.expires.as_deref(), edit.issued.as_deref())?);
        }
        let line = Activity { at: now, kind: ActivityKind::Edited, key: Some(id), rotation: None, text: "edited".into() };
        changes.push(Change::Log(line));
        self.parts.ledger.apply(&changes)?;
        self.key_shown(&id.to_string())
    }

    fn expiry_changes(
        &self,
        integration: &Integration,
        key: KeyId,
        version: VersionId,
        expires: Option<&str>,
        issued: Option<&str>,
    ) -> Result<Vec<Change>, Error> {
        let now = self.parts.clock.now();
        let mut changes = Vec::new();
        let typed = expires.map(|text| typed_expiry(text, now)).transpose()?;
        if let Some(text) = issued {
            let issued = typed_moment(text, now)?;
            changes.push(Change::SetIssued { version, at: issued.instant() });
            if typed.is_none() {
                let key = self.parts.ledger.key(key)?;
                let scene = self.scene(integration.clone(), key)?;
                let value = self.fetch_value(version)?;
                let held = Held { value: &value, remote_id: None, remote_name: None };
                let expiry = scene.standing(Some(held), None).expiry_of(&value, issued, true);
                changes.push(Change::SetExpiry { version, expiry });
            }
        }
        changes.extend(typed.map(|expiry| Change::SetExpiry { version, expiry }));
        Ok(changes)
    }

    /// Removes a key from Keytender: its values leave the vault, its rows the ledger. Nothing is revoked at the service.
    ///
    /// # Errors
    /// When a rotation of it is open, or the vault is not there.
    pub fn key_remove(&self, address: &str) -> Result<(), Error> {
        let (integration, key) = self.find_key(address)?;
        if let Some(row) = self.parts.ledger.rotations(true)?.into_iter().find(|row| row.key == key.id) {
            return Err(Error::refused("a rotation of this key is unfinished; removing it now could lose a value")
                .help(format!("`keytender rotations resume {0}` or `keytender rotations abort {0}` first", row.id)));
        }
        let manages: Vec<String> = self
            .parts
            .ledger
            .integrations()?
            .into_iter()
            .filter(|it| it.managed_by == Some(key.id))
            .map(|it| it.name.to_string())
            .collect();
        if !manages.is_empty() {
            return Err(Error::refused(format!("this key manages the keys of {}", manages.join(", ")))
                .help("`keytender integration edit NAME --managed-by \"\"` takes that away first"));
        }
        self.parts.vault.ready()?;
        let versions = self.parts.ledger.versions(key.id)?;
        let at = self.parts.clock.now();
        let text = format!("key `{}` removed; nothing was revoked at the service", address_of(Some(&integration), &key));
        let line = Activity { at, kind: ActivityKind::Removed, key: None, rotation: None, text };
        // Ledger first: a value without a row can be found again (`doctor`), a row without a value is a lie.
        self.parts.ledger.apply(&[Change::RemoveKey(key.id), Change::Log(line)])?;
        for version in versions.iter().filter(|version| version.removed_at.is_none()) {
            self.parts.vault.remove(&self.item(version.id))?;
        }
        Ok(())
    }

    /// The current value, to be shown or copied. `why` goes into the history: `revealed`, `copied`.
    ///
    /// # Errors
    /// When the key has no current version, or the vault is not there.
    pub fn reveal(&self, address: &str, why: &str) -> Result<Value, Error> {
        let (_, key) = self.find_key(address)?;
        let Some(version) = key.current else {
            return Err(Error::new(ErrorKind::NotFound, "this key has no current version")
                .help("`keytender key show` lists its versions"));
        };
        let value = self.fetch_value(version).map_err(|error| match error {
            StoreError::Vault(keytender_core::ports::VaultError::NotFound { .. }) => {
                Error::fault("the ledger knows this value and the vault does not hold it")
                    .help("`keytender doctor` compares the two")
            }
            other => other.into(),
        })?;
        let at = self.parts.clock.now();
        let line = Activity { at, kind: ActivityKind::Revealed, key: Some(key.id), rotation: None, text: why.to_owned() };
        self.parts.ledger.apply(&[Change::Log(line)])?;
        Ok(value)
    }

    /// The key of an integration that answers to a name.
    pub(crate) fn key_of_name(&self, integration: IntegrationId, name: &Name) -> Result<Option<Key>, Error> {
        let mut keys = self.parts.ledger.keys()?.into_iter();
        Ok(keys.find(|other| other.integration == integration && other.name.slug() == name.slug()))
    }

    pub(crate) fn key_names(&self) -> Result<HashMap<KeyId, String>, Error> {
        let integrations: HashMap<_, _> = self.parts.ledger.integrations()?.into_iter().map(|it| (it.id, it)).collect();
        let keys = self.parts.ledger.keys()?;
        Ok(keys.iter().map(|key| (key.id, address_of(integrations.get(&key.integration), key))).collect())
    }

    pub(crate) fn key_address(&self, id: KeyId) -> Result<String, Error> {
        let key = self.parts.ledger.key(id)?;
        let integration = self.integration_of(&key)?;
        Ok(address_of(Some(&integration), &key))
    }
}

fn address_of(integration: Option<&Integration>, key: &Key) -> String {
    let integration = integration.map_or_else(|| "?".to_owned(), |it| it.name.slug());
    format!("{integration}/{}", key.name.slug())
}

fn pick_kind<'a>(service: &'a keytender_services::Service, named: Option<&str>, secret: &SecretText) -> Result<&'a Kind, Error> {
    let names = || service.kinds.iter().map(|kind| kind.name.as_str()).collect::<Vec<_>>().join(", ");
    if let Some(name) = named {
        return service
            .kind(name)
            .ok_or_else(|| Error::invalid(format!("{} has no kind `{name}`; it has {}", service.name, names())));
    }
    if let [only] = &service.kinds[..] {
        return Ok(only);
    }
    let fitting: Vec<&Kind> = service.kinds.iter().filter(|kind| kind.fits(secret.expose())).collect();
    match fitting[..] {
        [one] => Ok(one),
        _ => Err(Error::invalid(format!("{} has several kinds of key; say which with `--kind`: {}", service.name, names()))),
    }
}

fn typed_expiry(text: &str, now: DateTime<Utc>) -> Result<Expiry, Error> {
    keytender_core::expiry::parse_expires(text, now).map_err(|error| Error::invalid(error.to_string()))
}

fn typed_moment(text: &str, now: DateTime<Utc>) -> Result<Moment, Error> {
    keytender_core::expiry::parse_issued(text, now).map_err(|error| Error::invalid(error.to_string()))
}
