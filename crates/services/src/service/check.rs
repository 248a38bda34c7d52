//! What must hold of a service file beyond its shape: nothing leads outside the hosts, every placeholder can be filled where
//! it stands, every definition is used, every rule can hold.

use crate::error::ManifestFault;
use crate::manifest::{
    Find, Learn, ListCall, MakeCall, Manifest, Placed, Request, RevokeCall, SettingKind, StepTemplate, SwitchCall, VerifyCall,
};
use crate::rules::{Rule, can_tell};
use crate::service::load::Fault;
use crate::service::{Kind, MakeBy, RetireBy, Service, SwitchBy};
use crate::template::{Hole, Part, Template};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn service(service: &Service, manifest: &Manifest) -> Result<(), Fault> {
    for host in &service.hosts {
        check_host(service, host)?;
    }
    if let Some(portal) = &manifest.portal {
        check_holes(service, None, Place::Page, portal.at, portal.holes())?;
        check_page(service, portal)?;
    }
    for setting in &service.settings {
        if let Some(default) = &setting.default {
            let alone = BTreeMap::from([(setting.name.clone(), default.clone())]);
            let lone = Service { settings: vec![setting.clone()], ..service.clone() };
            if let Err(error) = lone.fill_settings(&alone) {
                let at = manifest.settings.get(&setting.name).map_or(0, |entry| entry.at);
                return Err((at, ManifestFault::Contradiction(format!("the default: {error}"))));
            }
        }
    }
    for kind in &service.kinds {
        let at = manifest.kinds.get(&kind.name).map_or(0, |entry| entry.at);
        check_kind(service, kind, at)?;
    }
    check_use(manifest)
}

fn check_host(service: &Service, host: &Placed<Template>) -> Result<(), Fault> {
    check_holes(service, None, Place::Page, host.at, host.holes())?;
    let only_setting = match host.only_hole() {
        Some(Hole::Setting(name)) => service.settings.iter().any(|s| s.name == *name && s.kind == SettingKind::Url),
        _ => false,
    };
    let written = host.to_string();
    let an_origin = host.origin_part().is_some_and(|origin| origin == written && origin.starts_with("http"));
    if only_setting || an_origin { Ok(()) } else { Err((host.at, ManifestFault::BadHost(written))) }
}

fn check_kind(service: &Service, kind: &Kind, at: usize) -> Result<(), Fault> {
    let contradiction = |why: String| Err((at, ManifestFault::Contradiction(why)));
    if let Some(managing) = &kind.managing
        && service.kind(&managing.kind).is_none()
    {
        return Err((at, ManifestFault::Missing { what: "kind", name: managing.kind.clone() }));
    }
    for (name, option) in &kind.options {
        if let Err(why) = option.check(&option.default) {
            return contradiction(format!("the default of option `{name}`: {why}"));
        }
    }
    check_learn(kind, &kind.carries, false, at)?;
    if let Some(VerifyCall { request, alive, dead, learn, .. }) = &kind.verify {
        check_request(service, kind, Place::Verify, request)?;
        check_rules(kind, alive.iter().chain(dead))?;
        check_learn(kind, learn, true, request.url.at)?;
    }
    if let Some(ListCall { request, done, .. }) = &kind.list {
        check_request(service, kind, Place::List, request)?;
        check_rules(kind, done.iter())?;
    }
    match &kind.make {
        MakeBy::Person(steps) => check_steps(service, kind, Place::MakeStep, steps)?,
        MakeBy::Api(call) => {
            let MakeCall { request, done, refused, value, learn, .. } = &**call;
            check_request(service, kind, Place::Make, request)?;
            check_rules(kind, done.iter().chain(refused.iter().flatten()))?;
            check_learn(kind, learn, true, request.url.at)?;
            let fields: BTreeSet<&str> = kind.fields.iter().map(|field| field.name.as_str()).collect();
            if fields != value.keys().map(String::as_str).collect() {
                let why =
                    format!("`value` of the make call must tell where each field of kind `{}` stands, and no other", kind.name);
                return Err((request.url.at, ManifestFault::Contradiction(why)));
            }
        }
    }
    match &kind.retire {
        RetireBy::Person(steps) => check_steps(service, kind, Place::RetireStep, steps)?,
        RetireBy::Api(call) => {
            let RevokeCall { request, done, refused, .. } = &**call;
            check_request(service, kind, Place::Revoke, request)?;
            check_rules(kind, done.iter().flatten().chain(refused.iter().flatten()))?;
        }
    }
    if kind.switch.is_some() && kind.verify.is_none() {
        return contradiction(format!(
            "kind `{}` has a switch and no `verify`, so nobody could see whether it worked",
            kind.name
        ));
    }
    match &kind.switch {
        None => {}
        Some(SwitchBy::Person(steps)) => {
            for steps in [&steps.disable, &steps.enable] {
                check_steps(service, kind, Place::SwitchStep, steps)?;
            }
        }
        Some(SwitchBy::Api(calls)) => {
            for SwitchCall { request, done, refused, .. } in [&calls.disable, &calls.enable] {
                check_request(service, kind, Place::Switch, request)?;
                check_rules(kind, done.iter().flatten().chain(refused.iter().flatten()))?;
            }
        }
    }
    Ok(())
}

fn check_rules<'r>(kind: &Kind, rules: impl Iterator<Item = &'r Placed<Rule>>) -> Result<(), Fault> {
    for rule in rules {
        if let Some(idle) = rule.status.0.iter().find(|status| !can_tell(**status)) {
            return Err((rule.at, ManifestFault::IdleRule(*idle)));
        }
        if let Some(unknown) = rule.options.keys().find(|name| !kind.options.contains_key(*name)) {
            return Err((rule.at, ManifestFault::Missing { what: "option", name: unknown.clone() }));
        }
    }
    Ok(())
}

fn check_learn(kind: &Kind, learn: &Learn, with_reply: bool, at: usize) -> Result<(), Fault> {
    for find in learn.finds() {
        if !with_reply && find.needs_reply() {
            let why = format!("`carries` is read without a reply, so {find} is not there");
            return Err((at, ManifestFault::Contradiction(why)));
        }
        if let Some(field) = Find::field(find).filter(|field| !kind.fields.iter().any(|known| known.name == *field)) {
            return Err((at, ManifestFault::Missing { what: "field", name: field.to_owned() }));
        }
    }
    Ok(())
}

fn check_steps(service: &Service, kind: &Kind, place: Place, steps: &[StepTemplate]) -> Result<(), Fault> {
    for step in steps {
        check_holes(service, Some(kind), place, step.say.at, step.say.holes())?;
        if let Some(open) = &step.open {
            check_holes(service, Some(kind), place, open.at, open.holes())?;
            check_page(service, open)?;
        }
    }
    Ok(())
}

/// A page is opened in the browser, so it may be anywhere, but it must be the web: a plain text in front of it could be
/// `javascript:` or a file.
fn check_page(service: &Service, page: &Placed<Template>) -> Result<(), Fault> {
    let is_url = |name: &str| service.settings.iter().any(|setting| setting.name == name && setting.kind == SettingKind::Url);
    let web = match page.parts().first() {
        Some(Part::Hole(Hole::Setting(name))) => is_url(name),
        Some(Part::Text(_)) => page.origin_part().is_some(),
        Some(Part::Hole(_)) | None => false,
    };
    if web { Ok(()) } else { Err((page.at, ManifestFault::Contradiction(format!("`{}` is no web page", **page)))) }
}

fn check_request(service: &Service, kind: &Kind, place: Place, request: &Request) -> Result<(), Fault> {
    let origin = request.url.origin_part();
    if origin.is_none() || !service.hosts.iter().any(|host| Some(host.to_string()) == origin) {
        return Err((request.url.at, ManifestFault::OutsideHosts { url: request.url.to_string() }));
    }
    if request.json.is_some() && request.form.is_some() {
        return Err((request.url.at, ManifestFault::Contradiction("a request has one body: `json` or `form`".to_owned())));
    }
    let name_fits = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    let own_header = match &*request.auth {
        crate::manifest::Auth::Header(named) => Some(named.name.as_str()),
        _ => None,
    };
    if let Some(bad) = request.headers.keys().map(String::as_str).chain(own_header).find(|name| !name_fits(name)) {
        return Err((request.url.at, ManifestFault::Contradiction(format!("`{bad}` is no name of a header"))));
    }
    for (at, hole) in request.placed_holes() {
        check_holes(service, Some(kind), place, at, std::iter::once(hole))?;
    }
    Ok(())
}

/// Where a placeholder stands; decides what there is to fill it with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Page,
    Verify,
    List,
    Make,
    Revoke,
    Switch,
    MakeStep,
    RetireStep,
    SwitchStep,
}

fn check_holes<'h>(
    service: &Service,
    kind: Option<&Kind>,
    place: Place,
    at: usize,
    holes: impl Iterator<Item = &'h Hole>,
) -> Result<(), Fault> {
    for hole in holes {
        if let Err(why) = fits(service, kind, place, hole) {
            return Err((at, ManifestFault::Placeholder { name: hole.to_string(), why }));
        }
    }
    Ok(())
}

fn fits(service: &Service, kind: Option<&Kind>, place: Place, hole: &Hole) -> Result<(), String> {
    let request = matches!(place, Place::Verify | Place::List | Place::Make | Place::Revoke | Place::Switch);
    let step = matches!(place, Place::MakeStep | Place::RetireStep | Place::SwitchStep);
    let when = |fits: bool, why: &str| if fits { Ok(()) } else { Err(why.to_owned()) };
    match (hole, kind) {
        (Hole::Setting(name), _) => when(service.settings.iter().any(|s| s.name == *name), "the service has no such setting"),
        (_, None) => Err("only settings are known here".to_owned()),
        (Hole::Option(name), Some(kind)) => {
            when(kind.options.contains_key(name), &format!("kind `{}` has no such option", kind.name))
        }
        (Hole::Value(name), Some(kind)) => when(
            request && kind.fields.iter().any(|field| field.name == *name),
            &format!("kind `{}` has no such field, or it would be shown", kind.name),
        ),
        (Hole::Managing(name), Some(kind)) => {
            let managing = kind.managing.as_ref().and_then(|managing| service.kind(&managing.kind));
            match managing {
                None => Err(format!("kind `{}` names no managing credential", kind.name)),
                Some(managing) => when(
                    request && managing.fields.iter().any(|field| field.name == *name),
                    &format!("kind `{}` has no such field, or it would be shown", managing.name),
                ),
            }
        }
        (Hole::KeyScopes, _) => when(place == Place::Make, "scopes are copied when a key is made, nowhere else"),
        (Hole::OldId | Hole::OldName, _) => {
            when(place == Place::Make || step, "in a request that verifies, lists, revokes or switches write {id}")
        }
        (Hole::NewName, _) => when(matches!(place, Place::Make | Place::MakeStep), "only a key that is made gets a name"),
        (Hole::Id, _) => when(
            matches!(place, Place::Verify | Place::Revoke | Place::Switch),
            "the id is known to a verify, a revoke and a switch only",
        ),
    }
}

/// Every definition must be used: an unused one is most often a misspelt reference, and never tested.
fn check_use(manifest: &Manifest) -> Result<(), Fault> {
    use crate::manifest::By;
    let mut used: BTreeSet<(&'static str, &str)> = BTreeSet::new();
    for entry in manifest.kinds.values() {
        used.extend(entry.verify.iter().map(|name| ("verify", name.as_str())));
        used.extend([&entry.disable, &entry.enable].into_iter().flatten().map(|by| match by {
            By::Api(name) => ("switch", name.as_str()),
            By::Person(name) => ("guide", name.as_str()),
        }));
        if let Some(rotate) = &entry.rotate {
            used.extend(rotate.list.iter().map(|name| ("list", name.as_str())));
            used.insert(match &rotate.make {
                By::Api(name) => ("make", name.as_str()),
                By::Person(name) => ("guide", name.as_str()),
            });
            used.insert(match &rotate.retire {
                By::Api(name) => ("revoke", name.as_str()),
                By::Person(name) => ("guide", name.as_str()),
            });
        }
    }
    fn defined<'m, T>(
        what: &'static str,
        map: &'m BTreeMap<String, Placed<T>>,
    ) -> impl Iterator<Item = (&'static str, &'m str, usize)> {
        map.iter().map(move |(name, entry)| (what, name.as_str(), entry.at))
    }
    defined("verify", &manifest.verifies)
        .chain(defined("list", &manifest.lists))
        .chain(defined("make", &manifest.makes))
        .chain(defined("revoke", &manifest.revokes))
        .chain(defined("switch", &manifest.switches))
        .chain(defined("guide", &manifest.guides))
        .find(|(what, name, _)| !used.contains(&(*what, *name)))
        .map_or(Ok(()), |(what, name, at)| Err((at, ManifestFault::Unused { what, name: name.to_owned() })))
}
