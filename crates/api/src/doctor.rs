//! Doctor: looks whether everything that has to work does, and rebuilds a lost ledger from the vault.

use crate::Api;
use crate::error::{Error, ErrorKind};
use crate::stored::StoreError;
use keytender_core::envelope::Envelope;
use keytender_core::ids::derive_item_name;
use keytender_core::ports::{Change, Item, VaultError};
use keytender_core::words::{Activity, ActivityKind, Integration, Key, Version, VersionState};
use serde::Serialize;
use std::collections::{BTreeMap, HashSet};

/// One thing that was looked at.
#[derive(Debug, Clone, Serialize)]
pub struct DoctorLine {
    /// What.
    pub what: String,
    /// It is as it should be.
    pub ok: bool,
    /// What was seen, and what to do if it is not.
    pub text: String,
    /// What kind of trouble it is, where it is of a kind that a script would tell apart (a locked vault, none at all).
    pub trouble: Option<ErrorKind>,
}

/// What the doctor saw.
#[derive(Debug, Clone, Serialize)]
pub struct DoctorView {
    /// Everything that was looked at.
    pub lines: Vec<DoctorLine>,
    /// All of it is as it should be.
    pub well: bool,
}

/// What a rebuild brought back.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RebuildView {
    /// Integrations that were missing.
    pub integrations: usize,
    /// Keys that were missing.
    pub keys: usize,
    /// Versions that were missing.
    pub versions: usize,
    /// Items that could not be read, by name.
    pub unreadable: Vec<String>,
}

impl Api {
    /// Looks at vault, escrow, ledger and the agreement between them. Changes nothing.
    ///
    /// # Errors
    /// When the ledger cannot be read at all.
    pub fn doctor(&self) -> Result<DoctorView, Error> {
        let mut lines = Vec::new();
        let vault = match self.parts.vault.prove() {
            Ok(proof) => {
                let text = format!("{}: wrote, read back and deleted a canary in {} ms", proof.store, proof.millis);
                DoctorLine { what: "vault".into(), ok: true, text, trouble: None }
            }
            Err(error) => {
                let shown = Error::from(error);
                let text = [Some(shown.happened), shown.help].into_iter().flatten().collect::<Vec<_>>().join("; ");
                DoctorLine { what: "vault".into(), ok: false, text, trouble: Some(shown.kind) }
            }
        };
        lines.push(vault);
        let mut line =
            |what: &str, ok: bool, text: String| lines.push(DoctorLine { what: what.to_owned(), ok, text, trouble: None });
        match self.parts.escrow.prove() {
            Ok(()) => line("escrow", true, "a sealed canary opens".into()),
            Err(error) => line("escrow", false, error.to_string()),
        }
        let complaints = self.parts.ledger.check()?;
        let sound = if complaints.is_empty() { "sound".to_owned() } else { complaints.join("; ") };
        line("ledger", complaints.is_empty(), sound);
        let (ok, text) = self.compare()?;
        line("values", ok, text);
        let open = self.parts.ledger.rotations(true)?.len();
        let text = match open {
            0 => "none unfinished".to_owned(),
            _ => format!("{open} unfinished; `keytender rotations list` shows them, `keytender recover` goes on with them"),
        };
        line("rotations", open == 0, text);
        let rotations: HashSet<_> = self.parts.ledger.rotations(true)?.into_iter().map(|row| row.id.0).collect();
        let stray = self.parts.escrow.slots()?.into_iter().filter(|slot| !rotations.contains(&slot.owner)).count();
        let text = if stray == 0 {
            "none left behind".into()
        } else {
            format!("{stray} left behind; `keytender recover` looks into them")
        };
        line("sealed replies", stray == 0, text);
        let user: Vec<_> = self.parts.catalog.services().filter(|service| service.user).collect();
        for service in user {
            let trusted = self.trusted(service)?;
            let text = if trusted {
                "agreed to as it is".to_owned()
            } else {
                format!("not agreed to; `keytender services trust {}`", service.slug)
            };
            line(&format!("manifest {}", service.slug), trusted, text);
        }
        let well = lines.iter().all(|line| line.ok);
        Ok(DoctorView { lines, well })
    }

    /// Compares what the ledger says is stored with what the vault holds.
    fn compare(&self) -> Result<(bool, String), Error> {
        let items = match self.parts.vault.items() {
            Ok(items) => items,
            Err(error) => return Ok((false, format!("not compared: {error}"))),
        };
        let held: HashSet<Item> = items.into_iter().filter(|item| matches!(item, Item::Version(_))).collect();
        let stored = self.parts.ledger.stored_versions()?;
        let here = self.parts.vault.kind();
        let expected: HashSet<Item> = stored.iter().filter(|it| it.store == here).map(|it| self.item(it.id)).collect();
        let missing = expected.difference(&held).count();
        let unknown = held.difference(&expected).count();
        let text = match (missing, unknown) {
            (0, 0) => format!("{} in the vault, as the ledger says", held.len()),
            (0, n) => format!("{n} in the vault that the ledger does not know; `keytender doctor --rebuild` takes them in"),
            (n, _) => {
                format!("{n} that the ledger knows are not in the vault; was another keychain in use when they were stored?")
            }
        };
        Ok((missing == 0 && unknown == 0, text))
    }

    /// Takes everything that the vault holds and the ledger does not know into the ledger, from the envelopes. Nothing is
    /// sent, made or revoked.
    ///
    /// # Errors
    /// When the vault or the ledger is not there.
    pub fn rebuild(&self) -> Result<RebuildView, Error> {
        let mut view = RebuildView::default();
        let known: HashSet<String> = self
            .parts
            .ledger
            .stored_versions()?
            .into_iter()
            .map(|it| derive_item_name(self.parts.ledger.installation(), it.id))
            .collect();
        let mut found: Vec<Envelope> = Vec::new();
        for item in self.parts.vault.items()? {
            let Item::Version(name) = &item else { continue };
            if known.contains(name) {
                continue;
            }
            match self.parts.vault.fetch(&item).map_err(StoreError::Vault).map(|bytes| Envelope::from_bytes(&bytes)) {
                Ok(Ok(envelope)) => found.push(envelope),
                Err(StoreError::Vault(
                    error @ (VaultError::Locked { .. } | VaultError::Absent { .. } | VaultError::Hung { .. }),
                )) => {
                    return Err(error.into());
                }
                Ok(Err(_)) | Err(_) => view.unreadable.push(name.clone()),
            }
        }
        // The last one stored of a key's values is the likeliest to be the one in use.
        found.sort_by_key(|envelope| envelope.stored_at);
        let mut newest = BTreeMap::new();
        for envelope in &found {
            newest.insert(envelope.key, envelope.version);
        }
        for envelope in found {
            let current = newest.get(&envelope.key) == Some(&envelope.version);
            self.take_in(envelope, current, &mut view)?;
        }
        Ok(view)
    }

    fn take_in(&self, envelope: Envelope, current: bool, view: &mut RebuildView) -> Result<(), Error> {
        let now = self.parts.clock.now();
        let mut changes = Vec::new();
        if !self.parts.ledger.integrations()?.iter().any(|it| it.id == envelope.integration) {
            view.integrations += 1;
            changes.push(Change::AddIntegration(Integration {
                id: envelope.integration,
                service: envelope.service.clone(),
                name: envelope.integration_name.clone(),
                environment: None,
                settings: envelope.settings.clone(),
                managed_by: None,
                notes: "rebuilt from the vault".into(),
                created_at: now,
            }));
        }
        let row = self.parts.ledger.key(envelope.key).ok();
        if row.is_none() {
            view.keys += 1;
            changes.push(Change::AddKey(Key {
                id: envelope.key,
                integration: envelope.integration,
                name: envelope.key_name.clone(),
                kind: envelope.kind.clone(),
                options: BTreeMap::new(),
                scopes: Vec::new(),
                identity: None,
                current: None,
                tags: Vec::new(),
                disabled: false,
                created_at: now,
            }));
        }
        let current = current && row.is_none_or(|key| key.current.is_none());
        view.versions += 1;
        changes.push(Change::AddVersion(Version {
            id: envelope.version,
            key: envelope.key,
            state: if current { VersionState::Current } else { VersionState::Previous },
            store: self.parts.vault.kind().to_owned(),
            remote_id: envelope.remote_id.clone(),
            remote_name: None,
            expiry: envelope.expiry.clone(),
            expiry_revision: 1,
            issued_at: envelope.issued_at,
            issued_known: false,
            made_by: None,
            health: None,
            removed_at: None,
            created_at: now,
        }));
        if current {
            changes.push(Change::SetCurrent { key: envelope.key, version: Some(envelope.version) });
        }
        let text = "taken into the ledger from the vault".to_owned();
        changes.push(Change::Log(Activity {
            at: now,
            kind: ActivityKind::Repaired,
            key: Some(envelope.key),
            rotation: None,
            text,
        }));
        self.parts.ledger.apply(&changes)?;
        Ok(())
    }
}
