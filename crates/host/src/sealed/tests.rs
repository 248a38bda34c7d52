//! The sealed vault against a model, against damage at every byte, against crashes and against itself.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Next to nothing, because these tests unlock hundreds of times.
const CHEAP: Cost = Cost { memory_kib: 8, passes: 1, lanes: 1 };

fn passphrase() -> SecretText {
    SecretText::new("correct horse battery staple".to_owned())
}

fn item(n: u8) -> Item {
    Item::Version(format!("{n:02x}").repeat(16))
}

fn bytes(of: &[u8]) -> SecretBytes {
    SecretBytes::new(of.to_vec())
}

/// The bytes of an item, or why not.
fn read(vault: &SealedVault, item: &Item) -> Result<Vec<u8>, SealedError> {
    vault.open(&item.name()).map(|bytes| bytes.expose().to_vec())
}

struct Case {
    folder: tempfile::TempDir,
    vault: SealedVault,
}

impl Case {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let vault = SealedVault::create_at(&folder.path().join(FILE_NAME), &passphrase(), CHEAP).unwrap();
        Self { folder, vault }
    }

    /// With items 1 to 3, each holding its number.
    fn with_three() -> Self {
        let case = Self::new();
        (1..=3).for_each(|n| case.vault.put(&item(n), &bytes(&[n])).unwrap());
        case
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join(FILE_NAME)
    }

    fn unlock(&self) -> Result<SealedVault, SealedError> {
        SealedVault::unlock(&self.path(), &passphrase())
    }
}

#[test]
fn the_usual_cost_is_paid_and_what_was_put_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE_NAME);
    assert!(!SealedVault::exists(&path));
    let vault = SealedVault::create(&path, &passphrase()).unwrap();
    vault.put(&item(1), &bytes(b"\x00\xff\n end 1\n")).unwrap();
    assert!(SealedVault::exists(&path));
    let header = std::fs::read_to_string(&path).unwrap();
    assert!(header.starts_with("keytender-sealed 1 argon2id 65536 3 1 "), "{header}");

    let again = SealedVault::unlock(&path, &passphrase()).unwrap();
    assert_eq!(again.kind(), "sealed");
    assert_eq!(read(&again, &item(1)).unwrap(), b"\x00\xff\n end 1\n");
    assert_eq!(
        SealedVault::create(&path, &passphrase()).err().unwrap(),
        SealedError::AlreadyThere { path: path.display().to_string() }
    );
}

#[test]
fn a_wrong_passphrase_and_a_missing_file_are_told_apart() {
    let case = Case::with_three();
    let wrong = SecretText::new("correct horse battery stapl".to_owned());
    assert_eq!(SealedVault::unlock(&case.path(), &wrong).err(), Some(SealedError::WrongPassphrase));
    // A wrong attempt does not lock what is unlocked.
    assert_eq!(case.vault.reopen(&wrong), Err(SealedError::WrongPassphrase));
    assert_eq!(read(&case.vault, &item(1)).unwrap(), [1]);

    std::fs::remove_file(case.path()).unwrap();
    assert!(matches!(case.unlock().err(), Some(SealedError::Missing { .. })));
    assert!(matches!(case.vault.ready(), Err(VaultError::Absent { .. })));
}

#[test]
fn nothing_is_overwritten_and_a_repeated_put_is_harmless() {
    let case = Case::with_three();
    case.vault.put(&item(1), &bytes(&[1])).unwrap();
    assert!(matches!(case.vault.put(&item(1), &bytes(&[2])), Err(VaultError::Exists { .. })));
    assert_eq!(read(&case.vault, &item(1)).unwrap(), [1]);
    assert!(matches!(case.vault.fetch(&item(9)), Err(VaultError::NotFound { .. })));
    case.vault.remove(&item(9)).unwrap();
}

#[test]
fn a_locked_vault_answers_locked_until_it_is_reopened() {
    let case = Case::with_three();
    case.vault.lock();
    let locked = [
        case.vault.put(&item(9), &bytes(&[9])).err(),
        case.vault.fetch(&item(1)).err(),
        case.vault.remove(&item(1)).err(),
        case.vault.items().err(),
        case.vault.ready().err(),
        case.vault.prove().err(),
    ];
    for answer in locked {
        assert!(matches!(answer, Some(VaultError::Locked { .. })), "{answer:?}");
    }
    case.vault.reopen(&passphrase()).unwrap();
    assert_eq!(case.vault.items().unwrap(), [item(1), item(2), item(3)]);
    assert_eq!(case.vault.prove().unwrap().store, format!("sealed vault {}", case.path().display()));
    assert_eq!(case.vault.items().unwrap().len(), 3, "the proof leaves nothing");
}

#[test]
fn a_key_never_writes_under_another_vaults_header() {
    let case = Case::with_three();
    std::fs::remove_file(case.path()).unwrap();
    SealedVault::create_at(&case.path(), &passphrase(), CHEAP).unwrap();
    assert_eq!(case.vault.add(&item(4).name(), &bytes(&[4])), Err(SealedError::Exchanged));
    assert!(case.unlock().unwrap().items().unwrap().is_empty());
}

/// Flips one bit of every byte in turn. Whatever is hit: no other value than the one that was put ever comes back, and what
/// cannot be had is an error of the right kind.
#[test]
fn a_flipped_bit_anywhere_is_noticed_and_spoils_no_other_record() {
    let case = Case::with_three();
    let whole = std::fs::read(case.path()).unwrap();
    let starts: Vec<usize> = (0..whole.len()).filter(|at| *at == 0 || whole[at - 1] == b'\n').collect();
    let (records, end) = (starts[1], starts[4]);
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        std::fs::write(case.path(), &damaged).unwrap();
        if at < records {
            assert!(matches!(case.unlock().err(), Some(SealedError::DamagedHeader { .. })), "byte {at}");
            continue;
        }
        let vault = case.unlock().unwrap();
        let survey = vault.survey().unwrap();
        assert!(survey.damaged > 0 || survey.cut_short, "byte {at} unnoticed");
        assert!(vault.items().is_err(), "byte {at}: a short list must not look whole");
        for n in 1..=3 {
            match read(&vault, &item(n)) {
                Ok(value) => assert_eq!(value, [n], "byte {at}"),
                Err(error) => {
                    let its_own = at >= starts[usize::from(n)] - 1 && at < starts[usize::from(n) + 1];
                    assert!(its_own, "byte {at} spoils record {n}");
                    assert!(matches!(error, SealedError::DamagedRecords { .. } | SealedError::CutShort { .. }), "{error:?}");
                }
            }
        }
        if at >= end {
            assert_eq!(vault.ready().is_err(), survey.cut_short, "byte {at}");
        }
    }
}

#[test]
fn a_file_cut_short_anywhere_is_noticed_and_gives_what_is_left() {
    let case = Case::with_three();
    let whole = std::fs::read(case.path()).unwrap();
    let header = whole.iter().position(|byte| *byte == b'\n').unwrap();
    for length in 0..whole.len() {
        std::fs::write(case.path(), &whole[..length]).unwrap();
        let vault = match case.unlock() {
            Err(SealedError::DamagedHeader { .. }) if length <= header => continue,
            unlocked => unlocked.unwrap_or_else(|error| panic!("{length}: {error:?}")),
        };
        assert!(matches!(vault.change(|_, _| Ok(true)), Err(SealedError::CutShort { .. })), "{length} bytes: written to");
        assert!(vault.survey().unwrap().cut_short);
        assert!(matches!(vault.ready(), Err(VaultError::Failing { .. })));
        for n in 1..=3 {
            match read(&vault, &item(n)) {
                Ok(value) => assert_eq!(value, [n]),
                Err(error) => assert!(matches!(error, SealedError::CutShort { .. } | SealedError::DamagedRecords { .. })),
            }
        }
        assert_eq!(std::fs::read(case.path()).unwrap(), &whole[..length], "the evidence stays");
    }
}

#[test]
fn a_damaged_record_survives_changes_around_it_and_can_be_removed() {
    let case = Case::with_three();
    let mut text = std::fs::read(case.path()).unwrap();
    let last = text.len() - "end 3\n".len() - 2;
    text[last] ^= 1;
    std::fs::write(case.path(), &text).unwrap();
    let vault = case.unlock().unwrap();
    vault.put(&item(4), &bytes(&[4])).unwrap();
    vault.remove(&item(1)).unwrap();
    assert_eq!(read(&vault, &item(3)), Err(SealedError::DamagedRecords { count: 1 }));
    assert_eq!(vault.survey().unwrap(), Survey { readable: vec![item(2), item(4)], damaged: 1, cut_short: false });
    assert_eq!(vault.add(&item(3).name(), &bytes(&[3])), Err(SealedError::DamagedRecords { count: 1 }));
    vault.remove(&item(3)).unwrap();
    assert_eq!(vault.items().unwrap(), [item(2), item(4)]);
}

#[test]
fn records_cannot_be_exchanged_for_one_another() {
    let case = Case::with_three();
    let text = std::fs::read_to_string(case.path()).unwrap();
    let (one, two) = (item(1).name(), item(2).name());
    std::fs::write(case.path(), text.replace(&one, "x").replace(&two, &one).replace("\nx ", &format!("\n{two} "))).unwrap();
    let vault = case.unlock().unwrap();
    assert_eq!(read(&vault, &item(1)), Err(SealedError::DamagedRecords { count: 1 }));
    assert_eq!(read(&vault, &item(3)).unwrap(), [3]);
}

#[test]
fn a_newer_format_and_forged_costs_are_refused() {
    let case = Case::with_three();
    let (content, _) = Content::of_new(&passphrase(), CHEAP).unwrap();
    let header = String::from_utf8(content.header).unwrap();
    let forge = |from: &str, to: &str| {
        let line = header.rsplit_once(' ').unwrap().0.replace(from, to);
        let sum = hex::encode(&<sha2::Sha256 as sha2::Digest>::digest(line.as_bytes())[..8]);
        std::fs::write(case.path(), format!("{line} {sum}\nend 0\n")).unwrap();
        case.unlock().err()
    };
    assert_eq!(forge("sealed 1", "sealed 2"), Some(SealedError::Newer { found: 2 }));
    assert_eq!(
        forge("argon2id 8 ", "argon2id 4294967295 "),
        Some(SealedError::DamagedHeader { what: "its costs are out of bounds" })
    );
    assert_eq!(forge("argon2id 8 ", "argon2id 16 "), Some(SealedError::WrongPassphrase));
}

#[test]
fn what_a_killed_writer_left_behind_is_ignored_and_swept_away() {
    let case = Case::with_three();
    let left = case.folder.path().join(format!(".{FILE_NAME}.a1B2c3"));
    std::fs::write(&left, "half a fi").unwrap();
    let vault = case.unlock().unwrap();
    assert_eq!(vault.items().unwrap().len(), 3);
    assert!(left.exists(), "readers change nothing");
    vault.put(&item(4), &bytes(&[4])).unwrap();
    assert!(!left.exists());
    assert_eq!(case.unlock().unwrap().items().unwrap().len(), 4);
}

#[test]
fn a_writer_waits_for_another_and_gives_up_in_time() {
    let case = Case::with_three();
    let held = case.vault.lock_file().unwrap();
    assert_eq!(case.vault.patience, Duration::from_secs(5));
    let mut other = case.unlock().unwrap();
    other.patience = Duration::from_millis(50);
    let begun = Instant::now();
    assert_eq!(other.take_out(&item(1).name()), Err(SealedError::Busy { seconds: 0 }));
    assert!(begun.elapsed() >= other.patience);
    assert_eq!(read(&case.vault, &item(1)).unwrap(), [1], "readers need no lock");
    drop(held);
    case.vault.remove(&item(1)).unwrap();
}

#[test]
fn two_handles_lose_nothing_of_each_other() {
    let case = Case::new();
    std::thread::scope(|scope| {
        for half in [0, 100] {
            let vault = case.unlock().unwrap();
            scope.spawn(move || (half..half + 20).for_each(|n| vault.put(&item(n), &bytes(&[n])).unwrap()));
        }
    });
    let mut items = case.vault.items().unwrap();
    items.sort();
    assert_eq!(items, (0..20).chain(100..120).map(item).collect::<Vec<_>>());
}

#[cfg(unix)]
#[test]
fn both_files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let case = Case::with_three();
    std::fs::set_permissions(case.path(), std::fs::Permissions::from_mode(0o644)).unwrap();
    case.vault.put(&item(4), &bytes(&[4])).unwrap();
    for path in [case.path(), case.path().with_added_extension("lock")] {
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", path.display());
    }
}

#[derive(Debug, Clone)]
enum Step {
    Put(u8, Vec<u8>),
    Fetch(u8),
    Remove(u8),
    /// From here on another handle, from the file.
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let name = 0..6_u8;
    let step = prop_oneof![
        4 => (name.clone(), proptest::collection::vec(any::<u8>(), 0..40)).prop_map(|(n, bytes)| Step::Put(n, bytes)),
        3 => name.clone().prop_map(Step::Fetch),
        2 => name.prop_map(Step::Remove),
        1 => Just(Step::Reopen),
    ];
    proptest::collection::vec(step, 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_behaves_like_a_map_that_never_overwrites(steps in steps()) {
        let mut case = Case::new();
        let mut model: BTreeMap<u8, Vec<u8>> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Put(n, value) => {
                    let put = case.vault.add(&item(n).name(), &bytes(&value));
                    let expected = match model.get(&n) {
                        Some(there) if *there != value => Err(SealedError::Taken),
                        _ => Ok(()),
                    };
                    prop_assert_eq!(put, expected);
                    model.entry(n).or_insert(value);
                }
                Step::Fetch(n) => {
                    let expected = model.get(&n).cloned().ok_or(SealedError::NoItem);
                    prop_assert_eq!(read(&case.vault, &item(n)), expected);
                }
                Step::Remove(n) => {
                    prop_assert_eq!(case.vault.take_out(&item(n).name()), Ok(()));
                    model.remove(&n);
                }
                Step::Reopen => case.vault = case.unlock().unwrap(),
            }
            let mut items = case.vault.items().unwrap();
            items.sort();
            prop_assert_eq!(items, model.keys().map(|n| item(*n)).collect::<Vec<_>>());
        }
    }
}
