//! The effects that are requests: verify, list, make, revoke.

use super::driver::Run;
use super::halt::Halt;
use crate::error::Error;
use chrono::{DateTime, TimeDelta, Utc};
use keytender_core::exchange::ResponseValue;
use keytender_core::ports::{HttpError, HttpTrouble, Sealed, Sent};
use keytender_core::rotation::{Effect, Event, Hindrance, Outcome};
use keytender_core::words::Health;
use keytender_services::{Held, RevokeReading, Standing, Subject};

impl Run<'_> {
    /// Everything templates are filled from. The values must have been fetched before.
    pub(super) fn standing(&self) -> Standing<'_> {
        let old = self.old.as_ref().map(|value| Held { value, remote_id: self.state.old_id.as_deref(), remote_name: None });
        let new = self.new.as_ref().zip(self.state.kept.as_ref()).map(|(value, (kept, _))| Held {
            value,
            remote_id: kept.remote_id.as_deref(),
            remote_name: kept.remote_name.as_deref(),
        });
        self.scene.standing(old, new)
    }

    fn need_all(&mut self) -> Result<(), Halt> {
        self.need_old()?;
        self.need_new()?;
        Ok(self.api.fetch_managing(&mut self.scene)?)
    }

    pub(super) fn verify(&mut self, subject: Subject) -> Result<Outcome, Halt> {
        self.need_all()?;
        let standing = self.standing();
        let response = self.api.parts.http.send(&standing.verify_request(subject)?)?;
        let mut reading = standing.read_verify(subject, &response);
        reading.learned.clock_ahead_seconds = clock_ahead(&response);
        match reading.health {
            Health::Unknown => Err(no_verdict(&response, reading.evidence)),
            health => Ok(Outcome::Verdict { health, learned: reading.learned, evidence: reading.evidence }),
        }
    }

    pub(super) fn list(&mut self, subject: Subject) -> Result<Outcome, Halt> {
        self.need_all()?;
        let standing = self.standing();
        let response = self.api.parts.http.send(&standing.list_request(subject)?)?;
        let reading = standing.read_list(&response).map_err(|failure| no_verdict(&response, failure.evidence))?;
        let old = if subject == Subject::New { standing.identify(&reading, subject) } else { reading.old.clone() };
        Ok(Outcome::Listed { entries: reading.entries, old, evidence: reading.evidence })
    }

    pub(super) fn make(&mut self, attempt: u32) -> Result<Outcome, Halt> {
        if let Some(until) = self.made_enough()? {
            let detail =
                format!("{} keys were made for this key within a day, the most that this service allows for", self.makes_a_day());
            return Err(Halt::Hindered(Hindrance::Limited { until }, detail));
        }
        self.need_all()?;
        let request = self.standing().make_request()?;
        let response = self.api.parts.http.send(&request).map_err(make_failed)?;
        self.api.parts.checkpoint.pass("called:make");
        let sealed =
            Sealed { status: response.status, headers: response.headers, body: response.body, complete: response.complete };
        let slot = self.slot(attempt);
        // Not a hindrance: the service has acted. The run stops, and what it made is reconciled.
        self.api.parts.escrow.seal(slot, &sealed).map_err(Error::from)?;
        self.api.parts.checkpoint.pass("sealed:make");
        Ok(Outcome::Sealed { status: sealed.status, complete: sealed.complete })
    }

    fn makes_a_day(&self) -> u32 {
        self.scene.service.limits.makes_per_day
    }

    /// When the next key may be made, if this key has had its day's share. Counted from the journals.
    fn made_enough(&self) -> Result<Option<DateTime<Utc>>, Error> {
        let ledger = &self.api.parts.ledger;
        let day_ago = self.api.parts.clock.now() - TimeDelta::days(1);
        let mut makes = Vec::new();
        for row in ledger.rotations(false)?.into_iter().filter(|row| row.key == self.key()) {
            // Only calls that the service may have acted on; a paste has status 0.
            let reached = |event: &Event| match event {
                Event::Outcome { act: Effect::Make { .. }, result: Outcome::Sealed { status, .. } } => *status != 0,
                Event::Outcome { act: Effect::Make { .. }, result } => matches!(result, Outcome::NoReply { .. }),
                _ => false,
            };
            let journal = ledger.journal(row.id)?.into_iter();
            makes.extend(journal.filter(|row| row.at > day_ago && reached(&row.event)).map(|row| row.at));
        }
        makes.sort_unstable();
        let most = self.makes_a_day() as usize;
        Ok(makes.len().checked_sub(most).and_then(|oldest| makes.get(oldest)).map(|at| *at + TimeDelta::days(1)))
    }

    pub(super) fn revoke(&mut self, id: Option<String>, signer: Subject) -> Result<Outcome, Halt> {
        self.need_all()?;
        let standing = self.standing();
        let request = standing.revoke_request(id.as_deref(), signer)?;
        let response = self.api.parts.http.send(&request)?;
        match standing.read_revoke(&response) {
            RevokeReading::Revoked { evidence } => Ok(Outcome::Revoked { evidence }),
            RevokeReading::NotRevoked { evidence } => Ok(Outcome::NotRevoked { evidence }),
            RevokeReading::NoVerdict { evidence } => Err(no_verdict(&response, evidence)),
            RevokeReading::Limited { until } => {
                let detail = format!("{} {} answered {}", request.method, request.shown, response.status);
                Err(Halt::Hindered(Hindrance::Limited { until }, detail))
            }
        }
    }
}

/// A make that brought no reply: whether the service may have acted is the difference between again and never by itself.
fn make_failed(error: HttpError) -> Halt {
    match (&error.trouble, error.sent) {
        (HttpTrouble::Limited(_) | HttpTrouble::Forbidden(_), _) => error.into(),
        (_, Sent::No) => Outcome::NotSent { detail: error.to_string() }.into(),
        (_, Sent::Maybe) => Outcome::NoReply { detail: error.to_string() }.into(),
    }
}

/// A 429 or a Retry-After tells when to ask again; anything else is asked again with growing pauses.
fn no_verdict(response: &ResponseValue, evidence: String) -> Halt {
    let hindrance = match keytender_core::retry_after::retry_after(response, response.received_at) {
        Some(until) if until > response.received_at => Hindrance::Limited { until },
        _ => Hindrance::NoVerdict,
    };
    Halt::Hindered(hindrance, evidence)
}

/// How far this computer's clock is ahead of the service's, from its `Date` header (RFC 9110 gives it to the second).
fn clock_ahead(response: &ResponseValue) -> Option<i64> {
    let theirs = DateTime::parse_from_rfc2822(response.header("date")?).ok()?;
    Some((response.received_at - theirs.to_utc()).num_seconds())
}
