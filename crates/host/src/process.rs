//! What this process asks of the system for itself: to keep its memory and its files to itself, and to outlive a terminal.
//!
//! What may not live here: other processes (a command that is fed a value is a destination).

/// Called first thing by every program of ours: files that it makes are its user's alone (umask 077), it leaves no core file,
/// and no other process of the same user may read its memory or environment.
///
/// A system that refuses one of these is left as it is: none of them is worth refusing to work.
pub fn harden() {
    #[cfg(unix)]
    {
        use rustix::fs::Mode;
        use rustix::process::{Resource, Rlimit, setrlimit, umask};
        umask(Mode::from_raw_mode(0o077));
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    }
    #[cfg(target_os = "linux")]
    {
        let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    }
}

/// Leaves the terminal that started this process, so that closing it does not end what still has to be done. To be called by
/// a process that was started for that; one that leads its group stays where it is.
pub fn detach() {
    #[cfg(unix)]
    {
        let _ = rustix::process::setsid();
    }
}
