//! One door per outside thing: who may touch the clock, files, processes, SQL, HTTP, randomness, the terminal, and who may
//! look at a secret. A search in the text that ships; a call that no text shows (through a macro, a rename) is clippy's.

use crate::clean;
use crate::repo::{FILES, File};
use regex::Regex;

struct Door {
    /// What is behind it.
    of: &'static str,
    /// What touching it looks like.
    pattern: &'static str,
    /// Must be caught: shows that the pattern bites.
    example: &'static str,
    /// Files, or folders with a `/` at the end, that may touch it.
    open_to: &'static [&'static str],
}

const DOORS: &[Door] = &[
    Door {
        of: "the wall clock (ports::Clock)",
        pattern: r"\b(?:SystemTime|Utc|Local)::now\b",
        example: "let now = Utc::now();",
        // The practice service is a server of its own with its own clock.
        open_to: &["crates/host/src/clock.rs", "crates/practice/src/"],
    },
    Door {
        of: "the running clock and waiting (ports::Clock::pause)",
        pattern: r"\bInstant::now\b|\bthread::sleep\b|\btime::sleep\b",
        example: "std::thread::sleep(second);",
        open_to: &["crates/host/src/", "crates/practice/src/", "crates/xtask/src/"],
    },
    Door {
        of: "files (a port of core, made in host)",
        pattern: r"\bstd::fs\b|\bfs::(?:read|write|File|OpenOptions|create_dir|remove)|\bFile::(?:open|create)\b",
        example: "std::fs::write(path, text)?;",
        open_to: &["crates/host/src/", "crates/practice/src/", "crates/cli/src/", "crates/xtask/src/"],
    },
    Door {
        of: "processes (destinations and the carrier, in host)",
        pattern: r"\bprocess::Command\b",
        example: "use std::process::Command;",
        open_to: &["crates/host/src/", "crates/cli/src/", "crates/xtask/src/"],
    },
    Door {
        of: "the environment (read once, by the command line)",
        pattern: r"\benv::(?:var|vars|var_os|vars_os)\b",
        example: r#"std::env::var("HOME")"#,
        open_to: &["crates/cli/src/", "crates/host/src/", "crates/xtask/src/"],
    },
    Door {
        of: "sockets and HTTP (ports::Http)",
        pattern: r"\breqwest::|\buse reqwest\b|\bstd::net::Tcp|\bnet::\{?Tcp",
        example: "let client = reqwest::Client::builder();",
        open_to: &["crates/host/src/", "crates/practice/src/", "crates/xtask/src/"],
    },
    Door {
        of: "SQL (ports::Ledger)",
        pattern: r"\brusqlite::|\b(?:SELECT\s.*\bFROM|INSERT\s+(?:OR\s+\w+\s+)?INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|CREATE\s+(?:UNIQUE\s+)?(?:TABLE|INDEX)|PRAGMA)\b",
        example: r#""SELECT id FROM keys""#,
        open_to: &["crates/host/src/ledger/", "crates/host/src/ledger.rs"],
    },
    Door {
        of: "randomness (ports::Ids, and what seals)",
        pattern: r"\bgetrandom::|\bUuid::(?:new_v4|now_v7)\b|\bOsRng\b",
        example: "let id = Uuid::now_v7();",
        open_to: &["crates/host/src/", "crates/practice/src/"],
    },
    Door {
        of: "the terminal",
        pattern: r"\be?print(?:ln)?!|\bio::(?:stdout|stderr|stdin)\b",
        example: r#"println!("done");"#,
        open_to: &["crates/cli/src/", "crates/xtask/src/"],
    },
    Door {
        of: "a secret's text (SecretText::expose)",
        pattern: r"\.expose\(\)",
        example: "let text = secret.expose();",
        open_to: EXPOSES,
    },
];

/// The files that may look at a secret. Each is a place where a value has to be put together, sealed, sent or written, and a
/// reviewer reads it with that in mind.
const EXPOSES: &[&str] = &[
    "crates/api/src/keys.rs",
    "crates/api/src/recover.rs",
    "crates/api/src/rotations/answer.rs",
    "crates/api/src/rotations/keep.rs",
    "crates/cli/src/child.rs",
    "crates/cli/src/run/practice.rs",
    "crates/cli/src/run/reveal.rs",
    "crates/cli/src/secret.rs",
    "crates/core/src/envelope.rs",
    "crates/host/src/clipboard.rs",
    "crates/host/src/destinations/command.rs",
    "crates/host/src/destinations/dotenv.rs",
    "crates/host/src/destinations/mod.rs",
    "crates/host/src/destinations/scrub.rs",
    "crates/host/src/destinations/swap.rs",
    "crates/host/src/destinations/text.rs",
    "crates/host/src/escrow/mod.rs",
    "crates/host/src/escrow/pair.rs",
    "crates/host/src/escrow/record.rs",
    "crates/host/src/http/permit.rs",
    "crates/host/src/keychain/native.rs",
    "crates/host/src/keychain/secret_service.rs",
    "crates/host/src/sealed/crypt.rs",
    "crates/services/src/cases.rs",
    "crates/services/src/interpret/fill.rs",
    "crates/services/src/interpret/list.rs",
    "crates/services/src/interpret/make.rs",
    "crates/services/src/interpret/request.rs",
    "crates/services/src/jwt.rs",
    "crates/services/src/manifest/text.rs",
    "crates/services/src/rules.rs",
    "crates/services/src/service/kind.rs",
];

#[test]
fn outside_things_are_touched_behind_their_doors() {
    let mut breaches = Vec::new();
    for door in DOORS {
        let pattern = Regex::new(door.pattern).expect("a pattern");
        for file in FILES.iter().filter(|file| file.ships() && !is_open_to(door, file)) {
            let lines = file.shipped_lines().filter(|(_, line)| pattern.is_match(line));
            breaches.extend(lines.map(|(number, line)| file.at(number, &format!("{} | {}", door.of, line.trim()))));
        }
    }
    clean("Go through the door, or open it here in DOORS with the reason.", &breaches);
}

#[test]
fn sql_files_lie_with_the_ledger() {
    let strays = FILES.iter().filter(|file| file.path.ends_with(".sql") && !file.path.starts_with("crates/host/src/ledger/"));
    clean("SQL lives in host/ledger.", &strays.map(|file| file.path.clone()).collect::<Vec<_>>());
}

#[test]
fn every_door_catches_its_example_and_is_open_to_files_that_exist() {
    for door in DOORS {
        assert!(Regex::new(door.pattern).expect("a pattern").is_match(door.example), "{}", door.of);
    }
    let gone = EXPOSES.iter().filter(|path| !FILES.iter().any(|file| file.path.starts_with(**path)));
    clean("These lines of EXPOSES can go.", &gone.map(ToString::to_string).collect::<Vec<_>>());
}

fn is_open_to(door: &Door, file: &File) -> bool {
    door.open_to.iter().any(|open| if open.ends_with('/') { file.path.starts_with(open) } else { file.path == *open })
}
