//! What a sink connector implements.
#![expect(
    async_fn_in_trait,
    reason = "an instance runs on one thread, so its futures need not be Send"
)]

use longshore_model::Fault;
use longshore_model::batch::Batch;

use crate::{Config, ConfigMap, Ctx, Problem, TaskContext};

/// Writes topics to an outside system.
///
/// The host makes one call at a time. A batch may come twice; a sink that keeps its position in the
/// store makes that harmless and rejects an older generation.
pub trait Sink: Sized + 'static {
    /// The connector's config.
    type Config: Config;

    /// Checks that need more than the config's definition. Changes nothing.
    async fn validate(_ctx: &Ctx, _config: Self::Config) -> Vec<Problem> {
        Vec::new()
    }

    /// Splits the work into at most `tasks_max` configs, one a task. Unless said otherwise, as many
    /// tasks as are allowed, which share the topics' partitions.
    ///
    /// # Errors
    /// When the work cannot be split now.
    async fn plan(
        _ctx: &Ctx,
        _config: Self::Config,
        submitted: ConfigMap,
        tasks_max: u32,
    ) -> Result<Vec<ConfigMap>, Fault> {
        Ok((0..tasks_max).map(|_| submitted.clone()).collect())
    }

    /// Starts a task. Returns start positions for those partitions whose position the sink keeps
    /// itself; they beat the group's, and the host seeks there.
    ///
    /// # Errors
    /// When the outside system cannot be written, or its position names another history.
    async fn open(
        ctx: &Ctx,
        task: TaskContext,
        config: Self::Config,
        assigned: Vec<Assignment>,
    ) -> Result<(Self, Vec<TopicPosition>), Fault>;

    /// The assignment changed. Returns start positions as [`Sink::open`] does.
    ///
    /// # Errors
    /// As [`Sink::open`].
    async fn partitions_changed(
        &mut self,
        ctx: &Ctx,
        change: AssignmentChange,
    ) -> Result<Vec<TopicPosition>, Fault>;

    /// Takes a batch. Returns the records that failed on their own account.
    ///
    /// # Errors
    /// The whole batch failed and may come again.
    async fn put(
        &mut self,
        ctx: &Ctx,
        generation: u64,
        batch: Batch<Vec<u8>>,
    ) -> Result<Vec<RowFault>, Fault>;

    /// Makes what was put durable and returns the offsets that are safe to commit.
    ///
    /// # Errors
    /// Nothing new is safe.
    async fn flush(&mut self, ctx: &Ctx) -> Result<Vec<TopicPosition>, Fault>;

    /// The last call.
    async fn close(self, _ctx: &Ctx) {}

    /// Checks offsets set over REST; an offset is negative where it is removed. False when the store
    /// outside needs care by hand.
    ///
    /// # Errors
    /// When the sink keeps its position in the store and it cannot be changed from here.
    async fn alter_offsets(
        _ctx: &Ctx,
        _config: Self::Config,
        _positions: Vec<TopicPosition>,
    ) -> Result<bool, Fault> {
        Ok(true)
    }
}

/// A partition given to a sink task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The topic.
    pub topic: String,
    /// The topic's id: a topic deleted and created again is another topic.
    pub topic_id: String,
    /// The partition.
    pub partition: u32,
    /// The group's committed offset: the next record to read.
    pub committed: Option<i64>,
}

/// How an assignment changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssignmentChange {
    /// All that the task has now.
    pub assigned: Vec<Assignment>,
    /// Flushed and given up.
    pub revoked: Vec<TopicPosition>,
    /// Belong to another task already.
    pub lost: Vec<TopicPosition>,
    /// The generation from here on.
    pub generation: u64,
}

/// A place in a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicPosition {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: u32,
    /// The next record to read; negative where an offset is removed.
    pub offset: i64,
}

/// A record of a batch that failed on its own account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowFault {
    /// Counts from 0.
    pub row: u32,
    /// Why.
    pub fault: Fault,
}
