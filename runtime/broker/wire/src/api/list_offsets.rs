//! ListOffsets: where a partition begins and ends, and where a time falls.

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::list_offsets_request::ListOffsetsPartition;
use kafka_protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use kafka_protocol::messages::{ApiKey, ListOffsetsRequest, ListOffsetsResponse};
use longshore_log::{ListedOffset, OffsetSpec};
use longshore_model::TopicName;

use super::code::code;
use super::{Broker, Context, LEADER_EPOCH, TopicRef, partition};
use crate::error::Broken;
use crate::request::{Answer, Api, Request};
use crate::shape::{ALL, Field, Kind, Shape, since};

pub(crate) static API: Api = Api {
    key: ApiKey::ListOffsets,
    versions: 1..=10,
    shape: Shape {
        flexible_from: 6,
        followers_tags: 0,
        fields: &[
            Field(ALL, Kind::Fixed(4)),
            Field(since(2), Kind::Fixed(1)),
            Field(ALL, Kind::Structs(TOPIC)),
            Field(since(10), Kind::Fixed(4)),
        ],
    },
};
const TOPIC: &[Field] = &[
    Field(ALL, Kind::Text),
    Field(
        ALL,
        Kind::Structs(&[
            Field(ALL, Kind::Fixed(4)),
            Field(since(4), Kind::Fixed(4)),
            Field(ALL, Kind::Fixed(8)),
        ]),
    ),
];

const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: i64 = -3;
/// The first offset on local disks, where all of them are.
const EARLIEST_LOCAL: i64 = -4;
/// The last offset in tiered storage, of which there is none.
const LATEST_TIERED: i64 = -5;

const NOT_FOUND: ListedOffset = ListedOffset {
    offset: -1,
    timestamp: -1,
};

pub(super) async fn answer(context: &Context, request: &Request) -> Result<Answer, Broken> {
    let asked: ListOffsetsRequest = request.decode(&API)?;
    let log = &context.broker.log;
    let mut topics = Vec::with_capacity(asked.topics.len());
    for topic in asked.topics {
        let by_name = TopicRef::by_name(topic.name.clone());
        let name = by_name.resolve(log);
        let mut partitions = Vec::with_capacity(topic.partitions.len());
        for asked in &topic.partitions {
            let listed = match &name {
                Ok(name) => list(context, name, asked).await,
                Err(error) => Err(*error),
            };
            partitions.push(listed_partition(asked, listed, request.version));
        }
        topics.push(
            ListOffsetsTopicResponse::default()
                .with_name(topic.name)
                .with_partitions(partitions),
        );
    }
    request.answer(&ListOffsetsResponse::default().with_topics(topics))
}

async fn list(
    context: &Context,
    topic: &TopicName,
    asked: &ListOffsetsPartition,
) -> Result<ListedOffset, ResponseError> {
    let Broker { log, lookups, .. } = &*context.broker;
    let partition = partition(topic, asked.partition_index)?;
    let spec = match asked.timestamp {
        LATEST => OffsetSpec::Latest,
        EARLIEST | EARLIEST_LOCAL => OffsetSpec::Earliest,
        MAX_TIMESTAMP => OffsetSpec::MaxTimestamp,
        LATEST_TIERED => {
            return log
                .bounds(&partition)
                .map(|_| NOT_FOUND)
                .map_err(|e| code(&e));
        }
        time if time >= 0 => OffsetSpec::Timestamp(time),
        _ => return Err(ResponseError::InvalidRequest),
    };
    let inside_batches = matches!(spec, OffsetSpec::Timestamp(_) | OffsetSpec::MaxTimestamp);
    let _turn = if inside_batches {
        Some(lookups.acquire().await.expect("it is never closed"))
    } else {
        None
    };
    let listed = log.list_offset(&partition, spec).await;
    Ok(listed.map_err(|error| code(&error))?.unwrap_or(NOT_FOUND))
}

fn listed_partition(
    asked: &ListOffsetsPartition,
    listed: Result<ListedOffset, ResponseError>,
    version: i16,
) -> ListOffsetsPartitionResponse {
    let answer =
        ListOffsetsPartitionResponse::default().with_partition_index(asked.partition_index);
    match listed {
        Ok(listed) => {
            let answer = answer
                .with_offset(listed.offset)
                .with_timestamp(listed.timestamp);
            if version >= 4 && listed.offset >= 0 {
                answer.with_leader_epoch(LEADER_EPOCH)
            } else {
                answer
            }
        }
        Err(error) => answer.with_error_code(error.code()),
    }
}
