//! Postgres to topics, beside the server's own programs.

mod ground;
mod latency;
mod snapshot;
mod stream;

pub(super) use latency::run as latency;
pub(super) use snapshot::run as snapshot;
pub(super) use stream::{run as stream, run_large as transaction};
