//! The main job, end to end on parts that nobody here wrote: a verdaccio token added, verified and rotated from the command
//! line, its value in gnome-keyring as `secret-tool` sees it, the .env rewritten, the old one refused by the server itself.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what went wrong by panicking")]

use keytender_tests::binary::Person;
use keytender_tests::keyring::Daemon;
use keytender_tests::verdaccio::Verdaccio;
use serde_json::{Value, json};

/// A registry with an account, and a person who has added a token of it as `work/ci`.
struct Story {
    registry: Verdaccio,
    person: Person,
    daemon: Daemon,
    first: String,
}

fn begin(tokens_live: &str) -> Story {
    let registry = Verdaccio::start(tokens_live).unwrap();
    let password = format!("pw-{}", uuid::Uuid::new_v4());
    let first = registry.account("dev", &password).unwrap();
    let (person, daemon) = Person::with_keychain();
    let setting = format!("base_url={}", registry.url());
    let _ = person.run(&["integration", "add", "npm-registry", "--name", "work", "--env", "test", "--set", &setting]).ok();
    let account = json!({ "username": "dev", "password": password }).to_string();
    let added = person.feed(&["key", "add", "work", "--name", "account", "--kind", "account", "--secret-stdin"], &account);
    assert!(added.ok().contains("alive"), "the account's password is verified");
    let _ = person.run(&["integration", "edit", "work", "--managed-by", "work/account"]).ok();
    let added = person.feed(&["key", "add", "work", "--name", "ci", "--kind", "token", "--secret-stdin"], &first).ok();
    assert!(added.contains("alive") && added.contains("dev"), "verified, and who it acts as is told: {added}");
    Story { registry, person, daemon, first }
}

impl Story {
    fn value_in_keyring(&self) -> String {
        let shown = self.person.run(&["key", "show", "work/ci", "--json"]).json();
        let item = shown["current"]["item"].as_str().unwrap().to_owned();
        let found = self.daemon.secret_tool(&["lookup", "username", &item]);
        let envelope: Value = serde_json::from_slice(&found.stdout).unwrap();
        envelope["fields"]["secret"].as_str().unwrap().to_owned()
    }
}

#[test]
fn a_token_is_rotated_and_the_old_one_is_refused_by_the_server() {
    let story = begin("1h");
    assert_eq!(story.value_in_keyring(), story.first);
    let env = story.person.add_dotenv("work/ci", &story.first);

    // The expiry is read out of the token itself.
    let shown = story.person.run(&["key", "show", "work/ci", "--json"]).json();
    assert_eq!(shown["current"]["expiry"]["provenance"], "reported", "{shown:#}");

    let plan = story.person.run(&["rotate", "work/ci", "--plan"]).ok();
    assert!(plan.contains("Make a new key") && plan.contains("Revoke the old key"), "{plan}");
    assert_eq!(story.registry.whoami(&story.first).unwrap().0, 200, "a plan changes nothing");

    let refused = story.person.run(&["rotate", "work/ci"]);
    assert_eq!(refused.code, Some(7), "without a terminal and without --yes nothing is done: {}", refused.err);

    let rotated = story.person.run(&["rotate", "work/ci", "--yes"]).ok();
    let second = story.value_in_keyring();
    assert_ne!(second, story.first, "{rotated}");
    assert_eq!(story.registry.whoami(&second).unwrap(), (200, json!({ "username": "dev" })));
    assert_eq!(story.registry.whoami(&story.first).unwrap().0, 403, "the server itself refuses the old one");
    let text = std::fs::read_to_string(env).unwrap();
    assert_eq!(text, format!("# settings\nFIRST=1\nTOKEN={second}\n\nLAST='two words'\n"));
    assert_eq!(story.person.run(&["key", "reveal", "work/ci"]).ok().trim_end(), second);
    assert!(story.person.run(&["history", "work/ci"]).ok().contains("rotated"));
    for value in [&story.first, &second] {
        assert!(!rotated.contains(value.as_str()), "no value is printed");
    }

    // And once more, for the first rotation may have had beginner's luck.
    let _ = story.person.run(&["rotate", "work/ci", "--yes"]).ok();
    assert_eq!(story.registry.whoami(&second).unwrap().0, 403);
    let third = story.value_in_keyring();
    assert_eq!(story.registry.whoami(&third).unwrap().0, 200);
    let well = story.person.run(&["doctor", "--json"]).json();
    assert_eq!(well["well"], true, "{well:#}");
}

#[test]
fn an_expired_token_is_told_dead_by_the_body_and_replaced() {
    let story = begin("4s");
    // Polled, not waited for: the server decides when its token has expired.
    let dead = (0..200).find_map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        let ran = story.person.run(&["verify", "work/ci", "--json"]);
        (ran.code == Some(4)).then(|| ran.json())
    });
    let dead = dead.expect("it expires within seconds");
    // The status is still 200: `{}` is what tells.
    assert!(dead["evidence"].as_str().unwrap().contains("200"), "{dead:#}");
    let env = story.person.add_dotenv("work/ci", &story.first);
    let rotated = story.person.run(&["rotate", "work/ci", "--yes", "--json"]);
    // The new one lives four seconds, too: it may be dead again before the second verify on a slow machine. What counts is
    // that a dead one was replaced, by the account's password, and nothing was asked of anyone.
    let view = rotated.json();
    assert!(["done", "open", "stuck"].contains(&view["status"].as_str().unwrap()), "{view:#}");
    assert!(view["evidence"].as_array().unwrap().iter().any(|line| line["effect"] == "keep"), "{view:#}");
    assert!(env.is_file());
}

#[test]
fn revoking_alone_is_believed_only_when_the_server_refuses() {
    let story = begin("1h");
    let _ = story.person.run(&["revoke", "work/ci", "--yes"]).ok();
    assert_eq!(story.registry.whoami(&story.first).unwrap().0, 403);
    let shown = story.person.run(&["key", "show", "work/ci", "--json"]).json();
    assert_eq!(shown["current"], Value::Null, "{shown:#}");
}

#[test]
fn a_wrong_account_password_changes_nothing() {
    let registry = Verdaccio::start("1h").unwrap();
    let first = registry.account("dev", &format!("pw-{}", uuid::Uuid::new_v4())).unwrap();
    let (person, _daemon) = Person::with_keychain();
    let setting = format!("base_url={}", registry.url());
    let _ = person.run(&["integration", "add", "npm-registry", "--name", "work", "--set", &setting]).ok();
    let wrong = json!({ "username": "dev", "password": "not this one" }).to_string();
    let added = person.feed(&["key", "add", "work", "--name", "account", "--kind", "account", "--secret-stdin"], &wrong);
    assert_eq!(added.code, Some(4), "a password that the registry refuses is said to be dead: {}", added.out);
    let _ = person.run(&["integration", "edit", "work", "--managed-by", "work/account"]).ok();
    let _ = person.feed(&["key", "add", "work", "--name", "ci", "--kind", "token", "--secret-stdin"], &first).ok();
    let rotated = person.run(&["rotate", "work/ci", "--yes", "--patience", "5"]);
    assert_ne!(rotated.code, Some(0), "{}", rotated.out);
    assert_eq!(registry.whoami(&first).unwrap().0, 200, "the old token goes on working");
    assert_eq!(person.run(&["key", "reveal", "work/ci"]).ok().trim_end(), first);
}
