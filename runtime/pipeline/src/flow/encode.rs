//! Rows of a shaped batch to records of topics: converted, placed, or set aside.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use longshore_model::batch::{Batch, Datum, Row};
use longshore_model::{Fault, FaultClass, TaskId, TopicPartition};
use longshore_serdes::{Converter, SerdeError, Serialized};

use super::placement::partition_of_key;
use super::topics::{Destination, Destinations};
use crate::batch::{Outgoing, OutgoingRecord, Payload};
use crate::converter::{Converters, Plans};
use crate::failure::{DeadLetter, FailurePolicy, Stage};
use crate::port::{Broker, Clock};
use crate::schemas::SchemaTable;
use crate::telemetry::TaskMetrics;

/// Turns batches into what is appended.
#[derive(Debug)]
pub(super) struct Encoder<B> {
    pub(super) task: TaskId,
    pub(super) converters: Converters,
    pub(super) failure: FailurePolicy,
    pub(super) destinations: Destinations<B>,
    pub(super) plans: RecordPlans,
    pub(super) metrics: TaskMetrics,
    pub(super) clock: Arc<dyn Clock>,
    /// How much the converters wrote of the last batch.
    pub(super) written_before: usize,
}

/// The compiled schemas of each converter.
#[derive(Debug)]
pub(super) struct RecordPlans {
    key: Plans,
    value: Plans,
    header: Plans,
}

impl RecordPlans {
    pub(super) fn new(schemas: &Arc<SchemaTable>) -> Self {
        let plans = || Plans::new(Arc::clone(schemas));
        Self {
            key: plans(),
            value: plans(),
            header: plans(),
        }
    }
}

/// Why one record goes no further, and where.
type Refusal = (Stage, Fault);

impl<B: Broker> Encoder<B> {
    /// Encodes the rows of `shaped`, whose origins are rows of `polled` where transforms made one of
    /// the other. A record that fails is dead-lettered or dropped where the policy tolerates it
    /// (invariant 3).
    pub(super) async fn encode(
        &mut self,
        shaped: &Batch<Bytes>,
        polled: Option<&Batch<Bytes>>,
    ) -> Result<Outgoing, Fault> {
        let mut topics = Vec::with_capacity(shaped.topics().len());
        for topic in shaped.topics() {
            topics.push(self.destinations.resolve(topic).await?);
        }
        let dead_letters = match self.failure.dead_letters.clone() {
            Some(policy) => Some(self.destinations.resolve(policy.topic.as_str()).await??),
            None => None,
        };
        let mut out = Placed::new(shaped, self.written_before);
        let now_ms = self.clock.now_ms();
        for row in shaped.rows() {
            let start = out.outgoing.written.len();
            match self.encode_row(&row, &topics, &mut out, now_ms) {
                Ok(record) => out.outgoing.records.push(record),
                Err((stage, fault)) => {
                    out.outgoing.written.truncate(start);
                    self.metrics.failures.inc();
                    if !self.failure.tolerates(&fault) {
                        return Err(fault);
                    }
                    self.set_aside(
                        &row,
                        polled,
                        stage,
                        &fault,
                        dead_letters.as_ref(),
                        &mut out,
                        now_ms,
                    );
                }
            }
        }
        self.written_before = out.outgoing.written.len();
        Ok(out.outgoing)
    }

    fn encode_row(
        &mut self,
        row: &Row<'_, Bytes>,
        topics: &[Result<Destination, Fault>],
        out: &mut Placed,
        now_ms: i64,
    ) -> Result<OutgoingRecord, Refusal> {
        if let Some(fault) = row.fault() {
            return Err((Stage::TaskPoll, fault.clone()));
        }
        let topic = row
            .topic_index()
            .expect("a row without a fault has a topic");
        let refused = |fault: &Fault| (Stage::KafkaProduce, fault.clone());
        let destination = topics[topic].as_ref().map_err(refused)?;
        let Converters { key, value, .. } = &self.converters;
        let written = &mut out.outgoing.written;
        let key = payload(
            key,
            &mut self.plans.key,
            row.key(),
            row.key_range(),
            written,
        )
        .map_err(|fault| (Stage::KeyConverter, fault))?;
        let value = payload(
            value,
            &mut self.plans.value,
            row.value(),
            row.value_range(),
            written,
        )
        .map_err(|fault| (Stage::ValueConverter, fault))?;
        let headers = self
            .headers(row, written)
            .map_err(|fault| (Stage::HeaderConverter, fault))?;
        let partition = place(row, destination, key.as_ref(), out)
            .map_err(|fault| (Stage::KafkaProduce, fault))?;
        let record = OutgoingRecord {
            partition: out.partition(topic, partition, destination),
            timestamp_ms: row.timestamp().unwrap_or(now_ms),
            key,
            value,
            headers,
        };
        within_limit(&out.outgoing, &record, destination)
            .map_err(|fault| (Stage::KafkaProduce, fault))?;
        Ok(record)
    }

    fn headers(
        &mut self,
        row: &Row<'_, Bytes>,
        written: &mut Vec<u8>,
    ) -> Result<Vec<(String, Option<Payload>)>, Fault> {
        let mut headers = Vec::new();
        let converter = &self.converters.header;
        for header in row.headers() {
            let start = written.len();
            let plan = self
                .plans
                .header
                .get(header.value, |schema| converter.compile(schema))?;
            let serialized = converter.serialize(header.value, plan, written);
            let value = match serialized.map_err(bad_record)? {
                Serialized::Null => None,
                Serialized::AsIs => {
                    written.extend_from_slice(header.value.bytes());
                    Some(Payload::Written(start..written.len()))
                }
                Serialized::Written => Some(Payload::Written(start..written.len())),
            };
            headers.push((header.name.to_owned(), value));
        }
        Ok(headers)
    }

    /// Drops a bad record, or sends it to the dead-letter topic as it was when it was polled.
    #[expect(
        clippy::too_many_arguments,
        reason = "a record's whole context is what a dead letter keeps"
    )]
    fn set_aside(
        &self,
        row: &Row<'_, Bytes>,
        polled: Option<&Batch<Bytes>>,
        stage: Stage,
        fault: &Fault,
        destination: Option<&Destination>,
        out: &mut Placed,
        now_ms: i64,
    ) {
        self.metrics.skipped.inc();
        if self.failure.logs_tolerated {
            tracing::error!(
                connector = %self.task.connector, task = self.task.task, stage = stage.name(),
                code = fault.code, error = %fault, "a record was set aside"
            );
        }
        let (Some(policy), Some(destination)) = (&self.failure.dead_letters, destination) else {
            return;
        };
        self.metrics.dead_letters.inc();
        let polled_row = polled.and_then(|polled| polled.row(row.origin() as usize));
        let original = polled_row.as_ref().unwrap_or(row);
        let raw = |datum: Datum<'_>| match datum {
            Datum::Null => None,
            datum => Some(Payload::Owned(Bytes::copy_from_slice(datum.bytes()))),
        };
        let key = raw(original.key());
        let bytes = key.as_ref().map(|key| out.outgoing.bytes(key).to_vec());
        let partition = bytes.map_or(0, |key| partition_of_key(&key, destination.partitions));
        let letter = DeadLetter {
            key,
            value: raw(original.value()),
            headers: original
                .headers()
                .map(|h| (h.name.to_owned(), raw(h.value)))
                .collect(),
            origin: None,
            timestamp_ms: original.timestamp().unwrap_or(now_ms),
            stage,
            fault,
        };
        let partition = out.partition(DEAD_LETTERS, partition, destination);
        let limit = destination.message_bytes_max;
        let dead = letter.into_record(partition, &self.task, policy, limit);
        out.outgoing.records.push(dead);
    }
}

fn payload(
    converter: &Converter,
    plans: &mut Plans,
    datum: Datum<'_>,
    at: Range<usize>,
    written: &mut Vec<u8>,
) -> Result<Option<Payload>, Fault> {
    let plan = plans.get(datum, |schema| converter.compile(schema))?;
    let start = written.len();
    let serialized = converter
        .serialize(datum, plan, written)
        .map_err(bad_record)?;
    Ok(match serialized {
        Serialized::Null => None,
        Serialized::AsIs => Some(shared(at)),
        Serialized::Written => Some(Payload::Written(start..written.len())),
    })
}

/// Stands for the dead-letter topic where an index of the batch's topics is asked for.
const DEAD_LETTERS: usize = usize::MAX;

/// The write being put together.
#[derive(Debug)]
struct Placed {
    outgoing: Outgoing,
    /// (topic's index, partition) → index in `outgoing.partitions`; a batch has few.
    indexes: Vec<(usize, u32)>,
    last: usize,
    /// Source partition's index → murmur2 of its name, for records without a key.
    sources: Vec<u32>,
}

impl Placed {
    fn new(shaped: &Batch<Bytes>, bytes: usize) -> Self {
        let outgoing = Outgoing {
            buffer: shaped.buffer().clone(),
            written: Vec::with_capacity(bytes),
            partitions: Vec::new(),
            records: Vec::with_capacity(shaped.len()),
        };
        Self {
            outgoing,
            indexes: Vec::new(),
            last: 0,
            sources: shaped
                .sources()
                .map(|name| super::murmur2(name.as_bytes()))
                .collect(),
        }
    }

    fn partition(&mut self, topic: usize, partition: u32, destination: &Destination) -> u32 {
        if self.indexes.get(self.last) != Some(&(topic, partition)) {
            let found = self
                .indexes
                .iter()
                .position(|known| *known == (topic, partition));
            self.last = found.unwrap_or_else(|| {
                self.indexes.push((topic, partition));
                self.outgoing.partitions.push(TopicPartition {
                    topic: destination.name.clone(),
                    partition,
                });
                self.indexes.len() - 1
            });
        }
        u32::try_from(self.last).expect("a batch has fewer than 2^32 rows")
    }
}

/// The connector's choice, else by key, else one partition per source partition, so that the order
/// of a source partition is kept (invariant 4).
fn place(
    row: &Row<'_, Bytes>,
    destination: &Destination,
    key: Option<&Payload>,
    out: &Placed,
) -> Result<u32, Fault> {
    let partitions = destination.partitions;
    match (row.partition(), key, row.source_index()) {
        (Some(chosen), _, _) if chosen < partitions => Ok(chosen),
        (Some(chosen), _, _) => {
            let name = &destination.name;
            let message = format!("{name} has {partitions} partitions, so there is no {chosen}");
            Err(Fault::new(
                FaultClass::BadRecord,
                "no-such-partition",
                message,
            ))
        }
        (None, Some(key), _) => Ok(partition_of_key(out.outgoing.bytes(key), partitions)),
        (None, None, Some(source)) => Ok((out.sources[source] & 0x7fff_ffff) % partitions.max(1)),
        (None, None, None) => Ok(0),
    }
}

fn within_limit(
    outgoing: &Outgoing,
    record: &OutgoingRecord,
    destination: &Destination,
) -> Result<(), Fault> {
    let bytes = record.bytes_max(|payload| outgoing.bytes(payload).len());
    let limit = destination.message_bytes_max;
    if bytes <= limit {
        return Ok(());
    }
    let message = format!(
        "a batch of this record alone may take {bytes} bytes, and max.message.bytes is {limit}"
    );
    Err(
        Fault::new(FaultClass::BadRecord, "record-too-large", message)
            .with("topic", destination.name.as_str()),
    )
}

fn shared(range: Range<usize>) -> Payload {
    let at = |n: usize| u32::try_from(n).expect("a batch is smaller than 2^32 bytes");
    Payload::Shared(at(range.start)..at(range.end))
}

fn bad_record(error: SerdeError) -> Fault {
    Fault::new(error.class(), error.code(), error.to_string())
}
