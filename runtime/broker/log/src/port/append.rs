//! Encodes the pipeline's records into batches, on the caller's thread.

use std::future::Future;

use longshore_model::TopicPartition;
use longshore_pipeline::batch::{Outgoing, OutgoingRecord};
use longshore_pipeline::port::{Append, BrokerResult, Generation, Owner, Write};

use crate::batch::{Batch, BatchBuilder};
use crate::log::Log;

/// A batch is closed when it holds this much: readers get whole batches, and every one has an entry in the index.
const BATCH_BYTES: usize = 256 << 10;

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
        let batches = encode(&records);
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

/// The records of each partition, in order, as batches.
fn encode(records: &Outgoing) -> Vec<(TopicPartition, Batch)> {
    let mut open: Vec<BatchBuilder> = records
        .partitions
        .iter()
        .map(|_| BatchBuilder::new())
        .collect();
    let mut batches = Vec::new();
    for record in &records.records {
        let index = record.partition as usize;
        let partition = &records.partitions[index];
        push(&mut open[index], records, record);
        // A compacted topic removes whole batches, so there a record stands alone.
        if open[index].size() >= BATCH_BYTES || partition.topic.is_internal() {
            let full = std::mem::take(&mut open[index]).finish();
            batches.extend(full.map(|batch| (partition.clone(), batch)));
        }
    }
    let rest = records.partitions.iter().zip(open);
    batches.extend(rest.filter_map(|(partition, open)| Some((partition.clone(), open.finish()?))));
    batches
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
