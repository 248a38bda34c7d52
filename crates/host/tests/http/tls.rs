//! Nothing of a request leaves before the server has proven who it is.

use crate::servers::{Server, holds, read_head};
use crate::{canary, options, request};
use keytender_core::ports::{Http, HttpTrouble, Sent};
use keytender_host::http::{HttpClient, HttpSetupError};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::Write;
use std::sync::Arc;

/// An https server with a certificate that it signed itself, and that certificate.
fn self_signed(name: &str, expired: bool) -> (Server, String) {
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    if expired {
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
    }
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    let config = Arc::new(config);
    let server = Server::new(move |stream, seen| {
        let mut stream = StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), stream);
        // Marks the connection as served, so that nothing decrypted is told from not yet served.
        seen.extend_from_slice(b"decrypted: ");
        read_head(&mut stream, seen);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
        stream.conn.send_close_notify();
        let _ = stream.flush();
    });
    (server, certificate.pem())
}

/// A client that trusts one more certificate.
fn trusting(pem: &str) -> HttpClient {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("extra.pem");
    std::fs::write(&path, pem).unwrap();
    let mut options = options();
    options.extra_roots = Some(path);
    HttpClient::new(options).unwrap()
}

/// Sends a canary; gives the cause of the refusal, once it is certain that not a byte of the request was decrypted.
fn refused(client: &HttpClient, server: &Server) -> String {
    let token = canary();
    let error = client.send(&request(&format!("https://localhost:{}/path", server.address.port()), &token)).unwrap_err();
    assert_eq!(error.sent, Sent::No);
    for seen in server.seen() {
        assert!(!holds(&seen, &token) && !holds(&seen, "/path") && !holds(&seen, "HTTP/1.1"));
    }
    let HttpTrouble::Connect(told) = error.trouble else { panic!("{error:?}") };
    told
}

#[test]
fn a_trusted_certificate_is_accepted() {
    let (server, pem) = self_signed("localhost", false);
    let token = canary();
    let url = format!("https://localhost:{}/path", server.address.port());
    let reply = trusting(&pem).send(&request(&url, &token)).unwrap();
    assert_eq!((reply.body.expose(), reply.complete), (&b"ok"[..], true));
    assert!(holds(&server.seen()[0], &token));
}

#[test]
fn a_self_signed_certificate_gets_nothing() {
    let (server, _) = self_signed("localhost", false);
    let (_, another) = self_signed("localhost", false);
    let told = refused(&trusting(&another), &server);
    assert!(told.contains("certificate"), "{told}");
}

#[test]
fn an_expired_certificate_gets_nothing() {
    let (server, pem) = self_signed("localhost", true);
    let told = refused(&trusting(&pem), &server);
    assert!(told.contains("xpired"), "{told}");
}

#[test]
fn a_certificate_for_another_host_gets_nothing() {
    let (server, pem) = self_signed("other.example", false);
    let told = refused(&trusting(&pem), &server);
    assert!(told.contains("localhost"), "{told}");
}

#[test]
fn a_server_that_speaks_tls_1_1_gets_nothing() {
    let (_, pem) = self_signed("localhost", false);
    let server = Server::new(|mut stream, seen| {
        let mut hello = [0; 4096];
        let read = std::io::Read::read(&mut stream, &mut hello).unwrap();
        seen.extend_from_slice(&hello[..read]);
        // A ServerHello of TLS 1.1: version, random, no session, TLS_RSA_WITH_AES_128_CBC_SHA, no compression.
        let mut reply = vec![0x16, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2];
        reply.extend([7; 32]);
        reply.extend([0, 0, 0x2f, 0]);
        let _ = stream.write_all(&reply);
        let _ = std::io::Read::read_to_end(&mut stream, seen);
    });
    let told = refused(&trusting(&pem), &server);
    assert!(told.contains("Tls12"), "{told}");
}

#[test]
fn a_file_without_certificates_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options();
    options.extra_roots = Some(folder.path().join("missing.pem"));
    assert!(matches!(HttpClient::new(options.clone()), Err(HttpSetupError::Roots { .. })));
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "nothing").unwrap();
    options.extra_roots = Some(empty);
    assert!(matches!(HttpClient::new(options), Err(HttpSetupError::Roots { .. })));
}

/// Where the system keeps its certificates comes from the environment, which a test must not change under the others: it
/// starts itself again.
#[cfg(target_os = "linux")]
#[test]
fn a_computer_without_certificates_still_reaches_itself() {
    if std::env::var_os("KEYTENDER_TEST_NO_CERTIFICATES").is_some() {
        let server = Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
        let client = HttpClient::new(options()).unwrap();
        assert_eq!(client.send(&request(&server.url("/"), "t")).unwrap().status, 200);
        let error = client.send(&request("https://api.example.com/", "t")).unwrap_err();
        assert_eq!(error.sent, Sent::No);
        assert!(error.to_string().contains("TLS cannot be set up"), "{error}");
        return;
    }
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tls::a_computer_without_certificates_still_reaches_itself"])
        .env("KEYTENDER_TEST_NO_CERTIFICATES", "1")
        .env("SSL_CERT_FILE", "/nonexistent/certificates.pem")
        .env("SSL_CERT_DIR", "/nonexistent")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
}
