//! A hardened process. In a test program of its own, because the process it is about is this one.

#![cfg(target_os = "linux")]

use std::os::unix::fs::PermissionsExt;

#[test]
fn a_hardened_process_keeps_to_itself() {
    keytender_host::process::harden();
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().filter(|word| *word == "0").count(), 2, "soft and hard: {core}");
    let behavior = rustix::process::dumpable_behavior().unwrap();
    assert!(matches!(behavior, rustix::process::DumpableBehavior::NotDumpable));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
}
