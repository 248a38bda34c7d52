//! The plan: plain sentences, what is irreversible marked. Starting a rotation consumes the plan that was shown; if
//! something changed in between, it is shown again.

use crate::Api;
use crate::error::{Error, ErrorKind};
use crate::scene::Scene;
use keytender_core::ids::RotationId;
use keytender_core::ports::{Change, LedgerError, Warning};
use keytender_core::rotation::{DestinationTerm, ENGINE, Event, Phase, Purpose, Reach, Terms};
use keytender_core::words::{
    Activity, ActivityKind, Destination, DestinationWhere, Make, Old, Retire, RotationRow, RotationStatus, Version,
};
use keytender_services::{Hazard, HazardWhen};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// One sentence of a plan.
#[derive(Debug, Clone, Serialize)]
pub struct PlanLine {
    /// The phase it belongs to.
    pub phase: Phase,
    /// The sentence.
    pub text: String,
    /// It cannot be taken back.
    pub irreversible: bool,
    /// A person does it.
    pub by_person: bool,
}

/// What a rotation will do.
#[derive(Debug, Clone, Serialize)]
pub struct PlanView {
    /// `integration/key`.
    pub key: String,
    /// The service's name.
    pub service: String,
    /// Replace, or revoke alone.
    pub purpose: Purpose,
    /// The hosts to which a value may go.
    pub hosts: Vec<String>,
    /// What will happen, in order.
    pub lines: Vec<PlanLine>,
    /// What a person ought to know first.
    pub warnings: Vec<String>,
    /// Identifies this plan; starting asks for it back.
    pub digest: String,
}

struct Planned<'a> {
    view: PlanView,
    terms: Terms,
    scene: Scene<'a>,
}

impl Api {
    /// What rotating (or revoking) a key would do. Changes nothing and sends nothing.
    ///
    /// # Errors
    /// When the key cannot be rotated as things are; the help says what is missing.
    pub fn plan(&self, key: &str, purpose: Purpose, waive_soak: bool) -> Result<PlanView, Error> {
        Ok(self.planned(key, purpose, waive_soak)?.view)
    }

    /// Opens a rotation under the plan with this digest and gives its id. Drive it to make it happen.
    ///
    /// # Errors
    /// When the plan is no longer the one that was shown, or another rotation of the key is open.
    pub fn start(&self, key: &str, purpose: Purpose, waive_soak: bool, digest: &str) -> Result<String, Error> {
        let planned = self.planned(key, purpose, waive_soak)?;
        if planned.view.digest != digest {
            return Err(Error::refused("something has changed since this plan was shown")
                .help("look at the new plan with `--plan`, then agree to that"));
        }
        let at = self.parts.clock.now();
        let id = RotationId(self.parts.ids.make_id());
        let row =
            RotationRow { id, key: planned.scene.key.id, status: RotationStatus::Open, epoch: 0, started_at: at, ended_at: None };
        let word = if purpose == Purpose::Replace { "rotation started" } else { "revoking started" };
        let log = Activity {
            at,
            kind: ActivityKind::Rotated,
            key: Some(planned.scene.key.id),
            rotation: Some(id),
            text: word.to_owned(),
        };
        let changes = [Change::OpenRotation(row), Change::Log(log)];
        let _lock = self.parts.ledger.hold(id)?;
        let begun = self.parts.ledger.append(id, 0, at, &Event::Started { terms: Box::new(planned.terms) }, &changes);
        begun.map_err(|error| match error {
            // Between the look at open rotations and this commit another process was quicker.
            LedgerError::Exists(_) => Error::new(ErrorKind::Busy, "another process has just started to rotate this key")
                .help("`keytender rotations list` shows it"),
            other => other.into(),
        })?;
        self.parts.checkpoint.pass("done:started");
        Ok(id.to_string())
    }

    fn planned(&self, address: &str, purpose: Purpose, waive_soak: bool) -> Result<Planned<'_>, Error> {
        let (integration, key) = self.find_key(address)?;
        let open = self.parts.ledger.rotations(true)?.into_iter().find(|row| row.key == key.id);
        if let Some(row) = open {
            return Err(Error::new(ErrorKind::Busy, format!("a rotation of this key is unfinished ({})", row.id)).help(format!(
                "`keytender rotations resume {0}` goes on with it, `keytender rotations abort {0}` goes back",
                row.id
            )));
        }
        let Some(current) = key.current else {
            return Err(
                Error::invalid("this key has no current version to replace or revoke").help("`keytender key add` stores one")
            );
        };
        let old = self.parts.ledger.version(current)?;
        if old.store != self.parts.vault.kind() {
            let store = &old.store;
            return Err(Error::refused(format!("the value of this key lies in the {store} vault, which is not the one in use"))
                .help(format!("start with `--vault {store}`")));
        }
        if purpose == Purpose::Revoke && key.disabled {
            // Refused because it is off looks like refused because it is gone: a revocation could not be proven.
            return Err(Error::refused(
                "this key is switched off at its service, where it still exists and can be switched on again",
            )
            .help("`keytender enable` it first, then revoke it"));
        }
        let scene = self.scene(integration, key)?;
        let destinations = self.parts.ledger.destinations(scene.key.id)?;
        let terms = self.terms(&scene, &old, &destinations, purpose, waive_soak)?;
        let warnings = self.warnings(&scene, &destinations, purpose);
        let lines = match purpose {
            Purpose::Replace => replace_lines(&scene, &terms, &destinations),
            Purpose::Revoke => revoke_lines(&scene, &terms, &destinations),
        };
        let mut digest = Sha256::new();
        digest.update(serde_json::to_vec(&terms).map_err(|error| Error::fault(error.to_string()))?);
        for line in &lines {
            digest.update(line.text.as_bytes());
        }
        let view = PlanView {
            key: scene.address(),
            service: scene.service.name.clone(),
            purpose,
            hosts: self.hosts(&scene)?,
            lines,
            warnings,
            digest: hex::encode(&digest.finalize()[..8]),
        };
        Ok(Planned { view, terms, scene })
    }

    pub(crate) fn hosts(&self, scene: &Scene<'_>) -> Result<Vec<String>, Error> {
        let origins = scene.service.origins(&scene.integration.settings).map_err(|error| Error::invalid(error.to_string()))?;
        Ok(origins.iter().map(ToString::to_string).collect())
    }

    fn terms(
        &self,
        scene: &Scene<'_>,
        old: &Version,
        destinations: &[Destination],
        purpose: Purpose,
        waive_soak: bool,
    ) -> Result<Terms, Error> {
        let facts = scene.kind.facts();
        let managed = scene.integration.managed_by.is_some();
        if facts.needs_managing && !managed {
            let slug = scene.integration.name.slug();
            return Err(Error::new(
                ErrorKind::PersonNeeded,
                format!("{} makes and revokes keys only with another credential", scene.service.name),
            )
            .help(format!(
                "add it with `keytender key add {slug} --kind ...`, then `keytender integration edit {slug} --managed-by KEY`"
            )));
        }
        let reach = |place: &DestinationWhere| match place {
            DestinationWhere::Dotenv { .. } | DestinationWhere::Text { .. } => Reach::Readable,
            DestinationWhere::Command { .. } => Reach::Pushed,
            DestinationWhere::Person { .. } => Reach::Person,
        };
        let used = if purpose == Purpose::Replace { destinations } else { &[] };
        Ok(Terms {
            engine: ENGINE,
            purpose,
            make: facts.make,
            retire: facts.retire,
            old: facts.old,
            lists: facts.lists,
            marks: facts.marks,
            verifies: facts.verifies,
            make_needs_old: facts.make_needs_old,
            list_needs_key: facts.list_needs_key,
            retire_needs_id: facts.retire_needs_id,
            settle_seconds: facts.settle_seconds,
            linger_seconds: facts.linger_seconds,
            old_version: old.id,
            old_remote_id: old.remote_id.clone(),
            old_expires_at: old.expiry.at().map(keytender_core::expiry::Moment::instant),
            destinations: used.iter().map(|place| DestinationTerm { id: place.id, reach: reach(&place.place) }).collect(),
            waive_soak,
            manifest_hash: scene.service.hash.clone(),
        })
    }

    fn warnings(&self, scene: &Scene<'_>, destinations: &[Destination], purpose: Purpose) -> Vec<String> {
        let when = |hazard: &&Hazard| match hazard.when {
            HazardWhen::Make => purpose == Purpose::Replace,
            HazardWhen::Retire => true,
            HazardWhen::Add | HazardWhen::Verify => false,
        };
        let mut list: Vec<String> = scene.service.hazards.iter().filter(when).map(|hazard| hazard.say.clone()).collect();
        if purpose == Purpose::Revoke {
            return list;
        }
        if scene.key.disabled {
            list.push("this key is switched off: it counts as dead, a new one takes its place, and the old one stays at the service, switched off".into());
        }
        if destinations.is_empty() {
            list.push("no place is known where this key is used; whatever uses it will stop when the old one is revoked".into());
        }
        for destination in destinations {
            let place = destination.place.describe();
            match self.parts.destinations.writable(destination) {
                Ok(warnings) => list.extend(warnings.iter().map(|warning| format!("{place}: {}", in_words(warning)))),
                Err(_) if destination.place.kind() == "person" => {}
                Err(error) => list.push(format!("{place}: {error}")),
            }
        }
        list
    }
}

pub(crate) fn in_words(warning: &Warning) -> String {
    match warning {
        Warning::TrackedByGit => "git tracks this file; the key will be in its history once committed".into(),
        Warning::PublishedToBrowsers(prefix) => {
            format!("variables that begin with {prefix} are published to browsers; anyone can read the key there")
        }
        Warning::ReadableByOthers(mode) => format!("others on this computer can read this file (mode {mode:o})"),
    }
}

struct Lines(Vec<PlanLine>);

impl Lines {
    fn add(&mut self, phase: Phase, text: impl Into<String>) -> &mut PlanLine {
        self.0.push(PlanLine { phase, text: text.into(), irreversible: false, by_person: false });
        let last = self.0.len() - 1;
        &mut self.0[last]
    }
}

fn replace_lines(scene: &Scene<'_>, terms: &Terms, destinations: &[Destination]) -> Vec<PlanLine> {
    let service = &scene.service.name;
    let mut lines = Lines(Vec::new());
    let looked = match (terms.verifies, terms.lists) {
        (true, true) => "ask the service whether the old key is alive and note which keys it lists",
        (true, false) => "ask the service whether the old key is alive",
        (false, true) => "note which keys the service lists (there is no harmless way to ask whether the old one is alive)",
        (false, false) => "nothing to ask: the service has no harmless request for this kind of key",
    };
    lines.add(Phase::Prepare, format!("Check the vault, the disk and every destination; {looked}."));
    let dies = terms.old == Old::Dies;
    let chosen: Vec<String> =
        scene.key.options.iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| format!("{name} {value}")).collect();
    let options = if chosen.is_empty() { String::new() } else { format!(" ({})", chosen.join(", ")) };
    let cut = if dies { " The old key stops working at that moment." } else { "" };
    match terms.make {
        Make::Api => {
            let line = lines.add(Phase::Make, format!("Make a new key at {service} with one request{options}.{cut}"));
            line.irreversible = dies;
        }
        Make::Person => {
            let line = lines.add(Phase::Make, format!("You make a new key in {service}'s portal{options} and paste it.{cut}"));
            line.by_person = true;
            line.irreversible = dies;
        }
    }
    lines.add(Phase::Keep, "Seal the reply before reading it, put the new value into the vault, read it back.");
    if terms.verifies {
        lines.add(Phase::Prove, "Verify the new key twice; then it is the current one.");
    } else {
        lines.add(Phase::Prove, "You try the new key and say that it works; then it is the current one.").by_person = true;
    }
    for destination in destinations {
        let place = destination.place.describe();
        match &destination.place {
            DestinationWhere::Dotenv { .. } | DestinationWhere::Text { .. } => {
                lines.add(Phase::Spread, format!("Write it to {place}, read it back."));
            }
            DestinationWhere::Command { .. } => {
                lines.add(Phase::Spread, format!("Feed it to `{place}`."));
            }
            DestinationWhere::Person { line } => lines.add(Phase::Spread, format!("You: {line}")).by_person = true,
        }
    }
    if dies {
        let text = if terms.verifies { "See that the old key is refused." } else { "The old key is off already." };
        lines.add(Phase::Retire, text);
    } else {
        if terms.destinations.iter().any(|term| term.reach == Reach::Pushed) && !terms.waive_soak {
            lines.add(
                Phase::Retire,
                "Leave the old key alone for 24 h, because a destination cannot be read back (`--waive-soak` skips this).",
            );
        }
        retire_line(&mut lines, service, terms);
    }
    lines.0
}

fn revoke_lines(scene: &Scene<'_>, terms: &Terms, destinations: &[Destination]) -> Vec<PlanLine> {
    let mut lines = Lines(Vec::new());
    if terms.verifies {
        lines.add(Phase::Prepare, "Ask the service whether the key is alive.");
    }
    for destination in destinations {
        lines
            .add(Phase::Prepare, format!("{} stops working: it still uses this key.", destination.place.describe()))
            .irreversible = true;
    }
    retire_line(&mut lines, &scene.service.name, terms);
    lines.0
}

fn retire_line(lines: &mut Lines, service: &str, terms: &Terms) {
    let proof = if terms.verifies { ", then ask until the service refuses it" } else { "" };
    match terms.retire {
        Retire::Api => {
            lines.add(Phase::Retire, format!("Revoke the old key at {service} with one request{proof}.")).irreversible = true
        }
        Retire::Person => {
            let line = lines.add(Phase::Retire, format!("You revoke the old key in {service}'s portal{proof}."));
            line.irreversible = true;
            line.by_person = true;
        }
    }
}
