//! What a broker refuses or fails at, by what the caller can do about it.

use longshore_model::{Fault, FaultClass, TopicName, TopicPartition};

use super::{Generation, Owner};

/// Result of a broker's call.
pub type BrokerResult<T> = Result<T, BrokerError>;

/// Why a broker did not do what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BrokerError {
    /// Another generation of the owner has taken over. Terminal: never retried, never restarted.
    #[error("{owner} is fenced: generation {generation} is over")]
    Fenced {
        /// Whose append it was.
        owner: Owner,
        /// The generation that it carried.
        generation: Generation,
    },
    /// A move does not start where the last one ended.
    #[error("{owner} moves {key} from a position that is not the last one queued")]
    PositionMismatch {
        /// Whose append it was.
        owner: Owner,
        /// The key of the offsets record.
        key: String,
    },
    /// An earlier append of the generation failed, so this one is refused, to keep the order.
    #[error("an earlier append of {owner} failed")]
    EarlierFailed {
        /// Whose append it was.
        owner: Owner,
    },
    /// No such topic, or partition of it.
    #[error("topic partition {0} does not exist")]
    UnknownPartition(TopicPartition),
    /// No such topic.
    #[error("topic {0} does not exist")]
    UnknownTopic(TopicName),
    /// The topic exists.
    #[error("topic {0} already exists")]
    TopicExists(TopicName),
    /// A topic's setting is wrong or does not work here.
    #[error("topic setting {key}: {reason}")]
    TopicConfig {
        /// The setting.
        key: String,
        /// What is wrong, and what works.
        reason: String,
    },
    /// Outside the records that the partition has.
    #[error("offset {offset} of {partition} is outside {earliest}..{latest}")]
    OffsetOutOfRange {
        /// The partition.
        partition: TopicPartition,
        /// The offset asked for.
        offset: i64,
        /// Its first record.
        earliest: i64,
        /// One past its last record.
        latest: i64,
    },
    /// A record or a batch is over a limit.
    #[error("{what} of {bytes} bytes is over the limit of {limit}")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its size.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// The disk is full; nothing of the append is visible, and a later one may succeed.
    #[error("the disk is full")]
    DiskFull,
    /// A write or a sync failed; the broker takes no more writes until it is opened again.
    #[error("the log takes no writes since a disk operation failed: {0}")]
    Failed(String),
    /// Stored bytes are not what was written.
    #[error("stored data is damaged: {0}")]
    Corrupt(String),
    /// The broker is shutting down.
    #[error("the broker is shut down")]
    Closed,
}

impl BrokerError {
    /// What the caller can do about it.
    #[must_use]
    pub fn class(&self) -> FaultClass {
        match self {
            Self::DiskFull => FaultClass::Retriable,
            Self::TooLarge { .. } => FaultClass::BadRecord,
            Self::TopicExists(_) | Self::TopicConfig { .. } => FaultClass::Config,
            Self::Closed => FaultClass::Stopping,
            _ => FaultClass::Fatal,
        }
    }

    /// Stable, machine-readable.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Fenced { .. } => "fenced",
            Self::PositionMismatch { .. } => "position-mismatch",
            Self::EarlierFailed { .. } => "earlier-append-failed",
            Self::UnknownPartition(_) | Self::UnknownTopic(_) => "unknown-topic",
            Self::TopicExists(_) => "topic-exists",
            Self::TopicConfig { .. } => "topic-config",
            Self::OffsetOutOfRange { .. } => "offset-out-of-range",
            Self::TooLarge { .. } => "too-large",
            Self::DiskFull => "disk-full",
            Self::Failed(_) => "log-failed",
            Self::Corrupt(_) => "log-corrupt",
            Self::Closed => "broker-closed",
        }
    }
}

impl From<BrokerError> for Fault {
    fn from(error: BrokerError) -> Self {
        Self::new(error.class(), error.code(), error.to_string())
    }
}
