//! The log as others use it.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use longshore_disk::{Disk, DiskLock, RealDisk};
use longshore_model::{TopicName, TopicPartition};
use longshore_pipeline::port::{Clock, Generation, GroupOffsets, Move, Owner};
use tokio::sync::{oneshot, watch};
use uuid::Uuid;

use crate::batch::Batch;
use crate::commit::Committer;
use crate::config::LogConfig;
use crate::error::{BatchError, Error};
use crate::fetch::Limits;
use crate::index::{FjallStore, IndexStore};
use crate::open::{Opened, open};
use crate::plan::check_size;
use crate::queue::{Reply, Request};
use crate::shared::Shared;
use crate::state::PartitionId;
use crate::topics::{
    Fetched, ListedOffset, NewTopic, OffsetSpec, Produced, ProducerId, Topic, TopicSettings,
};
use crate::upkeep::Upkeep;
use crate::{fetch, threads};

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

impl Append {
    pub(crate) fn bytes(&self) -> usize {
        let moves = self
            .moves
            .iter()
            .map(|moved| moved.key.len() + moved.to.as_ref().map_or(0, Bytes::len));
        self.batches
            .iter()
            .map(|(_, batch)| batch.bytes().len())
            .chain(moves)
            .sum()
    }
}

/// The log. Clones share it.
#[derive(Clone, Debug)]
pub struct Log {
    shared: Arc<Shared>,
}

/// A log that was opened, and what keeps it going. Whoever opened it drives the last two.
#[derive(Debug)]
pub struct Parts {
    /// The log.
    pub log: Log,
    /// Writes what is queued.
    pub committer: Committer,
    /// Removes and copies what is old, and takes checkpoints.
    pub upkeep: Upkeep,
    /// Keeps other workers out until it is dropped.
    pub lock: Box<dyn DiskLock>,
}

impl Log {
    /// Opens the log in `dir` of the machine's disk and runs it on threads of its own.
    ///
    /// # Errors
    /// When another worker has it, its format is unknown, or its journal is damaged.
    pub fn start(
        dir: &Path,
        config: LogConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<(Self, threads::LogThreads), Error> {
        let store = || Ok(Arc::new(FjallStore::open(&dir.join("index"))?) as Arc<dyn IndexStore>);
        let parts = Self::open_with(dir, config, clock, Arc::new(RealDisk), store, false)?;
        let log = parts.log.clone();
        Ok((log, threads::LogThreads::start(parts)?))
    }

    /// Opens the log over any disk and store, with nothing running yet: the caller drives the parts, on one thread.
    ///
    /// # Errors
    /// As [`Log::start`].
    pub fn open(
        dir: &Path,
        config: LogConfig,
        clock: Arc<dyn Clock>,
        disk: Arc<dyn Disk>,
        store: Arc<dyn IndexStore>,
    ) -> Result<Parts, Error> {
        Self::open_with(dir, config, clock, disk, || Ok(store), true)
    }

    fn open_with(
        dir: &Path,
        config: LogConfig,
        clock: Arc<dyn Clock>,
        disk: Arc<dyn Disk>,
        store: impl FnOnce() -> Result<Arc<dyn IndexStore>, Error>,
        single_threaded: bool,
    ) -> Result<Parts, Error> {
        let Opened {
            files,
            view,
            writer,
            lock,
        } = open(dir, &disk, store)?;
        let shared = Arc::new(Shared::new(config, clock, files, view, single_threaded));
        let committer = Committer::new(Arc::clone(&shared), writer);
        let log = Self {
            shared: Arc::clone(&shared),
        };
        Ok(Parts {
            upkeep: Upkeep::new(log.clone(), shared),
            log,
            committer,
            lock,
        })
    }

    /// Takes no more writes; those that wait are still answered. Reading goes on.
    pub fn close(&self) {
        self.shared.queue.close();
    }

    /// Why the log refuses writes, once it does.
    #[must_use]
    pub fn failure(&self) -> Option<Error> {
        self.shared.failed().cloned()
    }

    /// Queues an owner's append at once; the future completes when it is synced. Dropping the future does not take the
    /// append back.
    pub fn append(&self, append: Append) -> impl Future<Output = Result<(), Error>> + Send + use<> {
        let timestamp = self.shared.clock.now_ms();
        answered(self.request(|reply| Request::Append {
            append: Box::new(append),
            timestamp,
            reply,
        }))
    }

    /// Ends the earlier generations of these owners, after everything they have queued, and begins a new one for all.
    ///
    /// # Errors
    /// When it cannot be made durable.
    pub async fn raise(&self, owners: &[Owner]) -> Result<Generation, Error> {
        let owners = owners.to_vec();
        answered(self.request(|reply| Request::Raise { owners, reply })).await
    }

    /// Takes the batch of an outside producer for one partition, as Produce carries it.
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
        batch: Bytes,
    ) -> Result<impl Future<Output = Result<Produced, Error>> + Send + use<>, Error> {
        if partition.topic.is_internal() {
            return Err(Error::InternalTopic(partition.topic.clone()));
        }
        let bytes_max = {
            let view = self.shared.view();
            view.state.partition_id(partition)?;
            view.state
                .topic(&partition.topic)?
                .settings
                .max_message_bytes
        };
        let mut batches = Batch::parse_all(batch)?;
        let (Some(batch), None) = (batches.pop(), batches.pop()) else {
            return Err(BatchError::Several.into());
        };
        check_size(&batch, bytes_max)?;
        // Here and not where it is planned, because there everybody waits for it.
        batch.check_records()?;
        let room = self.shared.queue.room(batch.bytes().len()).await?;
        let partition = partition.clone();
        Ok(answered(self.request(|reply| Request::Produce {
            partition,
            batch,
            reply,
            room,
        })))
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
        let id = self.partition_id(partition)?;
        self.fetch_from(id, partition, offset, max_bytes).await
    }

    /// As [`Log::fetch`], for who has to set memory aside first: where the first batch is larger than `first_bytes_max`,
    /// none is read, and [`Fetched::left_out`] tells its size.
    ///
    /// # Errors
    /// As [`Log::fetch`].
    pub async fn fetch_within(
        &self,
        partition: &TopicPartition,
        offset: i64,
        max_bytes: usize,
        first_bytes_max: usize,
    ) -> Result<Fetched, Error> {
        let id = self.partition_id(partition)?;
        let limits = Limits {
            bytes: max_bytes,
            first_bytes: first_bytes_max,
        };
        self.fetch_limited(id, partition, offset, limits).await
    }

    /// As [`Log::fetch`], of one life of the partition: one of the same name that came later is another (invariant 2).
    pub(crate) async fn fetch_from(
        &self,
        id: PartitionId,
        partition: &TopicPartition,
        offset: i64,
        max_bytes: usize,
    ) -> Result<Fetched, Error> {
        let limits = Limits {
            bytes: max_bytes,
            first_bytes: usize::MAX,
        };
        self.fetch_limited(id, partition, offset, limits).await
    }

    async fn fetch_limited(
        &self,
        id: PartitionId,
        partition: &TopicPartition,
        offset: i64,
        limits: Limits,
    ) -> Result<Fetched, Error> {
        let fetched = self
            .reading(move |shared| fetch::fetch(shared, id, offset, limits))
            .await?;
        fetched.ok_or_else(|| Error::UnknownPartition(partition.clone()))
    }

    pub(crate) fn partition_id(&self, partition: &TopicPartition) -> Result<PartitionId, Error> {
        self.shared.view().state.partition_id(partition)
    }

    /// The offset after the last readable record of one life of a partition; none once it was deleted.
    pub(crate) fn end_of(&self, id: PartitionId) -> Option<i64> {
        let view = self.shared.view();
        view.state
            .partitions
            .get(&id)
            .map(|found| found.next_offset)
    }

    /// The first readable offset of a partition and the one after the last.
    ///
    /// # Errors
    /// When it does not exist.
    pub fn bounds(&self, partition: &TopicPartition) -> Result<(i64, i64), Error> {
        let view = self.shared.view();
        let found = view.state.partition(view.state.partition_id(partition)?);
        Ok((found.log_start, found.next_offset))
    }

    /// Changes whenever something became readable, a topic came or went, or a log start moved. Subscribe, look at the
    /// log, then wait: no change between the two is missed.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changes.subscribe()
    }

    /// Answers ListOffsets; none where no record fits.
    ///
    /// # Errors
    /// When the partition does not exist or cannot be read.
    pub async fn list_offset(
        &self,
        partition: &TopicPartition,
        spec: OffsetSpec,
    ) -> Result<Option<ListedOffset>, Error> {
        let id = self.partition_id(partition)?;
        self.reading(move |shared| fetch::list_offset(shared, id, spec))
            .await
    }

    /// Creates a topic, durably.
    ///
    /// # Errors
    /// When the name is taken or a setting is wrong.
    pub async fn create_topic(&self, topic: NewTopic) -> Result<Topic, Error> {
        let id = Uuid::new_v4();
        answered(self.request(|reply| Request::CreateTopic { topic, id, reply })).await
    }

    /// Checks what [`Log::create_topic`] would check, and creates nothing.
    ///
    /// # Errors
    /// As [`Log::create_topic`].
    pub fn check_topic(&self, topic: &NewTopic) -> Result<(), Error> {
        if self.topic(&topic.name).is_some() {
            return Err(Error::TopicExists(topic.name.clone()));
        }
        let settings = TopicSettings::parse(&topic.name, &topic.configs)?;
        let default = self.shared.config.num_partitions;
        let n = settings.count_partitions(topic.partitions, default)?;
        self.shared.view().state.check_room(n)
    }

    /// Deletes a topic and all its records, durably. Internal topics are refused.
    ///
    /// # Errors
    /// When it does not exist or is internal.
    pub async fn delete_topic(&self, name: &TopicName) -> Result<(), Error> {
        if name.is_internal() {
            return Err(Error::InternalTopic(name.clone()));
        }
        let name = name.clone();
        answered(self.request(|reply| Request::DeleteTopic { name, reply })).await
    }

    /// One topic by name.
    #[must_use]
    pub fn topic(&self, name: &TopicName) -> Option<Topic> {
        let view = self.shared.view();
        view.state
            .topic(name)
            .ok()
            .map(|topic| topic.describe(name))
    }

    /// One topic by id.
    #[must_use]
    pub fn topic_by_id(&self, id: Uuid) -> Option<Topic> {
        let view = self.shared.view();
        let (name, topic) = view.state.topics.iter().find(|(_, topic)| topic.id == id)?;
        Some(topic.describe(name))
    }

    /// All topics, sorted by name, internal ones included.
    #[must_use]
    pub fn topics(&self) -> Vec<Topic> {
        let view = self.shared.view();
        view.state
            .topics
            .iter()
            .map(|(name, topic)| topic.describe(name))
            .collect()
    }

    /// Changes whenever a topic comes or goes.
    #[must_use]
    pub fn topics_changed(&self) -> watch::Receiver<u64> {
        self.shared.topics_changed.subscribe()
    }

    /// Hands out an id to an idempotent producer, durably: none is ever handed out twice.
    ///
    /// # Errors
    /// When it cannot be made durable.
    pub async fn init_producer_id(&self) -> Result<ProducerId, Error> {
        answered(self.request(|reply| Request::InitProducerId { reply })).await
    }

    /// The committed offsets of a group.
    #[must_use]
    pub fn group_offsets(&self, group: &str) -> Vec<(TopicPartition, i64)> {
        let view = self.shared.view();
        let offsets = view.state.groups.get(group).into_iter().flatten();
        offsets
            .map(|(partition, offset)| (partition.clone(), *offset))
            .collect()
    }

    /// How much disk the journal takes, and how much of it is alive.
    ///
    /// # Errors
    /// When the journal's files cannot be looked at.
    pub fn usage(&self) -> Result<Usage, Error> {
        let files = &self.shared.files;
        let sizes: Result<Vec<_>, _> = files
            .list()?
            .into_iter()
            .map(|file| files.size(file))
            .collect();
        Ok(Usage {
            disk_bytes: sizes?.into_iter().sum(),
            live_bytes: self.shared.view().live_bytes(),
        })
    }

    /// Gives a request its place now.
    pub(crate) fn request<T>(&self, request: impl FnOnce(Reply<T>) -> Request) -> Queued<T> {
        let (reply, answer) = oneshot::channel();
        match self.shared.failed() {
            Some(error) => Err(error.clone()),
            None => self.shared.queue.push(request(reply)).map(|()| answer),
        }
    }

    /// Runs a read where it may block.
    async fn reading<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Shared) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        if self.shared.single_threaded {
            return read(&self.shared);
        }
        let shared = Arc::clone(&self.shared);
        let done = tokio::task::spawn_blocking(move || read(&shared)).await;
        // The runtime is shutting down, or the read panicked.
        done.unwrap_or(Err(Error::Closed))
    }
}

/// A request that has its place, or why it has none.
type Queued<T> = Result<oneshot::Receiver<Result<T, Error>>, Error>;

pub(crate) async fn answered<T>(queued: Queued<T>) -> Result<T, Error> {
    // The committer answers everything it took; it is gone only when the log was dropped in the middle.
    queued?.await.unwrap_or(Err(Error::Closed))
}

/// Bytes on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// All journal files.
    pub disk_bytes: u64,
    /// Those that the index points to.
    pub live_bytes: u64,
}
