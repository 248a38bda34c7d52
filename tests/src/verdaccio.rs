//! verdaccio, an npm-compatible registry that nobody here wrote: makes, lists and revokes real tokens on loopback.
//!
//! `cargo xtask test` installs it. Each test starts one of its own, on a free port with an empty store, and it ends with the
//! value that stands for it.

use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long it may take to answer; two seconds are usual.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running registry.
pub struct Verdaccio {
    address: SocketAddr,
    process: Child,
    /// Its configuration, users and tokens; removed with it.
    _store: tempfile::TempDir,
}

impl Verdaccio {
    /// Starts one whose tokens live as long as `tokens_live`, such as `1h` or `2s`: the server decides, the client cannot.
    ///
    /// # Errors
    /// When it is not installed, does not start, or does not answer in time; the text says what to do.
    pub fn start(tokens_live: &str) -> Result<Self, String> {
        let installed = installed();
        let (node, script) = (node(&installed), installed.join("verdaccio/bin/verdaccio"));
        if !script.is_file() || !node.is_file() {
            return Err("verdaccio is not installed: run `cargo xtask test real` once".to_owned());
        }
        let said = |what: &str| {
            let what = what.to_owned();
            move |cause: std::io::Error| format!("{what}: {cause}")
        };
        let store = tempfile::tempdir().map_err(said("a folder for verdaccio"))?;
        // Bound and let go: nobody else on this machine is likely to take it within the second, and if so the start fails.
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
        let address = free.map_err(said("a free port for verdaccio"))?;
        let config = store.path().join("config.yaml");
        std::fs::write(&config, configuration(store.path(), address, tokens_live)).map_err(said("verdaccio's configuration"))?;
        let mut command = Command::new(node);
        command.arg(script).arg("--config").arg(&config).current_dir(store.path());
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let mut running = Self { address, process: process.map_err(said("verdaccio"))?, _store: store };
        running.wait()?;
        Ok(running)
    }

    /// Its address, such as `http://127.0.0.1:4873`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its process id, for tests that stop or end it under way.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Sends one request, with a JSON body if given and the authorisation header as it stands. Gives status and body.
    ///
    /// # Errors
    /// When the connection fails.
    pub fn call(
        &self,
        method: &str,
        path: &str,
        authorization: Option<&str>,
        body: Option<&Value>,
    ) -> std::io::Result<(u16, Value)> {
        let mut stream = TcpStream::connect_timeout(&self.address, Duration::from_secs(5))?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let body = body.map(ToString::to_string).unwrap_or_default();
        let signed = authorization.map(|value| format!("Authorization: {value}\r\n")).unwrap_or_default();
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nHost: {}\r\n{signed}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        )?;
        let mut reply = String::new();
        stream.read_to_string(&mut reply)?;
        let status = reply.get(9..12).and_then(|code| code.parse().ok()).unwrap_or(0);
        let text = reply.split_once("\r\n\r\n").map_or("", |(_, text)| text);
        Ok((status, serde_json::from_str(text).unwrap_or(Value::Null)))
    }

    /// Makes an account and a first token of it, as `npm adduser` and `npm token create` would. Gives the token.
    ///
    /// # Errors
    /// When the registry refuses; the text says what it answered.
    pub fn account(&self, name: &str, password: &str) -> Result<String, String> {
        let user = json!({ "name": name, "password": password });
        let path = format!("/-/user/org.couchdb.user:{name}");
        let (_, made) = self.call("PUT", &path, None, Some(&user)).map_err(|error| error.to_string())?;
        let session = made["token"].as_str().ok_or_else(|| format!("no account: {made}"))?;
        let wanted = json!({ "password": password, "readonly": false, "cidr_whitelist": [] });
        let bearer = format!("Bearer {session}");
        let (_, token) =
            self.call("POST", "/-/npm/v1/tokens", Some(&bearer), Some(&wanted)).map_err(|error| error.to_string())?;
        token["token"].as_str().map(str::to_owned).ok_or_else(|| format!("no token: {token}"))
    }

    /// What `whoami` answers to a token: status and body.
    ///
    /// # Errors
    /// When the connection fails.
    pub fn whoami(&self, token: &str) -> std::io::Result<(u16, Value)> {
        self.call("GET", "/-/whoami", Some(&format!("Bearer {token}")), None)
    }

    fn wait(&mut self) -> Result<(), String> {
        let start = Instant::now();
        while !answers(self.address) {
            if let Ok(Some(status)) = self.process.try_wait() {
                return Err(format!("verdaccio ended while it started: {status}"));
            }
            if start.elapsed() > PATIENCE {
                return Err(format!("verdaccio did not answer within {} s", PATIENCE.as_secs()));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for Verdaccio {
    fn drop(&mut self) {
        // It may have been ended by the test; it is to be gone, either way.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Whether a ping brings a 200. No client library: what is tested with this server is our own client.
fn answers(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(stream, "GET /-/ping HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
        let mut head = [0; 12];
        stream.read_exact(&mut head)?;
        Ok(&head == b"HTTP/1.1 200")
    };
    ask().unwrap_or(false)
}

/// Where `cargo xtask test` puts it.
fn installed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/peers/verdaccio/node_modules")
}

/// The Node.js that was installed with it: newer than many systems have.
fn node(installed: &Path) -> PathBuf {
    let machine = if cfg!(target_arch = "aarch64") { "arm64" } else { "x64" };
    installed.join(format!("node-linux-{machine}/bin/node"))
}

fn configuration(store: &Path, address: SocketAddr, tokens_live: &str) -> String {
    let store = store.display();
    format!(
        "storage: {store}/storage\n\
         auth: {{ htpasswd: {{ file: {store}/htpasswd }} }}\n\
         security: {{ api: {{ legacy: false, migrateToSecureLegacySignature: true, jwt: {{ sign: {{ expiresIn: {tokens_live} }} }} }} }}\n\
         packages: {{ '**': {{ access: $authenticated, publish: $authenticated }} }}\n\
         flags: {{ webLogin: false }}\n\
         log: {{ type: stdout, format: pretty, level: warn }}\n\
         listen: {address}\n"
    )
}
