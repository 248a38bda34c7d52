//! The keychain adapter against a real gnome-keyring-daemon on a private bus: absent, locked, hung, killed and restarted are
//! told apart, no call waits longer than it may, and nothing that can be read without unlocking tells anything.

#![cfg(test)]

use keytender_core::ids::InstallationId;
use keytender_core::ports::{Item, Vault, VaultError};
use keytender_core::secret::SecretBytes;
use keytender_host::keychain::{Deadlines, Keychain};
use keytender_tests::keyring::{Daemon, inside, inside_with_screen, without_bus};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// What a caller may wait beyond its deadline on a loaded machine.
const MARGIN: Duration = Duration::from_secs(2);

fn installation() -> InstallationId {
    InstallationId(Uuid::from_u128(0x5d0f_4a8e_91c2_4b7d_8e3a_0c6b_7f12_9ad4))
}

fn keychain() -> Keychain {
    Keychain::open(installation(), Deadlines::default())
}

fn item(n: u8) -> Item {
    Item::Version(hex_of(n))
}

fn hex_of(n: u8) -> String {
    format!("{n:02x}").repeat(16)
}

/// A value that stands out wherever it turns up: 40 random characters.
fn canary() -> String {
    format!("{}{}", Uuid::new_v4().simple(), &Uuid::new_v4().simple().to_string()[..8])
}

fn bytes(text: &str) -> SecretBytes {
    SecretBytes::new(text.as_bytes().to_vec())
}

/// The bytes of an item as text; the error where there are none.
fn read(keychain: &Keychain, item: &Item) -> Result<String, VaultError> {
    keychain.fetch(item).map(|bytes| String::from_utf8(bytes.expose().to_vec()).unwrap())
}

/// Repeats a call until it answers as wanted, for at most ten seconds.
fn eventually<T>(mut call: impl FnMut() -> Result<T, VaultError>) -> T {
    let begun = Instant::now();
    loop {
        match call() {
            Ok(done) => return done,
            Err(error) => assert!(begun.elapsed() < Duration::from_secs(10), "still {error:?}"),
        }
    }
}

/// Every operation, as the error that it gives.
fn every_error(keychain: &Keychain) -> Vec<VaultError> {
    vec![
        keychain.put(&item(9), &bytes(&canary())).unwrap_err(),
        keychain.fetch(&item(1)).err().unwrap(),
        keychain.remove(&item(1)).unwrap_err(),
        keychain.items().unwrap_err(),
        keychain.ready().unwrap_err(),
        keychain.prove().unwrap_err(),
    ]
}

#[test]
fn values_are_kept_read_listed_and_removed() {
    inside("values_are_kept_read_listed_and_removed", || {
        let daemon = Daemon::start(vec![]);
        let keychain = keychain();
        assert_eq!(keychain.kind(), "keychain");
        keychain.ready().unwrap();
        assert_eq!(keychain.items().unwrap(), []);

        let value = canary();
        keychain.put(&item(1), &bytes(&value)).unwrap();
        keychain.put(&Item::EscrowPrivate, &SecretBytes::new(vec![0, 255, 10, 0])).unwrap();
        assert_eq!(read(&keychain, &item(1)).unwrap(), value);
        assert_eq!(keychain.fetch(&Item::EscrowPrivate).unwrap_or_else(|e| panic!("{e}")).expose(), [0, 255, 10, 0]);
        let mut items = keychain.items().unwrap();
        items.sort();
        assert_eq!(items, [item(1), Item::EscrowPrivate]);

        // As an independent client sees it.
        let name = item(1).name();
        let looked_up = daemon.secret_tool(&["lookup", "service", &installation().0.simple().to_string(), "username", &name]);
        assert_eq!(String::from_utf8(looked_up.stdout).unwrap(), value);

        keychain.remove(&item(1)).unwrap();
        keychain.remove(&item(1)).unwrap();
        assert!(matches!(read(&keychain, &item(1)), Err(VaultError::NotFound { .. })));
        assert_eq!(keychain.items().unwrap(), [Item::EscrowPrivate]);
    });
}

#[test]
fn nothing_is_ever_overwritten() {
    inside("nothing_is_ever_overwritten", || {
        let _daemon = Daemon::start(vec![]);
        let keychain = keychain();
        let value = canary();
        keychain.put(&item(1), &bytes(&value)).unwrap();
        let refused = keychain.put(&item(1), &bytes(&canary())).unwrap_err();
        assert!(matches!(refused, VaultError::Exists { .. }), "{refused:?}");
        keychain.put(&item(1), &bytes(&value)).unwrap();
        assert_eq!(read(&keychain, &item(1)).unwrap(), value);
        assert_eq!(keychain.items().unwrap(), [item(1)]);
    });
}

#[test]
fn two_installations_do_not_see_each_other() {
    inside("two_installations_do_not_see_each_other", || {
        let daemon = Daemon::start(vec![]);
        let ours = keychain();
        let theirs = Keychain::open(InstallationId(Uuid::new_v4()), Deadlines::default());
        let (our_value, their_value) = (canary(), canary());
        ours.put(&item(1), &bytes(&our_value)).unwrap();
        theirs.put(&item(1), &bytes(&their_value)).unwrap();
        theirs.put(&item(2), &bytes(&their_value)).unwrap();
        assert_eq!(ours.items().unwrap(), [item(1)]);
        ours.remove(&item(1)).unwrap();
        ours.remove(&item(2)).unwrap();
        assert_eq!(read(&theirs, &item(1)).unwrap(), their_value);
        assert_eq!(theirs.items().unwrap().len(), 2);
        drop(daemon);
    });
}

#[test]
fn the_store_is_proven_and_named_and_the_proof_leaves_nothing() {
    inside("the_store_is_proven_and_named_and_the_proof_leaves_nothing", || {
        let _daemon = Daemon::start(vec![]);
        let keychain = keychain();
        assert_eq!(keychain.prove().unwrap().store, "Secret Service (gnome-keyring), default collection");
        assert_eq!(keychain.items().unwrap(), []);
    });
}

#[test]
fn what_can_be_read_without_unlocking_tells_nothing() {
    inside("what_can_be_read_without_unlocking_tells_nothing", || {
        let daemon = Daemon::start(vec![]);
        let value = canary();
        keychain().put(&item(1), &bytes(&value)).unwrap();

        let owner = installation().0.simple().to_string();
        let found = daemon.secret_tool(&["search", "--all", "service", &owner]);
        // secret-tool writes attributes to standard error.
        let shown = format!("{}{}", String::from_utf8_lossy(&found.stdout), String::from_utf8_lossy(&found.stderr));
        let lines: Vec<(&str, &str)> = shown.lines().filter_map(|line| line.split_once(" = ")).collect();
        let of = |name: &str| lines.iter().filter(|(key, _)| *key == name).map(|(_, value)| *value).collect::<Vec<_>>();
        assert_eq!(of("label"), [item(1).name()]);
        assert_eq!(of("secret"), [value.as_str()]);
        let attributes: Vec<&str> = lines.iter().filter_map(|(key, _)| key.strip_prefix("attribute.")).collect();
        let mut attributes: Vec<&str> = attributes.into_iter().filter(|name| !name.starts_with("xdg:")).collect();
        attributes.sort_unstable();
        assert_eq!(attributes, ["service", "username"], "{shown}");
        assert_eq!(of("attribute.service"), [owner.as_str()]);
        assert_eq!(of("attribute.username"), [item(1).name()]);
        assert!(!shown.to_lowercase().contains("key"), "nothing names the product: {shown}");

        for file in daemon.files() {
            let kept = std::fs::read(&file).unwrap();
            assert!(!kept.windows(value.len()).any(|window| window == value.as_bytes()), "{}", file.display());
        }
    });
}

#[test]
fn no_bus_is_absent() {
    without_bus("no_bus_is_absent", || {
        let keychain = keychain();
        let begun = Instant::now();
        for error in every_error(&keychain) {
            assert!(matches!(error, VaultError::Absent { .. }), "{error:?}");
        }
        assert!(begun.elapsed() < MARGIN, "known at once");
    });
}

#[test]
fn a_bus_without_a_daemon_is_absent_until_one_comes() {
    inside("a_bus_without_a_daemon_is_absent_until_one_comes", || {
        let keychain = keychain();
        for error in every_error(&keychain) {
            assert!(matches!(error, VaultError::Absent { .. }), "{error:?}");
        }
        let _daemon = Daemon::start(vec![]);
        keychain.ready().unwrap();
        let value = canary();
        keychain.put(&item(1), &bytes(&value)).unwrap();
        assert_eq!(read(&keychain, &item(1)).unwrap(), value);
    });
}

#[test]
fn locked_without_a_screen_is_told_at_once() {
    inside("locked_without_a_screen_is_told_at_once", locked_is_told_at_once);
}

#[test]
fn locked_with_a_dismissed_prompt_is_locked() {
    inside_with_screen("locked_with_a_dismissed_prompt_is_locked", locked_is_told_at_once);
}

fn locked_is_told_at_once() {
    let daemon = Daemon::start(vec![]);
    let keychain = keychain();
    let value = canary();
    keychain.put(&item(1), &bytes(&value)).unwrap();
    daemon.lock();
    let begun = Instant::now();
    for error in every_error(&keychain) {
        assert!(matches!(error, VaultError::Locked { .. }), "{error:?}");
        assert!(!format!("{error} {error:?}").contains(&value));
    }
    // What was never stored is no less locked: without unlocking nobody can tell.
    assert!(matches!(read(&keychain, &item(7)), Err(VaultError::Locked { .. })));
    assert!(begun.elapsed() < MARGIN, "took {:?}", begun.elapsed());

    daemon.kill();
    let _unlocked = Daemon::start(vec![]);
    assert_eq!(read(&keychain, &item(1)).unwrap(), value);
}

#[test]
fn a_prompt_that_nobody_answers_is_locked_and_leaves_nothing_behind() {
    inside_with_screen("a_prompt_that_nobody_answers_is_locked_and_leaves_nothing_behind", || {
        let daemon = Daemon::start(vec![]);
        let patience = Deadlines { prompt: Duration::from_secs(2), ..Deadlines::default() };
        let keychain = Keychain::open(installation(), patience);
        let value = canary();
        keychain.put(&item(1), &bytes(&value)).unwrap();
        // Takes every request to show a prompt and never says a word: a person who has left the desk.
        let prompter = zbus::blocking::connection::Builder::session().unwrap();
        let _prompter = prompter.name("org.gnome.keyring.SystemPrompter").unwrap().build().unwrap();
        daemon.lock();

        keychain.ready().unwrap_err();
        let begun = Instant::now();
        let unanswered = read(&keychain, &item(1)).unwrap_err();
        assert!(matches!(unanswered, VaultError::Locked { .. }), "{unanswered:?}");
        assert!(begun.elapsed() >= patience.prompt, "a person had only {:?}", begun.elapsed());
        assert!(begun.elapsed() < patience.prompt + MARGIN, "took {:?}", begun.elapsed());

        // Asking whether it is ready prompts nobody, so it is answered at once.
        let begun = Instant::now();
        assert!(matches!(keychain.ready(), Err(VaultError::Locked { .. })));
        assert!(begun.elapsed() < patience.prompt, "took {:?}", begun.elapsed());
        daemon.kill();
        let _unlocked = Daemon::start(vec![]);
        assert_eq!(eventually(|| read(&keychain, &item(1))), value);
    });
}

#[test]
fn a_hung_daemon_is_told_within_the_deadline_and_forgiven_when_it_goes_on() {
    inside("a_hung_daemon_is_told_within_the_deadline_and_forgiven_when_it_goes_on", || {
        let daemon = Daemon::start(vec![]);
        let keychain = keychain();
        let value = canary();
        keychain.put(&item(1), &bytes(&value)).unwrap();

        daemon.pause();
        let begun = Instant::now();
        let hung = keychain.put(&item(2), &bytes(&value)).unwrap_err();
        assert!(matches!(hung, VaultError::Hung { seconds: 5, .. }), "{hung:?}");
        assert!(begun.elapsed() < Duration::from_secs(5) + MARGIN, "took {:?}", begun.elapsed());
        let begun = Instant::now();
        for error in every_error(&keychain) {
            assert!(matches!(error, VaultError::Hung { .. }), "{error:?}");
            assert!(!format!("{error} {error:?}").contains(&value));
        }
        assert!(begun.elapsed() < MARGIN, "told at once while the first call hangs, took {:?}", begun.elapsed());

        daemon.resume();
        assert_eq!(eventually(|| read(&keychain, &item(1))), value);
        // The call that hung may have gone through afterwards; asking again is harmless either way.
        keychain.put(&item(2), &bytes(&value)).unwrap();
        assert_eq!(read(&keychain, &item(2)).unwrap(), value);
    });
}

#[test]
fn a_daemon_that_is_killed_and_comes_back_is_found_by_the_same_keychain() {
    inside("a_daemon_that_is_killed_and_comes_back_is_found_by_the_same_keychain", || {
        let daemon = Daemon::start(vec![]);
        let keychain = keychain();
        let value = canary();
        keychain.put(&item(1), &bytes(&value)).unwrap();
        daemon.kill();
        for error in every_error(&keychain) {
            assert!(matches!(error, VaultError::Absent { .. }), "{error:?}");
        }

        // Each operation is the first one to meet a restarted daemon once.
        let daemon = Daemon::start(vec![]);
        assert_eq!(read(&keychain, &item(1)).unwrap(), value);
        daemon.kill();
        let daemon = Daemon::start(vec![]);
        keychain.put(&item(2), &bytes(&value)).unwrap();
        daemon.kill();
        let daemon = Daemon::start(vec![]);
        assert_eq!(keychain.items().unwrap().len(), 2);
        daemon.kill();
        let daemon = Daemon::start(vec![]);
        keychain.remove(&item(2)).unwrap();
        daemon.kill();
        let _daemon = Daemon::start(vec![]);
        keychain.prove().unwrap();
        assert_eq!(keychain.items().unwrap(), [item(1)]);
    });
}

#[test]
fn a_daemon_killed_over_a_call_ends_the_call() {
    inside("a_daemon_killed_over_a_call_ends_the_call", || {
        let daemon = Daemon::start(vec![]);
        let keychain = keychain();
        let value = canary();
        keychain.put(&item(1), &bytes(&value)).unwrap();
        daemon.pause();
        let begun = Instant::now();
        let error = std::thread::scope(|scope| {
            let call = scope.spawn(|| read(&keychain, &item(1)).unwrap_err());
            daemon.kill();
            call.join().unwrap()
        });
        assert!(matches!(error, VaultError::Absent { .. }), "{error:?}");
        assert!(begun.elapsed() < Duration::from_secs(5), "the bus ends it before the deadline does");
        let _daemon = Daemon::start(vec![]);
        assert_eq!(read(&keychain, &item(1)).unwrap(), value);
    });
}

#[test]
fn many_callers_share_the_one_thread() {
    inside("many_callers_share_the_one_thread", || {
        let _daemon = Daemon::start(vec![]);
        let keychain = keychain();
        std::thread::scope(|scope| {
            for n in 1..=8 {
                let keychain = &keychain;
                scope.spawn(move || {
                    let value = canary();
                    keychain.put(&item(n), &bytes(&value)).unwrap();
                    assert_eq!(read(keychain, &item(n)).unwrap(), value);
                });
            }
        });
        assert_eq!(keychain.items().unwrap().len(), 8);
    });
}
