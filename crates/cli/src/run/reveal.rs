//! `keytender key reveal` and `key copy`: the two ways in which a person gets a value out.

use crate::child::{self, CLIPBOARD_STAY};
use crate::session::Session;
use keytender_api::{Error, ErrorKind};
use keytender_core::secret::{SecretText, Value};
use std::collections::BTreeMap;

/// Prints the bare value and a line's end; with `--json` an object of its fields.
pub(super) fn reveal(key: &str, field: Option<&str>, session: &Session) -> Result<(), Error> {
    let value = session.join()?.api.reveal(key, "revealed")?;
    if session.out.json && field.is_none() {
        let fields: BTreeMap<&str, &str> = value.fields().map(|(name, text)| (name, text.expose())).collect();
        session.out.document(&fields);
        return Ok(());
    }
    let (name, text) = one_field(&value, field)?;
    if session.out.json {
        session.out.document(&BTreeMap::from([(name, text.expose())]));
    } else {
        session.out.write(&[text.expose().as_bytes(), b"\n"]);
    }
    Ok(())
}

/// Copies a field. The value goes to the process that holds the clipboard through a pipe.
pub(super) fn copy(key: &str, field: Option<&str>, session: &Session) -> Result<(), Error> {
    let value = session.join()?.api.reveal(key, "copied")?;
    let (_, text) = one_field(&value, field)?;
    child::copy(text).map_err(|error| Error {
        help: Some("`keytender key reveal` prints it; `| xclip -selection clipboard` or the like copies it elsewhere".to_owned()),
        ..error
    })?;
    let seconds = CLIPBOARD_STAY.as_secs();
    session.out.document(&serde_json::json!({ "copied": key, "seconds": seconds }));
    session.out.say(format!("Copied; the clipboard is cleared in {seconds} s unless you copy something else."));
    Ok(())
}

fn one_field<'v>(value: &'v Value, field: Option<&'v str>) -> Result<(&'v str, &'v SecretText), Error> {
    let names = || value.fields().map(|(name, _)| name).collect::<Vec<_>>().join(", ");
    let usage = |happened: String| Error { kind: ErrorKind::Invalid, happened, help: Some(format!("its fields: {}", names())) };
    match (field, value.fields().count()) {
        (Some(name), _) => value.field(name).map(|text| (name, text)).ok_or_else(|| usage(format!("it has no field `{name}`"))),
        (None, 1) => value.fields().next().ok_or_else(|| usage("it has no field".to_owned())),
        (None, _) => Err(usage("it has several fields; say which with `--field`".to_owned())),
    }
}
