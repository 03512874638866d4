//! What was deployed: the config topic, with Kafka Connect's keys and values.

use std::collections::BTreeMap;

use bytes::Bytes;
use longshore_model::{ConnectorName, TaskId};
use longshore_pipeline::port::{Broker, BrokerResult};
use serde_json::{Value, json};

use crate::guarded::{Guarded, HIDDEN};
use crate::restart::RestartRequest;
use crate::seal::SealKey;
use crate::state_topic::StateTopic;
use crate::status::Change;

/// The compacted topic of configs.
pub const CONFIGS_TOPIC: &str = "_longshore_configs";

/// What a connector is asked to be; survives restarts of the worker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TargetState {
    /// At work.
    #[default]
    Started,
    /// Kept, but moving nothing.
    Paused,
}

impl TargetState {
    fn name(self) -> &'static str {
        match self {
            Self::Started => "STARTED",
            Self::Paused => "PAUSED",
        }
    }
}

/// One connector as it was deployed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Deployed {
    pub(crate) config: Guarded,
    pub(crate) target: TargetState,
    /// Whether it is to be deleted once what it leaves behind is taken away.
    pub(crate) cleanup: bool,
    /// The tasks' configs, as far as they are complete.
    pub(crate) tasks: Vec<Guarded>,
}

/// The config topic.
#[derive(Debug)]
pub(crate) struct Catalog<B> {
    topic: StateTopic<B>,
    seal: SealKey,
}

impl<B: Broker> Catalog<B> {
    pub(crate) async fn open(broker: B, seal: SealKey) -> BrokerResult<Self> {
        let topic = StateTopic::open(broker, CONFIGS_TOPIC).await?;
        Ok(Self { topic, seal })
    }

    /// Every connector that is deployed.
    pub(crate) fn connectors(&self) -> BTreeMap<ConnectorName, Deployed> {
        read(self.topic.iter(), &self.seal)
    }

    pub(crate) async fn put_connector(
        &mut self,
        name: &ConnectorName,
        config: &Guarded,
    ) -> BrokerResult<()> {
        let record = self.record(connector_key(name), config);
        self.topic.put_all(vec![record]).await
    }

    /// Replaces the tasks of a connector in one write.
    pub(crate) async fn put_tasks(
        &mut self,
        name: &ConnectorName,
        n_before: u32,
        tasks: &[Guarded],
    ) -> BrokerResult<()> {
        let mut records: Vec<Change> = task_ids(name, n_before)
            .skip(tasks.len())
            .map(|id| (Bytes::from(task_key(&id)), None))
            .collect();
        for (id, config) in task_ids(name, u32::MAX).zip(tasks) {
            records.push(self.record(task_key(&id), config));
        }
        let commit = json!({"tasks": tasks.len()}).to_string();
        records.push((Bytes::from(commit_key(name)), Some(Bytes::from(commit))));
        self.topic.put_all(records).await
    }

    pub(crate) async fn put_target(
        &mut self,
        name: &ConnectorName,
        target: TargetState,
    ) -> BrokerResult<()> {
        let value = json!({"state": target.name(), "state.v2": target.name()}).to_string();
        let record = (Bytes::from(target_key(name)), Some(Bytes::from(value)));
        self.topic.put_all(vec![record]).await
    }

    /// Writes down, or withdraws, that a connector is to be deleted once what it leaves behind is
    /// taken away.
    pub(crate) async fn put_cleanup(
        &mut self,
        name: &ConnectorName,
        wanted: bool,
    ) -> BrokerResult<()> {
        let value = wanted.then(|| Bytes::from(json!({"cleanup": true}).to_string()));
        let record = (Bytes::from(cleanup_key(name)), value);
        self.topic.put_all(vec![record]).await
    }

    pub(crate) async fn put_restart(
        &mut self,
        name: &ConnectorName,
        request: RestartRequest,
    ) -> BrokerResult<()> {
        let value = json!({
            "include-tasks": request.include_tasks,
            "only-failed": request.only_failed,
        });
        let value = Bytes::from(value.to_string());
        let record = (Bytes::from(restart_key(name)), Some(value));
        self.topic.put_all(vec![record]).await
    }

    pub(crate) async fn delete(&mut self, name: &ConnectorName, n_tasks: u32) -> BrokerResult<()> {
        let keys = [
            connector_key,
            target_key,
            cleanup_key,
            restart_key,
            commit_key,
        ];
        let keys = keys.map(|key| key(name));
        let tasks = task_ids(name, n_tasks).map(|id| task_key(&id));
        let records = keys.into_iter().chain(tasks);
        let records = records.map(|key| (Bytes::from(key), None));
        self.topic.put_all(records.collect()).await
    }

    /// A record of a config, its passwords sealed.
    fn record(&self, record: String, config: &Guarded) -> Change {
        let stored = |(key, value): (&String, &String)| {
            let stored = if config.passwords.contains(key) {
                self.seal.seal(&record, key, value)
            } else {
                Value::from(value.as_str())
            };
            (key.clone(), stored)
        };
        let properties: serde_json::Map<_, _> = config.settings.iter().map(stored).collect();
        let value = json!({"properties": properties}).to_string();
        (Bytes::from(record), Some(Bytes::from(value)))
    }
}

fn read<'a>(
    records: impl Iterator<Item = (&'a Bytes, &'a Bytes)>,
    seal: &SealKey,
) -> BTreeMap<ConnectorName, Deployed> {
    let mut connectors = BTreeMap::<ConnectorName, Deployed>::new();
    let (mut targets, mut cleanups) = (Vec::new(), Vec::new());
    let mut tasks = BTreeMap::new();
    let mut commits = Vec::new();
    for (key, value) in records {
        let Ok(key) = std::str::from_utf8(key) else {
            continue;
        };
        let Ok(value) = serde_json::from_slice::<Value>(value) else {
            tracing::warn!(
                key,
                "a record of the config topic is not JSON and is left out"
            );
            continue;
        };
        let parse = |name: &str| ConnectorName::parse(name).ok();
        if let Some(name) = key.strip_prefix("connector-").and_then(parse) {
            connectors.entry(name).or_default().config = read_properties(key, &value, seal);
        } else if let Some(name) = key.strip_prefix("target-state-").and_then(parse) {
            let paused = value["state.v2"] == "PAUSED" || value["state"] == "PAUSED";
            targets.push((name, paused));
        } else if let Some(name) = key.strip_prefix("cleanup-").and_then(parse) {
            cleanups.push(name);
        } else if let Some(name) = key.strip_prefix("commit-").and_then(parse) {
            commits.push((name, value["tasks"].as_u64().unwrap_or(0)));
        } else if let Some(task) = key.strip_prefix("task-") {
            let config = read_properties(key, &value, seal);
            tasks.insert(task.to_owned(), config);
        }
    }
    for (name, paused) in targets {
        if let (Some(connector), true) = (connectors.get_mut(&name), paused) {
            connector.target = TargetState::Paused;
        }
    }
    for name in cleanups {
        if let Some(connector) = connectors.get_mut(&name) {
            connector.cleanup = true;
        }
    }
    for (name, n_tasks) in commits {
        if let Some(connector) = connectors.get_mut(&name) {
            let task = |n| tasks.remove(&format!("{name}-{n}"));
            connector.tasks = (0..n_tasks).map_while(task).collect();
        }
    }
    connectors
}

fn connector_key(name: &ConnectorName) -> String {
    format!("connector-{name}")
}

fn target_key(name: &ConnectorName) -> String {
    format!("target-state-{name}")
}

/// Kafka Connect has no such record and skips it.
fn cleanup_key(name: &ConnectorName) -> String {
    format!("cleanup-{name}")
}

fn restart_key(name: &ConnectorName) -> String {
    format!("restart-connector-{name}")
}

fn commit_key(name: &ConnectorName) -> String {
    format!("commit-{name}")
}

fn task_key(id: &TaskId) -> String {
    format!("task-{id}")
}

/// The ids of a connector's first `n` tasks.
pub(crate) fn task_ids(name: &ConnectorName, n: u32) -> impl Iterator<Item = TaskId> {
    (0..n).map(|task| TaskId {
        connector: name.clone(),
        task,
    })
}

fn read_properties(record: &str, value: &Value, seal: &SealKey) -> Guarded {
    let mut config = Guarded::default();
    for (key, value) in value["properties"].as_object().into_iter().flatten() {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Object(_) => {
                config.passwords.insert(key.clone());
                seal.open(record, key, value).unwrap_or_else(|| {
                    config.unreadable.insert(key.clone());
                    HIDDEN.to_owned()
                })
            }
            _ => continue,
        };
        config.settings.insert(key.clone(), text);
    }
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connectors(records: &[(&str, Value)]) -> BTreeMap<ConnectorName, Deployed> {
        let records: Vec<_> = records
            .iter()
            .map(|(k, v)| (Bytes::from((*k).to_owned()), Bytes::from(v.to_string())))
            .collect();
        read(records.iter().map(|(k, v)| (k, v)), &SealKey::generate())
    }

    fn of(value: &str) -> Value {
        json!({"properties": {"k": value}})
    }

    #[test]
    fn records_of_kafka_connect_are_read() {
        let read = connectors(&[
            ("commit-a-1", json!({"tasks": 2})),
            ("connector-a-1", of("c")),
            (
                "target-state-a-1",
                json!({"state": "PAUSED", "state.v2": "PAUSED"}),
            ),
            ("target-state-gone", json!({"state": "STARTED"})),
            ("cleanup-a-1", json!({"cleanup": true})),
            ("cleanup-gone", json!({"cleanup": true})),
            ("task-a-1-0", of("t0")),
            ("task-a-1-1", of("t1")),
        ]);
        let name = ConnectorName::parse("a-1").unwrap();
        let deployed = &read[&name];
        assert_eq!(read.len(), 1);
        assert_eq!(deployed.target, TargetState::Paused);
        assert!(deployed.cleanup);
        assert_eq!(deployed.config.settings["k"], "c");
        let tasks: Vec<_> = deployed
            .tasks
            .iter()
            .map(|t| t.settings["k"].as_str())
            .collect();
        assert_eq!(tasks, ["t0", "t1"]);
    }

    #[test]
    fn tasks_without_a_commit_do_not_count() {
        let read = connectors(&[("connector-a", of("c")), ("task-a-0", of("t0"))]);
        assert!(read[&ConnectorName::parse("a").unwrap()].tasks.is_empty());
    }
}
