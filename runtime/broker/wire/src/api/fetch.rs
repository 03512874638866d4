//! Fetch: batches as they lie in the log, and a wait where there are not enough yet.
//!
//! There are no fetch sessions: every answer says so with session 0, and clients name all their partitions each time.

use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::fetch_request::FetchPartition;
use kafka_protocol::messages::fetch_response::{FetchableTopicResponse, PartitionData};
use kafka_protocol::messages::{ApiKey, FetchRequest, FetchResponse};
use longshore_log::Fetched;
use longshore_model::TopicName;
use tokio::time::{Instant, sleep_until};

use super::code::code;
use super::{Context, TopicRef, partition};
use crate::budget::Reserved;
use crate::error::Broken;
use crate::request::{Answer, Api, Request};
use crate::shape::{ALL, Field, Kind, Shape, since, until};

pub(crate) static API: Api = Api {
    key: ApiKey::Fetch,
    versions: 4..=17,
    shape: Shape {
        flexible_from: 12,
        followers_tags: 2,
        fields: &[
            Field(until(14), Kind::Fixed(4)),
            Field(ALL, Kind::Fixed(4 + 4 + 4 + 1)),
            Field(since(7), Kind::Fixed(4 + 4)),
            Field(ALL, Kind::Structs(TOPIC)),
            Field(since(7), Kind::Structs(FORGOTTEN)),
            Field(since(11), Kind::Text),
        ],
    },
};
const TOPIC: &[Field] = &[
    Field(until(12), Kind::Text),
    Field(since(13), Kind::Fixed(16)),
    Field(ALL, Kind::Structs(PARTITION)),
];
const PARTITION: &[Field] = &[
    Field(ALL, Kind::Fixed(4)),
    Field(since(9), Kind::Fixed(4)),
    Field(ALL, Kind::Fixed(8)),
    Field(since(12), Kind::Fixed(4)),
    Field(since(5), Kind::Fixed(8)),
    Field(ALL, Kind::Fixed(4)),
];
const FORGOTTEN: &[Field] = &[
    Field(until(12), Kind::Text),
    Field(since(13), Kind::Fixed(16)),
    Field(ALL, Kind::Array(&Kind::Fixed(4))),
];

/// Who waits for more than a byte is looked after this many times in its wait, because a look reads what is there.
const LOOKS: u32 = 16;

pub(super) async fn answer(context: &Context, request: &Request) -> Result<Answer, Broken> {
    let asked: FetchRequest = request.decode(&API)?;
    if asked.session_id != 0 {
        let code = ResponseError::FetchSessionIdNotFound.code();
        return request.answer(&FetchResponse::default().with_error_code(code));
    }
    let found = wait(context, &asked).await;
    let mut reads = found.reads.into_iter();
    let responses = asked.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.iter().zip(&mut reads);
        let partitions = partitions.map(|(asked, read)| partition_response(asked.partition, read));
        FetchableTopicResponse::default()
            .with_partitions(partitions.collect())
            .with_topic(topic.topic)
            .with_topic_id(topic.topic_id)
    });
    let answer = FetchResponse::default().with_responses(responses.collect());
    let mut answer = request.answer(&answer)?;
    answer.memory = found.memory;
    Ok(answer)
}

/// What one look found: a result for each partition asked for, in order.
#[derive(Debug, Default)]
struct Found {
    reads: Vec<Result<Fetched, ResponseError>>,
    n_bytes: usize,
    failed: bool,
    memory: Option<Reserved>,
}

/// Looks until there is enough, something is wrong, or the time is up.
async fn wait(context: &Context, asked: &FetchRequest) -> Found {
    let broker = &context.broker;
    let bytes_max = positive(asked.max_bytes).min(broker.config.fetch_bytes_max);
    let enough = positive(asked.min_bytes).min(bytes_max);
    let patience = Duration::from_millis(u64::try_from(asked.max_wait_ms).unwrap_or(0));
    let patience = patience.min(broker.config.idle_max);
    let deadline = Instant::now() + patience;
    let mut changes = broker.log.changes();
    loop {
        changes.mark_unchanged();
        let found = look(context, asked, bytes_max).await;
        let over = Instant::now() >= deadline || broker.shutdown.is_cancelled();
        if found.n_bytes >= enough || found.failed || over {
            return found;
        }
        let next_look = if found.n_bytes > 0 {
            Instant::now() + patience / LOOKS
        } else {
            Instant::now()
        };
        drop(found);
        let changed = async {
            sleep_until(next_look).await;
            changes.changed().await
        };
        tokio::select! {
            changed = changed => if changed.is_err() {
                // The log is closed: the next look says so.
                return look(context, asked, bytes_max).await;
            },
            () = sleep_until(deadline) => {}
            () = broker.shutdown.cancelled() => {}
        }
    }
}

async fn look(context: &Context, asked: &FetchRequest, bytes_max: usize) -> Found {
    let log = &context.broker.log;
    let mut found = Found::default();
    for topic in &asked.topics {
        let topic_ref = TopicRef {
            name: topic.topic.clone(),
            id: topic.topic_id,
        };
        let name = topic_ref.resolve(log);
        for partition in &topic.partitions {
            let read = match &name {
                Ok(name) => read(context, name, partition, bytes_max, &mut found).await,
                Err(error) => Err(*error),
            };
            found.failed |= read.is_err();
            found.n_bytes += read.as_ref().map_or(0, |read| read.batches.len());
            found.reads.push(read);
        }
    }
    if let Some(memory) = &mut found.memory {
        memory.shrink(found.n_bytes);
    }
    found
}

/// Reads of one partition what the request still has room for. The first batches of an answer may be larger than that,
/// because a client could never get past a batch that does not fit.
async fn read(
    context: &Context,
    topic: &TopicName,
    asked: &FetchPartition,
    bytes_max: usize,
    found: &mut Found,
) -> Result<Fetched, ResponseError> {
    let log = &context.broker.log;
    let partition = partition(topic, asked.partition)?;
    let (log_start, high_watermark) = log.bounds(&partition).map_err(|error| code(&error))?;
    if !(log_start..=high_watermark).contains(&asked.fetch_offset) {
        return Err(ResponseError::OffsetOutOfRange);
    }
    let nothing = Fetched {
        batches: Bytes::new(),
        left_out: None,
        high_watermark,
        log_start,
    };
    let room = bytes_max.saturating_sub(found.n_bytes);
    let first = found.n_bytes == 0;
    if asked.fetch_offset == high_watermark || (room == 0 && !first) {
        return Ok(nothing);
    }
    if found.memory.is_none() {
        found.memory = Some(context.broker.fetches.reserve(bytes_max).await);
    }
    let offset = asked.fetch_offset;
    let wanted = positive(asked.partition_max_bytes).min(room);
    let fetched = log.fetch_within(&partition, offset, wanted, room).await;
    let fetched = fetched.map_err(|error| code(&error))?;
    let Some(bytes) = fetched.left_out.filter(|_| first) else {
        return Ok(fetched);
    };
    // What was reserved goes back first, so that no two wait for what the other has (invariant 9).
    found.memory = None;
    found.memory = Some(context.broker.fetches.reserve(bytes).await);
    let fetched = log.fetch_within(&partition, offset, bytes, bytes).await;
    fetched.map_err(|error| code(&error))
}

fn partition_response(index: i32, read: Result<Fetched, ResponseError>) -> PartitionData {
    let response = PartitionData::default().with_partition_index(index);
    match read {
        // Without transactions everything readable is stable and nothing was aborted, whatever the isolation level.
        Ok(fetched) => response
            .with_high_watermark(fetched.high_watermark)
            .with_last_stable_offset(fetched.high_watermark)
            .with_log_start_offset(fetched.log_start)
            .with_records(Some(fetched.batches)),
        Err(error) => response
            .with_error_code(error.code())
            .with_high_watermark(-1),
    }
}

fn positive(bytes: i32) -> usize {
    usize::try_from(bytes).unwrap_or(0)
}
