//! What the rules look at: the files that git tracks (or would, if they were added), and cargo's own view of the workspace.

use cargo_metadata::{Metadata, MetadataCommand};
use regex::Regex;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// A file of the repository.
pub(crate) struct File {
    /// From the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}

/// Every text file.
pub(crate) static FILES: LazyLock<Vec<File>> = LazyLock::new(|| {
    let list = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git lists its files");
    assert!(list.status.success(), "git ls-files: {}", String::from_utf8_lossy(&list.stderr));
    let paths = String::from_utf8(list.stdout).expect("paths are UTF-8");
    let paths = paths.split('\0').filter(|path| !path.is_empty());
    // Gone from the disk and not yet from the index, or not text: nothing to look at.
    paths
        .filter_map(|path| Some(File { path: path.to_owned(), text: std::fs::read_to_string(root().join(path)).ok()? }))
        .collect()
});

/// The crates of the workspace, without what they depend on.
pub(crate) static WORKSPACE: LazyLock<Metadata> =
    LazyLock::new(|| MetadataCommand::new().current_dir(root()).no_deps().exec().expect("cargo describes the workspace"));

/// Everything that is built, on every system.
pub(crate) static EVERYTHING: LazyLock<Metadata> = LazyLock::new(|| {
    let mut command = MetadataCommand::new();
    command.current_dir(root()).other_options(vec!["--locked".to_owned()]);
    command.exec().expect("Cargo.lock is complete and up to date")
});

impl File {
    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Rust that ships: neither the `tests` member, nor a crate's `tests` folder, nor a module of tests in a file of its own.
    pub(crate) fn ships(&self) -> bool {
        let test_code = self.path.starts_with("tests/") || self.path.contains("/tests/") || self.path.ends_with("/tests.rs");
        self.is_rust() && self.path.contains("/src/") && !test_code
    }

    /// The lines that ship, numbered from 1: without comments, and without the module of tests at the end.
    pub(crate) fn shipped_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        static TESTS: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r"(?m)^#\[cfg\((?:all\()?test\b.*\)\]\n(?:#\[.*\]\n)*mod ").expect("a pattern"));
        let end = TESTS.find(&self.text).map_or(self.text.len(), |found| found.start());
        let lines = self.text[..end].lines().enumerate().map(|(index, line)| (index + 1, line));
        lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    /// A breach at a line, as an editor can jump to it.
    pub(crate) fn at(&self, line: usize, what: &str) -> String {
        format!("{}:{line}: {what}", self.path)
    }
}

#[test]
fn the_module_of_tests_and_comments_do_not_ship() {
    let text = "use a;\n// words\nfn b() {}\n\n#[cfg(test)]\nmod tests {\n    fn c() {}\n}\n";
    let file = File { path: "crates/core/src/a.rs".to_owned(), text: text.to_owned() };
    assert_eq!(file.shipped_lines().filter(|(_, line)| !line.is_empty()).collect::<Vec<_>>(), [(1, "use a;"), (3, "fn b() {}")]);
    assert!(file.ships());
    assert!(!File { path: "crates/core/src/rotation/tests.rs".to_owned(), text: String::new() }.ships());
    assert!(!File { path: "tests/src/lib.rs".to_owned(), text: String::new() }.ships());
}
