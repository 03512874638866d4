//! What callers ask the worker through: reads look at what the worker has written down, changes go
//! through its loop.

use std::collections::BTreeSet;
use std::sync::Arc;

use longshore_model::config::ConfigKey;
use longshore_model::{ConnectorName, TaskId, TopicName};
use longshore_pipeline::port::{Broker, Leftover, PluginInfo, Plugins};
use longshore_pipeline::settings::Settings;
use longshore_pipeline::telemetry::PluginMetrics;
use tokio::sync::{mpsc, oneshot};

use crate::catalog::{TargetState, task_ids};
use crate::connector::{kind_of, leftovers};
use crate::context::Context;
use crate::error::Error;
use crate::records::Records;
use crate::request::Request;
use crate::restart::RestartRequest;
use crate::status::Kind;
use crate::validate::{Checked, Submitted, Validation, check, definition_of, ignored_overrides};
use crate::view::{ConnectorInfo, ConnectorStatus, Entry, TaskStatus, View};

/// A worker, as REST sees it. Cheap to clone.
#[derive(Debug)]
pub struct WorkerHandle<B, P> {
    context: Arc<Context<B, P>>,
    view: View,
    requests: mpsc::Sender<Request>,
    records: Records<B>,
}

impl<B: Broker, P: Plugins> Clone for WorkerHandle<B, P> {
    fn clone(&self) -> Self {
        Self {
            context: Arc::clone(&self.context),
            view: self.view.clone(),
            requests: self.requests.clone(),
            records: self.records.clone(),
        }
    }
}

impl<B: Broker, P: Plugins> WorkerHandle<B, P> {
    pub(crate) fn new(
        context: Arc<Context<B, P>>,
        view: View,
        requests: mpsc::Sender<Request>,
    ) -> Self {
        Self {
            records: Records::new(context.broker.clone(), Arc::clone(&context.clock)),
            context,
            view,
            requests,
        }
    }

    /// Whether the worker's loop takes requests.
    pub fn is_running(&self) -> bool {
        !self.requests.is_closed()
    }

    /// Topics and their records.
    pub fn records(&self) -> &Records<B> {
        &self.records
    }

    /// All connectors, by name.
    pub fn connectors(&self) -> Vec<ConnectorName> {
        self.view
            .read(|connectors| connectors.keys().cloned().collect())
    }

    /// A connector's config and tasks.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn connector(&self, name: &ConnectorName) -> Result<ConnectorInfo, Error> {
        let entry = self.entry(name)?;
        Ok(ConnectorInfo {
            name: name.clone(),
            config: entry.config.masked(),
            tasks: task_ids(name, entry.n_tasks()).collect(),
            kind: entry.kind,
        })
    }

    /// How a connector and its tasks fare.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn status(&self, name: &ConnectorName) -> Result<ConnectorStatus, Error> {
        let entry = self.entry(name)?;
        let tasks = entry
            .task_status
            .keys()
            .map(|task| self.task_of(name, *task, &entry));
        Ok(ConnectorStatus {
            name: name.clone(),
            kind: entry.kind,
            worker_id: self.context.config.worker_id.clone(),
            tasks: tasks.collect(),
            connector: entry.status.clone(),
        })
    }

    /// The tasks of a connector with their configs.
    ///
    /// # Errors
    /// When there is no connector of that name.
    pub fn tasks(&self, name: &ConnectorName) -> Result<Vec<(TaskId, Settings)>, Error> {
        let entry = self.entry(name)?;
        let tasks = task_ids(name, entry.n_tasks()).zip(&entry.tasks);
        let tasks = tasks.map(|(id, config)| (id, config.masked()));
        Ok(tasks.collect())
    }

    /// How one task fares.
    ///
    /// # Errors
    /// When there is no such connector or task.
    pub fn task_status(&self, id: &TaskId) -> Result<TaskStatus, Error> {
        let entry = self.entry(&id.connector)?;
        if !entry.task_status.contains_key(&id.task) {
            return Err(Error::UnknownTask(id.clone()));
        }
        Ok(self.task_of(&id.connector, id.task, &entry))
    }

    /// The topics that a connector has used; none for one that does not exist.
    ///
    /// # Errors
    /// When the worker does not record them.
    pub fn topics_of(&self, name: &ConnectorName) -> Result<BTreeSet<TopicName>, Error> {
        if !self.context.config.tracks_topics {
            return Err(Error::Forbidden("Topic tracking is disabled."));
        }
        let topics = |entry: &Entry| entry.topics.clone();
        Ok(self
            .view
            .read(|connectors| connectors.get(name).map(topics).unwrap_or_default()))
    }

    /// Creates a connector.
    ///
    /// # Errors
    /// When it exists or its config is wrong.
    pub async fn create(&self, config: Submitted) -> Result<ConnectorInfo, Error> {
        if let Some(Some(name)) = config.get("name")
            && let Ok(name) = ConnectorName::parse(name)
            && self.entry(&name).is_ok()
        {
            return Err(Error::Exists(name));
        }
        Ok(self.put_checked(config, true).await?.0)
    }

    /// Creates a connector or replaces its config; whether it is new.
    ///
    /// # Errors
    /// When its config is wrong.
    pub async fn put(&self, config: Submitted) -> Result<(ConnectorInfo, bool), Error> {
        self.put_checked(config, false).await
    }

    /// Deletes a connector. Its offsets stay, as in Kafka Connect. With `cleanup` it is deleted once
    /// its plugin has taken away what it leaves behind in the outside system, which goes on after the
    /// answer; a source's offsets, which tell of what was there, go as well.
    ///
    /// # Errors
    /// When there is none of that name.
    pub async fn delete(&self, name: &ConnectorName, cleanup: bool) -> Result<(), Error> {
        let name = name.clone();
        self.ask(|reply| Request::Delete {
            name,
            cleanup,
            reply,
        })
        .await
    }

    /// What a deletion of the connector would leave behind in the outside system.
    ///
    /// # Errors
    /// When there is none of that name, or its plugin cannot say now.
    pub async fn leftovers(&self, name: &ConnectorName) -> Result<Vec<Leftover>, Error> {
        let entry = self.entry(name)?;
        let left = leftovers(&self.context, name, &entry.config).await;
        left.map_err(Error::Plugin)
    }

    /// Pauses or resumes a connector.
    ///
    /// # Errors
    /// When there is none of that name.
    pub async fn set_target(&self, name: &ConnectorName, target: TargetState) -> Result<(), Error> {
        let name = name.clone();
        self.ask(|reply| Request::Target {
            name,
            target,
            reply,
        })
        .await
    }

    /// Restarts a connector, or parts of it; its status with those parts restarting.
    ///
    /// # Errors
    /// When there is none of that name.
    pub async fn restart(
        &self,
        name: &ConnectorName,
        request: RestartRequest,
    ) -> Result<ConnectorStatus, Error> {
        let name = name.clone();
        self.ask(|reply| Request::Restart {
            name,
            request,
            reply,
        })
        .await
    }

    /// Restarts one task.
    ///
    /// # Errors
    /// When there is no such connector or task.
    pub async fn restart_task(&self, id: &TaskId) -> Result<(), Error> {
        let id = id.clone();
        self.ask(|reply| Request::RestartTask { id, reply }).await
    }

    /// Forgets the topics that a connector has used.
    ///
    /// # Errors
    /// When there is none of that name, or the worker's settings forbid it.
    pub async fn reset_topics(&self, name: &ConnectorName) -> Result<(), Error> {
        if !self.context.config.tracks_topics {
            return Err(Error::Forbidden("Topic tracking is disabled."));
        }
        if !self.context.config.resets_topics {
            return Err(Error::Forbidden("Topic tracking reset is disabled."));
        }
        let name = name.clone();
        self.ask(|reply| Request::ResetTopics { name, reply }).await
    }

    /// All plugins on the shelf.
    pub async fn plugins(&self) -> Vec<PluginInfo> {
        self.context.plugins.list().await
    }

    /// What a plugin can be configured with; a connector's common keys first.
    ///
    /// # Errors
    /// When there is no such plugin.
    pub async fn plugin_config(
        &self,
        class: &str,
        version: Option<&str>,
    ) -> Result<Vec<ConfigKey>, Error> {
        let plugin = self.context.plugins.find(class, version).await;
        let plugin = plugin.ok_or_else(|| Error::UnknownPlugin(class.to_owned()))?;
        Ok(match kind_of(&plugin) {
            Kind::Unknown => plugin.manifest.config.keys.clone(),
            _ => definition_of(&plugin, &self.context.config.settings),
        })
    }

    /// Checks a config for a plugin and changes nothing.
    ///
    /// # Errors
    /// When the config names no connector, an unknown one, or another plugin than `class`.
    pub async fn validate(&self, class: &str, config: &Submitted) -> Result<Validation, Error> {
        let checked = self.check(config).await?;
        let named = config
            .get("connector.class")
            .cloned()
            .flatten()
            .unwrap_or_default();
        let (asked, named_plugin) = (
            self.context.plugins.find(class, None).await,
            self.context.plugins.find(named.trim(), None).await,
        );
        let name = |plugin: Option<PluginInfo>| plugin.map(|plugin| plugin.id.name);
        if name(asked) != name(named_plugin) {
            return Err(Error::BadRequest {
                code: "other-connector-class",
                message: format!(
                    "Included connector type {named} does not match request type {class}"
                ),
            });
        }
        Ok(checked.validation)
    }

    /// What the guests of running tasks count.
    pub fn plugin_metrics(&self) -> Vec<(TaskId, Arc<PluginMetrics>)> {
        self.context.board.metrics()
    }

    /// A password that comes back masked, as it was shown, stays what it is.
    async fn check(&self, config: &Submitted) -> Result<Checked, Error> {
        let name = config.get("name").cloned().flatten();
        let name = name.and_then(|name| ConnectorName::parse(&name).ok());
        let stands = name.and_then(|name| self.entry(&name).ok());
        let stands = stands.map(|entry| entry.config);
        let worker = &self.context.config.settings;
        check(&self.context.plugins, worker, config, stands.as_deref()).await
    }

    async fn put_checked(
        &self,
        config: Submitted,
        only_new: bool,
    ) -> Result<(ConnectorInfo, bool), Error> {
        let Checked {
            validation,
            kind,
            config,
        } = self.check(&config).await?;
        let errors = validation.errors();
        if !errors.is_empty() {
            return Err(Error::InvalidConfig(errors));
        }
        let name = ConnectorName::parse(&config.settings["name"]).expect("the name was checked");
        for key in ignored_overrides(&config.settings) {
            tracing::warn!(connector = %name, key, "the key has no effect on the embedded log");
        }
        let is_new = self
            .ask(|reply| Request::Put {
                name: name.clone(),
                config,
                kind,
                only_new,
                reply,
            })
            .await?;
        for warning in validation.warnings() {
            let (key, finding) = (&warning.key, &warning.message);
            tracing::warn!(connector = %name, key, finding, "the config was taken and deserves a look");
        }
        let mut info = self.connector(&name)?;
        if is_new {
            // Planned only after this, as in Kafka Connect; perhaps already, but nobody relies on it.
            info.tasks.clear();
        }
        Ok((info, is_new))
    }

    fn entry(&self, name: &ConnectorName) -> Result<Entry, Error> {
        let entry = self.view.read(|connectors| connectors.get(name).cloned());
        entry.ok_or_else(|| Error::UnknownConnector(name.clone()))
    }

    fn task_of(&self, name: &ConnectorName, task: u32, entry: &Entry) -> TaskStatus {
        let id = TaskId {
            connector: name.clone(),
            task,
        };
        TaskStatus {
            worker_id: self.context.config.worker_id.clone(),
            status: entry.task_status[&task].clone(),
            progress: self.context.board.progress(&id),
            id,
        }
    }

    async fn ask<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<Result<T, Error>>) -> Request,
    ) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        let sent = self.requests.send(request(reply)).await;
        sent.map_err(|_| Error::ShuttingDown)?;
        answer.await.map_err(|_| Error::ShuttingDown)?
    }
}
