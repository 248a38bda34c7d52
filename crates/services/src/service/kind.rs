//! A kind of key, resolved: its calls at hand, its facts in one place.

use crate::error::{SettingError, ValueError};
use crate::manifest::{
    Confidence, Field, KeyOption, Learn, ListCall, MakeCall, Managing, OptionKind, Pattern, RevokeCall, Shown, StepTemplate,
    VerifyCall, Wait,
};
use crate::service::{Switch, SwitchBy};
use crate::template::Hole;
use keytender_core::expiry::Lifetime;
use keytender_core::secret::{SecretText, Value};
use keytender_core::words::{KeyClass, Make, Old, Retire};
use regex::Regex;
use std::collections::BTreeMap;

/// For how long a new key may be refused where the file does not say.
const SETTLE_SECONDS: u32 = 60;

/// For how long a revoked one may be accepted where the file does not say.
const LINGER_SECONDS: u32 = 600;

/// A kind of key.
#[derive(Debug, Clone)]
pub struct Kind {
    /// Its name in the file, on the command line and in the ledger.
    pub name: String,
    /// As people call it.
    pub label: String,
    /// What sort of credential it is.
    pub class: KeyClass,
    /// What its value consists of.
    pub fields: Vec<Field>,
    /// What is chosen when one is made, and copied when it is replaced.
    pub options: BTreeMap<String, KeyOption>,
    /// How long it lives.
    pub life: Lifetime,
    /// Whether the service shows the value again.
    pub shown: Shown,
    /// Another credential that lists, makes or revokes keys of this kind.
    pub managing: Option<Managing>,
    /// How to name it, which choices are wise.
    pub advice: Option<String>,
    pub(crate) patterns: Vec<(Pattern, Regex)>,
    pub(crate) carries: Learn,
    pub(crate) verify: Option<VerifyCall>,
    pub(crate) list: Option<ListCall>,
    pub(crate) make: MakeBy,
    pub(crate) retire: RetireBy,
    pub(crate) old: Old,
    pub(crate) settle: Option<Wait>,
    pub(crate) linger: Option<Wait>,
    pub(crate) switch: Option<SwitchBy>,
}

/// Who makes a new one, and how.
#[derive(Debug, Clone)]
pub(crate) enum MakeBy {
    /// A request.
    Api(Box<MakeCall>),
    /// A person.
    Person(Vec<StepTemplate>),
}

/// Who retires an old one, and how.
#[derive(Debug, Clone)]
pub(crate) enum RetireBy {
    /// A request.
    Api(Box<RevokeCall>),
    /// A person.
    Person(Vec<StepTemplate>),
}

/// What a rotation or a switch of a kind is decided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KindFacts {
    /// Who makes the new one.
    pub make: Make,
    /// Who retires the old one.
    pub retire: Retire,
    /// What happens to the old one when the new one is born.
    pub old: Old,
    /// The service can list its keys.
    pub lists: bool,
    /// A key made by API bears the rotation's marker in its name, and the list shows that name.
    pub marks: bool,
    /// A harmless verify exists.
    pub verifies: bool,
    /// The make call is authenticated by the old value itself.
    pub make_needs_old: bool,
    /// The list call is authenticated by the value of a key itself.
    pub list_needs_key: bool,
    /// The revoke call names the key by its id at the service.
    pub retire_needs_id: bool,
    /// For how long after it is made a new key may still be refused, in seconds.
    pub settle_seconds: u32,
    /// For how long after it is revoked an old key may still be accepted, in seconds.
    pub linger_seconds: u32,
    /// A call of a rotation of this kind is authenticated by a managing credential.
    pub needs_managing: bool,
    /// Who switches a key off and on again; none where it can only be revoked.
    pub disables: Option<Switch>,
    /// A call that switches names the key by its id at the service.
    pub switch_needs_id: bool,
}

impl Kind {
    /// What a rotation or a switch of this kind is decided by.
    #[must_use]
    pub fn facts(&self) -> KindFacts {
        let make_holes = match &self.make {
            MakeBy::Api(call) => call.request.holes(),
            MakeBy::Person(_) => Vec::new(),
        };
        let retire_holes = match &self.retire {
            RetireBy::Api(call) => call.request.holes(),
            RetireBy::Person(_) => Vec::new(),
        };
        let list_holes = self.list.as_ref().map(|call| call.request.holes()).unwrap_or_default();
        let verify_holes = self.verify.as_ref().map(|call| call.request.holes()).unwrap_or_default();
        let switch_holes = match &self.switch {
            Some(SwitchBy::Api(calls)) => [calls.disable.request.holes(), calls.enable.request.holes()].concat(),
            Some(SwitchBy::Person(_)) | None => Vec::new(),
        };
        let names_listed = self.list.as_ref().is_some_and(|list| list.name.is_some());
        KindFacts {
            make: if matches!(self.make, MakeBy::Api(_)) { Make::Api } else { Make::Person },
            retire: if matches!(self.retire, RetireBy::Api(_)) { Retire::Api } else { Retire::Person },
            old: self.old,
            lists: self.list.is_some(),
            marks: names_listed && make_holes.contains(&&Hole::NewName),
            verifies: self.verify.is_some(),
            make_needs_old: make_holes.iter().any(|hole| matches!(hole, Hole::Value(_))),
            list_needs_key: list_holes.iter().any(|hole| matches!(hole, Hole::Value(_))),
            retire_needs_id: retire_holes.contains(&&Hole::Id),
            settle_seconds: self.settle.map_or(SETTLE_SECONDS, |wait| wait.seconds),
            linger_seconds: self.linger.map_or(LINGER_SECONDS, |wait| wait.seconds),
            needs_managing: [make_holes, retire_holes, list_holes, verify_holes]
                .iter()
                .flatten()
                .any(|hole| matches!(hole, Hole::Managing(_))),
            disables: self.switch.as_ref().map(|by| match by {
                SwitchBy::Api(_) => Switch::Api,
                SwitchBy::Person(_) => Switch::Person,
            }),
            switch_needs_id: switch_holes.contains(&&Hole::Id),
        }
    }

    /// How far each thing that the file says about the kind can be relied on: `verify`, `list`, `make`, `revoke`,
    /// `disable`, `enable`, `settle`, `linger`, as far as it says them.
    #[must_use]
    pub fn confidences(&self) -> Vec<(&'static str, Confidence)> {
        let make = match &self.make {
            MakeBy::Api(call) => Some(call.confidence),
            MakeBy::Person(_) => None,
        };
        let revoke = match &self.retire {
            RetireBy::Api(call) => Some(call.confidence),
            RetireBy::Person(_) => None,
        };
        let switch = |on: bool| match &self.switch {
            Some(SwitchBy::Api(calls)) => Some(calls.way(on).confidence),
            Some(SwitchBy::Person(_)) | None => None,
        };
        [
            ("verify", self.verify.as_ref().map(|call| call.confidence)),
            ("list", self.list.as_ref().map(|call| call.confidence)),
            ("make", make),
            ("revoke", revoke),
            ("disable", switch(false)),
            ("enable", switch(true)),
            ("settle", self.settle.map(|wait| wait.confidence)),
            ("linger", self.linger.map(|wait| wait.confidence)),
        ]
        .into_iter()
        .filter_map(|(what, confidence)| Some((what, confidence?)))
        .collect()
    }

    /// Whether a value as a person pastes it has the shape of this kind; false for a kind without patterns.
    #[must_use]
    pub fn fits(&self, text: &str) -> bool {
        self.patterns.iter().any(|(_, regex)| regex.is_match(text.trim()))
    }

    /// A value from what a person typed, pasted or fed: the bare value, or a JSON object when the kind has several fields.
    /// One line break at the end is dropped. The second part holds warnings, such as a pattern that does not match.
    ///
    /// # Errors
    /// See [`ValueError`]; none of its texts holds the value.
    pub fn value_from_text(&self, text: &str) -> Result<(Value, Vec<String>), ValueError> {
        let text = text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
        if text.trim().is_empty() {
            return Err(ValueError::Empty);
        }
        let value = match self.fields.as_slice() {
            [only] => Value::new(vec![(only.name.clone(), self.checked(&only.name, text.to_owned())?)]),
            several => {
                let names = || several.iter().map(|field| format!("\"{}\"", field.name)).collect::<Vec<_>>().join(", ");
                let mut given: BTreeMap<String, String> = serde_json::from_str(text).map_err(|_| ValueError::NotJson(names()))?;
                let mut fields = Vec::new();
                for field in several {
                    let part = given.remove(&field.name).ok_or_else(|| ValueError::MissingField(field.name.clone()))?;
                    fields.push((field.name.clone(), self.checked(&field.name, part)?));
                }
                if let Some(unknown) = given.into_keys().next() {
                    return Err(ValueError::UnknownField(unknown));
                }
                Value::new(fields)
            }
        };
        let warnings = self.warnings(&value);
        Ok((value, warnings))
    }

    fn checked(&self, field: &str, text: String) -> Result<SecretText, ValueError> {
        if text.is_empty() {
            return Err(ValueError::MissingField(field.to_owned()));
        }
        // A key in PEM has line breaks of its own; a signing key or pair may be one.
        let lines_allowed = matches!(self.class, KeyClass::KeyPair);
        if text.chars().any(|c| c.is_control() && !(lines_allowed && c == '\n')) {
            return Err(ValueError::Control(field.to_owned()));
        }
        Ok(SecretText::new(text))
    }

    fn warnings(&self, value: &Value) -> Vec<String> {
        let mut warnings = Vec::new();
        for (name, text) in value.fields() {
            if text.expose().trim().len() != text.len() {
                warnings.push(format!("`{name}` begins or ends with a blank"));
            }
        }
        let first = value.fields().next().map(|(_, text)| text.expose());
        let looks_right = first.is_some_and(|text| self.patterns.iter().any(|(_, regex)| regex.is_match(text)));
        // What is known from hearsay only is no ground for a warning.
        let known =
            !self.patterns.is_empty() && self.patterns.iter().all(|(pattern, _)| pattern.confidence != Confidence::Unverified);
        if known && !looks_right {
            warnings.push(format!("this does not look like a {}", self.label));
        }
        warnings
    }

    /// The options as they are used: those given, and the defaults of the others. Filling twice changes nothing.
    ///
    /// # Errors
    /// When one is unknown or does not fit.
    pub fn fill_options(&self, given: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, SettingError> {
        if let Some(unknown) = given.keys().find(|name| !self.options.contains_key(*name)) {
            let known: Vec<&str> = self.options.keys().map(String::as_str).collect();
            return Err(SettingError::Unknown { name: unknown.clone(), known: known.join(", ") });
        }
        self.options
            .iter()
            .map(|(name, option)| {
                let text = given.get(name).unwrap_or(&option.default);
                option.check(text).map_err(|why| SettingError::Unfit { name: name.clone(), why })?;
                Ok((name.clone(), text.clone()))
            })
            .collect()
    }
}

impl KeyOption {
    /// Whether the option may hold a text; why not.
    pub(crate) fn check(&self, text: &str) -> Result<(), String> {
        if !self.choices.is_empty() && !self.choices.iter().any(|choice| choice == text) {
            return Err(format!("it is one of {}", self.choices.join(", ")));
        }
        match self.kind {
            OptionKind::Bool if !matches!(text, "true" | "false") => Err("it is true or false".to_owned()),
            OptionKind::Number if text.parse::<i64>().is_err() => Err("it is a whole number".to_owned()),
            OptionKind::Text | OptionKind::List | OptionKind::Bool | OptionKind::Number => Ok(()),
        }
    }
}
