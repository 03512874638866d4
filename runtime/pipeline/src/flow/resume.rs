//! Where a sink's partitions go on after a start, when the sink keeps positions of its own.
//!
//! What the sink holds is up to the sink: its position decides what is put. What was set aside is up to the group, because
//! dead letters are written together with its offset: what lies before it is not set aside again, and what the sink has
//! passed and the group has not is read once more for what cannot be put (invariant 3).

use std::collections::BTreeMap;

use longshore_model::{Fault, TopicPartition};

use crate::port::{Assignment, Broker, TopicId, TopicOffset};

/// Where one partition stood.
#[derive(Clone, Debug)]
struct Stand {
    topic_id: TopicId,
    /// The sink has what lies before.
    sink: i64,
    /// What lies before has been delivered or set aside.
    group: i64,
}

/// Where each assigned partition stood when it was assigned, and how far its group has come since.
#[derive(Debug, Default)]
pub(super) struct Resume {
    stands: BTreeMap<TopicPartition, Stand>,
    /// Whether the sink keeps positions, so that its own flush makes them final. In a group's first run nobody knows.
    pub(super) sink_keeps_positions: bool,
}

impl Resume {
    /// Takes over an assignment: from where the sink wants to start, else from where the group stands, else from the first
    /// record. `self` is what was known of the last one.
    pub(super) async fn assigned<B: Broker>(
        &self,
        broker: &B,
        assigned: &[Assignment],
        starts: &[TopicOffset],
    ) -> Result<(Self, B::Subscription), Fault> {
        let is_first = assigned.iter().all(|a| a.committed.is_none());
        let mut stands = BTreeMap::new();
        let mut from = Vec::with_capacity(assigned.len());
        for Assignment {
            partition,
            topic_id,
            committed,
        } in assigned
        {
            let (earliest, _) = broker.bounds(partition).await?;
            let same_topic = |stand: &&Stand| stand.topic_id == *topic_id;
            let known = self.stands.get(partition).filter(same_topic);
            let group = (*committed).max(known.map(|stand| stand.group));
            let own = starts.iter().find(|start| start.partition == *partition);
            let sink = own.map(|start| start.offset);
            let (sink, group) = (sink.or(group), group.unwrap_or(earliest));
            let stand = Stand {
                topic_id: topic_id.clone(),
                sink: sink.unwrap_or(earliest),
                group,
            };
            let begin = stand.sink.min(group);
            if begin < earliest {
                warn_of_gap(partition, begin, earliest);
            }
            from.push((partition.clone(), begin.max(earliest)));
            stands.insert(partition.clone(), stand);
        }
        let resumed = Self {
            stands,
            sink_keeps_positions: !starts.is_empty() || is_first,
        };
        Ok((resumed, broker.subscribe(from).await?))
    }

    /// The sink has the records of a partition that lie before this offset.
    pub(super) fn put_before(&self, partition: &TopicPartition) -> i64 {
        let stand = self.stands.get(partition);
        stand.map_or(i64::MIN, |stand| stand.sink)
    }

    /// Whether the group has passed this record, so that it was set aside if it had to be.
    pub(super) fn was_passed(&self, partition: &TopicPartition, offset: i64) -> bool {
        let stand = self.stands.get(partition);
        stand.is_some_and(|stand| offset < stand.group)
    }

    /// Whether a topic of this id is assigned under the partition's name.
    pub(super) fn is_of(&self, partition: &TopicPartition, id: Option<&TopicId>) -> bool {
        let stand = self.stands.get(partition);
        stand.is_some_and(|stand| Some(&stand.topic_id) == id)
    }

    /// A group's offset as it may be stored: never behind what it was.
    pub(super) fn not_before(&self, partition: &TopicPartition, offset: i64) -> i64 {
        let stand = self.stands.get(partition);
        stand.map_or(offset, |stand| offset.max(stand.group))
    }

    /// The group has stored these offsets.
    pub(super) fn committed(&mut self, offsets: &[(TopicPartition, i64)]) {
        for (partition, offset) in offsets {
            if let Some(stand) = self.stands.get_mut(partition) {
                stand.group = *offset;
            }
        }
    }
}

/// Says which records are gone.
pub(super) fn warn_of_gap(partition: &TopicPartition, from: i64, to: i64) {
    tracing::warn!(
        topic = %partition.topic, partition = partition.partition, from, to,
        "records were removed by retention before the sink had read them"
    );
}
