//! The pipeline's ports over the log.

mod append;
mod error;
mod fetch;
mod topics;

pub use fetch::Follower;
