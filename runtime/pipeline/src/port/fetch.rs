//! Reading: only what is durable is ever seen.

use std::future::Future;

use bytes::Bytes;
use longshore_model::{TopicName, TopicPartition};

use super::BrokerResult;
use crate::batch::Fetched;

/// The latest record of a key of a compacted topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyedRecord {
    /// The key.
    pub key: Bytes,
    /// The value.
    pub value: Bytes,
    /// Headers in order; those without a value are left out.
    pub headers: Vec<(String, Bytes)>,
}

/// Reads topics.
pub trait Fetch {
    /// See [`Subscription`].
    type Subscription: Subscription;

    /// Records of a partition from an offset on, of about `max_bytes`, at least one if there is one.
    /// Returns at once, perhaps with nothing.
    fn fetch(
        &self,
        partition: &TopicPartition,
        offset: i64,
        max_bytes: usize,
    ) -> impl Future<Output = BrokerResult<Fetched>> + Send;

    /// The offsets of a partition's first record and one past its last durable one.
    fn bounds(
        &self,
        partition: &TopicPartition,
    ) -> impl Future<Output = BrokerResult<(i64, i64)>> + Send;

    /// Follows partitions from the given offsets on.
    fn subscribe(
        &self,
        from: Vec<(TopicPartition, i64)>,
    ) -> impl Future<Output = BrokerResult<Self::Subscription>> + Send;

    /// The latest durable record of every key of a compacted internal topic, in order of their
    /// offsets; tombstones are left out.
    fn replay(
        &self,
        topic: &TopicName,
    ) -> impl Future<Output = BrokerResult<Vec<KeyedRecord>>> + Send;

    /// A group's committed offsets, in the order asked for.
    fn committed(
        &self,
        group: &str,
        partitions: &[TopicPartition],
    ) -> impl Future<Output = BrokerResult<Vec<Option<i64>>>> + Send;
}

/// Follows a set of partitions.
pub trait Subscription: Send {
    /// Waits until there are records and returns those of one partition, of about `max_bytes`;
    /// partitions take turns. Cancel-safe: what was not returned comes again.
    fn next(&mut self, max_bytes: usize) -> impl Future<Output = BrokerResult<Fetched>> + Send;

    /// Goes on from another offset.
    fn seek(&mut self, partition: &TopicPartition, offset: i64);

    /// Does not follow a partition any longer.
    fn unfollow(&mut self, partition: &TopicPartition);
}
