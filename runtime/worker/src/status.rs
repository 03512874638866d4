//! States as a person sees them, and the records that keep them: Kafka Connect's keys and values.

use bytes::Bytes;
use longshore_model::{ConnectorName, Fault, TaskId, TopicName};
use longshore_pipeline::port::Generation;
use serde_json::json;

/// The compacted topic of statuses.
pub const STATUS_TOPIC: &str = "_longshore_status";

/// Kafka Connect's states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// Not started.
    Unassigned,
    /// At work.
    Running,
    /// Kept, but moving nothing.
    Paused,
    /// Ended by a fault.
    Failed,
    /// About to start again.
    Restarting,
}

impl State {
    /// Kafka Connect's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unassigned => "UNASSIGNED",
            Self::Running => "RUNNING",
            Self::Paused => "PAUSED",
            Self::Failed => "FAILED",
            Self::Restarting => "RESTARTING",
        }
    }
}

/// What a connector can be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Reads an outside system into topics.
    Source,
    /// Writes topics to an outside system.
    Sink,
    /// Its plugin is not on the shelf.
    #[default]
    Unknown,
}

impl Kind {
    /// Kafka Connect's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Sink => "sink",
            Self::Unknown => "unknown",
        }
    }
}

/// The state of a connector or of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The state.
    pub state: State,
    /// Why it failed.
    pub trace: Option<String>,
    /// The plugin's version.
    pub version: Option<String>,
}

impl Status {
    pub(crate) fn new(state: State, trace: Option<String>) -> Self {
        Self {
            state,
            trace,
            version: None,
        }
    }

    fn record(&self, worker_id: &str, generation: Option<Generation>) -> Bytes {
        let value = json!({
            "state": self.state.name(),
            "trace": self.trace,
            "worker_id": worker_id,
            "generation": generation.map_or(0, |generation| generation.0),
            "version": self.version,
        });
        Bytes::from(value.to_string())
    }
}

/// What a person reads of a fault: code, message, facts, and the guest's own words last.
pub(crate) fn trace(fault: &Fault) -> String {
    let mut text = fault.to_string();
    for (name, fact) in fault.details.iter().filter(|(name, _)| name != "trace") {
        text.push_str("\n  ");
        text.push_str(name);
        text.push_str(": ");
        text.push_str(fact);
    }
    if let Some(guest) = fault.detail("trace") {
        text.push('\n');
        text.push_str(guest);
    }
    text
}

/// A change of one key of a state topic.
pub(crate) type Change = (Bytes, Option<Bytes>);

pub(crate) fn connector_record(name: &ConnectorName, status: &Status, worker_id: &str) -> Change {
    let key = Bytes::from(format!("status-connector-{name}"));
    (key, Some(status.record(worker_id, None)))
}

pub(crate) fn task_record(
    id: &TaskId,
    status: &Status,
    worker_id: &str,
    generation: Option<Generation>,
) -> Change {
    let key = Bytes::from(format!("status-task-{id}"));
    (key, Some(status.record(worker_id, generation)))
}

pub(crate) fn no_connector(name: &ConnectorName) -> Change {
    (Bytes::from(format!("status-connector-{name}")), None)
}

pub(crate) fn no_task(id: &TaskId) -> Change {
    (Bytes::from(format!("status-task-{id}")), None)
}

pub(crate) fn topic_record(topic: &TopicName, id: &TaskId, now_ms: i64) -> Change {
    let value = json!({"topic": {
        "name": topic.as_str(),
        "connector": id.connector.as_str(),
        "task": id.task,
        "discoverTimestamp": now_ms,
    }});
    let key = topic_key(topic, &id.connector);
    (key, Some(Bytes::from(value.to_string())))
}

pub(crate) fn no_topic(topic: &TopicName, connector: &ConnectorName) -> Change {
    (topic_key(topic, connector), None)
}

fn topic_key(topic: &TopicName, connector: &ConnectorName) -> Bytes {
    Bytes::from(format!("status-topic-{topic}:connector-{connector}"))
}

/// The topic and the connector of a record that says which topic a connector uses.
pub(crate) fn parse_topic_key(key: &[u8]) -> Option<(TopicName, ConnectorName)> {
    let key = std::str::from_utf8(key)
        .ok()?
        .strip_prefix("status-topic-")?;
    let (topic, connector) = key.split_once(":connector-")?;
    Some((
        TopicName::parse(topic).ok()?,
        ConnectorName::parse(connector).ok()?,
    ))
}

/// The number of a task's record, if it is one of that connector's.
pub(crate) fn parse_task_key(key: &[u8]) -> Option<(ConnectorName, u32)> {
    let key = std::str::from_utf8(key)
        .ok()?
        .strip_prefix("status-task-")?;
    let (connector, task) = key.rsplit_once('-')?;
    Some((ConnectorName::parse(connector).ok()?, task.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use longshore_model::FaultClass;

    use super::*;

    #[test]
    fn a_trace_ends_with_the_guests_words() {
        let fault = Fault::new(FaultClass::Fatal, "trap", "the plugin trapped")
            .with("trace", "panicked at src/source.rs:3")
            .with("file", "/var/log/a");
        assert_eq!(
            trace(&fault),
            "the plugin trapped (trap)\n  file: /var/log/a\npanicked at src/source.rs:3"
        );
    }

    #[test]
    fn keys_of_records_are_read_back() {
        let id = TaskId {
            connector: ConnectorName::parse("a-b").unwrap(),
            task: 3,
        };
        let topic = TopicName::parse("t.x").unwrap();
        let (key, _) = topic_record(&topic, &id, 0);
        assert_eq!(parse_topic_key(&key), Some((topic, id.connector.clone())));
        assert_eq!(parse_task_key(&no_task(&id).0), Some((id.connector, 3)));
    }
}
