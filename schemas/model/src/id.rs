//! Names and ids. Parsing is validation: a value of these types is a valid one.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;

/// A name that breaks its rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// A connector's name is empty after trimming.
    #[error("connector name is empty")]
    EmptyConnector,
    /// A connector's name has a control character, as Kafka Connect forbids.
    #[error("connector name {0:?} contains a control character")]
    ControlCharacter(String),
    /// A topic's name breaks Kafka's rule.
    #[error(
        "topic name {0:?} is not 1 to 249 characters of a-z, A-Z, 0-9, '.', '_' and '-', other than '.' and '..'"
    )]
    Topic(String),
}

/// A connector's name: not empty, trimmed, without control characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectorName(Arc<str>);

impl ConnectorName {
    /// Trims and checks a name, by the rule of Kafka Connect's `ConnectorConfig`.
    ///
    /// # Errors
    /// When nothing is left, or a control character is in it.
    pub fn parse(name: &str) -> Result<Self, InvalidName> {
        let name = name.trim();
        if name.is_empty() {
            return Err(InvalidName::EmptyConnector);
        }
        if name.chars().any(char::is_control) {
            return Err(InvalidName::ControlCharacter(name.to_owned()));
        }
        Ok(Self(Arc::from(name)))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ConnectorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One task of a connector, printed as Kafka Connect does: `name-0`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId {
    /// The task's connector.
    pub connector: ConnectorName,
    /// Counts from 0.
    pub task: u32,
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.connector, self.task)
    }
}

/// A topic's name by Kafka's rule: 1 to 249 of `a-zA-Z0-9._-`, not `.` or `..`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicName(Arc<str>);

impl TopicName {
    /// Checks a name.
    ///
    /// # Errors
    /// When it breaks the rule.
    pub fn parse(name: &str) -> Result<Self, InvalidName> {
        let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        let fits = (1..=249).contains(&name.len()) && name != "." && name != "..";
        if fits && name.bytes().all(legal) {
            Ok(Self(Arc::from(name)))
        } else {
            Err(InvalidName::Topic(name.to_owned()))
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the topic is one of Longshore's own, which outside clients may read but not write:
    /// `_schemas` and everything that starts with `_longshore_`.
    #[must_use]
    pub fn is_internal(&self) -> bool {
        self.0.starts_with("_longshore_") || &*self.0 == "_schemas"
    }
}

impl fmt::Display for TopicName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One partition of a topic.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicPartition {
    /// The topic.
    pub topic: TopicName,
    /// Counts from 0.
    pub partition: u32,
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}
