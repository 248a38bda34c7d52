//! What the story types, as data. Whoever changes the command line changes this table and nothing else in here.
//!
//! In arguments `{url}` is the practice service's address, `{port}` its port and `{env}` the story's .env file.

/// One scene.
pub(super) struct Scene {
    /// What is about to happen, for a newcomer.
    pub(super) say: &'static str,
    /// What happens.
    pub(super) act: Act,
}

/// What happens in a scene.
pub(super) enum Act {
    /// `keytender` with these arguments.
    Keytender(&'static [&'static str]),
    /// As above; what it prints is the key's value: kept for later scenes, never shown.
    Obtain(&'static [&'static str]),
    /// As above; the value is fed to its standard input.
    Feed(&'static [&'static str]),
    /// The story itself writes the .env file as a project would have it, with the value in it.
    WriteEnv,
    /// The story itself compares the .env file with what it wrote. Fails unless the value, and nothing else, changed.
    CompareEnv,
}

/// Started before the first scene and ended after the last.
pub(super) const PRACTICE_SERVICE: &[&str] = &["practice", "start", "--port", "{port}"];

/// The variable of the .env file that holds the value.
pub(super) const VARIABLE: &str = "PRACTICE_TOKEN";

/// The kind of key: made and retired by requests, the old one working on until it is revoked.
const KIND: &str = "api-api-overlaps";

/// The scenes in order.
pub(super) const SCENES: &[Scene] = &[
    Scene { say: "Which store holds the values, and does it keep what it is given?", act: Act::Keytender(&["doctor"]) },
    Scene {
        say: "A service is described by one file. The practice service's:",
        act: Act::Keytender(&["services", "show", "practice"]),
    },
    Scene {
        say: "Your account at a service is an integration.",
        act: Act::Keytender(&["integration", "add", "practice", "--name", "Practice", "--set", "base_url={url}"]),
    },
    Scene {
        say: "The practice service makes a first key, as you would in a portal; it dates this one back by 27 of its 30 days.",
        act: Act::Obtain(&["practice", "issue", "--kind", KIND, "--days", "30", "--created-days-ago", "27", "--secret-only"]),
    },
    Scene { say: "A project that uses it keeps it in its .env file.", act: Act::WriteEnv },
    Scene {
        say: "The key goes into Keytender through standard input, never as an argument.",
        act: Act::Feed(&["key", "add", "practice", "--name", "Demo", "--kind", KIND, "--secret-stdin"]),
    },
    Scene {
        say: "Keytender learns where the key is used.",
        act: Act::Keytender(&["destination", "add", "practice/demo", "dotenv", "--file", "{env}", "--var", VARIABLE]),
    },
    Scene { say: "A harmless request says whether it is alive.", act: Act::Keytender(&["verify", "practice/demo"]) },
    Scene { say: "It has three days left, and Keytender says so.", act: Act::Keytender(&["reminders", "list"]) },
    Scene { say: "A rotation is a plan first.", act: Act::Keytender(&["rotate", "practice/demo", "--plan"]) },
    Scene {
        say: "Now for real: make a new key, store it, prove it, write it to the .env file, and only then revoke the old one.",
        act: Act::Keytender(&["rotate", "practice/demo", "--yes"]),
    },
    Scene { say: "What changed in the .env file:", act: Act::CompareEnv },
    Scene { say: "The new key is alive.", act: Act::Keytender(&["verify", "practice/demo"]) },
    Scene { say: "Everything that happened is on record, without a single value.", act: Act::Keytender(&["history"]) },
];

/// What to type next, for a person who is left in the shell.
pub(super) const NEXT: &[&str] = &[
    "keytender practice fault --help     make the practice service misbehave, then rotate again",
    "keytender reminders simulate --days 120     every notice to come",
    "keytender rotations list",
    "keytender services list",
];
