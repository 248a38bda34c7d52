//! A command that is fed the value on standard input.
//!
//! The value goes through the pipe only: never among the arguments, never into the environment. What the command prints is
//! kept within bounds and is searched for the value before anyone sees it. A command that does not read its input was not
//! given the value, whatever it ends with.

use super::process::{Ended, wait};
use super::{only_field, scrub};
use keytender_core::ports::DestinationError;
use keytender_core::secret::{SecretBytes, Value};
use serde::Serializer;
use std::io::{self, PipeReader, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How much of what a command prints is kept, in bytes; the rest is read and dropped.
const OUTPUT_BYTES_MAX: usize = 64 * 1024;
/// How much of it an error shows, in characters, from the end.
const SHOWN_CHARS_MAX: usize = 2_000;
/// How long after a command's end its pipes are waited for: a process that it left running may hold them open.
const PIPE_GRACE: Duration = Duration::from_millis(500);

/// Whether the command could be started: its folder and its program are there.
pub(super) fn check(argv: &[String], folder: &Path) -> Result<(), DestinationError> {
    if !folder.is_dir() {
        return Err(DestinationError::Unwritable(format!("the folder {} is not there", folder.display())));
    }
    let Some(program) = argv.first().filter(|program| !program.is_empty()) else {
        return Err(DestinationError::Unwritable("the command is empty".to_owned()));
    };
    let found = if Path::new(program).components().count() > 1 {
        is_program(&folder.join(program))
    } else {
        std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(|folder| is_program(&folder.join(program))))
    };
    if found { Ok(()) } else { Err(DestinationError::Unwritable(format!("{program}: command not found"))) }
}

/// Runs the command with the value on its standard input. Returns the evidence.
pub(super) fn run(
    argv: &[String],
    folder: &Path,
    field: Option<&str>,
    timeout_seconds: u32,
    value: &Value,
) -> Result<String, DestinationError> {
    check(argv, folder)?;
    let (program, arguments) = (argv[0].as_str(), &argv[1..]);
    let input = payload(field, value)?;
    let started = |error: io::Error| DestinationError::Unwritable(format!("{program} could not be started: {error}"));

    let (input_end, mut our_end) = io::pipe().map_err(started)?;
    let watched_end = input_end.try_clone().map_err(started)?;
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).stdin(Stdio::from(input_end)).stdout(Stdio::piped()).stderr(Stdio::piped());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn().map_err(started)?;
    // The builder holds the child's end of the pipe, too.
    drop(command);
    let mut output = Output::default();
    if let Some(stdout) = child.stdout.take() {
        output.collect(stdout);
    }
    if let Some(stderr) = child.stderr.take() {
        output.collect(stderr);
    }
    let writing = thread::spawn(move || our_end.write_all(input.expose()).and_then(|()| our_end.flush()));

    let ended = wait(&mut child, Duration::from_secs(u64::from(timeout_seconds.max(1))));
    // Only once all of it is in the pipe does an empty pipe mean that it was read.
    let handed_over = matches!(ended, Ok(Ended::With(_))) && finishes(&[&writing]);
    let taken = handed_over && was_read(&watched_end) && writing.join().is_ok_and(|result| result.is_ok());
    let said = || output.shown(value);
    match ended {
        Ok(Ended::With(status)) if !status.success() => {
            Err(DestinationError::CommandFailed(format!("{program} ended with {}{}", ending(status), said())))
        }
        Ok(Ended::With(_)) if taken => Ok(format!("{program} ended with 0")),
        Ok(Ended::With(_)) => Err(DestinationError::CommandFailed(format!(
            "{program} ended with 0 without reading the value from its standard input{}",
            said()
        ))),
        Ok(Ended::TooLate) => Err(DestinationError::CommandFailed(format!(
            "{program} did not end within {timeout_seconds} s and was stopped; it may have acted on the value{}",
            said()
        ))),
        Err(error) => Err(DestinationError::CommandFailed(format!("{program} could not be waited for: {error}"))),
    }
}

/// The bare field; JSON of all fields where none is named and there are several.
fn payload(field: Option<&str>, value: &Value) -> Result<SecretBytes, DestinationError> {
    if field.is_some() || value.fields().count() == 1 {
        return Ok(SecretBytes::new(only_field(field, value)?.expose().as_bytes().to_vec()));
    }
    let length: usize = value.fields().map(|(name, text)| name.len() + text.len() + 6).sum();
    // Twice the plain length: escapes seldom need more, and a buffer that grows leaves copies behind.
    let mut json = Vec::with_capacity(length * 2 + 2);
    serde_json::Serializer::new(&mut json)
        .collect_map(value.fields().map(|(name, text)| (name, text.expose())))
        .map_err(|_| DestinationError::Unparsable("the value cannot be written as JSON".to_owned()))?;
    Ok(SecretBytes::new(json))
}

/// Whether nothing is left in the pipe. A short value fits into the pipe's buffer, so writing it proves nothing.
#[cfg(unix)]
fn was_read(watched_end: &PipeReader) -> bool {
    rustix::io::ioctl_fionread(watched_end).is_ok_and(|left| left == 0)
}

#[cfg(not(unix))]
fn was_read(_: &PipeReader) -> bool {
    true
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    path.is_file() && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file() || ["exe", "cmd", "bat", "com"].iter().any(|extension| path.with_extension(extension).is_file())
}

fn ending(status: std::process::ExitStatus) -> String {
    status.code().map_or_else(|| status.to_string(), |code| code.to_string())
}

/// Whether all threads come to their end within the grace. Those that do not end when the other side closes its pipe.
fn finishes<T>(threads: &[&thread::JoinHandle<T>]) -> bool {
    let started = Instant::now();
    while !threads.iter().all(|thread| thread.is_finished()) {
        if started.elapsed() >= PIPE_GRACE {
            return false;
        }
        thread::sleep(Duration::from_millis(2));
    }
    true
}

/// What a command prints, on both of its outputs, as far as it is kept.
#[derive(Default)]
struct Output {
    kept: Arc<Mutex<Vec<u8>>>,
    readers: Vec<thread::JoinHandle<()>>,
}

impl Output {
    fn collect(&mut self, mut from: impl Read + Send + 'static) {
        let kept = Arc::clone(&self.kept);
        let reader = thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = from.read(&mut buffer) {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                let room = OUTPUT_BYTES_MAX.saturating_sub(kept.len());
                kept.extend_from_slice(&buffer[..count.min(room)]);
            }
        });
        self.readers.push(reader);
    }

    /// The end of it, without the value and without what could steer a terminal.
    fn shown(&self, value: &Value) -> String {
        finishes(&self.readers.iter().collect::<Vec<_>>());
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let full = kept.len() >= OUTPUT_BYTES_MAX;
        let text = scrub::scrub(&String::from_utf8_lossy(&kept), value, full);
        let text: String = text.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect();
        let text = text.trim();
        if text.is_empty() {
            return String::new();
        }
        let skipped = text.chars().count().saturating_sub(SHOWN_CHARS_MAX);
        let end: String = text.chars().skip(skipped).collect();
        format!(". It said: {}{end}", if skipped > 0 { "... " } else { "" })
    }
}
