//! Moves the log start of partitions that keep too much, or too old batches.

use std::ops::Range;

use super::Upkeep;
use crate::error::Error;
use crate::log::answered;
use crate::queue::Request;
use crate::state::PartitionId;
use crate::topics::TopicSettings;

const CHUNK: usize = 256;

impl Upkeep {
    pub(super) async fn retain(&self) -> Result<(), Error> {
        let topics: Vec<(TopicSettings, Range<PartitionId>)> = {
            let view = self.shared.view();
            let limited = view.state.topics.values().filter(|topic| {
                !topic.settings.compacted
                    && (topic.settings.retention_ms.is_some()
                        || topic.settings.retention_bytes.is_some())
            });
            limited
                .map(|topic| (topic.settings.clone(), topic.partition_ids()))
                .collect()
        };
        for (settings, partitions) in topics {
            for partition in partitions {
                if let Some(offset) = self.log_start(partition, &settings)? {
                    answered(self.log.request(|reply| Request::MoveLogStart {
                        partition,
                        offset,
                        reply,
                    }))
                    .await?;
                }
            }
        }
        Ok(())
    }

    /// Where the partition should begin, if that is not where it begins now.
    fn log_start(&self, id: PartitionId, settings: &TopicSettings) -> Result<Option<i64>, Error> {
        let now_ms = self.shared.clock.now_ms();
        let oldest = settings
            .retention_ms
            .map_or(i64::MIN, |retention| now_ms.saturating_sub(retention));
        let mut from = {
            let view = self.shared.view();
            let Some(partition) = view.state.partitions.get(&id) else {
                return Ok(None);
            };
            partition.log_start
        };
        let kept = settings.retention_bytes.unwrap_or(u64::MAX);
        let mut surplus = self.shared.view().partition_bytes(id).saturating_sub(kept);
        let mut log_start = None;
        loop {
            let entries = self.shared.view().index.scan(id, from, i64::MAX, CHUNK)?;
            if entries.is_empty() {
                return Ok(log_start);
            }
            for (_, entry) in entries {
                let len = u64::from(entry.place.len);
                // A batch goes by size only when what stays is still enough.
                let too_old = (0..oldest).contains(&entry.max_timestamp);
                if !too_old && surplus < len {
                    return Ok(log_start);
                }
                surplus = surplus.saturating_sub(len);
                from = entry.last_offset + 1;
                log_start = Some(from);
            }
        }
    }
}
