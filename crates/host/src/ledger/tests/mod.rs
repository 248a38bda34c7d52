//! Tests of the ledger: by what can go wrong, not by table. They need the connection and raw SQL, so they lie in here.

mod changes;
mod damage;
mod files;
mod journal;
mod model;
mod races;
mod schema;
mod versions;

use super::SqliteLedger;
use chrono::{DateTime, TimeDelta, Utc};
use keytender_core::expiry::{Expiry, Moment};
use keytender_core::ids::{DestinationId, IntegrationId, KeyId, RotationId, VersionId};
use keytender_core::ports::{Change, Ledger, LedgerError};
use keytender_core::rotation::{DestinationTerm, Event, Purpose, Reach, Terms};
use keytender_core::words::{
    Destination, DestinationState, DestinationWhere, Integration, Key, Make, Old, Retire, RotationRow, RotationStatus,
    ServiceSlug, Version, VersionState,
};
use std::path::PathBuf;
use tempfile::TempDir;
use uuid::Uuid;

/// A ledger in a folder of its own.
struct Desk {
    folder: TempDir,
    ledger: SqliteLedger,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ledger = SqliteLedger::open(&folder.path().join("ledger.sqlite"), Uuid::from_u128(99)).unwrap();
        Self { folder, ledger }
    }

    /// A desk with integration 1 ("Work"), key 1 of it ("CI") and version 1 of that, which is current.
    fn with_key() -> Self {
        let desk = Self::new();
        desk.ledger
            .apply(&[
                Change::AddIntegration(integration(1, "Work")),
                Change::AddKey(key(1, 1, "CI")),
                Change::AddVersion(version(1, 1)),
                Change::SetCurrent { key: key_id(1), version: Some(version_id(1)) },
            ])
            .unwrap();
        desk
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("ledger.sqlite")
    }

    /// Runs a statement as any SQLite tool would, past the port.
    fn sql(&self, sql: &str) -> rusqlite::Result<()> {
        self.ledger.connection().execute_batch(sql)
    }
}

fn integration_id(n: u128) -> IntegrationId {
    IntegrationId(Uuid::from_u128(0x1000 + n))
}

fn key_id(n: u128) -> KeyId {
    KeyId(Uuid::from_u128(0x2000 + n))
}

fn version_id(n: u128) -> VersionId {
    VersionId(Uuid::from_u128(0x3000 + n))
}

fn destination_id(n: u128) -> DestinationId {
    DestinationId(Uuid::from_u128(0x4000 + n))
}

fn rotation_id(n: u128) -> RotationId {
    RotationId(Uuid::from_u128(0x5000 + n))
}

/// An instant, to the nanosecond; a later one for a greater number.
fn at(n: u128) -> DateTime<Utc> {
    let start: DateTime<Utc> = "2026-11-20T23:59:58.123456789Z".parse().unwrap();
    start + TimeDelta::seconds(i64::try_from(n).unwrap())
}

fn integration(n: u128, name: &str) -> Integration {
    Integration {
        id: integration_id(n),
        service: ServiceSlug("gitlab".to_owned()),
        name: name.parse().unwrap(),
        environment: None,
        settings: [("api_url".to_owned(), "https://gitlab.example".to_owned())].into(),
        managed_by: None,
        notes: "first line\nsecond".to_owned(),
        created_at: at(n),
    }
}

fn key(n: u128, integration: u128, name: &str) -> Key {
    Key {
        id: key_id(n),
        integration: integration_id(integration),
        name: name.parse().unwrap(),
        kind: "personal-token".to_owned(),
        options: [("read_only".to_owned(), "yes".to_owned())].into(),
        scopes: vec!["api".to_owned(), "read_user".to_owned()],
        identity: Some("äda".to_owned()),
        current: None,
        tags: vec!["night build".to_owned()],
        disabled: false,
        created_at: at(n),
    }
}

fn version(n: u128, key: u128) -> Version {
    Version {
        id: version_id(n),
        key: key_id(key),
        state: VersionState::Pending,
        store: "keychain".to_owned(),
        remote_id: None,
        remote_name: Some("kt-0123456789ab".to_owned()),
        expiry: Expiry::Policy { at: Moment::Instant(at(90)), rule: "90 days from creation".to_owned() },
        expiry_revision: 1,
        issued_at: at(n),
        issued_known: true,
        made_by: None,
        health: None,
        removed_at: None,
        created_at: at(n),
    }
}

fn destination(n: u128, key: u128) -> Destination {
    Destination {
        id: destination_id(n),
        key: key_id(key),
        place: DestinationWhere::Person { line: "Paste it into the router".to_owned() },
        state: DestinationState::Unknown,
        created_at: at(n),
    }
}

fn rotation(n: u128, key: u128) -> RotationRow {
    RotationRow {
        id: rotation_id(n),
        key: key_id(key),
        status: RotationStatus::Open,
        epoch: 0,
        started_at: at(n),
        ended_at: None,
    }
}

fn started(old: u128) -> Event {
    Event::Started {
        terms: Box::new(Terms {
            engine: 1,
            purpose: Purpose::Replace,
            make: Make::Api,
            retire: Retire::Person,
            old: Old::Slots(2),
            lists: true,
            marks: true,
            verifies: true,
            make_needs_old: false,
            list_needs_key: false,
            retire_needs_id: true,
            settle_seconds: 30,
            linger_seconds: 600,
            old_version: version_id(old),
            old_remote_id: Some("42".to_owned()),
            old_expires_at: Some(at(90)),
            destinations: vec![DestinationTerm { id: destination_id(1), reach: Reach::Person }],
            waive_soak: false,
            manifest_hash: "ab".repeat(32),
        }),
    }
}

fn stuck(why: &str) -> Event {
    Event::Stuck { why: why.to_owned() }
}

fn not_found(what: &str) -> Result<(), LedgerError> {
    Err(LedgerError::NotFound(what.to_owned()))
}
