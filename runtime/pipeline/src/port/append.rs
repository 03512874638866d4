//! One atomic write: records for any number of partitions, and the positions they take with them.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use longshore_model::{TaskId, TopicName, TopicPartition};

use super::BrokerResult;
use crate::batch::Outgoing;

/// Who appends under a generation: a task, or a room of the worker that keeps state in a topic.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Owner(Arc<str>);

impl Owner {
    /// The owner that a task is.
    #[must_use]
    pub fn task(task: &TaskId) -> Self {
        Self(Arc::from(format!("task/{}/{}", task.connector, task.task)))
    }

    /// The single writer of an internal topic.
    #[must_use]
    pub fn topic(topic: &TopicName) -> Self {
        Self(Arc::from(format!("topic/{topic}")))
    }

    /// An owner by the name that [`Owner::as_str`] gave.
    #[must_use]
    pub fn from_stored(name: &str) -> Self {
        Self(Arc::from(name))
    }

    /// The owner's name, as brokers store it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which of the successive holders of an owner's name one is. Never falls, not even over restarts:
/// sinks keep it in their stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Generation(pub u64);

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a keyed record of an internal topic must hold, queued writes included, for a move to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Whatever it holds.
    Any,
    /// No record, or a tombstone.
    Absent,
    /// Exactly this value.
    Value(Bytes),
}

/// Sets one key of a compacted internal topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// The internal topic; it has one partition.
    pub topic: TopicName,
    /// The record's key.
    pub key: Bytes,
    /// The move is refused where the key holds something else. Kafka cannot compare; there fencing
    /// alone protects.
    pub from: Expect,
    /// The new value; `None` is a tombstone.
    pub to: Option<Bytes>,
    /// Headers of the record.
    pub headers: Vec<(String, Bytes)>,
}

/// Offsets of a consumer group, one past the last record that was handled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupOffsets {
    /// `connect-NAME` for a sink.
    pub group: String,
    /// The next record to read, by partition.
    pub offsets: Vec<(TopicPartition, i64)>,
}

/// Everything that becomes durable together (invariant 5).
#[derive(Clone, Debug)]
pub struct Write {
    /// Who writes.
    pub owner: Owner,
    /// The generation that was raised for it.
    pub generation: Generation,
    /// Records, dead letters among them.
    pub records: Outgoing,
    /// Positions and other keyed state.
    pub moves: Vec<Move>,
    /// A sink's progress.
    pub group: Option<GroupOffsets>,
}

/// Appends under generations.
pub trait Append {
    /// Ends all earlier generations of these owners and begins one new generation for all of them.
    /// What was queued under an earlier generation before this call is either durable when this
    /// returns or never becomes visible.
    fn raise(&self, owners: &[Owner]) -> impl Future<Output = BrokerResult<Generation>> + Send;

    /// Queues a write. Its place among the owner's writes is taken before this returns, whenever the
    /// future is polled; the future completes once the write is durable (synced), and dropping it
    /// does not take the write back. When one fails or its outcome is unknown, all later ones of the
    /// generation fail.
    fn append(&self, write: Write) -> impl Future<Output = BrokerResult<()>> + Send + use<Self>
    where
        Self: Sized;
}
