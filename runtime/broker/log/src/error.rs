//! What can go wrong, grouped by what a caller can do about it.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use longshore_model::{FaultClass, TopicName, TopicPartition};

use longshore_pipeline::port::{Generation, Owner};

/// A failure of the log. Cheap to clone, because one failed write answers everything that waited for it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// No topic has this name.
    #[error("topic {0} does not exist")]
    UnknownTopic(TopicName),
    /// The topic exists and has fewer partitions.
    #[error("partition {0} does not exist")]
    UnknownPartition(TopicPartition),
    /// The name is taken.
    #[error("topic {0} already exists")]
    TopicExists(TopicName),
    /// Outside writes and deletions of internal topics are refused.
    #[error("topic {0} is internal")]
    InternalTopic(TopicName),
    /// A topic's configuration is wrong.
    #[error("topic config {key}={value}: {reason}")]
    TopicConfig {
        /// The key at fault.
        key: String,
        /// The value given.
        value: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The number of partitions is not between 1 and the limit.
    #[error("{n} partitions: must be between 1 and {max}")]
    PartitionCount {
        /// What was asked for.
        n: u32,
        /// The limit.
        max: u32,
    },
    /// All topics together would have too many partitions.
    #[error("{more} partitions beside {held}: all topics together have at most {max}")]
    TooManyPartitions {
        /// What was asked for.
        more: u32,
        /// What there is.
        held: usize,
        /// The limit.
        max: usize,
    },

    /// A record batch is malformed.
    #[error("invalid record batch: {0}")]
    InvalidBatch(#[from] BatchError),
    /// A record batch is larger than its topic allows.
    #[error("a record batch of {bytes} bytes is over max.message.bytes ({max})")]
    BatchTooLarge {
        /// Its size.
        bytes: usize,
        /// The topic's limit.
        max: usize,
    },
    /// One append is larger than any may be.
    #[error("an append of {bytes} bytes is over the limit of {max}")]
    WriteTooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        max: usize,
    },

    /// More appends wait than memory is set aside for, so this one was not queued.
    #[error("{owner} queued an append while too much was waiting")]
    QueueFull {
        /// Whose append it was.
        owner: Owner,
    },

    /// An idempotent producer skipped a sequence, or came back to one that is not among its last batches.
    #[error("sequence {got} of producer {producer_id}, expected {expected}")]
    OutOfOrderSequence {
        /// The producer.
        producer_id: i64,
        /// The batch's first sequence.
        got: i32,
        /// The sequence that comes next.
        expected: i32,
    },
    /// A newer instance of an idempotent producer has written.
    #[error("epoch {got} of producer {producer_id} is fenced by epoch {current}")]
    FencedEpoch {
        /// The producer.
        producer_id: i64,
        /// The batch's epoch.
        got: i16,
        /// The newest epoch.
        current: i16,
    },

    /// A newer generation of this owner was raised.
    #[error("generation {generation} of {owner} is stale")]
    StaleGeneration {
        /// The owner.
        owner: Owner,
        /// The generation that tried to write.
        generation: Generation,
    },
    /// An earlier append of this generation failed, so this one would be out of order.
    #[error("generation {generation} of {owner} ended when an append of it failed")]
    GenerationEnded {
        /// The owner.
        owner: Owner,
        /// The generation that tried to write.
        generation: Generation,
    },
    /// A position is not where the append says it is.
    #[error("{owner} moves a key from a value that is not the last one queued")]
    PositionMoved {
        /// The owner.
        owner: Owner,
        /// The record's key; not part of the message, because it may hold data.
        key: Bytes,
    },
    /// A group's offset is not of this life of the topic.
    #[error(
        "offset {offset} of a group is beyond the end of {partition} ({end}): was the topic created again?"
    )]
    GroupOffsetBeyondEnd {
        /// The partition as it is now.
        partition: TopicPartition,
        /// The group's offset.
        offset: i64,
        /// The offset after the partition's last record.
        end: i64,
    },
    /// Only internal topics hold one record for each key.
    #[error("topic {0} is not compacted")]
    NotCompacted(TopicName),

    /// The offset lies outside the partition.
    #[error("offset {requested} is outside {log_start}..={high_watermark}")]
    OffsetOutOfRange {
        /// The offset asked for.
        requested: i64,
        /// The first readable offset.
        log_start: i64,
        /// The offset after the last readable one.
        high_watermark: i64,
    },

    /// The disk is full. Nothing of the write is visible, and the next one may succeed.
    #[error("the disk is full")]
    DiskFull,
    /// A write or sync failed, so the log takes no more writes until it is opened again.
    #[error("the log refuses writes since: {0}")]
    Refusing(Arc<Error>),
    /// The log was closed.
    #[error("the log is closed")]
    Closed,

    /// Another worker has the data directory.
    #[error("data directory {0} is in use by another worker")]
    InUse(PathBuf),
    /// The data directory was written in another format.
    #[error("data directory {dir} has format {found:?}, this version reads {known:?}")]
    UnknownFormat {
        /// The directory.
        dir: PathBuf,
        /// What its format file says.
        found: String,
        /// What this version writes.
        known: &'static str,
    },
    /// The journal is damaged at a place that was durable. Nothing is cut away silently.
    #[error("journal {file} is damaged at byte {at}: {reason}")]
    Corrupt {
        /// The file.
        file: PathBuf,
        /// Where.
        at: u64,
        /// What is wrong there.
        reason: &'static str,
    },
    /// The operating system refused something.
    #[error("{action} {path}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// The index store failed. The journal is not affected, and the index can be rebuilt from it.
    #[error("index: {0}")]
    Index(Arc<str>),
}

impl Error {
    /// What a caller can do about it.
    #[must_use]
    pub fn class(&self) -> FaultClass {
        match self {
            Self::DiskFull => FaultClass::Retriable,
            Self::InvalidBatch(_) | Self::BatchTooLarge { .. } | Self::WriteTooLarge { .. } => {
                FaultClass::BadRecord
            }
            Self::TopicConfig { .. }
            | Self::PartitionCount { .. }
            | Self::TooManyPartitions { .. }
            | Self::TopicExists(_)
            | Self::UnknownTopic(_)
            | Self::UnknownPartition(_) => FaultClass::Config,
            Self::InternalTopic(_) => FaultClass::Denied,
            Self::Closed => FaultClass::Stopping,
            _ => FaultClass::Fatal,
        }
    }

    /// A failed call to the disk, with a full disk told apart.
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        move |source| match source.kind() {
            io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::FileTooLarge => Self::DiskFull,
            _ => Self::Io {
                action,
                path: path.into(),
                source: Arc::new(source),
            },
        }
    }
}

/// Why bytes are not a Kafka v2 record batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// The bytes end before the batch does.
    #[error("it ends early")]
    Truncated,
    /// Only magic 2 is stored.
    #[error("magic {0} is not supported")]
    Magic(i8),
    /// The checksum does not match.
    #[error("its checksum is wrong")]
    Checksum,
    /// Lengths, counts or offsets contradict each other, or the records that are there.
    #[error("its counts do not fit together")]
    Counts,
    /// A compression code nobody defined.
    #[error("compression {0} is unknown")]
    Compression(u8),
    /// The compressed records do not decompress, or to more than the limit.
    #[error("its records do not decompress")]
    Decompress,
    /// A record inside is malformed.
    #[error("a record in it is malformed")]
    Record,
    /// Transactions, control batches and LogAppendTime are written by brokers only, or not supported.
    #[error("attributes {0:#x} are not supported")]
    Attributes(i16),
    /// A producer sends one batch for a partition at a time.
    #[error("there are several in one request for a partition")]
    Several,
    /// An internal topic takes one record with a key in each batch.
    #[error("an internal topic takes uncompressed batches of one record with a key")]
    NotKeyed,
}
