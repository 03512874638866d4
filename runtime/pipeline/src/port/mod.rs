//! What the pipeline needs of the world. A broker implements [`Append`], [`Fetch`] and [`Topics`];
//! a plugin host implements [`Plugins`]; tests implement all of them in memory.

mod append;
mod clock;
mod error;
mod fetch;
mod plugin;
mod topics;

pub use append::{Append, Expect, Generation, GroupOffsets, Move, Owner, Write};
pub use clock::Clock;
pub use error::{BrokerError, BrokerResult};
pub use fetch::{Fetch, KeyedRecord, Subscription};
pub use plugin::{
    Assignment, Config, Leftover, PluginId, PluginInfo, Plugins, Polled, Problem, RowFault,
    Severity, Signal, SinkPlugin, SourcePlugin, TaskEnv, TopicOffset, TransformPlugin,
};
pub use topics::{NewTopic, TopicDescription, TopicId, Topics};

/// Everything a broker does for us.
pub trait Broker: Append + Fetch + Topics + Clone + Send + Sync + 'static {}

impl<T: Append + Fetch + Topics + Clone + Send + Sync + 'static> Broker for T {}
