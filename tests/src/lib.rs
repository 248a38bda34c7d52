//! Behaviour across crates, through public doors and on real parts.
