//! Wire types: what bodies look like. They are made from domain types here and nowhere else.

mod connector;
mod plugin;
mod record;

pub use connector::NewConnector;
pub(crate) use connector::{
    Config, ConnectorInfo, ConnectorStatus, Expanded, Leftover, Task, TaskState, TopicsOf,
    submitted,
};
pub(crate) use plugin::{KeyInfo, Plugin, ValidationResult};
pub(crate) use record::{NewRecord, NewRecords, NewTopic, Record, Topic, Written};
