//! What stands in a rotation's journal. References only, never values.
//!
//! The journal is append-only and is read by later versions of Keytender: a variant or field may be added, none may change
//! its meaning. `Terms::engine` tells which engine wrote it.

use crate::expiry::{Expiry, Moment};
use crate::ids::{DestinationId, VersionId};
use crate::ports::SlotState;
use crate::words::{Health, Make, Old, Retire};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What a rotation is to achieve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// A new version takes the old one's place; the old one is retired last.
    Replace,
    /// The version is retired; nothing takes its place.
    Revoke,
}

/// How sure a write to a destination can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// It can be read back.
    Readable,
    /// It can only be handed over.
    Pushed,
    /// A person does it.
    Person,
}

/// One destination, as it stood when the rotation began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DestinationTerm {
    /// Which.
    pub id: DestinationId,
    /// How sure a write can be.
    pub reach: Reach,
}

/// Everything the engine decides by, frozen when the rotation began: a manifest or destination that is edited meanwhile
/// changes nothing about a rotation under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The engine's version; see [`crate::rotation::ENGINE`].
    pub engine: u32,
    /// What is to be achieved.
    pub purpose: Purpose,
    /// Who makes the new one.
    pub make: Make,
    /// Who retires the old one.
    pub retire: Retire,
    /// What happens to the old one when the new one is born.
    pub old: Old,
    /// The service can list its keys.
    pub lists: bool,
    /// A key made by API bears the rotation's marker in its name.
    pub marks: bool,
    /// A harmless verify exists.
    pub verifies: bool,
    /// The make call is authenticated by the old value itself: impossible once that is dead.
    pub make_needs_old: bool,
    /// The list call is authenticated by a key's own value: impossible with a dead one.
    pub list_needs_key: bool,
    /// The revoke call names the key by its id at the service.
    pub retire_needs_id: bool,
    /// For how long after it is made a new key may still be refused, in seconds.
    pub settle_seconds: u32,
    /// For how long after it is revoked an old key may still be accepted, in seconds.
    pub linger_seconds: u32,
    /// The version that is replaced or revoked.
    pub old_version: VersionId,
    /// Its id at the service, if already known when the rotation began.
    pub old_remote_id: Option<String>,
    /// When the old version dies, if that is known: the soak never reaches past it.
    pub old_expires_at: Option<DateTime<Utc>>,
    /// Where the key is used, in the order in which it is written.
    pub destinations: Vec<DestinationTerm>,
    /// A person waived the soak in advance.
    pub waive_soak: bool,
    /// SHA-256 of the manifest that the rotation was planned with, in hex.
    pub manifest_hash: String,
}

/// Which of the verifies of the new version is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerifyRound {
    /// Before it is made current.
    First,
    /// Once more, so that one lucky answer of a half-settled service is not enough.
    Second,
}

/// An act on the outside, each a pair of journal rows: its intent and its outcome. All but [`Effect::Make`] may be repeated.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "kebab-case")]
pub enum Effect {
    /// Round trip through the vault; the sealed canary opens.
    CheckStore,
    /// Allocate the escrow slot of an attempt; 16 MiB are free.
    AllocateSlot {
        /// Which attempt at making.
        attempt: u32,
    },
    /// Ask the service about the old value.
    VerifyOld,
    /// List the ids at the service and find the old one's among them: the snapshot.
    ListIds,
    /// The destination can be written and holds the old value.
    CheckDestination {
        /// Which.
        destination: DestinationId,
    },
    /// Make the new key: the call, or taking a person's paste. Ends with the reply sealed. The one effect that is never
    /// simply repeated.
    Make {
        /// Which attempt.
        attempt: u32,
    },
    /// Look what lies in the slot of an attempt whose outcome was never written.
    InspectSlot {
        /// Which attempt.
        attempt: u32,
    },
    /// After a make whose reply was lost: ask about the old value (`old = dies`).
    ProbeAfterLoss,
    /// After a make whose reply was lost: list again and compare with the snapshot.
    Reconcile,
    /// Revoke a key that this rotation made and never received.
    RevokeOrphan {
        /// Its id at the service.
        remote_id: String,
    },
    /// Open the slot, parse the reply, put the new value into the vault, read it back.
    Keep {
        /// Which attempt.
        attempt: u32,
    },
    /// Wipe the slot, now that the value was read back from the vault and the version is committed.
    WipeSlot {
        /// Which attempt.
        attempt: u32,
    },
    /// Find the new key's id at the service where the reply did not tell it.
    IdentifyNew,
    /// Ask the service about the new value.
    VerifyNew {
        /// Which of the two.
        round: VerifyRound,
    },
    /// Make the new version current and the old one previous, in the ledger.
    Promote,
    /// Write the new value to a destination.
    Write {
        /// Which.
        destination: DestinationId,
    },
    /// Revoke the old key by the id captured in prepare.
    RevokeOld,
    /// Ask the service about the old value until it is refused.
    ProbeOld,
    /// Forget the undo copies; the rotation is done.
    Finish,
    /// Aborting: write the old value back to a destination.
    Restore {
        /// Which.
        destination: DestinationId,
    },
    /// Aborting: the old version is current again, in the ledger.
    Demote,
    /// Aborting: revoke the new key.
    RevokeNew,
    /// Aborting: the rotation is over; what could not be revoked is listed.
    FinishAbort,
}

impl Effect {
    /// Its kind as journals and checkpoints spell it: `check-store`, `make`, `write`, ...
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::CheckStore => "check-store",
            Self::AllocateSlot { .. } => "allocate-slot",
            Self::VerifyOld => "verify-old",
            Self::ListIds => "list-ids",
            Self::CheckDestination { .. } => "check-destination",
            Self::Make { .. } => "make",
            Self::InspectSlot { .. } => "inspect-slot",
            Self::ProbeAfterLoss => "probe-after-loss",
            Self::Reconcile => "reconcile",
            Self::RevokeOrphan { .. } => "revoke-orphan",
            Self::Keep { .. } => "keep",
            Self::WipeSlot { .. } => "wipe-slot",
            Self::IdentifyNew => "identify-new",
            Self::VerifyNew { .. } => "verify-new",
            Self::Promote => "promote",
            Self::Write { .. } => "write",
            Self::RevokeOld => "revoke-old",
            Self::ProbeOld => "probe-old",
            Self::Finish => "finish",
            Self::Restore { .. } => "restore",
            Self::Demote => "demote",
            Self::RevokeNew => "revoke-new",
            Self::FinishAbort => "finish-abort",
        }
    }
}

/// Why an effect could not be carried out just now. It changed nothing, and may be tried again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "kebab-case")]
pub enum Hindrance {
    /// The vault is locked.
    StoreLocked,
    /// There is no vault.
    StoreAbsent,
    /// The vault did not answer in time.
    StoreHung,
    /// The vault answered with a failure.
    StoreFailing,
    /// The disk is full.
    DiskFull,
    /// The service gave no verdict: unreachable, 5xx, an answer nobody described.
    NoVerdict,
    /// Too many calls; possible again at the instant.
    Limited {
        /// When.
        until: DateTime<Utc>,
    },
    /// Only a person can remove it; the detail says how.
    Person,
}

/// Evidence of a claim, for the screen and the report: `GET /-/whoami answered 200`.
pub type Evidence = String;

/// A key as the service lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteEntry {
    /// Its id.
    pub id: String,
    /// Its name or label, if the service has such a thing.
    pub name: Option<String>,
}

/// What a verify told besides its verdict.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Learned {
    /// The key's id at the service.
    pub remote_id: Option<String>,
    /// Who it acts as.
    pub identity: Option<String>,
    /// Its scopes, sorted; none = the service does not tell.
    pub scopes: Option<Vec<String>>,
    /// Until when it lives, by the service's own word.
    pub expiry: Option<Expiry>,
    /// When it was made, by the service's own word.
    pub issued_at: Option<Moment>,
    /// How far this computer's clock is ahead of the service's `Date`, in seconds.
    pub clock_ahead_seconds: Option<i64>,
}

/// The old key's place in the snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "found", rename_all = "kebab-case")]
pub enum Found {
    /// Exactly one entry is it.
    One {
        /// Its id.
        id: String,
    },
    /// Several could be; a person picks.
    Several {
        /// Their ids.
        ids: Vec<String>,
    },
    /// None is.
    None,
}

/// A new version, stored and read back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The version's id.
    pub version: VersionId,
    /// Which vault holds it.
    pub store: String,
    /// Its id at the service, where the reply told it.
    pub remote_id: Option<String>,
    /// The name it was given there.
    pub remote_name: Option<String>,
    /// When it dies.
    pub expiry: Expiry,
    /// When it was made.
    pub issued_at: DateTime<Utc>,
    /// Whether that is the service's word or ours.
    pub issued_known: bool,
    /// In what way the reply says that it may do less than the old one; none = nothing says so.
    pub narrower: Option<String>,
}

/// What came of an effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// It is done and there is nothing more to tell than the evidence.
    Done {
        /// Evidence.
        evidence: Evidence,
    },
    /// It could not be carried out just now and changed nothing.
    Postponed {
        /// Why.
        hindrance: Hindrance,
        /// In words.
        detail: String,
    },
    /// Verify: the service's verdict.
    Verdict {
        /// The verdict. `unknown` is never treated as either.
        health: Health,
        /// What else it told.
        learned: Learned,
        /// Evidence.
        evidence: Evidence,
    },
    /// List: the ids at the service, and the old key's among them.
    Listed {
        /// The entries.
        entries: Vec<RemoteEntry>,
        /// Where the old key is.
        old: Found,
        /// Evidence.
        evidence: Evidence,
    },
    /// Make: a reply, whatever it says, lies sealed in the slot.
    Sealed {
        /// Its HTTP status; 0 for a paste.
        status: u16,
        /// Whether it arrived whole.
        complete: bool,
    },
    /// Make: not one byte of the request left.
    NotSent {
        /// In words.
        detail: String,
    },
    /// Make: the request may have arrived, and no reply came.
    NoReply {
        /// In words.
        detail: String,
    },
    /// InspectSlot: what lies in it.
    Slot {
        /// What.
        state: SlotState,
    },
    /// Keep: the new version is in the vault and was read back.
    Kept(Kept),
    /// Keep: the reply says that nothing was made.
    Refused {
        /// Evidence, such as `POST /-/npm/v1/tokens answered 401`.
        evidence: Evidence,
        /// When another attempt makes sense; none = not without a change.
        again_at: Option<DateTime<Utc>>,
    },
    /// Keep: the reply does not tell whether something was made (5xx, cut off before the key).
    Ambiguous {
        /// Evidence.
        evidence: Evidence,
    },
    /// Keep: the service says it made a key, and the manifest does not find it in the reply. The slot is kept.
    Unparsable {
        /// What was looked for and not found.
        detail: String,
    },
    /// Keep: the value is the old one again.
    SameAsOld,
    /// Write, Restore: read back and equal.
    Confirmed {
        /// Evidence.
        evidence: Evidence,
    },
    /// Write, Restore: handed over, cannot be read back.
    Pushed {
        /// Evidence.
        evidence: Evidence,
    },
    /// Write, Restore, CheckDestination: it was not written and holds what it held before.
    NotWritten {
        /// Why, and what to do.
        detail: String,
    },
    /// RevokeOld, RevokeNew, RevokeOrphan: the service said that it does not exist any more.
    Revoked {
        /// Evidence.
        evidence: Evidence,
    },
    /// RevokeOld, RevokeNew, RevokeOrphan: the service refused.
    NotRevoked {
        /// Evidence.
        evidence: Evidence,
    },
}

/// What a person answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum Answer {
    /// The new key works: they tried it (only where no harmless verify exists).
    NewWorks,
    /// The new key may be narrower than the old one.
    AcceptNarrower,
    /// They put the value there (a person's destination, or one that could not be written).
    DestinationDone {
        /// Which.
        destination: DestinationId,
    },
    /// The destination need not be kept up to date in this rotation.
    WaiveDestination {
        /// Which.
        destination: DestinationId,
    },
    /// The soak is waived.
    WaiveSoak,
    /// They retired the old key in the portal.
    OldRetired,
    /// They retired the new key in the portal (aborting).
    NewRetired,
    /// The old key is the one with this id at the service.
    OldIs {
        /// The id.
        remote_id: String,
    },
    /// After a lost reply: nothing was made, or what was made is gone; make another.
    MakeAgain,
    /// After a lost reply: the key with this id came of it; it may be revoked.
    OrphanIs {
        /// The id.
        remote_id: String,
    },
}

/// One row of a journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The rotation begins.
    Started {
        /// Under these terms.
        terms: Box<Terms>,
    },
    /// An effect is about to be carried out.
    Intent {
        /// Which.
        act: Effect,
    },
    /// An effect was carried out, or could not be.
    Outcome {
        /// Which.
        act: Effect,
        /// What came of it.
        result: Outcome,
    },
    /// A person answered.
    Answered {
        /// What.
        answer: Answer,
    },
    /// Somebody said `resume`: hindrances and a stuck rotation are looked at again.
    Resumed,
    /// A person asked to abort.
    AbortAsked,
    /// It cannot be resolved by itself.
    Stuck {
        /// What, and what to do next.
        why: String,
    },
}
