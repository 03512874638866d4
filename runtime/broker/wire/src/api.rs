//! One file for each kind of request; here is the list of them, and what they share.

pub(crate) mod api_versions;
mod code;
pub(crate) mod create_topics;
pub(crate) mod delete_topics;
pub(crate) mod describe_cluster;
pub(crate) mod describe_configs;
pub(crate) mod fetch;
pub(crate) mod find_coordinator;
pub(crate) mod init_producer_id;
pub(crate) mod list_offsets;
pub(crate) mod metadata;
pub(crate) mod produce;

use std::sync::Arc;

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::{self, ApiKey, BrokerId};
use kafka_protocol::protocol::StrBytes;
use longshore_log::Log;
use longshore_model::{TopicName, TopicPartition};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::budget::Budget;
use crate::config::WireConfig;
use crate::error::Broken;
use crate::request::{Answer, Api, Request};

/// There is one node; it leads every partition and controls itself.
const NODE_ID: BrokerId = BrokerId(1);
/// It has led from the beginning.
const LEADER_EPOCH: i32 = 0;
const NO_ERROR: i16 = 0;

/// [`Broker::lookups`] at a time (invariant 9). They do not draw on the memory for fetched records: nobody knows how
/// much one needs until it is done, and while one waited for the most that it may need, every Fetch would wait behind it.
pub(crate) const LOOKUPS_MAX: usize = 1;

/// Everything that is offered.
pub(crate) static OFFERED: [&Api; 11] = [
    &produce::API,
    &fetch::API,
    &list_offsets::API,
    &metadata::API,
    &find_coordinator::API,
    &api_versions::API,
    &create_topics::API,
    &delete_topics::API,
    &init_producer_id::API,
    &describe_configs::API,
    &describe_cluster::API,
];

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Broker {
    pub(crate) log: Log,
    pub(crate) config: WireConfig,
    pub(crate) requests: Budget,
    pub(crate) fetches: Budget,
    /// Who looks for a time inside batches: each decompresses one, up to the log's limit of 128 MiB.
    pub(crate) lookups: Semaphore,
    pub(crate) shutdown: CancellationToken,
}

/// What a request is answered from: the broker, and the door that its client came in by.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    pub(crate) broker: Arc<Broker>,
    /// The address that clients of this listener are told.
    pub(crate) host: StrBytes,
    pub(crate) port: u16,
}

/// Answers a request of any kind but Produce, which overlaps with others of its kind: [`produce::begin`].
pub(crate) async fn answer(context: &Context, request: &Request) -> Result<Answer, Broken> {
    let Ok(key) = ApiKey::try_from(request.key) else {
        return Err(request.not_offered());
    };
    match key {
        ApiKey::ApiVersions => api_versions::answer(request),
        ApiKey::Metadata => metadata::answer(context, request).await,
        ApiKey::Fetch => fetch::answer(context, request).await,
        ApiKey::ListOffsets => list_offsets::answer(context, request).await,
        ApiKey::FindCoordinator => find_coordinator::answer(request),
        ApiKey::CreateTopics => create_topics::answer(context, request).await,
        ApiKey::DeleteTopics => delete_topics::answer(context, request).await,
        ApiKey::InitProducerId => init_producer_id::answer(context, request).await,
        ApiKey::DescribeConfigs => describe_configs::answer(context, request),
        ApiKey::DescribeCluster => describe_cluster::answer(context, request),
        _ => Err(request.not_offered()),
    }
}

/// A topic that a request names, by name or, from some version on, by id.
#[derive(Clone, Debug)]
struct TopicRef {
    name: messages::TopicName,
    id: Uuid,
}

impl TopicRef {
    fn by_name(name: messages::TopicName) -> Self {
        Self {
            name,
            id: Uuid::nil(),
        }
    }

    /// The topic's name, where the reference can be one.
    fn resolve(&self, log: &Log) -> Result<TopicName, ResponseError> {
        if self.id.is_nil() {
            TopicName::parse(&self.name).map_err(|_| ResponseError::UnknownTopicOrPartition)
        } else {
            let topic = log.topic_by_id(self.id);
            topic
                .map(|topic| topic.name)
                .ok_or(ResponseError::UnknownTopicId)
        }
    }
}

fn partition(topic: &TopicName, index: i32) -> Result<TopicPartition, ResponseError> {
    Ok(TopicPartition {
        topic: topic.clone(),
        partition: u32::try_from(index).map_err(|_| ResponseError::UnknownTopicOrPartition)?,
    })
}

fn wire_name(topic: &TopicName) -> messages::TopicName {
    StrBytes::from_string(topic.to_string()).into()
}

/// A number of partitions, or the index of one, as the protocol writes it.
fn wire_index(index: u32) -> i32 {
    i32::try_from(index).expect("a topic has at most PARTITIONS_MAX partitions")
}

#[cfg(test)]
mod tests;
