//! Named instants at which a test ends, stops or only counts a run. A release does nothing at them.
//!
//! In builds with debug assertions three variables are looked at:
//!
//! ```text
//! KEYTENDER_CRASH_AT=acted:write#2        ends this process by SIGKILL when it passes `acted:write` for the second time
//! KEYTENDER_PAUSE_AT=begin:make           stops it (SIGSTOP) there, until someone sends SIGCONT
//! KEYTENDER_TRACE_POINTS=/path/file       appends every name that is passed, a line each
//! ```

use keytender_core::ports::Checkpoint;

/// The instants of this process.
#[derive(Debug, Default)]
pub struct Points {
    #[cfg(all(unix, debug_assertions))]
    wanted: watched::Wanted,
}

impl Points {
    /// What the environment asks for.
    #[must_use]
    pub fn from_environment() -> Self {
        Self {
            #[cfg(all(unix, debug_assertions))]
            wanted: watched::Wanted::from_environment(),
        }
    }
}

#[cfg(all(unix, debug_assertions))]
impl Checkpoint for Points {
    fn pass(&self, name: &str) {
        self.wanted.pass(name);
    }
}

#[cfg(not(all(unix, debug_assertions)))]
impl Checkpoint for Points {
    fn pass(&self, _: &str) {}
}

#[cfg(all(unix, debug_assertions))]
mod watched {
    use rustix::process::{Signal, getpid, kill_process};
    use std::fs::OpenOptions;
    use std::io::Write;
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[derive(Debug, Default)]
    pub(super) struct Wanted {
        crash: Option<Point>,
        pause: Option<Point>,
        trace: Option<PathBuf>,
    }

    /// The n-th passing of a name.
    #[derive(Debug)]
    pub(super) struct Point {
        name: String,
        left: AtomicU32,
    }

    impl Point {
        /// `name` or `name#n`; names hold colons, so the count is set off by something else.
        pub(super) fn parse(text: &str) -> Self {
            let counted = text.rsplit_once('#').and_then(|(name, count)| Some((name, count.parse().ok()?)));
            let (name, left) = counted.unwrap_or((text, 1));
            Self { name: name.to_owned(), left: AtomicU32::new(left) }
        }

        /// Counts a passing; whether it was the one.
        pub(super) fn reached(&self, name: &str) -> bool {
            let one_less = |left: u32| left.checked_sub(1);
            self.name == name && self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less) == Ok(1)
        }
    }

    impl Wanted {
        pub(super) fn from_environment() -> Self {
            let point = |variable: &str| std::env::var(variable).ok().map(|text| Point::parse(&text));
            Self {
                crash: point("KEYTENDER_CRASH_AT"),
                pause: point("KEYTENDER_PAUSE_AT"),
                trace: std::env::var_os("KEYTENDER_TRACE_POINTS").map(PathBuf::from),
            }
        }

        pub(super) fn pass(&self, name: &str) {
            if let Some(path) = &self.trace {
                // A test that cannot read its trace fails by itself.
                let file = OpenOptions::new().create(true).append(true).open(path);
                let _ = file.and_then(|mut file| file.write_all(format!("{name}\n").as_bytes()));
            }
            if self.crash.as_ref().is_some_and(|point| point.reached(name)) {
                let _ = kill_process(getpid(), Signal::KILL);
                // The signal ends every thread; were it ever late, nothing after this instant may happen all the same.
                std::process::abort();
            }
            if self.pause.as_ref().is_some_and(|point| point.reached(name)) {
                let _ = kill_process(getpid(), Signal::STOP);
            }
        }
    }
}

#[cfg(all(test, unix, debug_assertions))]
mod tests {
    use super::watched::Point;

    #[test]
    fn a_point_is_reached_once_at_its_count() {
        let second = Point::parse("acted:write#2");
        let seen = ["acted:write", "begin:make", "acted:write", "acted:write"].map(|name| second.reached(name));
        assert_eq!(seen, [false, false, true, false]);
        let first = Point::parse("sealed:make");
        assert!(first.reached("sealed:make") && !first.reached("sealed:make"));
    }
}
