//! Weighing what is wanted against what was shown: which reminders are due now, when to look again, and every notice to come.
//!
//! A rung is *reached* once its delivery instant has come, and *free* once nothing holds it back: quiet hours, a snooze, the
//! day's group having been shown. A version speaks when any reached rung is free; it then shows the gravest one reached and
//! covers the milder ones. So whoever slept over three thresholds gets one notice.

use super::calendar::{Calendar, Preferences};
use super::past::Past;
use super::threshold::{Manner, Rung, Threshold};
use super::{Ladder, Level, Reminder, Watched};
use crate::ids::{KeyId, VersionId};
use crate::ports::{Notice, NoticeOutcome};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use std::collections::HashMap;

/// Who was told something within this time before a digest is not told again by it.
const DIGEST_SPARES: TimeDelta = TimeDelta::days(6);

/// Everything that decides over reminders, at hand.
#[derive(Debug, Clone)]
pub struct Board<'a> {
    watched: &'a [Watched],
    /// Beside `watched`.
    past: Vec<Past>,
    /// Where a version stands in `watched`.
    place: HashMap<VersionId, usize>,
    /// When groups were shown, in no order.
    groups: Vec<DateTime<Utc>>,
    snoozes: HashMap<KeyId, DateTime<Utc>>,
    calendar: Calendar,
}

/// What holds reminders back at an instant, whichever version they are about.
struct Holds {
    quiet_until: Option<DateTime<Utc>>,
    grouped_until: Option<DateTime<Utc>>,
}

impl Holds {
    fn free(&self, manner: Manner) -> bool {
        match manner {
            Manner::AtOnce => true,
            Manner::Promptly => self.quiet_until.is_none(),
            Manner::Grouped => self.quiet_until.is_none() && self.grouped_until.is_none(),
        }
    }
}

impl<'a> Board<'a> {
    /// Lays out ledger rows: all `notices` of the watched versions, and the `snoozes`, those included that have ended and
    /// whose end may not have been told yet (ask the ledger for those that reach past a month ago).
    #[must_use]
    pub fn new(
        watched: &'a [Watched],
        notices: &[Notice],
        snoozes: &[(KeyId, DateTime<Utc>)],
        zone: Tz,
        preferences: Preferences,
    ) -> Self {
        let mut board = Self {
            watched,
            past: vec![Past::default(); watched.len()],
            place: watched.iter().enumerate().map(|(place, watched)| (watched.version, place)).collect(),
            groups: Vec::new(),
            snoozes: snoozes.iter().copied().collect(),
            calendar: Calendar { zone, preferences },
        };
        for notice in notices {
            board.record(notice);
        }
        board
    }

    /// Takes note of a row that the ledger now has. Rows of other versions or revisions, and thresholds that a newer version
    /// of Keytender recorded, count for nothing.
    pub fn record(&mut self, notice: &Notice) {
        let Some(&place) = self.place.get(&notice.version) else { return };
        let Ok(threshold) = notice.threshold.parse::<Threshold>() else { return };
        let grouped = match threshold {
            Threshold::Rung(rung) => rung.manner() == Manner::Grouped,
            Threshold::Digest(_) => true,
            Threshold::Snoozed(_) => false,
        };
        if grouped && notice.outcome == NoticeOutcome::Shown && self.groups.last() != Some(&notice.at) {
            self.groups.push(notice.at);
        }
        if self.watched[place].expiry_revision == notice.expiry_revision {
            self.past[place].record(threshold, notice.outcome, notice.at);
        }
    }

    /// What is to be shown at `now`, in the order of the watched versions: one reminder a version at most. The same answer
    /// is given until its rows are recorded.
    #[must_use]
    pub fn due(&self, now: DateTime<Utc>) -> Vec<Reminder> {
        let holds = self.holds(now);
        let reached = self.watched.iter().zip(&self.past).filter(|(watched, _)| watched.ladder.due <= now);
        reached.filter_map(|(watched, past)| self.due_of(watched, past, &holds, now)).collect()
    }

    /// The next instant at which [`Self::due`] may answer otherwise, if nothing is recorded or changed meanwhile. Ask again
    /// after recording, and on waking: waiting timers stand still while a computer sleeps.
    #[must_use]
    pub fn next_wake(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut next: Option<DateTime<Utc>> = None;
        let mut held = false;
        for (watched, past) in self.watched.iter().zip(&self.past) {
            // Nothing of a version happens before it is due, so most of them cost one comparison.
            if past.cancelled || next.is_some_and(|next| watched.ladder.due >= next) {
                continue;
            }
            held |= watched.ladder.due <= now;
            let rungs = self.wanted(watched, past).map(|rung| self.delivery(&watched.ladder, rung));
            let snooze = self.snooze_of(watched);
            let digest = self.calendar.digest_from(watched.ladder.due.max(watched.added_at), now);
            let coming = rungs.chain(snooze).chain(digest).filter(|at| *at > now).min();
            next = earlier(next, coming);
        }
        if held {
            let holds = self.holds(now);
            next = earlier(next, holds.quiet_until);
            next = earlier(next, holds.grouped_until);
        }
        next
    }

    /// Every notice to come in the `days` after `from`, `from` included, if nothing is done about any of them: exactly what
    /// asking [`Self::due`] at every instant, and recording, would give.
    #[must_use]
    pub fn simulate(&self, from: DateTime<Utc>, days: u32) -> Vec<(DateTime<Utc>, Vec<Reminder>)> {
        let mut board = self.clone();
        let end = from.checked_add_signed(TimeDelta::days(i64::from(days))).unwrap_or(DateTime::<Utc>::MAX_UTC);
        let mut shown = Vec::new();
        let mut at = Some(from);
        while let Some(now) = at.filter(|now| *now < end) {
            let reminders = board.due(now);
            reminders.iter().flat_map(|reminder| reminder.rows(now)).for_each(|row| board.record(&row));
            if !reminders.is_empty() {
                shown.push((now, reminders));
            }
            at = board.next_wake(now);
        }
        shown
    }

    /// The rows that cancel whatever is still to come for a key: "let it expire", or the last word on a version that has been
    /// replaced.
    #[must_use]
    pub fn cancellations(&self, key: KeyId, at: DateTime<Utc>) -> Vec<Notice> {
        let of_key = self.watched.iter().zip(&self.past).filter(|(watched, _)| watched.key == key);
        let pending = of_key.flat_map(|(watched, past)| {
            let rungs = watched.ladder.rungs.iter().filter(|rung| past.awaits(**rung));
            rungs.map(move |rung| (watched, Threshold::Rung(*rung)))
        });
        pending
            .map(|(watched, threshold)| Notice {
                version: watched.version,
                expiry_revision: watched.expiry_revision,
                threshold: threshold.to_string(),
                outcome: NoticeOutcome::Cancelled,
                at,
            })
            .collect()
    }

    fn due_of(&self, watched: &Watched, past: &Past, holds: &Holds, now: DateTime<Utc>) -> Option<Reminder> {
        if past.cancelled {
            return None;
        }
        let snooze = self.snooze_of(watched);
        let snoozed = snooze.is_some_and(|until| now < until);
        let ended = snooze.filter(|until| !snoozed && past.snoozed < Some(*until) && past.shown < Some(*until));
        let mut gravest = None;
        let mut free = ended.is_some();
        for rung in self.wanted(watched, past) {
            if self.delivery(&watched.ladder, rung) <= now {
                gravest = gravest.max(Some(rung));
                // A snooze cannot hold back the last day: an earlier expiry may have been learned since it was asked for.
                free |= holds.free(rung.manner()) && !(snoozed && rung.manner() == Manner::Grouped);
            }
        }
        let threshold = match (free, gravest, ended) {
            (true, Some(rung), _) => Threshold::Rung(rung),
            (true, None, Some(until)) => Threshold::Snoozed(until),
            _ if snoozed => return None,
            _ => self.digest_of(watched, past, holds, now)?,
        };
        let passed_over = watched.ladder.rungs.iter().copied().filter(|rung| past.awaits(*rung));
        let passed_over = passed_over.map(Threshold::Rung).filter(|milder| *milder < threshold);
        let snooze_told = ended.map(Threshold::Snoozed).filter(|snooze| *snooze != threshold);
        let level = match threshold {
            Threshold::Rung(rung) => rung.level(),
            Threshold::Snoozed(_) | Threshold::Digest(_) => Level::Due,
        };
        Some(Reminder {
            key: watched.key,
            version: watched.version,
            expiry_revision: watched.expiry_revision,
            threshold,
            covers: passed_over.chain(snooze_told).collect(),
            level: level.max(watched.ladder.level(now)),
            label: watched.label.clone(),
            dies: watched.ladder.dies,
            estimated: watched.estimated,
            needs_person: !watched.rotates_itself,
        })
    }

    /// The digest of the day, if this version belongs into it. One that nobody was awake for lapses with its day: the list
    /// in the window says the same.
    fn digest_of(&self, watched: &Watched, past: &Past, holds: &Holds, now: DateTime<Utc>) -> Option<Threshold> {
        let (date, at) = self.calendar.digest_today(now)?;
        let belongs = at >= watched.ladder.due.max(watched.added_at)
            && past.digest < Some(date)
            && past.shown.is_none_or(|shown| shown < at - DIGEST_SPARES)
            && !(watched.rotates_itself && now < watched.ladder.urgent());
        (belongs && holds.free(Manner::Grouped)).then_some(Threshold::Digest(date))
    }

    /// The rungs of which something may still be said.
    fn wanted<'w>(&self, watched: &'w Watched, past: &'w Past) -> impl Iterator<Item = Rung> + use<'w> {
        let rungs = watched.ladder.rungs.iter().copied();
        rungs.filter(|rung| past.awaits(*rung) && !(watched.rotates_itself && rung.level() == Level::Notice))
    }

    /// When a rung is to be told.
    fn delivery(&self, ladder: &Ladder, rung: Rung) -> DateTime<Utc> {
        let nominal = ladder.nominal(rung);
        if rung.manner() != Manner::Grouped {
            return nominal;
        }
        let slot = self.calendar.group_from(nominal);
        if rung.level() == Level::Dead || slot < ladder.urgent() {
            return slot;
        }
        // A weekend would swallow what is left before the last day: the group before it, while that is not too soon to say.
        let before = self.calendar.group_before(nominal);
        if before >= ladder.due { before } else { nominal }
    }

    /// When a key's snooze ends, where it has to do with this version while it is due.
    fn snooze_of(&self, watched: &Watched) -> Option<DateTime<Utc>> {
        let until = self.snoozes.get(&watched.key).copied();
        until.filter(|until| *until >= watched.ladder.due && *until >= watched.added_at)
    }

    fn holds(&self, now: DateTime<Utc>) -> Holds {
        let last_group = self.groups.iter().filter(|at| **at <= now).max();
        Holds {
            quiet_until: self.calendar.quiet_until(now),
            grouped_until: last_group.map(|at| self.calendar.group_on_later_day(*at)).filter(|until| now < *until),
        }
    }
}

fn earlier(one: Option<DateTime<Utc>>, other: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
