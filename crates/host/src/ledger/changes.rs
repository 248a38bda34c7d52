//! Which table a change belongs to. What it does there stands in the table's file.

use super::{activity, consents, destinations, integrations, keys, reminders, rotations, versions};
use keytender_core::ports::{Change, LedgerError};
use rusqlite::Connection;

/// Carries out one change, within the transaction that the caller holds.
pub(super) fn apply(connection: &Connection, change: &Change) -> Result<(), LedgerError> {
    match change {
        Change::AddIntegration(new) => integrations::add(connection, new),
        Change::EditIntegration(new) => integrations::edit(connection, new),
        Change::RemoveIntegration(id) => integrations::remove(connection, *id),
        Change::AddKey(new) => keys::add(connection, new),
        Change::EditKey(new) => keys::edit(connection, new),
        Change::RemoveKey(id) => keys::remove(connection, *id),
        Change::AddVersion(new) => versions::add(connection, new),
        Change::MoveVersion { version, state } => versions::move_to(connection, *version, *state),
        Change::SetCurrent { key, version } => {
            keys::set_current(connection, *key, *version)?;
            versions::follow_pointer(connection, *key, *version)
        }
        Change::SetRemoteId { version, remote_id } => versions::set_remote_id(connection, *version, remote_id),
        Change::SetIssued { version, at } => versions::set_issued(connection, *version, *at),
        Change::SetExpiry { version, expiry } => versions::set_expiry(connection, *version, expiry),
        Change::SetHealth { version, health } => versions::set_health(connection, *version, health),
        Change::MarkRemoved { version, at } => versions::mark_removed(connection, *version, *at),
        Change::SetIdentity { key, identity, scopes } => {
            keys::set_identity(connection, *key, identity.as_deref(), scopes.as_deref())
        }
        Change::SetDisabled { key, disabled } => keys::set_disabled(connection, *key, *disabled),
        Change::AddDestination(new) => destinations::add(connection, new),
        Change::RemoveDestination(id) => destinations::remove(connection, *id),
        Change::SetDestination { destination, state } => destinations::set_state(connection, *destination, state),
        Change::OpenRotation(new) => rotations::open(connection, new),
        Change::MoveRotation { rotation, status, at } => rotations::move_to(connection, *rotation, *status, *at),
        Change::GiveConsent(consent) => consents::give(connection, consent),
        Change::AddNotice(notice) => reminders::add_notice(connection, notice),
        Change::Snooze { key, until } => reminders::snooze(connection, *key, *until),
        Change::Log(line) => activity::add(connection, line),
    }
}

/// Whether a change takes something away that should not linger in the write-ahead log.
pub(super) fn removes(change: &Change) -> bool {
    matches!(change, Change::RemoveIntegration(_) | Change::RemoveKey(_) | Change::RemoveDestination(_))
}
