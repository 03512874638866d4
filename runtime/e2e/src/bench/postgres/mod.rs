//! Postgres to topics, beside the server's own programs, and beside Debezium.

mod debezium;
mod ground;
mod latency;
mod snapshot;
mod stream;

pub(super) use debezium::run as debezium;
pub(super) use latency::run as latency;
pub(super) use snapshot::run as snapshot;
pub(super) use stream::{run as stream, run_large as transaction};
