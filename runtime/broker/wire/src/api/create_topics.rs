//! CreateTopics.

use std::collections::BTreeMap;

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::create_topics_response::{
    CreatableTopicConfigs, CreatableTopicResult,
};
use kafka_protocol::messages::{ApiKey, CreateTopicsRequest, CreateTopicsResponse};
use kafka_protocol::protocol::StrBytes;
use longshore_log::{Log, NewTopic, Topic};
use longshore_model::TopicName;

use super::code::code;
use super::describe_configs::source;
use super::{Context, wire_index};
use crate::error::Broken;
use crate::request::{Answer, Api, Request};
use crate::shape::{ALL, Field, Kind, Shape};

pub(crate) static API: Api = Api {
    key: ApiKey::CreateTopics,
    versions: 2..=7,
    shape: Shape {
        flexible_from: 5,
        followers_tags: 0,
        fields: &[
            Field(ALL, Kind::Structs(TOPIC)),
            Field(ALL, Kind::Fixed(4 + 1)),
        ],
    },
};
const TOPIC: &[Field] = &[
    Field(ALL, Kind::Text),
    Field(ALL, Kind::Fixed(4 + 2)),
    Field(ALL, Kind::Structs(ASSIGNMENT)),
    Field(
        ALL,
        Kind::Structs(&[Field(ALL, Kind::Text), Field(ALL, Kind::Text)]),
    ),
];
const ASSIGNMENT: &[Field] = &[
    Field(ALL, Kind::Fixed(4)),
    Field(ALL, Kind::Array(&Kind::Fixed(4))),
];

/// How a client leaves a number to the broker.
const UNSET: i16 = -1;
const REPLICATION_FACTOR: i16 = 1;

pub(super) async fn answer(context: &Context, request: &Request) -> Result<Answer, Broken> {
    let asked: CreateTopicsRequest = request.decode(&API)?;
    let mut named = BTreeMap::new();
    for topic in &asked.topics {
        *named.entry(topic.name.clone()).or_insert(0) += 1;
    }
    let mut results = Vec::with_capacity(asked.topics.len());
    for topic in asked.topics {
        let created = if named[&topic.name] > 1 {
            Err(refused(
                ResponseError::InvalidRequest,
                "the request names it more than once",
            ))
        } else {
            create(&context.broker.log, &topic, asked.validate_only).await
        };
        results.push(result(topic, created));
    }
    request.answer(&CreateTopicsResponse::default().with_topics(results))
}

/// A code, and a sentence for the person who asked.
type Refused = (ResponseError, String);

fn refused(code: ResponseError, message: &str) -> Refused {
    (code, message.to_owned())
}

/// The topic as it was made; nothing when it was only checked.
async fn create(
    log: &Log,
    asked: &CreatableTopic,
    validate_only: bool,
) -> Result<Option<Topic>, Refused> {
    let new = new_topic(asked)?;
    let name = new.name.clone();
    let created = if validate_only {
        log.check_topic(&new).map(|()| None)
    } else {
        log.create_topic(new).await.map(Some)
    };
    let created = created.map_err(|error| (code(&error), error.to_string()))?;
    let factor = replication_factor(asked);
    if factor > REPLICATION_FACTOR {
        tracing::warn!(topic = %name, "replication.factor={factor} is taken as 1: the embedded log is one node");
    }
    Ok(created)
}

fn new_topic(asked: &CreatableTopic) -> Result<NewTopic, Refused> {
    let name = TopicName::parse(&asked.name)
        .map_err(|error| (ResponseError::InvalidTopicException, error.to_string()))?;
    if name.is_internal() {
        let message = "names of this kind are for internal topics";
        return Err(refused(ResponseError::TopicAuthorizationFailed, message));
    }
    let factor = replication_factor(asked);
    if factor < REPLICATION_FACTOR && factor != UNSET {
        let message = "replication factor: must be at least 1, or -1 for the default";
        return Err(refused(ResponseError::InvalidReplicationFactor, message));
    }
    let mut configs = BTreeMap::new();
    for config in &asked.configs {
        let Some(value) = &config.value else {
            let message = format!("topic config {}: must not be null", config.name);
            return Err((ResponseError::InvalidConfig, message));
        };
        configs.insert(config.name.to_string(), value.to_string());
    }
    Ok(NewTopic {
        name,
        partitions: partitions(asked)?,
        configs,
    })
}

/// Where partitions are assigned to brokers by hand, only their number matters: there is one broker.
fn partitions(asked: &CreatableTopic) -> Result<Option<u32>, Refused> {
    if asked.assignments.is_empty() {
        return match asked.num_partitions {
            -1 => Ok(None),
            n => u32::try_from(n).map(Some).map_err(|_| {
                let message = "partitions: must be at least 1, or -1 for the default";
                refused(ResponseError::InvalidPartitions, message)
            }),
        };
    }
    let n = u32::try_from(asked.assignments.len()).expect("a frame has at most 100000 elements");
    let mut indexes: Vec<i32> = asked
        .assignments
        .iter()
        .map(|a| a.partition_index)
        .collect();
    indexes.sort_unstable();
    if indexes.into_iter().eq((0..n).map(wire_index)) {
        Ok(Some(n))
    } else {
        let message = "the assigned partitions do not count from 0 without a gap";
        Err(refused(ResponseError::InvalidReplicaAssignment, message))
    }
}

fn replication_factor(asked: &CreatableTopic) -> i16 {
    let assigned = asked.assignments.iter().map(|a| a.broker_ids.len()).max();
    assigned.map_or(asked.replication_factor, |n| {
        i16::try_from(n).unwrap_or(i16::MAX)
    })
}

fn result(asked: CreatableTopic, created: Result<Option<Topic>, Refused>) -> CreatableTopicResult {
    let result = CreatableTopicResult::default().with_name(asked.name);
    match created {
        Ok(Some(topic)) => result
            .with_error_message(None)
            .with_topic_id(topic.id)
            .with_num_partitions(wire_index(topic.n_partitions))
            .with_replication_factor(REPLICATION_FACTOR)
            .with_configs(Some(configs(&topic))),
        Ok(None) => result
            .with_error_message(None)
            .with_num_partitions(asked.num_partitions)
            .with_replication_factor(REPLICATION_FACTOR),
        Err((code, message)) => result
            .with_error_code(code.code())
            .with_error_message(Some(StrBytes::from_string(message))),
    }
}

fn configs(topic: &Topic) -> Vec<CreatableTopicConfigs> {
    let config = |(key, value): (&'static str, String)| {
        CreatableTopicConfigs::default()
            .with_config_source(source(topic, key))
            .with_name(StrBytes::from_static_str(key))
            .with_value(Some(StrBytes::from_string(value)))
    };
    topic.settings.describe().into_iter().map(config).collect()
}
