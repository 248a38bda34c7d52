//! Identifiers. Each is a UUIDv7 in a type of its own, so that a key's id is never taken for a version's.
//!
//! They are made by the host (time and randomness live there). In the keychain none of them appears as it is: a UUIDv7
//! carries its date, so items are named by [`derive_item_name`].

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use uuid::Uuid;

macro_rules! identifiers {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )+};
}

identifiers! {
    /// This installation of Keytender: random, in the attributes of every keychain item it owns.
    InstallationId,
    /// An integration.
    IntegrationId,
    /// A key.
    KeyId,
    /// One version of a key.
    VersionId,
    /// A destination.
    DestinationId,
    /// A rotation.
    RotationId,
}

/// The name under which a version's value lies in the vault: 32 hex digits that tell nothing about service, key or date.
#[must_use]
pub fn derive_item_name(installation: InstallationId, version: VersionId) -> String {
    let mut digest = Sha256::new();
    digest.update(b"keytender item\0");
    digest.update(installation.0.as_bytes());
    digest.update(version.0.as_bytes());
    hex::encode(&digest.finalize()[..16])
}

/// The marker that a key made by a rotation bears in its name at the service: `kt-` and twelve hex digits of the
/// rotation's id (its random end), so that an orphan can be told from keys that others made.
#[must_use]
pub fn derive_marker(rotation: RotationId) -> String {
    let hex = rotation.0.simple().to_string();
    format!("kt-{}", &hex[20..])
}

/// The id of the version that an attempt of a rotation makes. Known before it is made, so that storing it twice is storing
/// it once: a UUIDv8 (RFC 9562, own layout) from the rotation's id and the attempt.
#[must_use]
pub fn derive_version_id(rotation: RotationId, attempt: u32) -> VersionId {
    let mut digest = Sha256::new();
    digest.update(b"keytender version\0");
    digest.update(rotation.0.as_bytes());
    digest.update(attempt.to_be_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest.finalize()[..16]);
    VersionId(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn item_names_are_stable_and_opaque() {
        let installation = InstallationId(Uuid::from_u128(1));
        let version = VersionId(Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0001));
        let name = derive_item_name(installation, version);
        assert_eq!(name, derive_item_name(installation, version));
        assert_eq!(name.len(), 32);
        assert!(!name.contains("0199"), "the date in the id must not show: {name}");
        assert_ne!(name, derive_item_name(InstallationId(Uuid::from_u128(2)), version));
    }

    #[test]
    fn every_attempt_makes_another_version() {
        let rotation = RotationId(Uuid::from_u128(7));
        assert_eq!(derive_version_id(rotation, 1), derive_version_id(rotation, 1));
        assert_ne!(derive_version_id(rotation, 1), derive_version_id(rotation, 2));
        assert_eq!(derive_version_id(rotation, 1).0.get_version_num(), 8);
    }

    #[test]
    fn markers_come_from_the_random_end_of_the_id() {
        let id = RotationId(Uuid::from_u128(0x0199_0000_0000_7000_8000_abcd_ef01_2345));
        assert_eq!(derive_marker(id), "kt-abcdef012345");
    }
}
