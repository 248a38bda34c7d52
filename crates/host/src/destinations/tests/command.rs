//! Commands that take the value on standard input.

use super::*;
use std::time::{Duration, Instant};

impl Bench {
    /// A shell script in the app's folder; OLD and NEW in it stay as they are.
    fn script(&self, script: &str, timeout_seconds: u32) -> Destination {
        self.argv(&["sh", "-c", script], None, timeout_seconds)
    }

    fn argv(&self, argv: &[&str], field: Option<&str>, timeout_seconds: u32) -> Destination {
        destination(DestinationWhere::Command {
            argv: argv.iter().map(|&word| word.to_owned()).collect(),
            folder: self.folder(),
            field: field.map(str::to_owned),
            timeout_seconds,
        })
    }

    fn failure(&self, script: &str) -> String {
        match self.write(&self.script(script, 20)) {
            Err(DestinationError::CommandFailed(why)) => why,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn the_value_arrives_on_standard_input_and_nowhere_else() {
    let bench = Bench::new();
    let script = "cat > got; tr '\\0' '\\n' < /proc/$$/cmdline > words; env > variables; pwd > folder";
    let written = bench.write(&bench.script(script, 20));
    assert_eq!(written, Ok(Written::Pushed("sh ended with 0".into())));
    let read = |name: &str| bench.read(&bench.folder().join(name));
    assert_eq!(read("got"), "NEW");
    assert!(!read("words").contains("NEW") && !read("variables").contains("NEW"));
    assert!(read("folder").trim_end().ends_with("/app"));
    assert_eq!(bench.destinations().holding(&bench.script(script, 20), &value(&bench.new)), Ok(Holding::Unreadable));
}

#[test]
fn several_fields_go_as_json_in_order_or_one_by_name() {
    let bench = Bench::new();
    let pair =
        Value::new(vec![("secret".into(), SecretText::new("a\"b\\c\n".into())), ("id".into(), SecretText::new("i".into()))]);
    let all = bench.argv(&["sh", "-c", "cat > got"], None, 20);
    assert!(matches!(bench.destinations().write(&all, None, &pair), Ok(Written::Pushed(_))));
    assert_eq!(bench.read(&bench.folder().join("got")), r#"{"secret":"a\"b\\c\n","id":"i"}"#);
    let one = bench.argv(&["sh", "-c", "cat > got"], Some("id"), 20);
    assert!(matches!(bench.destinations().write(&one, None, &pair), Ok(Written::Pushed(_))));
    assert_eq!(bench.read(&bench.folder().join("got")), "i");
}

#[test]
fn a_failing_command_is_quoted_without_the_value() {
    let bench = Bench::new();
    let encoded = "read -r v; echo \"no such app $v\"; printf %s \"$v\" | od -An -tx1 | tr -d ' \\n' >&2; exit 3";
    let why = bench.failure(&format!("IFS= ; {}", encoded.replace("read -r v", "v=$(cat)")));
    assert!(why.starts_with("sh ended with 3. It said: ") && why.contains("no such app [value]"), "{why}");
    assert!(!why.contains(&hex::encode(&bench.new)), "{why}");
    assert!(bench.failure("cat >/dev/null; kill -TERM $$").contains("signal"));
    let why = bench.failure("cat >/dev/null; printf '\\033[2Jgone\\007'; exit 1");
    assert!(why.contains("[2Jgone") && !why.contains(['\u{1b}', '\u{7}']), "{why:?}");
}

#[test]
fn output_is_bounded_and_a_value_that_is_cut_there_does_not_show() {
    let bench = Bench::new();
    for shift in [0, 7, 20] {
        let fill = 64 * 1024 - shift;
        let why = bench.failure(&format!(
            "v=$(cat); head -c {fill} /dev/zero | tr '\\0' x; printf %s \"$v\"; head -c 300000 /dev/zero; exit 1"
        ));
        assert!(why.len() < 4_000, "{}", why.len());
        assert!(!why.contains(&bench.new[..6]), "{why}");
    }
}

#[test]
fn a_command_that_does_not_read_the_value_was_not_given_it() {
    let bench = Bench::new();
    for script in ["exit 0", "exec <&-; exit 0", "head -c 3 >/dev/null"] {
        let why = bench.failure(script);
        assert!(why.contains("without reading the value"), "{script}: {why}");
    }
    let long = Value::new(vec![("token".into(), SecretText::new("x".repeat(300_000)))]);
    let refused = bench.destinations().write(&bench.script("exit 0", 20), None, &long);
    assert!(matches!(refused, Err(DestinationError::CommandFailed(_))), "{refused:?}");
    let taken = bench.destinations().write(&bench.script("cat >/dev/null", 20), None, &long);
    assert!(matches!(taken, Ok(Written::Pushed(_))), "{taken:?}");
}

#[test]
fn what_cannot_be_started_is_told_before_anything_is_sent() {
    let bench = Bench::new();
    let unstartable = [
        bench.argv(&["no-such-command-of-keytender"], None, 20),
        bench.argv(&["./absent"], None, 20),
        bench.argv(&[], None, 20),
        destination(DestinationWhere::Command {
            argv: vec!["sh".into()],
            folder: bench.folder().join("absent"),
            field: None,
            timeout_seconds: 20,
        }),
    ];
    for command in unstartable {
        assert!(matches!(bench.destinations().writable(&command), Err(DestinationError::Unwritable(_))));
        assert!(matches!(bench.write(&command), Err(DestinationError::Unwritable(_))));
    }
    assert_eq!(bench.destinations().writable(&bench.script("true", 20)), Ok(Vec::new()));
}

#[test]
fn a_command_that_takes_too_long_is_stopped_with_all_that_it_started() {
    let bench = Bench::new();
    let refused = bench.write(&bench.script("cat > /dev/null; sleep 600 & echo $! > child; wait", 1));
    assert!(matches!(&refused, Err(DestinationError::CommandFailed(why)) if why.contains("within 1 s")), "{refused:?}");
    let child: i32 = bench.read(&bench.folder().join("child")).trim().parse().unwrap();
    let child = rustix::process::Pid::from_raw(child).unwrap();
    let gone = || {
        let state = fs::read_to_string(format!("/proc/{}/stat", child.as_raw_nonzero())).unwrap_or_default();
        // A zombie that nobody reaps (in a container without init) is as dead as can be.
        state.is_empty() || state.contains(") Z ")
    };
    let started = Instant::now();
    while !gone() && started.elapsed() < Duration::from_secs(10) {
        std::thread::yield_now();
    }
    assert!(gone());
}

#[test]
fn a_process_that_is_left_running_does_not_hold_up_the_answer() {
    let bench = Bench::new();
    let started = Instant::now();
    let written = bench.write(&bench.script("cat >/dev/null; sleep 20 </dev/null & echo $! > child", 60));
    let child: i32 = bench.read(&bench.folder().join("child")).trim().parse().unwrap();
    rustix::process::kill_process(rustix::process::Pid::from_raw(child).unwrap(), rustix::process::Signal::KILL).unwrap();
    assert!(matches!(written, Ok(Written::Pushed(_))), "{written:?}");
    assert!(started.elapsed() < Duration::from_secs(15));
}
