//! Where a request goes, and where it does not.

use crate::servers::{Server, holds};
use crate::{canary, client, options, request};
use keytender_core::exchange::Origin;
use keytender_core::ports::{Http, HttpTrouble, Sent};
use keytender_host::http::HttpClient;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

#[test]
fn no_redirect_is_followed() {
    let token = canary();
    for status in [301, 302, 303, 307, 308] {
        let second = Server::silent();
        for location in
            [second.url("/"), format!("http://localhost:{}/", second.address.port()), format!("//{}/", second.address)]
        {
            let first =
                Server::answering(format!("HTTP/1.1 {status} Elsewhere\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n"));
            let mut asked = request(&first.url("/"), &token);
            // Even where the second place is consented to.
            asked.origins.push(Origin::of(&second.url("/").parse().unwrap()).unwrap());
            let reply = client().send(&asked).unwrap();
            assert_eq!((reply.status, reply.header("location")), (status, Some(location.as_str())));
            assert!(holds(&first.seen()[0], &token));
        }
        assert_eq!(second.connections(), 0, "{status}");
    }
}

/// Sends and expects a refusal before anything leaves; gives what was told.
fn refused(client: &HttpClient, request: &keytender_core::exchange::RequestValue) -> String {
    let error = client.send(request).unwrap_err();
    assert_eq!(error.sent, Sent::No);
    let HttpTrouble::Forbidden(told) = error.trouble else { panic!("{error:?}") };
    told
}

#[test]
fn an_origin_that_is_not_listed_gets_nothing() {
    let server = Server::silent();
    let mut asked = request(&server.url("/"), "t");
    asked.origins = vec![Origin::of(&"https://api.example.com/".parse().unwrap()).unwrap()];
    assert!(refused(&client(), &asked).contains("consented"));
    assert_eq!(server.connections(), 0);
}

/// A client for which every name is this computer.
fn misled() -> HttpClient {
    let mut options = options();
    options.lookup = Arc::new(|_: &str| Ok(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]));
    HttpClient::new(options).unwrap()
}

#[test]
fn a_name_that_leads_inside_gets_nothing() {
    let server = Server::silent();
    let told = refused(&misled(), &request(&format!("https://api.example.com:{}/", server.address.port()), "t"));
    assert!(told.contains("api.example.com resolves to 127.0.0.1") && told.contains("self-hosted"), "{told}");
    assert_eq!(server.connections(), 0);
}

#[test]
fn plain_http_to_a_name_is_refused_unless_self_hosted() {
    let server = Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    let mut asked = request(&format!("http://git.example.com:{}/", server.address.port()), "t");
    assert!(refused(&misled(), &asked).contains("plain http"));
    assert_eq!(server.connections(), 0);
    asked.self_hosted = true;
    assert_eq!(misled().send(&asked).unwrap().status, 200);
}

#[test]
fn localhost_is_this_computer_whatever_the_resolver_says() {
    let server = Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    // The resolver of these tests knows no name at all.
    assert_eq!(client().send(&request(&format!("http://localhost:{}/", server.address.port()), "t")).unwrap().status, 200);
}

/// Proxies come from the environment, which a test must not change under the others: it starts itself again.
#[test]
fn proxies_see_no_key_and_nothing_of_loopback() {
    const INSIDE: &str = "KEYTENDER_TEST_PROXY_CANARY";
    if let Ok(token) = std::env::var(INSIDE) {
        let server = Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
        assert_eq!(client().send(&request(&server.url("/"), &token)).unwrap().status, 200);
        let error = misled().send(&request("https://api.example.com/path", &token)).unwrap_err();
        assert!(matches!(error.trouble, HttpTrouble::Connect(_)), "{error:?}");
        assert_eq!(error.sent, Sent::No);
        return;
    }
    let token = canary();
    let proxy = Server::answering("HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n");
    // The proxy has a name that leads inside, as a company's has.
    let address = format!("http://proxy.corp.example:{}", proxy.address.port());
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
        child.env(name, &address);
    }
    let output = child
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .env(INSIDE, &token)
        .args(["--exact", "places::proxies_see_no_key_and_nothing_of_loopback"])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
    let seen = proxy.seen();
    assert_eq!(seen.len(), 1, "one tunnel, and nothing for loopback");
    assert!(holds(&seen[0], "CONNECT api.example.com:443"), "{}", String::from_utf8_lossy(&seen[0]));
    assert!(!holds(&seen[0], &token) && !holds(&seen[0], "/path"));
}
