//! Making, finding and removing topics.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use longshore_model::TopicName;
use tokio::sync::watch;

use super::BrokerResult;

/// Names one life of a topic: a topic deleted and created again has another id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TopicId(pub Arc<str>);

impl fmt::Display for TopicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A topic to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTopic {
    /// The name.
    pub name: TopicName,
    /// Number of partitions; the broker's `num.partitions` where absent.
    pub partitions: Option<u32>,
    /// Settings under Kafka's names, such as `retention.ms`.
    pub configs: BTreeMap<String, String>,
}

/// A topic as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicDescription {
    /// The name.
    pub name: TopicName,
    /// This life of the topic.
    pub id: TopicId,
    /// Number of partitions.
    pub partitions: u32,
    /// Settings that were given.
    pub configs: BTreeMap<String, String>,
}

/// Topic administration.
pub trait Topics {
    /// Creates a topic, durably; internal topics too, which are compacted.
    fn create_topic(
        &self,
        topic: NewTopic,
    ) -> impl Future<Output = BrokerResult<TopicDescription>> + Send;

    /// Deletes a topic and its records, durably.
    fn delete_topic(&self, name: &TopicName) -> impl Future<Output = BrokerResult<()>> + Send;

    /// One topic, or `None`.
    fn topic(
        &self,
        name: &TopicName,
    ) -> impl Future<Output = BrokerResult<Option<TopicDescription>>> + Send;

    /// All topics by name, internal ones included.
    fn topics(&self) -> impl Future<Output = BrokerResult<Vec<TopicDescription>>> + Send;

    /// Changes whenever a topic comes or goes.
    fn topics_changed(&self) -> watch::Receiver<u64>;
}
