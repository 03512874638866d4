//! A sink's records that failed: dropped by rule, or kept until the next flush writes them to the
//! dead-letter topic together with the group's offset.

use std::sync::Arc;

use bytes::Bytes;
use longshore_model::{Fault, FaultClass, TopicPartition};

use super::placement::partition_of_key;
use super::topics::Destinations;
use crate::batch::{Fetched, Outgoing, OutgoingRecord, Payload};
use crate::delivery::TaskLog;
use crate::failure::{DeadLetter, FailurePolicy, Stage};
use crate::port::{Broker, Clock};
use crate::settings::TopicCreation;
use crate::telemetry::TaskMetrics;

/// As many bytes of dead letters wait for a flush at the most (invariant 9).
const BYTES_MAX: usize = 4 << 20;

/// Dead letters of one sink task.
#[derive(Debug)]
pub(super) struct DeadLetters<B> {
    log: TaskLog<B>,
    failure: FailurePolicy,
    destinations: Destinations<B>,
    waiting: Vec<Waiting>,
    /// Where dead letters go, by their index.
    partitions: Vec<TopicPartition>,
    bytes: usize,
    metrics: TaskMetrics,
    clock: Arc<dyn Clock>,
}

/// A dead letter, and which record it is about.
#[derive(Debug)]
struct Waiting {
    origin: TopicPartition,
    offset: i64,
    stage: Stage,
    record: OutgoingRecord,
}

impl<B: Broker> DeadLetters<B> {
    pub(super) fn new(
        log: TaskLog<B>,
        failure: FailurePolicy,
        creation: TopicCreation,
        metrics: TaskMetrics,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            destinations: Destinations::new(log.broker().clone(), creation),
            log,
            failure,
            waiting: Vec::new(),
            partitions: Vec::new(),
            bytes: 0,
            metrics,
            clock,
        }
    }

    /// Whether there is anything for a flush to store.
    pub(super) fn are_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether a flush should not wait any longer.
    pub(super) fn are_many(&self) -> bool {
        self.bytes >= BYTES_MAX
    }

    /// What waits about records before these offsets, to be written together with them.
    pub(super) fn take_before(&mut self, offsets: &[(TopicPartition, i64)]) -> Outgoing {
        self.take(|letter| {
            let passed = offsets.iter().find(|(passed, _)| *passed == letter.origin);
            passed.is_some_and(|(_, offset)| letter.offset < *offset)
        })
    }

    /// What the sink itself has refused.
    pub(super) fn take_refused(&mut self) -> Outgoing {
        self.take(|letter| letter.stage == Stage::TaskPut)
    }

    /// What waits about records of these partitions.
    pub(super) fn take_of(&mut self, partitions: &[TopicPartition]) -> Outgoing {
        self.take(|letter| partitions.contains(&letter.origin))
    }

    fn take(&mut self, chosen: impl Fn(&Waiting) -> bool) -> Outgoing {
        let waiting = std::mem::take(&mut self.waiting).into_iter();
        let (taken, left): (Vec<_>, Vec<_>) = waiting.partition(chosen);
        self.bytes = left
            .iter()
            .map(|letter| letter.record.owned_bytes_max())
            .sum();
        self.waiting = left;
        Outgoing {
            partitions: self.partitions.clone(),
            records: taken.into_iter().map(|letter| letter.record).collect(),
            ..Outgoing::default()
        }
    }

    /// Takes a record out of the way, or returns the fault where the policy does not tolerate it.
    pub(super) async fn set_aside(
        &mut self,
        fetched: &Fetched,
        place: usize,
        stage: Stage,
        fault: &Fault,
    ) -> Result<(), Fault> {
        self.metrics.failures.inc();
        let Some(record) = fetched.records.get(place) else {
            let message = format!("a row came from record {place}, which the batch did not have");
            return Err(Fault::new(FaultClass::Fatal, "no-such-origin", message));
        };
        let TopicPartition { topic, partition } = &fetched.partition;
        if !self.failure.tolerates(fault) {
            return Err(fault
                .clone()
                .with("topic", topic.as_str())
                .with("partition", partition.to_string())
                .with("offset", record.offset.to_string()));
        }
        self.metrics.skipped.inc();
        if self.failure.logs_tolerated {
            tracing::error!(
                %topic, partition, offset = record.offset, stage = stage.name(),
                code = fault.code, error = %fault, "a record was set aside"
            );
        }
        let Some(policy) = self.failure.dead_letters.clone() else {
            return Ok(());
        };
        let destination = self.destinations.resolve(policy.topic.as_str()).await??;
        let owned = |range: &Option<std::ops::Range<u32>>| {
            let bytes = range.as_ref().map(|range| fetched.bytes(range));
            bytes.map(|bytes| Payload::Owned(Bytes::copy_from_slice(bytes)))
        };
        let letter = DeadLetter {
            key: owned(&record.key),
            value: owned(&record.value),
            headers: record
                .headers
                .iter()
                .map(|(name, v)| (name.clone(), owned(v)))
                .collect(),
            origin: Some((topic, *partition, record.offset)),
            timestamp_ms: record.timestamp_ms.unwrap_or_else(|| self.clock.now_ms()),
            stage,
            fault,
        };
        let key = record.key.as_ref().map(|range| fetched.bytes(range));
        let partition = key.map_or(0, |key| partition_of_key(key, destination.partitions));
        let partition = self.partition(TopicPartition {
            topic: destination.name.clone(),
            partition,
        });
        let limit = destination.message_bytes_max;
        let dead = letter.into_record(partition, self.log.task(), &policy, limit);
        self.bytes += dead.owned_bytes_max();
        self.waiting.push(Waiting {
            origin: fetched.partition.clone(),
            offset: record.offset,
            stage,
            record: dead,
        });
        Ok(())
    }

    fn partition(&mut self, partition: TopicPartition) -> u32 {
        let known = self.partitions.iter().position(|p| *p == partition);
        let index = known.unwrap_or_else(|| {
            self.partitions.push(partition);
            self.partitions.len() - 1
        });
        u32::try_from(index).expect("a topic has fewer than 2^32 partitions")
    }
}
