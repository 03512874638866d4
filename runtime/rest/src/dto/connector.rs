//! Connectors, tasks and how they fare, in Kafka Connect's shapes.

use std::collections::BTreeMap;

use longshore_pipeline::port;
use longshore_worker as worker;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::error::ApiError;

/// A flat map of keys and values.
pub(crate) type Config = BTreeMap<String, String>;

/// Body of `POST /connectors`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewConnector {
    /// The connector's name.
    pub name: Option<String>,
    /// Its config.
    #[schema(value_type = BTreeMap<String, String>)]
    pub config: Option<serde_json::Map<String, Value>>,
    /// Refused by name: does not work yet.
    #[schema(ignore)]
    pub(crate) initial_state: Option<Value>,
    /// Refused by name: does not work yet.
    #[schema(ignore)]
    pub(crate) initial_offsets: Option<Value>,
}

impl NewConnector {
    /// Reads a body for who does not send it as it is, and refuses what the worker would refuse of it.
    ///
    /// # Errors
    /// What is wrong, in the worker's words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let new: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        new.check_built()?;
        Ok(new)
    }

    /// Whether it asks for nothing that does not work yet.
    pub(crate) fn check_built(&self) -> Result<(), String> {
        let unbuilt = [
            ("initial_state", &self.initial_state),
            ("initial_offsets", &self.initial_offsets),
        ];
        match unbuilt.iter().find(|(_, given)| given.is_some()) {
            Some((key, _)) => Err(format!("{key} does not work yet; leave it out")),
            None => Ok(()),
        }
    }
}

/// A config as it was submitted: scalars are text, as in Kafka Connect; anything deeper is refused.
pub(crate) fn submitted(
    config: serde_json::Map<String, Value>,
) -> Result<worker::Submitted, ApiError> {
    let text = |(key, value): (String, Value)| {
        let text = match value {
            Value::Null => None,
            Value::String(text) => Some(text),
            Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
            Value::Array(_) | Value::Object(_) => {
                let message = format!("the value of {key} must be text, not a list or an object");
                return Err(ApiError::bad_request("malformed-json", message));
            }
        };
        Ok((key, text))
    };
    config.into_iter().map(text).collect()
}

/// One task.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TaskId {
    connector: String,
    task: u32,
}

impl From<longshore_model::TaskId> for TaskId {
    fn from(id: longshore_model::TaskId) -> Self {
        Self {
            connector: id.connector.to_string(),
            task: id.task,
        }
    }
}

/// A connector: name, config, tasks.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConnectorInfo {
    name: String,
    config: Config,
    tasks: Vec<TaskId>,
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "source")]
    kind: &'static str,
}

impl From<worker::ConnectorInfo> for ConnectorInfo {
    fn from(info: worker::ConnectorInfo) -> Self {
        Self {
            name: info.name.to_string(),
            config: info.config,
            tasks: info.tasks.into_iter().map(Into::into).collect(),
            kind: info.kind.name(),
        }
    }
}

/// The state of a connector.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConnectorState {
    #[schema(value_type = String, example = "RUNNING")]
    state: &'static str,
    worker_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
}

impl ConnectorState {
    fn new(status: worker::Status, worker_id: String) -> Self {
        Self {
            state: status.state.name(),
            worker_id,
            trace: status.trace,
            version: status.version,
        }
    }
}

/// The state of a task.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TaskState {
    id: u32,
    #[serde(flatten)]
    state: ConnectorState,
    /// What the plugin says about how far it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<Value>,
}

impl From<worker::TaskStatus> for TaskState {
    fn from(task: worker::TaskStatus) -> Self {
        let progress = task.progress;
        Self {
            id: task.id.task,
            state: ConnectorState::new(task.status, task.worker_id),
            progress: progress.and_then(|progress| serde_json::from_str(&progress).ok()),
        }
    }
}

/// How a connector and its tasks fare.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConnectorStatus {
    name: String,
    connector: ConnectorState,
    tasks: Vec<TaskState>,
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "source")]
    kind: &'static str,
}

impl From<worker::ConnectorStatus> for ConnectorStatus {
    fn from(status: worker::ConnectorStatus) -> Self {
        Self {
            name: status.name.to_string(),
            connector: ConnectorState::new(status.connector, status.worker_id),
            tasks: status.tasks.into_iter().map(Into::into).collect(),
            kind: status.kind.name(),
        }
    }
}

/// One thing that a connector leaves behind in the outside system when it is deleted.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Leftover {
    #[schema(example = "replication slot")]
    kind: String,
    name: String,
    /// What it costs while it stays, where that is known.
    bytes: Option<u64>,
    /// What a person runs to remove it.
    command: String,
}

impl From<port::Leftover> for Leftover {
    fn from(leftover: port::Leftover) -> Self {
        Self {
            kind: leftover.kind,
            name: leftover.name,
            bytes: leftover.bytes,
            command: leftover.command,
        }
    }
}

/// A connector in `GET /connectors?expand=...`.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Expanded {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<ConnectorStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) info: Option<ConnectorInfo>,
}

/// A task and its config.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Task {
    pub(crate) id: TaskId,
    pub(crate) config: Config,
}

/// The topics that a connector has used.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TopicsOf {
    pub(crate) topics: Vec<String>,
}
