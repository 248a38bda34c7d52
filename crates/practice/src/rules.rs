//! What each kind of key allows: the rules of making, replacing, switching and revoking, on the state alone.
//!
//! Every rule is checked before anything changes, so a refusal leaves the state as it was. What may not live here: HTTP,
//! files, and the clock (an instant is handed in).

use crate::error::{PracticeError, Refusal};
use crate::kinds::{KeyKind, OldKey, SLOTS, Who};
use crate::state::{End, Key, KeyRow, State};
use crate::token::{derive_digest, derive_hint, make_id, make_token};
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Ten years: farther back no reminder looks, and no date overflows.
const CREATED_DAYS_AGO_MAX: u32 = 3650;
const NAME_CHARS_MAX: usize = 100;
const SCOPES_MAX: usize = 20;
const SCOPE_BYTES_MAX: usize = 64;

/// A key to be made, in the portal or by a program on this computer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssueRequest {
    /// Its kind.
    pub kind: KeyKind,
    /// At most 100 characters. Kinds with slots have no names and ignore it, as AWS access keys do.
    #[serde(default)]
    pub name: Option<String>,
    /// How long it lives: 30 or 90 days.
    #[serde(default = "default_days")]
    pub days: u32,
    /// How many days ago it is to have been made, so that it has that much less to live; at most 3650. As many as it lives,
    /// and it is dead at birth.
    #[serde(default)]
    pub created_days_ago: u32,
    /// What it may do; `read` and `write` unless said. The service hands scopes back and never looks at them.
    #[serde(default)]
    pub scopes: Option<Vec<String>>,
}

pub(crate) fn default_days() -> u32 {
    90
}

impl IssueRequest {
    /// A key of that kind, made now for 90 days, without a name and with the usual scopes.
    #[must_use]
    pub fn new(kind: KeyKind) -> Self {
        Self { kind, name: None, days: default_days(), created_days_ago: 0, scopes: None }
    }

    fn check(&self) -> Result<(), Refusal> {
        let refuse = |text: String| Err(Refusal::BadInput(text));
        let printable = |name: &String| !name.trim().is_empty() && !name.chars().any(char::is_control);
        let plain =
            |scope: &String| (1..=SCOPE_BYTES_MAX).contains(&scope.len()) && scope.bytes().all(|byte| byte.is_ascii_graphic());
        if !matches!(self.days, 30 | 90) {
            refuse("days is 30 or 90".to_owned())
        } else if self.created_days_ago > CREATED_DAYS_AGO_MAX {
            refuse(format!("created_days_ago is at most {CREATED_DAYS_AGO_MAX}"))
        } else if self.name.as_ref().is_some_and(|name| !printable(name) || name.chars().count() > NAME_CHARS_MAX) {
            refuse(format!("name is 1 to {NAME_CHARS_MAX} characters without control characters"))
        } else if self.scopes.as_ref().is_some_and(|scopes| scopes.len() > SCOPES_MAX || !scopes.iter().all(plain)) {
            refuse(format!("scopes are at most {SCOPES_MAX} words of at most {SCOPE_BYTES_MAX} visible ASCII characters"))
        } else {
            Ok(())
        }
    }
}

/// A key just made, with its token: the only time that the token can be had.
pub struct Issued {
    /// `pk_` and 12 characters of base 36.
    pub id: String,
    /// The token. Secret; the service keeps only its digest.
    pub token: String,
    /// Its kind.
    pub kind: KeyKind,
    /// Its name, if its kind has names.
    pub name: Option<String>,
    /// What it may do.
    pub scopes: Vec<String>,
    /// When it was made, to the second.
    pub created_at: DateTime<Utc>,
    /// When it dies, to the second.
    pub expires_at: DateTime<Utc>,
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued")
            .field("id", &self.id)
            .field("token", &"[redacted]")
            .field("kind", &self.kind)
            .field("name", &self.name)
            .field("scopes", &self.scopes)
            .field("created_at", &self.created_at)
            .field("expires_at", &self.expires_at)
            .finish()
    }
}

/// What a change waits for before every door of the service knows it; nothing, unless a fault says so.
pub(crate) type Lag = Option<TimeDelta>;

impl State {
    /// A person makes a key in the portal: any kind, as far as the kind's slots, or the key it would replace, allow.
    pub(crate) fn issue(&mut self, request: &IssueRequest, now: DateTime<Utc>) -> Result<Issued, PracticeError> {
        request.check()?;
        self.check_slots(request.kind, now)?;
        let namesake = self.live(request.kind, now).find(|key| key.name == request.name);
        if let (OldKey::Dies, Some(key)) = (request.kind.old(), namesake) {
            return Err(Refusal::RegenerateInstead { id: key.id.clone() }.into());
        }
        let issued = self.add(request, now, None)?;
        self.makes.portal += 1;
        Ok(issued)
    }

    /// A person makes a new key in the place of this one, which may have expired but not ended.
    pub(crate) fn regenerate(&mut self, id: &str, now: DateTime<Utc>) -> Result<Issued, PracticeError> {
        let old = self.keys.iter().find(|key| key.id == id && key.end.is_none()).cloned().ok_or(Refusal::UnknownKey)?;
        if old.kind.old() != OldKey::Dies {
            return Err(Refusal::NotRegenerated(old.kind).into());
        }
        let issued = self.replace(&old, now, None)?;
        self.makes.portal += 1;
        Ok(issued)
    }

    /// A person revokes a live key of any kind.
    pub(crate) fn revoke(&mut self, id: &str, now: DateTime<Utc>) -> Result<(), PracticeError> {
        self.end(|key| key.id == id && key.is_live(now), now, None)
    }

    /// A program creates another key of its own kind.
    pub(crate) fn create(&mut self, request: &IssueRequest, now: DateTime<Utc>, lag: Lag) -> Result<Issued, PracticeError> {
        match (request.kind.make(), request.kind.old()) {
            (Who::Person, _) => return Err(Refusal::MadeInPortal.into()),
            (Who::Api, OldKey::Dies) => return Err(Refusal::UseRotate.into()),
            (Who::Api, OldKey::Overlaps | OldKey::Slots) => {}
        }
        request.check()?;
        self.check_slots(request.kind, now)?;
        let issued = self.add(request, now, lag)?;
        self.makes.api += 1;
        Ok(issued)
    }

    /// A program puts a new key in the place of the one that it signs in with.
    pub(crate) fn rotate(&mut self, caller: &Key, now: DateTime<Utc>, lag: Lag) -> Result<Issued, PracticeError> {
        match (caller.kind.make(), caller.kind.old()) {
            (Who::Person, _) => return Err(Refusal::MadeInPortal.into()),
            (Who::Api, OldKey::Overlaps | OldKey::Slots) => return Err(Refusal::UseCreate.into()),
            (Who::Api, OldKey::Dies) => {}
        }
        let issued = self.replace(caller, now, lag)?;
        self.makes.api += 1;
        Ok(issued)
    }

    /// A program revokes its own key or a live one of the same kind.
    pub(crate) fn delete(&mut self, caller: &Key, id: &str, now: DateTime<Utc>, lag: Lag) -> Result<(), PracticeError> {
        if caller.kind.retire() == Who::Person {
            return Err(Refusal::RetiredInPortal.into());
        }
        self.end(|key| key.id == id && key.kind == caller.kind && key.is_live(now), now, lag)
    }

    /// A person switches a live key of any kind off or on.
    pub(crate) fn set_enabled(&mut self, id: &str, on: bool, now: DateTime<Utc>) -> Result<KeyRow, PracticeError> {
        self.turn_switch(|key| key.id == id && key.is_live(now), on, now, None)
    }

    /// A program switches its own key, or a live one of the same kind, off or on.
    pub(crate) fn switch(
        &mut self,
        caller: &Key,
        id: &str,
        on: bool,
        now: DateTime<Utc>,
        lag: Lag,
    ) -> Result<KeyRow, PracticeError> {
        if caller.kind.retire() == Who::Person {
            return Err(Refusal::SwitchedInPortal.into());
        }
        self.turn_switch(|key| key.id == id && key.kind == caller.kind && key.is_live(now), on, now, lag)
    }

    /// Switching a key to what it is already changes nothing and is no error, so that the call can be repeated.
    fn turn_switch(
        &mut self,
        which: impl Fn(&Key) -> bool,
        on: bool,
        now: DateTime<Utc>,
        lag: Lag,
    ) -> Result<KeyRow, PracticeError> {
        let key = self.keys.iter_mut().find(|key| which(key)).ok_or(Refusal::UnknownKey)?;
        if key.enabled != on {
            key.enabled = on;
            key.switch_seen_from = lag.map(|lag| now + lag);
        }
        Ok(key.row(now))
    }

    fn check_slots(&self, kind: KeyKind, now: DateTime<Utc>) -> Result<(), Refusal> {
        let full = kind.old() == OldKey::Slots && self.live(kind, now).count() >= SLOTS;
        if full { Err(Refusal::SlotsFull) } else { Ok(()) }
    }

    fn add(&mut self, request: &IssueRequest, now: DateTime<Utc>, lag: Lag) -> Result<Issued, PracticeError> {
        let created_at = now.trunc_subsecs(0) - TimeDelta::days(i64::from(request.created_days_ago));
        let name = if request.kind.old() == OldKey::Slots { None } else { request.name.clone() };
        let scopes = request.scopes.clone().unwrap_or_else(|| vec!["read".to_owned(), "write".to_owned()]);
        let (id, token) = (make_id()?, make_token()?);
        let key = Key {
            id,
            kind: request.kind,
            name,
            token_sha256: derive_digest(&token),
            hint: derive_hint(&token),
            scopes,
            created_at,
            expires_at: created_at + TimeDelta::days(i64::from(request.days)),
            accepted_from: lag.map(|lag| now + lag),
            enabled: true,
            switch_seen_from: None,
            end: None,
        };
        let issued = Issued {
            id: key.id.clone(),
            token,
            kind: key.kind,
            name: key.name.clone(),
            scopes: key.scopes.clone(),
            created_at: key.created_at,
            expires_at: key.expires_at,
        };
        self.keys.push(key);
        Ok(issued)
    }

    /// A new key like the old one, with as many days to live; the old one is refused from now on.
    fn replace(&mut self, old: &Key, now: DateTime<Utc>, lag: Lag) -> Result<Issued, PracticeError> {
        let request = IssueRequest {
            kind: old.kind,
            name: old.name.clone(),
            days: u32::try_from((old.expires_at - old.created_at).num_days()).unwrap_or(default_days()),
            created_days_ago: 0,
            scopes: Some(old.scopes.clone()),
        };
        let issued = self.add(&request, now, lag)?;
        for key in self.keys.iter_mut().filter(|key| key.id == old.id) {
            key.end = Some(End { at: now, replaced: true, accepted_until: None });
        }
        Ok(issued)
    }

    fn end(&mut self, which: impl Fn(&Key) -> bool, now: DateTime<Utc>, lag: Lag) -> Result<(), PracticeError> {
        let key = self.keys.iter_mut().find(|key| which(key)).ok_or(Refusal::UnknownKey)?;
        key.end = Some(End { at: now, replaced: false, accepted_until: lag.map(|lag| now + lag) });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn back_dating_shifts_birth_and_death_alike() {
        let mut state = State::empty();
        let request = IssueRequest { days: 30, created_days_ago: 29, ..IssueRequest::new("api-api-overlaps".parse().unwrap()) };
        let issued = state.issue(&request, at("2026-11-30T12:00:00.5Z")).unwrap();
        assert_eq!(issued.created_at, at("2026-11-01T12:00:00Z"));
        assert_eq!(issued.expires_at, at("2026-12-01T12:00:00Z"));
        assert!(state.accepted(&issued.token, at("2026-12-01T11:59:59Z")).is_some());
        assert!(state.accepted(&issued.token, at("2026-12-01T12:00:00Z")).is_none());
    }

    #[test]
    fn an_expired_key_frees_its_slot() {
        let mut state = State::empty();
        let now = at("2026-11-30T12:00:00Z");
        let kind = "person-person-slots".parse().unwrap();
        let old = IssueRequest { days: 30, created_days_ago: 29, name: Some("ignored".into()), ..IssueRequest::new(kind) };
        assert_eq!(state.issue(&old, now).unwrap().name, None);
        state.issue(&IssueRequest::new(kind), now).unwrap();
        let refused = state.issue(&IssueRequest::new(kind), now);
        assert!(matches!(refused, Err(PracticeError::Refused(Refusal::SlotsFull))));
        state.issue(&IssueRequest::new(kind), now + TimeDelta::days(1)).unwrap();
    }

    #[test]
    fn input_beyond_the_documented_bounds_is_refused() {
        let usual = IssueRequest::new(KeyKind::UNLISTED);
        let refused = [
            IssueRequest { days: 31, ..usual.clone() },
            IssueRequest { created_days_ago: 3651, ..usual.clone() },
            IssueRequest { name: Some(" ".into()), ..usual.clone() },
            IssueRequest { name: Some("a\nb".into()), ..usual.clone() },
            IssueRequest { name: Some("a".repeat(101)), ..usual.clone() },
            IssueRequest { scopes: Some(vec!["two words".into()]), ..usual.clone() },
            IssueRequest { scopes: Some(vec!["a".repeat(65)]), ..usual.clone() },
            IssueRequest { scopes: Some(vec!["a".into(); 21]), ..usual.clone() },
        ];
        let mut state = State::empty();
        for request in refused {
            let result = state.issue(&request, at("2026-11-30T12:00:00Z"));
            assert!(matches!(result, Err(PracticeError::Refused(Refusal::BadInput(_)))), "{request:?}");
        }
        assert!(state.keys.is_empty());
    }

    #[test]
    fn debug_of_a_new_key_shows_no_token() {
        let issued = State::empty().issue(&IssueRequest::new(KeyKind::UNLISTED), at("2026-11-30T12:00:00Z")).unwrap();
        assert!(!format!("{issued:?}").contains(&issued.token));
    }
}
