//! What must not be found in the repository: anything shaped like a token, paths of somebody's computer, package registries.
//!
//! The patterns are put together at run time, so that this file does not contain what it looks for.

use crate::clean;
use crate::repo::{FILES, File};
use regex::Regex;

struct Trace {
    of: &'static str,
    pattern: String,
    /// Must be caught: shows that the pattern bites.
    example: String,
}

fn trace(of: &'static str, start: [&str; 2], rest: &str, example_rest: String) -> Trace {
    let start = start.concat();
    Trace { of, pattern: format!(r"\b{}{rest}", regex::escape(&start)), example: format!("x = {start}{example_rest}") }
}

/// Real tokens of well-known services, by their documented shapes.
fn tokens() -> Vec<Trace> {
    let a = |length| "aB3".repeat(length).chars().take(length).collect::<String>();
    let upper = |length| "QZ7".repeat(length).chars().take(length).collect::<String>();
    vec![
        trace("a GitLab token", ["gl", "pat-"], r"[A-Za-z0-9_-]{20}", a(20)),
        trace("a GitHub token", ["gh", "p_"], "[A-Za-z0-9]{36}", a(36)),
        trace("a GitHub app token", ["gh", "s_"], "[A-Za-z0-9]{36}", a(36)),
        trace("a GitHub OAuth token", ["gh", "o_"], "[A-Za-z0-9]{36}", a(36)),
        trace("a fine-grained GitHub token", ["github", "_pat_"], "[A-Za-z0-9_]{22}", a(22)),
        trace("an AWS access key id", ["AK", "IA"], r"[A-Z0-9]{16}\b", upper(16)),
        trace("a temporary AWS access key id", ["AS", "IA"], r"[A-Z0-9]{16}\b", upper(16)),
        trace("a secret key", ["s", "k-"], "[A-Za-z0-9_-]{32}", a(32)),
        trace("a live payment key", ["sk_", "live_"], "[A-Za-z0-9]{16}", a(16)),
        trace("a test payment key", ["sk_", "test_"], "[A-Za-z0-9]{16}", a(16)),
        trace("an npm token", ["np", "m_"], "[A-Za-z0-9]{36}", a(36)),
        trace("a Slack token", ["xo", "xb-"], "[0-9]{6,}-[A-Za-z0-9-]{10}", format!("123456789-{}", a(10))),
        trace("a Google API key", ["AI", "za"], "[A-Za-z0-9_-]{35}", a(35)),
        trace("a mail-sending key", ["S", "G."], r"[A-Za-z0-9_-]{20}\.[A-Za-z0-9_-]{20}", format!("{}.{}", a(20), a(20))),
        trace("a Vault token", ["hv", "s."], "[A-Za-z0-9]{24}", a(24)),
        trace("a PyPI token", ["pyp", "i-AgE"], "[A-Za-z0-9_-]{30}", a(30)),
        trace(
            "a signed web token",
            ["ey", "J"],
            r"[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20}",
            format!("{}.eyJ{}.{}", a(12), a(12), a(20)),
        ),
        Trace {
            of: "a private key",
            pattern: ["-----BEG", "IN [A-Z ]*PRIV", "ATE KEY-----"].concat(),
            example: ["-----BEG", "IN RSA PRIV", "ATE KEY-----"].concat(),
        },
    ]
}

/// Paths of a developer's or a build machine's own folders.
fn machine_paths() -> Vec<Trace> {
    let path = |of, parts: [&str; 2]| {
        let path = parts.concat();
        let pattern = format!(r#"(?:^|[\s"'`(=:,]){}"#, regex::escape(&path));
        Trace { of, pattern, example: format!("cd {path}thing") }
    };
    vec![
        path("a path of one machine", ["/wo", "rk/"]),
        path("a path of one machine", ["/tmp", "/w/"]),
        path("root's home", ["/ro", "ot/"]),
    ]
}

/// Hosts that package clients download from. Which registry a computer uses is its own affair.
fn registries() -> Vec<Trace> {
    let host = |parts: [&str; 2]| {
        let host = parts.concat();
        Trace {
            of: "a package registry",
            pattern: format!(r"\b{}\b", regex::escape(&host)),
            example: format!("https://{host}/x"),
        }
    };
    vec![
        host(["registry.npm", "js.org"]),
        host(["registry.yarn", "pkg.com"]),
        host(["static.crates", ".io"]),
        host(["index.crates", ".io"]),
        host(["files.python", "hosted.org"]),
        host(["deb.deb", "ian.org"]),
        host(["archive.ubu", "ntu.com"]),
        host(["proxy.gol", "ang.org"]),
    ]
}

/// The catalogue describes services, and some registries are services whose tokens expire like any other's.
const CATALOGUE: &str = "crates/services/catalog/";

fn found(traces: &[Trace], look_at: impl Fn(&File) -> bool) -> Vec<String> {
    let patterns: Vec<(&str, Regex)> =
        traces.iter().map(|trace| (trace.of, Regex::new(&trace.pattern).expect("a pattern"))).collect();
    let mut breaches = Vec::new();
    for file in FILES.iter().filter(|file| look_at(file)) {
        for (index, line) in file.text.lines().enumerate() {
            let hits = patterns.iter().filter(|(_, pattern)| pattern.is_match(line));
            // The line itself is not repeated: it may hold what must not spread.
            breaches.extend(hits.map(|(of, _)| file.at(index + 1, of)));
        }
    }
    breaches
}

#[test]
fn nothing_is_shaped_like_a_token() {
    // Lock files are full of digests and hold nothing that a person wrote.
    let breaches = found(&tokens(), |file| !file.path.ends_with(".lock") && !file.path.ends_with("-lock.json"));
    clean("Revoke it if it is real. Tests and cases make theirs at run time.", &breaches);
}

#[test]
fn no_path_of_somebodys_computer() {
    clean("Paths in the repository start at its root.", &found(&machine_paths(), |_| true));
}

#[test]
fn no_package_registry_is_named() {
    let breaches = found(&registries(), |file| !file.path.starts_with(CATALOGUE));
    clean(
        "Leave the choice of registry to the computer; `npm install --omit-lockfile-registry-resolved` keeps it out of lock files.",
        &breaches,
    );
}

#[test]
fn every_pattern_catches_its_example() {
    for trace in tokens().iter().chain(&machine_paths()).chain(&registries()) {
        assert!(Regex::new(&trace.pattern).expect("a pattern").is_match(&trace.example), "{}: {}", trace.of, trace.pattern);
    }
}
