//! Servers on loopback that misbehave in one way each, and write down every byte that they are sent.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A server on a free port; ends when it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    connections: Arc<Mutex<Vec<Vec<u8>>>>,
    stop: Arc<AtomicBool>,
}

impl Server {
    /// Hands every connection to the behaviour, together with a place for the bytes it reads.
    pub(crate) fn new(behave: impl Fn(TcpStream, &mut Vec<u8>) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self { address: listener.local_addr().unwrap(), connections: Arc::default(), stop: Arc::default() };
        let (connections, stop, behave) = (server.connections.clone(), server.stop.clone(), Arc::new(behave));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                // A client that hangs must fail its test, not keep this thread.
                stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
                let (connections, behave) = (connections.clone(), behave.clone());
                let at = {
                    let mut connections = connections.lock().unwrap();
                    connections.push(Vec::new());
                    connections.len() - 1
                };
                std::thread::spawn(move || {
                    let mut seen = Vec::new();
                    behave(stream, &mut seen);
                    connections.lock().unwrap()[at] = seen;
                });
            }
        });
        server
    }

    /// Reads one request and answers it with these bytes, then closes.
    pub(crate) fn answering(reply: impl Into<Vec<u8>>) -> Self {
        let reply = reply.into();
        Self::new(move |mut stream, seen| {
            read_head(&mut stream, seen);
            // The client may have gone away on purpose.
            let _ = stream.write_all(&reply);
        })
    }

    /// Reads whatever comes until the other side closes.
    pub(crate) fn silent() -> Self {
        Self::new(|mut stream, seen| {
            let _ = stream.read_to_end(seen);
        })
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// How many connections came.
    pub(crate) fn connections(&self) -> usize {
        self.connections.lock().unwrap().len()
    }

    /// What was read, connection by connection; asked after the client is done, waits for the servers' threads to be too.
    pub(crate) fn seen(&self) -> Vec<Vec<u8>> {
        for _ in 0..500 {
            let connections = self.connections.lock().unwrap();
            if connections.iter().all(|seen| !seen.is_empty()) {
                return connections.clone();
            }
            drop(connections);
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("a connection brought nothing");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the accept.
        let _ = TcpStream::connect(self.address);
    }
}

/// Reads to the end of a request's head.
pub(crate) fn read_head(stream: &mut impl Read, seen: &mut Vec<u8>) {
    let mut buffer = [0; 4096];
    while !seen.windows(4).any(|four| four == b"\r\n\r\n") {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return,
            Ok(read) => seen.extend_from_slice(&buffer[..read]),
        }
    }
}

/// Whether the bytes hold the text.
pub(crate) fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}
