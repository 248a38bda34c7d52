//! Whether a request may be sent at all: decided from the request alone, before any name is resolved.
//!
//! No word that leaves this module holds a part of the URL but its origin, or a header's value.

use keytender_core::exchange::{CallClass, Origin, RequestValue};
use reqwest::Method;
use reqwest::header::{ACCEPT_ENCODING, HeaderMap, HeaderName, HeaderValue};
use url::{Host, Url};

/// The kind of place a request goes to: decides about proxies, and which addresses its name may resolve to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// This computer, literally: `localhost`, 127.0.0.0/8 or ::1. Never through a proxy.
    Loopback,
    /// A name on the internet: https, public addresses.
    Public,
    /// What a person marked as self-hosted: any address, plain http too.
    SelfHosted,
}

/// A request that may be sent.
pub(super) struct Permitted {
    /// Where it goes.
    pub(super) route: Route,
    /// Scheme, host and port.
    pub(super) origin: Origin,
    /// The host, as the resolver will be asked for it.
    pub(super) host: String,
    /// The request, all of its headers marked sensitive.
    pub(super) request: reqwest::Request,
}

/// Checks a request and makes it ready, or says in words why it must not be sent.
pub(super) fn permit(request: &RequestValue) -> Result<Permitted, String> {
    let url = Url::parse(request.url.expose()).map_err(|_| format!("the address of {} is no URL", request.shown))?;
    let (Some(origin), Some(host)) = (Origin::of(&url), url.host().map(|host| host.to_owned())) else {
        return Err("the address has no host".to_owned());
    };
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("{} is neither https nor http", url.scheme()));
    }
    if !request.origins.contains(&origin) {
        return Err(format!("{origin} is not among the hosts that were consented to"));
    }
    // A client would turn these into a header of its own, past the checks on headers.
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!("the address at {origin} carries a user name or password; they belong into a header"));
    }
    let route = route(&host, request.self_hosted, url.scheme() == "https").map_err(|why| format!("{origin} {why}"))?;
    let method = Method::from_bytes(request.method.as_bytes()).map_err(|_| "the method is none of HTTP's".to_owned())?;
    let mut ready = reqwest::Request::new(method, url);
    *ready.headers_mut() = headers(request)?;
    *ready.body_mut() = request.body.as_ref().map(|body| body.expose().to_vec().into());
    Ok(Permitted { route, origin, host: host.to_string(), request: ready })
}

/// The route to a host, or why there is none.
fn route(host: &Host<String>, self_hosted: bool, https: bool) -> Result<Route, &'static str> {
    let (loopback, literal) = match host {
        Host::Domain(name) => (name == "localhost", false),
        Host::Ipv4(address) => (address.is_loopback(), true),
        Host::Ipv6(address) => (address.is_loopback(), true),
    };
    match () {
        () if loopback => Ok(Route::Loopback),
        () if self_hosted => Ok(Route::SelfHosted),
        () if !https => Err("is plain http, which is allowed to this computer and to self-hosted services only"),
        () if literal => Err("is an IP address instead of a name, which is allowed for self-hosted services only"),
        () => Ok(Route::Public),
    }
}

/// The headers as they are sent.
fn headers(request: &RequestValue) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::with_capacity(request.headers.len() + 1);
    for (name, value) in &request.headers {
        let header = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| "a header's name has characters that none may have".to_owned())?;
        // The type refuses CR, LF, NUL and the other control characters, so that no value can add a header of its own.
        let mut value = HeaderValue::from_bytes(value.expose().as_bytes())
            .map_err(|_| format!("the value for the header {header} has a line break or another control character"))?;
        value.set_sensitive(true);
        // The encoding is this client's business: it is the one who decodes.
        if header != ACCEPT_ENCODING {
            headers.append(header, value);
        }
    }
    if request.class == CallClass::Make {
        // A reply that holds a new key is sealed byte for byte; a compressed one that is cut short would be lost whole.
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use keytender_core::secret::SecretText;
    use keytender_core::words::ServiceSlug;

    fn request(url: &str, self_hosted: bool, headers: &[(&str, &str)]) -> RequestValue {
        RequestValue {
            service: ServiceSlug("example".to_owned()),
            class: CallClass::Verify,
            method: "GET",
            url: SecretText::new(url.to_owned()),
            shown: "{base}/me".to_owned(),
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), SecretText::new((*value).to_owned()))).collect(),
            body: None,
            origins: Url::parse(url).ok().and_then(|url| Origin::of(&url)).into_iter().collect(),
            self_hosted,
            calls_per_minute: 10,
        }
    }

    fn routed(url: &str, self_hosted: bool) -> Option<Route> {
        permit(&request(url, self_hosted, &[])).ok().map(|permitted| permitted.route)
    }

    #[test]
    fn the_route_follows_the_host_and_the_consent() {
        use Route::{Loopback, Public, SelfHosted};
        for (url, plain, consented) in [
            ("https://api.example.com/", Some(Public), Some(SelfHosted)),
            ("http://api.example.com/", None, Some(SelfHosted)),
            ("https://192.168.1.5/", None, Some(SelfHosted)),
            ("https://93.184.216.34/", None, Some(SelfHosted)),
            ("https://[2606:2800:220:1::1]/", None, Some(SelfHosted)),
            ("http://localhost:4873/", Some(Loopback), Some(Loopback)),
            ("http://127.0.0.1:4873/", Some(Loopback), Some(Loopback)),
            ("http://127.9.9.9/", Some(Loopback), Some(Loopback)),
            ("http://0x7f.1/", Some(Loopback), Some(Loopback)),
            ("http://[::1]:80/", Some(Loopback), Some(Loopback)),
            // Look-alikes of loopback are names or addresses like any other.
            ("http://[::ffff:127.0.0.1]/", None, Some(SelfHosted)),
            ("http://localhost.example.com/", None, Some(SelfHosted)),
            ("http://localhost./", None, Some(SelfHosted)),
            ("http://0.0.0.0/", None, Some(SelfHosted)),
            ("ftp://api.example.com/", None, None),
            ("file:///etc/passwd", None, None),
            ("no url", None, None),
        ] {
            assert_eq!(routed(url, false), plain, "{url}");
            assert_eq!(routed(url, true), consented, "{url}, self-hosted");
        }
    }

    #[test]
    fn only_consented_origins_are_gone_to() {
        let mut wrong = request("https://api.example.com/", false, &[]);
        for origin in ["https://api.example.com:8443/", "http://api.example.com/", "https://example.com/"] {
            wrong.origins = vec![Origin::of(&Url::parse(origin).unwrap()).unwrap()];
            assert!(permit(&wrong).is_err(), "{origin}");
        }
        assert!(permit(&request("https://user:pass@api.example.com/", false, &[])).is_err());
        assert!(permit(&request("https://api.example.com@evil.example/", false, &[])).is_err());
    }

    #[test]
    fn values_cannot_add_headers() {
        let canary = "c".repeat(40);
        for end in ["\r\nx-evil: 1", "\n", "\r", "\0", "\u{7f}"] {
            let told =
                permit(&request("https://api.example.com/", false, &[("x-token", &format!("{canary}{end}"))])).err().unwrap();
            assert!(told.contains("x-token") && !told.contains(&canary), "{told}");
        }
        assert!(permit(&request("https://api.example.com/", false, &[("x token", "v")])).is_err());
    }

    #[test]
    fn every_header_is_sensitive_and_the_encoding_is_ours() {
        let mut make = request("https://api.example.com/", false, &[("x-token", "v"), ("accept-encoding", "br")]);
        let verify = permit(&make).ok().unwrap().request;
        assert!(verify.headers()["x-token"].is_sensitive());
        assert!(!verify.headers().contains_key("accept-encoding"));
        make.class = CallClass::Make;
        assert_eq!(permit(&make).ok().unwrap().request.headers()["accept-encoding"], "identity");
    }
}
