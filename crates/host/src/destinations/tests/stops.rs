//! Sudden ends and other editors: at every step of a replacement the file is whole, and nobody's text is lost.

use super::*;
use std::os::unix::fs::MetadataExt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const STEPS: [Step; 9] = [
    Step::UndoKept,
    Step::Noted,
    Step::Created,
    Step::InodeNoted,
    Step::HalfWritten,
    Step::Ready,
    Step::Exchanged,
    Step::Compared,
    Step::Removed,
];

/// Runs a write that ends at a step as if the process were killed there: nothing after that step is carried out. Tells
/// whether the step was reached.
fn stop_at(bench: &Bench, stop: Step, exchange: bool, file: &Destination, before: impl Fn(Step) + Send + Sync + 'static) -> bool {
    let all = bench.rehearsed(exchange, move |step| {
        before(step);
        if step == stop {
            resume_unwind(Box::new("stopped"));
        }
    });
    catch_unwind(AssertUnwindSafe(|| bench.write_with(&all, file))).is_err()
}

#[test]
fn a_write_that_is_stopped_anywhere_leaves_a_whole_file_and_the_next_one_cleans_up() {
    for exchange in [true, false] {
        for stop in STEPS {
            let bench = Bench::new();
            let path = bench.put(".env", "# mine\nTOKEN=OLD # note\nOTHER=1\n");
            let file = variable(&path, "TOKEN");
            let reached = stop_at(&bench, stop, exchange, &file, |_| ());
            assert_eq!(reached, exchange || !matches!(stop, Step::Exchanged | Step::Compared), "{stop:?}");
            let text = bench.read(&path);
            let swapped = matches!(stop, Step::Exchanged | Step::Compared | Step::Removed);
            let expected = if swapped { "NEW" } else { "OLD" };
            assert_eq!(text, format!("# mine\nTOKEN={expected} # note\nOTHER=1\n"), "{stop:?}");
            let undo = bench.destinations().undo_copy(file.id).unwrap().unwrap();
            assert!(undo.expose().starts_with(b"# mine\nTOKEN=old"), "{stop:?}");

            assert!(matches!(bench.write(&file), Ok(Written::Confirmed(_))), "{stop:?}");
            assert_eq!(bench.read(&path), "# mine\nTOKEN=NEW # note\nOTHER=1\n", "{stop:?}");
            assert_eq!(bench.leftovers(), Vec::<String>::new(), "{stop:?}");
            bench.destinations().forget_undo(file.id).unwrap();
            assert_eq!(bench.undo_files(), 0, "{stop:?}: no record is left");
        }
    }
}

#[test]
fn a_stopped_write_leaves_secrets_to_nobody_but_the_owner() {
    let bench = Bench::new();
    let path = bench.put(".env", "TOKEN=OLD\n");
    assert!(stop_at(&bench, Step::HalfWritten, true, &variable(&path, "TOKEN"), |_| ()));
    let leftovers = bench.leftovers();
    assert_eq!(leftovers.len(), 1);
    assert_eq!(fs::metadata(bench.folder().join(&leftovers[0])).unwrap().mode() & 0o7777, 0o600);
}

#[test]
fn files_that_only_look_like_leftovers_stay() {
    let bench = Bench::new();
    let path = bench.put(".env", "TOKEN=OLD\n");
    let alike = format!(".kt-{}.tmp", "0".repeat(32));
    bench.put(&alike, "somebody's");
    bench.write(&variable(&path, "TOKEN")).unwrap();
    assert_eq!(bench.leftovers(), [alike]);
}

/// How somebody else changes the file: by writing into it, or by putting another in its place.
fn save(path: &Path, text: &str, in_place: bool) {
    if in_place {
        fs::write(path, text).unwrap();
    } else {
        let beside = path.with_extension("swp");
        fs::write(&beside, text).unwrap();
        fs::rename(beside, path).unwrap();
    }
}

#[test]
fn what_someone_else_saves_between_read_and_swap_stands() {
    for exchange in [true, false] {
        for in_place in [true, false] {
            for at in [Step::UndoKept, Step::Noted, Step::Ready] {
                let bench = Bench::new();
                let path = bench.put(".env", "TOKEN=OLD\n");
                let theirs = bench.fill("TOKEN=OLD\nADDED=1\n");
                let (target, once) = (path.clone(), AtomicBool::new(false));
                let all = bench.rehearsed(exchange, move |step| {
                    if step == at && !once.swap(true, Ordering::SeqCst) {
                        save(&target, &theirs, in_place);
                    }
                });
                let file = variable(&path, "TOKEN");
                let refused = bench.write_with(&all, &file);
                assert!(matches!(refused, Err(DestinationError::Changed(_))), "{refused:?}");
                assert_eq!(bench.read(&path), "TOKEN=OLD\nADDED=1\n");
                assert_eq!(bench.leftovers(), Vec::<String>::new());
                assert_eq!(bench.undo_files(), 0);
                bench.write(&file).unwrap();
                assert_eq!(bench.read(&path), "TOKEN=NEW\nADDED=1\n");
            }
        }
    }
}

#[test]
fn a_file_that_is_removed_meanwhile_does_not_come_back() {
    for exchange in [true, false] {
        let bench = Bench::new();
        let path = bench.put(".env", "TOKEN=OLD\n");
        let target = path.clone();
        let all = bench.rehearsed(exchange, move |step| {
            if step == Step::Ready {
                fs::remove_file(&target).unwrap();
            }
        });
        assert!(matches!(bench.write_with(&all, &variable(&path, "TOKEN")), Err(DestinationError::Changed(_))));
        assert!(!path.exists());
        assert_eq!(bench.leftovers(), Vec::<String>::new());
    }
}

#[test]
fn what_someone_else_saves_after_the_swap_stands() {
    let bench = Bench::new();
    let path = bench.put(".env", "TOKEN=OLD\n");
    let target = path.clone();
    let all = bench.rehearsed(true, move |step| {
        if step == Step::Compared {
            save(&target, "TOKEN=theirs\n", false);
        }
    });
    assert!(matches!(bench.write_with(&all, &variable(&path, "TOKEN")), Err(DestinationError::Unexpected(_))));
    assert_eq!(bench.read(&path), "TOKEN=theirs\n");
    assert_eq!(bench.leftovers(), Vec::<String>::new());
}

#[test]
fn of_two_foreign_texts_the_later_stands_and_the_earlier_is_kept_beside_it() {
    let bench = Bench::new();
    let path = bench.put(".env", "TOKEN=OLD\n");
    let target = path.clone();
    let all = bench.rehearsed(true, move |step| match step {
        Step::Ready => save(&target, "TOKEN=first\n", false),
        Step::Exchanged => save(&target, "TOKEN=second\n", false),
        _ => (),
    });
    let refused = bench.write_with(&all, &variable(&path, "TOKEN"));
    assert_eq!(bench.read(&path), "TOKEN=second\n");
    let kept = bench.leftovers();
    assert_eq!(kept.len(), 1);
    assert_eq!(bench.read(&bench.folder().join(&kept[0])), "TOKEN=first\n");
    assert!(matches!(refused, Err(DestinationError::Unexpected(why)) if why.contains(&kept[0])));
}

#[test]
fn a_foreign_text_that_was_swapped_out_before_a_sudden_end_comes_back() {
    for in_place in [true, false] {
        let bench = Bench::new();
        let path = bench.put(".env", "TOKEN=OLD\n");
        let file = variable(&path, "TOKEN");
        let (target, theirs) = (path.clone(), bench.fill("TOKEN=OLD\nADDED=1\n"));
        let edit = move |step| {
            if step == Step::Ready {
                save(&target, &theirs, in_place);
            }
        };
        assert!(stop_at(&bench, Step::Exchanged, true, &file, edit));
        assert_eq!(bench.read(&path), "TOKEN=NEW\n", "swapped, not compared yet");
        bench.write(&file).unwrap();
        assert_eq!(bench.read(&path), "TOKEN=NEW\nADDED=1\n");
        assert_eq!(bench.leftovers(), Vec::<String>::new());
    }
}

/// Names the folder in which this test's own child writes until it is killed.
const WRITER: &str = "KEYTENDER_TEST_WRITER";

/// Writes the two values in turn, for ever.
fn write_in_turn(home: &Path) -> ! {
    let spec = fs::read_to_string(home.join("spec")).unwrap();
    let [id, old, new] = spec.lines().collect::<Vec<_>>().try_into().unwrap();
    let mut file = variable(&home.join("app/.env"), "TOKEN");
    file.id = id.parse().unwrap();
    let all = LocalDestinations::new(home.join("undo"), Arc::new(SealOnly(SecretKey::generate(&mut OsRng))));
    loop {
        all.write(&file, Some(&value(old)), &value(new)).unwrap();
        all.write(&file, Some(&value(new)), &value(old)).unwrap();
        all.forget_undo(file.id).unwrap();
    }
}

#[test]
fn a_process_that_is_killed_leaves_a_whole_file() {
    if let Some(home) = std::env::var_os(WRITER) {
        write_in_turn(Path::new(&home));
    }
    let bench = Bench::new();
    let filling = "# filling\n".repeat(20_000);
    let path = bench.put(".env", &format!("{filling}TOKEN=OLD\n{filling}"));
    let file = variable(&path, "TOKEN");
    fs::write(bench.home.path().join("spec"), format!("{}\n{}\n{}", file.id, bench.old, bench.new)).unwrap();
    for round in 0_u32..15 {
        let mut writer = Command::new(std::env::current_exe().unwrap());
        writer.args(["--exact", "destinations::tests::stops::a_process_that_is_killed_leaves_a_whole_file"]);
        writer.env(WRITER, bench.home.path()).stdout(Stdio::null()).stderr(Stdio::null());
        let (before, started) = (fs::metadata(&path).unwrap().ino(), Instant::now());
        let mut writer = writer.spawn().unwrap();
        while fs::metadata(&path).unwrap().ino() == before && started.elapsed() < Duration::from_secs(20) {
            std::thread::yield_now();
        }
        // A different point of the next write each time.
        for _ in 0..round * 97 {
            std::thread::yield_now();
        }
        writer.kill().unwrap();
        writer.wait().unwrap();
        assert_ne!(fs::metadata(&path).unwrap().ino(), before, "the writer wrote");
        let text = bench.read(&path);
        let whole = |token: &str| text == format!("{filling}TOKEN={token}\n{filling}");
        assert!(whole("OLD") || whole("NEW"), "round {round}");
        bench.destinations().write(&file, Some(&value(&bench.new)), &value(&bench.old)).unwrap();
        assert_eq!(bench.leftovers(), Vec::<String>::new());
    }
}
