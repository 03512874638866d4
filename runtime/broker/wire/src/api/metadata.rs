//! Metadata: the node, and topics with their partitions. Asking for an unknown topic may create it.

use std::collections::BTreeMap;

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use kafka_protocol::messages::{ApiKey, MetadataRequest, MetadataResponse};
use kafka_protocol::protocol::StrBytes;
use longshore_log::{Error, Log, NewTopic, Topic};
use longshore_model::TopicName;

use super::code::code;
use super::{Context, LEADER_EPOCH, NODE_ID, wire_index, wire_name};
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

pub(super) async fn answer(context: &Context, request: &Request) -> Result<Answer, Broken> {
    let asked: MetadataRequest = request.decode(&API)?;
    let log = &context.broker.log;
    // Before version 4 a client cannot say no.
    let may_create = context.broker.config.auto_create_topics
        && (request.version < 4 || asked.allow_auto_topic_creation);
    let topics = match asked.topics {
        // In version 0 an empty list asks for everything.
        Some(topics) if request.version > 0 || !topics.is_empty() => {
            let mut found = Vec::with_capacity(topics.len());
            for topic in topics {
                found.push(named(log, topic, may_create).await);
            }
            found
        }
        _ => log.topics().iter().map(described).collect(),
    };
    let node = MetadataResponseBroker::default()
        .with_node_id(NODE_ID)
        .with_host(context.host.clone())
        .with_port(i32::from(context.port));
    let cluster_id = StrBytes::from_string(context.broker.config.cluster_id.clone());
    request.answer(
        &MetadataResponse::default()
            .with_brokers(vec![node])
            .with_cluster_id(Some(cluster_id))
            .with_controller_id(NODE_ID)
            .with_topics(topics),
    )
}

async fn named(log: &Log, asked: MetadataRequestTopic, may_create: bool) -> MetadataResponseTopic {
    let found = match &asked.name {
        Some(name) => by_name(log, name, may_create).await,
        None => log
            .topic_by_id(asked.topic_id)
            .ok_or(ResponseError::UnknownTopicId),
    };
    match found {
        Ok(topic) => described(&topic),
        Err(error) => MetadataResponseTopic::default()
            .with_error_code(error.code())
            .with_topic_id(asked.topic_id)
            .with_name(asked.name),
    }
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
