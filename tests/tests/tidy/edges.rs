//! Which crate may know which, and that what is declared is used.

use crate::clean;
use crate::repo::{EVERYTHING, FILES, WORKSPACE, root};
use cargo_metadata::{DependencyKind, Package, PackageId};
use std::collections::BTreeSet;

/// Our crates and what of ours they may depend on. `tests` and the task runner stand at the two ends: anything, nothing.
const EDGES: &[(&str, &[&str])] = &[
    ("keytender-core", &[]),
    ("keytender-services", &["keytender-core"]),
    ("keytender-host", &["keytender-core"]),
    ("keytender-api", &["keytender-services", "keytender-core"]),
    ("keytender-practice", &[]),
    ("keytender-cli", &["keytender-api", "keytender-host", "keytender-practice", "keytender-services", "keytender-core"]),
    ("xtask", &[]),
    (
        "keytender-tests",
        &["keytender-api", "keytender-cli", "keytender-core", "keytender-host", "keytender-practice", "keytender-services"],
    ),
];

/// The crates that never learn that they are on a computer.
const PURE: &[&str] = &["keytender-core", "keytender-services", "keytender-api"];

/// What no pure crate may name as a dependency: runtimes, sockets, SQL, keychains, windows, processes, randomness, the zone.
const OUTSIDE: &[&str] = &[
    "arboard",
    "async-std",
    "axum",
    "getrandom",
    "hyper",
    "hyper-util",
    "iana-time-zone",
    "keyring",
    "keyring-core",
    "notify-rust",
    "reqwest",
    "rusqlite",
    "rustix",
    "smol",
    "tauri",
    "tokio",
    "zbus",
];

/// What must not even stand behind a pure crate's dependencies.
const NEVER_REACHED: &[&str] = &["hyper", "reqwest", "rusqlite", "tauri", "tokio", "zbus"];

/// Dependencies that no source names, with the reason they are declared.
const UNNAMED: &[(&str, &str, &str)] = &[("keytender-services", "md-5", "its library is called md5")];

#[test]
fn crates_of_ours_know_only_what_they_may() {
    let ours: BTreeSet<&str> = WORKSPACE.packages.iter().map(|package| package.name.as_str()).collect();
    let known: BTreeSet<&str> = EDGES.iter().map(|(name, _)| *name).collect();
    assert_eq!(ours, known, "every member has its line in EDGES");
    let mut breaches = Vec::new();
    for package in &WORKSPACE.packages {
        let (_, allowed) = EDGES.iter().find(|(name, _)| *name == package.name.as_str()).expect("compared above");
        for dependency in package.dependencies.iter().filter(|dependency| ours.contains(dependency.name.as_str())) {
            if !allowed.contains(&dependency.name.as_str()) {
                breaches.push(format!("{} -> {}", package.name, dependency.name));
            }
        }
    }
    clean("Only the edges in the root Cargo.toml's comments exist; a port trait in core turns an edge round.", &breaches);
}

#[test]
fn pure_crates_depend_on_nothing_outside() {
    let mut breaches = Vec::new();
    for package in WORKSPACE.packages.iter().filter(|package| PURE.contains(&package.name.as_str())) {
        for dependency in package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal) {
            if OUTSIDE.contains(&dependency.name.as_str()) || dependency.name.starts_with("tauri-") {
                breaches.push(format!("{} -> {}", package.name, dependency.name));
            }
            let clock = dependency.features.iter().any(|feature| feature == "clock" || feature == "now");
            if dependency.name == "chrono" && (clock || dependency.uses_default_features) {
                breaches.push(format!("{} -> chrono with its clock", package.name));
            }
        }
        for name in reached(package).into_iter().filter(|name| NEVER_REACHED.contains(&name.as_str())) {
            breaches.push(format!("{} -> .. -> {name}", package.name));
        }
    }
    clean("Outside things belong to keytender-host, behind a port.", &breaches);
}

/// The names of all that a package is built from.
fn reached(package: &Package) -> BTreeSet<String> {
    let graph = EVERYTHING.resolve.as_ref().expect("cargo resolved the graph");
    let mut seen: BTreeSet<&PackageId> = BTreeSet::new();
    let mut ahead = vec![&package.id];
    while let Some(id) = ahead.pop() {
        let node = graph.nodes.iter().find(|node| node.id == *id).expect("every package has its node");
        let normal = |kinds: &[cargo_metadata::DepKindInfo]| kinds.iter().any(|kind| kind.kind == DependencyKind::Normal);
        ahead.extend(node.deps.iter().filter(|dep| normal(&dep.dep_kinds)).map(|dep| &dep.pkg).filter(|id| seen.insert(id)));
    }
    seen.into_iter().map(|id| EVERYTHING[id].name.to_string()).collect()
}

#[test]
fn every_member_takes_the_workspaces_lints_and_versions() {
    let mut breaches = Vec::new();
    for package in &WORKSPACE.packages {
        let text = std::fs::read_to_string(&package.manifest_path).expect("cargo has just read it");
        let manifest: toml::Table = text.parse().expect("cargo has just parsed it");
        let inherits = |table: &str, key: &str| {
            let value = manifest.get(table).and_then(|table| table.get(key));
            value.and_then(|value| value.get("workspace").or(Some(value))).and_then(toml::Value::as_bool) == Some(true)
        };
        if !inherits("lints", "workspace") {
            breaches.push(format!("{}: [lints] workspace = true is missing", package.name));
        }
        for key in ["version", "edition", "rust-version", "license", "publish"] {
            if !inherits("package", key) {
                breaches.push(format!("{}: {key}.workspace = true is missing", package.name));
            }
        }
    }
    clean("Lints and versions are decided once, in the root Cargo.toml.", &breaches);
}

#[test]
fn what_is_declared_is_used() {
    let mut breaches = Vec::new();
    for package in &WORKSPACE.packages {
        let folder = package.manifest_path.parent().expect("a manifest lies in a folder");
        let folder = folder.strip_prefix(root()).expect("members lie under the root");
        let sources: Vec<&str> = FILES
            .iter()
            .filter(|file| file.is_rust() && file.path.starts_with(&format!("{folder}/")))
            .map(|file| file.text.as_str())
            .collect();
        for dependency in &package.dependencies {
            let name = dependency.name.replace('-', "_");
            let named = [format!("{name}::"), format!("use {name};"), format!("use {name} as ")];
            let excused = UNNAMED.iter().any(|(of, on, _)| *of == package.name.as_str() && *on == dependency.name);
            if !excused && !sources.iter().any(|text| named.iter().any(|form| text.contains(form))) {
                breaches.push(format!("{} declares {} and does not use it", package.name, dependency.name));
            }
        }
    }
    let text = std::fs::read_to_string(root().join("Cargo.toml")).expect("the root manifest is there");
    let manifest: toml::Table = text.parse().expect("cargo reads it too");
    for name in manifest["workspace"]["dependencies"].as_table().expect("a table").keys() {
        if !WORKSPACE.packages.iter().any(|package| package.dependencies.iter().any(|dependency| dependency.name == *name)) {
            breaches.push(format!("the workspace declares {name} and no member uses it"));
        }
    }
    clean("Remove what is not used: it is downloaded, built and audited all the same.", &breaches);
}
