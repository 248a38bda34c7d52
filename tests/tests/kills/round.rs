//! One rotation from its first command to its end, killed once on the way if told so, resumed and answered as a person would.

use keytender_practice::{IssueRequest, Issued, KeyKind, KeyState, OldKey};
use keytender_tests::binary::{Person, PracticeServer, Ran};
use serde_json::Value;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;

/// Where a process is killed: the how-manieth command, and which pass of which named instant within it.
#[derive(Debug, Clone)]
pub(crate) struct Kill {
    command: usize,
    pub(crate) point: String,
    pass: usize,
}

/// One rotation of one key.
pub(crate) struct Round<'a> {
    pub(crate) person: &'a Person,
    pub(crate) server: &'a PracticeServer,
    pub(crate) kind: KeyKind,
    pub(crate) old: Issued,
    pub(crate) dotenv: PathBuf,
    name: String,
    kill: Option<Kill>,
    commands: usize,
    killed: bool,
    /// What was made in the portal and not yet taken in.
    pasted: Option<String>,
    traces: tempfile::TempDir,
    told: RefCell<Vec<String>>,
}

impl<'a> Round<'a> {
    pub(crate) fn begin(person: &'a Person, server: &'a PracticeServer, kind: KeyKind, name: &str, kill: Option<Kill>) -> Self {
        let old = person.add_key(&server.practice, kind, name);
        let key = format!("home/{}", name.replace(' ', "-"));
        let dotenv = person.add_dotenv(&key, &old.token);
        Self {
            person,
            server,
            kind,
            old,
            dotenv,
            name: name.to_owned(),
            kill,
            commands: 0,
            killed: false,
            pasted: None,
            traces: tempfile::tempdir().unwrap(),
            told: RefCell::default(),
        }
    }

    pub(crate) fn key(&self) -> String {
        format!("home/{}", self.name.replace(' ', "-"))
    }

    /// Goes on until it is done, or has taken more commands than any rotation needs.
    pub(crate) fn run(mut self) -> Self {
        let key = self.key();
        self.command(&["rotate", &key, "--yes", "--patience", "60"], None);
        for _ in 0..12 {
            let Some(view) = self.rotation() else {
                // Killed before anything was written down: it is asked for again.
                self.command(&["rotate", &key, "--yes", "--patience", "60"], None);
                continue;
            };
            if view["status"] == "done" {
                return self;
            }
            self.go_on(&view);
        }
        panic!("{} does not end\n{}", self.kind, self.story());
    }

    fn go_on(&mut self, view: &Value) {
        let id = view["id"].as_str().unwrap().to_owned();
        let answers: Vec<String> = view["wait"]["answers"]
            .as_array()
            .map_or_else(Vec::new, |list| list.iter().map(|answer| answer.as_str().unwrap().to_owned()).collect());
        let takes = |what: &str| answers.iter().any(|answer| answer.contains(what));
        let answer = ["rotations", "answer", &id, "--patience", "60"];
        if takes("--secret-stdin") {
            let value = self.made_in_portal();
            self.command(&[&answer[..], &["--secret-stdin"]].concat(), Some(&value));
        } else if takes("--done retired") {
            // Revoking what is revoked already is refused by the portal, as it would be for a person.
            let _ = self.server.practice.revoke(&self.old.id);
            self.command(&[&answer[..], &["--done", "retired"]].concat(), None);
        } else if let Some(pick) = answers.iter().find_map(|answer| answer.split_once("--pick ")) {
            let remote = pick.1.to_owned();
            self.command(&[&answer[..], &["--pick", &remote]].concat(), None);
        } else if takes("--done make-again") {
            for row in self.live().into_iter().filter(|id| *id != self.old.id) {
                self.server.practice.revoke(&row).unwrap();
            }
            self.command(&[&answer[..], &["--done", "make-again"]].concat(), None);
        } else {
            self.command(&["rotations", "resume", &id, "--patience", "60"], None);
        }
    }

    /// What a person has in the clipboard: the key they made last, if it still works, else another.
    fn made_in_portal(&mut self) -> String {
        let practice = &self.server.practice;
        if let Some(value) = self.pasted.clone().filter(|value| practice.accepts(value).unwrap()) {
            return value;
        }
        let made = match self.kind.old() {
            OldKey::Dies => practice.regenerate(&self.live().pop().unwrap_or_else(|| self.old.id.clone())).unwrap(),
            OldKey::Overlaps | OldKey::Slots => practice.issue(&IssueRequest::new(self.kind)).unwrap(),
        };
        self.pasted = Some(made.token.clone());
        made.token.clone()
    }

    fn live(&self) -> Vec<String> {
        let rows = self.server.practice.list().unwrap().into_iter();
        rows.filter(|row| row.kind == self.kind && row.state == KeyState::Live).map(|row| row.id).collect()
    }

    fn command(&mut self, arguments: &[&str], stdin: Option<&str>) {
        self.commands += 1;
        let mut command = self.person.command(arguments);
        command.env("KEYTENDER_TRACE_POINTS", self.traces.path().join(self.commands.to_string()));
        if let Some(kill) = self.kill.as_ref().filter(|kill| kill.command == self.commands && !self.killed) {
            command.env("KEYTENDER_CRASH_AT", format!("{}#{}", kill.point, kill.pass));
        }
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        if let (Some(text), Some(mut pipe)) = (stdin, child.stdin.take()) {
            // A process that is killed early never reads.
            drop(pipe.write_all(text.as_bytes()));
        }
        let ran = Ran::from(child.wait_with_output().unwrap());
        self.killed |= ran.code.is_none();
        let line = format!("{} -> {:?}\n{}{}", arguments.join(" "), ran.code, ran.out, ran.err);
        self.told.borrow_mut().push(line);
    }

    pub(crate) fn was_killed(&self) -> bool {
        self.killed
    }

    /// Every instant that was passed, as a kill.
    pub(crate) fn kills(&self) -> Vec<Kill> {
        let mut kills = Vec::new();
        for command in 1..=self.commands {
            let trace = std::fs::read_to_string(self.traces.path().join(command.to_string())).unwrap_or_default();
            let mut passes: BTreeMap<&str, usize> = BTreeMap::new();
            for point in trace.lines() {
                let pass = passes.entry(point).or_default();
                *pass += 1;
                kills.push(Kill { command, point: point.to_owned(), pass: *pass });
            }
        }
        kills
    }

    fn rotation(&self) -> Option<Value> {
        let all = self.person.run(&["rotations", "list", "--all", "--json"]).json();
        let rows = all.as_array().cloned().unwrap_or_default();
        rows.into_iter().find(|row| row["key"] == self.key().as_str())
    }

    pub(crate) fn view(&self) -> Value {
        self.rotation().unwrap()
    }

    pub(crate) fn story(&self) -> String {
        format!("{}\n{:#}", self.told.borrow().join("\n"), self.rotation().unwrap_or(Value::Null))
    }

    /// Makes room for the next round: two slots are soon full, and a hundred keys make a keychain slow.
    pub(crate) fn tidy_up(&self) {
        for id in self.live() {
            self.server.practice.revoke(&id).unwrap();
        }
        let _ = self.person.run(&["key", "remove", &self.key(), "--yes"]).ok();
    }
}
