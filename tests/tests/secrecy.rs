//! Values appear nowhere but in the vault, at the service, and where they are used: not in arguments, logs (trace level too),
//! ledger, journal, errors, or whatever else lies in the home folder afterwards.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what went wrong by panicking")]

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use keytender_practice::{Call, Fault, FaultKind, KeyKind, OldKey, Who};
use keytender_tests::binary::{Person, PracticeServer};
use regex::bytes::RegexSet;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// A value in every form in which it might lie about.
fn forms(value: &str) -> Vec<Vec<u8>> {
    let utf16: Vec<u8> = value.encode_utf16().flat_map(u16::to_le_bytes).collect();
    // Base64 of a value inside something longer begins at any of three offsets; the middle part is the same for all.
    let inner = |pad: usize| {
        let text = STANDARD.encode([&vec![b' '; pad][..], value.as_bytes(), b"   "].concat());
        text.as_bytes()[4..4 + 40].to_vec()
    };
    vec![
        value.as_bytes().to_vec(),
        STANDARD_NO_PAD.encode(value).into_bytes(),
        URL_SAFE.encode(value).into_bytes(),
        inner(1),
        inner(2),
        hex(value).into_bytes(),
        hex(value).to_uppercase().into_bytes(),
        utf16,
        // A half of a random value is as telling as the whole.
        value.as_bytes()[value.len() / 2..].to_vec(),
    ]
}

/// A pattern for exactly these bytes.
fn escaped(form: &[u8]) -> String {
    let bytes: String = form.iter().map(|byte| format!("\\x{byte:02x}")).collect();
    format!("(?-u){bytes}")
}

fn hex(value: &str) -> String {
    value.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut list = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            list.extend(files(&path));
        } else {
            list.push(path);
        }
    }
    list
}

/// Looks at the arguments and the environment of every keytender process until told to stop.
fn watch_processes(stop: Arc<AtomicBool>, seen: Arc<AtomicUsize>) -> std::thread::JoinHandle<HashSet<Vec<u8>>> {
    std::thread::spawn(move || {
        let mut all = HashSet::new();
        while !stop.load(Ordering::Relaxed) {
            for entry in std::fs::read_dir("/proc").unwrap().flatten() {
                let folder = entry.path();
                let Ok(arguments) = std::fs::read(folder.join("cmdline")) else { continue };
                if arguments.windows(9).any(|nine| nine == b"keytender") {
                    seen.fetch_add(1, Ordering::Relaxed);
                    all.insert(arguments);
                    all.insert(std::fs::read(folder.join("environ")).unwrap_or_default());
                }
            }
            std::thread::yield_now();
        }
        all
    })
}

#[test]
fn no_value_is_left_lying_about() {
    let (stop, seen) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let watcher = watch_processes(Arc::clone(&stop), Arc::clone(&seen));
    let (mut person, _daemon) = Person::with_keychain();
    person.set("KEYTENDER_LOG", "trace");
    let server = PracticeServer::start();
    person.add_practice(&server.url);
    let mut values = Vec::new();
    let mut printed = Vec::new();
    let mut run = |arguments: &[&str], stdin: Option<&str>| {
        let arguments = [&["--verbose"], arguments].concat();
        let ran = match stdin {
            Some(text) => person.feed(&arguments, text),
            None => person.run(&arguments),
        };
        printed.extend(ran.out.as_bytes());
        printed.extend(ran.err.as_bytes());
    };
    for (make, fault) in [
        (Who::Api, None),
        (Who::Api, Some(Fault::once(Call::Make, FaultKind::Cut { bytes: 100 }))),
        (Who::Api, Some(Fault::once(Call::Make, FaultKind::WrongShape))),
        (Who::Person, None),
    ] {
        let kind = KeyKind::new(make, Who::Api, OldKey::Overlaps);
        let name = format!("key {}", values.len());
        let key = format!("home/{}", name.replace(' ', "-"));
        let issued = person.add_key(&server.practice, kind, &name);
        let _ = person.add_dotenv(&key, &issued.token);
        values.push(issued.token.clone());
        if let Some(fault) = fault {
            server.practice.set_fault(fault).unwrap();
        }
        run(&["rotate", &key, "--yes", "--patience", "30"], None);
        let made = server.practice.issue(&keytender_practice::IssueRequest::new(kind)).unwrap();
        values.push(made.token.clone());
        run(&["rotations", "answer", &key, "--secret-stdin"], Some(&made.token));
        run(&["rotations", "show", &key], None);
        run(&["rotations", "list", "--all", "--json"], None);
        run(&["verify", &key], None);
        run(&["key", "show", &key, "--json"], None);
        let revealed = person.run(&["key", "reveal", &key]);
        values.push(revealed.ok().trim_end().to_owned());
        // Rubbish with a value in it must not come back in an error.
        run(&["key", "add", "home", "--name", "rubbish", "--kind", "nonsense", "--secret-stdin"], Some(&made.token));
        run(&["key", "add", "home", "--name", &name, "--kind", &kind.to_string(), "--secret-stdin"], Some(&made.token));
        run(&["history"], None);
        run(&["doctor"], None);
    }
    stop.store(true, Ordering::Relaxed);
    let processes: Vec<u8> = watcher.join().unwrap().into_iter().flatten().collect();
    assert!(seen.load(Ordering::Relaxed) > 100, "too few looks at processes to say anything");

    values.sort();
    values.dedup();
    let logs = files(&person.home().join("logs"));
    let logged: u64 = logs.iter().map(|path| std::fs::metadata(path).unwrap().len()).sum();
    assert!(logged > 1_000, "there is a log to be searched");
    let mut haystacks: Vec<(String, Vec<u8>)> = vec![("processes".into(), processes), ("what was printed".into(), printed)];
    haystacks.extend(files(&person.home()).into_iter().map(|path| (path.display().to_string(), std::fs::read(&path).unwrap())));
    let patterns = values.iter().flat_map(|value| forms(value)).map(|form| escaped(&form));
    let search = RegexSet::new(patterns).unwrap();
    for (name, text) in &haystacks {
        assert!(!search.is_match(text), "a value lies in {name}");
    }
    // The search itself can find: the .env files are where values belong.
    assert!(search.is_match(&std::fs::read(person.folder.path().join("home-key-0.env")).unwrap()));
}

#[test]
#[cfg(unix)]
fn the_home_folder_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (person, _daemon) = Person::with_keychain();
    let server = PracticeServer::start();
    person.add_practice(&server.url);
    let kind = KeyKind::new(Who::Api, Who::Api, OldKey::Overlaps);
    let issued = person.add_key(&server.practice, kind, "one");
    let _ = person.add_dotenv("home/one", &issued.token);
    let _ = person.run(&["rotate", "home/one", "--yes", "--patience", "30"]).ok();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&person.home()), 0o700);
    for path in files(&person.home()) {
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        assert_eq!(mode(path.parent().unwrap()), 0o700, "{}", path.display());
    }
}
