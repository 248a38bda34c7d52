//! The escrow on a real file system: what survives which damage.

use super::*;
use crate::memory::MemoryVault;
use keytender_core::ports::{Item, VaultError};
use std::fs;
use uuid::Uuid;

struct Fixture {
    home: tempfile::TempDir,
    vault: Arc<MemoryVault>,
    escrow: FileEscrow,
}

/// A fresh home whose key pair is made and proven.
fn fixture() -> Fixture {
    let home = tempfile::tempdir().unwrap();
    let vault = Arc::new(MemoryVault::new());
    let escrow = FileEscrow::new(home.path(), vault.clone());
    escrow.prove().unwrap();
    Fixture { home, vault, escrow }
}

fn slot(attempt: u32) -> SlotId {
    SlotId { owner: Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0001), attempt }
}

fn reply(body: &[u8]) -> Sealed {
    Sealed {
        status: 201,
        headers: vec![("x-expires".to_owned(), "2027-01-01".to_owned())],
        body: SecretBytes::new(body.to_vec()),
        complete: true,
    }
}

#[test]
fn a_reply_survives_the_process_that_sealed_it() {
    let Fixture { home, vault, escrow } = fixture();
    assert_eq!(escrow.inspect(slot(1)).unwrap(), SlotState::Missing);
    escrow.allocate(slot(1)).unwrap();
    assert_eq!(escrow.inspect(slot(1)).unwrap(), SlotState::Empty);
    escrow.seal(slot(1), &reply(b"{\"token\":\"t\"}")).unwrap();
    drop(escrow);

    let reopened = FileEscrow::new(home.path(), vault);
    assert_eq!(reopened.slots().unwrap(), [slot(1)]);
    assert_eq!(reopened.inspect(slot(1)).unwrap(), SlotState::Whole);
    let opened = reopened.open(slot(1)).unwrap();
    assert_eq!((opened.status, opened.complete), (201, true));
    assert_eq!(opened.headers, [("x-expires".to_owned(), "2027-01-01".to_owned())]);
    assert_eq!(opened.body.expose(), b"{\"token\":\"t\"}");
}

#[test]
fn a_slot_is_written_once() {
    let Fixture { home: _home, escrow, .. } = fixture();
    assert!(matches!(escrow.seal(slot(1), &reply(b"a")), Err(EscrowError::Nothing(_))), "sealing needs an allocated slot");
    escrow.allocate(slot(1)).unwrap();
    escrow.allocate(slot(1)).unwrap();
    assert!(matches!(escrow.open(slot(1)), Err(EscrowError::Nothing(_))));
    escrow.seal(slot(1), &reply(b"a")).unwrap();
    assert!(matches!(escrow.seal(slot(1), &reply(b"b")), Err(EscrowError::Written(_))));
    assert!(matches!(escrow.allocate(slot(1)), Err(EscrowError::Written(_))));
    assert_eq!(escrow.open(slot(1)).unwrap().body.expose(), b"a");
}

#[test]
fn of_two_sealers_at_once_one_wins_and_its_record_is_whole() {
    let Fixture { home: _home, escrow, .. } = fixture();
    escrow.allocate(slot(1)).unwrap();
    let wins = std::thread::scope(|scope| {
        let sealers: Vec<_> = (0..4u8)
            .map(|n| {
                let escrow = &escrow;
                scope.spawn(move || escrow.seal(slot(1), &reply(&vec![n; 100_000])).is_ok())
            })
            .collect();
        sealers.into_iter().map(|sealer| sealer.join().unwrap()).filter(|won| *won).count()
    });
    assert_eq!(wins, 1);
    let opened = escrow.open(slot(1)).unwrap();
    let first = opened.body.expose()[0];
    assert!(opened.body.expose().iter().all(|byte| *byte == first));
}

#[test]
fn sealing_needs_no_vault() {
    let Fixture { home, vault, escrow } = fixture();
    vault.lock();
    escrow.allocate(slot(1)).unwrap();
    escrow.seal(slot(1), &reply(b"same process")).unwrap();
    let carrier = FileEscrow::for_sealing(home.path());
    escrow.allocate(slot(2)).unwrap();
    carrier.seal(slot(2), &reply(b"another process")).unwrap();
    assert_eq!(escrow.inspect(slot(2)).unwrap(), SlotState::Whole);
    assert!(matches!(escrow.open(slot(2)), Err(EscrowError::Vault(VaultError::Locked { .. }))));
    assert!(matches!(carrier.open(slot(2)), Err(EscrowError::Vault(VaultError::Absent { .. }))));
    vault.unlock();
    assert_eq!(escrow.open(slot(1)).unwrap().body.expose(), b"same process");
    assert_eq!(escrow.open(slot(2)).unwrap().body.expose(), b"another process");
}

#[test]
fn the_largest_reply_fits_and_a_larger_paste_is_cut() {
    let Fixture { home: _home, escrow, .. } = fixture();
    let mut largest = reply(&vec![7; record::BODY_BYTES_MAX]);
    largest.headers = (0..100).map(|n| (format!("h{n}"), "x".repeat(4000))).collect();
    escrow.allocate(slot(1)).unwrap();
    escrow.seal(slot(1), &largest).unwrap();
    let opened = escrow.open(slot(1)).unwrap();
    assert!(opened.complete && opened.headers == largest.headers && opened.body.matches(&largest.body));

    escrow.allocate(slot(2)).unwrap();
    escrow.seal(slot(2), &reply(&vec![7; record::BODY_BYTES_MAX + 1])).unwrap();
    let opened = escrow.open(slot(2)).unwrap();
    assert!(!opened.complete);
    assert_eq!(opened.body.len(), record::BODY_BYTES_MAX);
}

/// The bytes of a slot with a whole record, and how many of them the record takes.
fn whole_slot(fixture: &Fixture) -> (Vec<u8>, usize) {
    fixture.escrow.allocate(slot(9)).unwrap();
    fixture.escrow.seal(slot(9), &reply(b"{\"token\":\"t\"}")).unwrap();
    let bytes = fs::read(fixture.escrow.slot_path(slot(9))).unwrap();
    let used = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    (bytes, used)
}

#[test]
fn a_record_torn_at_any_byte_is_told_from_a_whole_one() {
    let fixture = fixture();
    let (whole, used) = whole_slot(&fixture);
    let path = fixture.escrow.slot_path(slot(1));
    for cut in 0..=used {
        // What came before the cut reached the disk, what comes after it did not: still zeros, or beyond the file's end.
        let mut torn = whole[..used].to_vec();
        torn[cut..].fill(0);
        let expected = match cut {
            0 => SlotState::Empty,
            _ if torn == whole[..used] => SlotState::Whole,
            _ => SlotState::Torn,
        };
        fs::write(&path, &torn).unwrap();
        assert_eq!(fixture.escrow.inspect(slot(1)).unwrap(), expected, "zeros after {cut} of {used}");
        fs::write(&path, &whole[..cut]).unwrap();
        assert_eq!(fixture.escrow.inspect(slot(1)).unwrap(), expected, "file ends after {cut} of {used}");
        // The other way round: the later pages reached the disk, the first did not.
        let mut headless = whole[..used].to_vec();
        headless[..cut].fill(0);
        let expected = match cut {
            0 => SlotState::Whole,
            _ if headless.iter().all(|byte| *byte == 0) => SlotState::Empty,
            _ => SlotState::Torn,
        };
        fs::write(&path, &headless).unwrap();
        assert_eq!(fixture.escrow.inspect(slot(1)).unwrap(), expected, "zeros up to {cut} of {used}");
    }
}

#[test]
fn a_flipped_bit_anywhere_is_noticed() {
    let fixture = fixture();
    let (whole, used) = whole_slot(&fixture);
    let path = fixture.escrow.slot_path(slot(1));
    for at in 0..used {
        let mut flipped = whole[..used].to_vec();
        flipped[at] ^= 1 << (at % 8);
        fs::write(&path, &flipped).unwrap();
        assert_eq!(fixture.escrow.inspect(slot(1)).unwrap(), SlotState::Torn, "byte {at}");
        assert!(matches!(fixture.escrow.open(slot(1)), Err(EscrowError::Nothing(_))), "byte {at}");
    }
}

#[test]
fn a_torn_slot_is_never_sealed_over() {
    let fixture = fixture();
    fs::write(fixture.escrow.slot_path(slot(1)), b"KT").unwrap();
    assert!(matches!(fixture.escrow.seal(slot(1), &reply(b"b")), Err(EscrowError::Written(_))));
    assert!(matches!(fixture.escrow.allocate(slot(1)), Err(EscrowError::Written(_))));
}

#[test]
fn a_record_of_another_installation_is_whole_and_does_not_open() {
    let (ours, theirs) = (fixture(), fixture());
    let (whole, _) = whole_slot(&theirs);
    fs::write(ours.escrow.slot_path(slot(1)), whole).unwrap();
    assert_eq!(ours.escrow.inspect(slot(1)).unwrap(), SlotState::Whole);
    assert!(matches!(ours.escrow.open(slot(1)), Err(EscrowError::WrongKey(_))));
}

#[test]
fn wiping_leaves_no_file_and_repeats() {
    let Fixture { home: _home, escrow, .. } = fixture();
    escrow.wipe(slot(1)).unwrap();
    escrow.allocate(slot(1)).unwrap();
    escrow.seal(slot(1), &reply(b"a")).unwrap();
    // A second name for the same bytes shows what the overwriting did to them.
    let witness = escrow.folder.join("witness");
    fs::hard_link(escrow.slot_path(slot(1)), &witness).unwrap();
    escrow.wipe(slot(1)).unwrap();
    escrow.wipe(slot(1)).unwrap();
    assert_eq!(escrow.inspect(slot(1)).unwrap(), SlotState::Missing);
    assert_eq!(escrow.slots().unwrap(), []);
    assert!(fs::read(witness).unwrap().iter().all(|byte| *byte == 0));
}

#[test]
fn a_full_disk_is_told_before_anything_is_made() {
    let mut fixture = fixture();
    fixture.escrow.free_bytes = |_| Ok(FREE_BYTES_MIN - 1);
    assert!(matches!(fixture.escrow.allocate(slot(1)), Err(EscrowError::Full(_))));
    assert_eq!(fixture.escrow.inspect(slot(1)).unwrap(), SlotState::Missing);
}

/// The test process cannot limit itself without hurting the others in it, so it starts itself again under a limit.
#[cfg(target_os = "linux")]
#[test]
fn a_slot_that_cannot_have_its_room_is_not_left_behind() {
    if std::env::var_os("KEYTENDER_TEST_FILE_LIMIT").is_some() {
        let Fixture { home: _home, escrow, .. } = fixture();
        assert!(matches!(escrow.allocate(slot(1)), Err(EscrowError::Full(_))));
        assert_eq!(escrow.inspect(slot(1)).unwrap(), SlotState::Missing);
        return;
    }
    let limited = std::process::Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 64; exec \"$0\" --exact \"$1\""])
        .arg(std::env::current_exe().unwrap())
        .arg("escrow::tests::a_slot_that_cannot_have_its_room_is_not_left_behind")
        .env("KEYTENDER_TEST_FILE_LIMIT", "1")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&limited.stdout);
    assert!(limited.status.success() && told.contains("1 passed"), "{told}");
}

#[cfg(unix)]
#[test]
fn files_are_private_and_links_are_not_followed() {
    use std::os::unix::fs::{MetadataExt, symlink};
    let Fixture { home, escrow, .. } = fixture();
    escrow.allocate(slot(1)).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o7777;
    assert_eq!(mode(&escrow.folder), 0o700);
    assert_eq!(mode(&escrow.slot_path(slot(1))), 0o600);
    assert_eq!(mode(&escrow.folder.join("public.key")), 0o600);
    let figures = fs::metadata(escrow.slot_path(slot(1))).unwrap();
    assert!(figures.blocks() * 512 >= slot::SLOT_BYTES as u64, "the room must be there, not only the length");

    let elsewhere = home.path().join("elsewhere");
    fs::write(&elsewhere, b"").unwrap();
    symlink(&elsewhere, escrow.slot_path(slot(2))).unwrap();
    assert!(matches!(escrow.allocate(slot(2)), Err(EscrowError::Io(_))));
    assert!(matches!(escrow.seal(slot(2), &reply(b"a")), Err(EscrowError::Io(_))));
    assert!(matches!(escrow.wipe(slot(2)), Err(EscrowError::Io(_))));
    assert_eq!(fs::read(&elsewhere).unwrap(), b"");
}

#[test]
fn a_lost_or_damaged_public_half_is_derived_again() {
    let Fixture { home, vault, escrow } = fixture();
    let public = fs::read(escrow.folder.join("public.key")).unwrap();
    fs::remove_file(escrow.folder.join("public.key")).unwrap();
    // Another process has proven nothing and finds no key to seal to; this one still has the proven one.
    assert!(matches!(FileEscrow::for_sealing(home.path()).seal_bytes(&SecretBytes::new(vec![1])), Err(EscrowError::KeyPair(_))));
    assert!(escrow.seal_bytes(&SecretBytes::new(vec![1])).is_ok());
    for damaged in [None, Some(&public[..10]), Some(b"\xff\xfe")] {
        if let Some(damaged) = damaged {
            fs::write(escrow.folder.join("public.key"), damaged).unwrap();
        }
        FileEscrow::new(home.path(), vault.clone()).prove().unwrap();
        assert_eq!(fs::read(escrow.folder.join("public.key")).unwrap(), public);
    }
}

#[test]
fn every_flipped_bit_of_the_public_half_is_noticed_before_sealing() {
    let Fixture { home, escrow, .. } = fixture();
    let public = fs::read(escrow.folder.join("public.key")).unwrap();
    let key_digits = pair_digits(&public);
    for at in key_digits {
        let mut flipped = public.clone();
        flipped[at] = if flipped[at] == b'0' { b'1' } else { b'0' };
        fs::write(escrow.folder.join("public.key"), &flipped).unwrap();
        let sealed = FileEscrow::for_sealing(home.path()).seal_bytes(&SecretBytes::new(vec![1]));
        assert!(matches!(sealed, Err(EscrowError::KeyPair(_))), "digit {at}");
    }
}

/// Where the key's hex digits are in its file.
fn pair_digits(file: &[u8]) -> std::ops::Range<usize> {
    let start = file.iter().position(|byte| *byte == b' ').unwrap() + 1;
    start..start + 64
}

#[test]
fn a_replaced_public_half_is_refused_with_a_way_out() {
    let (ours, theirs) = (fixture(), fixture());
    fs::copy(theirs.escrow.folder.join("public.key"), ours.escrow.folder.join("public.key")).unwrap();
    let again = FileEscrow::new(ours.home.path(), ours.vault.clone());
    let Err(EscrowError::KeyPair(told)) = again.prove() else { panic!("a foreign public key was accepted") };
    assert!(told.contains("public.key"), "{told}");
    // The process that had proven its key does not fall for the exchange.
    ours.escrow.allocate(slot(1)).unwrap();
    ours.escrow.seal(slot(1), &reply(b"a")).unwrap();
    assert_eq!(ours.escrow.open(slot(1)).unwrap().body.expose(), b"a");
}

#[test]
fn a_lost_private_half_is_told_and_never_made_anew_by_itself() {
    let Fixture { home: _home, vault, escrow } = fixture();
    vault.remove(&Item::EscrowPrivate).unwrap();
    assert!(matches!(escrow.prove(), Err(EscrowError::KeyPair(_))));
    assert!(vault.items().unwrap().is_empty());
}

#[test]
fn a_crash_between_the_two_halves_is_healed() {
    let home = tempfile::tempdir().unwrap();
    let vault = Arc::new(MemoryVault::new());
    pair::make_private(&*vault).unwrap();
    let escrow = FileEscrow::new(home.path(), vault);
    escrow.prove().unwrap();
    let sealed = escrow.seal_bytes(&SecretBytes::new(b"undo".to_vec())).unwrap();
    assert_eq!(escrow.open_bytes(&sealed).unwrap().expose(), b"undo");
    assert!(matches!(escrow.open_bytes(&sealed[..sealed.len() - 1]), Err(EscrowError::KeyPair(_))));
}

#[test]
fn of_two_first_uses_at_once_both_end_with_one_pair() {
    let home = tempfile::tempdir().unwrap();
    let vault = Arc::new(MemoryVault::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let escrow = FileEscrow::new(home.path(), vault.clone());
            scope.spawn(move || escrow.prove().unwrap());
        }
    });
    assert_eq!(vault.items().unwrap(), [Item::EscrowPrivate]);
    FileEscrow::new(home.path(), vault).prove().unwrap();
}

#[test]
fn a_locked_vault_at_first_use_leaves_nothing_behind() {
    let home = tempfile::tempdir().unwrap();
    let vault = Arc::new(MemoryVault::new());
    vault.lock();
    let escrow = FileEscrow::new(home.path(), vault);
    assert!(matches!(escrow.prove(), Err(EscrowError::Vault(VaultError::Locked { .. }))));
    assert!(!escrow.folder.join("public.key").exists());
}

#[test]
fn strays_in_the_folder_are_no_slots() {
    let Fixture { home: _home, escrow, .. } = fixture();
    for stray in ["x.slot", "-1.slot", "00000000-0000-0000-0000-000000000001-x.slot", "notes.txt"] {
        fs::write(escrow.folder.join(stray), b"").unwrap();
    }
    escrow.allocate(slot(2)).unwrap();
    escrow.allocate(slot(1)).unwrap();
    assert_eq!(escrow.slots().unwrap(), [slot(1), slot(2)]);
}
