//! No value shows in an error or in a log, at any level, of this crate or of those below it.

use crate::servers::Server;
use crate::{canary, client, options, request};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keytender_core::exchange::{CallClass, RequestValue};
use keytender_core::ports::Http;
use keytender_core::secret::{SecretBytes, SecretText};
use keytender_host::http::HttpClient;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tracing_subscriber::fmt::MakeWriter;

/// Everything that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// A request with the canary in its path, its query, its headers and its body.
fn loaded(base: &str, canary: &str) -> RequestValue {
    let mut request = request(base, canary);
    request.url = SecretText::new(format!("{base}bot{canary}/me?key={canary}"));
    request.method = "POST";
    request.class = CallClass::Make;
    request.headers.push(("authorization".to_owned(), SecretText::new(format!("Bearer {canary}"))));
    request.body = Some(SecretBytes::new(format!("{{\"key\":\"{canary}\"}}").into_bytes()));
    request
}

#[test]
fn values_show_in_no_error_and_no_log() {
    let log = Log::default();
    // Also takes what the crates below say through `log`.
    tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).with_ansi(false).init();

    let canary = canary();
    let good = Server::answering(format!("HTTP/1.1 201 Created\r\nx-new-key: {canary}\r\ncontent-length: 40\r\n\r\n{canary}"));
    let redirecting = Server::answering(format!("HTTP/1.1 302 Found\r\nlocation: /{canary}\r\ncontent-length: 0\r\n\r\n"));
    let garbled = Server::answering(format!("HTTP/9 {canary}\r\n\r\n"));
    let (cut, silent) = (Server::answering(""), Server::silent());
    let mut hasty = options();
    hasty.make_timeout = Duration::from_millis(200);
    let hasty = HttpClient::new(hasty).unwrap();
    let client = client();

    let mut told = String::new();
    let mut send = |client: &HttpClient, request: RequestValue| {
        let outcome = client.send(&request);
        told += &format!("{request:?} {outcome:?}\n");
        if let Err(error) = &outcome {
            told += &format!("{error} {error:#?}\n");
        }
        outcome.is_ok()
    };
    assert!(send(&client, loaded(&good.url("/"), &canary)));
    assert!(send(&client, loaded(&redirecting.url("/"), &canary)));
    assert!(!send(&client, loaded(&garbled.url("/"), &canary)));
    assert!(!send(&client, loaded(&cut.url("/"), &canary)));
    assert!(!send(&hasty, loaded(&silent.url("/"), &canary)));
    for base in ["http://127.0.0.1:1/", "https://api.example.com/", "http://api.example.com/", "https://10.0.0.1/"] {
        assert!(!send(&client, loaded(base, &canary)), "{base}");
    }
    let mut broken = loaded(&good.url("/"), &canary);
    broken.headers.push(("x-other".to_owned(), SecretText::new(format!("{canary}\r\n"))));
    assert!(!send(&client, broken));
    let mut nowhere = loaded(&good.url("/"), &canary);
    nowhere.url = SecretText::new(format!("http://[{canary}/"));
    assert!(!send(&client, nowhere));

    let logged = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    assert!(logged.contains("POST {base}/me"), "the log must be there to prove anything");
    assert!(logged.contains("hyper") || logged.contains("reqwest"), "the crates below must be heard too");
    for dressed in [canary.clone(), STANDARD.encode(&canary), hex::encode(&canary)] {
        assert!(!logged.contains(&dressed), "{}", logged.lines().find(|line| line.contains(&dressed)).unwrap_or_default());
        assert!(!told.contains(&dressed), "{told}");
    }
}
