//! The reqwest clients: one for each route and encoding, built when it is first needed (building reads the system's
//! certificates).

use super::addresses::Guard;
use super::permit::Route;
use super::{HttpOptions, HttpSetupError};
use reqwest::{Certificate, Client, ClientBuilder, redirect, retry, tls};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// How this client introduces itself, unless a manifest says otherwise.
const USER_AGENT: &str = concat!("keytender/", env!("CARGO_PKG_VERSION"));
/// A service that answers with more headers than this has gone wrong; together they may take about 400 KiB (hyper's limit).
const HEADERS_MAX: usize = 512;

/// All clients.
pub(super) struct Clients {
    connect_timeout: Duration,
    extra_roots: Vec<Certificate>,
    loopback: Pair,
    public: Pair,
    self_hosted: Pair,
}

/// The clients of one route.
struct Pair {
    route: Route,
    guard: Arc<Guard>,
    /// Takes gzip and decodes it.
    decoding: OnceLock<Result<Client, String>>,
    /// Gives the body as it came: a make reply is sealed as it came.
    raw: OnceLock<Result<Client, String>>,
}

impl Clients {
    /// Reads the extra certificates; builds no client yet.
    pub(super) fn new(options: &HttpOptions) -> Result<Self, HttpSetupError> {
        let pair = |route| Pair {
            route,
            guard: Arc::new(Guard::new(route, options.lookup.clone())),
            decoding: OnceLock::new(),
            raw: OnceLock::new(),
        };
        Ok(Self {
            connect_timeout: options.connect_timeout,
            extra_roots: options.extra_roots.as_deref().map(read_roots).transpose()?.unwrap_or_default(),
            loopback: pair(Route::Loopback),
            public: pair(Route::Public),
            self_hosted: pair(Route::SelfHosted),
        })
    }

    /// The client for a request to the host; an error in words where TLS cannot be set up on this computer.
    pub(super) fn of(&self, route: Route, host: &str, raw: bool) -> Result<Client, String> {
        let pair = match route {
            Route::Loopback => &self.loopback,
            Route::Public => &self.public,
            Route::SelfHosted => &self.self_hosted,
        };
        pair.guard.expect(host);
        let built = if raw { &pair.raw } else { &pair.decoding };
        built.get_or_init(|| self.build(pair, raw)).clone()
    }

    /// Builds a client. Where the system has no certificates at all, what needs none must work all the same: off the public
    /// route, where plain http is allowed, the client then trusts the extra ones only.
    fn build(&self, pair: &Pair, raw: bool) -> Result<Client, String> {
        let builder = || self.builder(pair, raw);
        builder()
            .tls_certs_merge(self.extra_roots.iter().cloned())
            .build()
            .or_else(|error| match pair.route {
                Route::Public => Err(error),
                Route::Loopback | Route::SelfHosted => builder().tls_certs_only(self.extra_roots.iter().cloned()).build(),
            })
            .map_err(|error| {
                let cause = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
                format!("TLS cannot be set up: {cause}")
            })
    }

    fn builder(&self, pair: &Pair, raw: bool) -> ClientBuilder {
        let builder = Client::builder()
            .user_agent(USER_AGENT)
            .redirect(redirect::Policy::none())
            .referer(false)
            .retry(retry::never())
            // A connection that was used before may be half dead; what is sent on it cannot be told from what is lost on it.
            .pool_max_idle_per_host(0)
            .http1_max_headers(HEADERS_MAX)
            .gzip(!raw)
            .connect_timeout(self.connect_timeout)
            .https_only(pair.route == Route::Public)
            .tls_version_min(tls::Version::TLS_1_2)
            .dns_resolver(pair.guard.clone());
        if pair.route == Route::Loopback { builder.no_proxy() } else { builder }
    }
}

/// Reads a PEM file of certificates.
fn read_roots(path: &Path) -> Result<Vec<Certificate>, HttpSetupError> {
    let refused = |detail: String| HttpSetupError::Roots { path: path.to_owned(), detail };
    let pem = std::fs::read(path).map_err(|error| refused(error.to_string()))?;
    let roots = Certificate::from_pem_bundle(&pem).map_err(|error| refused(error.to_string()))?;
    if roots.is_empty() { Err(refused("there is no certificate in it".to_owned())) } else { Ok(roots) }
}
