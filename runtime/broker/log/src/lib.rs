//! The embedded log: one journal, one index.
//!
//! Owns: topics, partitions, generations, producer and group state, and the bytes of all of them on disk.
//! Must not know: what records mean, connectors, HTTP, Kafka's requests.
//! Invariant: what an append reported as done survives the loss of every unsynced write (invariants 1, 5 and 7), and the
//! index can be deleted at any time: the journal alone is the truth.

mod batch;
mod config;
mod error;
mod log;
mod topics;

pub use longshore_pipeline::port::{Generation, GroupOffsets, Move, Owner};

pub use batch::{Batch, BatchBuilder, Header, Record, Records};
pub use config::{Flush, LogConfig};
pub use error::{BatchError, Error};
pub use log::{Append, Log};
pub use topics::{
    Fetched, ListedOffset, NewTopic, OffsetSpec, PARTITIONS_MAX, Produced, ProducerId, Topic,
    TopicSettings,
};
