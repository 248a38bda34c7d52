//! The `keytender` command: arguments, prompts, tables, exit codes, and the joining of the use cases with the real parts.
//!
//! `args` says what can be typed, `run` calls the use cases, `print` shows what they gave, `parts` joins them with the host.
//! What may not live here: what a command means (that is `keytender-api`).

mod args;
mod ask;
mod child;
mod drive;
mod exit;
mod log;
mod parts;
mod passphrase;
mod print;
mod run;
mod secret;
mod session;
mod settings;
mod store;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    keytender_host::process::harden();
    std::panic::set_hook(Box::new(apologise));
    // A usage error ends here, with clap's own words and exit code 2.
    run::run(args::Cli::parse()).into()
}

/// A panic's own text could quote what was being worked on, so only its place is told.
fn apologise(panic: &std::panic::PanicHookInfo<'_>) {
    use std::io::Write;
    let place = panic.location().map(|place| format!("{}:{}", place.file(), place.line())).unwrap_or_default();
    let _ = writeln!(
        std::io::stderr().lock(),
        "error: Keytender ended by a mistake of its own ({place})\n\
         help: nothing is lost: `keytender recover` goes on with what was under way. Please report this line"
    );
    tracing::error!(%place, "panicked");
}
