//! Switch: a key is switched off at its service without being ended, and on again.
//!
//! What the service says about the switch is not believed. Off is done when the value is refused, on when it is alive again;
//! where that does not show within the time that the manifest gives, the same command run again goes on from what it finds.
//! That is also how a person who switches in a portal completes it. What may not live here: any service's way of switching,
//! which is its manifest's.

use crate::Api;
use crate::StepView;
use crate::error::{Error, ErrorKind};
use crate::scene::Scene;
use chrono::{DateTime, TimeDelta, Utc};
use keytender_core::exchange::{RequestValue, ResponseValue};
use keytender_core::expiry::Moment;
use keytender_core::ports::{Change, HttpError, HttpTrouble, Sent};
use keytender_core::rotation::Found;
use keytender_core::secret::Value;
use keytender_core::words::{Activity, ActivityKind, Health, HealthCheck, Key, Version};
use keytender_services::{Held, InterpretError, Standing, Subject, Switch, SwitchReading};
use serde::Serialize;

/// Between two looks at the value: at least a second, at most ten, about ten looks in all.
const LOOKS: i32 = 10;

/// How a switch stands.
#[derive(Debug, Clone, Serialize)]
pub struct SwitchView {
    /// `integration/key`.
    pub key: String,
    /// Whether the key is on, as far as the service showed.
    pub enabled: bool,
    /// What that rests on.
    pub evidence: String,
    /// What to do in the portal, in order, where a person switches and it has not shown yet.
    pub steps: Vec<StepView>,
    /// The service showed what was asked for, and it is recorded. Else the same command, run again, goes on: after the steps,
    /// or, without steps, once the service had time to notice.
    pub done: bool,
}

impl Api {
    /// Switches a key off at its service, or on again. Already standing as asked is no error: it is looked at and recorded.
    ///
    /// # Errors
    /// Refused, when the service knows no switch for this kind of key or says no; busy, while a rotation of the key is
    /// unfinished; unreachable, when nothing could be asked. The sentence says whether anything was sent.
    pub fn set_enabled(&self, key: &str, on: bool) -> Result<SwitchView, Error> {
        let (integration, key) = self.find_key(key)?;
        let mut scene = self.scene(integration, key)?;
        let by = scene.kind.facts().disables.ok_or_else(|| no_switch(&scene, on))?;
        if let Some(row) = self.parts.ledger.rotations(true)?.into_iter().find(|row| row.key == scene.key.id) {
            return Err(Error::new(ErrorKind::Busy, format!("a rotation of this key is unfinished ({})", row.id)).help(format!(
                "`keytender rotations resume {0}` goes on with it, `keytender rotations abort {0}` goes back",
                row.id
            )));
        }
        let Some(current) = scene.key.current else {
            return Err(Error::new(ErrorKind::NotFound, "this key has no current version")
                .help("`keytender key show` lists its versions"));
        };
        let version = self.parts.ledger.version(current)?;
        let value = self.fetch_value(current)?;
        self.fetch_managing(&mut scene)?;
        let name = version.remote_name.clone().unwrap_or_else(|| scene.key.name.to_string());
        let mut switching = Switching { api: self, remote_id: version.remote_id.clone(), scene, version, value, name, on };
        match by {
            Switch::Api => switching.by_request(),
            Switch::Person => switching.by_person(),
        }
    }
}

fn no_switch(scene: &Scene<'_>, on: bool) -> Error {
    let key = scene.address();
    let help = if on {
        format!("`keytender verify {key}` asks whether it works; `keytender rotate {key}` replaces it")
    } else {
        format!("`keytender revoke {key}` ends it for good; `keytender rotate {key}` puts another in its place first")
    };
    Error::refused(format!("{} has no switch for a {}: it can only be revoked", scene.service.name, scene.kind.label)).help(help)
}

/// What the service says about the value.
struct Seen {
    health: Health,
    evidence: String,
    at: DateTime<Utc>,
}

/// One switch under way.
struct Switching<'a> {
    api: &'a Api,
    scene: Scene<'a>,
    version: Version,
    value: Value,
    /// As the service calls the key, or as the person does.
    name: String,
    /// The ledger's, or what was learned on the way.
    remote_id: Option<String>,
    on: bool,
}

impl Switching<'_> {
    fn by_person(&mut self) -> Result<SwitchView, Error> {
        let seen = self.look()?;
        if self.shows(&seen)? {
            let evidence = seen.evidence.clone();
            return self.finish(seen, evidence);
        }
        let steps = self.standing().switch_steps(self.on).into_iter();
        let steps = steps.map(|step| StepView { say: step.say, open: step.open }).collect();
        let evidence = seen.evidence.clone();
        let view = self.finish(seen, evidence)?;
        Ok(SwitchView { steps, ..view })
    }

    fn by_request(&mut self) -> Result<SwitchView, Error> {
        let seen = self.look()?;
        if self.shows(&seen)? {
            let evidence = format!("nothing had to be sent: {}", seen.evidence);
            return self.finish(seen, evidence);
        }
        if seen.health == Health::Unknown {
            // Whether it worked could not be told either.
            return Err(self.unreachable(&seen.evidence, "nothing was sent"));
        }
        self.need_id()?;
        let said = self.ask()?;
        let seen = self.look_until_it_shows()?;
        let evidence = format!("{said}; then {}", seen.evidence);
        self.finish(seen, evidence)
    }

    fn standing(&self) -> Standing<'_> {
        let held = Held { value: &self.value, remote_id: self.remote_id.as_deref(), remote_name: Some(&self.name) };
        self.scene.standing(Some(held), None)
    }

    /// Asks whether the value is alive. A service that cannot be reached tells nothing, which is no error.
    fn look(&mut self) -> Result<Seen, Error> {
        let request = self.standing().verify_request(Subject::Old).map_err(unfillable)?;
        let at = self.api.parts.clock.now();
        let response = match self.send(&request)? {
            Ok(response) => response,
            Err(error) => {
                let evidence = format!("{} {}: {error}", request.method, request.shown);
                return Ok(Seen { health: Health::Unknown, evidence, at });
            }
        };
        let reading = self.standing().read_verify(Subject::Old, &response);
        self.remote_id = self.remote_id.take().or(reading.learned.remote_id);
        Ok(Seen { health: reading.health, evidence: reading.evidence, at })
    }

    /// Whether that is what was asked for. A value is refused after its time is over too, and then there is no switch that
    /// could be taken back.
    fn shows(&self, seen: &Seen) -> Result<bool, Error> {
        let over = self.version.expiry.at().map(Moment::instant).filter(|end| *end <= seen.at);
        if let (Health::Dead, false, Some(end)) = (seen.health, self.on || self.scene.key.disabled, over) {
            let key = self.scene.address();
            return Err(Error::refused(format!("this key died on {}; there is nothing to switch off", end.format("%Y-%m-%d")))
                .help(format!("`keytender rotate {key}` replaces it")));
        }
        Ok(seen.health == self.wanted())
    }

    fn wanted(&self) -> Health {
        if self.on { Health::Alive } else { Health::Dead }
    }

    /// Learns the key's id from the service's list, where the call needs it and looking at the value did not tell.
    fn need_id(&mut self) -> Result<(), Error> {
        let facts = self.scene.kind.facts();
        if self.remote_id.is_some() || !facts.switch_needs_id {
            return Ok(());
        }
        let unknown = |why: &str| {
            Error::new(
                ErrorKind::PersonNeeded,
                format!("the id of this key at {} is not known ({why}); nothing was changed", self.scene.service.name),
            )
            .help("switch it in the service's portal, then run this again")
        };
        if !facts.lists {
            return Err(unknown("the service cannot list keys"));
        }
        let request = self.standing().list_request(Subject::Old).map_err(unfillable)?;
        let response = self.send(&request)?.map_err(|error| self.unreachable(&error.to_string(), "nothing was changed"))?;
        let list = self.standing().read_list(&response).map_err(|no| unknown(&no.evidence))?;
        match list.old {
            Found::One { id } => {
                self.remote_id = Some(id);
                Ok(())
            }
            Found::Several { ids } => Err(unknown(&format!("it could be any of {}", ids.join(", ")))),
            Found::None => Err(unknown("the service does not list it")),
        }
    }

    /// Sends the call. Gives what the service said, which may be nothing: only the value tells then. An error when the key
    /// stands as before.
    fn ask(&self) -> Result<String, Error> {
        let standing = self.standing();
        let request = standing.switch_request(self.on, self.remote_id.as_deref(), Subject::Old).map_err(unfillable)?;
        let word = self.word();
        let call = format!("{} {}", request.method, request.shown);
        // The intent first: a failed write stops here, and history shows what a killed process was at.
        self.log(format!("to be switched {word}: {call}"))?;
        self.api.parts.checkpoint.pass("begin:switch");
        let sent = self.send(&request)?;
        self.api.parts.checkpoint.pass("acted:switch");
        let response = match sent {
            Ok(response) => response,
            Err(error) if error.sent == Sent::No => return Err(self.unreachable(&error.to_string(), "nothing was sent")),
            Err(error) => return Ok(format!("{call}: {error}")),
        };
        match standing.read_switch(self.on, &response) {
            SwitchReading::Switched { evidence } | SwitchReading::NoVerdict { evidence } => Ok(evidence),
            SwitchReading::NotSwitched { evidence } => {
                self.log(format!("not switched {word}: {evidence}"))?;
                let (name, key) = (&self.scene.service.name, self.scene.address());
                let help = if self.on {
                    format!("`keytender rotate {key}` replaces it")
                } else {
                    format!("`keytender revoke {key}` ends it for good")
                };
                Err(Error::refused(format!("{name} refused to switch it {word}, so it stands as before: {evidence}")).help(help))
            }
            SwitchReading::Limited { until } => {
                let when = until.format("%Y-%m-%d %H:%M:%S UTC");
                Err(self.unreachable(
                    &format!("{call} answered {}", response.status),
                    &format!("nothing was changed; the next call is possible at {when}"),
                ))
            }
        }
    }

    /// Looks at the value until it stands as asked, for as long as the service may take to notice.
    fn look_until_it_shows(&mut self) -> Result<Seen, Error> {
        let facts = self.scene.kind.facts();
        let patience = TimeDelta::seconds(i64::from(if self.on { facts.settle_seconds } else { facts.linger_seconds }));
        let pause = (patience / LOOKS).clamp(TimeDelta::seconds(1), TimeDelta::seconds(10));
        let end = self.api.parts.clock.now() + patience;
        loop {
            let seen = self.look()?;
            let left = end - self.api.parts.clock.now();
            if seen.health == self.wanted() || left <= TimeDelta::zero() {
                return Ok(seen);
            }
            self.api.parts.clock.pause(pause.min(left).to_std().unwrap_or_default());
        }
    }

    /// Records what was seen, and the switch if it shows.
    fn finish(&self, seen: Seen, evidence: String) -> Result<SwitchView, Error> {
        let ledger = &self.api.parts.ledger;
        let done = seen.health == self.wanted();
        let key = ledger.key(self.scene.key.id)?;
        let mut changes = Vec::new();
        if let (None, Some(remote_id)) = (&self.version.remote_id, &self.remote_id) {
            changes.push(Change::SetRemoteId { version: self.version.id, remote_id: remote_id.clone() });
        }
        if seen.health != Health::Unknown {
            let health = HealthCheck { health: seen.health, at: seen.at, evidence: seen.evidence };
            changes.push(Change::SetHealth { version: self.version.id, health });
        }
        // Another process may have put a new version in its place meanwhile; this verdict is not about that one.
        let replaced = key.current != Some(self.version.id);
        let enabled = match seen.health {
            Health::Alive => true,
            Health::Dead => false,
            Health::Unknown => !key.disabled,
        };
        if done && !replaced && key.disabled == self.on {
            changes.push(Change::EditKey(Key { disabled: !self.on, ..key }));
            changes.push(self.line(format!("switched {}: {evidence}", self.word())));
        }
        ledger.apply(&changes)?;
        if replaced {
            return Err(Error::new(ErrorKind::Busy, "the key was replaced meanwhile; its new version was not switched")
                .help("`keytender key show` lists its versions; run this again for the new one"));
        }
        Ok(SwitchView { key: self.scene.address(), enabled, evidence, steps: Vec::new(), done })
    }

    fn word(&self) -> &'static str {
        if self.on { "on" } else { "off" }
    }

    fn log(&self, text: String) -> Result<(), Error> {
        Ok(self.api.parts.ledger.apply(&[self.line(text)])?)
    }

    fn line(&self, text: String) -> Change {
        let (at, key) = (self.api.parts.clock.now(), Some(self.scene.key.id));
        Change::Log(Activity { at, kind: ActivityKind::Switched, key, rotation: None, text })
    }

    /// Sends a request. One that may not be sent at all is an error; one that brought no reply is the caller's matter.
    fn send(&self, request: &RequestValue) -> Result<Result<ResponseValue, HttpError>, Error> {
        match self.api.parts.http.send(request) {
            Err(error) if matches!(error.trouble, HttpTrouble::Forbidden(_)) => Err(Error::refused(error.to_string())),
            reply => Ok(reply),
        }
    }

    fn unreachable(&self, why: &str, standing: &str) -> Error {
        Error::new(
            ErrorKind::Unreachable,
            format!("{} could not be asked to switch it {} ({why}); {standing}", self.scene.service.name, self.word()),
        )
        .help("try again later; running it again goes on from what it finds")
    }
}

fn unfillable(error: InterpretError) -> Error {
    Error::new(ErrorKind::PersonNeeded, error.to_string())
}
