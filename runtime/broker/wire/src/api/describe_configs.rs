//! DescribeConfigs: the settings of a topic, and those of the broker that matter to clients.

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult,
};
use kafka_protocol::messages::{ApiKey, DescribeConfigsRequest, DescribeConfigsResponse};
use kafka_protocol::protocol::StrBytes;
use longshore_log::{Log, Topic};
use longshore_model::TopicName;

use super::{Context, NODE_ID};
use crate::config::WireConfig;
use crate::error::Broken;
use crate::request::{Answer, Api, Request};
use crate::shape::{ALL, Field, Kind, Shape, since};

pub(crate) static API: Api = Api {
    key: ApiKey::DescribeConfigs,
    versions: 1..=4,
    shape: Shape {
        flexible_from: 4,
        followers_tags: 0,
        fields: &[
            Field(ALL, Kind::Structs(RESOURCE)),
            Field(ALL, Kind::Fixed(1)),
            Field(since(3), Kind::Fixed(1)),
        ],
    },
};
const RESOURCE: &[Field] = &[
    Field(ALL, Kind::Fixed(1)),
    Field(ALL, Kind::Text),
    Field(ALL, Kind::Array(&Kind::Text)),
];

const TOPIC: i8 = 2;
const BROKER: i8 = 4;

/// Where a value comes from.
const GIVEN_WITH_THE_TOPIC: i8 = 1;
const GIVEN_TO_THE_BROKER: i8 = 4;
const DEFAULT: i8 = 5;

/// What a value is.
const BOOLEAN: i8 = 1;
const STRING: i8 = 2;
const INT: i8 = 3;
const LONG: i8 = 5;
const LIST: i8 = 7;

pub(super) fn answer(context: &Context, request: &Request) -> Result<Answer, Broken> {
    let asked: DescribeConfigsRequest = request.decode(&API)?;
    let describe = |resource| result(context, resource);
    let results = asked.resources.into_iter().map(describe).collect();
    request.answer(&DescribeConfigsResponse::default().with_results(results))
}

/// Where a setting of a topic comes from.
pub(super) fn source(topic: &Topic, key: &str) -> i8 {
    if topic.configs.contains_key(key) {
        GIVEN_WITH_THE_TOPIC
    } else {
        DEFAULT
    }
}

fn result(context: &Context, resource: DescribeConfigsResource) -> DescribeConfigsResult {
    let wanted = |config: &DescribeConfigsResourceResult| match &resource.configuration_keys {
        Some(keys) if !keys.is_empty() => keys.contains(&config.name),
        _ => true,
    };
    let described = match resource.resource_type {
        TOPIC => topic(&context.broker.log, &resource.resource_name),
        BROKER => broker(&context.broker.config, &resource.resource_name),
        _ => Err((
            ResponseError::InvalidRequest,
            "only topics and brokers have configs here",
        )),
    };
    let result = DescribeConfigsResult::default().with_resource_type(resource.resource_type);
    let result = match described {
        Ok(configs) => result
            .with_error_message(None)
            .with_configs(configs.into_iter().filter(wanted).collect()),
        Err((code, message)) => result
            .with_error_code(code.code())
            .with_error_message(Some(StrBytes::from_static_str(message))),
    };
    result.with_resource_name(resource.resource_name)
}

type Described = Result<Vec<DescribeConfigsResourceResult>, (ResponseError, &'static str)>;

fn topic(log: &Log, name: &str) -> Described {
    let name = TopicName::parse(name).map_err(|_| {
        (
            ResponseError::InvalidTopicException,
            "this is not a topic's name",
        )
    })?;
    let topic = log.topic(&name).ok_or((
        ResponseError::UnknownTopicOrPartition,
        "there is no such topic",
    ))?;
    let entry = |(key, value)| entry(key, value, source(&topic, key), topic_config_type(key));
    Ok(topic.settings.describe().into_iter().map(entry).collect())
}

fn topic_config_type(key: &str) -> i8 {
    match key {
        "cleanup.policy" => LIST,
        "max.message.bytes" => INT,
        "retention.bytes" | "retention.ms" => LONG,
        _ => STRING,
    }
}

fn broker(config: &WireConfig, name: &str) -> Described {
    if !name.is_empty() && name != NODE_ID.to_string() {
        return Err((
            ResponseError::InvalidRequest,
            "there is one broker, and its id is 1",
        ));
    }
    let listeners: Vec<_> = config.listeners.iter().map(ToString::to_string).collect();
    let settings = [
        (
            "auto.create.topics.enable",
            config.auto_create_topics.to_string(),
            BOOLEAN,
        ),
        (
            "connections.max.idle.ms",
            config.idle_max.as_millis().to_string(),
            LONG,
        ),
        ("fetch.max.bytes", config.fetch_bytes_max.to_string(), INT),
        ("listeners", listeners.join(","), STRING),
        ("max.connections", config.connections_max.to_string(), INT),
        (
            "socket.request.max.bytes",
            config.request_bytes_max.to_string(),
            INT,
        ),
    ];
    let entry =
        |(key, value, kind)| entry(key, value, GIVEN_TO_THE_BROKER, kind).with_read_only(true);
    Ok(settings.into_iter().map(entry).collect())
}

fn entry(key: &'static str, value: String, source: i8, kind: i8) -> DescribeConfigsResourceResult {
    DescribeConfigsResourceResult::default()
        .with_name(StrBytes::from_static_str(key))
        .with_value(Some(StrBytes::from_string(value)))
        .with_config_source(source)
        .with_config_type(kind)
}
