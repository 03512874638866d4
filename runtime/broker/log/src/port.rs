//! The pipeline's ports over the log.

mod append;
mod error;
mod fetch;
mod follow;
mod topics;

pub use follow::Follower;
