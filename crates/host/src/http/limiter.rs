//! How often a service is called: a budget of calls a minute, and what the service itself asked for by `Retry-After`.
//!
//! Never waits. A call over the budget is answered with the instant from which it fits. Lives as long as the process does;
//! what must hold for longer is in the ledger.

use chrono::{DateTime, TimeDelta, Utc};
use keytender_core::exchange::{CallClass, Origin, RequestValue};
use keytender_core::words::ServiceSlug;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The span that budgets are counted over.
const WINDOW: TimeDelta = TimeDelta::minutes(1);
/// Asking whether a key is alive is cheap for a service, and the daily check asks about all keys of it at once.
const VERIFY_BUDGET_FACTOR: usize = 6;
/// The longest hold that is believed: a service that asks for more has most likely got a unit wrong.
const HOLD_MAX: TimeDelta = TimeDelta::hours(24);

/// Which budget a call counts against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Budget {
    Verify,
    Management,
}

/// A service's wish not to be called.
struct Hold {
    since: DateTime<Utc>,
    until: DateTime<Utc>,
}

#[derive(Default)]
struct Calls {
    /// The instants of the calls within the window, oldest first.
    made: HashMap<(ServiceSlug, Budget), VecDeque<DateTime<Utc>>>,
    /// By origin too: one self-hosted server's wish says nothing about another's.
    holds: HashMap<(ServiceSlug, Origin), Hold>,
}

/// The calls of this process.
#[derive(Default)]
pub(super) struct Limiter {
    calls: Mutex<Calls>,
}

impl Limiter {
    /// Counts a call in, or says from when on it fits.
    pub(super) fn admit(&self, request: &RequestValue, origin: &Origin, now: DateTime<Utc>) -> Result<(), DateTime<Utc>> {
        let mut calls = self.calls();
        // A clock that was set back makes instants lie in the future; they are forgotten, or they would block for as long.
        if let Some(hold) = calls.holds.get(&(request.service.clone(), origin.clone()))
            && (hold.since..hold.until).contains(&now)
        {
            return Err(hold.until);
        }
        let per_minute = request.calls_per_minute.max(1) as usize;
        let (budget, limit) = match request.class {
            CallClass::Verify => (Budget::Verify, per_minute.saturating_mul(VERIFY_BUDGET_FACTOR)),
            CallClass::List | CallClass::Make | CallClass::Retire => (Budget::Management, per_minute),
        };
        let made = calls.made.entry((request.service.clone(), budget)).or_default();
        made.retain(|at| *at <= now && now - *at < WINDOW);
        match made.len().checked_sub(limit).and_then(|over| made.get(over)) {
            // With the one at `over` out of the window, there is room for one more.
            Some(at) => Err(*at + WINDOW),
            None => {
                made.push_back(now);
                Ok(())
            }
        }
    }

    /// Takes note that the service wants to be left alone until the instant.
    pub(super) fn hold(&self, service: &ServiceSlug, origin: &Origin, now: DateTime<Utc>, until: DateTime<Utc>) {
        let until = until.min(now + HOLD_MAX);
        self.calls().holds.insert((service.clone(), origin.clone()), Hold { since: now, until });
    }

    /// The counts, which are whole even if a thread panicked while it had them.
    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use keytender_core::secret::SecretText;

    fn call(service: &str, class: CallClass, calls_per_minute: u32) -> RequestValue {
        RequestValue {
            service: ServiceSlug(service.to_owned()),
            class,
            method: "GET",
            url: SecretText::new(String::new()),
            shown: String::new(),
            headers: Vec::new(),
            body: None,
            origins: Vec::new(),
            self_hosted: false,
            calls_per_minute,
        }
    }

    fn origin(url: &str) -> Origin {
        Origin::of(&url.parse().unwrap()).unwrap()
    }

    fn second(n: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_795_000_000 + n, 0).unwrap()
    }

    #[test]
    fn a_thousand_keys_at_once_get_ten_calls_a_minute() {
        let (limiter, here) = (Limiter::default(), origin("https://a.example"));
        let make = call("a", CallClass::Make, 10);
        let mut now = second(0);
        let mut admitted = Vec::new();
        while admitted.len() < 1000 {
            match limiter.admit(&make, &here, now) {
                Ok(()) => admitted.push(now),
                Err(at) => {
                    assert!(at > now, "the instant that is named must be ahead");
                    now = at;
                }
            }
        }
        assert!(admitted.windows(11).all(|eleven| eleven[10] - eleven[0] >= WINDOW));
        assert_eq!(now, second(99 * 60), "and no call waits longer than it must");
    }

    #[test]
    fn services_and_kinds_of_call_have_budgets_of_their_own() {
        let (limiter, here) = (Limiter::default(), origin("https://a.example"));
        limiter.admit(&call("a", CallClass::List, 1), &here, second(0)).unwrap();
        assert_eq!(limiter.admit(&call("a", CallClass::Retire, 1), &here, second(1)), Err(second(60)));
        limiter.admit(&call("b", CallClass::Make, 1), &here, second(1)).unwrap();
        for n in 0..6 {
            limiter.admit(&call("a", CallClass::Verify, 1), &here, second(n)).unwrap();
        }
        assert_eq!(limiter.admit(&call("a", CallClass::Verify, 1), &here, second(6)), Err(second(60)));
        limiter.admit(&call("z", CallClass::Make, 0), &here, second(0)).unwrap();
    }

    #[test]
    fn a_hold_stops_every_call_to_that_origin_until_its_end() {
        let (limiter, here, there) = (Limiter::default(), origin("https://a.example"), origin("https://b.example"));
        let verify = call("a", CallClass::Verify, 10);
        limiter.hold(&verify.service, &here, second(0), second(90));
        assert_eq!(limiter.admit(&verify, &here, second(89)), Err(second(90)));
        limiter.admit(&verify, &there, second(89)).unwrap();
        limiter.admit(&verify, &here, second(90)).unwrap();
    }

    #[test]
    fn neither_an_absurd_hold_nor_a_clock_set_back_blocks_for_good() {
        let (limiter, here) = (Limiter::default(), origin("https://a.example"));
        let verify = call("a", CallClass::Verify, 1);
        limiter.hold(&verify.service, &here, second(0), DateTime::<Utc>::MAX_UTC);
        assert_eq!(limiter.admit(&verify, &here, second(1)), Err(second(86_400)));
        for _ in 0..6 {
            limiter.admit(&verify, &here, second(-86_400)).unwrap();
        }
        limiter.admit(&verify, &here, second(-200_000)).unwrap();
    }
}
