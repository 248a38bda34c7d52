//! Destinations: added, listed, checked, removed.

use crate::Api;
use crate::error::Error;
use crate::rotations::in_words;
use keytender_core::ids::DestinationId;
use keytender_core::ports::{Change, Holding, Written};
use keytender_core::words::{Activity, ActivityKind, Destination, DestinationState, DestinationWhere, Key};
use serde::Serialize;

/// What a new destination is made of.
pub struct DestinationAdd {
    /// The key that is used there.
    pub key: String,
    /// Where it is; paths are absolute.
    pub place: DestinationWhere,
    /// Write the current value there now; otherwise it is expected to stand there already.
    pub write: bool,
}

/// A destination.
#[derive(Debug, Clone, Serialize)]
pub struct DestinationView {
    /// Its id.
    pub id: String,
    /// `integration/key`.
    pub key: String,
    /// dotenv, text, command, person.
    pub kind: &'static str,
    /// One line.
    pub place: String,
    /// The same, in full.
    #[serde(rename = "where")]
    pub detail: DestinationWhere,
    /// What is known of it.
    pub state: DestinationState,
}

/// What looking at a destination gave.
#[derive(Debug, Clone, Serialize)]
pub struct DestinationCheckView {
    /// The destination, with what is known now.
    pub destination: DestinationView,
    /// It holds the current value, as far as can be told.
    pub up_to_date: Option<bool>,
    /// What was seen, and what a person ought to know.
    pub remarks: Vec<String>,
}

impl Api {
    /// Adds a destination to a key, and looks whether it holds the current value.
    ///
    /// # Errors
    /// When it cannot be written as it is, or the vault is not there.
    pub fn destination_add(&self, request: DestinationAdd) -> Result<DestinationCheckView, Error> {
        let (_, key) = self.find_key(&request.key)?;
        if let Some(row) = self.parts.ledger.rotations(true)?.into_iter().find(|row| row.key == key.id) {
            return Err(Error::refused("a rotation of this key is unfinished and would not know of it").help(format!(
                "`keytender rotations resume {0}` finishes it, `keytender rotations abort {0}` goes back",
                row.id
            )));
        }
        let fields = self.field_names(&key)?;
        check_fields(&request.place, &fields)?;
        let at = self.parts.clock.now();
        let destination = Destination {
            id: DestinationId(self.parts.ids.make_id()),
            key: key.id,
            place: request.place,
            state: DestinationState::Unknown,
            created_at: at,
        };
        if self.parts.ledger.destinations(key.id)?.iter().any(|other| other.place == destination.place) {
            return Err(Error::invalid(format!("{} is a destination of this key already", destination.place.describe())));
        }
        if destination.place.kind() != "person" {
            self.parts.destinations.writable(&destination)?;
        }
        let line = Activity {
            at,
            kind: ActivityKind::Added,
            key: Some(key.id),
            rotation: None,
            text: format!("destination {} added", destination.place.describe()),
        };
        self.parts.ledger.apply(&[Change::AddDestination(destination.clone()), Change::Log(line)])?;
        if request.write {
            self.write_now(&key, &destination)?;
        }
        self.check_one(&key, &destination)
    }

    fn field_names(&self, key: &Key) -> Result<Vec<String>, Error> {
        let integration = self.integration_of(key)?;
        let service = self.service(&integration.service)?;
        let kind = service.kind(&key.kind).ok_or_else(|| Error::invalid(format!("no kind `{}`", key.kind)))?;
        Ok(kind.fields.iter().map(|field| field.name.clone()).collect())
    }

    fn write_now(&self, key: &Key, destination: &Destination) -> Result<(), Error> {
        let Some(version) = key.current else { return Err(Error::invalid("this key has no current version to write")) };
        let value = self.fetch_value(version)?;
        let at = self.parts.clock.now();
        let state = match self.parts.destinations.write(destination, None, &value)? {
            Written::Confirmed(_) => DestinationState::Confirmed { version, at },
            Written::Pushed(_) => DestinationState::Pushed { version, at },
        };
        self.parts.destinations.forget_undo(destination.id)?;
        self.parts.ledger.apply(&[Change::SetDestination { destination: destination.id, state }])?;
        Ok(())
    }

    /// Destinations; of one key if named.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn destinations(&self, key: Option<&str>) -> Result<Vec<DestinationView>, Error> {
        let names = self.key_names()?;
        let list = match key {
            Some(address) => self.parts.ledger.destinations(self.find_key(address)?.1.id)?,
            None => self.parts.ledger.all_destinations()?,
        };
        Ok(list.into_iter().map(|it| view(names.get(&it.key).cloned().unwrap_or_default(), it)).collect())
    }

    /// Looks at every destination of a key.
    ///
    /// # Errors
    /// When the vault is not there.
    pub fn destinations_check(&self, key: &str) -> Result<Vec<DestinationCheckView>, Error> {
        let (_, key) = self.find_key(key)?;
        let list = self.parts.ledger.destinations(key.id)?;
        list.iter().map(|destination| self.check_one(&key, destination)).collect()
    }

    fn check_one(&self, key: &Key, destination: &Destination) -> Result<DestinationCheckView, Error> {
        let at = self.parts.clock.now();
        let mut remarks = Vec::new();
        let mut state = destination.state.clone();
        let mut up_to_date = None;
        match self.parts.destinations.writable(destination) {
            Ok(warnings) => remarks.extend(warnings.iter().map(in_words)),
            Err(error) if destination.place.kind() != "person" => remarks.push(error.to_string()),
            Err(_) => {}
        }
        if let Some(version) = key.current {
            let value = self.fetch_value(version)?;
            match self.parts.destinations.holding(destination, &value) {
                Ok(Holding::Expected) => {
                    up_to_date = Some(true);
                    state = DestinationState::Confirmed { version, at };
                }
                Ok(Holding::Other(seen)) => {
                    up_to_date = Some(false);
                    remarks.push(seen.clone());
                    state = DestinationState::OutOfDate { seen, at };
                }
                Ok(Holding::Unreadable) => {}
                Err(error) => remarks.push(error.to_string()),
            }
        }
        self.parts.ledger.apply(&[Change::SetDestination { destination: destination.id, state: state.clone() }])?;
        let shown = Destination { state, ..destination.clone() };
        Ok(DestinationCheckView { destination: view(self.key_address(key.id)?, shown), up_to_date, remarks })
    }

    /// Removes a destination; the place itself is left as it is.
    ///
    /// # Errors
    /// When a rotation of its key is open, or there is no such destination.
    pub fn destination_remove(&self, address: &str) -> Result<(), Error> {
        let destination = self.find_destination(address)?;
        if let Some(row) = self.parts.ledger.rotations(true)?.into_iter().find(|row| row.key == destination.key) {
            return Err(Error::refused("a rotation of its key is unfinished and counts on it")
                .help(format!("`keytender rotations answer {} --done waive:{address}` leaves it out of that rotation", row.id)));
        }
        let at = self.parts.clock.now();
        let text = format!("destination {} removed", destination.place.describe());
        let line = Activity { at, kind: ActivityKind::Removed, key: Some(destination.key), rotation: None, text };
        self.parts.destinations.forget_undo(destination.id)?;
        self.parts.ledger.apply(&[Change::RemoveDestination(destination.id), Change::Log(line)])?;
        Ok(())
    }
}

fn view(key: String, destination: Destination) -> DestinationView {
    DestinationView {
        id: destination.id.to_string(),
        key,
        kind: destination.place.kind(),
        place: destination.place.describe(),
        detail: destination.place,
        state: destination.state,
    }
}

/// A value of several fields needs to be told which of them goes where; a command and a person get all of them.
fn check_fields(place: &DestinationWhere, fields: &[String]) -> Result<(), Error> {
    let named: Vec<&Option<String>> = match place {
        DestinationWhere::Dotenv { places, .. } => places.iter().map(|place| &place.field).collect(),
        DestinationWhere::Text { field, .. } => vec![field],
        DestinationWhere::Command { field: field @ Some(_), .. } => vec![field],
        DestinationWhere::Command { field: None, .. } | DestinationWhere::Person { .. } => Vec::new(),
    };
    for field in named {
        match field {
            Some(name) if !fields.contains(name) => {
                return Err(Error::invalid(format!("this kind of key has no field `{name}`; it has {}", fields.join(", "))));
            }
            None if fields.len() > 1 => {
                return Err(Error::invalid(format!(
                    "this kind of key has several fields; say which one goes there: {}",
                    fields.join(", ")
                )));
            }
            Some(_) | None => {}
        }
    }
    Ok(())
}
