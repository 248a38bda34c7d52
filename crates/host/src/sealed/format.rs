//! The sealed vault's file: lines of text, so that one damaged place spoils one record.
//!
//! ```text
//! keytender-sealed 1 argon2id <KiB> <passes> <lanes> <salt> <data key, sealed> <checksum of this line>
//! <item name> <nonce and sealed bytes>
//! ...
//! end <number of records>
//! ```
//! Binary parts are base64. The checksum tells a damaged header from a wrong passphrase, which otherwise look alike. Names
//! are bound to their records: a record under another's name does not open. What may not live here: reading and writing
//! files, and keeping keys.

use super::crypt::{Cost, Key, random};
use super::error::SealedError;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use keytender_core::secret::{SecretBytes, SecretText};
use sha2::{Digest, Sha256};

const MAGIC: &str = "keytender-sealed";
/// The format that this code writes, and the newest that it reads.
const FORMAT: u32 = 1;

/// The file's content, sealed as it lies there.
pub(super) struct Content {
    /// The first line, without its end.
    pub(super) header: Vec<u8>,
    records: Vec<Vec<u8>>,
    /// Whether the last line is there and counts right.
    whole: bool,
}

impl Content {
    /// The content of a new vault.
    pub(super) fn of_new(passphrase: &SecretText, cost: Cost) -> Result<(Self, Key), SealedError> {
        let key = Key::make()?;
        let salt = random::<16>()?;
        let Cost { memory_kib, passes, lanes } = cost;
        let about = format!("{MAGIC} {FORMAT} argon2id {memory_kib} {passes} {lanes} {}", BASE64.encode(salt));
        let wrapped = Key::derive(passphrase, &salt, cost)?.wrap(&key, about.as_bytes())?;
        let line = format!("{about} {}", BASE64.encode(wrapped));
        let header = format!("{line} {}", checksum(&line)).into_bytes();
        Ok((Self { header, records: Vec::new(), whole: true }, key))
    }

    /// The content in these bytes. Nothing is opened yet.
    pub(super) fn parse(bytes: &[u8]) -> Self {
        let mut lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
        // The last line ends like every other, so nothing follows it.
        let ended = lines.last().is_some_and(|rest| rest.is_empty());
        if ended {
            lines.pop();
        }
        let header = if lines.is_empty() { Vec::new() } else { lines.remove(0).to_vec() };
        let count: Option<usize> =
            lines.last().and_then(|last| std::str::from_utf8(last).ok()?.strip_prefix("end ")?.parse().ok());
        let whole = ended && count.is_some() && count == lines.len().checked_sub(1);
        if count.is_some() {
            lines.pop();
        }
        Self { header, records: lines.into_iter().map(<[u8]>::to_vec).collect(), whole }
    }

    /// The bytes to write. Damaged records are kept as they are.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let end = format!("end {}", self.records.len()).into_bytes();
        let lines = std::iter::once(&self.header).chain(&self.records).chain(std::iter::once(&end));
        lines.flat_map(|line| line.iter().copied().chain(std::iter::once(b'\n'))).collect()
    }

    /// Opens the data key.
    pub(super) fn unlock(&self, passphrase: &SecretText) -> Result<Key, SealedError> {
        let damaged = |what| SealedError::DamagedHeader { what };
        let text = std::str::from_utf8(&self.header).map_err(|_| damaged("it is no text"))?;
        let (line, sum) = text.rsplit_once(' ').ok_or(damaged("it is cut short"))?;
        if checksum(line) != sum {
            return Err(damaged("its checksum does not match"));
        }
        let (about, wrapped) = line.rsplit_once(' ').ok_or(damaged("it is cut short"))?;
        let mut words = about.split(' ');
        let mut word = || words.next().unwrap_or_default();
        let format = (word() == MAGIC).then(&mut word).and_then(|number| number.parse().ok());
        match format {
            None => return Err(damaged("it is no sealed vault's")),
            Some(found) if found > FORMAT => return Err(SealedError::Newer { found }),
            Some(_) => {}
        }
        let number = |word: &str| word.parse().map_err(|_| damaged("its costs are no numbers"));
        if word() != "argon2id" {
            return Err(damaged("its way from passphrase to key is unknown"));
        }
        let cost = Cost { memory_kib: number(word())?, passes: number(word())?, lanes: number(word())? };
        if !cost.is_bearable() {
            return Err(damaged("its costs are out of bounds"));
        }
        let salt = BASE64.decode(word()).map_err(|_| damaged("its salt is unreadable"))?;
        let wrapped = BASE64.decode(wrapped).map_err(|_| damaged("its data key is unreadable"))?;
        Key::derive(passphrase, &salt, cost)?.unwrap_key(&wrapped, about.as_bytes()).ok_or(SealedError::WrongPassphrase)
    }

    /// An error if records may be missing.
    pub(super) fn require_whole(&self) -> Result<(), SealedError> {
        if self.whole { Ok(()) } else { Err(SealedError::CutShort { found: self.records.len() }) }
    }

    /// The record of this name; an error where it may be one of the damaged or missing ones.
    pub(super) fn open(&self, name: &str, key: &Key) -> Result<SecretBytes, SealedError> {
        match self.position(name) {
            Some(at) => {
                open_record(&self.records[at], key).map(|(_, bytes)| bytes).ok_or(SealedError::DamagedRecords { count: 1 })
            }
            None => {
                self.require_whole()?;
                // A name that was damaged is found nowhere, which must not read as "there is no such value".
                match self.names(key).1 {
                    0 => Err(SealedError::NoItem),
                    count => Err(SealedError::DamagedRecords { count }),
                }
            }
        }
    }

    /// The names of all records that open, and how many do not.
    pub(super) fn names(&self, key: &Key) -> (Vec<String>, usize) {
        let names: Vec<String> =
            self.records.iter().filter_map(|record| open_record(record, key)).map(|(name, _)| name).collect();
        let damaged = self.records.len() - names.len();
        (names, damaged)
    }

    /// Whether a record bears this name, damaged or not.
    pub(super) fn holds(&self, name: &str) -> bool {
        self.position(name).is_some()
    }

    /// Adds a record. The caller has seen that no record bears this name.
    pub(super) fn add(&mut self, name: &str, bytes: &SecretBytes, key: &Key) -> Result<(), SealedError> {
        let sealed = key.seal(bytes, name.as_bytes())?;
        self.records.push(format!("{name} {}", BASE64.encode(sealed)).into_bytes());
        Ok(())
    }

    /// Takes a record out; whether there was one.
    pub(super) fn take_out(&mut self, name: &str) -> bool {
        let at = self.position(name);
        if let Some(at) = at {
            self.records.remove(at);
        }
        at.is_some()
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.records.iter().position(|record| split(record).is_some_and(|(bears, _)| bears == name.as_bytes()))
    }
}

/// A record's name and its sealed part.
fn split(record: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = record.iter().position(|byte| *byte == b' ')?;
    Some((&record[..space], &record[space + 1..]))
}

fn open_record(record: &[u8], key: &Key) -> Option<(String, SecretBytes)> {
    let (name, sealed) = split(record)?;
    let bytes = key.open(&BASE64.decode(sealed).ok()?, name)?;
    Some((String::from_utf8(name.to_vec()).ok()?, bytes))
}

/// Eight bytes are plenty against accidents; against forgery stands the sealing itself.
fn checksum(line: &str) -> String {
    hex::encode(&Sha256::digest(line.as_bytes())[..8])
}
