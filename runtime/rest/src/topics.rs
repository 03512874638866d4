//! `/topics`: topics and their records, without a Kafka client.

use std::convert::Infallible;

use axum::Json;
use axum::extract::State;
use axum::http::header::{ACCEPT, LOCATION};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream, StreamExt};
use longshore_model::TopicName;
use longshore_pipeline::port::{Broker, Plugins, Subscription};
use longshore_worker::{Begin, Follow};
use tokio_util::sync::CancellationToken;

use crate::api::Api;
use crate::dto::{NewRecord, NewRecords, NewTopic, Record, Topic as TopicBody, Written};
use crate::error::{ApiError, ErrorBody};
use crate::extract::{Body, Object, Parameters, Topic};

/// How many records one answer has where nobody says.
const LIMIT: usize = 100;
const LIMIT_MAX: usize = 10_000;

/// All topics.
#[utoipa::path(get, operation_id = "topics_list", path = "/topics", tag = "topics", responses((status = 200, body = Vec<TopicBody>)))]
pub(crate) async fn list<B: Broker, P: Plugins>(
    State(api): State<Api<B, P>>,
) -> Result<Json<Vec<TopicBody>>, ApiError> {
    let topics = api.worker.records().topics().await?;
    Ok(Json(topics.into_iter().map(Into::into).collect()))
}

/// Creates a topic.
#[utoipa::path(post, operation_id = "topics_create", path = "/topics", tag = "topics", request_body = NewTopic,
    responses((status = 201, body = TopicBody), (status = 400, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(crate) async fn create<B: Broker, P: Plugins>(
    State(api): State<Api<B, P>>,
    Object(new): Object<NewTopic>,
) -> Result<Response, ApiError> {
    let name = TopicName::parse(&new.name)
        .map_err(|error| ApiError::bad_request("invalid-topic", error.to_string()))?;
    let location = format!("/topics/{name}");
    let topic = api
        .worker
        .records()
        .create(name, new.partitions, new.config)
        .await?;
    let body = Json(TopicBody::from(topic));
    Ok((StatusCode::CREATED, [(LOCATION, location)], body).into_response())
}

/// One topic.
#[utoipa::path(get, operation_id = "topics_get", path = "/topics/{topic}", tag = "topics", params(("topic" = String, Path)),
    responses((status = 200, body = TopicBody), (status = 404, body = ErrorBody)))]
pub(crate) async fn get<B: Broker, P: Plugins>(
    State(api): State<Api<B, P>>,
    Topic(name): Topic,
) -> Result<Json<TopicBody>, ApiError> {
    Ok(Json(api.worker.records().topic(&name).await?.into()))
}

/// Deletes a topic and its records.
#[utoipa::path(delete, operation_id = "topics_delete", path = "/topics/{topic}", tag = "topics", params(("topic" = String, Path)),
    responses((status = 204), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(crate) async fn delete<B: Broker, P: Plugins>(
    State(api): State<Api<B, P>>,
    Topic(name): Topic,
) -> Result<StatusCode, ApiError> {
    api.worker.records().delete(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Records of a topic: a list, or with `follow` an event stream of them.
#[utoipa::path(get, operation_id = "topics_read", path = "/topics/{topic}/records", tag = "topics",
    params(("topic" = String, Path),
        ("partition" = Option<u32>, Query, description = "All of them where absent"),
        ("offset" = Option<String>, Query, description = "earliest (the default), latest, an offset, or -n for the last n"),
        ("limit" = Option<usize>, Query, description = "100 in a list, none in a stream, unless said; at most 10,000 in a list"),
        ("follow" = Option<bool>, Query, description = "true, or Accept: text/event-stream, for a stream")),
    responses((status = 200, body = Vec<Record>), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(crate) async fn read<B: Broker, P: Plugins>(
    State(api): State<Api<B, P>>,
    Topic(name): Topic,
    headers: HeaderMap,
    parameters: Parameters,
) -> Result<Response, ApiError> {
    let partition = parameters.number("partition")?;
    let limit: Option<usize> = parameters.number("limit")?;
    let begin = begin(&parameters)?;
    let records = api.worker.records();
    let accepts = |value: &str| value.contains("text/event-stream");
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    if parameters.flag("follow") || accept.is_some_and(accepts) {
        let follow = records.follow(&name, partition, begin).await?;
        let events = events(follow, api.shutdown.clone()).take(limit.unwrap_or(usize::MAX));
        return Ok(Sse::new(events)
            .keep_alive(KeepAlive::default())
            .into_response());
    }
    let limit = limit.unwrap_or(LIMIT);
    if limit > LIMIT_MAX {
        let message = format!("limit must be at most {LIMIT_MAX} in a list, and is {limit}");
        return Err(ApiError::bad_request("invalid-parameter", message));
    }
    let records = records.read(&name, partition, begin, limit).await?;
    let records: Vec<Record> = records.into_iter().map(Into::into).collect();
    Ok(Json(records).into_response())
}

/// Writes records: one, a list, or a list under `records`; all of them or none. They are durable
/// when this is answered.
#[utoipa::path(post, operation_id = "topics_write", path = "/topics/{topic}/records", tag = "topics", params(("topic" = String, Path)),
    request_body = Vec<NewRecord>,
    responses((status = 200, body = Written), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody), (status = 413, body = ErrorBody)))]
pub(crate) async fn write<B: Broker, P: Plugins>(
    State(api): State<Api<B, P>>,
    Topic(name): Topic,
    Body(NewRecords(records)): Body<NewRecords>,
) -> Result<Json<Written>, ApiError> {
    let written = records.len();
    let into_domain = |(n, record): (usize, NewRecord)| {
        let record = record.into_domain();
        record.map_err(|why| ApiError::bad_request("malformed-json", format!("record {n}: {why}")))
    };
    let records = records.into_iter().enumerate().map(into_domain);
    let records = records.collect::<Result<_, _>>()?;
    api.worker.records().write(&name, records).await?;
    Ok(Json(Written { written }))
}

fn begin(parameters: &Parameters) -> Result<Begin, ApiError> {
    let Some(text) = parameters.get("offset") else {
        return Ok(Begin::Earliest);
    };
    match (text, text.parse::<i64>()) {
        ("earliest", _) => Ok(Begin::Earliest),
        ("latest", _) => Ok(Begin::Latest),
        (_, Ok(n)) if n < 0 => Ok(Begin::Last(n.saturating_neg())),
        (_, Ok(offset)) => Ok(Begin::At(offset)),
        (_, Err(_)) => {
            let message =
                format!("offset must be earliest, latest, an offset or -n, and is {text:?}");
            Err(ApiError::bad_request("invalid-parameter", message))
        }
    }
}

/// Records as events, until the worker shuts down or the topic is gone.
fn events<S: Subscription>(
    follow: Follow<S>,
    shutdown: CancellationToken,
) -> impl Stream<Item = Result<Event, Infallible>> {
    let batches = stream::unfold((follow, shutdown), |(mut follow, shutdown)| async move {
        let records = tokio::select! {
            records = follow.next() => records,
            () = shutdown.cancelled() => return None,
        };
        match records {
            Ok(records) => Some((stream::iter(records), (follow, shutdown))),
            Err(error) => {
                tracing::debug!(%error, "a followed topic ended");
                None
            }
        }
    });
    batches.flatten().map(|record| {
        let id = format!("{}:{}", record.partition, record.offset);
        let body = serde_json::to_string(&Record::from(record)).expect("a record is JSON");
        Ok(Event::default().id(id).data(body))
    })
}
