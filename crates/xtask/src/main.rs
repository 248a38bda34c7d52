//! Set-up, run and test of the project.
fn main() {}
