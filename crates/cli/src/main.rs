//! The `keytender` command line.
fn main() {}
