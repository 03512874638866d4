//! From a source to topics: poll → transforms → convert → append → stored → confirmed upstream.
//!
//! While batches are appended the next is polled. What comes back from the log are positions only,
//! in order, through the ledger.

use std::collections::BTreeMap;
use std::pin::pin;

use longshore_model::{Fault, FaultClass, Position, SourcePosition, Watermark};
use tokio::time::Instant;

use super::encode::{Encoder, RecordPlans};
use super::in_flight::InFlight;
use super::size::{BatchSize, RECORDS_MAX};
use super::topics::Destinations;
use super::{Control, SourceParts, Target, Word};
use crate::batch::Outgoing;
use crate::delivery::{Ledger, Settles, Stored, TaskLog};
use crate::failure::RetryPolicy;
use crate::port::{Broker, Polled, Signal, SourcePlugin, TransformPlugin};
use crate::telemetry::TaskMetrics;
use crate::transform::{Chain, numbered};

/// Runs a source task until it is stopped or fails. What was appended when it ends is stored,
/// confirmed and told to the connector before the connector is closed.
///
/// # Errors
/// The fault that ended it.
pub async fn run_source<B, S, T>(parts: SourceParts<B, S, T>, control: Control) -> Result<(), Fault>
where
    B: Broker,
    S: SourcePlugin,
    T: TransformPlugin,
{
    let mut flow = SourceFlow::new(parts, control)?;
    let ended = flow.run().await;
    let settled = flow.settle_all().await;
    let closed = flow.plugin.close().await;
    ended.and(settled).and(closed)
}

struct SourceFlow<B, S, T> {
    log: TaskLog<B>,
    plugin: S,
    chain: Chain<T>,
    encoder: Encoder<B>,
    ledger: Ledger,
    carried: Carried,
    in_flight: InFlight,
    settled: Vec<Stored>,
    size: BatchSize,
    idle: Idle,
    control: Control,
    retry: RetryPolicy,
    metrics: TaskMetrics,
}

/// Positions and watermarks that no append has taken along yet.
#[derive(Debug, Default)]
struct Carried {
    positions: BTreeMap<String, Position>,
    watermarks: Vec<Watermark>,
}

/// When progress without records is due.
#[derive(Debug)]
struct Idle {
    interval: std::time::Duration,
    last_append: Instant,
}

/// What a poll ended with.
enum Turn {
    Polled(Box<Polled>),
    /// The target changed, or carried progress is due, or there is nothing yet.
    Again,
    Stop,
}

impl<B, S, T> SourceFlow<B, S, T>
where
    B: Broker,
    S: SourcePlugin,
    T: TransformPlugin,
{
    fn new(parts: SourceParts<B, S, T>, control: Control) -> Result<Self, Fault> {
        let SourceParts {
            log,
            plugin,
            transforms,
            settings,
            schemas,
            stored,
            metrics,
            clock,
        } = parts;
        let task = log.task().clone();
        let retry = settings.failure.retry;
        Ok(Self {
            ledger: Ledger::new(task.connector.clone(), &stored)?,
            encoder: Encoder {
                task,
                converters: settings.converters,
                failure: settings.failure,
                destinations: Destinations::new(log.broker().clone(), settings.topic_creation),
                plans: RecordPlans::new(&schemas),
                metrics: metrics.clone(),
                clock,
                written_before: 0,
            },
            chain: Chain::new(transforms, retry),
            carried: Carried::default(),
            in_flight: InFlight::default(),
            settled: Vec::new(),
            size: BatchSize::new(),
            idle: Idle {
                interval: settings.flush_interval,
                last_append: Instant::now(),
            },
            log,
            plugin,
            control,
            retry,
            metrics,
        })
    }

    async fn run(&mut self) -> Result<(), Fault> {
        loop {
            self.commit_settled().await?;
            if self.idle_progress_is_due() {
                self.append(Outgoing::default())?;
            }
            let running = self.control.target() == Target::Running && !self.in_flight.is_full();
            let turn = if running {
                self.poll().await?
            } else {
                self.wait().await?
            };
            match turn {
                Turn::Polled(polled) => self.advance(*polled).await?,
                Turn::Again => {}
                Turn::Stop => return Ok(()),
            }
        }
    }

    /// The way of one batch.
    async fn advance(&mut self, polled: Polled) -> Result<(), Fault> {
        let Polled {
            batch,
            watermarks,
            store_now,
        } = polled;
        self.metrics.polled.inc_by(batch.len() as u64);
        self.carried.take_in(&batch, watermarks);
        let outgoing = if batch.is_empty() {
            Outgoing::default()
        } else if self.chain.is_empty() {
            self.encoder.encode(&batch, None).await?
        } else {
            let shaped = self.chain.apply(numbered(&batch)?).await?;
            self.encoder.encode(&shaped, Some(&batch)).await?
        };
        let awaited = store_now && !self.carried.is_empty();
        if outgoing.records.is_empty() && !awaited {
            return Ok(());
        }
        self.append(outgoing)
    }

    /// Queues records together with all progress that they complete (invariants 3 and 5).
    fn append(&mut self, outgoing: Outgoing) -> Result<(), Fault> {
        let Carried {
            positions,
            watermarks,
        } = std::mem::take(&mut self.carried);
        let moves = self
            .ledger
            .advance(positions.iter().map(|(p, at)| (p.as_str(), at)))?;
        let positions = positions
            .into_iter()
            .map(|(partition, position)| SourcePosition {
                partition,
                position,
            });
        let settles = Settles {
            positions: positions.collect(),
            moves,
            watermarks,
            group: None,
        };
        let n_records = outgoing.records.len();
        let bytes = outgoing.buffer.len() + outgoing.written.len();
        self.in_flight
            .push(self.log.append(outgoing, settles), n_records, bytes);
        self.idle.last_append = Instant::now();
        Ok(())
    }

    /// Polls once; appends that complete meanwhile wake the connector.
    async fn poll(&mut self) -> Result<Turn, Fault> {
        let signal = self.plugin.signal();
        let idle_due = self.idle.last_append + self.idle.interval;
        let mut progress_waits = !self.carried.is_empty();
        let (mut stopping, mut woken) = (false, false);
        let polled = {
            let mut poll = pin!(self.plugin.poll(RECORDS_MAX, self.size.bytes()));
            loop {
                tokio::select! {
                    biased;
                    word = self.control.word(), if !stopping => match word {
                        Word::Stop => {
                            stopping = true;
                            signal.stop();
                        }
                        Word::Target => {
                            woken = true;
                            signal.wake();
                        }
                    },
                    stored = self.in_flight.next() => {
                        let (stored, n_records) = stored?;
                        self.metrics.written.inc_by(n_records as u64);
                        self.settled.push(stored);
                        woken = true;
                        signal.wake();
                    }
                    () = tokio::time::sleep_until(idle_due), if progress_waits => {
                        progress_waits = false;
                        woken = true;
                        signal.wake();
                    }
                    polled = &mut poll => break polled,
                }
            }
        };
        match polled {
            // What a stopping poll returned comes again: its position was not stored.
            _ if stopping => Ok(Turn::Stop),
            Ok(polled) => {
                // Appends that complete wake a source under full load all the time, so nothing from
                // a poll that was cut short does not mean that there is nothing.
                if !(woken && polled.batch.is_empty()) {
                    let (records, bytes) = (polled.batch.len(), polled.batch.buffer().len());
                    self.size.came_back(records, bytes);
                }
                Ok(Turn::Polled(Box::new(polled)))
            }
            Err(fault) if fault.class == FaultClass::Retriable => self.pause_after(fault).await,
            Err(fault) => Err(fault),
        }
    }

    /// Waits without polling: paused, or with enough appends under way.
    async fn wait(&mut self) -> Result<Turn, Fault> {
        let idle_due = self.idle.last_append + self.idle.interval;
        tokio::select! {
            biased;
            word = self.control.word() => {
                if matches!(word, Word::Stop) {
                    return Ok(Turn::Stop);
                }
            }
            stored = self.in_flight.next() => {
                let (stored, n_records) = stored?;
                self.metrics.written.inc_by(n_records as u64);
                self.settled.push(stored);
            }
            () = tokio::time::sleep_until(idle_due), if !self.carried.is_empty() => {}
        }
        Ok(Turn::Again)
    }

    /// A retriable fault of `poll` is tried again for ever, as in Kafka Connect.
    async fn pause_after(&mut self, fault: Fault) -> Result<Turn, Fault> {
        self.metrics.retries.inc();
        let delay = self.retry.delay_max.min(POLL_RETRY_DELAY);
        tracing::warn!(code = fault.code, error = %fault, "poll failed and is tried again");
        tokio::select! {
            () = self.control.stop.cancelled() => Ok(Turn::Stop),
            () = tokio::time::sleep(delay) => Ok(Turn::Again),
        }
    }

    /// Confirms upstream and informs the connector of what is stored, in order.
    async fn commit_settled(&mut self) -> Result<(), Fault> {
        for stored in std::mem::take(&mut self.settled) {
            self.plugin.commit(stored).await?;
        }
        Ok(())
    }

    /// Waits for the appends that are under way.
    async fn settle_all(&mut self) -> Result<(), Fault> {
        while !self.in_flight.is_empty() {
            let (stored, n_records) = self.in_flight.next().await?;
            self.metrics.written.inc_by(n_records as u64);
            self.settled.push(stored);
        }
        self.commit_settled().await
    }

    fn idle_progress_is_due(&self) -> bool {
        !self.carried.is_empty() && self.idle.last_append.elapsed() >= self.idle.interval
    }
}

const POLL_RETRY_DELAY: std::time::Duration = std::time::Duration::from_secs(1);

impl Carried {
    fn is_empty(&self) -> bool {
        self.positions.is_empty() && self.watermarks.is_empty()
    }

    /// Later positions and watermarks take the place of earlier ones.
    fn take_in(
        &mut self,
        batch: &longshore_model::batch::Batch<bytes::Bytes>,
        watermarks: Vec<Watermark>,
    ) {
        for (partition, position) in batch.positions() {
            match self.positions.get_mut(partition) {
                Some(known) => known.clone_from(position),
                None => {
                    self.positions
                        .insert(partition.to_owned(), position.clone());
                }
            }
        }
        for watermark in watermarks {
            self.watermarks
                .retain(|known| known.stream != watermark.stream);
            self.watermarks.push(watermark);
        }
    }
}
