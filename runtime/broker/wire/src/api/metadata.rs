//! Metadata: the node, and topics with their partitions. Asking for an unknown topic may create it.

use std::collections::{BTreeMap, HashSet};

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use kafka_protocol::messages::{ApiKey, MetadataRequest, MetadataResponse};
use kafka_protocol::protocol::StrBytes;
use longshore_log::{Error, Log, NewTopic, Topic};
use longshore_model::TopicName;
use uuid::Uuid;

use super::code::code;
use super::{Context, LEADER_EPOCH, NODE_ID, wire_index, wire_name};
use crate::budget::Reserved;
use crate::error::Broken;
use crate::request::{Answer, Api, Request};
use crate::shape::{ALL, Field, Kind, Shape, since};

pub(crate) static API: Api = Api {
    key: ApiKey::Metadata,
    versions: 0..=13,
    shape: Shape {
        flexible_from: 9,
        followers_tags: 0,
        fields: &[
            Field(
                ALL,
                Kind::Structs(&[Field(since(10), Kind::Fixed(16)), Field(ALL, Kind::Text)]),
            ),
            Field(since(4), Kind::Fixed(1)),
            Field(8..=10, Kind::Fixed(1)),
            Field(since(8), Kind::Fixed(1)),
        ],
    },
};

/// What a topic takes of memory beside its partitions, in its two forms: the one that is filled in, and the one that is
/// sent. Names have at most 249 bytes.
const TOPIC_BYTES: usize = size_of::<MetadataResponseTopic>() + 2 * 256;
/// What a partition takes likewise, with two lists of one node each.
const PARTITION_BYTES: usize = size_of::<MetadataResponsePartition>() + 2 * 32 + 48;
/// An answer this small does not wait for memory: as many as there may be connections have room.
const UNCOUNTED_BYTES: usize = 16 << 10;

pub(super) async fn answer(context: &Context, request: &Request) -> Result<Answer, Broken> {
    let asked: MetadataRequest = request.decode(&API)?;
    let log = &context.broker.log;
    // Before version 4 a client cannot say no.
    let may_create = context.broker.config.auto_create_topics
        && (request.version < 4 || asked.allow_auto_topic_creation);
    let found = match asked.topics {
        // In version 0 an empty list asks for everything.
        Some(topics) if request.version > 0 || !topics.is_empty() => {
            let mut found = Vec::new();
            for topic in distinct(topics) {
                found.push(named(log, topic, may_create).await);
            }
            found
        }
        _ => log.topics().into_iter().map(Ok).collect(),
    };
    let memory = reserve(context, &found).await;
    let topics = found.into_iter().map(|found| match found {
        Ok(topic) => described(&topic),
        Err(unknown) => unknown,
    });
    let node = MetadataResponseBroker::default()
        .with_node_id(NODE_ID)
        .with_host(context.host.clone())
        .with_port(i32::from(context.port));
    let cluster_id = StrBytes::from_string(context.broker.config.cluster_id.clone());
    let mut answer = request.answer(
        &MetadataResponse::default()
            .with_brokers(vec![node])
            .with_cluster_id(Some(cluster_id))
            .with_controller_id(NODE_ID)
            .with_topics(topics.collect()),
    )?;
    answer.memory = memory;
    if let Some(memory) = &mut answer.memory {
        memory.shrink(answer.frame.len());
    }
    Ok(answer)
}

/// Each topic once, however often it is named, as Kafka does it: what a name stands for is much larger than the name.
fn distinct(mut asked: Vec<MetadataRequestTopic>) -> Vec<MetadataRequestTopic> {
    let mut seen = HashSet::new();
    asked.retain(|topic| {
        let id = match topic.name {
            // A name counts, whatever id comes with it.
            Some(_) => Uuid::nil(),
            None => topic.topic_id,
        };
        seen.insert((topic.name.clone(), id))
    });
    asked
}

/// A topic that was found, or what the answer says of one that was not.
type Found = Result<Topic, MetadataResponseTopic>;

/// Memory for the answer, until it is written (invariant 9).
async fn reserve(context: &Context, found: &[Found]) -> Option<Reserved> {
    let n_partitions = found.iter().flatten().map(|topic| topic.n_partitions);
    let n_partitions: usize = n_partitions.map(|n| n as usize).sum();
    let bytes = found.len() * TOPIC_BYTES + n_partitions * PARTITION_BYTES;
    if bytes <= UNCOUNTED_BYTES {
        return None;
    }
    Some(context.broker.fetches.reserve(bytes).await)
}

async fn named(log: &Log, asked: MetadataRequestTopic, may_create: bool) -> Found {
    let found = match &asked.name {
        Some(name) => by_name(log, name, may_create).await,
        None => log
            .topic_by_id(asked.topic_id)
            .ok_or(ResponseError::UnknownTopicId),
    };
    found.map_err(|error| {
        MetadataResponseTopic::default()
            .with_error_code(error.code())
            .with_topic_id(asked.topic_id)
            .with_name(asked.name)
    })
}

async fn by_name(log: &Log, name: &str, may_create: bool) -> Result<Topic, ResponseError> {
    let name = TopicName::parse(name).map_err(|_| ResponseError::InvalidTopicException)?;
    if let Some(topic) = log.topic(&name) {
        return Ok(topic);
    }
    if !may_create || name.is_internal() {
        return Err(ResponseError::UnknownTopicOrPartition);
    }
    let new = NewTopic {
        name: name.clone(),
        partitions: None,
        configs: BTreeMap::new(),
    };
    match log.create_topic(new).await {
        Ok(topic) => Ok(topic),
        // Somebody else was faster, and may have deleted it since.
        Err(Error::TopicExists(_)) => log
            .topic(&name)
            .ok_or(ResponseError::UnknownTopicOrPartition),
        Err(error) => Err(code(&error)),
    }
}

fn described(topic: &Topic) -> MetadataResponseTopic {
    let partition = |index| {
        MetadataResponsePartition::default()
            .with_partition_index(wire_index(index))
            .with_leader_id(NODE_ID)
            .with_leader_epoch(LEADER_EPOCH)
            .with_replica_nodes(vec![NODE_ID])
            .with_isr_nodes(vec![NODE_ID])
    };
    MetadataResponseTopic::default()
        .with_name(Some(wire_name(&topic.name)))
        .with_topic_id(topic.id)
        .with_is_internal(topic.name.is_internal())
        .with_partitions((0..topic.n_partitions).map(partition).collect())
}
