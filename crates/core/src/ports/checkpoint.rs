//! Named instants at which a test may kill the process. In a release they do nothing.

/// Where a rotation passes a named instant: `intent:make`, `begin:make`, `sealed:make`, `acted:make`, `done:make`, ...
pub trait Checkpoint: Send + Sync {
    /// Passes the instant. In a build with debug assertions the process may end here, as by `kill -9`.
    fn pass(&self, name: &str);
}
