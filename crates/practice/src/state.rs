//! What the practice service remembers: keys, waiting faults, and how many keys were made.
//!
//! What may not live here: tokens (only their digests), files (`store`), and what a kind allows (`rules`).

use crate::error::Refusal;
use crate::faults::{Call, Fault, FaultKind, Times};
use crate::kinds::KeyKind;
use crate::token::derive_digest;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The format of the state file that this program reads and writes.
pub(crate) const FORMAT: u32 = 1;

/// Everything the service remembers; the state file is this as JSON.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct State {
    pub(crate) format: u32,
    pub(crate) keys: Vec<Key>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) makes: MakeLog,
}

/// How many keys were made and committed, counted where they were made. A make whose reply was lost counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MakeLog {
    /// By calls of the API: created or rotated.
    pub api: u64,
    /// In the portal or by this crate's own functions: issued or regenerated.
    pub portal: u64,
}

/// One key, live or not. Ended and expired ones are kept, so that the portal can show what became of them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) kind: KeyKind,
    pub(crate) name: Option<String>,
    /// [`derive_digest`] of the token.
    pub(crate) token_sha256: String,
    pub(crate) hint: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) expires_at: DateTime<Utc>,
    /// Not accepted before this instant, when set.
    pub(crate) accepted_from: Option<DateTime<Utc>>,
    /// Whether it is switched on. Left out of the file while it is, so that a file in which no key was ever switched off
    /// reads and is written as before there were switches.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub(crate) enabled: bool,
    /// Until this instant requests are let in by what `enabled` was before, when set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) switch_seen_from: Option<DateTime<Utc>>,
    pub(crate) end: Option<End>,
}

fn yes() -> bool {
    true
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_yes(enabled: &bool) -> bool {
    *enabled
}

/// How a key ended before its time.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct End {
    pub(crate) at: DateTime<Utc>,
    pub(crate) replaced: bool,
    /// Accepted until this instant although it has ended, when set.
    pub(crate) accepted_until: Option<DateTime<Utc>>,
}

/// What a key is at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyState {
    /// Neither ended nor expired. Whether it is switched on is another matter: [`KeyRow::enabled`].
    Live,
    /// Its lifetime is over.
    Expired,
    /// Revoked.
    Revoked,
    /// Dead because another was made in its place.
    Replaced,
}

/// A key as a list shows it: everything but the token, which nobody has any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyRow {
    /// `pk_` and 12 characters of base 36.
    pub id: String,
    /// Its kind.
    pub kind: KeyKind,
    /// Its name; `slots` kinds have none.
    pub name: Option<String>,
    /// First 8 and last 4 characters of the token.
    pub hint: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// When it was made, to the second.
    pub created_at: DateTime<Utc>,
    /// When it dies, to the second.
    pub expires_at: DateTime<Utc>,
    /// What it is now.
    pub state: KeyState,
    /// Whether it is switched on. One that is not is refused like a dead one; it still takes its slot, can be revoked, and
    /// can be switched on again.
    pub enabled: bool,
}

impl Key {
    pub(crate) fn state(&self, now: DateTime<Utc>) -> KeyState {
        match &self.end {
            Some(end) if end.replaced => KeyState::Replaced,
            Some(_) => KeyState::Revoked,
            None if now >= self.expires_at => KeyState::Expired,
            None => KeyState::Live,
        }
    }

    pub(crate) fn is_live(&self, now: DateTime<Utc>) -> bool {
        self.state(now) == KeyState::Live
    }

    /// Whether a request that carries this key is let in. Only the two lag faults make this differ from being live and
    /// switched on.
    fn is_accepted(&self, now: DateTime<Utc>) -> bool {
        // Before the last switch is seen everywhere, the key is let in if it was on until then: if it is off now.
        let switch_seen = self.switch_seen_from.is_none_or(|from| now >= from);
        let let_in = if switch_seen { self.enabled } else { !self.enabled };
        let_in && self.is_entitled(now)
    }

    /// Whether it would be let in if it were switched on.
    fn is_entitled(&self, now: DateTime<Utc>) -> bool {
        let entitled = match &self.end {
            Some(end) => end.accepted_until.is_some_and(|until| now < until),
            None => self.accepted_from.is_none_or(|from| now >= from),
        };
        entitled && now < self.expires_at
    }

    pub(crate) fn row(&self, now: DateTime<Utc>) -> KeyRow {
        KeyRow {
            id: self.id.clone(),
            kind: self.kind,
            name: self.name.clone(),
            hint: self.hint.clone(),
            scopes: self.scopes.clone(),
            created_at: self.created_at,
            expires_at: self.expires_at,
            state: self.state(now),
            enabled: self.enabled,
        }
    }
}

impl State {
    /// Nothing yet.
    pub(crate) fn empty() -> Self {
        Self { format: FORMAT, keys: Vec::new(), faults: Vec::new(), makes: MakeLog::default() }
    }

    /// The key that this token belongs to, if a request with it is let in.
    pub(crate) fn accepted(&self, token: &str, now: DateTime<Utc>) -> Option<&Key> {
        let digest = derive_digest(token);
        self.keys.iter().find(|key| key.token_sha256 == digest && key.is_accepted(now))
    }

    /// The key that this token belongs to, if only its switch keeps a request with it out and `id` is its own.
    pub(crate) fn returning(&self, token: &str, id: &str, now: DateTime<Utc>) -> Option<&Key> {
        let digest = derive_digest(token);
        self.keys.iter().find(|key| key.token_sha256 == digest && key.id == id && key.is_entitled(now))
    }

    /// The live keys of one kind, switched off or on, oldest first made.
    pub(crate) fn live(&self, kind: KeyKind, now: DateTime<Utc>) -> impl Iterator<Item = &Key> {
        self.keys.iter().filter(move |key| key.kind == kind && key.is_live(now))
    }

    /// All keys, in the order of their making.
    pub(crate) fn rows(&self, now: DateTime<Utc>) -> Vec<KeyRow> {
        self.keys.iter().map(|key| key.row(now)).collect()
    }

    /// Lets a fault wait behind the others.
    pub(crate) fn add_fault(&mut self, fault: Fault) -> Result<(), Refusal> {
        fault.check()?;
        self.faults.push(fault);
        Ok(())
    }

    /// The fault that the next such call meets.
    pub(crate) fn waiting_fault(&self, call: Call) -> Option<FaultKind> {
        self.faults.iter().find(|fault| fault.call == call).map(|fault| fault.kind.clone())
    }

    /// Counts the waiting fault of that call down.
    pub(crate) fn spend_fault(&mut self, call: Call) {
        if let Some(index) = self.faults.iter().position(|fault| fault.call == call) {
            match &mut self.faults[index].times {
                Times::Forever => {}
                Times::Count(left) if *left > 1 => *left -= 1,
                Times::Count(_) => {
                    self.faults.remove(index);
                }
            }
        }
    }
}
