//! Topics and records over HTTP.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use longshore_pipeline::port::TopicDescription;
use longshore_worker as worker;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// A key, a value or a header's value: text, or base64 where it is not UTF-8.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged, try_from = "Value")]
pub(crate) enum Payload {
    /// UTF-8.
    Text(String),
    /// Anything else.
    Bytes {
        /// Base64 with padding.
        base64: String,
    },
}

impl TryFrom<Value> for Payload {
    type Error = &'static str;

    fn try_from(value: Value) -> Result<Self, Self::Error> {
        const SHAPE: &str = "a key or a value must be text, null or {\"base64\": text}";
        match value {
            Value::String(text) => Ok(Self::Text(text)),
            Value::Object(mut object) if object.len() == 1 => match object.remove("base64") {
                Some(Value::String(base64)) => Ok(Self::Bytes { base64 }),
                _ => Err(SHAPE),
            },
            _ => Err(SHAPE),
        }
    }
}

impl From<Bytes> for Payload {
    fn from(bytes: Bytes) -> Self {
        match std::str::from_utf8(&bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Bytes {
                base64: STANDARD.encode(&bytes),
            },
        }
    }
}

impl Payload {
    fn bytes(self) -> Result<Bytes, String> {
        match self {
            Self::Text(text) => Ok(Bytes::from(text)),
            Self::Bytes { base64 } => {
                let decoded = STANDARD.decode(&base64);
                decoded
                    .map(Bytes::from)
                    .map_err(|error| format!("base64: {error}"))
            }
        }
    }
}

/// A header.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header {
    key: String,
    #[serde(default)]
    value: Option<Payload>,
}

/// A record of a topic.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Record {
    partition: u32,
    offset: i64,
    /// Milliseconds since 1970.
    timestamp: Option<i64>,
    key: Option<Payload>,
    value: Option<Payload>,
    headers: Vec<Header>,
}

impl From<worker::Record> for Record {
    fn from(record: worker::Record) -> Self {
        let header = |(key, value): (String, Option<Bytes>)| Header {
            key,
            value: value.map(Into::into),
        };
        Self {
            partition: record.partition,
            offset: record.offset,
            timestamp: record.timestamp_ms,
            key: record.key.map(Into::into),
            value: record.value.map(Into::into),
            headers: record.headers.into_iter().map(header).collect(),
        }
    }
}

/// A record to write.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRecord {
    /// By the key where absent, as the Java client would choose.
    #[serde(default)]
    partition: Option<u32>,
    /// Now where absent.
    #[serde(default)]
    timestamp: Option<i64>,
    #[serde(default)]
    key: Option<Payload>,
    #[serde(default)]
    value: Option<Payload>,
    #[serde(default)]
    headers: Vec<Header>,
}

impl NewRecord {
    pub(crate) fn into_domain(self) -> Result<worker::NewRecord, String> {
        let header = |header: Header| {
            let value = header.value.map(Payload::bytes).transpose();
            value.map(|value| (header.key, value))
        };
        // In the log, a negative time stands for none.
        if let Some(timestamp) = self.timestamp.filter(|timestamp| *timestamp < 0) {
            return Err(format!(
                "timestamp must be milliseconds since 1970, and is {timestamp}"
            ));
        }
        Ok(worker::NewRecord {
            partition: self.partition,
            timestamp_ms: self.timestamp,
            key: self.key.map(Payload::bytes).transpose()?,
            value: self.value.map(Payload::bytes).transpose()?,
            headers: self
                .headers
                .into_iter()
                .map(header)
                .collect::<Result<_, _>>()?,
        })
    }
}

/// Body of `POST /topics/{topic}/records`: one record, a list, or a list under `records`.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Value")]
pub(crate) struct NewRecords(pub(crate) Vec<NewRecord>);

impl TryFrom<Value> for NewRecords {
    type Error = String;

    fn try_from(body: Value) -> Result<Self, Self::Error> {
        let records = match body {
            Value::Array(records) => records,
            Value::Object(mut object) => match object.remove("records") {
                Some(Value::Array(records)) if object.is_empty() => records,
                Some(_) => return Err("records must be a list and stand alone".to_owned()),
                None => vec![Value::Object(object)],
            },
            _ => return Err("the body must be a record or a list of records".to_owned()),
        };
        let parse = |(n, record)| {
            serde_json::from_value(record).map_err(|error| format!("record {n}: {error}"))
        };
        let records = records.into_iter().enumerate().map(parse);
        records.collect::<Result<_, _>>().map(Self)
    }
}

/// What was written.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Written {
    /// How many records are durable now.
    pub(crate) written: usize,
}

/// Body of `POST /topics`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewTopic {
    pub(crate) name: String,
    /// `num.partitions` where absent.
    #[serde(default)]
    pub(crate) partitions: Option<u32>,
    /// Settings under Kafka's names, such as `retention.ms`.
    #[serde(default)]
    pub(crate) config: BTreeMap<String, String>,
}

/// A topic.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Topic {
    name: String,
    /// Names one life of the topic.
    id: String,
    partitions: u32,
    config: BTreeMap<String, String>,
    /// Whether it is one of Longshore's own, which are only read.
    internal: bool,
}

impl From<TopicDescription> for Topic {
    fn from(topic: TopicDescription) -> Self {
        Self {
            internal: topic.name.is_internal(),
            name: topic.name.to_string(),
            id: topic.id.to_string(),
            partitions: topic.partitions,
            config: topic.configs,
        }
    }
}
