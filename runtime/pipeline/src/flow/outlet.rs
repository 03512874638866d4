//! The second half of a source's way: batches to appends, with all progress that they complete.

use std::collections::BTreeMap;
use std::time::Duration;

use longshore_model::{Fault, Position, SourcePosition, Watermark};
use tokio::time::Instant;

use super::SourceParts;
use super::encode::{Encoder, RecordPlans};
use super::in_flight::InFlight;
use super::topics::Destinations;
use crate::batch::Outgoing;
use crate::delivery::{Ledger, Settles, Stored, TaskLog};
use crate::port::{Broker, Polled, TransformPlugin};
use crate::telemetry::TaskMetrics;
use crate::transform::{Chain, numbered};

/// What a task's batches go out through.
pub(super) struct Outlet<B, T> {
    log: TaskLog<B>,
    chain: Chain<T>,
    encoder: Encoder<B>,
    ledger: Ledger,
    carried: Carried,
    in_flight: InFlight,
    idle: Idle,
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
    interval: Duration,
    last_append: Instant,
}

impl<B: Broker, T: TransformPlugin> Outlet<B, T> {
    /// The outlet of a task, and the plugin that its batches come from.
    pub(super) fn open<S>(parts: SourceParts<B, S, T>) -> Result<(S, Self), Fault> {
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
        let outlet = Self {
            ledger: Ledger::new(task.connector.clone(), &stored)?,
            chain: Chain::new(transforms, settings.failure.retry),
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
            carried: Carried::default(),
            in_flight: InFlight::default(),
            idle: Idle {
                interval: settings.flush_interval,
                last_append: Instant::now(),
            },
            log,
            metrics,
        };
        Ok((plugin, outlet))
    }

    /// The way of one batch.
    pub(super) async fn advance(&mut self, polled: Polled) -> Result<(), Fault> {
        let Polled {
            batch,
            watermarks,
            store_now,
        } = polled;
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

    /// Stores progress that no record has taken along for long enough.
    pub(super) fn append_if_due(&mut self) -> Result<(), Fault> {
        match self.idle_due() {
            Some(due) if due <= Instant::now() => self.append(Outgoing::default()),
            _ => Ok(()),
        }
    }

    /// When progress without records is to be stored, if there is any.
    pub(super) fn idle_due(&self) -> Option<Instant> {
        let due = self.idle.last_append + self.idle.interval;
        (!self.carried.is_empty()).then_some(due)
    }

    /// Whether another append has to wait (invariant 9).
    pub(super) fn is_full(&self) -> bool {
        self.in_flight.is_full()
    }

    /// Whether appends are under way.
    pub(super) fn is_appending(&self) -> bool {
        !self.in_flight.is_empty()
    }

    /// What the oldest append stored; never completes when none is under way. Cancel-safe.
    pub(super) async fn stored(&mut self) -> Result<Stored, Fault> {
        let (stored, n_records) = self.in_flight.next().await?;
        self.metrics.written.inc_by(n_records as u64);
        Ok(stored)
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
}

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
