//! What lies on the disk: who may read it, what is left of what was deleted, and the daily copies.

use super::*;
use crate::ledger::open;
use std::path::Path;

/// Whether any file under a folder holds these bytes.
fn holds(folder: &Path, needle: &str) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return holds(&path, needle);
        }
        std::fs::read(path).unwrap().windows(needle.len()).any(|window| window == needle.as_bytes())
    })
}

#[test]
fn what_was_deleted_leaves_no_bytes() {
    let desk = Desk::new();
    let path = desk.folder.path();
    // Long enough for overflow pages, and short enough for a cell of a page that stays.
    let (long, short) = ("overflowing".repeat(2000), "Nightingale");
    let noted = |n, name: &str, notes: &str| Integration { notes: notes.to_owned(), ..integration(n, name) };
    desk.ledger
        .apply(&[
            Change::AddIntegration(noted(1, "First", &long)),
            Change::AddIntegration(noted(2, "Second", "edited away")),
            Change::AddIntegration(integration(3, short)),
            Change::AddKey(key(1, 3, "whispering")),
        ])
        .unwrap();
    let words = ["overflowing", "edited away", short, "whispering"];
    assert!(words.iter().all(|word| holds(path, word)), "the search finds what is there");
    desk.ledger
        .apply(&[
            Change::EditIntegration(noted(2, "Second", "")),
            Change::RemoveKey(key_id(1)),
            Change::RemoveIntegration(integration_id(3)),
            Change::RemoveIntegration(integration_id(1)),
        ])
        .unwrap();
    for word in words {
        assert!(!holds(path, word), "{word} is still in a file while the ledger is open");
    }
    let Desk { folder, ledger } = desk;
    drop(ledger);
    for word in words {
        assert!(!holds(folder.path(), word), "{word} is still in a file after closing");
    }
}

#[test]
fn closing_cuts_the_log() {
    let desk = Desk::with_key();
    let notes = "passing remark";
    desk.ledger.apply(&[Change::EditIntegration(Integration { notes: notes.to_owned(), ..integration(1, "Work") })]).unwrap();
    desk.ledger.apply(&[Change::EditIntegration(integration(1, "Work"))]).unwrap();
    let log = open::side_files(&desk.path())[0].clone();
    assert!(log.metadata().unwrap().len() > 0);
    let other = SqliteLedger::open(&desk.path(), Uuid::from_u128(1)).unwrap();
    let Desk { folder, ledger } = desk;
    drop(ledger);
    assert_eq!(log.metadata().unwrap().len(), 0, "even with the file open elsewhere");
    assert!(!holds(folder.path(), notes));
    drop(other);
}

/// The mode is the process's own, so this runs in a process of its own: itself, told by a variable.
#[cfg(unix)]
#[test]
fn modes_are_tight_under_any_umask() {
    use rustix::fs::Mode;
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    if let Some(folder) = races::told() {
        for umask in [0o000, 0o777] {
            let root = folder.join(format!("{umask:o}"));
            let old = rustix::process::umask(Mode::from_raw_mode(umask));
            let path = root.join("deep/ledger.sqlite");
            let ledger = SqliteLedger::open(&path, Uuid::from_u128(1)).unwrap();
            ledger.apply(&[Change::AddIntegration(integration(1, "Work"))]).unwrap();
            let hold = ledger.hold(rotation_id(1)).unwrap();
            let copy = ledger.backup_daily(&root.join("backups"), at(1)).unwrap().unwrap();
            rustix::process::umask(old);
            for folder in [&root, &root.join("deep"), &root.join("deep/locks"), &root.join("backups")] {
                assert_eq!(mode(folder), 0o700, "{}", folder.display());
            }
            let [log, memory] = open::side_files(&path);
            let lock = root.join("deep/locks").join(format!("{}.lock", rotation_id(1)));
            for file in [&path, &log, &memory, &lock, &copy] {
                assert_eq!(mode(file), 0o600, "{}", file.display());
            }
            drop((hold, ledger));
        }
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    races::tell("files::modes_are_tight_under_any_umask", folder.path(), &[]).finish();
    assert!(folder.path().join("0/deep/ledger.sqlite").exists(), "the other process was here");
    assert!(folder.path().join("777/deep/ledger.sqlite").exists());

    // A file that came back from somewhere with a wide mode is narrowed.
    let path = folder.path().join("0/deep/ledger.sqlite");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    drop(SqliteLedger::open(&path, Uuid::from_u128(1)).unwrap());
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn a_copy_a_day_is_made_and_seven_are_kept() {
    let desk = Desk::with_key();
    let folder = desk.folder.path().join("backups");
    let strangers = ["notes.txt", "ledger-old.sqlite"];
    crate::private::make_folder(&folder).unwrap();
    strangers.iter().for_each(|name| std::fs::write(folder.join(name), "mine").unwrap());
    std::fs::write(folder.join("ledger.part"), "what a killed process left").unwrap();
    let mut made = Vec::new();
    for day in 0..9 {
        // Two hours apart within a day: the first makes the copy.
        let morning = at(1) + TimeDelta::days(day);
        made.extend(desk.ledger.backup_daily(&folder, morning).unwrap());
        let evening = morning - TimeDelta::hours(2);
        assert_eq!(desk.ledger.backup_daily(&folder, evening).unwrap(), None);
    }
    assert_eq!(made.len(), 9);
    let mut left: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    left.retain(|path| !strangers.iter().any(|name| path.ends_with(name)));
    left.sort();
    assert_eq!(left, made[2..], "the seven newest, each one file, and nothing else");

    let copy = SqliteLedger::open(&left[6], Uuid::from_u128(1)).unwrap();
    assert_eq!(copy.installation(), desk.ledger.installation());
    assert_eq!(copy.keys().unwrap(), desk.ledger.keys().unwrap());
    assert_eq!(copy.check().unwrap(), Vec::<String>::new());
}

#[test]
fn a_damaged_ledger_does_not_push_out_its_good_copies() {
    let desk = Desk::with_key();
    let folder = desk.folder.path().join("backups");
    let good = desk.ledger.backup_daily(&folder, at(1)).unwrap().unwrap();
    // An index that does not say what its table says.
    desk.sql(
        "PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'snoozes')
             WHERE name = 'destinations_of_key';
         PRAGMA writable_schema = RESET;",
    )
    .unwrap();
    let refused = desk.ledger.backup_daily(&folder, at(1) + TimeDelta::days(1));
    assert!(matches!(refused, Err(LedgerError::Damaged(_))), "{refused:?}");
    let left: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(left, [good]);
}
