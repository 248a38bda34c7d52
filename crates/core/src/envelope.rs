//! What lies inside a vault's item beside the value: enough to rebuild a lost ledger from the vault alone
//! (`doctor --rebuild`).
//!
//! An envelope is one JSON object, so that a person who has nothing but `secret-tool` or Keychain Access can still read
//! their key out of it. Errors never echo content. What may not live here: where an item lies and how it is read (that is
//! a [`crate::ports::Vault`]).

use crate::expiry::Expiry;
use crate::ids::{IntegrationId, KeyId, VersionId};
use crate::secret::{SecretBytes, SecretText, Value};
use crate::words::{Name, ServiceSlug};
use chrono::{DateTime, Utc};
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;
use zeroize::Zeroizing;

/// The format that this code writes, and the newest that it reads.
pub const ENVELOPE_VERSION: u32 = 1;

/// A version's value with what the ledger knew of it when it was stored.
pub struct Envelope {
    /// The service's slug.
    pub service: ServiceSlug,
    /// The integration that the key belongs to.
    pub integration: IntegrationId,
    /// Its name.
    pub integration_name: Name,
    /// Its settings (base URL, board id, ...). Never secrets.
    pub settings: BTreeMap<String, String>,
    /// The key that this is a version of.
    pub key: KeyId,
    /// Its name.
    pub key_name: Name,
    /// The manifest's kind, such as `token`.
    pub kind: String,
    /// The version.
    pub version: VersionId,
    /// The value, its fields in the manifest's order.
    pub value: Value,
    /// When it dies, as known when it was stored.
    pub expiry: Expiry,
    /// When it was issued, or first seen.
    pub issued_at: DateTime<Utc>,
    /// When it was put into the vault, by this computer's clock: of a key's values the last one stored is the one in use.
    pub stored_at: DateTime<Utc>,
    /// The id under which the service lists it, where known.
    pub remote_id: Option<String>,
}

/// Why bytes are no envelope, or an envelope cannot be written. Says where, never what stands there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// Not the JSON of an envelope.
    #[error("the item holds no readable envelope (line {line}, column {column}); its value is untouched")]
    Malformed {
        /// Line, from 1.
        line: usize,
        /// Column, from 0.
        column: usize,
    },
    /// Written by a newer Keytender.
    #[error(
        "the item was written by a newer Keytender (format {found}, this one reads up to {ENVELOPE_VERSION}): update to read it"
    )]
    Newer {
        /// Its format.
        found: u32,
    },
}

impl Envelope {
    /// The bytes to store.
    ///
    /// # Errors
    /// [`EnvelopeError::Malformed`] if a part cannot be written as JSON (a date beyond the calendar's end).
    pub fn to_bytes(&self) -> Result<SecretBytes, EnvelopeError> {
        let wire = WireOut {
            v: ENVELOPE_VERSION,
            service: &self.service,
            integration: self.integration,
            integration_name: &self.integration_name,
            settings: &self.settings,
            key: self.key,
            key_name: &self.key_name,
            kind: &self.kind,
            version: self.version,
            fields: FieldsOut(&self.value),
            expiry: &self.expiry,
            issued_at: self.issued_at,
            stored_at: self.stored_at,
            remote_id: self.remote_id.as_deref(),
        };
        // Counted first: a buffer that grows would leave unwiped copies of the value behind it.
        let mut count = Count(0);
        serde_json::to_writer(&mut count, &wire).map_err(|error| malformed(&error))?;
        let mut bytes = Vec::with_capacity(count.0);
        serde_json::to_writer(&mut bytes, &wire).map_err(|error| malformed(&error))?;
        Ok(SecretBytes::new(bytes))
    }

    /// The envelope in these bytes.
    ///
    /// # Errors
    /// [`EnvelopeError::Newer`] before anything else is looked at; [`EnvelopeError::Malformed`] for anything else.
    pub fn from_bytes(bytes: &SecretBytes) -> Result<Self, EnvelopeError> {
        let Format { v } = serde_json::from_slice(bytes.expose()).map_err(|error| malformed(&error))?;
        if v > ENVELOPE_VERSION {
            return Err(EnvelopeError::Newer { found: v });
        }
        let wire: WireIn = serde_json::from_slice(bytes.expose()).map_err(|error| malformed(&error))?;
        Ok(Self {
            service: wire.service,
            integration: wire.integration,
            integration_name: wire.integration_name,
            settings: wire.settings,
            key: wire.key,
            key_name: wire.key_name,
            kind: wire.kind,
            version: wire.version,
            value: wire.fields.0,
            expiry: wire.expiry,
            issued_at: wire.issued_at,
            stored_at: wire.stored_at,
            remote_id: wire.remote_id,
        })
    }
}

/// serde_json's own text may quote what it read ("invalid type: string ..."), so only the place is kept.
fn malformed(error: &serde_json::Error) -> EnvelopeError {
    EnvelopeError::Malformed { line: error.line(), column: error.column() }
}

#[derive(Deserialize)]
struct Format {
    v: u32,
}

#[derive(Serialize)]
struct WireOut<'a> {
    v: u32,
    service: &'a ServiceSlug,
    integration: IntegrationId,
    integration_name: &'a Name,
    settings: &'a BTreeMap<String, String>,
    key: KeyId,
    key_name: &'a Name,
    kind: &'a str,
    version: VersionId,
    fields: FieldsOut<'a>,
    expiry: &'a Expiry,
    issued_at: DateTime<Utc>,
    stored_at: DateTime<Utc>,
    remote_id: Option<&'a str>,
}

#[derive(Deserialize)]
struct WireIn {
    service: ServiceSlug,
    integration: IntegrationId,
    integration_name: Name,
    settings: BTreeMap<String, String>,
    key: KeyId,
    key_name: Name,
    kind: String,
    version: VersionId,
    fields: FieldsIn,
    expiry: Expiry,
    issued_at: DateTime<Utc>,
    stored_at: DateTime<Utc>,
    remote_id: Option<String>,
}

/// The value's fields as a JSON object in the manifest's order. The secret types themselves stay not serialisable.
struct FieldsOut<'a>(&'a Value);

impl Serialize for FieldsOut<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.fields().map(|(name, text)| (name, text.expose())))
    }
}

struct FieldsIn(Value);

impl<'de> Deserialize<'de> for FieldsIn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = FieldsIn;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the fields of a value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<FieldsIn, A::Error> {
        let mut fields = Vec::new();
        while let Some((name, text)) = map.next_entry::<String, WipedText>()? {
            fields.push((name, text.0));
        }
        Ok(FieldsIn(Value::new(fields)))
    }
}

/// Text that is wiped even when a later part of the envelope turns out unreadable.
struct WipedText(SecretText);

impl<'de> Deserialize<'de> for WipedText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut text = Zeroizing::new(String::deserialize(deserializer)?);
        Ok(Self(SecretText::new(std::mem::take(&mut *text))))
    }
}

/// Counts what would be written.
struct Count(usize);

impl std::io::Write for Count {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expiry::Moment;
    use uuid::Uuid;

    fn envelope(fields: Vec<(String, SecretText)>) -> Envelope {
        Envelope {
            service: ServiceSlug("gitlab".into()),
            integration: IntegrationId(Uuid::from_u128(1)),
            integration_name: "Work".parse().unwrap(),
            settings: BTreeMap::from([("base_url".to_owned(), "https://gitlab.example".to_owned())]),
            key: KeyId(Uuid::from_u128(2)),
            key_name: "CI pipeline".parse().unwrap(),
            kind: "token".into(),
            version: VersionId(Uuid::from_u128(3)),
            value: Value::new(fields),
            expiry: Expiry::Reported { at: Moment::Date("2027-01-31".parse().unwrap()), by: "/expires_at".into() },
            issued_at: "2026-11-01T08:00:00Z".parse().unwrap(),
            stored_at: "2026-11-01T08:00:01Z".parse().unwrap(),
            remote_id: Some("42".into()),
        }
    }

    fn text(text: &str) -> SecretText {
        SecretText::new(text.to_owned())
    }

    #[test]
    fn everything_comes_back_with_the_fields_in_their_order() {
        let written = envelope(vec![("user".into(), text("ann")), ("key".into(), text("quote \" and \u{1F511}\n"))]);
        let read = Envelope::from_bytes(&written.to_bytes().unwrap()).unwrap();
        assert_eq!(read.value.fields().map(|(name, _)| name).collect::<Vec<_>>(), ["user", "key"]);
        assert!(read.value.matches(&written.value));
        assert_eq!(read.service, written.service);
        assert_eq!((read.integration, read.key, read.version), (written.integration, written.key, written.version));
        assert_eq!((read.integration_name, read.key_name), (written.integration_name, written.key_name));
        assert_eq!((read.settings, read.kind), (written.settings, written.kind));
        assert_eq!((read.expiry, read.issued_at, read.remote_id), (written.expiry, written.issued_at, written.remote_id));
    }

    #[test]
    fn a_newer_format_is_refused_by_its_number_alone() {
        let newer = SecretBytes::new(br#"{"v":2,"everything":"else changed"}"#.to_vec());
        assert_eq!(Envelope::from_bytes(&newer).err(), Some(EnvelopeError::Newer { found: 2 }));
    }

    #[test]
    fn errors_never_echo_content() {
        let canary: String = ('a'..='z').rev().collect();
        let whole = envelope(vec![("key".into(), text(&canary))]).to_bytes().unwrap();
        let whole = std::str::from_utf8(whole.expose()).unwrap();
        let broken = [
            whole[..whole.len() - 1].to_owned(),
            whole.replace("\"kind\":\"token\"", &format!("\"kind\":{{\"{canary}\":1}}")),
            whole.replace("\"issued_at\":\"", &format!("\"issued_at\":\"{canary}")),
            whole.replace("\"key_name\":\"", &format!("\"key_name\":\"{canary}/")),
            format!("{{\"v\":\"{canary}\"}}"),
            canary.clone(),
            String::new(),
        ];
        for bytes in broken {
            let error = Envelope::from_bytes(&SecretBytes::new(bytes.into_bytes())).err().expect("broken envelopes are refused");
            assert!(matches!(error, EnvelopeError::Malformed { .. }), "{error:?}");
            assert!(!format!("{error} {error:?}").contains(&canary), "{error}");
        }
    }
}
