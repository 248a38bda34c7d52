//! The gate: tiers of checks and tests in order, each with a budget of minutes, and one closing line.
//!
//! Every cargo command selects the whole workspace and narrows by target, never by package. Cargo unifies the features of
//! shared dependencies over the selected packages, so a `-p` here would build many of them a second time.

use crate::needs;
use crate::peers;
use crate::shell::{Fault, Step, root};
use crate::tally::{Count, Row, table};
use std::path::Path;
use std::process::ExitCode;

struct Tier {
    name: &'static str,
    /// Minutes on two cores.
    budget: u32,
    run: fn() -> Count,
}

/// In the order in which a fault shows soonest. Formatting, lints and building share ten minutes, because the lints compile
/// every dependency's interface and the build compiles the rest.
const TIERS: &[Tier] = &[
    Tier { name: "tidy", budget: 5, run: tidy },
    Tier { name: "build", budget: 5, run: build },
    Tier { name: "rust", budget: 6, run: rust },
    Tier { name: "real", budget: 5, run: real },
    Tier { name: "kills", budget: 5, run: kills },
];

/// Minutes for installing what is missing.
const SET_UP_BUDGET: u32 = 3;

/// What `fast` means: seconds to minutes once warm, nothing outside this process tree touched.
const FAST: &[&str] = &["tidy", "rust"];

/// Runs the named tiers (all of them when none is named) and closes with `N passed, N failed` alone on the last line.
pub(crate) fn run(names: &[&str]) -> ExitCode {
    let chosen: Vec<&Tier> = match names {
        [] => TIERS.iter().collect(),
        ["fast"] => TIERS.iter().filter(|tier| FAST.contains(&tier.name)).collect(),
        names => {
            let known = |name: &&&str| TIERS.iter().any(|tier| tier.name == **name);
            if let Some(stray) = names.iter().find(|name| !known(name)) {
                eprintln!("there is no tier {stray:?}; fast, or some of: tidy build rust real kills");
                return ExitCode::from(2);
            }
            TIERS.iter().filter(|tier| names.contains(&tier.name)).collect()
        }
    };
    let mut rows = vec![Row::of("set-up", SET_UP_BUDGET, || set_up(&chosen))];
    // Without its set-up nothing after it would say anything about Keytender.
    if rows[0].count.failed == 0 {
        rows.extend(chosen.iter().map(|tier| {
            println!("\n== {}", tier.name);
            Row::of(tier.name, tier.budget, tier.run)
        }));
    }
    let Count { passed, failed } = rows.iter().fold(Count::default(), |sum, row| sum.plus(row.count));
    print!("\n{}\n", table(&rows));
    println!("{passed} passed, {failed} failed");
    if failed == 0 && passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn set_up(chosen: &[&Tier]) -> Count {
    println!("== set-up");
    let outside = chosen.iter().any(|tier| !FAST.contains(&tier.name));
    let done = needs::meet(if outside { needs::TEST } else { needs::FAST });
    counted(done.and_then(|()| if outside { peers::install() } else { Ok(()) }))
}

fn tidy() -> Count {
    let format = counted(Step::cargo(["fmt", "--all", "--check"]).run());
    let lints = Step::cargo(["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]);
    format.plus(counted(lints.run())).plus(test(&["--test", "tidy"]))
}

/// Programs and test programs, so that the tiers after it measure tests. The tests drive `keytender` itself, which a test
/// target of another package does not build.
fn build() -> Count {
    counted(Step::cargo(["build", "--workspace", "--bins", "--lib", "--tests"]).run())
}

fn rust() -> Count {
    let mut targets = vec!["--lib".to_owned(), "--bins".to_owned()];
    targets.extend(selection(&crate_tests()));
    let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
    test(&targets).plus(test(&["--doc"]))
}

/// Real keychain, real servers, the real command line: everything in the `tests` member that no other tier runs.
fn real() -> Count {
    counted(build_program()).plus(named(|name| name != "tidy" && name != "kills"))
}

fn kills() -> Count {
    counted(build_program()).plus(named(|name| name == "kills"))
}

fn build_program() -> Result<(), Fault> {
    // With a test target beside it, so that cargo picks the same features as for all other commands here.
    Step::cargo(["build", "--quiet", "--workspace", "--bin", "keytender", "--test", "tidy"]).run()
}

fn named(wanted: fn(&str) -> bool) -> Count {
    let mut names = test_targets(&root().join("tests/tests"));
    names.retain(|name| wanted(name));
    if names.is_empty() {
        println!("tests/tests has no test for this tier");
        return Count { passed: 0, failed: 1 };
    }
    let targets = selection(&names);
    test(&targets.iter().map(String::as_str).collect::<Vec<_>>())
}

fn test(targets: &[&str]) -> Count {
    let mut count = Count::default();
    // All test programs, also after one has failed: the sum is to tell everything that is broken.
    let step = Step::cargo(["test", "--workspace", "--no-fail-fast"]).args(targets);
    match step.watch(|line| count.take_in(line)) {
        Ok(true) => count,
        // A test program that did not build, or died: no line of its own tells, so it counts as one.
        Ok(false) => Count { failed: count.failed.max(1), ..count },
        Err(fault) => count.plus(counted(Err(fault))),
    }
}

/// A step without tests of its own: it counts only when it fails.
fn counted(done: Result<(), Fault>) -> Count {
    match done {
        Ok(()) => Count::default(),
        Err(fault) => {
            eprintln!("{fault}");
            Count { passed: 0, failed: 1 }
        }
    }
}

fn selection(names: &[String]) -> Vec<String> {
    names.iter().flat_map(|name| ["--test".to_owned(), name.clone()]).collect()
}

/// The test targets of all crates: what lies beside their sources in `tests`.
fn crate_tests() -> Vec<String> {
    let crates = std::fs::read_dir(root().join("crates")).into_iter().flatten().flatten();
    let mut names: Vec<String> = crates.flat_map(|entry| test_targets(&entry.path().join("tests"))).collect();
    names.sort();
    names
}

/// The test targets of a folder, as cargo finds them: each `NAME.rs`, and each folder with a `main.rs`.
fn test_targets(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let target = path.extension().is_some_and(|extension| extension == "rs") || path.join("main.rs").is_file();
        if let (true, Some(stem)) = (target, path.file_stem()) {
            names.push(stem.to_string_lossy().into_owned());
        }
    }
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fast_and_help_name_tiers_that_exist() {
        for name in FAST {
            assert!(TIERS.iter().any(|tier| tier.name == *name), "{name}");
        }
        for tier in TIERS {
            assert!(crate::HELP.contains(tier.name), "the help does not name {}", tier.name);
        }
    }

    #[test]
    fn the_tests_member_has_its_tidy_target() {
        assert!(test_targets(&root().join("tests/tests")).contains(&"tidy".to_owned()));
    }

    #[test]
    fn an_unknown_tier_is_refused_before_anything_runs() {
        assert_eq!(format!("{:?}", run(&["no-such-tier"])), format!("{:?}", ExitCode::from(2)));
    }
}
