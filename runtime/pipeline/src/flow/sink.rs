//! From topics to a sink: fetch → convert → transforms → `put` → `flush` → dead letters and group
//! offset in one write.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use longshore_model::batch::Batch;
use longshore_model::{Fault, FaultClass, TopicPartition};
use tokio::sync::watch;
use tokio::time::Instant;

use super::decode::Decoder;
use super::set_aside::DeadLetters;
use super::size::BatchSize;
use super::{Control, SinkParts, Target, Word};
use crate::batch::Fetched;
use crate::converter::SchemaCache;
use crate::delivery::{Settles, TaskLog};
use crate::failure::{RetryPolicy, Stage};
use crate::port::{
    Assignment, Broker, Generation, GroupOffsets, RowFault, Signal, SinkPlugin, Subscription,
    TopicOffset, TransformPlugin,
};
use crate::telemetry::TaskMetrics;
use crate::transform::Chain;

/// Runs a sink task until it is stopped or fails. When it is stopped, what was put is flushed and
/// its offsets are committed before the connector is closed.
///
/// # Errors
/// The fault that ended it.
pub async fn run_sink<B, K, T>(parts: SinkParts<B, K, T>, control: Control) -> Result<(), Fault>
where
    B: Broker,
    K: SinkPlugin,
    T: TransformPlugin,
{
    let stop = control.stop.clone();
    let mut flow = SinkFlow::open(parts, control).await?;
    let mut ended = flow.run().await;
    if ended.is_ok() {
        ended = flow.flush().await;
    }
    let closed = flow.plugin.close().await;
    match ended {
        // A call that was told to stop left its batch to the next start.
        Err(fault) if fault.class == FaultClass::Stopping && stop.is_cancelled() => closed,
        ended => ended.and(closed),
    }
}

struct SinkFlow<B: Broker, K, T> {
    log: TaskLog<B>,
    plugin: K,
    chain: Chain<T>,
    decoder: Decoder,
    dead_letters: DeadLetters<B>,
    subscription: B::Subscription,
    progress: Progress,
    group: String,
    assigned: watch::Receiver<Vec<Assignment>>,
    size: BatchSize,
    flush_interval: std::time::Duration,
    control: Control,
    retry: RetryPolicy,
    metrics: TaskMetrics,
}

/// How far partitions were read and put since they were last committed.
#[derive(Debug)]
struct Progress {
    read: BTreeMap<TopicPartition, i64>,
    put: BTreeMap<TopicPartition, i64>,
    last_flush: Instant,
}

enum Event {
    Fetched(Fetched),
    Reassigned,
    FlushDue,
    TargetChanged,
    Stop,
}

impl<B, K, T> SinkFlow<B, K, T>
where
    B: Broker,
    K: SinkPlugin,
    T: TransformPlugin,
{
    async fn open(parts: SinkParts<B, K, T>, control: Control) -> Result<Self, Fault> {
        let SinkParts {
            log,
            mut plugin,
            transforms,
            settings,
            schemas,
            group,
            mut assigned,
            metrics,
            clock,
        } = parts;
        let assignments = assigned.borrow_and_update().clone();
        let starts = plugin.open(&assignments).await?;
        let own = own_positions(&assignments, &starts);
        let subscription = subscribe(log.broker(), &assignments, &starts).await?;
        let retry = settings.failure.retry;
        Ok(Self {
            chain: Chain::new(transforms, retry),
            decoder: Decoder {
                converters: settings.converters,
                schemas: SchemaCache::new(Arc::clone(&schemas)),
            },
            dead_letters: DeadLetters::new(
                log.clone(),
                settings.failure,
                settings.topic_creation,
                metrics.clone(),
                clock,
            ),
            subscription,
            progress: Progress {
                read: own.collect(),
                put: BTreeMap::new(),
                last_flush: Instant::now(),
            },
            size: BatchSize::new(),
            flush_interval: settings.flush_interval,
            log,
            plugin,
            group,
            assigned,
            control,
            retry,
            metrics,
        })
    }

    async fn run(&mut self) -> Result<(), Fault> {
        loop {
            match self.next_event().await? {
                Event::Fetched(fetched) => self.deliver(fetched).await?,
                Event::Reassigned => self.reassign().await?,
                Event::FlushDue => self.flush().await?,
                Event::TargetChanged => {}
                Event::Stop => return Ok(()),
            }
            if self.dead_letters.are_many() {
                self.flush().await?;
            }
        }
    }

    async fn next_event(&mut self) -> Result<Event, Fault> {
        let running = self.control.target() == Target::Running;
        let has_progress = !self.progress.read.is_empty();
        let flush_due = self.progress.last_flush + self.flush_interval;
        let max_bytes = self.size.bytes() as usize;
        tokio::select! {
            biased;
            word = self.control.word() => Ok(match word {
                Word::Stop => Event::Stop,
                Word::Target => Event::TargetChanged,
            }),
            Ok(()) = self.assigned.changed() => Ok(Event::Reassigned),
            () = tokio::time::sleep_until(flush_due), if has_progress => Ok(Event::FlushDue),
            fetched = self.subscription.next(max_bytes), if running => {
                Ok(Event::Fetched(fetched?))
            }
        }
    }

    /// The way of one batch.
    async fn deliver(&mut self, fetched: Fetched) -> Result<(), Fault> {
        if self.progress.read.is_empty() {
            self.progress.last_flush = Instant::now();
        }
        self.metrics.read.inc_by(fetched.records.len() as u64);
        self.size
            .came_back(fetched.records.len(), fetched.buffer.len());
        let (batch, poison) = self.decoder.decode(&fetched)?;
        for (place, stage, fault) in poison {
            self.dead_letters
                .set_aside(&fetched, place, stage, &fault)
                .await?;
        }
        let shaped = self.shape(Bytes::from(batch), &fetched).await?;
        if let Some(last) = shaped.rows().filter_map(|row| row.offset()).max() {
            self.put(&shaped, &fetched).await?;
            self.progress
                .put
                .insert(fetched.partition.clone(), last + 1);
        }
        self.progress
            .read
            .insert(fetched.partition, fetched.next_offset);
        Ok(())
    }

    /// Transforms the batch; rows that came back with a fault are set aside and not in the result.
    async fn shape(&mut self, batch: Bytes, fetched: &Fetched) -> Result<Batch<Bytes>, Fault> {
        let batch = Batch::parse(batch).map_err(|e| fatal("malformed-batch", e.to_string()))?;
        let shaped = self.chain.apply(batch).await?;
        let mut faulty = BTreeSet::new();
        for (number, row) in shaped.rows().enumerate() {
            if let Some(fault) = row.fault() {
                let place = row.origin() as usize;
                let stage = Stage::Transformation;
                self.dead_letters
                    .set_aside(fetched, place, stage, fault)
                    .await?;
                faulty.insert(number);
            }
        }
        if faulty.is_empty() {
            return Ok(shaped);
        }
        without_rows(&shaped, &faulty)
    }

    async fn put(&mut self, shaped: &Batch<Bytes>, fetched: &Fetched) -> Result<(), Fault> {
        self.metrics.sent.inc_by(shaped.len() as u64);
        let generation = self.log.generation();
        let mut backoff = self.retry.for_ever().backoff();
        let faults = loop {
            match self.put_once(generation, shaped.buffer().clone()).await {
                Ok(faults) => break faults,
                Err(fault) if fault.class == FaultClass::Retriable => {
                    let delay = backoff.next_delay().unwrap_or_default();
                    self.pause_before_retry("put", &fault, delay).await?;
                }
                Err(fault) => return Err(fault),
            }
        };
        for failed in faults {
            let row = usize::try_from(failed.row).ok().and_then(|n| shaped.row(n));
            let row =
                row.ok_or_else(|| fatal("no-such-row", format!("put named row {}", failed.row)))?;
            let place = row.origin() as usize;
            self.dead_letters
                .set_aside(fetched, place, Stage::TaskPut, &failed.fault)
                .await?;
        }
        Ok(())
    }

    async fn put_once(
        &mut self,
        generation: Generation,
        batch: Bytes,
    ) -> Result<Vec<RowFault>, Fault> {
        let signal = self.plugin.signal();
        let mut put = pin!(self.plugin.put(generation, batch));
        tokio::select! {
            biased;
            done = &mut put => done,
            () = self.control.stop.cancelled() => {
                signal.stop();
                put.await
            }
        }
    }

    /// Makes everything that was put durable in the sink, then stores dead letters and offsets in
    /// one write (invariants 1, 3 and 5).
    async fn flush(&mut self) -> Result<(), Fault> {
        self.progress.last_flush = Instant::now();
        if self.progress.read.is_empty() {
            return Ok(());
        }
        let mut backoff = self.retry.for_ever().backoff();
        let safe = loop {
            match self.plugin.flush().await {
                Ok(safe) => break safe,
                Err(fault) if fault.class == FaultClass::Retriable => {
                    let delay = backoff.next_delay().unwrap_or_default();
                    self.pause_before_retry("flush", &fault, delay).await?;
                }
                Err(fault) => return Err(fault),
            }
        };
        let offsets = self.progress.committable(&safe);
        let settles = Settles {
            group: Some(GroupOffsets {
                group: self.group.clone(),
                offsets,
            }),
            ..Settles::default()
        };
        self.log.append(self.dead_letters.take(), settles).await?;
        Ok(())
    }

    /// Kafka Connect tries a retriable fault of `put` again for ever; a stop ends it, and the batch
    /// comes again at the next start.
    async fn pause_before_retry(
        &mut self,
        call: &'static str,
        fault: &Fault,
        delay: std::time::Duration,
    ) -> Result<(), Fault> {
        self.metrics.retries.inc();
        tracing::warn!(call, code = fault.code, error = %fault, "the sink failed and is tried again");
        tokio::select! {
            () = self.control.stop.cancelled() => {
                Err(Fault::new(FaultClass::Stopping, "stopping", "stopped between two tries"))
            }
            () = tokio::time::sleep(delay) => Ok(()),
        }
    }

    async fn reassign(&mut self) -> Result<(), Fault> {
        self.flush().await?;
        let assignments = self.assigned.borrow_and_update().clone();
        let generation = self.log.generation();
        let starts = self
            .plugin
            .partitions_changed(&assignments, &[], &[], generation)
            .await?;
        self.progress
            .read
            .extend(own_positions(&assignments, &starts));
        self.subscription = subscribe(self.log.broker(), &assignments, &starts).await?;
        Ok(())
    }
}

impl Progress {
    /// The offsets to commit: as far as was read where the sink holds nothing back, else as far as
    /// it says.
    fn committable(&mut self, safe: &[TopicOffset]) -> Vec<(TopicPartition, i64)> {
        let read = std::mem::take(&mut self.read);
        let mut offsets = Vec::with_capacity(read.len());
        for (partition, read_to) in read {
            let reported = safe.iter().find(|offset| offset.partition == partition);
            match (self.put.get(&partition), reported) {
                (None, _) => offsets.push((partition, read_to)),
                (Some(put_to), Some(safe)) if safe.offset >= *put_to => {
                    self.put.remove(&partition);
                    offsets.push((partition, read_to));
                }
                (Some(_), safe) => {
                    offsets.extend(safe.map(|safe| (partition.clone(), safe.offset)));
                    self.read.insert(partition, read_to);
                }
            }
        }
        offsets
    }
}

/// Positions that the sink keeps and that are not its group's, as after a crash between the two: the
/// group takes them over at the next flush, even if no record comes.
fn own_positions(
    assigned: &[Assignment],
    starts: &[TopicOffset],
) -> impl Iterator<Item = (TopicPartition, i64)> {
    assigned.iter().filter_map(|assignment| {
        let own = starts
            .iter()
            .find(|start| start.partition == assignment.partition)?;
        let differs = assignment.committed != Some(own.offset);
        differs.then(|| (own.partition.clone(), own.offset))
    })
}

/// Follows the assigned partitions from where the sink wants to start, else from where the group
/// stands, else from the first record.
async fn subscribe<B: Broker>(
    broker: &B,
    assigned: &[Assignment],
    starts: &[TopicOffset],
) -> Result<B::Subscription, Fault> {
    let mut from = Vec::with_capacity(assigned.len());
    for Assignment {
        partition,
        committed,
        ..
    } in assigned
    {
        let own = starts.iter().find(|start| start.partition == *partition);
        let start = match own.map(|start| start.offset).or(*committed) {
            Some(start) => start,
            None => broker.bounds(partition).await?.0,
        };
        from.push((partition.clone(), start));
    }
    Ok(broker.subscribe(from).await?)
}

fn without_rows(batch: &Batch<Bytes>, left_out: &BTreeSet<usize>) -> Result<Batch<Bytes>, Fault> {
    let rest = batch.without(|row| left_out.contains(&row));
    Batch::parse(Bytes::from(rest)).map_err(|e| fatal("malformed-batch", e.to_string()))
}

fn fatal(code: &str, message: String) -> Fault {
    Fault::new(FaultClass::Fatal, code, message)
}
