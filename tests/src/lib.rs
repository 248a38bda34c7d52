//! Behaviour across crates, through public doors and on real parts. This library holds the real parts that tests share.

pub mod desk;
pub mod keyring;
pub mod shifted;
pub mod verdaccio;
