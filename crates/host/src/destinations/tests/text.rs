//! Text files by exact old value.

use super::*;

fn text(path: &Path) -> Destination {
    destination(DestinationWhere::Text { path: path.to_owned(), field: None, placement: Placement::default() })
}

#[test]
fn every_occurrence_is_replaced_and_nothing_else() {
    let cases = [
        ("//registry/:_authToken=OLD\n", "//registry/:_authToken=NEW\n"),
        ("{\"a\": \"OLD\", \"b\": [\"OLD\"]}", "{\"a\": \"NEW\", \"b\": [\"NEW\"]}"),
        ("a: OLD\r\nb: 'OLD'\r\n", "a: NEW\r\nb: 'NEW'\r\n"),
        ("OLD", "NEW"),
        ("machine x login y password OLD\n", "machine x login y password NEW\n"),
        ("https://me:OLD@host/ NEW\n", "https://me:NEW@host/ NEW\n"),
    ];
    for (before, after) in cases {
        let bench = Bench::new();
        let path = bench.put("config", before);
        assert_eq!(bench.destinations().holding(&text(&path), &value(&bench.old)), Ok(Holding::Expected));
        assert!(matches!(bench.write(&text(&path)), Ok(Written::Confirmed(_))));
        assert_eq!(bench.read(&path), after);
        assert!(matches!(bench.destinations().holding(&text(&path), &value(&bench.old)), Ok(Holding::Other(_))));
        let again = bench.write(&text(&path));
        assert!(matches!(again, Ok(Written::Confirmed(_))), "{again:?}");
    }
}

#[test]
fn bytes_that_are_no_text_stay() {
    let bench = Bench::new();
    let path = bench.folder().join("blob");
    let around = |value: &str| [b"\xff\0\xfe".as_slice(), value.as_bytes(), b"\0\x80\r"].concat();
    fs::write(&path, around(&bench.old)).unwrap();
    bench.write(&text(&path)).unwrap();
    assert_eq!(fs::read(&path).unwrap(), around(&bench.new));
}

#[test]
fn part_of_a_longer_word_is_refused() {
    for content in ["xOLD\n", "OLDx\n", "OLD-2\n", "ok: OLD\nno: OLD_test\n"] {
        let bench = Bench::new();
        let path = bench.put("config", content);
        let refused = bench.write(&text(&path));
        assert!(matches!(&refused, Err(DestinationError::Unexpected(why)) if why.contains("longer word")), "{refused:?}");
        assert_eq!(bench.read(&path), content);
    }
}

#[test]
fn a_value_that_is_nowhere_or_too_short_is_refused() {
    let bench = Bench::new();
    let path = bench.put("config", "nothing here\nshort\n");
    assert!(matches!(bench.write(&text(&path)), Err(DestinationError::Unexpected(_))));
    let first = bench.destinations().write(&text(&path), None, &value(&bench.new));
    assert!(matches!(first, Err(DestinationError::Unexpected(_))));
    let short = bench.destinations().write(&text(&path), Some(&value("short")), &value(&bench.new));
    assert!(matches!(short, Err(DestinationError::Unparsable(why)) if why.contains("8 characters")));
    assert!(matches!(bench.destinations().holding(&text(&path), &value("short")), Err(DestinationError::Unparsable(_))));
    assert_eq!(bench.read(&path), "nothing here\nshort\n");
}

#[test]
fn a_new_value_that_begins_with_the_old_one_is_written_once() {
    let bench = Bench::new();
    let path = bench.put("config", "a=OLD\n");
    let longer = format!("{}.v2", bench.old);
    for _ in 0..2 {
        let written = bench.destinations().write(&text(&path), Some(&value(&bench.old)), &value(&longer));
        assert!(matches!(written, Ok(Written::Confirmed(_))), "{written:?}");
        assert_eq!(bench.read(&path), "a=OLD.v2\n");
    }
}
