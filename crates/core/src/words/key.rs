//! A key: one credential of an integration. Its values are its versions.

use crate::ids::{IntegrationId, KeyId, VersionId};
use crate::words::Name;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What sort of credential a kind of key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum KeyClass {
    /// An opaque key for an API.
    ApiKey,
    /// A token that stands for a user, project or group.
    AccessToken,
    /// Signs webhook deliveries; never sent with a request.
    WebhookSigningKey,
    /// The secret of an OAuth client or service account.
    ClientSecret,
    /// An id and a secret that belong together.
    KeyPair,
    /// A user name and password: a managing credential where a service asks for the account's own.
    Password,
}

/// One credential of an integration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Identity.
    pub id: KeyId,
    /// The integration it belongs to.
    pub integration: IntegrationId,
    /// Your name for it; unique within the integration by slug.
    pub name: Name,
    /// The manifest's kind, such as `token`.
    pub kind: String,
    /// Values of the kind's options (permission, read-only, ...), copied when the key is replaced. Never secrets.
    pub options: BTreeMap<String, String>,
    /// Scopes or grants as the service reported them at the last verify, sorted.
    pub scopes: Vec<String>,
    /// Who it acts as, as the service reported at the last verify.
    pub identity: Option<String>,
    /// The version that `reveal`, `copy` and destinations use.
    pub current: Option<VersionId>,
    /// Free words to find it by.
    pub tags: Vec<String>,
    /// It is switched off at its service on request: refused there until it is switched on, so there is nothing to remind of
    /// and nothing to check.
    pub disabled: bool,
    /// When it was added.
    pub created_at: DateTime<Utc>,
}
