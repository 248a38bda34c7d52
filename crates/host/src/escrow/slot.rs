//! One slot: a file of fixed size that is allocated before it is needed and written once.
//!
//! ```text
//! 0   8 bytes    magic; all zeros while nothing was sealed
//! 8   8 bytes    length of the ciphertext, little-endian
//! 16  32 bytes   SHA-256 of the ciphertext
//! 48  length     the ciphertext: a sealed box around the record
//!     the rest   zeros
//! ```
//! The digest tells a whole record from a torn one without any key: after a power cut, pages of one write can have reached
//! the disk in any order. What a record means is not known here.

use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Changes with every layout that older binaries could not read.
const MAGIC: [u8; 8] = *b"KTSLOT\0\x01";
/// Magic, length, digest.
const HEAD_BYTES: usize = 8 + 8 + 32;
/// What a sealed box adds to its content: the ephemeral public key and the tag.
const SEAL_BYTES: usize = 32 + 16;
/// The size of every slot file.
pub(super) const SLOT_BYTES: usize = HEAD_BYTES + SEAL_BYTES + super::record::RECORD_BYTES_MAX;

/// What a slot file holds.
pub(super) enum Content {
    /// Nothing was written.
    Empty,
    /// Something that is no whole record.
    Torn,
    /// A whole record: its ciphertext.
    Whole(Vec<u8>),
}

/// Creates the file, or opens the one that is there, and gives it its room on the disk.
///
/// # Errors
/// Of the kind `StorageFull` (or `QuotaExceeded`, `FileTooLarge`) where there is no room.
pub(super) fn allocate(path: &Path) -> io::Result<File> {
    let file = open_with(path, OpenOptions::new().create(true))?;
    reserve(&file)?;
    file.sync_all()?;
    Ok(file)
}

/// Opens the file for reading and writing. A symlink, a folder, a pipe or a device in its place is refused.
///
/// # Errors
/// Of the kind `NotFound` where there is no such slot.
pub(super) fn open(path: &Path) -> io::Result<File> {
    open_with(path, &mut OpenOptions::new())
}

fn open_with(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    options.read(true).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600).custom_flags((rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK).bits() as i32);
    }
    let file = options.open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("not a regular file")) }
}

/// Reserves the slot's whole size on the disk, so that a write and `fdatasync` within it succeed when not one byte is free.
fn reserve(file: &File) -> io::Result<()> {
    #[cfg(unix)]
    match rustix::fs::fallocate(file, rustix::fs::FallocateFlags::empty(), 0, SLOT_BYTES as u64) {
        // Some file systems (ZFS, some network ones) cannot reserve: there, zeros are the nearest thing.
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => {}
        other => return other.map_err(Into::into),
    }
    let mut file = file;
    let length = file.metadata()?.len().min(SLOT_BYTES as u64);
    file.seek(SeekFrom::Start(length))?;
    file.write_all(&vec![0; SLOT_BYTES - length as usize])
}

/// Reads what the file holds.
///
/// # Errors
/// Those of reading a file.
pub(super) fn read(file: &File) -> io::Result<Content> {
    let mut file = file;
    let mut bytes = Vec::with_capacity(SLOT_BYTES);
    file.seek(SeekFrom::Start(0))?;
    // One byte over the size is enough to know that a longer file is none of ours.
    file.take(SLOT_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.iter().all(|byte| *byte == 0) {
        return Ok(Content::Empty);
    }
    Ok(whole(&bytes).map_or(Content::Torn, |ciphertext| Content::Whole(ciphertext.to_vec())))
}

/// The ciphertext of a slot's bytes, if they hold a whole record.
fn whole(bytes: &[u8]) -> Option<&[u8]> {
    let (magic, rest) = bytes.split_first_chunk::<8>()?;
    let (length, rest) = rest.split_first_chunk::<8>()?;
    let (digest, rest) = rest.split_first_chunk::<32>()?;
    let ciphertext = rest.get(..usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    (*magic == MAGIC && Sha256::digest(ciphertext)[..] == digest[..]).then_some(ciphertext)
}

/// Writes a record into an empty slot and forces it to the disk.
///
/// # Errors
/// Those of writing a file; `FileTooLarge` when the ciphertext is longer than the slot.
pub(super) fn write(file: &File, ciphertext: &[u8]) -> io::Result<()> {
    if HEAD_BYTES + ciphertext.len() > SLOT_BYTES {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let mut bytes = Vec::with_capacity(HEAD_BYTES + ciphertext.len());
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&(ciphertext.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&Sha256::digest(ciphertext));
    bytes.extend_from_slice(ciphertext);
    let mut file = file;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&bytes)?;
    file.sync_data()
}

/// Overwrites the file with zeros and forces them to the disk.
///
/// # Errors
/// Those of writing a file.
pub(super) fn blank(file: &File) -> io::Result<()> {
    let mut file = file;
    // No longer than the file is: a slot that was never allocated to its end must not need room to be wiped.
    let length = file.metadata()?.len().min(SLOT_BYTES as u64);
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&vec![0; length as usize])?;
    file.sync_data()
}
