//! Waits for records of several partitions.

use longshore_model::TopicPartition;
use longshore_pipeline::batch::Fetched;
use longshore_pipeline::port::{BrokerError, BrokerResult, Subscription};
use tokio::sync::watch;

use super::error::of_partition;
use super::fetch::decode;
use crate::log::Log;
use crate::state::PartitionId;

/// Follows partitions of the log, each in its turn.
#[derive(Debug)]
pub struct Follower {
    log: Log,
    changes: watch::Receiver<u64>,
    partitions: Vec<Followed>,
    turn: usize,
}

/// One life of a partition, and where to read on.
#[derive(Debug)]
struct Followed {
    partition: TopicPartition,
    id: PartitionId,
    offset: i64,
}

impl Follower {
    pub(super) fn new(log: Log, from: Vec<(TopicPartition, i64)>) -> BrokerResult<Self> {
        let follow = |(partition, offset)| {
            let id = log.partition_id(&partition)?;
            Ok(Followed {
                partition,
                id,
                offset,
            })
        };
        let partitions = from.into_iter().map(follow).collect::<BrokerResult<_>>()?;
        Ok(Self {
            changes: log.changes(),
            log,
            partitions,
            turn: 0,
        })
    }

    /// Records of one partition, if it has any; goes on behind them.
    async fn fetch(&mut self, turn: usize, max_bytes: usize) -> BrokerResult<Option<Fetched>> {
        let Followed {
            partition,
            id,
            offset,
        } = &mut self.partitions[turn];
        let end = self.log.end_of(*id);
        if end.ok_or_else(|| BrokerError::UnknownPartition(partition.clone()))? == *offset {
            return Ok(None);
        }
        let found = self
            .log
            .fetch_from(*id, partition, *offset, max_bytes)
            .await;
        let found = decode(partition, *offset, found.map_err(of_partition(partition))?)?;
        *offset = found.next_offset;
        Ok((!found.records.is_empty()).then_some(found))
    }
}

impl Subscription for Follower {
    async fn next(&mut self, max_bytes: usize) -> BrokerResult<Fetched> {
        loop {
            // Marked as seen before looking, so that no change in between is missed.
            self.changes.borrow_and_update();
            for i in 0..self.partitions.len() {
                let turn = (self.turn + i) % self.partitions.len();
                if let Some(found) = self.fetch(turn, max_bytes).await? {
                    self.turn = turn + 1;
                    return Ok(found);
                }
            }
            // The sender lives as long as the log.
            self.changes
                .changed()
                .await
                .map_err(|_| BrokerError::Closed)?;
        }
    }

    fn seek(&mut self, partition: &TopicPartition, offset: i64) {
        let mut followed = self.partitions.iter_mut();
        if let Some(followed) = followed.find(|followed| followed.partition == *partition) {
            followed.offset = offset;
        }
    }

    fn unfollow(&mut self, partition: &TopicPartition) {
        self.partitions
            .retain(|followed| followed.partition != *partition);
    }
}
