//! HTTP: one request, one reply, and an honest word on whether it may have arrived.
//!
//! No redirect is followed, nothing is repeated, no connection is used twice, and nothing leaves for a place that the request
//! does not list. What a reply means is not known here, and neither is any service.
//!
//! Async inside, blocking outside: a thread of its own runs the requests, so that [`Http::send`] may be called from any
//! thread, inside another runtime too.

mod addresses;
mod clients;
mod exchange;
mod limiter;
mod permit;

pub use addresses::Lookup;

use clients::Clients;
use keytender_core::exchange::{CallClass, Origin, RequestValue, ResponseValue};
use keytender_core::ports::{Clock, Http, HttpError, HttpTrouble, Sent};
use keytender_core::retry_after::retry_after;
use limiter::Limiter;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// How the client behaves where tests and odd networks need it otherwise.
#[derive(Clone)]
pub struct HttpOptions {
    /// What time it is, for limits and replies.
    pub clock: Arc<dyn Clock>,
    /// Resolves names; its answers are checked like any other's.
    pub lookup: Lookup,
    /// For resolving, connecting and TLS together. 10 s.
    pub connect_timeout: Duration,
    /// For everything, up to the last byte of the reply. 30 s.
    pub timeout: Duration,
    /// The same for [`CallClass::Make`]: giving up early on it can cost a key. 120 s.
    pub make_timeout: Duration,
    /// A PEM file with certificates to trust beside the system's, for self-hosted services.
    pub extra_roots: Option<PathBuf>,
}

impl HttpOptions {
    /// The values for daily work.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            lookup: Arc::new(addresses::system_lookup),
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(30),
            make_timeout: Duration::from_secs(120),
            extra_roots: None,
        }
    }
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum HttpSetupError {
    /// The file with extra certificates cannot be read, or holds none.
    #[error(
        "the extra certificates in {path} cannot be used: {detail}. Without that setting, the system's certificates are used"
    )]
    Roots {
        /// The file.
        path: PathBuf,
        /// Why not.
        detail: String,
    },
    /// The system gave no thread or no event queue.
    #[error("the HTTP client could not start: {0}")]
    Thread(#[source] std::io::Error),
}

/// The client. One for a process, so that its limits are the process's.
pub struct HttpClient {
    clock: Arc<dyn Clock>,
    clients: Clients,
    limiter: Limiter,
    timeout: Duration,
    make_timeout: Duration,
    runtime: Handle,
    /// Dropping it ends the thread that runs the requests.
    _alive: oneshot::Sender<()>,
}

impl HttpClient {
    /// Starts the thread that runs the requests.
    ///
    /// # Errors
    /// See [`HttpSetupError`].
    pub fn new(options: HttpOptions) -> Result<Self, HttpSetupError> {
        let clients = Clients::new(&options)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(HttpSetupError::Thread)?;
        let handle = runtime.handle().clone();
        let (alive, ended) = oneshot::channel::<()>();
        std::thread::Builder::new()
            .name("http".to_owned())
            .spawn(move || {
                // Ends with an error, as nothing is ever sent: the other half was dropped.
                let _ = runtime.block_on(ended);
                // A name that is still being resolved must not hold up the end.
                runtime.shutdown_background();
            })
            .map_err(HttpSetupError::Thread)?;
        Ok(Self {
            clock: options.clock,
            clients,
            limiter: Limiter::default(),
            timeout: options.timeout,
            make_timeout: options.make_timeout,
            runtime: handle,
            _alive: alive,
        })
    }

    /// Checks, counts and sends.
    fn carry(&self, request: &RequestValue) -> Result<ResponseValue, HttpError> {
        let refused = |trouble| HttpError { trouble, sent: Sent::No };
        let mut permitted = permit::permit(request).map_err(|why| refused(HttpTrouble::Forbidden(why)))?;
        let origin = permitted.origin;
        self.limiter
            .admit(request, &origin, self.clock.now())
            .map_err(|possible_at| refused(HttpTrouble::Limited(possible_at)))?;
        let make = request.class == CallClass::Make;
        let client = self
            .clients
            .of(permitted.route, &permitted.host, make)
            .map_err(|detail| refused(HttpTrouble::Connect(format!("{origin}: {detail}"))))?;
        *permitted.request.timeout_mut() = Some(if make { self.make_timeout } else { self.timeout });

        let (answer, answered) = mpsc::sync_channel(1);
        let task = exchange::exchange(client, permitted.request, origin.clone());
        self.runtime.spawn(async move {
            // Nobody waits any more only if the caller's thread is gone.
            let _ = answer.send(task.await);
        });
        // The request's own time limit ends the wait. No answer at all means that its thread died with the request.
        let reply = answered.recv().unwrap_or(Err(HttpError { trouble: HttpTrouble::Cut, sent: Sent::Maybe }))?;
        let response = ResponseValue {
            status: reply.status,
            headers: reply.headers,
            body: reply.body,
            complete: reply.complete,
            received_at: self.clock.now(),
        };
        self.heed(request, &origin, &response);
        Ok(response)
    }

    /// Remembers until when the service wants to be left alone.
    fn heed(&self, request: &RequestValue, origin: &Origin, response: &ResponseValue) {
        if let Some(until) = retry_after(response, response.received_at) {
            self.limiter.hold(&request.service, origin, response.received_at, until);
        }
    }
}

impl Http for HttpClient {
    fn send(&self, request: &RequestValue) -> Result<ResponseValue, HttpError> {
        let outcome = self.carry(request);
        match &outcome {
            Ok(response) => tracing::debug!(service = %request.service, ?request, ?response, "answered"),
            Err(error) => tracing::debug!(service = %request.service, ?request, %error, sent = ?error.sent, "not answered"),
        }
        outcome
    }
}
