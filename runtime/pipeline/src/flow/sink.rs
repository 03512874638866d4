//! From topics to a sink: fetch → convert → transforms → `put` → `flush` → dead letters and group
//! offset in one write.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use longshore_model::batch::Batch;
use longshore_model::{Fault, FaultClass, TopicPartition};
use tokio::sync::watch;
use tokio::time::Instant;

use super::decode::Decoder;
use super::resume::{self, Resume};
use super::set_aside::DeadLetters;
use super::size::BatchSize;
use super::{Control, SinkParts, Target, Word};
use crate::batch::{Fetched, FetchedRecord, Outgoing};
use crate::delivery::{Settles, TaskLog};
use crate::failure::{RetryPolicy, Stage};
use crate::port::{
    Assignment, Broker, BrokerError, Generation, GroupOffsets, RowFault, Signal, SinkPlugin,
    Subscription, TopicOffset, TransformPlugin,
};
use crate::telemetry::TaskMetrics;
use crate::transform::Chain;

/// Whoever looks for a dead letter has not got a whole `offset.flush.interval.ms`.
const LETTERS_WAIT_MAX: std::time::Duration = std::time::Duration::from_secs(1);

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
    resume: Resume,
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
    /// Nothing to do but to look again.
    Again,
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
        let resume = Resume::default();
        let assigning = resume.assigned(log.broker(), &assignments, &starts);
        let (resume, subscription) = assigning.await?;
        let retry = settings.failure.retry;
        Ok(Self {
            chain: Chain::new(transforms, retry),
            decoder: Decoder {
                converters: settings.converters,
                schemas: Arc::clone(&schemas),
            },
            dead_letters: DeadLetters::new(
                log.clone(),
                settings.failure,
                settings.topic_creation,
                metrics.clone(),
                clock,
            ),
            resume,
            subscription,
            progress: Progress {
                read: BTreeMap::new(),
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
                Event::Again => {}
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
        let patience = if self.dead_letters.are_waiting() {
            self.flush_interval.min(LETTERS_WAIT_MAX)
        } else {
            self.flush_interval
        };
        let flush_due = self.progress.last_flush + patience;
        let max_bytes = self.size.bytes() as usize;
        tokio::select! {
            biased;
            word = self.control.word() => Ok(match word {
                Word::Stop => Event::Stop,
                Word::Target => Event::Again,
            }),
            Ok(()) = self.assigned.changed() => Ok(Event::Reassigned),
            () = tokio::time::sleep_until(flush_due), if has_progress => Ok(Event::FlushDue),
            fetched = self.subscription.next(max_bytes), if running => match fetched {
                Ok(fetched) => Ok(Event::Fetched(fetched)),
                Err(error) => self.go_on_after(error),
            }
        }
    }

    /// As in Kafka Connect, neither retention that was faster than the sink nor the deletion of a topic ends the task.
    fn go_on_after(&mut self, error: BrokerError) -> Result<Event, Fault> {
        match error {
            BrokerError::OffsetOutOfRange {
                partition,
                offset,
                earliest,
                ..
            } if offset < earliest => {
                resume::warn_of_gap(&partition, offset, earliest);
                self.subscription.seek(&partition, earliest);
            }
            BrokerError::UnknownPartition(partition) => self.subscription.unfollow(&partition),
            error => return Err(error.into()),
        }
        Ok(Event::Again)
    }

    /// The way of what was fetched, in as many batches as it takes.
    async fn deliver(&mut self, fetched: Fetched) -> Result<(), Fault> {
        if self.progress.read.is_empty() {
            self.progress.last_flush = Instant::now();
        }
        self.metrics.read.inc_by(fetched.records.len() as u64);
        self.size
            .came_back(fetched.records.len(), fetched.buffer.len());
        let mut next = 0;
        while next < fetched.records.len() {
            let part = self.decoder.decode(&fetched, next)?;
            next = part.next;
            for (place, stage, fault) in part.poison {
                self.set_aside(&fetched, place, stage, &fault).await?;
            }
            let shaped = self.shape(Bytes::from(part.batch), &fetched).await?;
            if let Some(last) = shaped.rows().filter_map(|row| row.offset()).max() {
                self.put(&shaped, &fetched).await?;
                let partition = fetched.partition.clone();
                self.progress.put.insert(partition, last + 1);
            }
        }
        self.progress
            .read
            .insert(fetched.partition, fetched.next_offset);
        Ok(())
    }

    /// Takes a record out of the way, unless that was done before a restart.
    async fn set_aside(
        &mut self,
        fetched: &Fetched,
        place: usize,
        stage: Stage,
        fault: &Fault,
    ) -> Result<(), Fault> {
        let passed = |record: &FetchedRecord| {
            let Fetched { partition, .. } = fetched;
            self.resume.was_passed(partition, record.offset)
        };
        if fetched.records.get(place).is_some_and(passed) {
            return Ok(());
        }
        let letters = &mut self.dead_letters;
        letters.set_aside(fetched, place, stage, fault).await
    }

    /// Transforms the batch. Rows that came back with a fault are set aside and not in the result, nor are those that the
    /// sink has.
    async fn shape(&mut self, batch: Bytes, fetched: &Fetched) -> Result<Batch<Bytes>, Fault> {
        let batch = Batch::parse(batch).map_err(|e| fatal("malformed-batch", e.to_string()))?;
        let shaped = if self.chain.is_empty() {
            batch
        } else {
            in_place(self.chain.apply(batch).await?, fetched)?
        };
        let put_before = self.resume.put_before(&fetched.partition);
        let mut left_out = BTreeSet::new();
        for (number, row) in shaped.rows().enumerate() {
            if let Some(fault) = row.fault() {
                let place = row.origin() as usize;
                let stage = Stage::Transformation;
                self.set_aside(fetched, place, stage, fault).await?;
                left_out.insert(number);
            }
            if row.offset().is_some_and(|offset| offset < put_before) {
                left_out.insert(number);
            }
        }
        if left_out.is_empty() {
            return Ok(shaped);
        }
        without_rows(&shaped, &left_out)
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
            let stage = Stage::TaskPut;
            self.set_aside(fetched, place, stage, &failed.fault).await?;
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
    /// one write (invariants 1, 3 and 5). Where the sink's own flush makes its position final, what it refused is stored
    /// before: it would not be put again, and a dead letter that comes twice is better than none.
    async fn flush(&mut self) -> Result<(), Fault> {
        self.progress.last_flush = Instant::now();
        self.forget_deleted().await?;
        if self.progress.read.is_empty() {
            return Ok(());
        }
        if self.resume.sink_keeps_positions {
            let refused = self.dead_letters.take_refused();
            self.store_letters(refused).await?;
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
        let mut offsets = self.progress.committable(&safe);
        for (partition, offset) in &mut offsets {
            *offset = self.resume.not_before(partition, *offset);
        }
        let letters = self.dead_letters.take_before(&offsets);
        let settles = Settles {
            group: Some(GroupOffsets {
                group: self.group.clone(),
                offsets: offsets.clone(),
            }),
            ..Settles::default()
        };
        let n_letters = letters.records.len();
        self.log.append(letters, settles).await?;
        self.metrics.dead_letters.inc_by(n_letters as u64);
        self.resume.committed(&offsets);
        Ok(())
    }

    /// Progress in a topic that is gone, or that has been created again under its name, is nobody's any more (invariant 2).
    async fn forget_deleted(&mut self) -> Result<(), Fault> {
        let mut gone = Vec::new();
        for partition in self.progress.read.keys() {
            let topic = self.log.broker().topic(&partition.topic).await?;
            if !self
                .resume
                .is_of(partition, topic.map(|topic| topic.id).as_ref())
            {
                gone.push(partition.clone());
            }
        }
        for partition in &gone {
            self.progress.read.remove(partition);
            self.progress.put.remove(partition);
        }
        let letters = self.dead_letters.take_of(&gone);
        self.store_letters(letters).await
    }

    /// Stores dead letters apart from any offset.
    async fn store_letters(&mut self, letters: Outgoing) -> Result<(), Fault> {
        let n_letters = letters.records.len();
        if n_letters > 0 {
            self.log.append(letters, Settles::default()).await?;
            self.metrics.dead_letters.inc_by(n_letters as u64);
        }
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
        let broker = self.log.broker();
        let assigning = self.resume.assigned(broker, &assignments, &starts);
        (self.resume, self.subscription) = assigning.await?;
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

/// Rows stand where the records stand that they were made from, whatever transforms made of that.
fn in_place(shaped: Batch<Bytes>, fetched: &Fetched) -> Result<Batch<Bytes>, Fault> {
    let Fetched {
        partition, records, ..
    } = fetched;
    let mut stand = true;
    for row in shaped.rows() {
        let place = row.origin();
        let record = records.get(place as usize).ok_or_else(|| {
            let message = format!("a row came from record {place}, which the batch did not have");
            fatal("no-such-origin", message)
        })?;
        let (offset, number) = (Some(record.offset), Some(partition.partition));
        stand &= row.offset() == offset && row.partition() == number;
    }
    if stand {
        return Ok(shaped);
    }
    let copy = Batch::parse(BytesMut::from(&shaped.buffer()[..]));
    let mut copy = copy.map_err(|e| fatal("malformed-batch", e.to_string()))?;
    copy.place_rows(partition.partition, |origin| {
        records[origin as usize].offset
    });
    let placed = Batch::parse(copy.into_buffer().freeze());
    placed.map_err(|e| fatal("malformed-batch", e.to_string()))
}

fn without_rows(batch: &Batch<Bytes>, left_out: &BTreeSet<usize>) -> Result<Batch<Bytes>, Fault> {
    let rest = batch.without(|row| left_out.contains(&row));
    Batch::parse(Bytes::from(rest)).map_err(|e| fatal("malformed-batch", e.to_string()))
}

fn fatal(code: &str, message: String) -> Fault {
    Fault::new(FaultClass::Fatal, code, message)
}
