//! What comes in from outside, held to `deny.toml`: licences, banned crates, second versions, sources.

use crate::clean;
use crate::repo::{EVERYTHING, root};
use serde::Deserialize;
use spdx::{Expression, ParseMode};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

#[derive(Deserialize)]
struct Deny {
    licenses: Licenses,
    bans: Bans,
}

#[derive(Deserialize)]
struct Licenses {
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Entry>,
    skip: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "crate")]
    name: String,
    reason: String,
}

fn deny() -> Deny {
    let text = std::fs::read_to_string(root().join("deny.toml")).expect("deny.toml is there");
    toml::from_str(&text).expect("deny.toml has licenses.allow, bans.deny and bans.skip with reasons")
}

/// Whether one way through a licence expression is allowed. Crates of old write `/` for OR.
fn allowed(expression: &str, allow: &[String]) -> bool {
    Expression::parse_mode(expression, ParseMode::LAX)
        .is_ok_and(|parsed| parsed.evaluate(|asked| allow.iter().any(|licence| *licence == asked.to_string())))
}

#[test]
fn licences_are_on_the_list() {
    let allow = deny().licenses.allow;
    let mut breaches = Vec::new();
    for package in &EVERYTHING.packages {
        let licence = package.license.as_deref().unwrap_or("no licence");
        if !allowed(licence, &allow) {
            breaches.push(format!("{} {}: {licence}", package.name, package.version));
        }
    }
    clean("Read the licence; if it is permissive, add it to licenses.allow in deny.toml.", &breaches);
}

#[test]
fn a_licence_expression_needs_one_allowed_way_through() {
    let allow = vec!["MIT".to_owned(), "ISC".to_owned()];
    for good in ["MIT", "MIT/Apache-2.0", "GPL-3.0-only OR MIT", "(Apache-2.0 OR ISC) AND MIT"] {
        assert!(allowed(good, &allow), "{good}");
    }
    for bad in ["Apache-2.0", "MIT AND Apache-2.0", "GPL-3.0-only", "no licence", ""] {
        assert!(!allowed(bad, &allow), "{bad}");
    }
}

#[test]
fn banned_crates_stay_out() {
    let banned = deny().bans.deny;
    let found = EVERYTHING.packages.iter().filter_map(|package| {
        let ban = banned.iter().find(|ban| ban.name == package.name.as_str())?;
        Some(format!("{}: {}", package.name, ban.reason))
    });
    clean("Banned in deny.toml.", &found.collect::<Vec<_>>());
}

/// Every crate that is built on some system, with its versions. `cargo tree` knows exactly; `cargo metadata` also names what a
/// feature could bring and does not.
fn built() -> BTreeMap<String, BTreeSet<String>> {
    let arguments =
        ["tree", "--locked", "--workspace", "--target=all", "--edges=normal,build,dev", "--prefix=none", "--format={p}"];
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let tree = Command::new(cargo).args(arguments).current_dir(root()).output().expect("cargo runs");
    assert!(tree.status.success(), "cargo tree: {}", String::from_utf8_lossy(&tree.stderr));
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in String::from_utf8_lossy(&tree.stdout).lines() {
        if let [name, version, ..] = line.split(' ').collect::<Vec<_>>()[..] {
            versions.entry(name.to_owned()).or_default().insert(version.to_owned());
        }
    }
    versions
}

#[test]
fn a_second_version_has_its_reason() {
    let skip = deny().bans.skip;
    let mut versions = built();
    assert!(versions.contains_key("keytender-core"), "cargo tree lists our own crates too");
    versions.retain(|_, versions| versions.len() > 1);
    let unexplained = versions.iter().filter(|(name, _)| !skip.iter().any(|entry| entry.name == **name));
    let mut breaches: Vec<String> = unexplained
        .map(|(name, versions)| format!("{name}: {}", versions.iter().cloned().collect::<Vec<_>>().join(", ")))
        .collect();
    let stale = skip.iter().filter(|entry| !versions.contains_key(&entry.name));
    breaches.extend(stale.map(|entry| format!("{}: one version only, its line can go", entry.name)));
    clean("Bring them to one version, or say under bans.skip in deny.toml why there are two.", &breaches);
}

#[test]
fn everything_comes_from_one_registry_by_checksum() {
    let text = std::fs::read_to_string(root().join("Cargo.lock")).expect("Cargo.lock is committed");
    let lock: toml::Table = text.parse().expect("cargo wrote it");
    let mut registries = BTreeSet::new();
    let mut breaches = Vec::new();
    for package in lock["package"].as_array().expect("an array") {
        let Some(source) = package.get("source").and_then(toml::Value::as_str) else { continue };
        registries.insert(source);
        if !source.starts_with("registry+") || package.get("checksum").is_none() {
            breaches.push(format!("{} comes from {source}", package["name"]));
        }
    }
    clean("Only the default registry; a git or path source cannot be audited by its checksum.", &breaches);
    assert_eq!(registries.len(), 1, "one registry: {registries:?}");
}
