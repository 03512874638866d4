//! PostgreSQL change capture: a consistent snapshot, then every change exactly once, in Debezium's
//! topics and shapes.
//!
//! `source` decides what comes next, by the place that is stored (`position`). `snapshot` reads tables by COPY, `stream`
//! reads `pgoutput`; both hand rows as text to `emit`, which writes records in a table's shape (`captured`, over
//! `envelope`, `schema`, `value` and `types`). `ranges` knows what of the stream a snapshot has told already. `catalog` and
//! `setup` ask and arrange the database, `check` looks without touching, `cleanup` takes the slot away.
//!
//! *Must not know*: sockets, passwords, confirmations: those are the host's. *Invariant*: every committed change is told
//! once (invariants 1 to 4); only a table without a usable key may repeat what an interrupted snapshot read.

mod backoff;
mod captured;
mod catalog;
mod check;
mod cleanup;
mod config;
mod copy;
mod emit;
mod envelope;
mod heartbeat;
mod key_order;
mod lsn;
mod pg_type;
mod pgoutput;
mod position;
mod progress;
mod ranges;
mod schema;
mod select;
mod setup;
mod snapshot;
mod source;
mod stream;
mod value;
mod work;

pub use source::PostgresSource;

longshore_sdk::plugin! {
    name: "postgres-cdc",
    source: PostgresSource,
    aliases: ["io.debezium.connector.postgresql.PostgresConnector"],
    capabilities: [postgres("database")],
    optional: [cleanup],
}
