//! The real servers start, answer, keep apart and end with the test.

use keytender_tests::verdaccio::Verdaccio;
use std::net::TcpStream;

#[test]
fn two_registries_run_side_by_side_and_end_with_their_values() {
    let one = Verdaccio::start("1h").expect("it is installed and starts");
    let other = Verdaccio::start("1h").expect("it starts a second time");
    assert_ne!(one.url(), other.url());
    let address = one.url().trim_start_matches("http://").to_owned();
    assert!(TcpStream::connect(&address).is_ok());
    drop(one);
    assert!(TcpStream::connect(&address).is_err(), "nothing listens once its value is gone");
    assert!(std::fs::exists(format!("/proc/{}", other.pid())).unwrap_or(true), "the other one is untouched");
}
