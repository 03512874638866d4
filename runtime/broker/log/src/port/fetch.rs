//! Reads records for the pipeline.

use std::collections::HashMap;
use std::ops::Range;

use bytes::Bytes;
use longshore_model::{TopicName, TopicPartition};
use longshore_pipeline::batch::{Fetched, FetchedRecord};
use longshore_pipeline::port::{BrokerError, BrokerResult, Fetch, KeyedRecord};

use super::error::of_partition;
use super::follow::Follower;
use crate::batch::{Batch, Record};
use crate::error::BatchError;
use crate::log::Log;

/// How much of an internal topic is read at a time.
const REPLAY_BYTES: usize = 1 << 20;
/// Compressed batches may hold far more than was asked for; no further one is opened behind this much.
const DECOMPRESSED_BYTES_MAX: usize = 64 << 20;

impl Fetch for Log {
    type Subscription = Follower;

    async fn fetch(
        &self,
        partition: &TopicPartition,
        offset: i64,
        max_bytes: usize,
    ) -> BrokerResult<Fetched> {
        let found = Self::fetch(self, partition, offset, max_bytes)
            .await
            .map_err(of_partition(partition))?;
        decode(partition, offset, found)
    }

    async fn bounds(&self, partition: &TopicPartition) -> BrokerResult<(i64, i64)> {
        Ok(Self::bounds(self, partition)?)
    }

    async fn subscribe(&self, from: Vec<(TopicPartition, i64)>) -> BrokerResult<Follower> {
        Follower::new(self.clone(), from)
    }

    async fn replay(&self, topic: &TopicName) -> BrokerResult<Vec<KeyedRecord>> {
        let partition = TopicPartition {
            topic: topic.clone(),
            partition: 0,
        };
        let (mut offset, end) = Self::bounds(self, &partition)?;
        // A key that is written meanwhile is found twice.
        let mut latest: HashMap<Bytes, (i64, Option<KeyedRecord>)> = HashMap::new();
        while offset < end {
            let found = Fetch::fetch(self, &partition, offset, REPLAY_BYTES).await?;
            for record in &found.records {
                if let Some(key) = &record.key {
                    latest.insert(slice(&found, key), (record.offset, keyed(&found, record)));
                }
            }
            offset = found.next_offset;
        }
        let mut latest: Vec<_> = latest.into_values().collect();
        latest.sort_unstable_by_key(|(offset, _)| *offset);
        Ok(latest
            .into_iter()
            .filter_map(|(_, record)| record)
            .collect())
    }

    async fn committed(
        &self,
        group: &str,
        partitions: &[TopicPartition],
    ) -> BrokerResult<Vec<Option<i64>>> {
        let offsets: HashMap<_, _> = self.group_offsets(group).into_iter().collect();
        Ok(partitions
            .iter()
            .map(|partition| offsets.get(partition).copied())
            .collect())
    }
}

/// The records of whole batches from `offset` on.
pub(super) fn decode(
    partition: &TopicPartition,
    offset: i64,
    found: crate::topics::Fetched,
) -> BrokerResult<Fetched> {
    let partition = partition.clone();
    if found.batches.is_empty() {
        // What lay between was superseded.
        let next_offset = found.high_watermark.max(offset);
        let (buffer, records) = (Bytes::new(), Vec::new());
        return Ok(Fetched {
            partition,
            buffer,
            records,
            next_offset,
        });
    }
    let read = Reading::default().batches(found.batches, offset);
    let read = read.map_err(|error| {
        BrokerError::Corrupt(format!("{partition} at offset {offset}: {error}"))
    })?;
    let Reading {
        buffer,
        records,
        next_offset,
    } = read;
    Ok(Fetched {
        partition,
        buffer: Bytes::from(buffer),
        records,
        next_offset,
    })
}

/// A record as state keeps it; none for a tombstone.
fn keyed(fetched: &Fetched, record: &FetchedRecord) -> Option<KeyedRecord> {
    let headers = record
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.clone(), slice(fetched, value.as_ref()?))));
    let (key, value) = (record.key.as_ref()?, record.value.as_ref()?);
    Some(KeyedRecord {
        key: slice(fetched, key),
        value: slice(fetched, value),
        headers: headers.collect(),
    })
}

/// Bytes of their own: what is kept must not hold on to all that was read.
fn slice(fetched: &Fetched, range: &Range<u32>) -> Bytes {
    Bytes::copy_from_slice(fetched.bytes(range))
}

/// Records on their way out of batches into one buffer.
#[derive(Debug, Default)]
struct Reading {
    buffer: Vec<u8>,
    records: Vec<FetchedRecord>,
    next_offset: i64,
}

impl Reading {
    /// All records from `offset` on; the first batch may begin before.
    fn batches(mut self, batches: Bytes, offset: i64) -> Result<Self, BatchError> {
        self.buffer.reserve(batches.len());
        for batch in Batch::parse_all(batches)? {
            let fields = batch.fields();
            self.next_offset = fields.base_offset + fields.n_offsets();
            for record in batch.records()? {
                let record = record?;
                if record.offset >= offset {
                    self.record(&record)?;
                }
            }
            if self.buffer.len() >= DECOMPRESSED_BYTES_MAX {
                break;
            }
        }
        Ok(self)
    }

    fn record(&mut self, record: &Record) -> Result<(), BatchError> {
        let key = self.put(record.key.as_ref())?;
        let value = self.put(record.value.as_ref())?;
        let headers = record
            .headers
            .iter()
            .map(|(name, value)| Ok((text(name), self.put(value.as_ref())?)));
        let headers = headers.collect::<Result<_, BatchError>>()?;
        let timestamp_ms = (record.timestamp >= 0).then_some(record.timestamp);
        self.records.push(FetchedRecord {
            offset: record.offset,
            timestamp_ms,
            key,
            value,
            headers,
        });
        Ok(())
    }

    fn put(&mut self, bytes: Option<&Bytes>) -> Result<Option<Range<u32>>, BatchError> {
        let Some(bytes) = bytes else {
            return Ok(None);
        };
        let place = |at: usize| u32::try_from(at).map_err(|_| BatchError::Decompress);
        let start = place(self.buffer.len())?;
        self.buffer.extend_from_slice(bytes);
        Ok(Some(start..place(self.buffer.len())?))
    }
}

fn text(name: &Bytes) -> String {
    String::from_utf8_lossy(name).into_owned()
}
