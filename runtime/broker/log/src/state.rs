//! Everything the log knows beside where batches lie: topics, offsets, generations, groups, producers.
//!
//! Kept twice: as planned, with everything queued so far, by the committer; and as synced, which is what readers see.
//! Both, and recovery, change it through [`State::apply`] and [`State::apply_batch`] only, so they cannot differ.

mod change;
mod producers;
mod snapshot;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use longshore_model::{TopicName, TopicPartition};
use longshore_pipeline::port::{Generation, Owner};
use uuid::Uuid;

use crate::batch::Fields;
use crate::error::Error;
use crate::topics::{LOG_PARTITIONS_MAX, Topic, TopicSettings};

pub(crate) use change::Change;
pub(crate) use producers::{Producers, Sequence};

/// Names one partition of one life of a topic, in the journal and the index. Never used again.
pub(crate) type PartitionId = u32;

/// More owners than this are never alive; the ones whose generations are the oldest are forgotten, which fences them.
const OWNERS_MAX: usize = 10_000;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) topics: BTreeMap<TopicName, TopicState>,
    pub(crate) partitions: BTreeMap<PartitionId, Partition>,
    pub(crate) groups: BTreeMap<String, BTreeMap<TopicPartition, i64>>,
    pub(crate) producers: Producers,
    owners: BTreeMap<Owner, Generation>,
    /// The last one that was raised for anybody.
    generation: u64,
    next_partition: PartitionId,
    pub(crate) next_producer_id: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TopicState {
    pub(crate) id: Uuid,
    pub(crate) first_partition: PartitionId,
    pub(crate) n_partitions: u32,
    pub(crate) configs: BTreeMap<String, String>,
    pub(crate) settings: TopicSettings,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Partition {
    pub(crate) log_start: i64,
    pub(crate) next_offset: i64,
    pub(crate) compacted: bool,
}

impl State {
    pub(crate) fn topic(&self, name: &TopicName) -> Result<&TopicState, Error> {
        self.topics
            .get(name)
            .ok_or_else(|| Error::UnknownTopic(name.clone()))
    }

    pub(crate) fn partition_id(&self, partition: &TopicPartition) -> Result<PartitionId, Error> {
        let topic = self.topic(&partition.topic)?;
        if partition.partition >= topic.n_partitions {
            return Err(Error::UnknownPartition(partition.clone()));
        }
        Ok(topic.first_partition + partition.partition)
    }

    pub(crate) fn partition(&self, id: PartitionId) -> &Partition {
        self.partitions
            .get(&id)
            .expect("ids come from the topics of the same state")
    }

    /// Whether the log takes so many more partitions (invariant 9).
    pub(crate) fn check_room(&self, more: u32) -> Result<(), Error> {
        let held = self.partitions.len();
        if held + more as usize > LOG_PARTITIONS_MAX {
            return Err(Error::TooManyPartitions {
                more,
                held,
                max: LOG_PARTITIONS_MAX,
            });
        }
        Ok(())
    }

    pub(crate) fn check_generation(
        &self,
        owner: &Owner,
        generation: Generation,
    ) -> Result<(), Error> {
        if self.owners.get(owner) == Some(&generation) {
            return Ok(());
        }
        Err(Error::StaleGeneration {
            owner: owner.clone(),
            generation,
        })
    }

    pub(crate) fn next_generation(&self) -> Generation {
        Generation(self.generation + 1)
    }

    pub(crate) fn next_partition(&self) -> PartitionId {
        self.next_partition
    }

    /// Takes note of a batch that was given the next offsets of its partition.
    pub(crate) fn apply_batch(
        &mut self,
        partition: PartitionId,
        base_offset: i64,
        fields: &Fields,
    ) {
        let Some(found) = self.partitions.get_mut(&partition) else {
            return;
        };
        found.next_offset = found.next_offset.max(base_offset + fields.n_offsets());
        if fields.producer_id >= 0 {
            self.producers.record(partition, base_offset, fields);
        }
    }

    pub(crate) fn apply(&mut self, change: &Change) {
        match change {
            Change::TopicCreated { name, topic } => self.create_topic(name, topic),
            Change::TopicDeleted { name } => self.delete_topic(name),
            Change::LogStart { partition, offset } => {
                if let Some(found) = self.partitions.get_mut(partition) {
                    found.log_start = found.log_start.max(*offset);
                }
            }
            Change::Generation { owners, generation } => {
                self.generation = self.generation.max(generation.0);
                self.owners
                    .extend(owners.iter().map(|owner| (owner.clone(), *generation)));
                while self.owners.len() > OWNERS_MAX {
                    let oldest = self
                        .owners
                        .iter()
                        .min_by_key(|(_, generation)| **generation);
                    let oldest = oldest.expect("there are owners").0.clone();
                    self.owners.remove(&oldest);
                }
            }
            Change::GroupOffsets(committed) => {
                let group = self.groups.entry(committed.group.clone()).or_default();
                group.extend(committed.offsets.iter().cloned());
            }
            Change::ProducerIds { next } => {
                self.next_producer_id = self.next_producer_id.max(*next);
            }
            Change::Snapshot(snapshot) => *self = (**snapshot).clone(),
        }
    }

    fn create_topic(&mut self, name: &TopicName, topic: &TopicState) {
        let partition = Partition {
            log_start: 0,
            next_offset: 0,
            compacted: topic.settings.compacted,
        };
        let ids = topic.first_partition..topic.first_partition + topic.n_partitions;
        self.next_partition = self.next_partition.max(ids.end);
        self.partitions.extend(ids.map(|id| (id, partition)));
        self.topics.insert(name.clone(), topic.clone());
    }

    /// A group's offset names a place in this life of the topic (invariant 2), so it goes with it.
    fn delete_topic(&mut self, name: &TopicName) {
        let Some(topic) = self.topics.remove(name) else {
            return;
        };
        for id in topic.partition_ids() {
            self.partitions.remove(&id);
            self.producers.forget_partition(id);
        }
        for group in self.groups.values_mut() {
            group.retain(|partition, _| partition.topic != *name);
        }
        self.groups.retain(|_, offsets| !offsets.is_empty());
    }
}

impl TopicState {
    pub(crate) fn partition_ids(&self) -> std::ops::Range<PartitionId> {
        self.first_partition..self.first_partition + self.n_partitions
    }

    pub(crate) fn describe(&self, name: &TopicName) -> Topic {
        Topic {
            name: name.clone(),
            id: self.id,
            n_partitions: self.n_partitions,
            configs: self.configs.clone(),
            settings: self.settings.clone(),
        }
    }
}
