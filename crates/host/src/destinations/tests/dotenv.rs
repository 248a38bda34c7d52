//! .env files of every make.

use super::*;
use crate::destinations::dotenv::{Wanted, edit};
use proptest::prelude::*;

/// What changes, and everything else stays: a byte is a byte.
const CHANGED: [(&str, &str); 24] = [
    ("TOKEN=OLD\n", "TOKEN=NEW\n"),
    ("TOKEN=OLD", "TOKEN=NEW"),
    ("# a\n\n A = 1 \nTOKEN=OLD # note\n#TOKEN=OLD\n", "# a\n\n A = 1 \nTOKEN=NEW # note\n#TOKEN=OLD\n"),
    ("TOKEN = OLD  \n", "TOKEN = NEW  \n"),
    ("export TOKEN=OLD\n", "export TOKEN=NEW\n"),
    ("export TOKEN='OLD'\n", "export TOKEN='NEW'\n"),
    ("TOKEN=\"OLD\" # note\n", "TOKEN=\"NEW\" # note\n"),
    ("TOKEN='OLD'\n", "TOKEN='NEW'\n"),
    ("TOKEN=`OLD`\n", "TOKEN=`NEW`\n"),
    ("A=1\r\nTOKEN=OLD\r\nB=2\r\n", "A=1\r\nTOKEN=NEW\r\nB=2\r\n"),
    ("A=1\r\nTOKEN=\"OLD\"\nB=2\r\n", "A=1\r\nTOKEN=\"NEW\"\nB=2\r\n"),
    ("\u{feff}TOKEN=OLD\n", "\u{feff}TOKEN=NEW\n"),
    ("\u{feff}A=1\r\nTOKEN=\"OLD\"\r\n", "\u{feff}A=1\r\nTOKEN=\"NEW\"\r\n"),
    ("TOKEN=OLD\nTOKEN=\"OLD\"\n", "TOKEN=NEW\nTOKEN=\"NEW\"\n"),
    ("TOKEN=OLD\nA=1\nTOKEN=NEW\n", "TOKEN=NEW\nA=1\nTOKEN=NEW\n"),
    ("URL=\"https://x/${TOKEN}\"\nTOKEN=OLD\n", "URL=\"https://x/${TOKEN}\"\nTOKEN=NEW\n"),
    ("PEM=\"-----\nTOKEN=OLD\n-----\"\nTOKEN=OLD\n", "PEM=\"-----\nTOKEN=OLD\n-----\"\nTOKEN=NEW\n"),
    ("MY_TOKEN=OLD\nTOKEN=OLD\nTOKEN_2=OLD\n", "MY_TOKEN=OLD\nTOKEN=NEW\nTOKEN_2=OLD\n"),
    ("BARE\n= odd\n!!\nTOKEN=OLD\n", "BARE\n= odd\n!!\nTOKEN=NEW\n"),
    ("A=1\n\n\n\nTOKEN=OLD\n\n", "A=1\n\n\n\nTOKEN=NEW\n\n"),
    ("TOKEN=\"OLD\"\nA=é ü\n", "TOKEN=\"NEW\"\nA=é ü\n"),
    ("\tTOKEN=OLD\n", "\tTOKEN=NEW\n"),
    ("TOKEN=OLD #OLD\n", "TOKEN=NEW #OLD\n"),
    ("X='it''s'\nTOKEN=OLD\n", "X='it''s'\nTOKEN=NEW\n"),
];

#[test]
fn only_the_value_changes() {
    for (before, after) in CHANGED {
        let bench = Bench::new();
        let path = bench.put(".env", before);
        let file = variable(&path, "TOKEN");
        assert!(bench.destinations().holding(&file, &value(&bench.new)).is_ok());
        let written = bench.write(&file);
        assert!(matches!(written, Ok(Written::Confirmed(_))), "{before:?}: {written:?}");
        assert_eq!(bench.read(&path), after);
        assert_eq!(bench.destinations().holding(&file, &value(&bench.new)), Ok(Holding::Expected), "{before:?}");
        assert!(matches!(bench.destinations().holding(&file, &value(&bench.old)), Ok(Holding::Other(_))), "{before:?}");
    }
}

#[test]
fn anything_but_the_old_value_is_left_alone() {
    let refused = [
        ("A=1\n", "no variable TOKEN"),
        ("TOKEN=theirs\n", "holds another value"),
        ("TOKEN=OLD\nTOKEN=theirs\n", "line 2"),
        ("TOKEN=OLDER\n", "holds another value"),
        ("TOKEN=${OLD}\n", "holds another value"),
        ("TOKEN=\n", "holds no value"),
        ("TOKEN\n", "holds no value"),
        ("# TOKEN=OLD\n", "no variable TOKEN"),
    ];
    for (content, why) in refused {
        let bench = Bench::new();
        let path = bench.put(".env", content);
        let result = bench.write(&variable(&path, "TOKEN"));
        assert!(matches!(&result, Err(DestinationError::Unexpected(said)) if said.contains(why)), "{content:?}: {result:?}");
        assert_eq!(bench.read(&path), content);
        let holding = bench.destinations().holding(&variable(&path, "TOKEN"), &value(&bench.old));
        assert!(matches!(&holding, Ok(Holding::Other(said)) if said.contains("TOKEN")), "{content:?}: {holding:?}");
    }
}

#[test]
fn a_first_placing_adds_or_fills_and_never_overwrites() {
    let placed = [
        ("", "TOKEN=NEW\n"),
        ("A=1\n", "A=1\nTOKEN=NEW\n"),
        ("A=1", "A=1\nTOKEN=NEW\n"),
        ("A=1\r\nB=2\r\n", "A=1\r\nB=2\r\nTOKEN=NEW\r\n"),
        ("# TOKEN=\n", "# TOKEN=\nTOKEN=NEW\n"),
        ("TOKEN=\nA=1\n", "TOKEN=NEW\nA=1\n"),
        ("TOKEN=\"\"\n", "TOKEN=\"NEW\"\n"),
        ("TOKEN=NEW\n", "TOKEN=NEW\n"),
    ];
    for (before, after) in placed {
        let bench = Bench::new();
        let path = bench.put(".env", before);
        let written = bench.destinations().write(&variable(&path, "TOKEN"), None, &value(&bench.new));
        assert!(matches!(written, Ok(Written::Confirmed(_))), "{before:?}: {written:?}");
        assert_eq!(bench.read(&path), after);
    }
    let bench = Bench::new();
    let path = bench.put(".env", "TOKEN=theirs\n");
    let refused = bench.destinations().write(&variable(&path, "TOKEN"), None, &value(&bench.new));
    assert!(matches!(refused, Err(DestinationError::Unexpected(_))));
    let odd = bench.destinations().write(&variable(&path, "not a name"), None, &value(&bench.new));
    assert!(matches!(odd, Err(DestinationError::Unparsable(_))), "{odd:?}");
    assert_eq!(bench.read(&path), "TOKEN=theirs\n");
}

#[test]
fn several_variables_change_together_or_not_at_all() {
    let pair = |id: &str, secret: &str| {
        Value::new(vec![("id".into(), SecretText::new(id.into())), ("secret".into(), SecretText::new(secret.into()))])
    };
    let bench = Bench::new();
    let path = bench.put(".env", "SECRET='s1'\nID=i1\n");
    let file = variables(&path, &[("ID", Some("id")), ("SECRET", Some("secret"))]);
    let written = bench.destinations().write(&file, Some(&pair("i1", "s1")), &pair("i2", "s2"));
    assert_eq!(written, Ok(Written::Confirmed(format!("{} lines 1, 2", path.display()))));
    assert_eq!(bench.read(&path), "SECRET='s2'\nID=i2\n");
    let refused = bench.destinations().write(&file, Some(&pair("i2", "s9")), &pair("i3", "s3"));
    assert!(matches!(refused, Err(DestinationError::Unexpected(why)) if why.starts_with("SECRET holds another value")));
    assert_eq!(bench.read(&path), "SECRET='s2'\nID=i2\n");
    let half_done = bench.destinations().write(&file, Some(&pair("i0", "s2")), &pair("i2", "s3"));
    assert!(matches!(half_done, Ok(Written::Confirmed(_))));
    assert_eq!(bench.read(&path), "SECRET='s3'\nID=i2\n");
    let twice = variables(&path, &[("ID", Some("id")), ("ID", Some("secret"))]);
    let refused = bench.destinations().write(&twice, Some(&pair("i2", "i2")), &pair("i3", "s3"));
    assert!(matches!(refused, Err(DestinationError::Unparsable(why)) if why.contains("twice")));
}

#[test]
fn an_unusual_value_gets_quotes_that_every_reader_takes_off() {
    let spelled = [
        ("TOKEN=OLD\n", "a b", "TOKEN='a b'\n"),
        ("TOKEN=OLD\n", "a#b", "TOKEN='a#b'\n"),
        ("TOKEN=\"OLD\"\n", "a#b", "TOKEN=\"a#b\"\n"),
        ("TOKEN=\"OLD\"\n", "pa$$word", "TOKEN='pa$$word'\n"),
        ("TOKEN=OLD\n", "it's", "TOKEN=\"it's\"\n"),
        ("TOKEN='OLD'\n", "one\ntwo", "TOKEN='one\ntwo'\n"),
        ("TOKEN=OLD\n", "~home", "TOKEN='~home'\n"),
        ("TOKEN=OLD\n", "a~b.c-d_e/f+g==", "TOKEN=a~b.c-d_e/f+g==\n"),
    ];
    for (before, new, after) in spelled {
        let bench = Bench::new();
        let path = bench.put(".env", before);
        let written = bench.destinations().write(&variable(&path, "TOKEN"), Some(&value(&bench.old)), &value(new));
        let Ok(Written::Confirmed(evidence)) = written else { panic!("{new:?}: {written:?}") };
        assert_eq!(bench.read(&path), after);
        let quotes_are_new = after.contains(['\'', '"']) && !before.contains(['\'', '"']);
        assert_eq!(evidence.contains("docker --env-file"), quotes_are_new, "{evidence}");
    }
    let bench = Bench::new();
    let path = bench.put(".env", "TOKEN=OLD\n");
    let refused = bench.destinations().write(&variable(&path, "TOKEN"), Some(&value(&bench.old)), &value("$it's"));
    assert!(matches!(refused, Err(DestinationError::Unparsable(_))), "{refused:?}");
    assert_eq!(bench.read(&path), "TOKEN=OLD\n");
}

#[test]
fn a_file_for_docker_alone_keeps_its_quotes_as_part_of_the_value() {
    let bench = Bench::new();
    let path = bench.put(".env", "TOKEN=\"OLD\"\n");
    let (old, new) = (bench.fill("\"OLD\""), bench.fill("\"NEW # 1\""));
    let written = bench.destinations().write(&variable(&path, "TOKEN"), Some(&value(&old)), &value(&new));
    assert!(matches!(written, Ok(Written::Confirmed(_))), "{written:?}");
    assert_eq!(bench.read(&path), "TOKEN=\"NEW # 1\"\n");
}

#[test]
fn a_file_that_is_not_text_is_refused() {
    let bench = Bench::new();
    let path = bench.folder().join(".env");
    fs::write(&path, [b"TOKEN=".as_slice(), bench.old.as_bytes(), b"\nNAME=\xe9\n"].concat()).unwrap();
    assert!(matches!(bench.write(&variable(&path, "TOKEN")), Err(DestinationError::Unparsable(_))));
}

fn lines() -> impl Strategy<Value = Vec<String>> {
    let line = prop_oneof![
        "[A-Z]{1,4}=[a-z0-9]{0,9}",
        "export [A-Z]{1,4}='[a-z #$]{0,9}'",
        "[A-Z]{1,4} *= *\"[a-z\\\\n#]{0,9}\" # note",
        "#[ -~]{0,20}",
        "[ -~]{0,20}",
        "\\PC{0,8}",
        Just(String::new()),
    ];
    prop::collection::vec(line, 0..8)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Around a variable may stand what will: the bytes outside its value are the same afterwards, and reading back gives
    /// the new value. A refusal changes nothing and is allowed where the surroundings or the value are odd.
    #[test]
    fn bytes_outside_the_value_stay(
        before in lines(),
        after in lines(),
        quote in prop_oneof![Just(""), Just("'"), Just("\"")],
        export in prop_oneof![Just(""), Just("export ")],
        ending in prop_oneof![Just("\n"), Just("\r\n")],
        bom in any::<bool>(),
        new in prop_oneof!["[A-Za-z0-9_+/=.-]{1,40}", "[ -~]{1,20}", "\\PC{1,10}"],
    ) {
        let old = "old_0123456789";
        prop_assume!(new != old && !new.trim().is_empty());
        let head = format!("{}{}", if bom { "\u{feff}" } else { "" }, before.iter().map(|line| format!("{line}{ending}")).collect::<String>());
        let tail: String = after.iter().map(|line| format!("{ending}{line}")).collect();
        let text = format!("{head}{export}KT_TOKEN={quote}{old}{quote}{tail}");
        let wanted = |old, new| [Wanted { variable: "KT_TOKEN", old: Some(old), new }];
        let path = Path::new("/app/.env");
        let bytes = SecretBytes::new(text.clone().into_bytes());
        match edit(path, &bytes, &wanted(old, new.as_str())) {
            Ok(Edit::Replace(changed, _)) => {
                let changed_text = std::str::from_utf8(changed.expose()).unwrap();
                let outside = format!("{head}{export}KT_TOKEN=");
                prop_assert!(changed_text.starts_with(&outside));
                prop_assert!(changed_text.ends_with(&tail));
                let spelled = &changed_text[outside.len()..changed_text.len() - tail.len()];
                prop_assert!(spelled.contains(&new) || spelled.contains('\\'), "{}", spelled);
                let again = edit(path, &changed, &wanted(old, new.as_str()));
                prop_assert!(matches!(again, Ok(Edit::Stands(_))), "reads back");
            }
            Ok(Edit::Stands(_)) => prop_assert!(false, "the new value cannot stand yet"),
            Err(refusal) => {
                let plain = new.bytes().all(|byte| byte.is_ascii_alphanumeric());
                let calm = before.is_empty() && after.is_empty();
                prop_assert!(!(plain && calm), "{}", refusal);
            }
        }
    }
}
