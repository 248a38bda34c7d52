//! The player against a stand-in for `keytender`: a shell script that does what the script's table expects, or fails to.
#![cfg(unix)]

use super::*;
use std::os::unix::fs::PermissionsExt;

/// Answers every command of the table. Its practice service only stays alive: the scenes never ask it anything themselves.
const OBEDIENT: &str = r#"
case "$1 $2" in
  "practice start") exec sleep 60 ;;
  "practice issue") printf 'first%s\n' "$SUFFIX" ;;
  "key add") read -r value || [ -n "$value" ]; [ "$value" = "first$SUFFIX" ] || exit 5 ;;
  "rotate practice/demo") [ "$3" = --plan ] || sed -i "s/first$SUFFIX/second$SUFFIX/" .env ;;
  *) echo "did $*" ;;
esac
"#;

struct Theatre {
    folder: PathBuf,
}

impl Theatre {
    fn with(name: &str, script: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("keytender-theatre-{name}-{}", std::process::id()));
        session::make_private(&folder).expect("the temporary folder is writable");
        let program = folder.join("keytender");
        std::fs::write(&program, format!("#!/bin/sh\nSUFFIX=-of-the-story\n{script}")).expect("the folder is ours");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).expect("the file is ours");
        Self { folder }
    }

    /// Plays all scenes without waiting for a practice service: the stand-in has none.
    fn play(&self) -> Result<(), Fault> {
        let program = self.folder.join("keytender");
        let practice = Step::new(&program).args(["practice", "start"]).into_command().spawn().expect("the stand-in starts");
        let mut stage = Stage { program: &program, folder: &self.folder, port: 1, practice, values: Vec::new(), env_file: None };
        SCENES.iter().try_for_each(|scene| stage.act(&scene.act))
    }
}

impl Drop for Theatre {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn the_story_comes_to_its_end() {
    Theatre::with("obedient", OBEDIENT).play().expect("every scene is as it should be");
}

#[test]
fn a_rotation_that_changed_nothing_is_noticed() {
    let idle = OBEDIENT.replace("sed -i", "true");
    let fault = Theatre::with("idle", &idle).play().expect_err("the value is the old one");
    assert!(fault.to_string().contains("still holds the old value"), "{fault}");
}

#[test]
fn a_value_in_the_output_ends_the_story_without_repeating_it() {
    let leaking = OBEDIENT.replace("\"did $*\"", "\"did $* with first$SUFFIX\"");
    let fault = Theatre::with("leaking", &leaking).play().expect_err("a value was printed");
    assert!(fault.to_string().contains("printed a key's value"), "{fault}");
    assert!(!fault.to_string().contains("first-of"), "{fault}");
}

#[test]
fn a_command_that_fails_ends_the_story_with_its_line() {
    let failing = OBEDIENT.replace("\"key add\")", "\"key add\") exit 5 ;;\n  \"key never\")");
    let fault = Theatre::with("failing", &failing).play().expect_err("the command failed");
    assert!(fault.to_string().contains("keytender key add practice"), "{fault}");
}
