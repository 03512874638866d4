//! What a source connector implements.
#![expect(
    async_fn_in_trait,
    reason = "an instance runs on one thread, so its futures need not be Send"
)]

use longshore_model::batch::BatchWriter;
use longshore_model::{Fault, SourcePosition, Watermark};

use crate::{Config, ConfigMap, Ctx, Problem, TaskContext};

/// Reads an outside system into topics.
///
/// The host makes one call at a time. A value lives from [`Source::open`] to [`Source::close`]; after
/// a fault or a trap the task starts anew with another value.
pub trait Source: Sized + 'static {
    /// The connector's config.
    type Config: Config;

    /// Checks that need more than the config's definition: does the file exist, does the server
    /// answer. Changes nothing.
    async fn validate(_ctx: &Ctx, _config: Self::Config) -> Vec<Problem> {
        Vec::new()
    }

    /// Splits the work into at most `tasks_max` configs, one a task. One task unless said otherwise.
    ///
    /// # Errors
    /// When the work cannot be split now.
    async fn plan(
        _ctx: &Ctx,
        _config: Self::Config,
        submitted: ConfigMap,
        _tasks_max: u32,
    ) -> Result<Vec<ConfigMap>, Fault> {
        Ok(vec![submitted])
    }

    /// Starts a task. `positions` are all that the connector has stored, those of other tasks
    /// included; reading goes on behind them.
    ///
    /// # Errors
    /// When the outside system cannot be read, or a position names another history.
    async fn open(
        ctx: &Ctx,
        task: TaskContext,
        config: Self::Config,
        positions: Vec<SourcePosition>,
    ) -> Result<Self, Fault>;

    /// Waits for records and returns them with the positions that they lead to. Returns early,
    /// perhaps with nothing, when a wait answers anything but ready.
    ///
    /// # Errors
    /// A retriable fault is tried again by the host's policy: the source must then be as it was
    /// before the call. Any other ends the task.
    async fn poll(&mut self, ctx: &Ctx, limits: PollLimits) -> Result<Polled, Fault>;

    /// These positions are durable. Informs only: the host confirms upstream.
    async fn commit(&mut self, _ctx: &Ctx, _positions: Vec<SourcePosition>) {}

    /// The last call.
    async fn close(self, _ctx: &Ctx) {}

    /// Checks offsets set over REST. True when they are all there is to change; false when the
    /// store outside needs care by hand.
    ///
    /// # Errors
    /// When a position is not one of this connector's.
    async fn alter_offsets(
        _ctx: &Ctx,
        _config: Self::Config,
        _positions: Vec<SourcePosition>,
    ) -> Result<bool, Fault> {
        Ok(true)
    }
}

/// How much a poll may return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PollLimits {
    /// Rows of the batch, at most; never under 8, so that what belongs together fits.
    pub records_max: u32,
    /// Bytes of the batch's rows, about; one record larger than this comes alone.
    pub bytes_max: u32,
}

/// What a poll returns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Polled {
    /// A finished batch; no bytes where there is nothing yet.
    pub batch: Vec<u8>,
    /// What the batch completes of each capability's stream it came from.
    pub watermarks: Vec<Watermark>,
    /// Whether the source waits for its positions to be stored: they are appended at once. Otherwise
    /// progress without records is stored at most once per `offset.flush.interval.ms`.
    pub store_now: bool,
}

impl Polled {
    /// Finishes a batch that completes no stream; an empty one is nothing.
    ///
    /// # Errors
    /// When the batch is too large with its tables.
    pub fn batch(batch: BatchWriter) -> Result<Self, Fault> {
        let batch = if batch.is_empty() {
            Vec::new()
        } else {
            batch.finish()?
        };
        Ok(Self {
            batch,
            watermarks: Vec::new(),
            store_now: false,
        })
    }
}
