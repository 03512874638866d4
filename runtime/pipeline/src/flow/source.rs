//! From a source to topics: poll → transforms → convert → append → stored → confirmed upstream.
//!
//! While a batch is converted and others are appended, the next is polled. What comes back from the log are positions
//! only, in order, through the ledger.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::task::Poll;

use longshore_model::{Fault, FaultClass};
use tokio::time::Instant;

use super::outlet::Outlet;
use super::size::{BatchSize, RECORDS_MAX};
use super::{Control, SourceParts, Target, Word};
use crate::delivery::Stored;
use crate::failure::RetryPolicy;
use crate::port::{Broker, Polled, Signal, SourcePlugin, TransformPlugin};
use crate::telemetry::TaskMetrics;

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
    plugin: S,
    outlet: Outlet<B, T>,
    settled: Vec<Stored>,
    size: BatchSize,
    control: Control,
    retry: RetryPolicy,
    metrics: TaskMetrics,
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
        let retry = parts.settings.failure.retry;
        let metrics = parts.metrics.clone();
        let (plugin, outlet) = Outlet::open(parts)?;
        Ok(Self {
            plugin,
            outlet,
            settled: Vec::new(),
            size: BatchSize::new(),
            control,
            retry,
            metrics,
        })
    }

    async fn run(&mut self) -> Result<(), Fault> {
        let mut polled = None;
        loop {
            self.commit_settled().await?;
            self.outlet.append_if_due()?;
            let paused = self.control.target() != Target::Running;
            if let Some(polled) = polled.take_if(|_| paused) {
                self.outlet.advance(polled).await?;
            }
            let turn = if paused || self.outlet.is_full() {
                self.wait().await?
            } else {
                self.poll(polled.take()).await?
            };
            match turn {
                Turn::Polled(next) => polled = Some(*next),
                Turn::Again => {}
                Turn::Stop => return Ok(()),
            }
        }
    }

    /// Polls once, and sends the last batch on while the connector makes the next. Appends that complete meanwhile wake the
    /// connector.
    async fn poll(&mut self, last: Option<Polled>) -> Result<Turn, Fault> {
        let signal = self.plugin.signal();
        let (mut stopping, mut woken) = (false, false);
        let polled = {
            let mut poll = pin!(self.plugin.poll(RECORDS_MAX, self.size.bytes()));
            let mut begun = Poll::Pending;
            if let Some(last) = last {
                begun = poll_fn(|cx| Poll::Ready(poll.as_mut().poll(cx))).await;
                if let Err(fault) = self.outlet.advance(last).await {
                    // The connector is not left in a call whose end nobody waits for: what is stored is still to be told.
                    signal.wake();
                    if begun.is_pending() {
                        drop(poll.await);
                    }
                    return Err(fault);
                }
            }
            let mut poll = pin!(async move {
                match begun {
                    Poll::Ready(polled) => polled,
                    Poll::Pending => poll.await,
                }
            });
            let idle_due = self.outlet.idle_due();
            let mut progress_waits = idle_due.is_some();
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
                    stored = self.outlet.stored() => {
                        self.settled.push(stored?);
                        woken = true;
                        signal.wake();
                    }
                    () = until(idle_due), if progress_waits => {
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
                self.metrics.polled.inc_by(polled.batch.len() as u64);
                Ok(Turn::Polled(Box::new(polled)))
            }
            Err(fault) if fault.class == FaultClass::Retriable => self.pause_after(fault).await,
            Err(fault) => Err(fault),
        }
    }

    /// Waits without polling: paused, or with enough appends under way.
    async fn wait(&mut self) -> Result<Turn, Fault> {
        let idle_due = self.outlet.idle_due();
        tokio::select! {
            biased;
            word = self.control.word() => {
                if matches!(word, Word::Stop) {
                    return Ok(Turn::Stop);
                }
            }
            stored = self.outlet.stored() => self.settled.push(stored?),
            () = until(idle_due) => {}
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
        while self.outlet.is_appending() {
            let stored = self.outlet.stored().await?;
            self.settled.push(stored);
        }
        self.commit_settled().await
    }
}

const POLL_RETRY_DELAY: std::time::Duration = std::time::Duration::from_secs(1);

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
