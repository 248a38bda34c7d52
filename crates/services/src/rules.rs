//! Rules: what a reply must look like to mean something. A verdict rests on a rule that the manifest writes out; whatever no
//! rule describes is unknown.

use crate::manifest::{Placed, Pointer, Statuses, look_up};
use keytender_core::exchange::ResponseValue;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What a reply must look like. Everything that is said must hold. A rule that looks into JSON holds only for a body that is
/// JSON: the log-in page of a hotel network has no `/username` either.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    /// The status, or several.
    pub(crate) status: Statuses,
    /// JSON pointers and what must stand there; the pointer `""` is the whole document.
    #[serde(default)]
    pub(crate) json: BTreeMap<Pointer, serde_json::Value>,
    /// JSON pointers where something other than null must stand.
    #[serde(default)]
    pub(crate) present: Vec<Pointer>,
    /// JSON pointers where nothing, or null, must stand.
    #[serde(default)]
    pub(crate) absent: Vec<Pointer>,
    /// A text that the body must contain.
    pub(crate) contains: Option<String>,
    /// Options of the key that must be chosen so: where the same reply means different things for different keys.
    #[serde(default)]
    pub(crate) options: BTreeMap<String, String>,
    /// Why it means that; shown with the verdict.
    pub(crate) because: Option<String>,
}

/// Whether a status can ever give a verdict: 1xx and 3xx (redirects are not followed), 429 and 5xx cannot.
pub(crate) fn can_tell(status: u16) -> bool {
    matches!(status, 200..=299 | 400..=499) && status != 429
}

/// A reply as the rules see it.
pub(crate) struct Reply<'a> {
    /// The status.
    pub(crate) status: u16,
    headers: &'a [(String, String)],
    body: &'a [u8],
    /// The body, if it is JSON. May hold secrets: it is dropped with the reply.
    pub(crate) json: Option<serde_json::Value>,
    /// Whether it arrived to its end.
    pub(crate) complete: bool,
}

impl<'a> Reply<'a> {
    /// A reply from its parts.
    pub(crate) fn new(status: u16, headers: &'a [(String, String)], body: &'a [u8], complete: bool) -> Self {
        let json = if complete { serde_json::from_slice(body).ok() } else { None };
        Self { status, headers, body, json, complete }
    }

    /// The first header of this name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// All headers.
    pub(crate) fn headers(&self) -> &[(String, String)] {
        self.headers
    }

    /// Whether it can give a verdict at all.
    pub(crate) fn tells(&self) -> bool {
        self.complete && can_tell(self.status)
    }
}

impl<'a> From<&'a ResponseValue> for Reply<'a> {
    fn from(reply: &'a ResponseValue) -> Self {
        Self::new(reply.status, &reply.headers, reply.body.expose(), reply.complete)
    }
}

impl Rule {
    /// Whether a reply to a call for a key with these options fits.
    pub(crate) fn holds(&self, reply: &Reply<'_>, options: &BTreeMap<String, String>) -> bool {
        let looks_into_json = !(self.json.is_empty() && self.present.is_empty() && self.absent.is_empty());
        let json_fits = match &reply.json {
            Some(document) => {
                self.json.iter().all(|(pointer, wanted)| document.pointer(&pointer.0) == Some(wanted))
                    && self.present.iter().all(|pointer| look_up(document, pointer).is_some())
                    && self.absent.iter().all(|pointer| look_up(document, pointer).is_none())
            }
            None => !looks_into_json,
        };
        self.status.0.contains(&reply.status)
            && json_fits
            && self.contains.as_ref().is_none_or(|text| String::from_utf8_lossy(reply.body).contains(text))
            && self.options.iter().all(|(name, wanted)| options.get(name) == Some(wanted))
    }
}

/// The first rule that holds for a reply that can tell something.
pub(crate) fn first<'r>(rules: &'r [Placed<Rule>], reply: &Reply<'_>, options: &BTreeMap<String, String>) -> Option<&'r Rule> {
    rules.iter().map(std::ops::Deref::deref).find(|rule| reply.tells() && rule.holds(reply, options))
}

/// One sentence: what was asked, what was answered, and why that means something.
pub(crate) fn evidence(call: &str, reply: &Reply<'_>, because: Option<&str>) -> String {
    let cut = if reply.complete { "" } else { " and was cut off" };
    match because {
        Some(because) => format!("{call} answered {}{cut}: {because}", reply.status),
        None => format!("{call} answered {}{cut}", reply.status),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> Rule {
        toml::from_str(text).unwrap()
    }

    fn holds(rule: &Rule, status: u16, body: &str) -> bool {
        rule.holds(&Reply::new(status, &[], body.as_bytes(), true), &BTreeMap::new())
    }

    #[test]
    fn a_rule_about_json_never_holds_for_something_else() {
        let nobody = rule("status = 200\nabsent = ['/username']");
        assert!(holds(&nobody, 200, "{}"));
        assert!(holds(&nobody, 200, r#"{"username":null}"#));
        assert!(!holds(&nobody, 200, r#"{"username":"dev"}"#));
        assert!(!holds(&nobody, 200, "<html>Log in to this network</html>"));
        assert!(!holds(&nobody, 200, ""));
        let empty = rule("status = 200\njson = { '' = {} }");
        assert!(holds(&empty, 200, "{ }\n"));
        assert!(!holds(&empty, 200, r#"{"error":"x"}"#));
    }

    #[test]
    fn every_part_of_a_rule_must_hold() {
        let both = rule("status = [200, 201]\njson = { '/active' = true }\npresent = ['/id']\ncontains = 'act'");
        assert!(holds(&both, 201, r#"{"active":true,"id":1}"#));
        assert!(!holds(&both, 202, r#"{"active":true,"id":1}"#));
        assert!(!holds(&both, 200, r#"{"active":false,"id":1}"#));
        assert!(!holds(&both, 200, r#"{"active":true}"#));
        let only_open = Rule { options: BTreeMap::from([("cidr".into(), String::new())]), ..rule("status = 403") };
        assert!(!holds(&only_open, 403, ""));
        let reply = Reply::new(403, &[], b"", true);
        assert!(only_open.holds(&reply, &BTreeMap::from([("cidr".into(), String::new())])));
    }

    #[test]
    fn what_cannot_tell_fits_no_rule() {
        let rules = [429, 500, 503, 302].map(|status| toml::from_str(&format!("r = {{ status = {status} }}")).unwrap());
        for rule in rules.map(|mut table: BTreeMap<String, Placed<Rule>>| table.remove("r").unwrap()) {
            let status = rule.status.0[0];
            assert!(first(&[rule], &Reply::new(status, &[], b"", true), &BTreeMap::new()).is_none(), "{status}");
        }
    }
}
