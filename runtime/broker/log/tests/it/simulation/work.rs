//! What the simulation asks of the log, and what it makes of the answers.

use std::collections::BTreeMap;

use futures_util::FutureExt as _;
use longshore_log::{Append, Batch, Error, Expect, Flush, GroupOffsets};
use longshore_pipeline::port::Clock as _;

use super::{By, COUNTED, OFFSETS, OWNERS, Outcome, PRODUCERS, Simulation, Waiting, Written};
use crate::rig::{batch, holds, move_of, owner, partition, sequenced, topic};

impl Simulation {
    pub(super) fn append(&mut self) {
        let who = self.random.below(OWNERS.len());
        let Some(generation) = self.generations[who] else {
            return self.raise();
        };
        let id = self.next_id();
        let mut batches = Vec::new();
        let mut partitions = Vec::new();
        for _ in 0..self.random.below(4) {
            let place = self.random.below(self.partitions.len());
            partitions.push(place);
            batches.push((self.partitions[place].clone(), self.batch(id)));
        }
        let from = self.queued[who].map_or(Expect::Absent, |last| holds(&last.to_string()));
        let moved = move_of(OFFSETS, OWNERS[who], from, Some(&id.to_string()));
        let offsets = vec![(partition(COUNTED, 0), i64::try_from(id).unwrap())];
        let group = GroupOffsets {
            group: OWNERS[who].to_owned(),
            offsets,
        };
        let append = Append {
            owner: owner(OWNERS[who]),
            generation,
            batches,
            moves: vec![moved],
            group: Some(group),
        };
        self.queued[who] = Some(id);
        self.wait(
            id,
            By::Owner(who),
            partitions,
            Box::pin(self.rig.log().append(append)),
        );
    }

    pub(super) fn produce(&mut self) {
        let who = self.random.below(PRODUCERS);
        if self.waiting.iter().any(|(id, _)| matches!(self.written[id].by, By::Producer { producer, .. } if producer == who)) {
            return;
        }
        let producer = self.producers[who].clone();
        let (sequence, id) = producer
            .unsettled
            .unwrap_or_else(|| (producer.next_sequence, self.next_id()));
        let batch = sequenced(
            &batch(self.now(), &[&id.to_string()]),
            producer.id,
            0,
            sequence,
        );
        let place = self.partitions[producer.partition].clone();
        let queued = self
            .rig
            .log()
            .produce(&place, batch.bytes().clone())
            .now_or_never();
        let Some(Ok(queued)) = queued else {
            return;
        };
        self.producers[who].unsettled = Some((sequence, id));
        self.producers[who].next_sequence = sequence + 1;
        let by = By::Producer {
            producer: who,
            sequence,
        };
        self.wait(
            id,
            by,
            vec![producer.partition],
            Box::pin(async { queued.await.map(drop) }),
        );
    }

    pub(super) fn batch(&mut self, id: u64) -> Batch {
        batch(
            self.now(),
            &vec![id.to_string().as_str(); 1 + self.random.below(3)],
        )
    }

    pub(super) fn now(&self) -> i64 {
        self.rig.clock.now_ms()
    }

    pub(super) fn next_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    pub(super) fn wait(&mut self, id: u64, by: By, partitions: Vec<usize>, waiting: Waiting) {
        self.written.entry(id).or_insert(Written {
            id,
            by,
            partitions,
            state: Outcome::Doubtful,
        });
        self.waiting.push((id, waiting));
    }

    /// Takes the answers that have come.
    pub(super) fn collect(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        for (id, mut future) in waiting {
            match future.as_mut().now_or_never() {
                None => self.waiting.push((id, future)),
                Some(Ok(())) => self.acknowledged(id),
                Some(Err(error)) => self.refused(id, &error),
            }
        }
    }

    pub(super) fn acknowledged(&mut self, id: u64) {
        self.seen.acknowledged += 1;
        // Under `interval`, an outside answer promises nothing that survives a crash.
        let interval = self.rig.config.flush != Flush::Commit;
        let written = self.written.get_mut(&id).unwrap();
        match written.by {
            By::Producer { producer, .. } => {
                self.producers[producer].unsettled = None;
                if !interval {
                    written.state = Outcome::Acknowledged;
                }
            }
            By::Owner(_) => written.state = Outcome::Acknowledged,
        }
    }

    pub(super) fn refused(&mut self, id: u64, error: &Error) {
        let by = self.written[&id].by;
        match error {
            // The last: the disk went while the append was checked.
            Error::DiskFull
            | Error::StaleGeneration { .. }
            | Error::GenerationEnded { .. }
            | Error::Io { .. } => {
                self.seen.full += u64::from(matches!(error, Error::DiskFull));
                // These say for certain that nothing was written. A producer tries again under the same sequence.
                if let By::Owner(who) = by {
                    self.written.remove(&id);
                    self.generations[who] = None;
                }
            }
            Error::Refusing(_) => {
                self.seen.refused += 1;
                if let By::Owner(who) = by {
                    self.generations[who] = None;
                }
            }
            Error::Closed => {}
            error => panic!("{by:?} got {error}"),
        }
    }

    pub(super) fn raise(&mut self) {
        self.rig.disk.set_quota(u64::MAX);
        let raised = self.rig.raise(&OWNERS);
        self.collect();
        let Ok(generation) = raised else {
            return;
        };
        // Nothing of an earlier generation is under way now, so the positions are final.
        let Ok(positions) =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.positions()))
        else {
            return;
        };
        for (who, name) in OWNERS.iter().enumerate() {
            self.generations[who] = Some(generation);
            self.queued[who] = positions.get(*name).copied();
        }
    }

    pub(super) fn positions(&self) -> BTreeMap<String, u64> {
        if self.rig.log().topic(&topic(OFFSETS)).is_none() {
            return BTreeMap::new();
        }
        let found = self.rig.replay(OFFSETS);
        found
            .into_iter()
            .map(|(key, value)| (key, value.parse().unwrap()))
            .collect()
    }
}
