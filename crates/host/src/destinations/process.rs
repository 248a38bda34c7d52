//! Waiting for a process that we started, with an end to it.

use std::io;
use std::process::{Child, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

/// How a wait ended.
pub(super) enum Ended {
    /// The process ended by itself.
    With(ExitStatus),
    /// It took too long; it and everything in its process group was killed.
    TooLate,
}

/// Waits for a child that leads its own process group, at most so long.
pub(super) fn wait(child: &mut Child, limit: Duration) -> io::Result<Ended> {
    let started = Instant::now();
    // Polling, because only a child that was not reaped yet can be killed without hitting a stranger with its number.
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Ended::With(status));
        }
        if started.elapsed() >= limit {
            kill_group(child)?;
            child.wait()?;
            return Ok(Ended::TooLate);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

#[cfg(unix)]
fn kill_group(child: &mut Child) -> io::Result<()> {
    use rustix::process::{Pid, Signal, kill_process_group};
    match Pid::from_raw(i32::try_from(child.id()).unwrap_or(0)) {
        Some(group) => Ok(kill_process_group(group, Signal::KILL)?),
        None => child.kill(),
    }
}

/// Only the process itself: groups of processes are a thing of Unix.
#[cfg(not(unix))]
fn kill_group(child: &mut Child) -> io::Result<()> {
    child.kill()
}
