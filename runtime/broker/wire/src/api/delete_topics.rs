//! DeleteTopics, by name or by id.

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::delete_topics_response::DeletableTopicResult;
use kafka_protocol::messages::{ApiKey, DeleteTopicsRequest, DeleteTopicsResponse};
use kafka_protocol::protocol::StrBytes;
use longshore_log::{Log, Topic};
use longshore_model::TopicName;

use super::code::code;
use super::{Context, wire_name};
use crate::error::Broken;
use crate::request::{Answer, Api, Request};
use crate::shape::{ALL, Field, Kind, Shape, since, until};

pub(crate) static API: Api = Api {
    key: ApiKey::DeleteTopics,
    versions: 1..=6,
    shape: Shape {
        flexible_from: 4,
        followers_tags: 0,
        fields: &[
            Field(
                since(6),
                Kind::Structs(&[Field(ALL, Kind::Text), Field(ALL, Kind::Fixed(16))]),
            ),
            Field(until(5), Kind::Array(&Kind::Text)),
            Field(ALL, Kind::Fixed(4)),
        ],
    },
};

pub(super) async fn answer(context: &Context, request: &Request) -> Result<Answer, Broken> {
    let asked: DeleteTopicsRequest = request.decode(&API)?;
    let named = |name| DeleteTopicState::default().with_name(Some(name));
    let topics = asked.topic_names.into_iter().map(named).chain(asked.topics);
    let mut responses = Vec::new();
    for topic in topics {
        responses.push(delete(&context.broker.log, topic).await);
    }
    request.answer(&DeleteTopicsResponse::default().with_responses(responses))
}

async fn delete(log: &Log, asked: DeleteTopicState) -> DeletableTopicResult {
    let result = DeletableTopicResult::default();
    let topic = match find(log, &asked) {
        Ok(topic) => topic,
        Err(error) => {
            return result
                .with_error_code(error.code())
                .with_name(asked.name)
                .with_topic_id(asked.topic_id);
        }
    };
    let result = result
        .with_name(Some(wire_name(&topic.name)))
        .with_topic_id(topic.id);
    match log.delete_topic(&topic.name).await {
        Ok(()) => result,
        Err(error) => result
            .with_error_code(code(&error).code())
            .with_error_message(Some(StrBytes::from_string(error.to_string()))),
    }
}

fn find(log: &Log, asked: &DeleteTopicState) -> Result<Topic, ResponseError> {
    match &asked.name {
        None => log
            .topic_by_id(asked.topic_id)
            .ok_or(ResponseError::UnknownTopicId),
        Some(name) => TopicName::parse(name)
            .ok()
            .and_then(|name| log.topic(&name))
            .ok_or(ResponseError::UnknownTopicOrPartition),
    }
}
