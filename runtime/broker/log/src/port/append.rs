//! Encodes the pipeline's records into batches, on the caller's thread.

use std::future::Future;

use longshore_model::TopicPartition;
use longshore_pipeline::batch::{Outgoing, OutgoingRecord, Payload};
use longshore_pipeline::port::{Append, BrokerResult, Generation, Owner, Write};

use crate::batch::{Batch, BatchBuilder};
use crate::log::Log;

/// A batch holds no more than this, unless it is one record: readers get whole batches, and each has an entry in the
/// index.
const BATCH_BYTES: usize = 256 << 10;
/// What a record takes at most beside its parts, and a header beside its own.
const RECORD_OVERHEAD: usize = 64;

impl Append for Log {
    async fn raise(&self, owners: &[Owner]) -> BrokerResult<Generation> {
        Ok(Self::raise(self, owners).await?)
    }

    fn append(&self, write: Write) -> impl Future<Output = BrokerResult<()>> + Send + use<> {
        let Write {
            owner,
            generation,
            records,
            moves,
            group,
        } = write;
        let batches = encode(&records, |partition| self.batch_bytes_max(partition));
        let append = crate::log::Append {
            owner,
            generation,
            batches,
            moves,
            group,
        };
        let queued = Self::append(self, append);
        async move { Ok(queued.await?) }
    }
}

impl Log {
    /// The append itself tells a topic that does not exist.
    fn batch_bytes_max(&self, partition: &TopicPartition) -> usize {
        let topic = self.topic(&partition.topic);
        topic.map_or(BATCH_BYTES, |topic| {
            topic.settings.max_message_bytes.min(BATCH_BYTES)
        })
    }
}

/// What a partition's records go into.
struct Open {
    batch: BatchBuilder,
    bytes_max: usize,
    /// What its records that are still to come take, at most.
    bytes_left: usize,
}

/// The records of each partition, in order, as batches within the topics' limits.
fn encode(
    records: &Outgoing,
    batch_bytes_max: impl Fn(&TopicPartition) -> usize,
) -> Vec<(TopicPartition, Batch)> {
    let open = |partition| Open {
        batch: BatchBuilder::new(),
        bytes_max: batch_bytes_max(partition),
        bytes_left: 0,
    };
    let mut open: Vec<_> = records.partitions.iter().map(open).collect();
    let sizes = records.records.iter().map(|record| {
        let bytes = size(records, record);
        open[record.partition as usize].bytes_left += bytes;
        bytes
    });
    let sizes: Vec<usize> = sizes.collect();
    let mut batches = Vec::new();
    for (record, bytes) in records.records.iter().zip(sizes) {
        let index = record.partition as usize;
        let partition = &records.partitions[index];
        let open = &mut open[index];
        // A compacted topic removes whole batches, so there a record stands alone.
        if open.batch.size() + bytes > open.bytes_max || partition.topic.is_internal() {
            let full = std::mem::take(&mut open.batch).finish();
            batches.extend(full.map(|full| (partition.clone(), full)));
        }
        if open.batch.size() == 0 {
            open.batch =
                BatchBuilder::with_capacity(open.bytes_left.min(open.bytes_max).max(bytes));
        }
        open.bytes_left -= bytes;
        push(&mut open.batch, records, record);
    }
    let rest = records.partitions.iter().zip(open);
    batches.extend(
        rest.filter_map(|(partition, open)| Some((partition.clone(), open.batch.finish()?))),
    );
    batches
}

/// How much a record adds to a batch, at most.
fn size(records: &Outgoing, record: &OutgoingRecord) -> usize {
    let part = |part: &Payload| records.bytes(part).len();
    let headers = record.headers.iter();
    let headers =
        headers.map(|(name, value)| name.len() + value.as_ref().map_or(0, part) + RECORD_OVERHEAD);
    let key_and_value = record.key.iter().chain(&record.value).map(part);
    RECORD_OVERHEAD + key_and_value.chain(headers).sum::<usize>()
}

fn push(batch: &mut BatchBuilder, records: &Outgoing, record: &OutgoingRecord) {
    let headers = record.headers.iter().map(|(name, value)| {
        let value = value.as_ref().map(|value| records.bytes(value));
        (name.as_str(), value)
    });
    let key = record.key.as_ref().map(|key| records.bytes(key));
    let value = record.value.as_ref().map(|value| records.bytes(value));
    batch.push(record.timestamp_ms, key, value, headers);
}
