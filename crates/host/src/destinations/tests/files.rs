//! Files that are not what they seem, and what a write leaves as it was.

use super::*;
use keytender_core::ports::Warning;
use rustix::fs::{CWD, FileType, Mode};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::process::Command;

/// The user `nobody` of most systems; any number without rights does.
const NOBODY: u32 = 65_534;

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn a_symbolic_link_is_followed_by_consent_only_and_stays_one() {
    let bench = Bench::new();
    let target = bench.put("real.env", "TOKEN=OLD\n");
    let link = bench.folder().join(".env");
    symlink("real.env", &link).unwrap();
    let mut linked = variable(&link, "TOKEN");
    assert!(matches!(bench.write(&linked), Err(DestinationError::NeedsConsent(_))));
    assert!(matches!(bench.destinations().writable(&linked), Err(DestinationError::NeedsConsent(_))));
    assert_eq!(bench.read(&target), "TOKEN=OLD\n");
    agree(&mut linked, Placement { follow_symlink: true, foreign_owner: false });
    assert!(matches!(bench.write(&linked), Ok(Written::Confirmed(_))));
    assert_eq!(bench.read(&target), "TOKEN=NEW\n");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
}

#[test]
fn a_link_that_leads_nowhere_and_a_file_that_is_not_there_are_not_made() {
    let bench = Bench::new();
    let link = bench.folder().join(".env");
    symlink("nowhere", &link).unwrap();
    let mut linked = variable(&link, "TOKEN");
    agree(&mut linked, Placement { follow_symlink: true, foreign_owner: false });
    assert!(matches!(bench.write(&linked), Err(DestinationError::Unwritable(_))));
    assert!(!bench.folder().join("nowhere").exists());
    let absent = variable(&bench.folder().join("absent"), "TOKEN");
    assert!(matches!(bench.write(&absent), Err(DestinationError::Unwritable(why)) if why.ends_with("is not there")));
    let relative = variable(Path::new(".env"), "TOKEN");
    assert!(matches!(bench.write(&relative), Err(DestinationError::Unwritable(why)) if why.contains("absolute")));
}

#[test]
fn hard_links_are_refused_with_the_reason() {
    let bench = Bench::new();
    let path = bench.put(".env", "TOKEN=OLD\n");
    fs::hard_link(&path, bench.folder().join("other")).unwrap();
    let refused = bench.write(&variable(&path, "TOKEN"));
    assert!(matches!(refused, Err(DestinationError::Unwritable(why)) if why.contains("2 hard links")));
    assert_eq!(bench.read(&path), "TOKEN=OLD\n");
}

#[test]
fn a_fifo_a_socket_a_folder_and_a_device_are_refused_without_being_opened() {
    let bench = Bench::new();
    let fifo = bench.folder().join("fifo");
    rustix::fs::mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let socket = bench.folder().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let places = [(fifo.as_path(), "FIFO"), (&socket, "socket"), (&bench.folder(), "folder"), (Path::new("/dev/null"), "device")]
        .map(|(path, kind)| (path.to_owned(), kind));
    for (path, kind) in places {
        let refused = bench.write(&variable(&path, "TOKEN"));
        assert!(matches!(&refused, Err(DestinationError::Unwritable(why)) if why.contains(kind)), "{refused:?}");
    }
}

#[test]
fn another_users_file_is_written_by_consent_only_and_stays_theirs() {
    let bench = Bench::new();
    if !is_root() {
        let theirs = variable(Path::new("/etc/passwd"), "TOKEN");
        let looked = bench.destinations().holding(&theirs, &value(&bench.old));
        assert!(matches!(looked, Err(DestinationError::NeedsConsent(_))), "{looked:?}");
        return;
    }
    let path = bench.put(".env", "TOKEN=OLD\n");
    chown(&path, Some(NOBODY), Some(NOBODY)).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let mut theirs = variable(&path, "TOKEN");
    assert!(matches!(bench.write(&theirs), Err(DestinationError::NeedsConsent(why)) if why.contains("65534")));
    assert_eq!(bench.read(&path), "TOKEN=OLD\n");
    agree(&mut theirs, Placement { follow_symlink: false, foreign_owner: true });
    bench.write(&theirs).unwrap();
    let after = fs::metadata(&path).unwrap();
    assert_eq!((after.uid(), after.gid(), after.mode() & 0o7777), (NOBODY, NOBODY, 0o640));
    assert_eq!(bench.read(&path), "TOKEN=NEW\n");
}

#[test]
fn mode_and_attributes_stay() {
    for mode in [0o600, 0o644, 0o660, 0o4711] {
        let bench = Bench::new();
        let path = bench.put(".env", "TOKEN=OLD\n");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let marked = rustix::fs::setxattr(&path, "user.note", b"mine", rustix::fs::XattrFlags::empty()).is_ok();
        bench.write(&variable(&path, "TOKEN")).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, mode);
        let mut note = [0; 4];
        assert_eq!(rustix::fs::getxattr(&path, "user.note", &mut note[..]).is_ok(), marked);
        assert_eq!(&note == b"mine", marked);
    }
}

#[test]
fn a_file_marked_read_only_is_refused() {
    let bench = Bench::new();
    let path = bench.put(".env", "TOKEN=OLD\n");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
    let file = variable(&path, "TOKEN");
    assert!(matches!(bench.write(&file), Err(DestinationError::Unwritable(why)) if why.contains("read-only")));
    assert!(matches!(bench.destinations().writable(&file), Err(DestinationError::Unwritable(_))));
    assert_eq!(bench.read(&path), "TOKEN=OLD\n");
}

/// Root may write any folder, so as root this test runs itself once more as somebody else.
#[test]
fn a_read_only_folder_is_refused() {
    if is_root() {
        let borrowed = TempDir::new().unwrap();
        fs::set_permissions(borrowed.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let program = borrowed.path().join("test");
        fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
        let name = "destinations::tests::files::a_read_only_folder_is_refused";
        let mut again = Command::new(&program);
        // Somebody else may not write where root makes its temporary files.
        let room = borrowed.path().join("room");
        fs::create_dir(&room).unwrap();
        std::os::unix::fs::chown(&room, Some(NOBODY), Some(NOBODY)).unwrap();
        again.args(["--exact", name]).uid(NOBODY).gid(NOBODY).current_dir("/").env("TMPDIR", &room);
        let output = again.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&output.stderr));
        return;
    }
    let bench = Bench::new();
    let path = bench.put(".env", "TOKEN=OLD\n");
    fs::set_permissions(bench.folder(), fs::Permissions::from_mode(0o555)).unwrap();
    let refused = bench.write(&variable(&path, "TOKEN"));
    let looked = bench.destinations().writable(&variable(&path, "TOKEN"));
    fs::set_permissions(bench.folder(), fs::Permissions::from_mode(0o755)).unwrap();
    assert!(matches!(&refused, Err(DestinationError::Unwritable(why)) if why.contains("folder")), "{refused:?}");
    assert!(matches!(looked, Err(DestinationError::Unwritable(_))));
    assert_eq!(bench.read(&path), "TOKEN=OLD\n");
    assert_eq!(bench.leftovers(), Vec::<String>::new());
}

#[test]
fn a_file_over_the_limit_is_refused_and_one_just_below_is_written() {
    let bench = Bench::new();
    let path = bench.put(".env", "TOKEN=OLD\n");
    let line = format!("# {}\n", "x".repeat(1021));
    let limit = usize::try_from(file::FILE_BYTES_MAX).unwrap();
    let head = fs::read_to_string(&path).unwrap();
    let filled = head.clone() + &line.repeat((limit - head.len()) / line.len());
    fs::write(&path, &filled).unwrap();
    bench.write(&variable(&path, "TOKEN")).unwrap();
    assert!(fs::read_to_string(&path).unwrap() == filled.replace(&bench.old, &bench.new));

    fs::write(&path, filled + &line).unwrap();
    assert!(matches!(bench.write(&variable(&path, "TOKEN")), Err(DestinationError::Unwritable(why)) if why.contains("10 MiB")));
}

#[test]
fn writing_what_stands_touches_nothing() {
    let bench = Bench::new();
    let path = bench.put(".env", "TOKEN=NEW\n");
    let before = fs::metadata(&path).unwrap();
    let written = bench.write(&variable(&path, "TOKEN")).unwrap();
    assert_eq!(written, Written::Confirmed(format!("{} line 1", path.display())));
    let after = fs::metadata(&path).unwrap();
    assert_eq!((before.ino(), before.mtime_nsec()), (after.ino(), after.mtime_nsec()));
    assert_eq!(bench.undo_files(), 0);
}

#[test]
fn the_undo_copy_is_sealed_whole_and_forgotten_on_request() {
    let bench = Bench::new();
    let path = bench.put(".env", "A=1\nTOKEN=OLD # mine\n");
    let file = variable(&path, "TOKEN");
    bench.write(&file).unwrap();
    assert_eq!(bench.undo_files(), 1, "the copy and no record");
    for entry in fs::read_dir(bench.undo_folder()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().mode() & 0o777, 0o600);
        let sealed = fs::read(entry.path()).unwrap();
        assert!(!sealed.windows(bench.old.len()).any(|window| window == bench.old.as_bytes()));
    }
    assert_eq!(fs::metadata(bench.undo_folder()).unwrap().mode() & 0o777, 0o700);
    let copy = bench.destinations().undo_copy(file.id).unwrap().unwrap();
    assert_eq!(copy.expose(), bench.fill("A=1\nTOKEN=OLD # mine\n").as_bytes());
    let other = variable(&path, "TOKEN");
    bench.destinations().forget_undo(other.id).unwrap();
    assert_eq!(bench.undo_files(), 1);
    bench.destinations().forget_undo(file.id).unwrap();
    assert_eq!(bench.undo_files(), 0);
    assert!(bench.destinations().undo_copy(file.id).unwrap().is_none());
}

#[test]
fn warnings_tell_of_git_browsers_and_other_readers() {
    let bench = Bench::new();
    let path = bench.put(".env", "VITE_TOKEN=OLD\nTOKEN=OLD\n");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let both = variables(&path, &[("VITE_TOKEN", None), ("TOKEN", None)]);
    let published = || Warning::PublishedToBrowsers("VITE_TOKEN".into());
    assert_eq!(bench.destinations().writable(&both).unwrap(), [published()]);
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.args(arguments)
            .current_dir(bench.folder())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null");
        assert!(git.output().unwrap().status.success(), "git {arguments:?}");
    };
    git(&["init", "-q"]);
    assert_eq!(bench.destinations().writable(&both).unwrap(), [published()], "in a repository, not tracked");
    git(&["add", ".env"]);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let all = [Warning::TrackedByGit, published(), Warning::ReadableByOthers(0o644)];
    assert_eq!(bench.destinations().writable(&both).unwrap(), all);
}
