//! Produce: batches go to the log as they are.
//!
//! Answering has two halves. [`begin`] hands every batch to the log, which fixes the order of this request and the ones
//! after it on the same connection; the future it returns waits for the acknowledgements, while the next Produce begins.

use std::future::Future;

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::produce_request::PartitionProduceData;
use kafka_protocol::messages::produce_response::{PartitionProduceResponse, TopicProduceResponse};
use kafka_protocol::messages::{ApiKey, ProduceRequest, ProduceResponse};
use kafka_protocol::protocol::StrBytes;
use longshore_log::{Error, Log, Produced};
use longshore_model::TopicName;

use super::code::code;
use super::{Context, NO_ERROR, TopicRef, partition};
use crate::error::Broken;
use crate::request::{Answer, Api, Request};
use crate::shape::{ALL, Field, Kind, Shape, since, until};

pub(crate) static API: Api = Api {
    key: ApiKey::Produce,
    versions: 3..=13,
    shape: Shape {
        flexible_from: 9,
        followers_tags: 0,
        fields: &[
            Field(ALL, Kind::Text),
            Field(ALL, Kind::Fixed(2 + 4)),
            Field(ALL, Kind::Structs(TOPIC)),
        ],
    },
};
const TOPIC: &[Field] = &[
    Field(until(12), Kind::Text),
    Field(since(13), Kind::Fixed(16)),
    Field(
        ALL,
        Kind::Structs(&[Field(ALL, Kind::Fixed(4)), Field(ALL, Kind::Bytes)]),
    ),
];

/// Acknowledgements that a producer may ask for: none, the leader's, everybody's. The last two are the same here.
const ACKS: [i16; 3] = [0, 1, -1];

/// Queues what a Produce request carries. The future gives the answer, or nothing where none is wanted.
pub(crate) async fn begin(
    context: &Context,
    request: Request,
) -> Result<impl Future<Output = Result<Option<Answer>, Broken>> + Send + use<>, Broken> {
    let asked: ProduceRequest = request.decode(&API)?;
    let log = &context.broker.log;
    let refused = refusal(&asked);
    let mut topics = Vec::with_capacity(asked.topic_data.len());
    for data in asked.topic_data {
        let topic = TopicRef {
            name: data.name,
            id: data.topic_id,
        };
        let name = match &refused {
            Some(refused) => Err(refused.clone()),
            None => topic.resolve(log).map_err(Refused::from),
        };
        let mut writes = Vec::with_capacity(data.partition_data.len());
        for data in data.partition_data {
            let index = data.index;
            let write = match &name {
                Ok(name) => queue(log, name, data).await,
                Err(refused) => Err(refused.clone()),
            };
            writes.push((index, write));
        }
        topics.push((topic, writes));
    }
    Ok(async move {
        let mut acknowledged = true;
        let mut responses = Vec::with_capacity(topics.len());
        for (topic, writes) in topics {
            let mut partitions = Vec::with_capacity(writes.len());
            for (index, write) in writes {
                let written = match write {
                    Ok(write) => write.await.map_err(Refused::from),
                    Err(refused) => Err(refused),
                };
                let response = partition_response(index, written);
                acknowledged &= response.error_code == NO_ERROR;
                partitions.push(response);
            }
            responses.push(topic_response(topic, partitions));
        }
        if asked.acks != 0 {
            let answer = ProduceResponse::default().with_responses(responses);
            request.answer(&answer).map(Some)
        } else if acknowledged {
            Ok(None)
        } else {
            // The end of the connection is the only way to tell.
            Err(Broken::Unacknowledged)
        }
    })
}

/// Why a partition's batches are not taken.
#[derive(Clone, Debug)]
struct Refused {
    code: ResponseError,
    message: Option<String>,
}

impl From<ResponseError> for Refused {
    fn from(code: ResponseError) -> Self {
        Self {
            code,
            message: None,
        }
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self {
            code: code(&error),
            message: Some(error.to_string()),
        }
    }
}

fn refusal(asked: &ProduceRequest) -> Option<Refused> {
    if asked.transactional_id.is_some() {
        Some(Refused {
            code: ResponseError::TransactionalIdAuthorizationFailed,
            message: Some("transactions are not supported".to_owned()),
        })
    } else if ACKS.contains(&asked.acks) {
        None
    } else {
        Some(ResponseError::InvalidRequiredAcks.into())
    }
}

async fn queue(
    log: &Log,
    topic: &TopicName,
    data: PartitionProduceData,
) -> Result<impl Future<Output = Result<Produced, Error>> + Send + use<>, Refused> {
    let partition = partition(topic, data.index)?;
    // Without records these are no batch, and the log says so.
    let batches = data.records.unwrap_or_default();
    Ok(log.produce(&partition, batches).await?)
}

fn partition_response(index: i32, written: Result<Produced, Refused>) -> PartitionProduceResponse {
    let response = PartitionProduceResponse::default().with_index(index);
    match written {
        Ok(produced) => response
            .with_base_offset(produced.base_offset)
            .with_log_start_offset(produced.log_start),
        Err(refused) => response
            .with_error_code(refused.code.code())
            .with_error_message(refused.message.map(StrBytes::from_string))
            .with_base_offset(-1),
    }
}

fn topic_response(
    topic: TopicRef,
    partitions: Vec<PartitionProduceResponse>,
) -> TopicProduceResponse {
    TopicProduceResponse::default()
        .with_name(topic.name)
        .with_topic_id(topic.id)
        .with_partition_responses(partitions)
}
