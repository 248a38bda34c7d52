//! The one thread that speaks to the keychain, and the patience of those who ask it.
//!
//! Calls into a keychain can hang (a stopped daemon, a prompt nobody answers) and cannot be cancelled, so no caller makes
//! them itself: a job goes to the owner thread and the caller waits for a bounded time. A call that overstays is abandoned
//! together with its thread; there is one thread, so there is never more than one abandoned call. Until it returns, every
//! other caller is told at once. What may not live here: anything about a particular keychain.

use super::trouble::Trouble;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a caller waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// For an answer of the keychain. A healthy one takes milliseconds, so 5 s of silence is a hang.
    pub call: Duration,
    /// For a person at an unlock prompt.
    pub prompt: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self { call: Duration::from_secs(5), prompt: Duration::from_secs(30) }
    }
}

/// Takes a prompt off the screen.
type Dismiss = Box<dyn FnOnce() + Send>;

/// The job that the owner thread is at.
struct Running {
    since: Instant,
    /// While a person is being asked.
    prompt: Option<Dismiss>,
    /// Whether a person is or was being asked and the asking has not returned.
    prompting: bool,
    /// Somebody's patience with it has ended. Told by the caller rather than by `since`: on a busy machine the job begins
    /// later than the waiting for it does.
    overstayed: bool,
}

struct Job<O> {
    /// The caller no longer waits: a job that has not begun must not begin.
    gave_up: Arc<AtomicBool>,
    run: Box<dyn FnOnce(&mut O) + Send>,
}

enum Signal<T> {
    PromptUp,
    PromptGone,
    Done(Result<T, Trouble>),
}

/// What a job may tell and ask about the one who waits for it.
pub(super) struct Ticket<'a> {
    running: &'a Mutex<Option<Running>>,
    gave_up: &'a AtomicBool,
    tell: &'a dyn Fn(bool),
}

impl Ticket<'_> {
    /// Runs `ask`, which puts a prompt before a person; `dismiss` takes it away when the caller's patience ends.
    ///
    /// # Errors
    /// What `ask` answers; [`Trouble::Locked`] if nobody waits any more: what was asked for is then not done.
    pub(super) fn prompt(&self, dismiss: Dismiss, ask: impl FnOnce() -> Result<(), Trouble>) -> Result<(), Trouble> {
        if let Some(running) = held(self.running).as_mut() {
            running.prompt = Some(dismiss);
            running.prompting = true;
        }
        (self.tell)(true);
        let asked = ask();
        if let Some(running) = held(self.running).as_mut() {
            running.prompt = None;
            running.prompting = false;
            running.overstayed = false;
            running.since = Instant::now();
        }
        (self.tell)(false);
        asked?;
        if self.gave_up.load(Ordering::SeqCst) { Err(Trouble::Locked) } else { Ok(()) }
    }
}

/// The desk before the owner thread: jobs are handed in here. `O` is what the thread owns.
pub(super) struct Desk<O> {
    jobs: Mutex<Option<Sender<Job<O>>>>,
    running: Arc<Mutex<Option<Running>>>,
    deadlines: Deadlines,
}

impl<O: Default + 'static> Desk<O> {
    pub(super) fn new(deadlines: Deadlines) -> Self {
        Self { jobs: Mutex::new(None), running: Arc::new(Mutex::new(None)), deadlines }
    }

    /// Has the owner thread do a job and waits for it within the deadlines.
    pub(super) fn ask<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut O, &Ticket<'_>) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, Trouble> {
        self.turn_away()?;
        let gave_up = Arc::new(AtomicBool::new(false));
        let (sender, signals) = mpsc::channel();
        let (given_up, running) = (Arc::clone(&gave_up), Arc::clone(&self.running));
        let run = Box::new(move |owner: &mut O| {
            let tell = |up| drop(sender.send(if up { Signal::PromptUp } else { Signal::PromptGone }));
            let done = job(owner, &Ticket { running: &running, gave_up: &given_up, tell: &tell });
            // Nobody may be waiting any more; then the answer is dropped, and wiped if it is a value.
            drop(sender.send(Signal::Done(done)));
        });
        self.hand_in(Job { gave_up: Arc::clone(&gave_up), run })?;

        let mut deadline = Instant::now() + self.deadlines.call;
        let mut prompting = false;
        loop {
            match signals.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(Signal::Done(done)) => return done,
                Ok(Signal::PromptUp) => (prompting, deadline) = (true, Instant::now() + self.deadlines.prompt),
                Ok(Signal::PromptGone) => (prompting, deadline) = (false, Instant::now() + self.deadlines.call),
                Err(RecvTimeoutError::Timeout) => {
                    gave_up.store(true, Ordering::SeqCst);
                    if let Some(running) = held(&self.running).as_mut() {
                        running.overstayed = true;
                    }
                    return Err(if prompting { self.dismiss() } else { self.hung() });
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Trouble::Failing("the thread that speaks to it ended".to_owned()));
                }
            }
        }
    }

    /// Answers at once where waiting would be in vain: a person is at a prompt, or the job at hand has overstayed.
    fn turn_away(&self) -> Result<(), Trouble> {
        match held(&self.running).as_ref() {
            Some(running) if running.prompting => Err(Trouble::Locked),
            Some(running) if running.overstayed || running.since.elapsed() >= self.deadlines.call => Err(self.hung()),
            _ => Ok(()),
        }
    }

    fn hung(&self) -> Trouble {
        Trouble::Hung(self.deadlines.call)
    }

    /// Takes the prompt away: left standing, it would hold the thread for as long as nobody answers it (or for ever, if its
    /// daemon has died), and an answer would come to a caller that has gone.
    fn dismiss(&self) -> Trouble {
        if let Some(dismiss) = held(&self.running).as_mut().and_then(|running| running.prompt.take()) {
            // On a thread of its own, because it may block and the caller's time is up. Should no thread start, the prompt
            // stays up and the job with it, which later callers are told.
            drop(std::thread::Builder::new().name("keychain-dismiss".to_owned()).spawn(dismiss));
        }
        Trouble::Locked
    }

    /// Gives the job to the owner thread, starting one where there is none (yet, or any more).
    fn hand_in(&self, job: Job<O>) -> Result<(), Trouble> {
        let mut jobs = held(&self.jobs);
        let job = match jobs.as_ref() {
            Some(thread) => match thread.send(job) {
                Ok(()) => return Ok(()),
                Err(mpsc::SendError(job)) => job,
            },
            None => job,
        };
        let (sender, queue) = mpsc::channel::<Job<O>>();
        let running = Arc::clone(&self.running);
        let work = move || {
            let mut owner = O::default();
            for job in queue {
                if !job.gave_up.load(Ordering::SeqCst) {
                    let _at_work = AtWork::begin(&running);
                    (job.run)(&mut owner);
                }
            }
        };
        std::thread::Builder::new()
            .name("keychain".to_owned())
            .spawn(work)
            .map_err(|error| Trouble::Failing(format!("no thread for it: {}", error.kind())))?;
        sender.send(job).map_err(|_| Trouble::Failing("the thread that speaks to it ended".to_owned()))?;
        *jobs = Some(sender);
        Ok(())
    }
}

/// Notes that a job runs, for as long as it does, however it ends.
struct AtWork<'a>(&'a Mutex<Option<Running>>);

impl<'a> AtWork<'a> {
    fn begin(running: &'a Mutex<Option<Running>>) -> Self {
        *held(running) = Some(Running { since: Instant::now(), prompt: None, prompting: false, overstayed: false });
        Self(running)
    }
}

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        *held(self.0) = None;
    }
}

/// The lock, whatever a panicking thread left behind: every state under it is valid by itself.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Deadlines = Deadlines { call: Duration::from_millis(100), prompt: Duration::from_millis(200) };
    /// Longer than anything here takes on a loaded machine.
    const AMPLE: Deadlines = Deadlines { call: Duration::from_secs(60), prompt: Duration::from_secs(60) };

    /// What the thread owns, as soon as it answers again.
    fn eventually<O: Default + Copy + Send + 'static>(desk: &Desk<O>) -> O {
        let begun = Instant::now();
        loop {
            match desk.ask(|owner, _| Ok(*owner)) {
                Ok(owner) => return owner,
                Err(_) if begun.elapsed() < Duration::from_secs(10) => std::thread::yield_now(),
                Err(trouble) => panic!("never free again: {trouble:?}"),
            }
        }
    }

    #[test]
    fn one_thread_owns_what_lasts_between_jobs() {
        let desk: Desk<Vec<u8>> = Desk::new(AMPLE);
        let mut threads = Vec::new();
        for n in 1..=3 {
            let ask = desk.ask(move |owner, _| {
                owner.push(n);
                Ok((owner.clone(), std::thread::current().id()))
            });
            let (owned, thread) = ask.ok().unwrap();
            assert_eq!(owned.len(), usize::from(n));
            threads.push(thread);
        }
        threads.dedup();
        assert_eq!(threads.len(), 1);
    }

    #[test]
    fn a_hung_call_is_abandoned_and_others_are_told_at_once_until_it_returns() {
        let desk: Desk<()> = Desk::new(SHORT);
        let (release, hold) = mpsc::channel::<()>();
        let (finished, end) = mpsc::channel::<()>();
        let stuck = desk.ask(move |(), _| {
            let _finished = finished;
            hold.recv().map_err(|_| Trouble::Locked)
        });
        assert!(matches!(stuck, Err(Trouble::Hung(after)) if after == SHORT.call));

        // A job handed in now would be the second one to hang: it is never taken.
        let asked = Instant::now();
        assert!(matches!(desk.ask(|(), _| Ok(())), Err(Trouble::Hung(_))));
        assert!(asked.elapsed() < SHORT.call, "told after {:?}", asked.elapsed());

        release.send(()).unwrap();
        assert!(end.recv().is_err(), "the job ends by itself");
        eventually(&desk);
    }

    #[test]
    fn a_job_whose_caller_left_before_it_began_never_begins() {
        let desk: Arc<Desk<u8>> = Arc::new(Desk::new(SHORT));
        let (release, hold) = mpsc::channel::<()>();
        let (begun, started) = mpsc::channel::<()>();
        let first = std::thread::spawn({
            let desk = Arc::clone(&desk);
            move || {
                desk.ask(move |_, _| {
                    begun.send(()).unwrap();
                    hold.recv().map_err(|_| Trouble::Locked)
                })
            }
        });
        started.recv().unwrap();
        let queued = desk.ask(|owner, _| {
            *owner += 1;
            Ok(())
        });
        assert!(matches!(queued, Err(Trouble::Hung(_))));
        release.send(()).unwrap();
        assert!(matches!(first.join().unwrap(), Err(Trouble::Hung(_)) | Ok(())));
        assert_eq!(eventually(&desk), 0, "the queued job must not have run");
    }

    #[test]
    fn an_unanswered_prompt_is_taken_away_and_reads_as_locked() {
        let desk: Desk<()> = Desk::new(SHORT);
        let (dismissed, prompt) = mpsc::channel::<()>();
        let asked = Instant::now();
        let answer = desk.ask(move |(), ticket| {
            let dismiss = Box::new(move || dismissed.send(()).unwrap());
            ticket.prompt(dismiss, || prompt.recv().map_err(|_| Trouble::Absent(String::new())))
        });
        assert!(matches!(answer, Err(Trouble::Locked)));
        assert!(asked.elapsed() >= SHORT.prompt, "a person gets the longer deadline");
        eventually(&desk);
    }

    #[test]
    fn while_a_person_is_asked_others_hear_locked_at_once() {
        let desk: Arc<Desk<()>> = Arc::new(Desk::new(AMPLE));
        let (answer, prompt) = mpsc::channel::<()>();
        let (shown, up) = mpsc::channel::<()>();
        let first = std::thread::spawn({
            let desk = Arc::clone(&desk);
            move || {
                desk.ask(move |(), ticket| {
                    ticket.prompt(Box::new(|| ()), || {
                        shown.send(()).unwrap();
                        prompt.recv().map_err(|_| Trouble::Locked)
                    })
                })
            }
        });
        up.recv().unwrap();
        assert!(matches!(desk.ask(|(), _| Ok(())), Err(Trouble::Locked)));
        answer.send(()).unwrap();
        assert!(first.join().unwrap().is_ok());
    }

    #[test]
    fn a_job_that_panics_fails_and_the_next_one_gets_a_fresh_thread() {
        let desk: Desk<()> = Desk::new(AMPLE);
        let failed: Result<(), _> = desk.ask(|(), _| panic!("as a library might"));
        assert!(matches!(failed, Err(Trouble::Failing(_))));
        eventually(&desk);
    }
}
