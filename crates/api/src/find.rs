//! Finding what a person named: `integration/key` by slug, or the beginning of an id.

use crate::Api;
use crate::error::{Error, ErrorKind};
use keytender_core::ids::{DestinationId, RotationId};
use keytender_core::words::{Destination, Integration, Key, RotationRow};
use uuid::Uuid;

/// The beginning of an id has at least this many hex digits, so that a short name is never taken for one.
const PREFIX_MIN: usize = 6;

impl Api {
    pub(crate) fn find_integration(&self, address: &str) -> Result<Integration, Error> {
        let all = self.parts.ledger.integrations()?;
        let slug = slug_of(address);
        let by_name: Vec<&Integration> = all.iter().filter(|integration| integration.name.slug() == slug).collect();
        if let [one] = by_name[..] {
            return Ok(one.clone());
        }
        let matches = all.into_iter().filter(|integration| starts(integration.id.0, address)).map(|it| (it.name.to_string(), it));
        one_of("integration", address, "keytender integration list", matches.collect())
    }

    pub(crate) fn find_key(&self, address: &str) -> Result<(Integration, Key), Error> {
        let integrations = self.parts.ledger.integrations()?;
        let keys = self.parts.ledger.keys()?;
        let mut pairs: Vec<(Integration, Key)> = Vec::new();
        for key in keys {
            if let Some(integration) = integrations.iter().find(|integration| integration.id == key.integration) {
                pairs.push((integration.clone(), key));
            }
        }
        let named: Vec<(String, (Integration, Key))> = pairs
            .iter()
            .filter(|(integration, key)| match address.split_once('/') {
                Some((left, right)) => integration.name.slug() == slug_of(left) && key.name.slug() == slug_of(right),
                None => key.name.slug() == slug_of(address),
            })
            .map(|pair| (format!("{}/{}", pair.0.name.slug(), pair.1.name.slug()), pair.clone()))
            .collect();
        if !named.is_empty() {
            return one_of("key", address, "keytender key list", named);
        }
        let by_id = pairs
            .into_iter()
            .filter(|(_, key)| starts(key.id.0, address))
            .map(|pair| (format!("{}/{}", pair.0.name.slug(), pair.1.name.slug()), pair));
        one_of("key", address, "keytender key list", by_id.collect())
    }

    pub(crate) fn find_rotation(&self, address: &str) -> Result<RotationRow, Error> {
        let all = self.parts.ledger.rotations(false)?;
        // A rotation may also be addressed by its key, as long as only one of the key's is open.
        let by_id: Vec<_> =
            all.iter().filter(|row| starts(row.id.0, address)).map(|row| (row.id.to_string(), row.clone())).collect();
        if !by_id.is_empty() {
            return one_of("rotation", address, "keytender rotations list", by_id);
        }
        let key = self.find_key(address).ok().map(|(_, key)| key.id);
        let of_key =
            all.into_iter().filter(|row| Some(row.key) == key && row.status.is_open()).map(|row| (row.id.to_string(), row));
        one_of("rotation", address, "keytender rotations list", of_key.collect())
    }

    pub(crate) fn find_destination(&self, address: &str) -> Result<Destination, Error> {
        let all = self.parts.ledger.all_destinations()?;
        let matches = all.into_iter().filter(|destination| starts(destination.id.0, address));
        one_of("destination", address, "keytender destination list KEY", matches.map(|it| (it.id.to_string(), it)).collect())
    }

    pub(crate) fn rotation_named(&self, address: &str) -> Result<RotationId, Error> {
        self.find_rotation(address).map(|row| row.id)
    }
}

/// Picks a destination of a rotation by the beginning of its id.
pub(crate) fn destination_among(ids: &[DestinationId], address: &str) -> Result<DestinationId, Error> {
    let matches: Vec<(String, DestinationId)> =
        ids.iter().filter(|id| starts(id.0, address)).map(|id| (id.to_string(), *id)).collect();
    one_of("destination of this rotation", address, "keytender rotations show ID", matches)
}

fn slug_of(text: &str) -> String {
    text.parse::<keytender_core::words::Name>().map(|name| name.slug()).unwrap_or_default()
}

/// UUIDv7s made in the same minutes begin alike, so the end of an id addresses it as well as its beginning.
fn starts(id: Uuid, address: &str) -> bool {
    let digits: String = address.chars().filter(|c| *c != '-').flat_map(char::to_lowercase).collect();
    let id = id.simple().to_string();
    digits.len() >= PREFIX_MIN && (id.starts_with(&digits) || id.ends_with(&digits))
}

fn one_of<T>(what: &str, address: &str, list: &str, mut matches: Vec<(String, T)>) -> Result<T, Error> {
    match matches.len() {
        0 => Err(Error::new(ErrorKind::NotFound, format!("no {what} `{address}`")).help(format!("`{list}` shows what there is"))),
        1 => Ok(matches.remove(0).1),
        _ => {
            let names: Vec<String> = matches.into_iter().map(|(name, _)| name).collect();
            Err(Error::invalid(format!("`{address}` could be any of: {}", names.join(", "))).help("name it in full"))
        }
    }
}
