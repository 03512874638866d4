//! How a source's missing topics are made: Kafka Connect's `topic.creation.default.*`.

use std::collections::BTreeMap;

use longshore_model::TopicName;

use super::Lookup;
use crate::port::NewTopic;

const DEFAULT: &str = "topic.creation.default.";

/// Settings of topics that a source's records go to and that do not exist yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TopicCreation {
    partitions: Option<u32>,
    configs: BTreeMap<String, String>,
}

impl TopicCreation {
    pub(crate) fn read(keys: &mut Lookup<'_>) -> Self {
        if keys
            .text("topic.creation.groups")
            .is_some_and(|groups| !groups.is_empty())
        {
            keys.problem(
                "topic.creation.groups",
                "does not work yet; topic.creation.default.* applies to every topic",
            );
        }
        let mut creation = Self::default();
        let partitions = keys.number(&format!("{DEFAULT}partitions"), -1, -1..=10_000);
        creation.partitions = u32::try_from(partitions).ok().filter(|n| *n > 0);
        // Any replication factor is one on the embedded log; Kafka Connect requires the key.
        keys.number(
            &format!("{DEFAULT}replication.factor"),
            -1,
            -1..=i64::from(i16::MAX),
        );
        for (key, value) in keys.under(DEFAULT) {
            if !matches!(key, "partitions" | "replication.factor") {
                creation.configs.insert(key.to_owned(), value.to_owned());
            }
        }
        creation
    }

    /// The topic to create under that name.
    #[must_use]
    pub fn topic(&self, name: TopicName) -> NewTopic {
        NewTopic {
            name,
            partitions: self.partitions,
            configs: self.configs.clone(),
        }
    }
}
