//! Behaviour across crates, through public doors and on real parts. This library holds the real parts that tests share.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what tests share fails as tests do: by panicking with what went wrong"
)]

pub mod binary;
pub mod desk;
pub mod keyring;
pub mod shifted;
pub mod verdaccio;
