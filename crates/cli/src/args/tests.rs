//! The arguments: sound, documented, and what each `--help` says, held against a file per command in `help/`.
//!
//! `KEYTENDER_REGENERATE=1 cargo test -p keytender-cli` writes the files anew.

use super::*;
use clap::CommandFactory;
use clap::error::ErrorKind;
use std::collections::BTreeMap;
use std::path::Path;

fn parse(line: &str) -> Result<Cli, ErrorKind> {
    Cli::try_parse_from(line.split(' ')).map_err(|error| error.kind())
}

#[test]
fn the_arguments_contradict_nothing() {
    Cli::command().debug_assert();
}

#[test]
fn what_is_typed_is_understood() {
    let cli = parse("keytender destination add home/one dotenv --file .env --var A --var B=id --write --json").unwrap();
    assert!(cli.global.json, "what every command takes may stand at its end");
    let Command::Destination(DestinationCommand::Add { key, place: PlaceCommand::Dotenv { variables, write, .. } }) = cli.command
    else {
        panic!("it is another command")
    };
    assert_eq!((key.as_str(), write.now), ("home/one", true));
    let places: Vec<_> = variables.iter().map(|one| (one.0.variable.as_str(), one.0.field.as_deref())).collect();
    assert_eq!(places, [("A", None), ("B", Some("id"))]);

    let cli = parse("keytender destination add home/one command --timeout 5 -- sh -c cat --write").unwrap();
    let Command::Destination(DestinationCommand::Add { place: PlaceCommand::Command { program, write, .. }, .. }) = cli.command
    else {
        panic!("it is another command")
    };
    assert_eq!((program.join(" ").as_str(), write.now), ("sh -c cat --write", false), "what follows -- is the program's");
}

#[test]
fn what_makes_no_sense_is_refused() {
    for (line, kind) in [
        ("keytender", ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand),
        ("keytender verify", ErrorKind::MissingRequiredArgument),
        ("keytender verify home/one --all", ErrorKind::ArgumentConflict),
        ("keytender rotate home/one --plan --yes", ErrorKind::ArgumentConflict),
        ("keytender rotations answer abc123", ErrorKind::MissingRequiredArgument),
        ("keytender rotations answer abc123 --secret-stdin --done retired", ErrorKind::ArgumentConflict),
        ("keytender remind", ErrorKind::MissingRequiredArgument),
        ("keytender --vault paper key list", ErrorKind::InvalidValue),
        ("keytender practice issue --kind api-api-sometimes", ErrorKind::ValueValidation),
        ("keytender practice issue --kind api-api-dies --secret-only --json", ErrorKind::ArgumentConflict),
        ("keytender --passphrase-file a --passphrase-fd 3 key list", ErrorKind::ArgumentConflict),
    ] {
        assert_eq!(parse(line).err(), Some(kind), "{line}");
    }
}

/// No argument takes a value, so no shell history and no list of processes can hold one.
#[test]
fn no_argument_takes_a_secret() {
    for (name, command) in all() {
        for argument in command.get_arguments() {
            let word = argument.get_id().as_str();
            let takes_text = argument.get_action().takes_values();
            let by_its_name = ["secret", "value", "token", "password"].iter().any(|suspect| word.contains(suspect));
            assert!(!(takes_text && by_its_name), "{name}: {word}");
        }
    }
}

#[test]
fn every_help_is_on_file() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("help");
    let fresh: BTreeMap<String, String> =
        all().into_iter().map(|(name, mut command)| (format!("{name}.txt"), help_of(&mut command))).collect();
    if std::env::var_os("KEYTENDER_REGENERATE").is_some() {
        std::fs::create_dir_all(&folder).unwrap();
        for entry in std::fs::read_dir(&folder).unwrap() {
            std::fs::remove_file(entry.unwrap().path()).unwrap();
        }
        for (name, text) in &fresh {
            std::fs::write(folder.join(name), text).unwrap();
        }
    }
    let filed: BTreeMap<String, String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read_to_string(path).unwrap()))
        .collect();
    assert!(filed.keys().eq(fresh.keys()), "help/ has other files than there are commands; KEYTENDER_REGENERATE=1 mends it");
    for (name, text) in &fresh {
        assert_eq!(&filed[name], text, "{name} is stale; KEYTENDER_REGENERATE=1 writes it anew");
    }
}

/// Every command that a person may see, by its whole name with dashes.
fn all() -> Vec<(String, clap::Command)> {
    let mut root = Cli::command();
    root.build();
    let mut found = Vec::new();
    collect(&root, "keytender".to_owned(), &mut found);
    found
}

fn collect(command: &clap::Command, name: String, found: &mut Vec<(String, clap::Command)>) {
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        collect(below, format!("{name}-{}", below.get_name()), found);
    }
    found.push((name, command.clone()));
}

fn help_of(command: &mut clap::Command) -> String {
    let text = command.clone().term_width(100).render_long_help().to_string();
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}
