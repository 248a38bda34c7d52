//! The project of the story: a .env file that is written once and compared at the end, without showing a value.

use super::script::VARIABLE;
use crate::shell::Fault;
use std::fs;
use std::path::{Path, PathBuf};

/// The file, and what the story wrote into it.
pub(super) struct EnvFile {
    pub(super) path: PathBuf,
    written: String,
}

impl EnvFile {
    /// Writes the file with the value in it, among lines that a rotation must leave alone.
    pub(super) fn write(path: &Path, value: &str) -> Result<Self, Fault> {
        let written = format!("# The demo project\nAPP_NAME=demo   # stays\n{VARIABLE}={value}\nexport PORT=8080\n");
        let file = Self { path: path.to_owned(), written };
        fs::write(path, &file.written).map_err(Fault::file(path))?;
        Ok(file)
    }

    /// The file as a person may see it: every line, the value hidden.
    pub(super) fn shown(&self) -> String {
        let lines: Vec<String> = self.written.lines().map(|line| format!("  {}", hidden(line))).collect();
        lines.join("\n")
    }

    /// A difference in the manner of diff, the values hidden, and the value that stands there now. An error unless exactly
    /// the value changed.
    pub(super) fn compare(&self) -> Result<(String, String), Fault> {
        let now = fs::read_to_string(&self.path).map_err(Fault::file(&self.path))?;
        let (before, after): (Vec<&str>, Vec<&str>) = (self.written.split('\n').collect(), now.split('\n').collect());
        let mut text = Vec::new();
        let mut value = None;
        for (old, new) in before.iter().zip(&after) {
            if old == new {
                text.push(format!("    {old}"));
                continue;
            }
            text.push(format!("  - {}\n  + {}", hidden(old), hidden(new)));
            match new.split_once('=') {
                Some((VARIABLE, new)) if value.is_none() => value = Some(new.trim_matches('"').to_owned()),
                _ => return Err(Fault::Unexpected(format!("the .env file changed where it must not:\n{}", text.join("\n")))),
            }
        }
        match value {
            Some(value) if before.len() == after.len() => Ok((text.join("\n").trim_end().to_owned(), value)),
            Some(_) => Err(Fault::Unexpected("the .env file gained or lost lines".to_owned())),
            None => Err(Fault::Unexpected("the .env file still holds the old value".to_owned())),
        }
    }
}

/// A line with its value hidden, if it is the value's line.
fn hidden(line: &str) -> String {
    match line.split_once('=') {
        Some((VARIABLE, value)) => format!("{VARIABLE}=({} characters, not shown)", value.chars().count()),
        _ => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str) -> EnvFile {
        let path = std::env::temp_dir().join(format!("keytender-story-{name}-{}", std::process::id()));
        EnvFile::write(&path, "old-value").expect("the temporary folder is writable")
    }

    fn after(file: &EnvFile, text: &str) -> Result<(String, String), Fault> {
        fs::write(&file.path, text).expect("the file is ours");
        let compared = file.compare();
        fs::remove_file(&file.path).expect("the file is ours");
        compared
    }

    #[test]
    fn a_replaced_value_is_shown_as_a_difference_without_values() {
        let file = file("replaced");
        let (text, value) = after(&file, &file.written.replace("old-value", "brand-new-value")).expect("only the value changed");
        assert_eq!(value, "brand-new-value");
        assert!(text.contains("- PRACTICE_TOKEN=(9 characters") && text.contains("+ PRACTICE_TOKEN=(15 characters"), "{text}");
        assert!(!text.contains("old-value") && !text.contains("brand-new"), "{text}");
    }

    #[test]
    fn anything_else_is_refused() {
        let unchanged = file("unchanged");
        assert!(after(&unchanged, &unchanged.written).is_err());
        let strayed = file("strayed");
        assert!(after(&strayed, &strayed.written.replace("8080", "8081")).is_err());
        let grown = file("grown");
        assert!(after(&grown, &format!("{}MORE=1\n", grown.written.replace("old-value", "new"))).is_err());
    }
}
