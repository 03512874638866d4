//! The log as others use it.

use std::future::Future;

use bytes::Bytes;
use longshore_model::{TopicName, TopicPartition};
use longshore_pipeline::port::{Generation, GroupOffsets, Move, Owner};
use tokio::sync::watch;
use uuid::Uuid;

use crate::batch::Batch;
use crate::error::Error;
use crate::topics::{Fetched, ListedOffset, NewTopic, OffsetSpec, Produced, ProducerId, Topic};

/// An append of an owner: everything in it becomes visible and durable together, or not at all.
#[derive(Clone, Debug)]
pub struct Append {
    /// Who writes.
    pub owner: Owner,
    /// The generation that was raised for it.
    pub generation: Generation,
    /// Batches by partition, in order.
    pub batches: Vec<(TopicPartition, Batch)>,
    /// Keyed records of internal topics, compared before they are set.
    pub moves: Vec<Move>,
    /// A sink's progress.
    pub group: Option<GroupOffsets>,
}

/// The log. Clones share it.
#[derive(Clone, Debug)]
pub struct Log {}

impl Log {
    /// Queues an owner's append at once; the future completes when it is synced. Dropping the future does not take the
    /// append back.
    pub fn append(&self, append: Append) -> impl Future<Output = Result<(), Error>> + Send + use<> {
        drop(append);
        async { Err(Error::Closed) }
    }

    /// Ends the earlier generations of these owners, after everything they have queued, and begins a new one for all.
    pub async fn raise(&self, owners: &[Owner]) -> Result<Generation, Error> {
        let _ = owners;
        Err(Error::Closed)
    }

    /// Takes one or more batches of an outside producer for one partition, as Produce carries them.
    ///
    /// Waits until the queue has room, then returns with the write queued; writes of one caller are queued in the order
    /// of these returns. The future inside completes when the write is acknowledged as `log.flush` says.
    ///
    /// # Errors
    /// What can be said before queueing: unknown or internal topic, malformed or too large batches. The inner future
    /// tells sequence errors, a full disk and a log that refuses writes.
    pub async fn produce(
        &self,
        partition: &TopicPartition,
        batches: Bytes,
    ) -> Result<impl Future<Output = Result<Produced, Error>> + Send + use<>, Error> {
        let _ = (partition, batches);
        if false {
            return Ok(async { Err(Error::Closed) });
        }
        Err(Error::Closed)
    }

    /// Reads whole batches from the one that holds `offset` on, of at most `max_bytes` but at least one batch, up to the
    /// last synced offset. Returns at once, empty at the end of the partition.
    ///
    /// # Errors
    /// [`Error::OffsetOutOfRange`] with both bounds, or when the partition does not exist or cannot be read.
    pub async fn fetch(
        &self,
        partition: &TopicPartition,
        offset: i64,
        max_bytes: usize,
    ) -> Result<Fetched, Error> {
        let _ = (partition, offset, max_bytes);
        Err(Error::Closed)
    }

    /// The first readable offset of a partition and the one after the last.
    pub fn bounds(&self, partition: &TopicPartition) -> Result<(i64, i64), Error> {
        let _ = partition;
        Err(Error::Closed)
    }

    /// Changes whenever something became readable, a topic came or went, or a log start moved. Subscribe, look at the
    /// log, then wait: no change between the two is missed.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        watch::channel(0).1
    }

    /// Answers ListOffsets; none where no record fits.
    pub async fn list_offset(
        &self,
        partition: &TopicPartition,
        spec: OffsetSpec,
    ) -> Result<Option<ListedOffset>, Error> {
        let _ = (partition, spec);
        Err(Error::Closed)
    }

    /// Creates a topic, durably.
    pub async fn create_topic(&self, topic: NewTopic) -> Result<Topic, Error> {
        drop(topic);
        Err(Error::Closed)
    }

    /// Checks what [`Log::create_topic`] would check, and creates nothing.
    pub fn check_topic(&self, topic: &NewTopic) -> Result<(), Error> {
        let _ = topic;
        Err(Error::Closed)
    }

    /// Deletes a topic and all its records, durably. Internal topics are refused.
    pub async fn delete_topic(&self, name: &TopicName) -> Result<(), Error> {
        let _ = name;
        Err(Error::Closed)
    }

    /// One topic by name.
    #[must_use]
    pub fn topic(&self, name: &TopicName) -> Option<Topic> {
        let _ = name;
        None
    }

    /// One topic by id.
    #[must_use]
    pub fn topic_by_id(&self, id: Uuid) -> Option<Topic> {
        let _ = id;
        None
    }

    /// All topics, sorted by name, internal ones included.
    #[must_use]
    pub fn topics(&self) -> Vec<Topic> {
        Vec::new()
    }

    /// Changes whenever a topic comes or goes.
    #[must_use]
    pub fn topics_changed(&self) -> watch::Receiver<u64> {
        watch::channel(0).1
    }

    /// Hands out an id to an idempotent producer, durably: none is ever handed out twice.
    pub async fn init_producer_id(&self) -> Result<ProducerId, Error> {
        Err(Error::Closed)
    }

    /// The committed offsets of a group.
    #[must_use]
    pub fn group_offsets(&self, group: &str) -> Vec<(TopicPartition, i64)> {
        let _ = group;
        Vec::new()
    }
}
