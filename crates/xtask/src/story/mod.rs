//! The main job, told from end to end on this computer: a key is added, checked, rotated and retired at the practice
//! service. What is typed stands in [`script`]; this module plays it and stops at the first thing that is not as it should be.

mod env_file;
mod script;
mod session;

use crate::needs;
use crate::shell::{self, Fault, Step};
use env_file::EnvFile;
use script::{Act, NEXT, PRACTICE_SERVICE, SCENES};
use std::ffi::OsString;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

/// The hidden command by which this program calls itself inside a private session.
pub(crate) const INSIDE: &str = "play-inside";

/// Sets up, builds, and plays the story: with pauses and a shell at the end for a person, straight through for nobody.
pub(crate) fn run(person: bool) -> Result<(), Fault> {
    needs::meet(needs::RUN)?;
    Step::cargo(["build", "--workspace", "--bin", "keytender"]).run()?;
    let folder = std::env::temp_dir().join(format!("keytender-run-{}", std::process::id()));
    session::make_private(&folder)?;
    let own_keychain = person
        && session::keychain_answers()
        && shell::agrees(
            "Practise in your own keychain (yes), or in one that is made for this run and vanishes after it (no)?",
            false,
        );
    let played = if own_keychain || !cfg!(target_os = "linux") {
        play(&program(), &folder, person)
    } else {
        let folder = folder.to_string_lossy();
        session::run_inside(Path::new(&*folder), &[INSIDE, &folder, if person { "person" } else { "nobody" }])
    };
    if own_keychain {
        println!("Your keychain holds the practice values; KEYTENDER_HOME={} knows them.", home(&folder).display());
    } else {
        // Nothing in it is of use once its keychain is gone.
        std::fs::remove_dir_all(&folder).map_err(Fault::file(&folder))?;
    }
    played
}

/// Plays inside the private session that [`run`] made: the folder, and whether a person is there.
pub(crate) fn play_inside(arguments: &[&str]) -> Result<(), Fault> {
    let [folder, who] = arguments else {
        return Err(Fault::Usage(format!("{INSIDE} is not for typing")));
    };
    session::start_keychain()?;
    play(&program(), Path::new(folder), *who == "person")
}

/// The program that was built beside this one.
fn program() -> PathBuf {
    let name = format!("keytender{}", std::env::consts::EXE_SUFFIX);
    std::env::current_exe().ok().and_then(|own| own.parent().map(|folder| folder.join(&name))).unwrap_or_else(|| name.into())
}

fn home(folder: &Path) -> PathBuf {
    folder.join("home")
}

fn play(program: &Path, folder: &Path, person: bool) -> Result<(), Fault> {
    let mut stage = Stage::set(program, folder)?;
    for (number, scene) in SCENES.iter().enumerate() {
        println!("\n{}. {}", number + 1, scene.say);
        if person {
            shell::pause();
        }
        stage.act(&scene.act)?;
    }
    println!("\n{} scenes, each as it should be; no value was shown.", SCENES.len());
    if person {
        println!("\nYou are now in a shell where all of this is still there; `exit` ends the practice. To type next:");
        NEXT.iter().for_each(|line| println!("  {line}"));
        session::open_shell(&stage.environment())?;
    }
    Ok(())
}

/// The running practice service, and what the scenes share.
struct Stage<'a> {
    program: &'a Path,
    folder: &'a Path,
    port: u16,
    practice: Child,
    /// Every value that was in use so far, the newest last. None may show in anything that is printed.
    values: Vec<String>,
    env_file: Option<EnvFile>,
}

impl<'a> Stage<'a> {
    fn set(program: &'a Path, folder: &'a Path) -> Result<Self, Fault> {
        session::make_private(&home(folder))?;
        let port = free_port()?;
        let arguments = PRACTICE_SERVICE.iter().map(|word| word.replace("{port}", &port.to_string()));
        let step = Step::new(program).args(arguments).env("KEYTENDER_HOME", home(folder)).folder(folder);
        let line = step.line();
        println!("$ {line} &");
        let mut command = step.into_command();
        // Its log would run between the scenes.
        let practice = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        let practice = practice.map_err(|cause| Fault::Start { program: program.display().to_string(), cause })?;
        let mut stage = Self { program, folder, port, practice, values: Vec::new(), env_file: None };
        let mut ended = None;
        session::wait_for("the practice service", Duration::from_secs(10), || {
            ended = stage.practice.try_wait().ok().flatten();
            ended.is_some() || TcpStream::connect(("127.0.0.1", port)).is_ok()
        })?;
        if let Some(status) = ended {
            return Err(Fault::Ended(format!("{line} ({status})")));
        }
        Ok(stage)
    }

    fn act(&mut self, act: &Act) -> Result<(), Fault> {
        match act {
            Act::Keytender(words) => {
                let output = self.keytender(words, None)?;
                self.show(&output)
            }
            Act::Obtain(words) => {
                let value = self.keytender(words, None)?.trim().to_owned();
                if value.is_empty() || value.contains(char::is_whitespace) {
                    return Err(Fault::Unexpected("this did not print one value".to_owned()));
                }
                println!("  (a value of {} characters, not shown)", value.chars().count());
                self.values.push(value);
                Ok(())
            }
            Act::Feed(words) => {
                let output = self.keytender(words, Some(self.value()?))?;
                self.show(&output)
            }
            Act::WriteEnv => {
                let file = EnvFile::write(&self.env_path(), self.value()?)?;
                println!("{}:\n{}", file.path.display(), file.shown());
                self.env_file = Some(file);
                Ok(())
            }
            Act::CompareEnv => {
                let Some(file) = &self.env_file else {
                    return Err(Fault::Unexpected("no .env file was written before".to_owned()));
                };
                let (difference, value) = file.compare()?;
                println!("{difference}");
                self.values.push(value);
                Ok(())
            }
        }
    }

    /// Runs `keytender`, fed with a value if there is one, and gives what it printed, which is not yet shown.
    fn keytender(&self, words: &[&str], fed: Option<&str>) -> Result<String, Fault> {
        let arguments = words.iter().map(|word| {
            let word =
                word.replace("{url}", &format!("http://127.0.0.1:{}", self.port)).replace("{port}", &self.port.to_string());
            word.replace("{env}", &self.env_path().to_string_lossy())
        });
        let step = Step::new(self.program).args(arguments).env("KEYTENDER_HOME", home(self.folder)).folder(self.folder);
        let line = step.line();
        println!("$ {}{line}", if fed.is_some() { "(the value) | " } else { "" });
        let mut command = step.into_command();
        command.stdin(if fed.is_some() { Stdio::piped() } else { Stdio::null() }).stdout(Stdio::piped()).stderr(Stdio::piped());
        let not_started = |cause| Fault::Start { program: self.program.display().to_string(), cause };
        let mut child = command.spawn().map_err(not_started)?;
        if let (Some(value), Some(mut input)) = (fed, child.stdin.take()) {
            // A program that ended before it read says why itself.
            let _ = input.write_all(value.as_bytes());
        }
        let output = child.wait_with_output().map_err(not_started)?;
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        self.show(&errors)?;
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        // 3 says that something is due, which is news and no failure.
        if output.status.success() || output.status.code() == Some(3) {
            return Ok(printed);
        }
        self.show(&printed)?;
        Err(Fault::Ended(format!("{line} ({})", output.status)))
    }

    /// Prints what a command said, unless a value is in it.
    fn show(&self, text: &str) -> Result<(), Fault> {
        if self.values.iter().any(|value| text.contains(value.as_str())) {
            return Err(Fault::Unexpected("this printed a key's value; what it said is not repeated here".to_owned()));
        }
        if !text.trim().is_empty() {
            println!("{}", text.trim_end());
        }
        Ok(())
    }

    fn value(&self) -> Result<&str, Fault> {
        self.values.last().map(String::as_str).ok_or_else(|| Fault::Unexpected("no value was obtained before".to_owned()))
    }

    fn env_path(&self) -> PathBuf {
        self.folder.join(".env")
    }

    /// What a person's shell needs to go on: `keytender` on the search path, and its home.
    fn environment(&self) -> Vec<(&'static str, OsString)> {
        let own = self.program.parent().map(Path::to_path_buf);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = own.into_iter().chain(std::env::split_paths(&path));
        let path = std::env::join_paths(folders).unwrap_or(path);
        vec![("PATH", path), ("KEYTENDER_HOME", home(self.folder).into_os_string())]
    }
}

impl Drop for Stage<'_> {
    fn drop(&mut self) {
        // It may have ended by itself; either way nothing of the story is left running.
        let _ = self.practice.kill();
        let _ = self.practice.wait();
    }
}

/// A port on loopback that is free now. Somebody else could take it first; then the practice service says so.
fn free_port() -> Result<u16, Fault> {
    let bound = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    bound.map(|address| address.port()).map_err(|cause| Fault::Unexpected(format!("no free port on loopback: {cause}")))
}

#[cfg(test)]
mod tests;
