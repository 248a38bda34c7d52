//! A rotation as a front shows it.

use super::answer::expected_steps;
use crate::Api;
use crate::error::Error;
use crate::find::destination_among;
use chrono::{DateTime, Utc};
use keytender_core::ids::DestinationId;
use keytender_core::ports::JournalRow;
use keytender_core::rotation::{Ask, End, Event, Making, Next, Outcome, Pause, Phase, Place, Purpose, State, next};
use keytender_core::secret::Value;
use keytender_core::words::{Old, RotationRow, RotationStatus};
use keytender_services::Held;
use serde::Serialize;

/// What a rotation waits for.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "for", rename_all = "kebab-case")]
pub enum WaitView {
    /// A person.
    Person {
        /// What they are asked.
        question: String,
        /// What to do in the portal, in order; `open` is a link.
        steps: Vec<StepView>,
        /// The commands that answer.
        answers: Vec<String>,
    },
    /// The vault, the disk or the clock.
    Hindrance {
        /// What stands in the way.
        what: String,
    },
    /// An instant.
    Instant {
        /// When.
        at: DateTime<Utc>,
        /// Why.
        why: String,
    },
    /// Nobody knows how to go on by itself.
    Stuck {
        /// What happened and what to do.
        why: String,
    },
    /// Nothing: it can go on at once.
    Nothing,
}

/// One step in a portal.
#[derive(Debug, Clone, Serialize)]
pub struct StepView {
    /// What to do.
    pub say: String,
    /// The page to open, if the step has one.
    pub open: Option<String>,
}

/// One line of evidence.
#[derive(Debug, Clone, Serialize)]
pub struct EvidenceView {
    /// When.
    pub at: DateTime<Utc>,
    /// The effect, as the journal spells it.
    pub effect: String,
    /// What came of it, in words.
    pub text: String,
}

/// A rotation.
#[derive(Debug, Clone, Serialize)]
pub struct RotationView {
    /// Its id.
    pub id: String,
    /// `integration/key`.
    pub key: String,
    /// Replace, or revoke alone.
    pub purpose: Purpose,
    /// Open, done, aborted, stuck.
    pub status: RotationStatus,
    /// The phase it is in, or ended in.
    pub phase: Phase,
    /// One sentence on what works right now.
    pub standing: String,
    /// What it waits for.
    pub wait: Option<WaitView>,
    /// What was done, with its evidence.
    pub evidence: Vec<EvidenceView>,
    /// Ids at the service that may stem from a lost reply and were left alone.
    pub possible_orphans: Vec<String>,
    /// A reply that carried the only copy of a new key never arrived.
    pub cut_off: bool,
    /// When it was started.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

impl Api {
    /// Rotations, newest first; only unfinished ones if `open_only`.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn rotations(&self, open_only: bool) -> Result<Vec<RotationView>, Error> {
        let rows = self.parts.ledger.rotations(open_only)?;
        rows.into_iter().map(|row| self.rotation_view(row)).collect()
    }

    /// One rotation, by the beginning or end of its id, or by its key.
    ///
    /// # Errors
    /// When there is no such rotation, or the ledger cannot be read.
    pub fn rotation(&self, address: &str) -> Result<RotationView, Error> {
        self.rotation_view(self.find_rotation(address)?)
    }

    fn rotation_view(&self, row: RotationRow) -> Result<RotationView, Error> {
        let journal = self.parts.ledger.journal(row.id)?;
        let state = State::fold(row.id, &journal).map_err(|why| Error::fault(why.to_string()))?;
        let wait = if row.status.is_open() { Some(self.wait_view(&state, &row)?) } else { None };
        Ok(RotationView {
            id: row.id.to_string(),
            key: self.key_names()?.get(&row.key).cloned().unwrap_or_default(),
            purpose: state.terms.purpose,
            status: row.status,
            phase: state.phase(),
            standing: standing(&state),
            wait,
            evidence: evidence(&journal),
            possible_orphans: state.left_orphans.iter().map(|entry| entry.id.clone()).collect(),
            cut_off: state.cut_off,
            started_at: row.started_at,
            ended_at: row.ended_at,
        })
    }

    fn wait_view(&self, state: &State, row: &RotationRow) -> Result<WaitView, Error> {
        Ok(match next(state, self.parts.clock.now()) {
            Next::Do(_) | Next::Ended(_) => WaitView::Nothing,
            Next::Hindered(_, what) => WaitView::Hindrance { what },
            Next::Until(at, pause) => WaitView::Instant { at, why: pause_in_words(pause).to_owned() },
            Next::Stuck(why) => WaitView::Stuck { why },
            Next::Ask(ask) => self.ask_view(state, row, &ask)?,
        })
    }

    fn ask_view(&self, state: &State, row: &RotationRow, ask: &Ask) -> Result<WaitView, Error> {
        let key = self.parts.ledger.key(row.key)?;
        let integration = self.integration_of(&key)?;
        let mut scene = self.scene(integration, key)?;
        scene.name_for(row.id);
        // Steps name keys by id and name; their values are not needed for that, and the vault is not asked.
        let nothing = Value::new(Vec::new());
        let key_name = scene.key.name.to_string();
        let held = |remote_id: Option<String>, name: Option<String>| (remote_id, name.unwrap_or_else(|| key_name.clone()));
        let old = self.parts.ledger.version(state.terms.old_version).ok();
        let (id, name) = match (ask, &state.kept) {
            (Ask::RetireNew(_), Some((kept, _))) => held(kept.remote_id.clone(), kept.remote_name.clone()),
            _ => held(state.old_id.clone(), old.and_then(|version| version.remote_name)),
        };
        let target = Held { value: &nothing, remote_id: id.as_deref(), remote_name: Some(&name) };
        let standing = scene.standing(Some(target), None);
        let steps = match ask {
            Ask::Paste { .. } => standing.make_steps(),
            Ask::RetireOld(_) | Ask::RetireNew(_) => standing.retire_steps(),
            _ => Vec::new(),
        };
        let id = state.id;
        let command = |rest: String| format!("keytender rotations answer {id} {rest}");
        let mut answers: Vec<String> = expected_steps(ask).into_iter().map(|step| command(format!("--done {step}"))).collect();
        match ask {
            Ask::Paste { .. } => answers.push(command("--secret-stdin".into())),
            Ask::WhichOld(ids) => answers.extend(ids.iter().map(|id| command(format!("--pick {id}")))),
            Ask::PossibleOrphans(list) => answers.extend(list.iter().map(|entry| command(format!("--pick {}", entry.id)))),
            Ask::Unwritten(_) => answers.push(format!("keytender rotations resume {id}")),
            _ => {}
        }
        let place = |id: &DestinationId| self.place_line(row, *id);
        Ok(WaitView::Person {
            question: question(ask, &place),
            steps: steps.into_iter().map(|step| StepView { say: step.say, open: step.open }).collect(),
            answers,
        })
    }

    fn place_line(&self, row: &RotationRow, id: DestinationId) -> String {
        let all = self.parts.ledger.destinations(row.key).unwrap_or_default();
        let ids: Vec<_> = all.iter().map(|destination| destination.id).collect();
        let found = destination_among(&ids, &id.to_string()).ok();
        all.iter().find(|it| Some(it.id) == found).map_or_else(|| id.to_string(), |it| it.place.describe())
    }
}

fn question(ask: &Ask, place: &dyn Fn(&DestinationId) -> String) -> String {
    match ask {
        Ask::Paste { cut_off, old_was_dead, same_as_old, refused } => {
            let lead = match (same_as_old, refused, cut_off, old_was_dead) {
                (true, ..) => "That was the old value again. ",
                (_, true, ..) => "The service refuses what was pasted. ",
                (_, _, true, _) => "The old key is off and the reply with the new one never arrived. ",
                (_, _, _, true) => "The old key is dead, and only a living one could ask the service for another. ",
                _ => "",
            };
            format!("{lead}Make a new key in the portal and paste it.")
        }
        Ask::WhichOld(ids) => format!("Which of these is the old key at the service? {}", ids.join(", ")),
        Ask::NewWorks => "No harmless request can tell whether the new key works. Try it, then say so.".into(),
        Ask::Narrower(lack) => format!("{lack}. Accept that, or abort (the old key still works)."),
        Ask::PutByHand(id) => format!("Put the new value there: {}. `keytender key copy` gives it.", place(id)),
        Ask::PutBackByHand(id) => format!("Put the old value back: {}. `keytender key copy` gives it.", place(id)),
        Ask::Unwritten(list) => {
            let lines: Vec<String> = list.iter().map(|(id, why)| format!("{}: {why}", place(id))).collect();
            format!("Not written yet; the old key still works there. {}", lines.join("; "))
        }
        Ask::RetireOld(why) => with_reason(why, "Revoke the old key in the portal, then say so."),
        Ask::RetireNew(why) => with_reason(why, "Revoke the new key in the portal, then say so."),
        Ask::LostReply => {
            "The reply was lost, and no request can tell whether a key was made. Look in the portal; delete one that nobody has. Then let another be made.".into()
        }
        Ask::PossibleOrphans(list) => {
            let ids: Vec<&str> = list.iter().map(|entry| entry.id.as_str()).collect();
            format!("The reply was lost, and these keys are new: {}. Pick one to revoke it, or leave them and let another be made.", ids.join(", "))
        }
        Ask::RevokeOrphans(list) => {
            let ids: Vec<&str> = list.iter().map(|entry| entry.id.as_str()).collect();
            format!("The reply was lost, and its key bears our mark: {}. Revoke it in the portal, then let another be made.", ids.join(", "))
        }
    }
}

fn with_reason(why: &Option<String>, sentence: &str) -> String {
    why.as_ref().map_or_else(|| sentence.to_owned(), |why| format!("{sentence} ({why})"))
}

pub(crate) fn pause_in_words(pause: Pause) -> &'static str {
    match pause {
        Pause::Retry => "the last try brought no answer that tells; it is asked again",
        Pause::Limit => "the service's limit on calls is used up",
        Pause::Look => "a reply was lost; the service is asked again what it holds",
        Pause::Soak => "a destination cannot be read back; the old key is left alone until then",
    }
}

/// The one sentence on what works right now.
fn standing(state: &State) -> String {
    match &state.ended {
        Some(End::Done) if state.terms.purpose == Purpose::Revoke => return "The key is revoked.".into(),
        Some(End::Done) => return "The new key is in use; the old one is off.".into(),
        Some(End::Aborted(_)) => return "Nothing is broken: the old key is in use.".into(),
        None => {}
    }
    if state.aborting {
        return "It is going back: the old key works where it is put back, the new one until it is retired.".into();
    }
    let open = state.places.values().filter(|place| matches!(place, Place::Pending | Place::Failed(_))).count();
    let dies = state.terms.old == Old::Dies;
    if state.retired_at.is_some() && state.terms.verifies && !state.old_refused && !dies {
        return "The new key is in use; no request has shown yet that the old one is off.".into();
    }
    if state.terms.verifies && state.verified == 0 && state.stuck.is_some() && state.kept.is_some() {
        let old = if dies { "the old one is off" } else { "the old one still works and is in use" };
        return format!("The new key is refused; {old}.");
    }
    if dies && state.kept.is_none() && !matches!(state.making, Making::Ready) {
        return "The old key is probably off; the new one is not kept yet.".into();
    }
    let old_off = state.old_was_dead()
        || state.cut_off
        || state.old_refused
        || state.retired_at.is_some()
        || (dies && state.kept.is_some());
    match (old_off, &state.kept, open) {
        (true, None, _) => "The old key is off, and there is no new one yet.".into(),
        (true, Some(_), 0) => "The old key is off; every place has the new one.".into(),
        (true, Some(_), 1) => "The old key is off: 1 place still needs the new one.".into(),
        (true, Some(_), n) => format!("The old key is off: {n} places still need the new one."),
        (false, None, _) => "Nothing is broken: the old key still works.".into(),
        (false, Some(_), 0) => "Nothing is broken: both keys work, and every place has the new one.".into(),
        (false, Some(_), _) => "Nothing is broken: both keys work.".into(),
    }
}

fn evidence(journal: &[JournalRow]) -> Vec<EvidenceView> {
    let line = |row: &JournalRow| match &row.event {
        Event::Outcome { act, result } => {
            Some(EvidenceView { at: row.at, effect: act.kind().to_owned(), text: outcome_in_words(result) })
        }
        Event::Answered { answer } => Some(EvidenceView { at: row.at, effect: "answered".into(), text: format!("{answer:?}") }),
        Event::Stuck { why } => Some(EvidenceView { at: row.at, effect: "stuck".into(), text: why.clone() }),
        Event::AbortAsked => Some(EvidenceView { at: row.at, effect: "abort".into(), text: "a person asked to go back".into() }),
        Event::Started { .. } | Event::Intent { .. } | Event::Resumed => None,
    };
    journal.iter().filter_map(line).collect()
}

/// An outcome in words, for a progress line and for the report.
#[must_use]
pub fn outcome_in_words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done { evidence }
        | Outcome::Verdict { evidence, .. }
        | Outcome::Listed { evidence, .. }
        | Outcome::Ambiguous { evidence }
        | Outcome::Confirmed { evidence }
        | Outcome::Pushed { evidence }
        | Outcome::Revoked { evidence }
        | Outcome::NotRevoked { evidence }
        | Outcome::Refused { evidence, .. } => evidence.clone(),
        Outcome::Postponed { detail, .. }
        | Outcome::NotSent { detail }
        | Outcome::NoReply { detail }
        | Outcome::Unparsable { detail }
        | Outcome::NotWritten { detail } => detail.clone(),
        Outcome::Sealed { status: 0, .. } => "the paste is sealed".into(),
        Outcome::Sealed { status, complete: true } => format!("the service answered {status}; the reply is sealed"),
        Outcome::Sealed { status, complete: false } => {
            format!("the service answered {status}; the reply broke off and is sealed as far as it came")
        }
        Outcome::Slot { state } => format!("the slot for the reply is {}", format!("{state:?}").to_lowercase()),
        Outcome::Kept(kept) => match &kept.remote_id {
            Some(id) => format!("the new value is in the {} vault and was read back (id {id} at the service)", kept.store),
            None => format!("the new value is in the {} vault and was read back", kept.store),
        },
        Outcome::SameAsOld => "it is the old value again".into(),
    }
}
