//! Keep: the sealed reply is opened and parsed, the value goes into the vault and is read back.

use super::driver::Run;
use super::halt::Halt;
use crate::stored::Storing;
use keytender_core::expiry::{Expiry, Moment};
use keytender_core::ids::derive_version_id;
use keytender_core::ports::{EscrowError, Sealed};
use keytender_core::rotation::{Kept, Outcome};
use keytender_core::secret::Value;
use keytender_services::MakeReading;

/// What a reply or a paste gave.
struct Parsed {
    value: Value,
    remote_id: Option<String>,
    remote_name: Option<String>,
    expiry: Expiry,
    issued: Option<Moment>,
    narrower: Option<String>,
}

impl Run<'_> {
    pub(super) fn keep(&mut self, attempt: u32) -> Result<Outcome, Halt> {
        self.need_old()?;
        self.api.fetch_managing(&mut self.scene)?;
        let sealed = self.api.parts.escrow.open(self.slot(attempt)).map_err(|error| match error {
            // Nobody can read it any more: a dead end with words and a way out, not something that waiting mends.
            EscrowError::Nothing(_) | EscrowError::WrongKey(_) => Outcome::Unparsable { detail: error.to_string() }.into(),
            other => Halt::from(other),
        })?;
        let parsed = self.parse(&sealed)?;
        if self.old.as_ref().is_some_and(|old| old.matches(&parsed.value)) {
            return Ok(Outcome::SameAsOld);
        }
        let version = derive_version_id(self.state.id, attempt);
        let now = self.api.parts.clock.now();
        let issued_at = parsed.issued.map_or(now, Moment::instant);
        let storing = Storing {
            integration: &self.scene.integration,
            key: &self.scene.key,
            version,
            expiry: &parsed.expiry,
            issued_at,
            remote_id: parsed.remote_id.as_deref(),
        };
        self.api.store_value(&storing, &parsed.value)?;
        let kept = Kept {
            version,
            store: self.api.parts.vault.kind().to_owned(),
            remote_id: parsed.remote_id,
            remote_name: parsed.remote_name,
            expiry: parsed.expiry,
            issued_at,
            // It was made just now, by a request or by the person at the portal.
            issued_known: true,
            narrower: parsed.narrower,
        };
        self.new = Some(parsed.value);
        Ok(Outcome::Kept(kept))
    }

    /// Reads a reply, or what a person pasted.
    fn parse(&self, sealed: &Sealed) -> Result<Parsed, Halt> {
        match self.standing().read_make(sealed, self.api.parts.clock.now()) {
            MakeReading::Made { value, remote_id, remote_name, expiry, issued_at, narrower } => {
                Ok(Parsed { value, remote_id, remote_name, expiry, issued: issued_at, narrower })
            }
            MakeReading::Refused { evidence, again_at } => Err(Outcome::Refused { evidence, again_at }.into()),
            MakeReading::Ambiguous { evidence } => Err(Outcome::Ambiguous { evidence }.into()),
            MakeReading::Unparsable { detail } => Err(Outcome::Unparsable { detail }.into()),
        }
    }
}
