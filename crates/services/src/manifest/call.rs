//! Requests and how their replies are read.

use crate::manifest::{Confidence, Learn, Placed, Pointer};
use crate::rules::Rule;
use crate::template::{Hole, JsonTemplate, Template};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// A request.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    /// The HTTP method.
    pub(crate) method: Method,
    /// The address; begins with one of `hosts`. What is filled in is percent-encoded.
    pub(crate) url: Placed<Template>,
    /// How it is authenticated, and by which credential.
    pub(crate) auth: Placed<Auth>,
    /// Parameters behind the question mark.
    #[serde(default)]
    pub(crate) query: BTreeMap<String, Placed<Template>>,
    /// More headers. `accept` and `content-type` are set where nothing is said.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, Placed<Template>>,
    /// A JSON body. A text that is exactly one placeholder of a bool, number or list keeps that type.
    pub(crate) json: Option<Placed<JsonTemplate>>,
    /// A form body.
    pub(crate) form: Option<BTreeMap<String, Placed<Template>>>,
}

/// The HTTP method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs, reason = "the names are the HTTP methods")]
pub(crate) enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    /// As it is sent.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// How a request is authenticated. Which credential does it, the placeholders say: `{value.X}` is the key itself,
/// `{managing.X}` the managing credential.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Auth {
    /// Not at all.
    None,
    /// `Authorization: Bearer TOKEN`.
    Bearer(Template),
    /// `Authorization: Basic` with user name and password.
    Basic(BasicAuth),
    /// A header of the service's own.
    Header(NamedAuth),
    /// A parameter in the URL.
    Query(NamedAuth),
}

impl Auth {
    /// Its templates.
    pub(crate) fn templates(&self) -> Vec<&Template> {
        match self {
            Self::None => Vec::new(),
            Self::Bearer(token) => vec![token],
            Self::Basic(basic) => vec![&basic.user, &basic.password],
            Self::Header(named) | Self::Query(named) => vec![&named.value],
        }
    }
}

/// User name and password.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BasicAuth {
    /// The user name; must not hold a colon.
    pub(crate) user: Template,
    /// The password.
    pub(crate) password: Template,
}

/// A header or parameter that carries a credential.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NamedAuth {
    /// Its name.
    pub(crate) name: String,
    /// What it holds.
    pub(crate) value: Template,
}

/// A harmless request that tells whether a value is alive.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerifyCall {
    /// What is sent.
    pub(crate) request: Request,
    /// The value is accepted if one of these holds.
    pub(crate) alive: Vec<Placed<Rule>>,
    /// The value is refused if one of these holds. What fits neither, or both, is unknown.
    pub(crate) dead: Vec<Placed<Rule>>,
    /// What the reply to a live value tells.
    #[serde(default)]
    pub(crate) learn: Learn,
    /// How far the rules can be relied on.
    pub(crate) confidence: Confidence,
}

/// A request that lists keys.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListCall {
    /// What is sent.
    pub(crate) request: Request,
    /// The reply is a list if one of these holds.
    pub(crate) done: Vec<Placed<Rule>>,
    /// Where in the reply the array of entries stands.
    pub(crate) entries: Pointer,
    /// Where a reply says that there are more entries than these. A list that goes on is no answer: a key that is not in it
    /// may still exist.
    pub(crate) next: Option<Pointer>,
    /// Where in an entry the id stands.
    pub(crate) id: Pointer,
    /// Where in an entry the name stands.
    pub(crate) name: Option<Pointer>,
    /// A part of the value that an entry shows.
    pub(crate) hint: Option<Hint>,
    /// How far the call can be relied on.
    pub(crate) confidence: Confidence,
}

/// A part of the value that an entry of a list shows, such as `eyJhb...mmX9o`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Hint {
    /// Where in an entry it stands.
    pub(crate) at: Pointer,
    /// Which part it is. What stands for the hidden part (dots, stars, bullets, an ellipsis) is recognised by itself.
    pub(crate) shows: HintShows,
}

/// Which part of a value a hint shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum HintShows {
    /// Its beginning.
    Start,
    /// Its end; whatever stands before the hidden part is ignored.
    End,
    /// Its beginning and its end.
    Both,
}

/// A request that makes a key.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MakeCall {
    /// What is sent. It must be harmless to send it twice only in the sense that a second key can be revoked: it is never
    /// repeated by itself.
    pub(crate) request: Request,
    /// A key was made if one of these holds.
    pub(crate) done: Vec<Placed<Rule>>,
    /// Nothing was made if one of these holds: 400, 401, 403, 404, 405 and 422 where nothing is said. A 429 always says so.
    /// Every other reply leaves it open.
    pub(crate) refused: Option<Vec<Placed<Rule>>>,
    /// Where the reply holds each field of the new value.
    pub(crate) value: BTreeMap<String, Pointer>,
    /// What else the reply tells.
    #[serde(default)]
    pub(crate) learn: Learn,
    /// How far the call can be relied on.
    pub(crate) confidence: Confidence,
}

/// A request that revokes a key.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevokeCall {
    /// What is sent. Must be harmless to repeat.
    pub(crate) request: Request,
    /// The service says that the key does not exist any more: 200, 202, 204, 404 and 410 where nothing is said.
    pub(crate) done: Option<Vec<Placed<Rule>>>,
    /// The service refuses: 400, 401, 403 and 405 where nothing is said.
    pub(crate) refused: Option<Vec<Placed<Rule>>>,
    /// How far the call can be relied on.
    pub(crate) confidence: Confidence,
}

/// A request that switches a key off, or on again.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SwitchCall {
    /// What is sent. Must be harmless to repeat: a call that turns a key the other way each time is none.
    pub(crate) request: Request,
    /// The service says that the key stands as asked: 200, 202 and 204 where nothing is said.
    pub(crate) done: Option<Vec<Placed<Rule>>>,
    /// The service refuses: 400, 401, 403, 404, 405, 410 and 422 where nothing is said.
    pub(crate) refused: Option<Vec<Placed<Rule>>>,
    /// How far the call can be relied on.
    pub(crate) confidence: Confidence,
}

/// One thing that a person does in the portal.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StepTemplate {
    /// What to do.
    pub(crate) say: Placed<Template>,
    /// The page to open.
    pub(crate) open: Option<Placed<Template>>,
}

impl Request {
    /// Every hole, with the byte offset of the text in which it stands.
    pub(crate) fn placed_holes(&self) -> Vec<(usize, &Hole)> {
        let mut holes: Vec<(usize, &Hole)> = self.url.holes().map(|hole| (self.url.at, hole)).collect();
        holes.extend(self.auth.templates().into_iter().flat_map(Template::holes).map(|hole| (self.auth.at, hole)));
        for template in self.query.values().chain(self.headers.values()).chain(self.form.iter().flat_map(BTreeMap::values)) {
            holes.extend(template.holes().map(|hole| (template.at, hole)));
        }
        if let Some(json) = &self.json {
            holes.extend(json.holes().into_iter().map(|hole| (json.at, hole)));
        }
        holes
    }

    /// Every hole.
    pub(crate) fn holes(&self) -> Vec<&Hole> {
        self.placed_holes().into_iter().map(|(_, hole)| hole).collect()
    }
}
