//! The wall clock, so that tests and simulation can set it. Waiting is tokio's.

/// Tells the time of day.
pub trait Clock: std::fmt::Debug + Send + Sync + 'static {
    /// Milliseconds since 1970.
    fn now_ms(&self) -> i64;
}
