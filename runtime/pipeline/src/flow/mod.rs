//! The two ways of a record, each one readable straight line: [`run_source`] and [`run_sink`].

mod decode;
mod encode;
mod in_flight;
mod outlet;
mod placement;
mod resume;
mod set_aside;
mod sink;
mod size;
mod source;
mod topics;

use std::sync::Arc;

use longshore_model::SourcePosition;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::delivery::TaskLog;
use crate::port::{Assignment, Clock};
use crate::schemas::SchemaTable;
use crate::settings::FlowSettings;
use crate::telemetry::TaskMetrics;

pub use placement::{murmur2, partition_of_key};
pub use sink::run_sink;
pub use source::run_source;

/// What a task is asked to do. Restarts, reassignments and new configs are a stop and a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Move records.
    Running,
    /// Keep the instance, move nothing.
    Paused,
}

/// The control words that reach a flow.
#[derive(Clone, Debug)]
pub struct Control {
    /// Run or pause.
    pub target: watch::Receiver<Target>,
    /// Drain, flush, close.
    pub stop: CancellationToken,
}

impl Control {
    /// What is asked for now; a change after this call completes [`Control::word`].
    fn target(&mut self) -> Target {
        *self.target.borrow_and_update()
    }

    /// Completes when the target changes, or the task is to stop; says which. Never completes when
    /// nobody can change anything any more.
    async fn word(&mut self) -> Word {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Word::Stop,
            Ok(()) = self.target.changed() => Word::Target,
            else => std::future::pending().await,
        }
    }
}

/// A control word that has come.
enum Word {
    Stop,
    Target,
}

/// Everything that a source's flow is made of.
#[derive(Debug)]
pub struct SourceParts<B, S, T> {
    /// The log, under the task's generation.
    pub log: TaskLog<B>,
    /// The connector's instance, opened.
    pub plugin: S,
    /// Transforms in the order of the chain.
    pub transforms: Vec<T>,
    /// What the config says.
    pub settings: FlowSettings,
    /// Schemas that the instances declared.
    pub schemas: Arc<SchemaTable>,
    /// The positions that the plugin was opened with.
    pub stored: Vec<SourcePosition>,
    /// What the task counts.
    pub metrics: TaskMetrics,
    /// The wall clock, for records without a timestamp.
    pub clock: Arc<dyn Clock>,
}

/// Everything that a sink's flow is made of.
#[derive(Debug)]
pub struct SinkParts<B, K, T> {
    /// The log, under the task's generation.
    pub log: TaskLog<B>,
    /// The connector's instance, not opened yet.
    pub plugin: K,
    /// Transforms in the order of the chain.
    pub transforms: Vec<T>,
    /// What the config says.
    pub settings: FlowSettings,
    /// Schemas that the instances declared.
    pub schemas: Arc<SchemaTable>,
    /// `connect-NAME`.
    pub group: String,
    /// The partitions that are the task's, kept up to date.
    pub assigned: watch::Receiver<Vec<Assignment>>,
    /// What the task counts.
    pub metrics: TaskMetrics,
    /// The wall clock, for dead letters.
    pub clock: Arc<dyn Clock>,
}
