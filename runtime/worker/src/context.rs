//! What every connector of a worker works with.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use longshore_model::TaskId;
use longshore_pipeline::port::Clock;
use longshore_pipeline::telemetry::{Metrics, PluginMetrics};
use tokio::sync::watch;

use crate::config::WorkerConfig;

/// The ports and settings of a worker.
#[derive(Debug)]
pub(crate) struct Context<B, P> {
    pub(crate) broker: B,
    pub(crate) plugins: P,
    pub(crate) config: WorkerConfig,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: Metrics,
    pub(crate) board: Board,
}

/// What running tasks say of themselves without being asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Board(Arc<RwLock<BTreeMap<TaskId, Live>>>);

#[derive(Clone, Debug)]
pub(crate) struct Live {
    /// The JSON object that the guest set as its progress.
    pub(crate) progress: watch::Receiver<Option<String>>,
    /// What the guest counts.
    pub(crate) metrics: Arc<PluginMetrics>,
}

impl Board {
    pub(crate) fn put(&self, id: TaskId, live: Live) {
        let mut tasks = self.0.write().unwrap_or_else(PoisonError::into_inner);
        tasks.insert(id, live);
    }

    pub(crate) fn remove(&self, id: &TaskId) {
        let mut tasks = self.0.write().unwrap_or_else(PoisonError::into_inner);
        tasks.remove(id);
    }

    pub(crate) fn progress(&self, id: &TaskId) -> Option<String> {
        let tasks = self.0.read().unwrap_or_else(PoisonError::into_inner);
        tasks.get(id)?.progress.borrow().clone()
    }

    pub(crate) fn metrics(&self) -> Vec<(TaskId, Arc<PluginMetrics>)> {
        let tasks = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let of = |(id, live): (&TaskId, &Live)| (id.clone(), Arc::clone(&live.metrics));
        tasks.iter().map(of).collect()
    }
}
