//! The log's errors as Kafka's error codes.

use kafka_protocol::error::ResponseError;
use longshore_log::{BatchError, Error};

/// The code that makes a client do the right thing about an error.
pub(super) fn code(error: &Error) -> ResponseError {
    match error {
        Error::UnknownTopic(_) | Error::UnknownPartition(_) => {
            ResponseError::UnknownTopicOrPartition
        }
        Error::TopicExists(_) => ResponseError::TopicAlreadyExists,
        Error::InternalTopic(_) => ResponseError::TopicAuthorizationFailed,
        Error::TopicConfig { .. } => ResponseError::InvalidConfig,
        Error::PartitionCount { .. } => ResponseError::InvalidPartitions,
        Error::TooManyPartitions { .. } => ResponseError::PolicyViolation,
        Error::InvalidBatch(error) => batch_code(*error),
        Error::BatchTooLarge { .. } => ResponseError::MessageTooLarge,
        Error::WriteTooLarge { .. } => ResponseError::RecordListTooLarge,
        Error::OutOfOrderSequence { .. } => ResponseError::OutOfOrderSequenceNumber,
        Error::FencedEpoch { .. } => ResponseError::InvalidProducerEpoch,
        Error::OffsetOutOfRange { .. } => ResponseError::OffsetOutOfRange,
        // Clients look for the leader again, which by then has gone.
        Error::Closed => ResponseError::NotLeaderOrFollower,
        Error::DiskFull
        | Error::Refusing(_)
        | Error::Corrupt { .. }
        | Error::Io { .. }
        | Error::Index(_) => ResponseError::KafkaStorageError,
        _ => ResponseError::UnknownServerError,
    }
}

fn batch_code(error: BatchError) -> ResponseError {
    match error {
        BatchError::Truncated | BatchError::Checksum => ResponseError::CorruptMessage,
        BatchError::Magic(_) => ResponseError::UnsupportedForMessageFormat,
        BatchError::Compression(_) => ResponseError::UnsupportedCompressionType,
        _ => ResponseError::InvalidRecord,
    }
}
