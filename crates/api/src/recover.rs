//! Recover: whatever a killed process left behind is finished or shown.

use crate::Api;
use crate::error::Error;
use crate::rotations::{Progress, Resting};
use keytender_core::ids::{KeyId, RotationId};
use keytender_core::ports::{Change, LedgerError, SlotId, SlotState};
use keytender_core::words::{Activity, ActivityKind, Key, NameError};
use serde::Serialize;
use std::time::Duration;

/// What was found, and what became of it.
#[derive(Debug, Clone, Serialize)]
pub struct RecoverView {
    /// What it is about: a rotation's id, or `integration/key` of an adding that was cut short.
    pub subject: String,
    /// What became of it, in words.
    pub text: String,
    /// Nothing is left to do about it.
    pub finished: bool,
}

impl Api {
    /// Goes on with every unfinished rotation, finishes addings that were cut short, and removes values whose grace period
    /// is over.
    ///
    /// # Errors
    /// When the ledger cannot be read. What goes wrong with one subject is told in its line and does not stop the others.
    pub fn recover(&self, patience: Duration, watch: &mut dyn FnMut(&Progress)) -> Result<Vec<RecoverView>, Error> {
        let mut list = Vec::new();
        // Slots first: a rotation that starts after this look keeps the slot it allocates.
        let slots = self.parts.escrow.slots()?;
        for row in self.parts.ledger.rotations(true)? {
            let id = row.id.to_string();
            let (text, finished) = match self.resume(&id, patience, watch) {
                Ok(Resting::Ended(_)) => ("finished".to_owned(), true),
                Ok(_) => (self.rotation(&id)?.standing, false),
                Err(error) => (error.to_string(), false),
            };
            list.push(RecoverView { subject: id, text, finished });
        }
        let rotations: Vec<_> = self.parts.ledger.rotations(false)?;
        for slot in slots {
            match rotations.iter().find(|row| row.id.0 == slot.owner) {
                // An open one still needs its slots; an ended one wiped them before it ended, unless it was killed just then.
                Some(row) if row.status.is_open() => {}
                Some(_) => self.parts.escrow.wipe(slot)?,
                // Who is adding holds the lock of their slot; they finish it themselves.
                None => match self.parts.ledger.hold(RotationId(slot.owner)) {
                    Ok(_lock) => list.push(self.recover_adding(slot)),
                    Err(LedgerError::Busy) => {}
                    Err(error) => return Err(error.into()),
                },
            }
        }
        self.sweep()?;
        Ok(list)
    }

    fn recover_adding(&self, slot: SlotId) -> RecoverView {
        match self.finish_adding(slot) {
            Ok((subject, text)) => RecoverView { subject, text, finished: true },
            Err(error) => RecoverView {
                subject: slot.to_string(),
                text: format!("a pasted value is sealed there: {error}"),
                finished: false,
            },
        }
    }

    fn finish_adding(&self, slot: SlotId) -> Result<(String, String), Error> {
        if self.parts.escrow.inspect(slot)? != SlotState::Whole {
            self.parts.escrow.wipe(slot)?;
            return Ok((
                slot.to_string(),
                "an adding was cut short before its value was sealed; nothing was stored, paste it again".into(),
            ));
        }
        let id = KeyId(slot.owner);
        if let Ok(address) = self.key_address(id) {
            self.parts.escrow.wipe(slot)?;
            return Ok((address, "the key was stored whole; its slot is wiped".into()));
        }
        let sealed = self.parts.escrow.open(slot)?;
        let header = |name: &str| {
            let found = sealed.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.clone());
            found.ok_or_else(|| Error::fault(format!("the sealed record does not name its {name}")))
        };
        let integration = self.find_integration(&header("integration")?)?;
        let service = self.service(&integration.service)?;
        let kind =
            service.kind(&header("kind")?).ok_or_else(|| Error::invalid("its kind of key is not in the manifest any more"))?;
        let name: keytender_core::words::Name =
            header("name")?.parse().map_err(|error: keytender_core::words::NameError| Error::invalid(error.to_string()))?;
        let text = std::str::from_utf8(sealed.body.expose()).map_err(|_| Error::invalid("what was pasted is not text"))?;
        let (value, _) = kind.value_from_text(text).map_err(|error| Error::invalid(error.to_string()))?;
        let now = self.parts.clock.now();
        let mut name = name;
        if let Some(other) = self.key_of_name(integration.id, &name)? {
            // It was added again after the kill, as anyone would.
            if other.current.is_some_and(|version| self.fetch_value(version).is_ok_and(|held| held.matches(&value))) {
                self.parts.escrow.wipe(slot)?;
                return Ok((self.key_address(other.id)?, "this value was added again meanwhile; its first slot is wiped".into()));
            }
            let tail = id.0.simple().to_string()[26..].to_owned();
            let short: String = name.as_str().chars().take(45).collect();
            name = format!("{short} recovered {tail}").parse().map_err(|error: NameError| Error::invalid(error.to_string()))?;
        }
        let key = Key {
            id,
            integration: integration.id,
            name,
            kind: kind.name.clone(),
            options: kind.fill_options(&std::collections::BTreeMap::new()).map_err(|error| Error::invalid(error.to_string()))?,
            scopes: Vec::new(),
            identity: None,
            current: None,
            tags: Vec::new(),
            disabled: false,
            created_at: now,
        };
        self.put_first_version(&integration, key, kind, &value, None, None)?;
        self.parts.escrow.wipe(slot)?;
        let address = self.key_address(id)?;
        let text = "an adding that was cut short is finished; look at its expiry with `keytender key show`".to_owned();
        let line = Activity { at: now, kind: ActivityKind::Repaired, key: Some(id), rotation: None, text: text.clone() };
        self.parts.ledger.apply(&[Change::Log(line)])?;
        Ok((address, text))
    }
}
