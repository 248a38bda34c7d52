//! The history that a person reads.

use crate::Api;
use crate::error::Error;
use chrono::{DateTime, Utc};
use keytender_core::words::ActivityKind;
use serde::Serialize;

/// One line of history.
#[derive(Debug, Clone, Serialize)]
pub struct ActivityView {
    /// When.
    pub at: DateTime<Utc>,
    /// What sort of thing.
    pub kind: ActivityKind,
    /// `integration/key`, where it is about a key that still exists.
    pub key: Option<String>,
    /// The rotation's id, where it is about one.
    pub rotation: Option<String>,
    /// One sentence.
    pub text: String,
}

impl Api {
    /// The newest lines of history, newest first; of one key if named.
    ///
    /// # Errors
    /// When the key does not exist, or the ledger fails.
    pub fn history(&self, key: Option<&str>, limit: u32) -> Result<Vec<ActivityView>, Error> {
        let key = key.map(|address| self.find_key(address)).transpose()?.map(|(_, key)| key.id);
        let names = self.key_names()?;
        let lines = self.parts.ledger.history(key, limit)?;
        Ok(lines
            .into_iter()
            .map(|line| ActivityView {
                at: line.at,
                kind: line.kind,
                key: line.key.and_then(|id| names.get(&id).cloned()),
                rotation: line.rotation.map(|id| id.to_string()),
                text: line.text,
            })
            .collect())
    }
}
