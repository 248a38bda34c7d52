//! Putting requests together. The filled URL is checked against the consented origins once more: what was sound as a template
//! must still be sound with a person's settings in it.

use crate::error::InterpretError;
use crate::interpret::fill::{Fill, percent_encode};
use crate::interpret::{Standing, Subject};
use crate::manifest::{Auth, Request};
use crate::service::{MakeBy, RetireBy, SwitchBy};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keytender_core::exchange::{CallClass, Origin, RequestValue};
use keytender_core::secret::{SecretBytes, SecretText};
use std::collections::BTreeMap;
use url::Url;

impl<'a> Standing<'a> {
    /// The harmless request that tells whether a value is alive.
    ///
    /// # Errors
    /// See [`InterpretError`]; nothing was sent.
    pub fn verify_request(&self, subject: Subject) -> Result<RequestValue, InterpretError> {
        let call = self.kind.verify.as_ref().ok_or_else(|| self.no_call("verify"))?;
        let id = self.held(subject).and_then(|held| held.remote_id);
        self.request(&call.request, CallClass::Verify, subject, id)
    }

    /// The request that lists keys. `with` says whose value authenticates it, where the key does so itself.
    ///
    /// # Errors
    /// See [`InterpretError`]; nothing was sent.
    pub fn list_request(&self, with: Subject) -> Result<RequestValue, InterpretError> {
        let call = self.kind.list.as_ref().ok_or_else(|| self.no_call("list"))?;
        self.request(&call.request, CallClass::List, with, None)
    }

    /// The request that makes a new key.
    ///
    /// # Errors
    /// See [`InterpretError`]; nothing was sent.
    pub fn make_request(&self) -> Result<RequestValue, InterpretError> {
        match &self.kind.make {
            MakeBy::Api(call) => self.request(&call.request, CallClass::Make, Subject::Old, None),
            MakeBy::Person(_) => Err(self.no_call("make")),
        }
    }

    /// The request that revokes the key with an id at the service. `with` says whose value authenticates it, where the key
    /// does so itself.
    ///
    /// # Errors
    /// See [`InterpretError`]; nothing was sent.
    pub fn revoke_request(&self, remote_id: Option<&str>, with: Subject) -> Result<RequestValue, InterpretError> {
        match &self.kind.retire {
            RetireBy::Api(call) => self.request(&call.request, CallClass::Retire, with, remote_id),
            RetireBy::Person(_) => Err(self.no_call("revoke")),
        }
    }

    /// The request that switches the key with an id at the service off, or on again. `with` says whose value authenticates
    /// it, where the key does so itself.
    ///
    /// # Errors
    /// See [`InterpretError`]; nothing was sent.
    pub fn switch_request(&self, on: bool, remote_id: Option<&str>, with: Subject) -> Result<RequestValue, InterpretError> {
        match &self.kind.switch {
            Some(SwitchBy::Api(calls)) => self.request(&calls.way(on).request, CallClass::Retire, with, remote_id),
            Some(SwitchBy::Person(_)) | None => Err(self.no_call(if on { "enable" } else { "disable" })),
        }
    }

    fn request(
        &self,
        request: &Request,
        class: CallClass,
        subject: Subject,
        id: Option<&str>,
    ) -> Result<RequestValue, InterpretError> {
        let settings = self.service.fill_settings(&self.integration.settings)?;
        let options = self.options();
        let fill = self.fill(&settings, &options, subject, id);
        let origins = self.service.origins(&self.integration.settings)?;

        let (url, shown) = (full_url(request, &fill, false)?, full_url(request, &fill, true)?);
        let parsed = Url::parse(&url).map_err(|error| InterpretError::BadUrl { shown: shown.clone(), why: error.to_string() })?;
        if !Origin::of(&parsed).is_some_and(|origin| origins.contains(&origin)) {
            let listed: Vec<&str> = origins.iter().map(Origin::as_str).collect();
            return Err(InterpretError::OutsideHosts { shown, origins: listed.join(", ") });
        }
        let (headers, body) = (headers(request, &fill)?, body(request, &fill)?);
        Ok(RequestValue {
            service: self.service.slug.clone(),
            class,
            method: request.method.as_str(),
            url: SecretText::new(url),
            shown,
            headers,
            body: body.map(SecretBytes::new),
            origins,
            self_hosted: self.self_hosted,
            calls_per_minute: self.service.limits.calls_per_minute,
        })
    }

    pub(super) fn fill<'f>(
        &self,
        settings: &'f BTreeMap<String, String>,
        options: &'f BTreeMap<String, String>,
        subject: Subject,
        id: Option<&'f str>,
    ) -> Fill<'f>
    where
        'a: 'f,
    {
        Fill {
            kind: self.kind,
            settings,
            options,
            scopes: &self.key.scopes,
            value: self.value(subject),
            subject: subject.word(),
            managing: self.managing,
            id,
            old_id: self.old.and_then(|held| held.remote_id),
            old_name: self.old.and_then(|held| held.remote_name),
            new_name: self.new_name,
        }
    }

    /// A call as evidence names it: `GET https://host/path`, without values. What cannot be filled stays in braces.
    pub(super) fn name_call(&self, request: &Request, subject: Subject, id: Option<&str>) -> String {
        let shown = self.service.fill_settings(&self.integration.settings).ok().and_then(|settings| {
            let options = self.options();
            full_url(request, &self.fill(&settings, &options, subject, id), true).ok()
        });
        format!("{} {}", request.method.as_str(), shown.unwrap_or_else(|| request.url.to_string()))
    }
}

fn full_url(request: &Request, fill: &Fill<'_>, shown: bool) -> Result<String, InterpretError> {
    let mut url = fill.url(&request.url, shown)?;
    let named = match &*request.auth {
        Auth::Query(named) => Some((&named.name, &named.value)),
        Auth::None | Auth::Bearer(_) | Auth::Basic(_) | Auth::Header(_) => None,
    };
    for (name, template) in request.query.iter().map(|(name, template)| (name, &**template)).chain(named) {
        url.push(if url.contains('?') { '&' } else { '?' });
        url.push_str(&percent_encode(name));
        url.push('=');
        url.push_str(&fill.parameter(template, shown)?);
    }
    Ok(url)
}

fn headers(request: &Request, fill: &Fill<'_>) -> Result<Vec<(String, SecretText)>, InterpretError> {
    let mut headers: Vec<(String, SecretText)> = Vec::new();
    for (name, template) in &request.headers {
        headers.push((name.to_ascii_lowercase(), SecretText::new(fill.header(template)?)));
    }
    let mut otherwise = |name: &str, text: &str| {
        if !headers.iter().any(|(header, _)| header == name) {
            headers.push((name.to_owned(), SecretText::new(text.to_owned())));
        }
    };
    otherwise("accept", "application/json");
    if request.json.is_some() {
        otherwise("content-type", "application/json");
    } else if request.form.is_some() {
        otherwise("content-type", "application/x-www-form-urlencoded");
    }
    match &*request.auth {
        Auth::None | Auth::Query(_) => {}
        Auth::Bearer(token) => {
            let token = SecretText::new(fill.header(token)?);
            headers.push(("authorization".to_owned(), SecretText::new(format!("Bearer {}", token.expose()))));
        }
        Auth::Header(named) => headers.push((named.name.to_ascii_lowercase(), SecretText::new(fill.header(&named.value)?))),
        Auth::Basic(basic) => {
            let user = SecretText::new(fill.header(&basic.user)?);
            // A colon in the user name would move its end into the password (RFC 7617).
            if user.expose().contains(':') {
                return Err(InterpretError::Unfit(basic.user.to_string()));
            }
            let password = SecretText::new(fill.header(&basic.password)?);
            let pair = SecretText::new(format!("{}:{}", user.expose(), password.expose()));
            let coded = SecretText::new(STANDARD.encode(pair.expose()));
            headers.push(("authorization".to_owned(), SecretText::new(format!("Basic {}", coded.expose()))));
        }
    }
    Ok(headers)
}

fn body(request: &Request, fill: &Fill<'_>) -> Result<Option<Vec<u8>>, InterpretError> {
    if let Some(json) = &request.json {
        return fill.json(json).map(Some);
    }
    let Some(form) = &request.form else { return Ok(None) };
    let mut body = String::with_capacity(4096);
    for (name, template) in form {
        if !body.is_empty() {
            body.push('&');
        }
        body.push_str(&percent_encode(name));
        body.push('=');
        let text = SecretText::new(fill.plain(template)?);
        body.push_str(&percent_encode(text.expose()));
    }
    Ok(Some(body.into_bytes()))
}
