//! What a topic is, and which settings it takes.

use std::collections::BTreeMap;

use bytes::Bytes;
use longshore_model::TopicName;
use uuid::Uuid;

use crate::error::Error;

/// More partitions than this in one topic are refused.
pub const PARTITIONS_MAX: u32 = 10_000;

/// More partitions than this in all topics together are refused: the state of each is kept in memory, written at the
/// beginning of every file of the journal, and listed in one answer where a client asks for everything.
pub const LOG_PARTITIONS_MAX: usize = 100_000;

/// A topic to create.
#[derive(Clone, Debug)]
pub struct NewTopic {
    /// Its name.
    pub name: TopicName,
    /// Number of partitions; the log's default where absent.
    pub partitions: Option<u32>,
    /// Settings under Kafka's names.
    pub configs: BTreeMap<String, String>,
}

/// A topic as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Its name.
    pub name: TopicName,
    /// Names this life of the topic: one created again under the same name has another id.
    pub id: Uuid,
    /// Number of partitions.
    pub n_partitions: u32,
    /// The settings that were given.
    pub configs: BTreeMap<String, String>,
    /// All settings, parsed, with defaults.
    pub settings: TopicSettings,
}

/// The settings of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicSettings {
    /// `retention.ms`: how long batches are kept; none is for ever.
    pub retention_ms: Option<i64>,
    /// `retention.bytes`: how much a partition keeps; none is everything.
    pub retention_bytes: Option<u64>,
    /// `max.message.bytes`: the largest batch taken.
    pub max_message_bytes: usize,
    /// `cleanup.policy`: `compact` for internal topics, `delete` for all others.
    pub compacted: bool,
}

const DEFAULT_RETENTION_MS: i64 = 7 * 24 * 3600 * 1000;
const DEFAULT_MAX_MESSAGE_BYTES: usize = 1_048_588;
/// What `max.message.bytes` may be at most: a batch stands in memory as a whole.
pub(crate) const MAX_MESSAGE_BYTES_MAX: usize = 128 << 20;

impl TopicSettings {
    /// Those of an internal topic: what it holds is never too old, nor too large for its topic.
    pub(crate) fn internal() -> Self {
        Self {
            retention_ms: None,
            retention_bytes: None,
            max_message_bytes: MAX_MESSAGE_BYTES_MAX,
            compacted: true,
        }
    }

    /// Parses settings under Kafka's names; those absent get Kafka's defaults.
    ///
    /// # Errors
    /// When a key is unknown, a value wrong, or what it asks for does not work here.
    pub fn parse(name: &TopicName, configs: &BTreeMap<String, String>) -> Result<Self, Error> {
        let outside = Self {
            retention_ms: Some(DEFAULT_RETENTION_MS),
            retention_bytes: None,
            max_message_bytes: DEFAULT_MAX_MESSAGE_BYTES,
            compacted: false,
        };
        let mut settings = if name.is_internal() {
            Self::internal()
        } else {
            outside
        };
        for (key, value) in configs {
            settings
                .set(key, value)
                .map_err(|reason| Error::TopicConfig {
                    key: key.clone(),
                    value: value.clone(),
                    reason,
                })?;
        }
        Ok(settings)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), &'static str> {
        match key {
            "retention.ms" => self.retention_ms = unlimited_by_minus_one(value)?,
            "retention.bytes" => {
                self.retention_bytes = unlimited_by_minus_one(value)?.map(i64::unsigned_abs);
            }
            "max.message.bytes" => {
                let bytes = value.parse().map_err(|_| "is not a number of bytes")?;
                if bytes > MAX_MESSAGE_BYTES_MAX {
                    return Err("is over 128 MiB");
                }
                self.max_message_bytes = bytes;
            }
            "cleanup.policy" if self.compacted && value != "compact" => {
                return Err("internal topics are compacted");
            }
            "cleanup.policy" if !self.compacted && value != "delete" => {
                return Err("only delete works for this topic so far");
            }
            "message.timestamp.type" if value != "CreateTime" => {
                return Err("only CreateTime works so far");
            }
            "compression.type" if value != "producer" => return Err("only producer works so far"),
            "cleanup.policy" | "message.timestamp.type" | "compression.type" => {}
            _ => return Err("is not a setting that works here"),
        }
        Ok(())
    }

    /// How many partitions a topic with these settings gets that was asked for with `wanted`.
    pub(crate) fn count_partitions(
        &self,
        wanted: Option<u32>,
        num_partitions: u32,
    ) -> Result<u32, Error> {
        // In an internal topic, a key's latest record is looked for in one place.
        let (default, max) = if self.compacted {
            (1, 1)
        } else {
            (num_partitions, PARTITIONS_MAX)
        };
        match wanted.unwrap_or(default) {
            n @ 1.. if n <= max => Ok(n),
            n => Err(Error::PartitionCount { n, max }),
        }
    }

    /// Every setting under Kafka's name with its value in effect, as DescribeConfigs shows them.
    #[must_use]
    pub fn describe(&self) -> Vec<(&'static str, String)> {
        let limit = |limit: Option<i64>| limit.unwrap_or(-1).to_string();
        let retention_bytes = self
            .retention_bytes
            .map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
        vec![
            (
                "cleanup.policy",
                if self.compacted { "compact" } else { "delete" }.to_owned(),
            ),
            ("compression.type", "producer".to_owned()),
            ("max.message.bytes", self.max_message_bytes.to_string()),
            ("message.timestamp.type", "CreateTime".to_owned()),
            ("retention.bytes", limit(retention_bytes)),
            ("retention.ms", limit(self.retention_ms)),
        ]
    }
}

fn unlimited_by_minus_one(value: &str) -> Result<Option<i64>, &'static str> {
    match value.parse::<i64>() {
        Ok(-1) => Ok(None),
        Ok(limit) if limit >= 0 => Ok(Some(limit)),
        _ => Err("is not a number from -1 on"),
    }
}

/// What a fetch found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// Whole batches, verbatim, one after another; the first may begin before the offset asked for.
    pub batches: Bytes,
    /// How large the first batch is, where it was left out because it is larger than the reader takes.
    pub left_out: Option<usize>,
    /// The offset after the last readable record: everything before it is synced.
    pub high_watermark: i64,
    /// The first readable offset.
    pub log_start: i64,
}

/// Where an outside write went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Produced {
    /// The offset of its first record.
    pub base_offset: i64,
    /// The first readable offset of the partition.
    pub log_start: i64,
}

/// Which offset ListOffsets asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffsetSpec {
    /// The first readable one.
    Earliest,
    /// The one after the last readable record.
    Latest,
    /// The first record that is not older than this time in milliseconds since 1970.
    Timestamp(i64),
    /// The record with the largest timestamp.
    MaxTimestamp,
}

/// An answer to ListOffsets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListedOffset {
    /// The offset.
    pub offset: i64,
    /// The timestamp of its record; -1 where the question was not about a record.
    pub timestamp: i64,
}

/// An id handed out to an idempotent producer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProducerId {
    /// Never handed out twice.
    pub id: i64,
    /// Starts at 0.
    pub epoch: i16,
}
