//! The task runner: sets a computer up, runs Keytender, tests it.
//!
//! It depends on nothing but the standard library and on nothing of ours: it drives `cargo`, `npm`, the system's package
//! manager and the built `keytender` as a person would, by their command lines. No logic of the product lives here.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a task runner talks to the person at the terminal")]

mod gate;
mod needs;
mod peers;
mod shell;
mod story;
mod tally;

use shell::{Fault, Step};
use std::process::ExitCode;

const HELP: &str = "\
cargo xtask COMMAND

  run [practice]        set up, build and play the story of a key against the practice service on this computer;
                        with a person at the terminal it pauses, and ends in a shell where everything is ready
  test [fast|TIER...]   the gate: every tier, or the named ones (tidy, build, rust, real, kills); fast = tidy and rust
  bench [ARG...]        the benchmarks; arguments go to the benchmark program
  regenerate            write generated files anew (the schema of the service files, golden files)
  doctor                say what this computer lacks, and install nothing
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["run"] => story::run(shell::person_present()),
        ["run", "practice"] => story::run(false),
        [story::INSIDE, rest @ ..] => story::play_inside(rest),
        ["test", tiers @ ..] => return gate::run(tiers),
        ["bench", rest @ ..] => bench(rest),
        ["regenerate"] => regenerate(),
        ["doctor"] => needs::report(),
        ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            Ok(())
        }
        [] => Err(Fault::Usage("no command".to_owned())),
        [first, ..] => Err(Fault::Usage(format!("{first:?} is no command, or takes other arguments"))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Fault::Usage(what)) => {
            eprintln!("{what}\n\n{HELP}");
            ExitCode::from(2)
        }
        Err(fault) => {
            eprintln!("\n{fault}");
            ExitCode::FAILURE
        }
    }
}

fn bench(arguments: &[&str]) -> Result<(), Fault> {
    needs::meet(needs::TEST)?;
    Step::cargo(["bench", "--workspace", "--benches", "--"]).args(arguments.iter().copied()).run()
}

/// Tests that compare a generated file with a fresh generation write it instead when this variable is set.
const REGENERATE: &str = "KEYTENDER_REGENERATE";

fn regenerate() -> Result<(), Fault> {
    needs::meet(needs::RUN)?;
    Step::cargo(["test", "--workspace", "--lib", "--bins", "--quiet"]).env(REGENERATE, "1").run()?;
    Step::new("git").args(["status", "--short"]).run()
}
