//! An integration: your account, workspace or board at a service.

use crate::ids::{IntegrationId, KeyId};
use crate::words::{Name, ServiceSlug};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Which of your environments an integration belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Environment {
    /// Real traffic, real data.
    Live,
    /// For trying things out.
    Test,
    /// A rehearsal of production.
    Staging,
    /// What your customers use.
    Production,
}

/// Your account, workspace or board at a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Integration {
    /// Identity.
    pub id: IntegrationId,
    /// The service's slug.
    pub service: ServiceSlug,
    /// Your name for it; unique among integrations by slug.
    pub name: Name,
    /// Test, live, staging or production, where you said so.
    pub environment: Option<Environment>,
    /// Values of the manifest's settings (base URL, board id, ...). Never secrets.
    pub settings: BTreeMap<String, String>,
    /// The key that makes and revokes this integration's keys, where the service needs another credential for that.
    pub managed_by: Option<KeyId>,
    /// Free text.
    pub notes: String,
    /// When it was added.
    pub created_at: DateTime<Utc>,
}
