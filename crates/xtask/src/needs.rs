//! What a computer needs besides Rust and Node, and how it gets it: through the system's own package manager, after saying
//! what and why, and after asking where a person can answer.

use crate::shell::{self, Fault, Step};

/// One program that must be there, the Debian packages that bring it, and what it is for.
pub(crate) struct Need {
    program: &'static str,
    packages: &'static [&'static str],
    why: &'static str,
}

const CC: Need =
    Need { program: "cc", packages: &["gcc", "libc6-dev"], why: "compiles SQLite and the cryptography, links everything" };
const DBUS: Need = Need { program: "dbus-run-session", packages: &["dbus"], why: "a session bus, on which the keychain answers" };
const KEYRING: Need =
    Need { program: "gnome-keyring-daemon", packages: &["gnome-keyring"], why: "a keychain, where none is running" };
const SECRET_TOOL: Need =
    Need { program: "secret-tool", packages: &["libsecret-tools"], why: "looks at the keychain from outside" };
const GIT: Need = Need { program: "git", packages: &["git"], why: "tells which files are tracked" };
const NPM: Need = Need { program: "npm", packages: &["npm"], why: "installs the registry whose tokens are rotated in tests" };
const XVFB: Need = Need { program: "xvfb-run", packages: &["xvfb", "xauth"], why: "a screen for notices, where there is none" };
const DUNST: Need = Need { program: "dunst", packages: &["dunst"], why: "shows notices" };
const NOTIFY: Need = Need { program: "notify-send", packages: &["libnotify-bin"], why: "sends a notice from outside" };

/// To build and run it.
pub(crate) const RUN: &[Need] = &[CC, DBUS, KEYRING];

/// To test it, besides.
pub(crate) const TEST: &[Need] = &[CC, DBUS, KEYRING, SECRET_TOOL, GIT, NPM, XVFB, DUNST, NOTIFY];

/// To check and test only what is pure.
pub(crate) const FAST: &[Need] = &[CC, GIT];

/// Finds what is missing and installs it; returns once nothing is.
pub(crate) fn meet(needs: &[Need]) -> Result<(), Fault> {
    let missing = missing(needs);
    if missing.is_empty() {
        return Ok(());
    }
    println!("This computer lacks:\n{}", list(&missing));
    let packages = packages(&missing);
    if shell::find("apt-get").is_none() {
        return Err(Fault::Lacking(
            "Keytender is set up by itself on Debian and Ubuntu only. Install the programs above with this system's package \
             manager, then type the same command again."
                .to_owned(),
        ));
    }
    let by_hand = format!("apt-get update && apt-get install --no-install-recommends {}", packages.join(" "));
    let Some(prefix) = privilege() else {
        return Err(Fault::Lacking(format!("Neither root nor sudo is to be had here. As root, type:\n  {by_hand}")));
    };
    if shell::person_present() && !shell::agrees(&format!("Install {} with apt-get?", packages.join(", ")), true) {
        return Err(Fault::Lacking(format!("Nothing was installed. By hand, as root:\n  {by_hand}")));
    }
    // A fresh machine has no package list, and an old list names versions that are gone.
    apt_get(&prefix).args(["update", "--quiet"]).run()?;
    apt_get(&prefix).args(["install", "--yes", "--quiet", "--no-install-recommends"]).args(&packages).run()?;
    let still = self::missing(needs);
    if still.is_empty() {
        Ok(())
    } else {
        Err(Fault::Lacking(format!("Still missing after the installation:\n{}", list(&still))))
    }
}

/// Says what is missing and installs nothing.
pub(crate) fn report() -> Result<(), Fault> {
    let missing = missing(TEST);
    if missing.is_empty() {
        println!("Everything is here: `cargo xtask run` and `cargo xtask test` install nothing.");
        return Ok(());
    }
    println!("Missing; `cargo xtask run` or `cargo xtask test` offers to install what it needs of it:\n{}", list(&missing));
    Err(Fault::Lacking(format!("{} missing", missing.len())))
}

fn missing(needs: &[Need]) -> Vec<&Need> {
    // macOS and Windows bring keychain and notices along, and cargo would not have come this far without a linker.
    if !cfg!(target_os = "linux") {
        return Vec::new();
    }
    needs.iter().filter(|need| shell::find(need.program).is_none()).collect()
}

fn packages(missing: &[&Need]) -> Vec<&'static str> {
    missing.iter().flat_map(|need| need.packages).copied().collect()
}

fn list(missing: &[&Need]) -> String {
    let lines = missing.iter().map(|need| format!("  {:<21} {} (Debian: {})", need.program, need.why, need.packages.join(", ")));
    lines.collect::<Vec<_>>().join("\n")
}

/// What goes before a command that only root may give: nothing for root, sudo for others, none where there is no way.
fn privilege() -> Option<Vec<&'static str>> {
    let root = Step::new("id").args(["-u"]).quietly().is_some_and(|id| id.trim() == "0");
    match (root, shell::find("sudo").is_some()) {
        (true, _) => Some(vec![]),
        // Without a person nobody can type a password: sudo must work without one, or fail at once instead of waiting.
        (false, true) => Some(if shell::person_present() { vec!["sudo"] } else { vec!["sudo", "--non-interactive"] }),
        (false, false) => None,
    }
}

fn apt_get(prefix: &[&str]) -> Step {
    let words: Vec<&str> = prefix.iter().copied().chain(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]).collect();
    Step::new(words[0]).args(&words[1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_its_package_and_its_reason() {
        let needs = [Need { program: "no-such-program", packages: &["one", "two"], why: "shows that it is looked for" }];
        let missing = missing(&needs);
        if cfg!(target_os = "linux") {
            assert_eq!(packages(&missing), ["one", "two"]);
            assert!(list(&missing).contains("no-such-program       shows that it is looked for (Debian: one, two)"));
        } else {
            assert!(missing.is_empty());
        }
    }

    #[test]
    fn everything_that_running_needs_is_needed_for_testing_too() {
        for need in RUN.iter().chain(FAST) {
            assert!(TEST.iter().any(|test| test.program == need.program), "{} is missing from TEST", need.program);
        }
    }
}
