//! Values on their way to and from the vault, in their envelopes.

use crate::Api;
use crate::error::Error;
use chrono::{DateTime, Utc};
use keytender_core::envelope::Envelope;
use keytender_core::expiry::Expiry;
use keytender_core::ids::{VersionId, derive_item_name};
use keytender_core::ports::{Item, VaultError};
use keytender_core::secret::Value;
use keytender_core::words::{Integration, Key};

/// What is stored with a value, besides its key.
pub(crate) struct Storing<'a> {
    pub(crate) integration: &'a Integration,
    pub(crate) key: &'a Key,
    pub(crate) version: VersionId,
    pub(crate) expiry: &'a Expiry,
    pub(crate) issued_at: DateTime<Utc>,
    pub(crate) remote_id: Option<&'a str>,
}

/// Why a value could not be stored or had.
pub(crate) enum StoreError {
    /// The vault said no.
    Vault(VaultError),
    /// The vault answered, and what it gave is not what was put there.
    Mismatch(String),
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Vault(vault) => vault.into(),
            StoreError::Mismatch(what) => Self::fault(what).help("`keytender doctor` compares ledger and vault"),
        }
    }
}

impl Api {
    pub(crate) fn item(&self, version: VersionId) -> Item {
        Item::Version(derive_item_name(self.parts.ledger.installation(), version))
    }

    /// Puts a value into the vault and reads it back. Storing the same value under the same version again is harmless.
    pub(crate) fn store_value(&self, storing: &Storing<'_>, value: &Value) -> Result<(), StoreError> {
        let item = self.item(storing.version);
        let envelope = Envelope {
            service: storing.integration.service.clone(),
            integration: storing.integration.id,
            integration_name: storing.integration.name.clone(),
            settings: storing.integration.settings.clone(),
            key: storing.key.id,
            key_name: storing.key.name.clone(),
            kind: storing.key.kind.clone(),
            version: storing.version,
            value: value.duplicate(),
            expiry: storing.expiry.clone(),
            issued_at: storing.issued_at,
            stored_at: self.parts.clock.now(),
            remote_id: storing.remote_id.map(str::to_owned),
        };
        let bytes = envelope.to_bytes().map_err(|error| StoreError::Mismatch(error.to_string()))?;
        match self.parts.vault.put(&item, &bytes) {
            Ok(()) => {}
            // The same version was stored by a run that was killed before it could say so; its date may differ, so the
            // values are compared below rather than the bytes.
            Err(VaultError::Exists { .. }) => {}
            Err(error) => return Err(StoreError::Vault(error)),
        }
        self.parts.checkpoint.pass("stored:keep");
        let back = self.fetch_envelope(storing.version)?;
        if back.value.matches(value) {
            Ok(())
        } else {
            Err(StoreError::Mismatch("the vault gave back another value than the one put there".into()))
        }
    }

    pub(crate) fn fetch_envelope(&self, version: VersionId) -> Result<Envelope, StoreError> {
        let bytes = self.parts.vault.fetch(&self.item(version)).map_err(StoreError::Vault)?;
        Envelope::from_bytes(&bytes).map_err(|error| StoreError::Mismatch(error.to_string()))
    }

    pub(crate) fn fetch_value(&self, version: VersionId) -> Result<Value, StoreError> {
        Ok(self.fetch_envelope(version)?.value)
    }
}
