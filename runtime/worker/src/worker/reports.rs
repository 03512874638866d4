//! What connectors tell the worker, made durable and visible.

use std::sync::Arc;

use longshore_model::{ConnectorName, TaskId};
use longshore_pipeline::port::{Broker, BrokerResult, Plugins};

use super::Worker;
use crate::catalog::task_ids;
use crate::connector::Report;
use crate::guarded::Guarded;
use crate::status::{
    Change, Kind, State, Status, connector_record, no_task, task_record, topic_record,
};
use crate::view::Entry;

impl<B: Broker, P: Plugins> Worker<B, P> {
    /// Makes reports durable and visible. A report of a connector's earlier life is left out.
    pub(super) async fn write_down(&mut self, reports: Vec<(ConnectorName, u64, Report)>) {
        let mut changes = Vec::new();
        for (name, epoch, report) in reports {
            let is_current = |entry: &Entry| entry.epoch == epoch;
            if self
                .view
                .read(|connectors| connectors.get(&name).is_some_and(is_current))
            {
                match report {
                    Report::Planned { tasks, done } => {
                        let outcome = self.store_tasks(&name, tasks, &mut changes).await;
                        // A connector that is gone meanwhile does not wait.
                        done.send(outcome).ok();
                    }
                    Report::CleanedUp { done } => {
                        // What was said before of a connector that is gone is not written after.
                        self.write_statuses(std::mem::take(&mut changes)).await;
                        let outcome = self.forget(&name).await;
                        done.send(outcome).ok();
                    }
                    report => self.apply(&name, report, &mut changes),
                }
            }
        }
        self.write_statuses(changes).await;
    }

    async fn write_statuses(&mut self, changes: Vec<Change>) {
        if !changes.is_empty()
            && let Err(error) = self.statuses.put_all(changes).await
        {
            tracing::error!(%error, "writing statuses failed");
        }
    }

    async fn store_tasks(
        &mut self,
        name: &ConnectorName,
        tasks: Vec<Guarded>,
        changes: &mut Vec<Change>,
    ) -> BrokerResult<()> {
        let n_before = self.view.read(|connectors| connectors[name].n_tasks());
        self.catalog.put_tasks(name, n_before, &tasks).await?;
        let n_tasks = u32::try_from(tasks.len()).expect("a connector has few tasks");
        let gone = task_ids(name, n_before).skip(tasks.len());
        changes.extend(gone.map(|id| no_task(&id)));
        let worker_id = self.worker_id().to_owned();
        self.view.change(name, |entry| {
            entry.tasks = tasks.into_iter().map(Arc::new).collect();
            entry.task_status.retain(|task, _| *task < n_tasks);
            for id in task_ids(name, n_tasks) {
                let status = entry.task_status.entry(id.task);
                let status = status.or_insert_with(|| Status::new(State::Unassigned, None));
                changes.push(task_record(&id, status, &worker_id, None));
            }
        });
        Ok(())
    }

    fn apply(&self, name: &ConnectorName, report: Report, changes: &mut Vec<Change>) {
        let tracks = self.context.config.tracks_topics;
        let id_of = |task| TaskId {
            connector: name.clone(),
            task,
        };
        self.view.change(name, |entry| match report {
            Report::Connector { status, kind } => {
                log_failure(name, None, &status);
                changes.push(connector_record(name, &status, self.worker_id()));
                entry.status = status;
                if kind != Kind::Unknown {
                    entry.kind = kind;
                }
            }
            Report::Task {
                task,
                generation,
                status,
            } => {
                log_failure(name, Some(task), &status);
                let record = task_record(&id_of(task), &status, self.worker_id(), generation);
                changes.push(record);
                entry.task_status.insert(task, status);
            }
            Report::Topics(topics) if tracks => {
                for (topic, task) in topics {
                    if entry.topics.insert(topic.clone()) {
                        let now_ms = self.context.clock.now_ms();
                        changes.push(topic_record(&topic, &id_of(task), now_ms));
                    }
                }
            }
            Report::Topics(_) | Report::Planned { .. } | Report::CleanedUp { .. } => {}
        });
    }
}

/// Whoever watches the log hears of it too, in one line.
fn log_failure(connector: &ConnectorName, task: Option<u32>, status: &Status) {
    if status.state == State::Failed {
        let trace = status.trace.as_deref().unwrap_or_default();
        let reason = trace.lines().map(str::trim).collect::<Vec<_>>().join("; ");
        match task {
            Some(task) => tracing::error!(%connector, task, reason, "a task has failed"),
            None => tracing::error!(%connector, reason, "a connector has failed"),
        }
    }
}
