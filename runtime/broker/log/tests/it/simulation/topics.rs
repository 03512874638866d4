//! Topics that come and go beside the work, and the bytes they leave.

use std::collections::BTreeMap;

use longshore_log::{Error, NewTopic};
use longshore_model::TopicPartition;

use super::Simulation;
use crate::rig::{batch, topic};

/// Whether each topic exists; none where its creation or deletion failed in a way that leaves it open.
pub(super) type Topics = BTreeMap<String, Option<bool>>;

impl Simulation {
    /// Creates a topic with something in it, or deletes one.
    pub(super) fn change_topics(&mut self) {
        let log = self.rig.log();
        let old = self
            .topics
            .iter()
            .find(|(_, exists)| **exists == Some(true))
            .map(|(name, _)| name.clone());
        let (name, done, exists) = match old {
            Some(name) if self.random.one_in(2) => {
                let deleted = topic(&name);
                let done = self.rig.drive(log.delete_topic(&deleted));
                (name, done, false)
            }
            _ => {
                let name = format!("scratch-{}", self.topics.len());
                let created = NewTopic {
                    name: topic(&name),
                    partitions: Some(2),
                    configs: BTreeMap::new(),
                };
                let done = self.rig.drive(log.create_topic(created)).map(drop);
                (name, done, true)
            }
        };
        self.collect();
        let known = match done {
            Ok(()) => Some(exists),
            Err(Error::DiskFull) => Some(!exists),
            Err(_) => None,
        };
        self.topics.insert(name.clone(), known);
        if known == Some(true) {
            let place = TopicPartition {
                topic: topic(&name),
                partition: 1,
            };
            let content = batch(self.now(), &["something to remove"]);
            self.rig.produce(&place, &content).ok();
            self.collect();
        }
    }

    pub(super) fn check_topics(&mut self) {
        for (name, known) in &mut self.topics {
            let exists = self.rig.log().topic(&topic(name)).is_some();
            assert!(
                known.is_none_or(|known| known == exists),
                "{name} exists: {exists}, expected {known:?}"
            );
            *known = Some(exists);
        }
    }

    /// After retention and purging, exactly what can be read is alive.
    pub(super) fn check_live_bytes(&self) {
        let log = self.rig.log();
        let mut readable = 0;
        for found in log.topics() {
            for partition in 0..found.n_partitions {
                readable += self.rig.bytes(&TopicPartition {
                    topic: found.name.clone(),
                    partition,
                });
            }
        }
        assert_eq!(log.usage().unwrap().live_bytes, readable as u64);
    }
}
