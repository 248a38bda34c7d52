//! From a file's text to a [`Service`]: names are resolved, `like` is followed, and everything is checked.

use crate::digest::sha256_hex;
use crate::error::{ManifestError, ManifestFault};
use crate::manifest::{By, Field, KindEntry, Manifest, Placed, SettingEntry, Shown};
use crate::service::{Kind, MakeBy, RetireBy, Service, Setting, SwitchBy, SwitchPair, check};
use keytender_core::words::ServiceSlug;
use regex::Regex;
use std::collections::BTreeMap;

/// A fault and the byte offset at which it stands.
pub(super) type Fault = (usize, ManifestFault);

pub(super) fn load(file_name: &str, text: &str) -> Result<Service, ManifestError> {
    let refuse = |(at, fault): Fault| ManifestError::at(file_name, text, at, fault);
    let manifest: Manifest = toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        refuse((at, ManifestFault::Syntax(error.message().replace('\n', ", "))))
    })?;
    let service = assemble(file_name, text, &manifest).map_err(refuse)?;
    check::service(&service, &manifest).map_err(refuse)?;
    crate::cases::check(&service, &manifest).map_err(refuse)?;
    Ok(service)
}

fn assemble(file_name: &str, text: &str, manifest: &Manifest) -> Result<Service, Fault> {
    let slug = &manifest.slug;
    let spelt = !slug.is_empty()
        && slug.split('-').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()));
    if !spelt || file_name != format!("{}.toml", **slug) {
        return Err((slug.at, ManifestFault::Slug { slug: slug.to_string() }));
    }
    let mut settings = manifest.settings.iter().collect::<Vec<_>>();
    settings.sort_by_key(|(_, entry)| entry.at);
    let mut kinds = manifest.kinds.iter().collect::<Vec<_>>();
    kinds.sort_by_key(|(_, entry)| entry.at);
    Ok(Service {
        slug: ServiceSlug(slug.to_string()),
        name: manifest.name.clone(),
        about: manifest.about.clone(),
        hash: sha256_hex(text.as_bytes()),
        user: false,
        sources: manifest.sources.clone(),
        settings: settings.into_iter().map(|(name, entry)| setting(name, entry)).collect::<Result<_, _>>()?,
        kinds: kinds.into_iter().map(|(name, entry)| kind(manifest, name, entry)).collect::<Result<_, _>>()?,
        hazards: manifest.hazards.clone(),
        limits: manifest.limits,
        hosts: manifest.hosts.clone(),
        portal: manifest.portal.clone().map(Placed::into_inner),
        cases: manifest.cases.len(),
    })
}

fn setting(name: &str, entry: &Placed<SettingEntry>) -> Result<Setting, Fault> {
    Ok(Setting {
        name: name.to_owned(),
        label: entry.label.clone(),
        default: entry.default.clone(),
        required: entry.required,
        kind: entry.kind,
        pattern: entry.pattern.as_ref().map(whole).transpose()?,
    })
}

/// A pattern that must match a whole text.
fn whole(pattern: &Placed<String>) -> Result<Regex, Fault> {
    // The pattern alone first, so that the message speaks of what was written.
    Regex::new(pattern)
        .and_then(|_| Regex::new(&format!("^(?:{})$", **pattern)))
        .map_err(|error| (pattern.at, ManifestFault::BadPattern(error.to_string().replace('\n', " "))))
}

/// Resolves one kind. `like` goes one level deep: what a kind is, can be read in two places at most.
fn kind(manifest: &Manifest, name: &str, entry: &Placed<KindEntry>) -> Result<Kind, Fault> {
    let base = match &entry.like {
        None => None,
        Some(like) => {
            let base = find(&manifest.kinds, "kind", like)?;
            if base.like.is_some() {
                let chain = format!("`{}` is itself like another kind; name that one", **like);
                return Err((like.at, ManifestFault::Contradiction(chain)));
            }
            Some(base)
        }
    };
    let incomplete = |field| (entry.at, ManifestFault::Incomplete { kind: name.to_owned(), field });
    macro_rules! said {
        ($field:ident) => {
            entry.$field.as_ref().or_else(|| base.and_then(|base| base.$field.as_ref()))
        };
    }
    macro_rules! said_list {
        ($field:ident) => {
            base.filter(|_| entry.$field.is_empty()).map_or(&entry.$field, |base| &base.$field)
        };
    }
    let rotate = said!(rotate).ok_or_else(|| incomplete("rotate"))?;
    let default_field = || vec![Field { name: "secret".to_owned(), label: entry.label.clone(), secret: true }];
    Ok(Kind {
        name: name.to_owned(),
        label: entry.label.clone(),
        class: said!(class).copied().ok_or_else(|| incomplete("class"))?,
        fields: said!(fields).cloned().filter(|fields| !fields.is_empty()).unwrap_or_else(default_field),
        options: said_list!(options).clone(),
        life: said!(life).copied().ok_or_else(|| incomplete("life"))?,
        shown: said!(shown).copied().unwrap_or(Shown::Once),
        managing: said!(managing).map(|managing| (**managing).clone()),
        advice: said!(advice).cloned(),
        patterns: said_list!(patterns)
            .iter()
            .map(|pattern| Ok((pattern.clone(), whole(&pattern.regex)?)))
            .collect::<Result<_, Fault>>()?,
        carries: said!(carries).map(|carries| (**carries).clone()).unwrap_or_default(),
        verify: said!(verify).map(|name| find(&manifest.verifies, "verify", name).cloned()).transpose()?,
        list: rotate.list.as_ref().map(|name| find(&manifest.lists, "list", name).cloned()).transpose()?,
        make: match &rotate.make {
            By::Api(name) => MakeBy::Api(Box::new(find(&manifest.makes, "make", name)?.clone())),
            By::Person(name) => MakeBy::Person(find(&manifest.guides, "guide", name)?.clone()),
        },
        retire: match &rotate.retire {
            By::Api(name) => RetireBy::Api(Box::new(find(&manifest.revokes, "revoke", name)?.clone())),
            By::Person(name) => RetireBy::Person(find(&manifest.guides, "guide", name)?.clone()),
        },
        old: rotate.old,
        settle: said!(settle).copied(),
        linger: said!(linger).copied(),
        switch: switch(manifest, said!(disable), said!(enable))?,
    })
}

/// Both ways of a switch. Half a switch is a way to revoke, and a request that turns the key the other way each time could
/// not be repeated after a lost reply.
fn switch(manifest: &Manifest, disable: Option<&By>, enable: Option<&By>) -> Result<Option<SwitchBy>, Fault> {
    let contradiction = |name: &Placed<String>, why: &str| Err((name.at, ManifestFault::Contradiction(why.to_owned())));
    match (disable, enable) {
        (None, None) => Ok(None),
        (Some(By::Api(off)), Some(By::Api(on))) if **off == **on => {
            contradiction(on, "`disable` and `enable` are the same request; each must lead to one state however often it is sent")
        }
        (Some(By::Api(off)), Some(By::Api(on))) => {
            let call = |name| find(&manifest.switches, "switch", name).cloned();
            Ok(Some(SwitchBy::Api(Box::new(SwitchPair { disable: call(off)?, enable: call(on)? }))))
        }
        (Some(By::Person(off)), Some(By::Person(on))) => {
            let steps = |name| find(&manifest.guides, "guide", name).cloned();
            Ok(Some(SwitchBy::Person(SwitchPair { disable: steps(off)?, enable: steps(on)? })))
        }
        (Some(By::Api(_)), Some(By::Person(on))) | (Some(By::Person(_)), Some(By::Api(on))) => {
            contradiction(on, "`disable` and `enable` must both be requests, or both be done by a person")
        }
        (Some(By::Api(off) | By::Person(off)), None) => contradiction(off, "`disable` without `enable` cannot be taken back"),
        (None, Some(By::Api(on) | By::Person(on))) => contradiction(on, "`enable` without `disable` has nothing to take back"),
    }
}

fn find<'m, T>(map: &'m BTreeMap<String, Placed<T>>, what: &'static str, name: &Placed<String>) -> Result<&'m T, Fault> {
    map.get(name.as_str())
        .map(std::ops::Deref::deref)
        .ok_or_else(|| (name.at, ManifestFault::Missing { what, name: name.to_string() }))
}
