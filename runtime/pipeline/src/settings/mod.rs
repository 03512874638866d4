//! What a connector's config and the worker's settings say about its flow.

mod lookup;
mod topic_creation;

use std::collections::BTreeMap;
use std::time::Duration;

pub(crate) use lookup::Lookup;
pub use topic_creation::TopicCreation;

use crate::converter::Converters;
use crate::failure::FailurePolicy;
use crate::port::Problem;

/// Resolved keys and values, flat.
pub type Settings = BTreeMap<String, String>;

/// Everything that a flow is told.
#[derive(Clone, Debug)]
pub struct FlowSettings {
    /// How keys, values and headers are written or read.
    pub converters: Converters,
    /// What happens to records that fail.
    pub failure: FailurePolicy,
    /// How long progress without records, or a sink's progress, may wait to be stored.
    pub flush_interval: Duration,
    /// How a source's missing topics are made.
    pub topic_creation: TopicCreation,
}

impl FlowSettings {
    /// The settings of a source's tasks: the connector's keys over the worker's.
    ///
    /// # Errors
    /// Every key that is wrong, and why.
    pub fn for_source(connector: &Settings, worker: &Settings) -> Result<Self, Vec<Problem>> {
        Self::new(connector, worker, FailurePolicy::for_source)
    }

    /// The settings of a sink's tasks.
    ///
    /// # Errors
    /// Every key that is wrong, and why.
    pub fn for_sink(connector: &Settings, worker: &Settings) -> Result<Self, Vec<Problem>> {
        Self::new(connector, worker, FailurePolicy::for_sink)
    }

    fn new(
        connector: &Settings,
        worker: &Settings,
        failure: fn(&mut Lookup<'_>) -> FailurePolicy,
    ) -> Result<Self, Vec<Problem>> {
        let mut keys = Lookup::new(connector);
        let failure = failure(&mut keys);
        let topic_creation = TopicCreation::read(&mut keys);
        let converters = Converters::configure(connector, worker, &mut keys);
        let mut worker_keys = Lookup::new(worker);
        let flush_ms = worker_keys.number("offset.flush.interval.ms", 60_000, 1..=i64::MAX);
        let mut problems = keys.into_problems();
        problems.extend(worker_keys.into_problems());
        match converters {
            Some(converters) if problems.is_empty() => Ok(Self {
                converters,
                failure,
                flush_interval: Duration::from_millis(flush_ms.unsigned_abs()),
                topic_creation,
            }),
            _ => Err(problems),
        }
    }
}
