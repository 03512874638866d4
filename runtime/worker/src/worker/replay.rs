//! What a worker finds when it starts.

use std::sync::Arc;

use longshore_model::TaskId;
use longshore_pipeline::port::{Broker, Plugins};

use super::Worker;
use crate::catalog::task_ids;
use crate::connector::kind_of;
use crate::error::Error;
use crate::status::{
    State, Status, connector_record, no_task, parse_task_key, parse_topic_key, task_record,
};
use crate::view::Entry;

impl<B: Broker, P: Plugins> Worker<B, P> {
    /// Reads what is deployed; nothing runs yet, and the statuses say so.
    pub(super) async fn replay(&mut self) -> Result<(), Error> {
        let mut changes = Vec::new();
        for (name, deployed) in self.catalog.connectors() {
            self.last_epoch += 1;
            let class = deployed.config.settings.get("connector.class");
            let plugin = match class {
                Some(class) => self.context.plugins.find(class.trim(), None).await,
                None => None,
            };
            let kind = plugin.as_ref().map(kind_of).unwrap_or_default();
            let mut entry = Entry::new(self.last_epoch, deployed.config, kind);
            entry.target = deployed.target;
            entry.cleanup = deployed.cleanup;
            entry.tasks = deployed.tasks.into_iter().map(Arc::new).collect();
            entry.n_stored = entry.n_tasks();
            changes.push(connector_record(&name, &entry.status, self.worker_id()));
            for id in task_ids(&name, entry.n_stored) {
                let status = Status::new(State::Unassigned, None);
                changes.push(task_record(&id, &status, self.worker_id(), None));
                entry.task_status.insert(id.task, status);
            }
            self.view.write(|connectors| connectors.insert(name, entry));
        }
        self.view.write(|connectors| {
            for (key, _) in self.statuses.iter() {
                let used = parse_topic_key(key);
                if let Some((topic, name)) = used
                    && let Some(entry) = connectors.get_mut(&name)
                {
                    entry.topics.insert(topic);
                }
                // What a deletion that was cut short left behind.
                if let Some((connector, task)) = parse_task_key(key)
                    && connectors
                        .get(&connector)
                        .is_none_or(|entry| task >= entry.n_stored)
                {
                    changes.push(no_task(&TaskId { connector, task }));
                }
            }
        });
        if !changes.is_empty() {
            self.statuses.put_all(changes).await?;
        }
        Ok(())
    }
}
