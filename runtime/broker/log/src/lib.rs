//! The embedded log: one journal, one index.
//!
//! Owns: topics, partitions, generations, producer and group state, and the bytes of all of them on disk.
//! Must not know: what records mean, connectors, HTTP, Kafka's requests.
//! Invariant: what an append reported as done survives the loss of every unsynced write (invariants 1, 5 and 7), and the
//! index can be deleted at any time: the journal alone is the truth.

mod batch;
mod codec;
mod commit;
mod config;
mod error;
mod fetch;
mod index;
mod journal;
mod log;
mod open;
mod plan;
mod port;
mod queue;
mod shared;
mod state;
mod threads;
mod topics;
mod upkeep;
mod view;

pub use longshore_pipeline::port::{Expect, Generation, GroupOffsets, Move, Owner};

pub use batch::{Batch, BatchBuilder, Header, Record, Records};
pub use commit::Committer;
pub use config::{Flush, LogConfig};
pub use error::{BatchError, Error};
pub use index::{FjallStore, IndexStore, MemoryStore, StoredChange, StoredPair};
pub use log::{Append, Log, Parts, Usage};
pub use port::Follower;
pub use threads::LogThreads;
pub use topics::{
    Fetched, LOG_PARTITIONS_MAX, ListedOffset, NewTopic, OffsetSpec, PARTITIONS_MAX, Produced,
    ProducerId, Topic, TopicSettings,
};
pub use upkeep::Upkeep;
