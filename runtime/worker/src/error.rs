//! What the worker refuses, by what the caller can do about it.

use longshore_model::{ConnectorName, Fault, FaultClass, TaskId, TopicName};
use longshore_pipeline::port::BrokerError;

/// Why the worker did not do what it was asked for.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// No such connector. The message is Kafka Connect's.
    #[error("Connector {0} not found")]
    UnknownConnector(ConnectorName),
    /// No such task.
    #[error("Task {0} not found")]
    UnknownTask(TaskId),
    /// No such plugin.
    #[error("Unknown plugin {0}.")]
    UnknownPlugin(String),
    /// No such topic.
    #[error("topic {0} does not exist")]
    UnknownTopic(TopicName),
    /// The connector exists.
    #[error("Connector {0} already exists")]
    Exists(ConnectorName),
    /// The request is wrong as a whole.
    #[error("{message}")]
    BadRequest {
        /// Stable and machine-readable.
        code: &'static str,
        /// What is wrong.
        message: String,
    },
    /// A connector's config is wrong; one line a mistake.
    #[error("{}", invalid_config(.0))]
    InvalidConfig(Vec<String>),
    /// The worker's settings forbid it.
    #[error("{0}")]
    Forbidden(&'static str),
    /// The broker failed.
    #[error("{0}")]
    Broker(#[from] BrokerError),
    /// A plugin failed outside a task.
    #[error("{0}")]
    Plugin(Fault),
    /// The worker is shutting down.
    #[error("the worker is shutting down")]
    ShuttingDown,
}

fn invalid_config(errors: &[String]) -> String {
    let numbered = errors.iter().enumerate();
    let lines: Vec<_> = numbered
        .map(|(n, error)| format!("{}. {error}", n + 1))
        .collect();
    format!(
        "Connector configuration is invalid and contains the following {} error(s):\n{}\n\
         You can also find the above list of errors at the endpoint \
         `/connector-plugins/{{connectorType}}/config/validate`",
        errors.len(),
        lines.join("\n"),
    )
}

impl Error {
    /// What the caller can do about it.
    #[must_use]
    pub fn class(&self) -> FaultClass {
        match self {
            Self::Broker(error) => error.class(),
            Self::Plugin(fault) => fault.class,
            Self::ShuttingDown => FaultClass::Stopping,
            Self::Forbidden(_) => FaultClass::Denied,
            _ => FaultClass::Config,
        }
    }

    /// Stable and machine-readable.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::UnknownConnector(_) => "unknown-connector",
            Self::UnknownTask(_) => "unknown-task",
            Self::UnknownPlugin(_) => "unknown-plugin",
            Self::UnknownTopic(_) => "unknown-topic",
            Self::Exists(_) => "connector-exists",
            Self::BadRequest { code, .. } => code,
            Self::InvalidConfig(_) => "invalid-config",
            Self::Forbidden(_) => "forbidden",
            Self::Broker(error) => error.code(),
            Self::Plugin(fault) => &fault.code,
            Self::ShuttingDown => "shutting-down",
        }
    }
}
