//! The log's errors, as the pipeline knows them.

use longshore_model::TopicPartition;
use longshore_pipeline::port::BrokerError;

use crate::error::Error;

impl From<Error> for BrokerError {
    fn from(error: Error) -> Self {
        match error {
            Error::StaleGeneration { owner, generation } => Self::Fenced { owner, generation },
            Error::GenerationEnded { owner, .. } => Self::EarlierFailed { owner },
            Error::PositionMoved { owner, key } => Self::PositionMismatch {
                owner,
                key: String::from_utf8_lossy(&key).into_owned(),
            },
            Error::UnknownTopic(topic) => Self::UnknownTopic(topic),
            Error::UnknownPartition(partition) => Self::UnknownPartition(partition),
            Error::TopicExists(topic) => Self::TopicExists(topic),
            Error::TopicConfig { key, value, reason } => Self::TopicConfig {
                key,
                reason: format!("{value}: {reason}"),
            },
            Error::PartitionCount { .. } | Error::TooManyPartitions { .. } => Self::TopicConfig {
                key: "partitions".to_owned(),
                reason: error.to_string(),
            },
            Error::InternalTopic(ref topic) | Error::NotCompacted(ref topic) => Self::TopicConfig {
                key: topic.to_string(),
                reason: error.to_string(),
            },
            Error::BatchTooLarge { bytes, max } => too_large("a record batch", bytes, max),
            Error::WriteTooLarge { bytes, max } => too_large("an append", bytes, max),
            Error::DiskFull => Self::DiskFull,
            Error::Corrupt { .. } | Error::InvalidBatch(_) => Self::Corrupt(error.to_string()),
            Error::Closed => Self::Closed,
            _ => Self::Failed(error.to_string()),
        }
    }
}

fn too_large(what: &'static str, bytes: usize, limit: usize) -> BrokerError {
    BrokerError::TooLarge {
        what,
        bytes: bytes as u64,
        limit: limit as u64,
    }
}

/// Adds the partition that an offset is out of.
pub(super) fn of_partition(partition: &TopicPartition) -> impl FnOnce(Error) -> BrokerError {
    move |error| match error {
        Error::OffsetOutOfRange {
            requested,
            log_start,
            high_watermark,
        } => BrokerError::OffsetOutOfRange {
            partition: partition.clone(),
            offset: requested,
            earliest: log_start,
            latest: high_watermark,
        },
        other => other.into(),
    }
}
