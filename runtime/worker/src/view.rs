//! What is deployed and how it fares, for whoever asks. One writer, the worker's loop.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};

use longshore_model::{ConnectorName, TaskId, TopicName};
use longshore_pipeline::flow::Target;
use longshore_pipeline::settings::Settings;

use crate::catalog::TargetState;
use crate::connector::Desired;
use crate::guarded::Guarded;
use crate::status::{Kind, State, Status};

/// Everything that is known of one connector.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) epoch: u64,
    pub(crate) revision: u64,
    pub(crate) config: Arc<Guarded>,
    pub(crate) target: TargetState,
    pub(crate) kind: Kind,
    pub(crate) tasks: Vec<Arc<Guarded>>,
    pub(crate) status: Status,
    pub(crate) task_status: BTreeMap<u32, Status>,
    pub(crate) topics: BTreeSet<TopicName>,
    pub(crate) restarts: u64,
    pub(crate) task_restarts: BTreeMap<u32, u64>,
    pub(crate) topic_resets: u64,
    pub(crate) n_stored: u32,
    pub(crate) cleanup: bool,
}

impl Entry {
    pub(crate) fn new(epoch: u64, config: Guarded, kind: Kind) -> Self {
        Self {
            epoch,
            revision: 0,
            config: Arc::new(config),
            target: TargetState::Started,
            kind,
            tasks: Vec::new(),
            status: Status::new(State::Unassigned, None),
            task_status: BTreeMap::new(),
            topics: BTreeSet::new(),
            restarts: 0,
            task_restarts: BTreeMap::new(),
            topic_resets: 0,
            n_stored: 0,
            cleanup: false,
        }
    }

    /// What the connector's runner is to do.
    pub(crate) fn desired(&self) -> Desired {
        Desired {
            epoch: self.epoch,
            revision: self.revision,
            config: Some(Arc::clone(&self.config)),
            target: match self.target {
                TargetState::Started => Target::Running,
                TargetState::Paused => Target::Paused,
            },
            restarts: self.restarts,
            task_restarts: self.task_restarts.clone(),
            topic_resets: self.topic_resets,
            n_stored: self.n_stored,
            cleanup: self.cleanup,
        }
    }

    pub(crate) fn n_tasks(&self) -> u32 {
        u32::try_from(self.tasks.len()).expect("a connector has few tasks")
    }
}

/// All connectors. The lock is never held over an await.
#[derive(Clone, Debug, Default)]
pub(crate) struct View(Arc<RwLock<BTreeMap<ConnectorName, Entry>>>);

impl View {
    pub(crate) fn read<T>(&self, read: impl FnOnce(&BTreeMap<ConnectorName, Entry>) -> T) -> T {
        read(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn write<T>(
        &self,
        write: impl FnOnce(&mut BTreeMap<ConnectorName, Entry>) -> T,
    ) -> T {
        write(&mut self.0.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes one connector and returns what is now wanted of it.
    pub(crate) fn change(
        &self,
        name: &ConnectorName,
        change: impl FnOnce(&mut Entry),
    ) -> Option<Desired> {
        self.write(|connectors| {
            let entry = connectors.get_mut(name)?;
            change(entry);
            Some(entry.desired())
        })
    }
}

/// A connector as `GET /connectors/{name}` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectorInfo {
    /// Its name.
    pub name: ConnectorName,
    /// Its config as it was submitted, with the name; passwords are masked.
    pub config: Settings,
    /// Its tasks.
    pub tasks: Vec<TaskId>,
    /// What it is.
    pub kind: Kind,
}

/// A connector and its tasks, as they fare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectorStatus {
    /// Its name.
    pub name: ConnectorName,
    /// What it is.
    pub kind: Kind,
    /// The worker that it runs on.
    pub worker_id: String,
    /// The connector itself.
    pub connector: Status,
    /// Its tasks, by number.
    pub tasks: Vec<TaskStatus>,
}

/// A task, as it fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskStatus {
    /// The task.
    pub id: TaskId,
    /// The worker that it runs on.
    pub worker_id: String,
    /// Its state.
    pub status: Status,
    /// The JSON object that the plugin set as its progress.
    pub progress: Option<String>,
}
