//! What a person ought to know before a value is written to a file. Nothing here stands in the way of a write.

use super::file::ReadFile;
use super::process::{Ended, wait};
use keytender_core::ports::Warning;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Variables with these beginnings are built into the pages that a browser loads (documented by Vite, Next.js, Create React
/// App, Nuxt, Expo, Gatsby, SvelteKit and Astro, Vue CLI, Storybook and ngx-env).
const PUBLISHED_PREFIXES: [&str; 10] = [
    "VITE_",
    "NEXT_PUBLIC_",
    "REACT_APP_",
    "NUXT_PUBLIC_",
    "EXPO_PUBLIC_",
    "GATSBY_",
    "PUBLIC_",
    "VUE_APP_",
    "STORYBOOK_",
    "NG_APP_",
];
/// How long git may take to answer; a folder on a sleeping disk is no reason to make a person wait.
const GIT_SECONDS_MAX: u64 = 3;

/// The warnings about a file and, where it has such, the variables in it.
pub(super) fn about<'a>(file: &ReadFile, variables: impl Iterator<Item = &'a str>) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if is_tracked_by_git(file) {
        warnings.push(Warning::TrackedByGit);
    }
    let published = variables.filter(|variable| PUBLISHED_PREFIXES.iter().any(|prefix| variable.starts_with(prefix)));
    warnings.extend(published.map(|variable| Warning::PublishedToBrowsers(variable.to_owned())));
    let mode = file.metadata.mode() & 0o7777;
    if mode & 0o044 != 0 {
        warnings.push(Warning::ReadableByOthers(mode));
    }
    warnings
}

/// Asks the git that is installed, if the file is below a repository at all; no answer counts as no.
fn is_tracked_by_git(file: &ReadFile) -> bool {
    if !file.folder_path.ancestors().any(|folder| folder.join(".git").exists()) {
        return false;
    }
    let mut git = Command::new("git");
    // A repository's own settings may name programs to run for a look at its index; this look does not need them.
    git.args(["-c", "core.fsmonitor=false", "ls-files", "--error-unmatch", "--"]).arg(&file.name);
    git.current_dir(&file.folder_path).env("GIT_OPTIONAL_LOCKS", "0").env("GIT_LITERAL_PATHSPECS", "1");
    git.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    let Ok(mut child) = git.spawn() else { return false };
    matches!(wait(&mut child, Duration::from_secs(GIT_SECONDS_MAX)), Ok(Ended::With(status)) if status.success())
}
