//! What the layers under the Linux keychain answer, told apart by their types: `keyring-core`'s error holds
//! `secret-service`'s, which holds `zbus`'s, which holds the D-Bus error's name. Message texts are never looked at, and never
//! passed on: some of these errors carry the value they failed on.

use super::trouble::Trouble;
use std::error::Error;

/// What an error of the keyring store means.
pub(super) fn classify_keyring(error: &keyring_core::Error) -> Trouble {
    use keyring_core::Error as Keyring;
    match error {
        Keyring::NoEntry => Trouble::NoItem,
        Keyring::PlatformFailure(cause) | Keyring::NoStorageAccess(cause) => {
            let mut cause: Option<&(dyn Error + 'static)> = Some(cause.as_ref());
            while let Some(error) = cause {
                if let Some(error) = error.downcast_ref::<secret_service::Error>() {
                    return classify(error);
                }
                if let Some(error) = error.downcast_ref::<zbus::Error>() {
                    return classify_zbus(error);
                }
                cause = error.source();
            }
            failing("the keyring store failed")
        }
        Keyring::TooLong(_, limit) => Trouble::Failing(format!("the value is over the store's limit of {limit} bytes")),
        Keyring::Ambiguous(entries) => Trouble::Failing(format!("{} items bear the same name", entries.len())),
        // These two hold the item's bytes.
        Keyring::BadEncoding(_) | Keyring::BadDataFormat(..) => failing("the item cannot be decoded"),
        _ => failing("the keyring store refused the call"),
    }
}

/// What an error of the Secret Service client means.
pub(super) fn classify(error: &secret_service::Error) -> Trouble {
    use secret_service::Error as Service;
    match error {
        // Disconnected: the prompt was taken away, or its daemon died; either way nobody unlocked anything.
        Service::Locked | Service::Prompt | Service::PromptDisconnected => Trouble::Locked,
        Service::Unavailable => absent("there is no session bus at the address where one should be"),
        Service::NoResult => absent("there is no default collection"),
        Service::Zbus(error) => classify_zbus(error),
        Service::ZbusFdo(error) => classify_fdo(error),
        Service::Crypto(_) => failing("the session's encryption failed"),
        Service::Zvariant(_) => failing("a reply could not be read"),
        _ => failing("an unknown kind of failure"),
    }
}

/// What an error of the D-Bus connection means.
pub(super) fn classify_zbus(error: &zbus::Error) -> Trouble {
    use zbus::Error as Bus;
    match error {
        Bus::MethodError(name, _, _) => classify_name(name.as_str()),
        Bus::FDO(error) => classify_fdo(error),
        Bus::InputOutput(error) | Bus::Connection(error, _) => {
            stale(&format!("the session bus cannot be reached ({})", error.kind()))
        }
        Bus::Address(_) => absent("there is no session bus: its address is missing or unusable"),
        Bus::Handshake(_) => absent("the session bus refused the connection"),
        Bus::InterfaceNotFound => stale("what was addressed is gone"),
        _ => failing("an unreadable exchange on the session bus"),
    }
}

/// What a standard D-Bus error means.
fn classify_fdo(error: &zbus::fdo::Error) -> Trouble {
    match error {
        zbus::fdo::Error::ZBus(error) => classify_zbus(error),
        other => classify_name(zbus::DBusError::name(other).as_str()),
    }
}

/// What the name of a D-Bus error means. Names are the protocol's own error types (D-Bus specification, "standard errors";
/// Secret Service specification 0.2, "errors").
fn classify_name(name: &str) -> Trouble {
    match name {
        "org.freedesktop.Secret.Error.IsLocked" => Trouble::Locked,
        "org.freedesktop.DBus.Error.ServiceUnknown" | "org.freedesktop.DBus.Error.NameHasNoOwner" => {
            absent("no Secret Service runs on the session bus")
        }
        "org.freedesktop.Secret.Error.NoSession" => stale("the daemon has been restarted"),
        // What the bus answers in the place of a daemon that died over the call.
        "org.freedesktop.DBus.Error.NoReply" | "org.freedesktop.DBus.Error.Disconnected" => {
            stale("the daemon died over the call")
        }
        "org.freedesktop.Secret.Error.NoSuchObject"
        | "org.freedesktop.DBus.Error.UnknownObject"
        | "org.freedesktop.DBus.Error.UnknownInterface"
        | "org.freedesktop.DBus.Error.UnknownMethod" => stale("what was addressed is gone"),
        spawn if spawn.starts_with("org.freedesktop.DBus.Error.Spawn.") => absent("the Secret Service could not be started"),
        other => Trouble::Failing(format!("the daemon answered {other}")),
    }
}

fn absent(detail: &str) -> Trouble {
    Trouble::Absent(detail.to_owned())
}

fn stale(detail: &str) -> Trouble {
    Trouble::Stale(detail.to_owned())
}

fn failing(detail: &str) -> Trouble {
    Trouble::Failing(detail.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_found_below_the_keyring_error() {
        let locked = keyring_core::Error::NoStorageAccess(Box::new(secret_service::Error::Prompt));
        assert!(matches!(classify_keyring(&locked), Trouble::Locked));
        let nothing = keyring_core::Error::NoStorageAccess(Box::new(secret_service::Error::NoResult));
        assert!(matches!(classify_keyring(&nothing), Trouble::Absent(_)));
        let unknown = zbus::fdo::Error::ServiceUnknown("a text that nobody reads".to_owned());
        let unknown = secret_service::Error::Zbus(zbus::Error::FDO(Box::new(unknown)));
        assert!(matches!(classify_keyring(&keyring_core::Error::PlatformFailure(Box::new(unknown))), Trouble::Absent(_)));
        let cut = secret_service::Error::Zbus(std::io::Error::from(std::io::ErrorKind::BrokenPipe).into());
        assert!(matches!(classify_keyring(&keyring_core::Error::PlatformFailure(Box::new(cut))), Trouble::Stale(_)));
    }

    #[test]
    fn errors_that_carry_the_value_lose_it() {
        let canary: String = ('a'..='z').rev().collect();
        let bytes = || canary.clone().into_bytes();
        let cause = || Box::new(std::io::Error::other(canary.clone()));
        let carriers = [
            keyring_core::Error::BadEncoding(bytes()),
            keyring_core::Error::BadDataFormat(bytes(), cause()),
            keyring_core::Error::PlatformFailure(cause()),
            keyring_core::Error::Invalid("secret".to_owned(), canary.clone()),
        ];
        for carrier in carriers {
            let trouble = classify_keyring(&carrier);
            assert!(!format!("{trouble:?}").contains(&canary), "{trouble:?}");
        }
    }
}
