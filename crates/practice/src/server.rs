//! The server: a listener on 127.0.0.1, a task a connection, and a connection dropped where a fault says so.
//!
//! hyper is driven by hand instead of through `axum::serve`, which has no way to end a connection without a reply.
//! What may not live here: routes' work.

use crate::error::PracticeError;
use crate::practice::Practice;
use crate::reply::{Reply, Unsent};
use crate::{api, portal};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// No body that the service knows is a tenth of this.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// After a failed accept (out of file descriptors, mostly) a pause, so that the loop does not spin until there are some.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A practice service that listens but does not answer yet.
#[derive(Debug)]
pub struct Server {
    practice: Practice,
    listener: TcpListener,
    address: SocketAddr,
}

impl Server {
    /// Listens on 127.0.0.1 at that port; 0 for any free one.
    ///
    /// # Errors
    /// [`PracticeError::Listen`] when the port is taken or may not be used.
    pub fn bind(practice: Practice, port: u16) -> Result<Self, PracticeError> {
        let listen = || {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
            listener.set_nonblocking(true)?; // tokio demands it
            let address = listener.local_addr()?;
            Ok(Self { practice, listener, address })
        };
        listen().map_err(|source| PracticeError::Listen { port, source })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `shutdown` completes, then closes every connection at once. A call under way is then done or not, without
    /// a reply, as with any server that is stopped. Needs a tokio runtime with I/O and time.
    ///
    /// # Errors
    /// [`PracticeError::Listen`] when the runtime cannot take the listener over.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), PracticeError> {
        let listener = tokio::net::TcpListener::from_std(self.listener)
            .map_err(|source| PracticeError::Listen { port: self.address.port(), source })?;
        let routes = routes(self.practice);
        let mut connections = JoinSet::new();
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => return Ok(()),
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => { connections.spawn(converse(stream, routes.clone())); }
                    Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
                },
                Some(_) = connections.join_next() => {} // a connection ended; forget its task
            }
        }
    }

    /// [`Server::bind`] and [`Server::run`] on a thread of their own, until the result is dropped.
    ///
    /// # Errors
    /// Those of [`Server::bind`], or [`PracticeError::Listen`] when the thread or its runtime cannot start.
    pub fn spawn(practice: Practice, port: u16) -> Result<Running, PracticeError> {
        let server = Self::bind(practice, port)?;
        let address = server.address();
        let failed = |source| PracticeError::Listen { port, source };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let (stop, stopped) = oneshot::channel::<()>();
        let work = move || {
            runtime.block_on(server.run(async {
                // An error means that the sender is gone, which is the same wish.
                let _ = stopped.await;
            }))
        };
        let thread = std::thread::Builder::new().name("practice-service".to_owned()).spawn(work).map_err(failed)?;
        Ok(Running { address, stop: Some(stop), thread: Some(thread) })
    }
}

/// A practice service that answers on a thread of its own. Dropping it stops it and waits for the thread.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<(), PracticeError>>>,
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its base URL, without a slash at the end, such as `http://127.0.0.1:4000`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has stopped as well.
            let _ = thread.join();
        }
    }
}

fn routes(practice: Practice) -> Router {
    let nowhere = || std::future::ready(Reply::error(StatusCode::NOT_FOUND, "not found"));
    Router::new()
        .merge(api::routes())
        .merge(portal::routes())
        .fallback(nowhere)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(practice)
}

/// Serves one connection to its end. hyper drops a connection without a byte when the service answers with an error.
async fn converse(stream: TcpStream, routes: Router) {
    let routes = TowerToHyperService::new(routes);
    let service = service_fn(move |request| {
        let reply = routes.call(request);
        async move {
            let Ok(response) = reply.await;
            if response.extensions().get::<Unsent>().is_some() {
                return Err(io::Error::from(io::ErrorKind::ConnectionAborted));
            }
            Ok(response)
        }
    });
    // Every error here is a connection that ended early, by a fault or by the client: there is nobody left to tell.
    let _ = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await;
}
