//! A model of everything outside the engine: a service, a vault, escrow slots, destinations and a person. A stream of bytes
//! decides what goes wrong; where it ends, nothing does.

use chrono::{DateTime, Utc};
use keytender_core::expiry::Expiry;
use keytender_core::ids::{DestinationId, KeyId, RotationId, VersionId, derive_marker, derive_version_id};
use keytender_core::ports::{Change, JournalRow, SlotState};
use keytender_core::rotation::{
    Answer, Ask, DestinationTerm, ENGINE, Effect, Event, Found, Hindrance, Kept, Learned, Next, Outcome, Purpose, Reach,
    RemoteEntry, State, Terms, changes, check, next,
};
use keytender_core::words::{Health, Make, Old, Retire};
use std::collections::BTreeMap;
use uuid::Uuid;

/// The terms that vary.
#[derive(Debug, Clone)]
pub(crate) struct Setting {
    pub(crate) make: Make,
    pub(crate) retire: Retire,
    pub(crate) old: Old,
    pub(crate) lists: bool,
    pub(crate) marks: bool,
    pub(crate) verifies: bool,
    pub(crate) make_needs_old: bool,
    pub(crate) destinations: usize,
    pub(crate) purpose: Purpose,
}

struct Remote {
    id: String,
    name: Option<String>,
    alive: bool,
    ours: bool,
}

enum Slot {
    Key(usize),
    Refusal,
    Muddle,
}

pub(crate) struct Model {
    setting: Setting,
    luck: std::vec::IntoIter<u8>,
    now: DateTime<Utc>,
    rotation: RotationId,
    key: KeyId,
    old_version: VersionId,
    remote: Vec<Remote>,
    vault: BTreeMap<VersionId, usize>,
    slots: BTreeMap<u32, Slot>,
    journal: Vec<JournalRow>,
    current: Option<VersionId>,
    unarrived: Vec<usize>,
    told: Vec<String>,
}

const STEPS_MAX: usize = 2_000;

impl Model {
    pub(crate) fn new(setting: Setting, luck: Vec<u8>) -> Self {
        let id = |n| Uuid::from_u128(n);
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let destinations = (0..setting.destinations)
            .map(|n| DestinationTerm {
                id: DestinationId(id(100 + n as u128)),
                reach: [Reach::Readable, Reach::Pushed, Reach::Person][n % 3],
            })
            .collect();
        let terms = Terms {
            engine: ENGINE,
            purpose: setting.purpose,
            make: setting.make,
            retire: setting.retire,
            old: setting.old,
            lists: setting.lists,
            marks: setting.marks,
            verifies: setting.verifies,
            make_needs_old: setting.make_needs_old,
            list_needs_key: setting.make_needs_old,
            retire_needs_id: setting.lists,
            settle_seconds: 6,
            linger_seconds: 20,
            old_version: VersionId(id(2)),
            old_remote_id: None,
            old_expires_at: None,
            destinations,
            waive_soak: false,
            manifest_hash: "0".into(),
        };
        let old = Remote { id: "k0".into(), name: None, alive: true, ours: true };
        Self {
            luck: luck.into_iter(),
            now,
            rotation: RotationId(id(0x0199_0000_0000_7000_8000_abcd_ef01_2345)),
            key: KeyId(id(1)),
            old_version: VersionId(id(2)),
            remote: vec![old],
            vault: BTreeMap::from([(VersionId(id(2)), 0)]),
            slots: BTreeMap::new(),
            journal: vec![JournalRow { seq: 1, at: now, event: Event::Started { terms: Box::new(terms) } }],
            current: Some(VersionId(id(2))),
            unarrived: Vec::new(),
            told: Vec::new(),
            setting,
        }
    }

    pub(crate) fn run(&mut self) -> Next {
        let mut resumes = 0;
        for _ in 0..STEPS_MAX {
            self.something_can_be_had();
            // Folding anew at every step is resuming at every step: a crash loses nothing but what was not committed.
            let state = State::fold(self.rotation, &self.journal).unwrap_or_else(|why| panic!("{why}\n{}", self.story()));
            if self.roll() == 99 && state.abortable().is_ok() && !state.aborting {
                self.append(Event::AbortAsked);
                continue;
            }
            match next(&state, self.now) {
                Next::Do(effect) => {
                    if let Err(breach) = check(&state, &effect, self.now) {
                        panic!("{breach}\n{}", self.story());
                    }
                    self.step(&state, &effect);
                }
                Next::Until(at, _) => self.now = at,
                Next::Hindered(..) => self.append(Event::Resumed),
                Next::Ask(ask) => self.answer(&state, &ask),
                Next::Stuck(_) if resumes < 3 => {
                    resumes += 1;
                    self.append(Event::Resumed);
                }
                last @ (Next::Stuck(_) | Next::Ended(_)) => return last,
            }
        }
        Next::Until(self.now, keytender_core::rotation::Pause::Retry) // no end: told apart from every end
    }

    fn roll(&mut self) -> u8 {
        self.luck.next().unwrap_or(0)
    }

    fn append(&mut self, event: Event) {
        let mut state = State::fold(self.rotation, &self.journal).unwrap();
        let before = state.clone();
        state.apply(self.now, &event).unwrap_or_else(|why| panic!("{why}: {event:?}\n{}", self.story()));
        for change in changes(&before, &state, self.key, self.now, &event) {
            if let Change::SetCurrent { version, .. } = change {
                if let Some(version) = version {
                    assert!(self.vault.contains_key(&version), "a pointer to nothing\n{}", self.story());
                }
                self.current = version;
            }
        }
        self.told.push(format!("{event:?}"));
        self.journal.push(JournalRow { seq: self.journal.len() as u64 + 1, at: self.now, event });
    }

    fn step(&mut self, state: &State, effect: &Effect) {
        let fate = self.roll();
        if fate == 251 {
            return; // killed before the intent
        }
        if state.open.as_ref() != Some(effect) {
            self.append(Event::Intent { act: effect.clone() });
        }
        if fate == 252 {
            return; // killed before the act
        }
        let outcome = self.act(state, effect);
        if fate == 253 {
            self.told.push("killed between act and commit".into());
            return;
        }
        self.append(Event::Outcome { act: effect.clone(), result: outcome });
    }

    fn act(&mut self, state: &State, effect: &Effect) -> Outcome {
        let done = || Outcome::Done { evidence: "model".into() };
        let fault = self.roll();
        if fault == 240 {
            return Outcome::Postponed { hindrance: Hindrance::StoreLocked, detail: "locked".into() };
        }
        let listing = |model: &Self, of: usize| Outcome::Listed {
            entries: model
                .remote
                .iter()
                .filter(|key| key.alive)
                .map(|key| RemoteEntry { id: key.id.clone(), name: key.name.clone() })
                .collect(),
            old: if model.remote[of].alive { Found::One { id: model.remote[of].id.clone() } } else { Found::None },
            evidence: "model".into(),
        };
        match effect {
            Effect::CheckStore
            | Effect::CheckDestination { .. }
            | Effect::Promote
            | Effect::Demote
            | Effect::Finish
            | Effect::FinishAbort => done(),
            Effect::AllocateSlot { .. } => done(),
            Effect::VerifyOld | Effect::ProbeAfterLoss | Effect::ProbeOld => self.verdict(fault, 0),
            Effect::VerifyNew { .. } => {
                let (kept, _) = state.kept.as_ref().unwrap();
                self.verdict(fault, self.vault[&kept.version])
            }
            Effect::ListIds | Effect::Reconcile | Effect::IdentifyNew if (200..230).contains(&fault) => no_verdict(),
            Effect::ListIds | Effect::Reconcile => listing(self, 0),
            Effect::IdentifyNew => listing(self, self.vault[&state.kept.as_ref().unwrap().0.version]),
            Effect::Make { attempt } => self.make(*attempt, fault),
            Effect::InspectSlot { attempt } => Outcome::Slot {
                state: match self.slots.get(attempt) {
                    Some(_) => SlotState::Whole,
                    None => SlotState::Empty,
                },
            },
            Effect::Keep { attempt } => self.keep(*attempt),
            Effect::WipeSlot { attempt } => {
                self.slots.remove(attempt);
                done()
            }
            Effect::RevokeOrphan { remote_id } => self.revoke(remote_id.clone(), fault),
            Effect::RevokeOld => {
                let id = state.old_id.clone().unwrap_or_else(|| "k0".into());
                assert_eq!(id, "k0", "the wrong key\n{}", self.story());
                self.revoke(id, fault)
            }
            Effect::RevokeNew => {
                let at = self.vault[&state.kept.as_ref().unwrap().0.version];
                self.revoke(self.remote[at].id.clone(), fault)
            }
            Effect::Write { .. } | Effect::Restore { .. } => match fault {
                200..=215 => Outcome::NotWritten { detail: "changed by someone else".into() },
                _ => Outcome::Confirmed { evidence: "read back".into() },
            },
        }
    }

    fn verdict(&mut self, fault: u8, at: usize) -> Outcome {
        let health = match fault {
            200..=225 => Health::Unknown,
            _ if self.remote[at].alive => Health::Alive,
            _ => Health::Dead,
        };
        Outcome::Verdict { health, learned: Learned::default(), evidence: "model".into() }
    }

    fn make(&mut self, attempt: u32, fault: u8) -> Outcome {
        match fault {
            150..=159 => return Outcome::NotSent { detail: "connection refused".into() },
            160..=169 => return Outcome::NoReply { detail: "cut before the service acted".into() },
            170..=174 => {
                self.slots.insert(attempt, Slot::Refusal);
                return Outcome::Sealed { status: 401, complete: true };
            }
            _ => {}
        }
        if self.setting.make_needs_old && !self.remote[0].alive {
            self.slots.insert(attempt, Slot::Refusal);
            return Outcome::Sealed { status: 401, complete: true };
        }
        let at = self.born(self.setting.marks);
        match fault {
            200..=219 => {
                self.unarrived.push(at);
                Outcome::NoReply { detail: "cut after the service acted".into() }
            }
            220..=229 => {
                self.unarrived.push(at);
                self.slots.insert(attempt, Slot::Muddle);
                Outcome::Sealed { status: 502, complete: false }
            }
            _ => {
                self.slots.insert(attempt, Slot::Key(at));
                Outcome::Sealed { status: 201, complete: true }
            }
        }
    }

    fn born(&mut self, marked: bool) -> usize {
        let name = marked.then(|| format!("ci {}", derive_marker(self.rotation)));
        if self.setting.old == Old::Dies {
            self.remote.iter_mut().for_each(|key| key.alive = false);
        }
        self.remote.push(Remote { id: format!("k{}", self.remote.len()), name, alive: true, ours: true });
        self.remote.len() - 1
    }

    fn keep(&mut self, attempt: u32) -> Outcome {
        match self.slots[&attempt] {
            Slot::Refusal => Outcome::Refused { evidence: "401".into(), again_at: None },
            Slot::Muddle => Outcome::Ambiguous { evidence: "502".into() },
            Slot::Key(0) => Outcome::SameAsOld,
            Slot::Key(at) => {
                let version = derive_version_id(self.rotation, attempt);
                self.vault.insert(version, at);
                Outcome::Kept(Kept {
                    version,
                    store: "model".into(),
                    remote_id: None,
                    remote_name: self.remote[at].name.clone(),
                    expiry: Expiry::Unknown,
                    issued_at: self.now,
                    issued_known: true,
                    narrower: None,
                })
            }
        }
    }

    fn revoke(&mut self, id: String, fault: u8) -> Outcome {
        if (200..=215).contains(&fault) {
            return no_verdict();
        }
        if let Some(key) = self.remote.iter_mut().find(|key| key.id == id) {
            key.alive = false;
        }
        if (216..=225).contains(&fault) {
            return no_verdict(); // done, and nobody heard
        }
        Outcome::Revoked { evidence: "204".into() }
    }

    fn answer(&mut self, state: &State, ask: &Ask) {
        let answer = match ask {
            Ask::Paste { .. } => return self.paste(state),
            Ask::WhichOld(_) => Answer::OldIs { remote_id: "k0".into() },
            Ask::NewWorks => Answer::NewWorks,
            Ask::Narrower(_) => Answer::AcceptNarrower,
            Ask::PutByHand(destination) | Ask::PutBackByHand(destination) => {
                Answer::DestinationDone { destination: *destination }
            }
            Ask::Unwritten(list) => match self.roll() {
                0..=127 => return self.append(Event::Resumed),
                _ => Answer::WaiveDestination { destination: list[0].0 },
            },
            Ask::RetireOld(_) => {
                self.remote[0].alive = false;
                Answer::OldRetired
            }
            Ask::RetireNew(_) => {
                let at = self.vault[&state.kept.as_ref().unwrap().0.version];
                self.remote[at].alive = false;
                Answer::NewRetired
            }
            Ask::LostReply => {
                // The person looks in the portal and deletes what they find there.
                if self.setting.old != Old::Dies {
                    self.forget_unheld();
                }
                Answer::MakeAgain
            }
            Ask::PossibleOrphans(list) => match self.roll() {
                0..=127 => Answer::OrphanIs { remote_id: list[0].id.clone() },
                _ => Answer::MakeAgain,
            },
            Ask::RevokeOrphans(_) => {
                self.forget_unheld();
                Answer::MakeAgain
            }
        };
        self.append(Event::Answered { answer });
    }

    fn forget_unheld(&mut self) {
        let held: Vec<usize> = self.vault.values().copied().collect();
        for (at, key) in self.remote.iter_mut().enumerate() {
            if !held.contains(&at) {
                key.alive = false;
            }
        }
    }

    fn paste(&mut self, state: &State) {
        let fate = self.roll();
        if state.slot < state.attempt {
            panic!("asked for a paste without a slot\n{}", self.story());
        }
        let at = if fate == 100 { 0 } else { self.born(false) };
        self.append(Event::Intent { act: Effect::Make { attempt: state.attempt } });
        if fate == 101 {
            // Killed before the paste was sealed: the person still has it, and pastes it again.
            self.remote[at].ours = false;
            self.unarrived.push(at);
            return;
        }
        self.slots.insert(state.attempt, Slot::Key(at));
        if fate == 102 {
            return; // killed between sealing and commit
        }
        self.append(Event::Outcome {
            act: Effect::Make { attempt: state.attempt },
            result: Outcome::Sealed { status: 0, complete: true },
        });
    }

    /// I1: a value that the service accepts lies in the vault or in a slot. Excepted: revoking alone, and an `old = dies`
    /// whose living key never arrived (cut-off, counted apart).
    fn something_can_be_had(&self) {
        let sealed = |at: usize| self.slots.values().any(|slot| matches!(slot, Slot::Key(held) if *held == at));
        let held = |at: usize| self.vault.values().any(|kept| *kept == at) || sealed(at);
        let alive: Vec<usize> = (0..self.remote.len()).filter(|at| self.remote[*at].alive).collect();
        let can_be_had = alive.iter().any(|at| held(*at));
        let cut_off = self.setting.old == Old::Dies && !self.unarrived.is_empty();
        assert!(can_be_had || cut_off || self.setting.purpose == Purpose::Revoke, "nothing can be had\n{}", self.story());
    }

    pub(crate) fn current_is_alive(&self) -> bool {
        self.current.is_some_and(|version| self.remote[self.vault[&version]].alive)
    }

    pub(crate) fn current_is_old(&self) -> bool {
        self.current == Some(self.old_version)
    }

    pub(crate) fn old_is_alive(&self) -> bool {
        self.remote[self.vault[&self.old_version]].alive
    }

    pub(crate) fn old_died_by_itself(&self) -> bool {
        self.setting.old == Old::Dies
    }

    /// Keys that bear our marker, are alive, and are not held.
    pub(crate) fn marked_orphans(&self) -> Vec<&str> {
        let held: Vec<usize> = self.vault.values().copied().collect();
        let orphan = |(at, key): &(usize, &Remote)| key.alive && key.ours && key.name.is_some() && !held.contains(at);
        self.remote.iter().enumerate().filter(orphan).map(|(_, key)| key.id.as_str()).collect()
    }

    pub(crate) fn story(&self) -> String {
        format!("{:?}\n{}", self.setting, self.told.join("\n"))
    }
}

fn no_verdict() -> Outcome {
    Outcome::Postponed { hindrance: Hindrance::NoVerdict, detail: "503".into() }
}
