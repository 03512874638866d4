//! What readers see, against what the simulation knows.

use std::collections::{BTreeMap, HashSet};

use super::{By, OWNERS, Outcome, Simulation};
use crate::rig::text;

impl Simulation {
    /// Compares what readers see with the model; what was in doubt is settled by it.
    pub(super) fn verify(&mut self) {
        let mut counts: BTreeMap<u64, BTreeMap<usize, usize>> = BTreeMap::new();
        for place in 0..self.partitions.len() {
            let max_bytes = 1 + self.random.below(700);
            let (log_start, records, end) = self.rig.read_by(&self.partitions[place], max_bytes);
            assert!(
                log_start >= self.log_starts[place],
                "the log start never goes back"
            );
            self.seen.retained += u64::from(log_start > self.log_starts[place]);
            self.log_starts[place] = log_start;
            let offsets: Vec<_> = records.iter().map(|record| record.offset).collect();
            assert_eq!(
                offsets,
                (log_start..end).collect::<Vec<_>>(),
                "offsets have no gap"
            );
            let found: BTreeMap<i64, u64> = records
                .iter()
                .map(|record| {
                    (
                        record.offset,
                        text(record.value.as_ref().unwrap()).parse().unwrap(),
                    )
                })
                .collect();
            for (offset, id) in &self.known[place] {
                assert!(
                    *offset < log_start || found.get(offset) == Some(id),
                    "{place}@{offset}: {id} has changed"
                );
            }
            self.known[place].extend(found);
            for id in self.known[place].values() {
                *counts.entry(*id).or_default().entry(place).or_default() += 1;
            }
            self.in_order(place);
        }
        self.check_written(&counts);
        self.check_positions();
    }

    /// The records of one writer stand in the order in which it wrote them.
    pub(super) fn in_order(&self, place: usize) {
        let mut last: BTreeMap<String, u64> = BTreeMap::new();
        for id in self.known[place].values() {
            let by = self.written.get(id).map(|written| match written.by {
                By::Owner(who) => format!("owner {who}"),
                By::Producer { producer, .. } => format!("producer {producer}"),
            });
            let by = by.unwrap_or_else(|| panic!("{id} was refused, and is there"));
            assert!(
                last.get(&by).is_none_or(|last| last <= id),
                "{by}: {id} stands behind {last:?}"
            );
            last.insert(by, *id);
        }
    }

    pub(super) fn check_written(&mut self, counts: &BTreeMap<u64, BTreeMap<usize, usize>>) {
        let waiting: HashSet<u64> = self.waiting.iter().map(|(id, _)| *id).collect();
        let positions = self.positions();
        let mut lost = Vec::new();
        for written in self.written.values_mut() {
            let found = counts.get(&written.id);
            let there = match written.by {
                // Whether an append without records is there, only its position can tell.
                By::Owner(who) => positions
                    .get(OWNERS[who])
                    .is_some_and(|position| *position >= written.id),
                By::Producer { .. } => found.is_some(),
            };
            let mut expected: Vec<_> = written.partitions.clone();
            expected.sort_unstable();
            expected.dedup();
            let whole = found.map_or_else(Vec::new, |places| places.keys().copied().collect());
            if there {
                assert_eq!(whole, expected, "{written:?} is there in parts");
                if let By::Producer { .. } = written.by {
                    assert_eq!(
                        found.unwrap().values().sum::<usize>(),
                        1,
                        "{written:?} is there twice"
                    );
                }
                self.seen.doubtful_kept += u64::from(written.state == Outcome::Doubtful);
                written.state = Outcome::Acknowledged;
            } else {
                assert_eq!(
                    written.state,
                    Outcome::Doubtful,
                    "{written:?} was acknowledged and is lost"
                );
                assert!(
                    found.is_none(),
                    "{written:?}: records without their position"
                );
                if !waiting.contains(&written.id) {
                    lost.push(written.id);
                }
            }
        }
        for id in lost {
            self.seen.doubtful_lost += 1;
            let written = self.written.remove(&id).unwrap();
            if let By::Producer { producer, sequence } = written.by {
                self.resend(producer, sequence, id);
            }
        }
        self.known_producers();
    }

    /// Under `interval`, an answered batch may be lost; its producer never learns, and the next sequence is a gap.
    pub(super) fn resend(&mut self, producer: usize, sequence: i32, id: u64) {
        let known = &mut self.producers[producer];
        known.next_sequence = known.next_sequence.min(sequence);
        if known.unsettled.is_none_or(|(_, unsettled)| unsettled == id) {
            known.unsettled = None;
        }
        if known
            .unsettled
            .is_some_and(|(unsettled, _)| unsettled > sequence)
        {
            known.unsettled = None;
        }
    }

    pub(super) fn known_producers(&self) {
        for (who, known) in self.producers.iter().enumerate() {
            let there = self.written.values().filter(
                |written| matches!(written.by, By::Producer { producer, .. } if producer == who),
            );
            assert!(
                there.count() <= usize::try_from(known.next_sequence).unwrap(),
                "{known:?}"
            );
        }
    }

    pub(super) fn check_positions(&self) {
        let positions = self.positions();
        for (who, name) in OWNERS.iter().enumerate() {
            let acknowledged = self.written.values().rev().find(|written| {
                written.by == By::Owner(who) && written.state == Outcome::Acknowledged
            });
            let expected = acknowledged.map(|written| written.id);
            assert_eq!(
                positions.get(*name).copied(),
                expected,
                "position of {name}"
            );
            let group = self.rig.log().group_offsets(name);
            let group = group
                .first()
                .map(|(_, offset)| u64::try_from(*offset).unwrap());
            assert_eq!(group, expected, "group of {name}");
        }
    }
}
