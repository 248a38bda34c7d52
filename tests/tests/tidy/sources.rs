//! How a source file reads: it says what it is for, stays of a size, and is finished.

use crate::clean;
use crate::repo::{FILES, File};
use regex::Regex;

/// From here on a file needs a reason.
const LONG: usize = 700;

/// Files that may be longer, and why.
const LONG_WITH_REASON: &[(&str, &str)] = &[];

#[test]
fn every_module_says_what_it_is_for() {
    let mute = FILES.iter().filter(|file| file.is_rust() && !opens_with_words(file)).map(|file| file.path.clone());
    clean("Open with `//!`: the module's purpose, and what may not live there.", &mute.collect::<Vec<_>>());
}

/// Whether the first line that is not blank is a module comment with words in it.
fn opens_with_words(file: &File) -> bool {
    file.text.lines().find(|line| !line.trim().is_empty()).is_some_and(|line| line.starts_with("//! "))
}

#[test]
fn files_stay_of_a_size() {
    let code =
        |file: &&File| [".rs", ".ts", ".tsx"].iter().any(|end| file.path.ends_with(end)) && !file.path.contains("/generated/");
    let mut sizes: Vec<(usize, &str)> =
        FILES.iter().filter(code).map(|file| (file.text.lines().count(), file.path.as_str())).collect();
    sizes.sort_unstable();
    let (median, (longest, which)) = (sizes[sizes.len() / 2].0, sizes[sizes.len() - 1]);
    println!("{} source files, median {median} lines, longest {longest} ({which})", sizes.len());
    let excused = |path: &str| LONG_WITH_REASON.iter().any(|(name, _)| *name == path);
    let mut breaches: Vec<String> = sizes
        .iter()
        .filter(|(lines, path)| *lines >= LONG && !excused(path))
        .map(|(lines, path)| format!("{path}: {lines} lines"))
        .collect();
    let stale = LONG_WITH_REASON.iter().filter(|(name, _)| !sizes.iter().any(|(lines, path)| path == name && *lines >= LONG));
    breaches.extend(stale.map(|(name, _)| format!("{name}: short again, its line in LONG_WITH_REASON can go")));
    clean("Split it where it stops being one thing, or give the reason in LONG_WITH_REASON.", &breaches);
}

/// What marks something unfinished. In pieces, so that this file does not name itself.
fn unfinished() -> Regex {
    let words = ["TO", "DO|FIX", "ME|XX", "X"].concat();
    let calls = ["to", r"do!\(|unimple", r"mented!\(|coming", " soon|not yet imple", "mented"].concat();
    let tests = ["#\\[ign", r"ore|\b(?:it|describe|test)\.(?:on", r"ly|sk", r"ip)\("].concat();
    Regex::new(&format!(r"\b(?:{words})\b|{calls}|{tests}")).expect("a pattern")
}

#[test]
fn nothing_is_left_unfinished_or_switched_off() {
    let unfinished = unfinished();
    let mut breaches = Vec::new();
    let ends = [".rs", ".ts", ".tsx", ".css", ".toml", ".sh", ".py", ".html", ".sql", ".yml"];
    for file in FILES.iter().filter(|file| ends.iter().any(|end| file.path.ends_with(end))) {
        let lines = file.text.lines().enumerate().filter(|(_, line)| unfinished.is_match(line));
        breaches.extend(lines.map(|(index, line)| file.at(index + 1, line.trim())));
    }
    clean("Finish it, or take it out.", &breaches);
}

#[test]
fn unfinished_work_is_recognised() {
    let unfinished = unfinished();
    let planted = [
        ["// TO", "DO: later"],
        ["to", "do!()"],
        ["#[ign", "ore]"],
        ["it.on", "ly('x', f)"],
        ["// FIX", "ME"],
        ["unimple", "mented!()"],
    ];
    for parts in planted {
        assert!(unfinished.is_match(&parts.concat()), "{parts:?}");
    }
    for fine in ["let method = 1;", "ignored", "only(", "mastodon", "if (x.only) {}"] {
        assert!(!unfinished.is_match(fine), "{fine}");
    }
}

#[test]
fn a_lint_is_switched_off_with_a_reason() {
    let mut breaches = Vec::new();
    let attribute = Regex::new(r"^\s*#!?\[(?:cfg_attr\(.*)?(?:allow|expect)\(").expect("a pattern");
    for file in FILES.iter().filter(|file| file.is_rust()) {
        let lines: Vec<&str> = file.text.lines().collect();
        for (index, line) in lines.iter().enumerate().filter(|(_, line)| attribute.is_match(line)) {
            // rustfmt breaks a long attribute over several lines.
            let whole = lines[index..].iter().take(6).copied().collect::<Vec<_>>().join(" ");
            let whole = whole.split_once(")]").map_or(whole.as_str(), |(attribute, _)| attribute);
            let explained_above = index > 0 && lines[index - 1].trim_start().starts_with("//");
            if !whole.contains("reason") && !explained_above {
                breaches.push(file.at(index + 1, line.trim()));
            }
        }
    }
    clean("Say why: `reason = \"...\"` inside, or a comment on the line above.", &breaches);
}
