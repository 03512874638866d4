//! Plugins, as the pipeline sees them. One call at a time per instance; a plugin that was dropped
//! is gone, whatever it was doing.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use longshore_model::batch::Batch;
use longshore_model::{Fault, Manifest, SourcePosition, TaskId, TopicPartition, Watermark};
use tokio::sync::watch;

use super::{Generation, TopicId};
use crate::delivery::Stored;
use crate::schemas::SchemaTable;

/// A resolved config, in the order of its keys.
pub type Config = Vec<(String, String)>;

/// A plugin on the shelf: one name may stand there in several versions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PluginId {
    /// The manifest's name.
    pub name: Arc<str>,
    /// The manifest's version.
    pub version: Arc<str>,
}

/// What the shelf knows of a plugin.
#[derive(Clone, Debug)]
pub struct PluginInfo {
    /// Its id.
    pub id: PluginId,
    /// Its manifest.
    pub manifest: Arc<Manifest>,
    /// Where it was found; `None` for one inside the binary.
    pub path: Option<PathBuf>,
}

/// How much a problem matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The config is not taken.
    Refusal,
    /// The config is taken, and a person should have a look.
    Warning,
}

/// What there is to say of a config key, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The key.
    pub key: String,
    /// How much it matters.
    pub severity: Severity,
    /// What is wrong with its value.
    pub fault: Fault,
}

impl Problem {
    /// What is so wrong with a key that the config is not taken.
    #[must_use]
    pub fn refusal(key: &str, fault: Fault) -> Self {
        Self {
            key: key.to_owned(),
            severity: Severity::Refusal,
            fault,
        }
    }
}

/// One thing that a connector leaves behind in the outside system when it is deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// What it is: `replication slot`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// What it costs while it stays, where that is known.
    pub bytes: Option<u64>,
    /// What a person runs to remove it.
    pub command: String,
}

/// What an instance shares with the task that it serves.
#[derive(Clone, Debug)]
pub struct TaskEnv {
    /// The task.
    pub task: TaskId,
    /// Its generation.
    pub generation: Generation,
    /// The task's config, resolved.
    pub config: Config,
    /// Schemas that the task's instances declared.
    pub schemas: Arc<SchemaTable>,
    /// The JSON object that the guest set as its progress.
    pub progress: watch::Sender<Option<String>>,
    /// Counters and gauges that the guest keeps.
    pub metrics: Arc<crate::telemetry::PluginMetrics>,
}

/// Speaks to an instance that is in a call.
pub trait Signal: Clone + Send + Sync + 'static {
    /// Completes a waiting import with `woken`: `poll` returns what it has.
    fn wake(&self);

    /// Completes every waiting import with `stopping`, now and from now on.
    fn stop(&self);
}

/// What a poll returned.
#[derive(Debug)]
pub struct Polled {
    /// Records and positions, checked.
    pub batch: Batch<Bytes>,
    /// What the batch completes of each stream, checked against what the stream delivered.
    pub watermarks: Vec<Watermark>,
    /// Whether the source waits for its positions to be stored: they are appended at once, with
    /// records or without.
    pub store_now: bool,
}

/// A source task's instance, opened.
pub trait SourcePlugin: Send + 'static {
    /// See [`Signal`].
    type Signal: Signal;

    /// A handle that works while a call is under way.
    fn signal(&self) -> Self::Signal;

    /// Waits for records. Returns early, perhaps with nothing, when woken or stopped.
    fn poll(
        &mut self,
        max_records: u32,
        max_bytes: u32,
    ) -> impl Future<Output = Result<Polled, Fault>> + Send;

    /// Confirms upstream what is stored, which nobody else does, then informs the guest.
    fn commit(&mut self, stored: Stored) -> impl Future<Output = Result<(), Fault>> + Send;

    /// The last call.
    fn close(self) -> impl Future<Output = Result<(), Fault>> + Send;
}

/// A topic partition given to a sink task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The partition.
    pub partition: TopicPartition,
    /// This life of its topic.
    pub topic_id: TopicId,
    /// The group's committed offset.
    pub committed: Option<i64>,
}

/// A place in a topic: the next record to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicOffset {
    /// The partition.
    pub partition: TopicPartition,
    /// The next record to read.
    pub offset: i64,
}

/// A row of a batch that failed on its own account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowFault {
    /// Counts from 0.
    pub row: u32,
    /// Why.
    pub fault: Fault,
}

/// A sink task's instance.
pub trait SinkPlugin: Send + 'static {
    /// See [`Signal`].
    type Signal: Signal;

    /// A handle that works while a call is under way.
    fn signal(&self) -> Self::Signal;

    /// Starts; returns start positions that beat the group's.
    fn open(
        &mut self,
        assigned: &[Assignment],
    ) -> impl Future<Output = Result<Vec<TopicOffset>, Fault>> + Send;

    /// The assignment changed.
    fn partitions_changed(
        &mut self,
        assigned: &[Assignment],
        revoked: &[TopicOffset],
        lost: &[TopicOffset],
        generation: Generation,
    ) -> impl Future<Output = Result<Vec<TopicOffset>, Fault>> + Send;

    /// Takes a flat batch; returns the rows that failed on their own account.
    fn put(
        &mut self,
        generation: Generation,
        batch: Bytes,
    ) -> impl Future<Output = Result<Vec<RowFault>, Fault>> + Send;

    /// Makes what was put durable; returns the offsets that are safe to commit.
    fn flush(&mut self) -> impl Future<Output = Result<Vec<TopicOffset>, Fault>> + Send;

    /// The last call.
    fn close(self) -> impl Future<Output = Result<(), Fault>> + Send;
}

/// A transform's instance, configured.
pub trait TransformPlugin: Send + 'static {
    /// Returns the flat batch that takes the input's place.
    fn apply(&mut self, batch: Bytes) -> impl Future<Output = Result<Bytes, Fault>> + Send;
}

/// The shelf of plugins, and what makes instances of them.
pub trait Plugins: Clone + Send + Sync + 'static {
    /// Instances of sources.
    type Source: SourcePlugin;
    /// Instances of sinks.
    type Sink: SinkPlugin;
    /// Instances of transforms.
    type Transform: TransformPlugin;

    /// Everything on the shelf, newest version of a name first. Looks at the plugin path anew.
    fn list(&self) -> impl Future<Output = Vec<PluginInfo>> + Send;

    /// The newest plugin that answers to the class, or the one of that version.
    fn find(
        &self,
        class: &str,
        version: Option<&str>,
    ) -> impl Future<Output = Option<PluginInfo>> + Send;

    /// The plugin's own checks of a config.
    fn validate(
        &self,
        plugin: &PluginId,
        config: &Config,
    ) -> impl Future<Output = Result<Vec<Problem>, Fault>> + Send;

    /// One config a task.
    fn plan(
        &self,
        plugin: &PluginId,
        config: &Config,
        max_tasks: u32,
    ) -> impl Future<Output = Result<Vec<Config>, Fault>> + Send;

    /// What a connector that is deleted leaves behind in the outside system; `None` where the plugin
    /// leaves nothing.
    fn leftovers(
        &self,
        plugin: &PluginId,
        config: &Config,
        positions: &[SourcePosition],
    ) -> impl Future<Output = Result<Option<Vec<Leftover>>, Fault>> + Send;

    /// Removes what the connector leaves behind; what is gone already is no error. Called when none
    /// of its tasks runs.
    fn cleanup(
        &self,
        plugin: &PluginId,
        config: &Config,
        positions: &[SourcePosition],
    ) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Makes and opens a source's instance.
    fn open_source(
        &self,
        plugin: &PluginId,
        env: TaskEnv,
        positions: Vec<SourcePosition>,
    ) -> impl Future<Output = Result<Self::Source, Fault>> + Send;

    /// Makes a sink's instance, to be opened with its assignment.
    fn make_sink(
        &self,
        plugin: &PluginId,
        env: TaskEnv,
    ) -> impl Future<Output = Result<Self::Sink, Fault>> + Send;

    /// Makes and configures a transform's instance.
    fn open_transform(
        &self,
        plugin: &PluginId,
        env: TaskEnv,
        config: &Config,
    ) -> impl Future<Output = Result<Self::Transform, Fault>> + Send;
}
