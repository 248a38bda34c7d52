//! Several threads and several processes at one ledger.
//!
//! The other processes are this test binary itself, told by variables to run one test as its other half.

use super::*;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const FOLDER: &str = "KEYTENDER_TEST_FOLDER";
const NUMBER: &str = "KEYTENDER_TEST_NUMBER";

/// A process that runs the other half of a test; it does not outlive this value.
pub(super) struct Other(Child);

impl Other {
    /// Waits for its end, which must be a good one.
    pub(super) fn finish(mut self) {
        assert!(self.0.wait().unwrap().success(), "the other process failed");
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.0.kill(); // gone already, mostly
        let _ = self.0.wait();
    }
}

/// Starts the other half of a test of this folder, on a folder.
pub(super) fn tell(test: &str, folder: &Path, variables: &[(&str, String)]) -> Other {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("ledger::tests::{test}")])
        .env(FOLDER, folder)
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .stdout(Stdio::null())
        .spawn();
    Other(child.unwrap())
}

/// The folder that this process was told to work on, if it is another half.
pub(super) fn told() -> Option<PathBuf> {
    std::env::var_os(FOLDER).map(PathBuf::from)
}

fn number() -> u128 {
    std::env::var(NUMBER).unwrap().parse().unwrap()
}

fn open(folder: &Path) -> SqliteLedger {
    SqliteLedger::open(&folder.join("ledger.sqlite"), Uuid::from_u128(number_or_zero())).unwrap()
}

fn number_or_zero() -> u128 {
    std::env::var(NUMBER).ok().and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// Looks until it is so, at most half a minute.
fn until(what: &str, mut so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !so() {
        assert!(start.elapsed() < Duration::from_secs(30), "{what} did not come about");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn start_all(test: &str, folder: &Path, count: u128) -> Vec<Other> {
    (1..=count).map(|n| tell(test, folder, &[(NUMBER, n.to_string())])).collect()
}

const PROCESSES: u128 = 4;
const KEYS: u128 = 40;
const EVENTS: u128 = 25;

/// Every process tries to start a rotation of every key; each key gets one.
#[test]
fn one_process_wins_the_start_of_a_rotation() {
    if let Some(folder) = told() {
        let (ledger, me) = (open(&folder), number());
        for n in 1..=KEYS {
            let row = rotation(me * 1000 + n, n);
            let won = ledger.append(row.id, 0, at(1), &started(1), &[Change::OpenRotation(row.clone())]);
            let taken = Err(LedgerError::Exists("an open rotation of this key".to_owned()));
            assert!(won == Ok(()) || won == taken, "{won:?}");
        }
        return;
    }
    let desk = Desk::new();
    desk.ledger.apply(&[Change::AddIntegration(integration(1, "Work"))]).unwrap();
    let keys: Vec<Change> = (1..=KEYS).map(|n| Change::AddKey(key(n, 1, &format!("key {n}")))).collect();
    desk.ledger.apply(&keys).unwrap();
    let seen = desk.ledger.data_version().unwrap();
    let others = start_all("races::one_process_wins_the_start_of_a_rotation", desk.folder.path(), PROCESSES);
    others.into_iter().for_each(Other::finish);
    assert_ne!(desk.ledger.data_version().unwrap(), seen, "another process has written");

    let open = desk.ledger.rotations(true).unwrap();
    let of: BTreeSet<KeyId> = open.iter().map(|row| row.key).collect();
    assert_eq!((open.len(), of.len()), (KEYS as usize, KEYS as usize));
    assert_eq!(desk.ledger.rotations(false).unwrap().len(), KEYS as usize, "who lost left no row");
    assert!(open.iter().all(|row| desk.ledger.journal(row.id).unwrap().len() == 1));
}

fn append_until_written(ledger: &SqliteLedger, event: &Event) {
    loop {
        let length = ledger.journal(rotation_id(1)).unwrap().len() as u64;
        match ledger.append(rotation_id(1), length, at(2), event, &[]) {
            Ok(()) => return,
            Err(LedgerError::Stale { expected, found }) => assert!(found > expected),
            Err(other) => panic!("{other:?}"),
        }
    }
}

/// A journal after a race: every event once, numbered without a gap.
fn assert_all_once(ledger: &SqliteLedger, writers: u128) {
    let rows = ledger.journal(rotation_id(1)).unwrap();
    let events: BTreeSet<String> = rows.iter().map(|row| format!("{:?}", row.event)).collect();
    let count = usize::try_from(writers * EVENTS + 1).unwrap();
    assert_eq!((rows.len(), events.len()), (count, count));
    assert!(rows.iter().map(|row| row.seq).eq(1..=count as u64));
}

#[test]
fn processes_that_append_at_once_lose_and_double_nothing() {
    if let Some(folder) = told() {
        let (ledger, me) = (open(&folder), number());
        (0..EVENTS).for_each(|n| append_until_written(&ledger, &stuck(&format!("{me}/{n}"))));
        return;
    }
    let desk = Desk::with_key();
    desk.ledger.append(rotation_id(1), 0, at(1), &started(1), &[Change::OpenRotation(rotation(1, 1))]).unwrap();
    start_all("races::processes_that_append_at_once_lose_and_double_nothing", desk.folder.path(), PROCESSES)
        .into_iter()
        .for_each(Other::finish);
    assert_all_once(&desk.ledger, PROCESSES);
}

#[test]
fn threads_that_append_at_once_lose_and_double_nothing() {
    let desk = Desk::with_key();
    desk.ledger.append(rotation_id(1), 0, at(1), &started(1), &[Change::OpenRotation(rotation(1, 1))]).unwrap();
    let second = open(desk.folder.path());
    std::thread::scope(|scope| {
        for me in 0..4 {
            let ledger = if me % 2 == 0 { &desk.ledger } else { &second };
            scope.spawn(move || (0..EVENTS).for_each(|n| append_until_written(ledger, &stuck(&format!("{me}/{n}")))));
        }
    });
    assert_all_once(&desk.ledger, 4);
}

/// Processes that all find no file make one ledger, of one of them.
#[test]
fn processes_that_make_the_ledger_at_once_make_one() {
    if let Some(folder) = told() {
        let (ledger, me) = (open(&folder), number());
        ledger.apply(&[Change::AddIntegration(integration(me, &format!("of {me}")))]).unwrap();
        std::fs::write(folder.join(format!("{me}.saw")), ledger.installation().to_string()).unwrap();
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    start_all("races::processes_that_make_the_ledger_at_once_make_one", folder.path(), PROCESSES)
        .into_iter()
        .for_each(Other::finish);
    let ledger = open(folder.path());
    assert_eq!(ledger.integrations().unwrap().len(), PROCESSES as usize);
    for n in 1..=PROCESSES {
        let saw = std::fs::read_to_string(folder.path().join(format!("{n}.saw"))).unwrap();
        assert_eq!(saw, ledger.installation().to_string());
    }
    assert_eq!(ledger.check().unwrap(), Vec::<String>::new());
}

#[test]
fn one_thread_holds_a_rotation() {
    let desk = Desk::with_key();
    let second = open(desk.folder.path());
    let busy = |ledger: &SqliteLedger| ledger.hold(rotation_id(1)).err() == Some(LedgerError::Busy);
    let hold = desk.ledger.hold(rotation_id(1)).unwrap();
    assert!(busy(&desk.ledger) && busy(&second));
    std::thread::scope(|scope| assert!(scope.spawn(|| busy(&desk.ledger)).join().unwrap()));
    let other = second.hold(rotation_id(2)).unwrap();
    drop(hold);
    let again = second.hold(rotation_id(1)).unwrap();
    assert!(busy(&desk.ledger));
    drop((again, other));
    if cfg!(unix) {
        assert_eq!(std::fs::read_dir(desk.folder.path().join("locks")).unwrap().count(), 0, "no lock file is left");
    }
}

/// Threads take and drop one lock as fast as they can; never two at a time, and each gets its turns.
#[test]
fn a_hold_is_never_shared() {
    use std::sync::atomic::{AtomicU32, Ordering};
    let desk = Desk::new();
    let inside = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut turns = 0;
                until("200 turns", || {
                    if let Ok(_hold) = desk.ledger.hold(rotation_id(1)) {
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        std::thread::yield_now();
                        inside.fetch_sub(1, Ordering::SeqCst);
                        turns += 1;
                    }
                    turns == 200
                });
            });
        }
    });
}

#[test]
fn a_hold_dies_with_its_process() {
    if let Some(folder) = told() {
        let ledger = open(&folder);
        let _hold = ledger.hold(rotation_id(1)).unwrap();
        std::fs::write(folder.join("held"), "").unwrap();
        until("the end of the other process", || !folder.exists());
        return;
    }
    let desk = Desk::with_key();
    let other = tell("races::a_hold_dies_with_its_process", desk.folder.path(), &[]);
    until("the hold", || desk.folder.path().join("held").exists());
    assert_eq!(desk.ledger.hold(rotation_id(1)).err(), Some(LedgerError::Busy));
    drop(other); // kills it, as SIGKILL does
    assert!(desk.ledger.hold(rotation_id(1)).is_ok());
}
