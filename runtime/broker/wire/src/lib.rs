//! The Kafka protocol over the embedded log.
//!
//! Owns: listeners and their names, frames, sessions, and one file for each kind of request.
//! Must not know: how the log stores anything, connectors, HTTP.
//! Invariant: nothing that a peer sends makes a session panic or hold more memory than its limits allow (invariant 9);
//! record batches pass through byte for byte (invariant 6), and a write is acknowledged only as the log acknowledges it
//! (invariant 1).

mod api;
mod budget;
mod config;
mod endpoint;
mod error;
mod frame;
mod listener;
mod request;
mod session;
mod shape;

pub use config::WireConfig;
pub use endpoint::Endpoint;
pub use error::Error;
pub use listener::{Bound, Listener};
