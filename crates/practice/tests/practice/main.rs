//! The practice service as its callers meet it: over real HTTP on loopback, and through its public functions.

#[cfg(test)]
mod client;
#[cfg(test)]
mod combinations;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod portal;
#[cfg(test)]
mod sharing;
#[cfg(test)]
mod switch;
