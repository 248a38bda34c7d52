//! What follows from a journal row for the rest of the ledger; committed in the same transaction as the row.

use super::event::{Answer, Effect, Event, Outcome, Purpose};
use super::state::State;
use crate::ids::KeyId;
use crate::ports::Change;
use crate::words::{Activity, ActivityKind, DestinationState, Health, HealthCheck, RotationStatus, Version, VersionState};
use chrono::{DateTime, Utc};

/// The changes that belong to a row. `before` is the state without it, `after` with it.
#[must_use]
pub fn changes(before: &State, after: &State, key: KeyId, at: DateTime<Utc>, event: &Event) -> Vec<Change> {
    let mut list = match event {
        Event::Outcome { act, result } => of_outcome(after, key, at, act, result),
        Event::Answered { answer } => of_answer(after, at, answer),
        Event::Started { .. } | Event::Intent { .. } | Event::Resumed | Event::AbortAsked | Event::Stuck { .. } => Vec::new(),
    };
    if after.promoted && !before.promoted {
        list.extend(promote(after, key));
    }
    if let (Some((kept, _)), None) = (&before.kept, &after.kept) {
        // A paste that the service refused: its value stays in the vault for the grace period, as a retired version.
        list.push(Change::MoveVersion { version: kept.version, state: VersionState::Revoked });
    }
    let new_id = after.kept.as_ref().and_then(|(kept, _)| kept.remote_id.as_ref().map(|id| (kept.version, id)));
    let had_id = before.kept.as_ref().is_some_and(|(kept, _)| kept.remote_id.is_some());
    if let (Some((version, remote_id)), false) = (new_id, had_id) {
        list.push(Change::SetRemoteId { version, remote_id: remote_id.clone() });
    }
    if after.stuck.is_some() != before.stuck.is_some() {
        let status = if after.stuck.is_some() { RotationStatus::Stuck } else { RotationStatus::Open };
        list.push(Change::MoveRotation { rotation: after.id, status, at });
    }
    if let (Some(why), None) = (&after.stuck, &before.stuck) {
        list.push(log(after, key, at, ActivityKind::Rotated, format!("stuck: {why}")));
    }
    list
}

fn log(state: &State, key: KeyId, at: DateTime<Utc>, kind: ActivityKind, text: String) -> Change {
    Change::Log(Activity { at, kind, key: Some(key), rotation: Some(state.id), text })
}

fn promote(state: &State, key: KeyId) -> Vec<Change> {
    let Some((kept, _)) = &state.kept else { return Vec::new() };
    vec![
        Change::MoveVersion { version: state.terms.old_version, state: VersionState::Previous },
        Change::MoveVersion { version: kept.version, state: VersionState::Current },
        Change::SetCurrent { key, version: Some(kept.version) },
        // The old one may have been switched off; the new one is not.
        Change::SetDisabled { key, disabled: false },
    ]
}

fn of_outcome(state: &State, key: KeyId, at: DateTime<Utc>, act: &Effect, result: &Outcome) -> Vec<Change> {
    let old = state.terms.old_version;
    match (act, result) {
        (Effect::VerifyOld | Effect::ProbeAfterLoss | Effect::ProbeOld, Outcome::Verdict { health, learned, evidence }) => {
            let mut list = health_of(old, *health, at, evidence);
            if let (Effect::VerifyOld, Some(remote_id)) = (act, &learned.remote_id) {
                list.push(Change::SetRemoteId { version: old, remote_id: remote_id.clone() });
            }
            list
        }
        (Effect::ListIds, Outcome::Listed { old: super::Found::One { id }, .. }) => {
            vec![Change::SetRemoteId { version: old, remote_id: id.clone() }]
        }
        (Effect::Keep { .. }, Outcome::Kept(kept)) => vec![Change::AddVersion(Version {
            id: kept.version,
            key,
            state: VersionState::Pending,
            store: kept.store.clone(),
            remote_id: kept.remote_id.clone(),
            remote_name: kept.remote_name.clone(),
            expiry: kept.expiry.clone(),
            expiry_revision: 1,
            issued_at: kept.issued_at,
            issued_known: kept.issued_known,
            made_by: Some(state.id),
            health: None,
            removed_at: None,
            created_at: at,
        })],
        (Effect::VerifyNew { .. }, Outcome::Verdict { health, learned, evidence }) => {
            let Some((kept, _)) = &state.kept else { return Vec::new() };
            let mut list = health_of(kept.version, *health, at, evidence);
            if *health == Health::Alive {
                list.push(Change::SetIdentity { key, identity: learned.identity.clone(), scopes: learned.scopes.clone() });
                list.extend(learned.expiry.clone().map(|expiry| Change::SetExpiry { version: kept.version, expiry }));
            }
            list
        }
        (Effect::Write { destination }, Outcome::Confirmed { .. }) => placed(state, |version| Change::SetDestination {
            destination: *destination,
            state: DestinationState::Confirmed { version, at },
        }),
        (Effect::Write { destination }, Outcome::Pushed { .. }) => placed(state, |version| Change::SetDestination {
            destination: *destination,
            state: DestinationState::Pushed { version, at },
        }),
        (Effect::Write { destination }, Outcome::NotWritten { detail }) => vec![Change::SetDestination {
            destination: *destination,
            state: DestinationState::OutOfDate { seen: detail.clone(), at },
        }],
        (Effect::Restore { destination }, Outcome::Confirmed { .. }) => {
            vec![Change::SetDestination { destination: *destination, state: DestinationState::Confirmed { version: old, at } }]
        }
        (Effect::Restore { destination }, Outcome::Pushed { .. }) => {
            vec![Change::SetDestination { destination: *destination, state: DestinationState::Pushed { version: old, at } }]
        }
        (Effect::Demote, Outcome::Done { .. }) => {
            let mut list = vec![
                Change::MoveVersion { version: old, state: VersionState::Current },
                Change::SetCurrent { key, version: Some(old) },
            ];
            list.extend(
                state.kept.iter().map(|(kept, _)| Change::MoveVersion { version: kept.version, state: VersionState::Pending }),
            );
            list
        }
        (Effect::Finish, Outcome::Done { .. }) => finish(state, key, at),
        (Effect::FinishAbort, Outcome::Done { .. }) => {
            let why = state.giving_up.clone().unwrap_or_else(|| "as asked".into());
            let mut list = vec![
                Change::MoveRotation { rotation: state.id, status: RotationStatus::Aborted, at },
                log(state, key, at, ActivityKind::Rotated, format!("rotation aborted: {why}")),
            ];
            list.extend(
                state.kept.iter().map(|(kept, _)| Change::MoveVersion { version: kept.version, state: VersionState::Revoked }),
            );
            list
        }
        _ => Vec::new(),
    }
}

fn finish(state: &State, key: KeyId, at: DateTime<Utc>) -> Vec<Change> {
    let mut list = vec![
        Change::MoveVersion { version: state.terms.old_version, state: VersionState::Revoked },
        Change::MoveRotation { rotation: state.id, status: RotationStatus::Done, at },
    ];
    let evidence =
        if state.old_refused || state.old_was_dead() { "the service refuses the old key" } else { "a person vouched for it" };
    if state.terms.purpose == Purpose::Revoke {
        list.push(Change::SetCurrent { key, version: None });
        list.push(log(state, key, at, ActivityKind::Revoked, format!("revoked; {evidence}")));
    } else {
        list.push(log(state, key, at, ActivityKind::Rotated, format!("rotated; {evidence}")));
    }
    list
}

fn of_answer(state: &State, at: DateTime<Utc>, answer: &Answer) -> Vec<Change> {
    match answer {
        Answer::DestinationDone { destination } if state.aborting => vec![Change::SetDestination {
            destination: *destination,
            state: DestinationState::Attested { version: state.terms.old_version, at },
        }],
        Answer::DestinationDone { destination } => placed(state, |version| Change::SetDestination {
            destination: *destination,
            state: DestinationState::Attested { version, at },
        }),
        Answer::WaiveDestination { destination } => {
            vec![Change::SetDestination { destination: *destination, state: DestinationState::Waived { at } }]
        }
        Answer::OldIs { remote_id } => {
            vec![Change::SetRemoteId { version: state.terms.old_version, remote_id: remote_id.clone() }]
        }
        Answer::NewWorks
        | Answer::AcceptNarrower
        | Answer::WaiveSoak
        | Answer::OldRetired
        | Answer::NewRetired
        | Answer::MakeAgain
        | Answer::OrphanIs { .. } => Vec::new(),
    }
}

fn placed(state: &State, change: impl FnOnce(crate::ids::VersionId) -> Change) -> Vec<Change> {
    state.kept.as_ref().map(|(kept, _)| change(kept.version)).into_iter().collect()
}

/// A verdict is recorded; "unknown" is no verdict and changes nothing (a timeout is never read as one).
fn health_of(version: crate::ids::VersionId, health: Health, at: DateTime<Utc>, evidence: &str) -> Vec<Change> {
    match health {
        Health::Unknown => Vec::new(),
        Health::Alive | Health::Dead => {
            vec![Change::SetHealth { version, health: HealthCheck { health, at, evidence: evidence.to_owned() } }]
        }
    }
}
