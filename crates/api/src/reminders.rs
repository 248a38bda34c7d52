//! Reminders: what is due, what will be said and when, and putting it off.
//!
//! The arithmetic is `keytender_core::reminder`'s; here it is laid out over the ledger. What may not live here: showing a
//! notice, and the tick that asks again.

use crate::Api;
use crate::error::Error;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use keytender_core::expiry::{Expiry, parse_expires};
use keytender_core::ids::KeyId;
use keytender_core::ports::Change;
use keytender_core::reminder::{
    Board, Group, Level, Offer, Preferences, Reminder, SnoozeUntil, Threshold, Watched, level, offers,
};
use keytender_core::words::{Activity, ActivityKind, Health, Integration, Key, Version};
use serde::Serialize;
use std::collections::HashMap;

/// How far back snoozes are looked at: the end of one is told once, also to someone who was away when it came.
const SNOOZES_BACK: TimeDelta = TimeDelta::days(31);

/// What is due.
#[derive(Debug, Clone, Serialize)]
pub struct RemindersView {
    /// One sentence about all of it; none when nothing is due.
    pub sentence: Option<String>,
    /// A line a key, the most pressing first.
    pub due: Vec<ReminderView>,
    /// When a notice may come next, if nothing changes.
    pub next_notice_at: Option<DateTime<Utc>>,
}

/// A key that is due.
#[derive(Debug, Clone, Serialize)]
pub struct ReminderView {
    /// `integration/key`.
    pub key: String,
    /// What a notice calls it.
    pub label: String,
    /// How grave it is.
    pub level: Level,
    /// When it dies, and how that is known.
    pub expiry: Expiry,
    /// Whole days until then; negative once it is past; none when no date is known.
    pub days_left: Option<i64>,
    /// The service refused it when last asked, whatever the calendar says.
    pub found_dead: bool,
    /// No notices before this instant.
    pub snoozed_until: Option<DateTime<Utc>>,
}

/// A notice to come.
#[derive(Debug, Clone, Serialize)]
pub struct SimulatedView {
    /// When it will be shown.
    pub at: DateTime<Utc>,
    /// How grave it is.
    pub level: Level,
    /// What it will say.
    pub sentence: String,
    /// The keys it is about, as `integration/key`, each with the threshold it was reached by.
    pub keys: Vec<SimulatedKey>,
}

/// A key in a notice to come.
#[derive(Debug, Clone, Serialize)]
pub struct SimulatedKey {
    /// `integration/key`.
    pub key: String,
    /// Such as `14d`, `dead+1d`, `digest 2026-11-23`.
    pub threshold: String,
}

/// A snooze, or the ones that may be chosen.
#[derive(Debug, Clone, Serialize)]
pub struct SnoozeView {
    /// `integration/key`.
    pub key: String,
    /// Until when nothing will be said, if one was chosen.
    pub until: Option<DateTime<Utc>>,
    /// What may be chosen now, soonest first.
    pub offers: Vec<Offer>,
}

/// A notice, ready to be shown.
#[derive(Debug, Clone, Serialize)]
pub struct NoticeText {
    /// One line.
    pub summary: String,
    /// A line a key; empty where the summary says it all.
    pub body: String,
    /// How grave it is.
    pub level: Level,
    /// The keys it is about, as `integration/key`.
    pub keys: Vec<String>,
}

/// Ledger rows that reminders are computed from.
struct Rows {
    keys: Vec<(Key, Version, String)>,
    snoozes: Vec<(KeyId, DateTime<Utc>)>,
    zone: Tz,
}

/// How far ahead notices are computed, in days: ten years. A dead key's weekly digest has no end of its own.
const SIMULATED_DAYS_MAX: u32 = 3_660;

impl Api {
    /// What is due now: everything that stands on its ladder, and what the service was found to refuse. Reads no values.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn reminders(&self, preferences: &Preferences) -> Result<RemindersView, Error> {
        let now = self.parts.clock.now();
        let rows = self.reminder_rows(now)?;
        let names = self.key_names()?;
        let snoozes: HashMap<_, _> = rows.snoozes.iter().filter(|(_, until)| now < *until).copied().collect();
        let mut due: Vec<(Reminder, ReminderView)> = Vec::new();
        for (key, version, label) in rows.keys.iter().filter(|(key, ..)| !key.disabled) {
            let found_dead = version.health.as_ref().is_some_and(|check| check.health == Health::Dead);
            let level = if found_dead { Level::Dead } else { level(&version.expiry, version.issued_at, now) };
            if level == Level::Calm {
                continue;
            }
            let view = ReminderView {
                key: names.get(&key.id).cloned().unwrap_or_default(),
                label: label.clone(),
                level,
                expiry: version.expiry.clone(),
                days_left: version.expiry.days_left(now),
                found_dead,
                snoozed_until: snoozes.get(&key.id).copied(),
            };
            due.push((standing(key, version, label, level, now), view));
        }
        due.sort_by(|(one, _), (other, _)| (other.level, one.dies, &one.label).cmp(&(one.level, other.dies, &other.label)));
        let (reminders, due): (Vec<Reminder>, Vec<ReminderView>) = due.into_iter().unzip();
        let watched = watched(&rows);
        let board = Board::new(&watched, &self.parts.ledger.notices()?, &rows.snoozes, rows.zone, preferences.clone());
        let next_notice_at = if board.due(now).is_empty() { board.next_wake(now) } else { Some(now) };
        Ok(RemindersView { sentence: Group::of(&reminders, now).map(|group| group.sentence), due, next_notice_at })
    }

    /// Every notice of the next days, if nothing is done about any of them.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn reminders_simulate(&self, preferences: &Preferences, days: u32) -> Result<Vec<SimulatedView>, Error> {
        if days > SIMULATED_DAYS_MAX {
            return Err(Error::invalid(format!("at most {SIMULATED_DAYS_MAX} days can be looked ahead")));
        }
        let now = self.parts.clock.now();
        let rows = self.reminder_rows(now)?;
        let names = self.key_names()?;
        let watched = watched(&rows);
        let board = Board::new(&watched, &self.parts.ledger.notices()?, &rows.snoozes, rows.zone, preferences.clone());
        let shown = board.simulate(now, days).into_iter().filter_map(|(at, reminders)| {
            let Group { sentence, level, .. } = Group::of(&reminders, at)?;
            let key = |one: &Reminder| SimulatedKey {
                key: names.get(&one.key).cloned().unwrap_or_default(),
                threshold: one.threshold.to_string(),
            };
            Some(SimulatedView { at, level, sentence, keys: reminders.iter().map(key).collect() })
        });
        Ok(shown.collect())
    }

    /// Puts reminders of a key off until one of the offers or a typed date, or tells what may be chosen if none is named.
    ///
    /// # Errors
    /// When there is nothing to put off, or the date reaches into the key's last day.
    pub fn snooze(&self, address: &str, until: Option<&str>, preferences: &Preferences) -> Result<SnoozeView, Error> {
        let (integration, key) = self.find_key(address)?;
        let now = self.parts.clock.now();
        let version = key.current.map(|id| self.parts.ledger.version(id)).transpose()?;
        let watched = version.as_ref().and_then(|version| Watched::of(&key, version, label(&integration, &key), false));
        let Some(watched) = watched else {
            return Err(Error::invalid("no notice will come for this key, so there is nothing to put off")
                .help("its date may be unknown, or it is disabled: `keytender key show` tells"));
        };
        let dies = watched.ladder().dies();
        let offers = offers(dies, now, self.zone(), preferences);
        let key_name = self.key_address(key.id)?;
        let Some(text) = until else { return Ok(SnoozeView { key: key_name, until: None, offers }) };
        let named = offers.iter().find(|offer| word(offer.choice) == text).map(|offer| offer.until);
        let until = named.or_else(|| typed(text, now, dies)).ok_or_else(|| {
            let words: Vec<&str> = offers.iter().map(|offer| word(offer.choice)).collect();
            let help = if words.is_empty() {
                "it is dead or about to die; replace it with `keytender rotate`".to_owned()
            } else {
                format!("choose one of {}, or a date before its last day", words.join(", "))
            };
            Error::invalid(format!("reminders of this key cannot be put off until `{text}`")).help(help)
        })?;
        let text = format!("reminders put off until {}", until.format("%Y-%m-%d %H:%M UTC"));
        let line = Activity { at: now, kind: ActivityKind::Reminded, key: Some(key.id), rotation: None, text };
        self.parts.ledger.apply(&[Change::Snooze { key: key.id, until }, Change::Log(line)])?;
        Ok(SnoozeView { key: key_name, until: Some(until), offers })
    }

    /// Shows what is to be shown now, through `show`, and then records it: a process that dies in between shows it again.
    /// None where nothing is to be said.
    ///
    /// # Errors
    /// When the ledger fails.
    pub fn remind_once(&self, preferences: &Preferences, show: &mut dyn FnMut(&NoticeText)) -> Result<Option<NoticeText>, Error> {
        let now = self.parts.clock.now();
        let rows = self.reminder_rows(now)?;
        let watched = watched(&rows);
        let board = Board::new(&watched, &self.parts.ledger.notices()?, &rows.snoozes, rows.zone, preferences.clone());
        let reminders = board.due(now);
        let Some(Group { sentence, lines, level }) = Group::of(&reminders, now) else { return Ok(None) };
        let names = self.key_names()?;
        let keys = reminders.iter().filter_map(|one| names.get(&one.key).cloned()).collect();
        let notice = NoticeText { summary: sentence, body: lines.join("\n"), level, keys };
        show(&notice);
        self.parts.checkpoint.pass("shown:remind");
        let mut changes: Vec<Change> = Vec::new();
        for one in &reminders {
            changes.extend(one.rows(now).into_iter().map(Change::AddNotice));
            let text = format!("reminded ({})", one.threshold);
            let line = Activity { at: now, kind: ActivityKind::Reminded, key: Some(one.key), rotation: None, text };
            changes.push(Change::Log(line));
        }
        self.parts.ledger.apply(&changes)?;
        Ok(Some(notice))
    }

    fn reminder_rows(&self, now: DateTime<Utc>) -> Result<Rows, Error> {
        let integrations: HashMap<_, _> = self.parts.ledger.integrations()?.into_iter().map(|it| (it.id, it)).collect();
        let mut versions: HashMap<_, _> = self.parts.ledger.current_versions()?.into_iter().map(|it| (it.key, it)).collect();
        let mut keys = Vec::new();
        for key in self.parts.ledger.keys()? {
            if let (Some(version), Some(integration)) = (versions.remove(&key.id), integrations.get(&key.integration)) {
                let label = label(integration, &key);
                keys.push((key, version, label));
            }
        }
        Ok(Rows { keys, snoozes: self.parts.ledger.snoozes(now - SNOOZES_BACK)?, zone: self.zone() })
    }

    /// The person's zone; UTC where the system names one that the tables do not know.
    fn zone(&self) -> Tz {
        self.parts.clock.zone().parse().unwrap_or(Tz::UTC)
    }
}

/// Nothing here knows of rotations that start by themselves, so every key needs a person.
fn watched(rows: &Rows) -> Vec<Watched> {
    rows.keys.iter().filter_map(|(key, version, label)| Watched::of(key, version, label.clone(), false)).collect()
}

fn label(integration: &Integration, key: &Key) -> String {
    format!("{} {}", integration.name, key.name)
}

/// A key's standing in the words of a reminder, so that the list's sentence is the notices' own.
fn standing(key: &Key, version: &Version, label: &str, level: Level, now: DateTime<Utc>) -> Reminder {
    let found_dead = version.health.as_ref().filter(|check| check.health == Health::Dead).map(|check| check.at);
    let dies = version.expiry.at().map(|at| at.instant());
    Reminder {
        key: key.id,
        version: version.id,
        expiry_revision: version.expiry_revision,
        threshold: Threshold::Digest(now.date_naive()),
        covers: Vec::new(),
        level,
        label: label.to_owned(),
        // What was found dead died then at the latest, whatever its date says.
        dies: [found_dead, dies].into_iter().flatten().min().unwrap_or(now),
        estimated: matches!(version.expiry, Expiry::Estimated { .. }),
        needs_person: true,
    }
}

/// A typed date that a snooze may reach to: before the last day begins.
fn typed(text: &str, now: DateTime<Utc>, dies: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let Ok(Expiry::Typed { at }) = parse_expires(text, now) else { return None };
    Some(at.instant()).filter(|at| now < *at && *at <= dies - TimeDelta::days(1))
}

/// An offer as the command line spells it.
fn word(choice: SnoozeUntil) -> &'static str {
    match choice {
        SnoozeUntil::TomorrowMorning => "tomorrow-morning",
        SnoozeUntil::NextWorkday => "next-workday",
        SnoozeUntil::ThreeDays => "three-days",
        SnoozeUntil::OneDayLeft => "one-day-left",
        SnoozeUntil::OneHour => "one-hour",
        SnoozeUntil::Tonight => "tonight",
    }
}
