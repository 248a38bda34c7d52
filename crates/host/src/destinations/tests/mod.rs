//! Destinations on a real file system: hostile files, other editors, sudden ends.

mod command;
mod dotenv;
mod files;
mod stops;
mod text;

use super::swap::{Rehearsal, Step};
use super::undo::UndoFolder;
use super::*;
use chrono::DateTime;
use crypto_box::SecretKey;
use crypto_box::aead::OsRng;
use keytender_core::ids::KeyId;
use keytender_core::ports::{EscrowError, Sealed, SlotId, SlotState};
use keytender_core::words::DestinationState;
use std::fs;
use tempfile::TempDir;
use uuid::Uuid;

/// Seals and opens bytes with a key of its own; there are no slots.
struct SealOnly(SecretKey);

impl Escrow for SealOnly {
    fn prove(&self) -> Result<(), EscrowError> {
        Err(EscrowError::Io("no slots".into()))
    }
    fn allocate(&self, slot: SlotId) -> Result<(), EscrowError> {
        Err(EscrowError::Nothing(slot))
    }
    fn seal(&self, slot: SlotId, _: &Sealed) -> Result<(), EscrowError> {
        Err(EscrowError::Nothing(slot))
    }
    fn inspect(&self, _: SlotId) -> Result<SlotState, EscrowError> {
        Ok(SlotState::Missing)
    }
    fn open(&self, slot: SlotId) -> Result<Sealed, EscrowError> {
        Err(EscrowError::Nothing(slot))
    }
    fn wipe(&self, _: SlotId) -> Result<(), EscrowError> {
        Ok(())
    }
    fn slots(&self) -> Result<Vec<SlotId>, EscrowError> {
        Ok(Vec::new())
    }
    fn seal_bytes(&self, plain: &SecretBytes) -> Result<Vec<u8>, EscrowError> {
        self.0.public_key().seal(&mut OsRng, plain.expose()).map_err(|_| EscrowError::Io("not sealed".into()))
    }
    fn open_bytes(&self, sealed: &[u8]) -> Result<SecretBytes, EscrowError> {
        self.0.unseal(sealed).map(SecretBytes::new).map_err(|_| EscrowError::Io("not opened".into()))
    }
}

/// A folder with the files of a test, an undo folder, and an old and a new value.
struct Bench {
    home: TempDir,
    escrow: Arc<SealOnly>,
    old: String,
    new: String,
}

impl Bench {
    fn new() -> Self {
        let home = TempDir::new().unwrap();
        fs::create_dir(home.path().join("app")).unwrap();
        Self { home, escrow: Arc::new(SealOnly(SecretKey::generate(&mut OsRng))), old: make_token("old"), new: make_token("new") }
    }

    fn folder(&self) -> PathBuf {
        self.home.path().join("app")
    }

    fn undo_folder(&self) -> PathBuf {
        self.home.path().join("undo")
    }

    /// Writes a file; OLD and NEW in it stand for the values.
    fn put(&self, name: &str, content: &str) -> PathBuf {
        let path = self.folder().join(name);
        fs::write(&path, self.fill(content)).unwrap();
        path
    }

    fn fill(&self, content: &str) -> String {
        content.replace("OLD", &self.old).replace("NEW", &self.new)
    }

    /// A file's content, with OLD and NEW for the values.
    fn read(&self, path: &Path) -> String {
        String::from_utf8(fs::read(path).unwrap()).unwrap().replace(&self.old, "OLD").replace(&self.new, "NEW")
    }

    fn destinations(&self) -> LocalDestinations {
        LocalDestinations::new(self.undo_folder(), self.escrow.clone())
    }

    fn rehearsed(&self, exchange: bool, at: impl Fn(Step) + Send + Sync + 'static) -> LocalDestinations {
        let undo = UndoFolder::new(self.undo_folder(), self.escrow.clone());
        LocalDestinations { undo, rehearsal: Rehearsal { at: Box::new(at), exchange } }
    }

    fn write(&self, destination: &Destination) -> Result<Written, DestinationError> {
        self.write_with(&self.destinations(), destination)
    }

    /// Writes NEW over OLD; whatever is said about it holds neither.
    fn write_with(&self, all: &LocalDestinations, destination: &Destination) -> Result<Written, DestinationError> {
        let result = all.write(destination, Some(&value(&self.old)), &value(&self.new));
        let said = format!("{result:?}");
        assert!(!said.contains(&self.old) && !said.contains(&self.new), "a value in {said}");
        result
    }

    /// What lies in the app's folder, besides what the test put there.
    fn leftovers(&self) -> Vec<String> {
        let names = fs::read_dir(self.folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with(".kt-")).collect()
    }

    fn undo_files(&self) -> usize {
        fs::read_dir(self.undo_folder()).map_or(0, Iterator::count)
    }
}

/// A value that looks like a token, different at every call.
fn make_token(prefix: &str) -> String {
    format!("{prefix}_{}", Uuid::new_v4().simple())
}

fn value(text: &str) -> Value {
    Value::new(vec![("token".into(), SecretText::new(text.to_owned()))])
}

fn destination(place: DestinationWhere) -> Destination {
    Destination {
        id: DestinationId(Uuid::new_v4()),
        key: KeyId(Uuid::new_v4()),
        place,
        state: DestinationState::Unknown,
        created_at: DateTime::UNIX_EPOCH,
    }
}

fn variable(path: &Path, name: &str) -> Destination {
    variables(path, &[(name, None)])
}

fn variables(path: &Path, places: &[(&str, Option<&str>)]) -> Destination {
    let place = |(variable, field): &(&str, Option<&str>)| DotenvPlace {
        variable: (*variable).to_owned(),
        field: field.map(str::to_owned),
    };
    destination(DestinationWhere::Dotenv {
        path: path.to_owned(),
        places: places.iter().map(place).collect(),
        placement: Placement::default(),
    })
}

fn agree(destination: &mut Destination, to: Placement) {
    match &mut destination.place {
        DestinationWhere::Dotenv { placement, .. } | DestinationWhere::Text { placement, .. } => *placement = to,
        DestinationWhere::Command { .. } | DestinationWhere::Person { .. } => panic!("not a file"),
    }
}

#[test]
fn a_person_is_asked_and_nothing_is_written() {
    let bench = Bench::new();
    let person = destination(DestinationWhere::Person { line: "paste it into the dashboard".into() });
    assert_eq!(bench.destinations().writable(&person), Ok(Vec::new()));
    assert_eq!(bench.destinations().holding(&person, &value(&bench.old)), Ok(Holding::Unreadable));
    let refused = bench.write(&person).unwrap_err();
    assert_eq!(refused, DestinationError::Unwritable("a person does this: paste it into the dashboard".into()));
}

#[test]
fn a_value_of_several_fields_wants_a_name() {
    let pair = || Value::new(vec![("id".into(), SecretText::new("a".into())), ("secret".into(), SecretText::new("b".into()))]);
    assert_eq!(only_field(Some("secret"), &pair()).unwrap().expose(), "b");
    assert!(matches!(only_field(None, &pair()), Err(DestinationError::Unparsable(why)) if why.contains("id, secret")));
    assert!(matches!(only_field(Some("user"), &pair()), Err(DestinationError::Unparsable(_))));
    assert!(matches!(only_field(None, &value("")), Err(DestinationError::Unparsable(_))));
}
