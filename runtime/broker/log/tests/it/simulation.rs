//! Random work, crashes and faults from a seed, against a model that knows what was acknowledged.
//!
//! `LONGSHORE_ROUNDS` is the number of seeds, `LONGSHORE_SEED` replays one.

use std::collections::{BTreeMap, HashSet};
use std::env;
use std::fmt::Write as _;
use std::future::Future;
use std::pin::Pin;

use futures_util::FutureExt as _;
use longshore_disk::{Loss, Random};
use longshore_log::{Append, Error, Expect, Flush, Generation, GroupOffsets, MemoryStore};
use longshore_model::TopicPartition;

use crate::rig::{Rig, batch, holds, move_of, owner, partition, sequenced, small, text};

const ROUNDS: u64 = 150;
const STEPS: usize = 80;
const OFFSETS: &str = "_longshore_offsets";
const OWNERS: [&str; 3] = ["task/a/0", "task/b/0", "topic/c"];
const PRODUCERS: usize = 2;

#[test]
fn nothing_acknowledged_is_lost_or_doubled_whatever_the_disk_does() {
    let number = |name: &str| env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let seeds = match number("LONGSHORE_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("LONGSHORE_ROUNDS").unwrap_or(ROUNDS),
    };
    let mut seen = Seen::default();
    for seed in seeds.clone() {
        let run = std::panic::catch_unwind(|| Simulation::new(seed).run());
        match run {
            Ok(run) => seen.add(&run),
            Err(panic) => {
                eprintln!("failed with LONGSHORE_SEED={seed}");
                std::panic::resume_unwind(panic);
            }
        }
    }
    println!("{} seeds: {seen:?}", seeds.end - seeds.start);
    if seeds.end - seeds.start >= ROUNDS {
        seen.everything_happened();
    }
}

/// What the runs came across, so that the simulation cannot pass by doing nothing.
#[derive(Debug, Default)]
struct Seen {
    acknowledged: u64,
    crashes: u64,
    doubtful_kept: u64,
    doubtful_lost: u64,
    full: u64,
    refused: u64,
    rebuilds: u64,
    retained: u64,
    files_removed: u64,
}

impl Seen {
    fn add(&mut self, other: &Self) {
        self.acknowledged += other.acknowledged;
        self.crashes += other.crashes;
        self.doubtful_kept += other.doubtful_kept;
        self.doubtful_lost += other.doubtful_lost;
        self.full += other.full;
        self.refused += other.refused;
        self.rebuilds += other.rebuilds;
        self.retained += other.retained;
        self.files_removed += other.files_removed;
    }

    fn everything_happened(&self) {
        let Self {
            acknowledged,
            crashes,
            doubtful_kept,
            doubtful_lost,
            full,
            refused,
            rebuilds,
            ..
        } = self;
        for count in [
            acknowledged,
            crashes,
            doubtful_kept,
            doubtful_lost,
            full,
            refused,
            rebuilds,
        ] {
            assert!(*count > 0, "{self:?}");
        }
        assert!(self.retained > 0 && self.files_removed > 0, "{self:?}");
    }
}

/// One append of an owner, or one batch of a producer.
#[derive(Debug)]
struct Written {
    id: u64,
    by: By,
    /// Where its records went; each has the id for a value.
    partitions: Vec<usize>,
    state: Outcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Owner(usize),
    Producer { producer: usize, sequence: i32 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// Queued, or failed in a way that leaves open what the disk holds.
    Doubtful,
    Acknowledged,
}

type Waiting = Pin<Box<dyn Future<Output = Result<(), Error>>>>;

struct Simulation {
    rig: Rig,
    random: Random,
    next_id: u64,
    partitions: Vec<TopicPartition>,
    generations: Vec<Option<Generation>>,
    /// The value each owner queued last.
    queued: Vec<Option<u64>>,
    producers: Vec<Producer>,
    written: BTreeMap<u64, Written>,
    waiting: Vec<(u64, Waiting)>,
    /// What each partition was seen to hold: offset and id.
    known: Vec<BTreeMap<i64, u64>>,
    log_starts: Vec<i64>,
    seen: Seen,
}

#[derive(Clone, Debug)]
struct Producer {
    id: i64,
    partition: usize,
    next_sequence: i32,
    /// Sent and not acknowledged: it sends it again before anything else.
    unsettled: Option<(i32, u64)>,
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed ^ 0xa5a5);
        let mut config = small();
        if random.one_in(4) {
            config.flush = Flush::Interval(std::time::Duration::from_millis(100));
        }
        if random.one_in(3) {
            config.group_bytes_max = 300;
        }
        let mut rig = Rig::new(seed, config);
        rig.create("kept", 2, &[("retention.ms", "-1")]);
        rig.create("short", 1, &[("retention.bytes", "400")]);
        let partitions = vec![
            partition("kept", 0),
            partition("kept", 1),
            partition("short", 0),
        ];
        let producers = (0..PRODUCERS).map(|producer| {
            let log = rig.log();
            let id = rig.drive(log.init_producer_id()).unwrap().id;
            Producer {
                id,
                partition: producer,
                next_sequence: 0,
                unsettled: None,
            }
        });
        Self {
            producers: producers.collect(),
            rig,
            random,
            next_id: 1,
            generations: vec![None; OWNERS.len()],
            queued: vec![None; OWNERS.len()],
            written: BTreeMap::new(),
            waiting: Vec::new(),
            known: vec![BTreeMap::new(); partitions.len()],
            log_starts: vec![0; partitions.len()],
            partitions,
            seen: Seen::default(),
        }
    }

    fn run(mut self) -> Seen {
        for _ in 0..STEPS {
            self.step();
        }
        self.settle();
        self.crash(Loss::Seeded);
        self.seen
    }

    fn step(&mut self) {
        match self.random.below(40) {
            0..14 => self.append(),
            14..20 => self.produce(),
            20..30 => {
                self.rig.commit();
                self.collect();
            }
            30 => self.raise(),
            31 | 32 => self.upkeep(false),
            33 => self.upkeep(true),
            34 => self.rig.disk.power_off_after(self.random.below(12) as u64),
            35 => self.rig.disk.fail_syncs(1),
            36 => self.fill(),
            37 => self.kill(),
            38 => self.crash(Loss::Seeded),
            _ => self.crash(Loss::Everything),
        }
    }

    fn append(&mut self) {
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
        let offsets = vec![(self.partitions[0].clone(), i64::try_from(id).unwrap())];
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

    fn produce(&mut self) {
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

    fn batch(&mut self, id: u64) -> longshore_log::Batch {
        batch(
            self.now(),
            &vec![id.to_string().as_str(); 1 + self.random.below(3)],
        )
    }

    fn now(&self) -> i64 {
        use longshore_pipeline::port::Clock as _;
        self.rig.clock.now_ms()
    }

    fn next_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    fn wait(&mut self, id: u64, by: By, partitions: Vec<usize>, waiting: Waiting) {
        self.written.entry(id).or_insert(Written {
            id,
            by,
            partitions,
            state: Outcome::Doubtful,
        });
        self.waiting.push((id, waiting));
    }

    /// Takes the answers that have come.
    fn collect(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        for (id, mut future) in waiting {
            match future.as_mut().now_or_never() {
                None => self.waiting.push((id, future)),
                Some(Ok(())) => self.acknowledged(id),
                Some(Err(error)) => self.refused(id, &error),
            }
        }
    }

    fn acknowledged(&mut self, id: u64) {
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

    fn refused(&mut self, id: u64, error: &Error) {
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

    fn raise(&mut self) {
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

    fn positions(&self) -> BTreeMap<String, u64> {
        if self.rig.log().topic(&crate::rig::topic(OFFSETS)).is_none() {
            return BTreeMap::new();
        }
        let found = self.rig.replay(OFFSETS);
        found
            .into_iter()
            .map(|(key, value)| (key, value.parse().unwrap()))
            .collect()
    }

    /// A round of the upkeep; `cut` lets the power fail in the middle of it.
    fn upkeep(&mut self, cut: bool) {
        self.settle();
        if self.rig.log().failure().is_some() || !self.has_power() {
            return;
        }
        self.verify();
        // One append meets the upkeep half-way; more could be cut off before anybody saw them.
        if self.random.one_in(2) && self.generations.iter().all(Option::is_some) {
            self.append();
        }
        let files = self.n_files();
        if cut {
            let changes = self.random.below(30) as u64;
            self.rig.disk.power_off_after(changes);
        }
        self.rig.upkeep().ok();
        self.seen.files_removed += u64::from(self.n_files() < files);
        self.collect();
    }

    fn has_power(&self) -> bool {
        use longshore_disk::Disk as _;
        self.rig
            .disk
            .exists(std::path::Path::new("/data/log/format"))
            .is_ok()
    }

    fn n_files(&self) -> usize {
        use longshore_disk::Disk as _;
        self.rig
            .disk
            .list(std::path::Path::new("/data/log/journal"))
            .map_or(0, |files| files.len())
    }

    fn fill(&mut self) {
        let room = self.random.below(2000) as u64;
        self.rig.disk.set_quota(self.rig.disk.bytes_used() + room);
    }

    /// Lets everything finish that can.
    fn settle(&mut self) {
        while self.rig.commit() {}
        self.rig.parts.as_mut().unwrap().committer.sync_written();
        self.collect();
    }

    fn kill(&mut self) {
        self.rig.kill();
        self.restart();
    }

    fn crash(&mut self, loss: Loss) {
        self.rig.crash(loss);
        self.seen.crashes += 1;
        self.restart();
    }

    fn restart(&mut self) {
        self.waiting.clear();
        self.generations.fill(None);
        if self.random.one_in(3) {
            self.rig.store = MemoryStore::default();
            self.seen.rebuilds += 1;
        }
        self.rig.disk.set_quota(u64::MAX);
        self.rig.open().unwrap();
        self.verify();
    }

    /// Compares what readers see with the model; what was in doubt is settled by it.
    fn verify(&mut self) {
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
    fn in_order(&self, place: usize) {
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

    fn check_written(&mut self, counts: &BTreeMap<u64, BTreeMap<usize, usize>>) {
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
    fn resend(&mut self, producer: usize, sequence: i32, id: u64) {
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

    fn known_producers(&self) {
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

    fn check_positions(&self) {
        let positions = self.positions();
        for (who, name) in OWNERS.iter().enumerate() {
            let acknowledged = self.written.values().rev().find(|written| {
                written.by == By::Owner(who) && written.state == Outcome::Acknowledged
            });
            let expected = acknowledged.map(|written| written.id);
            let mut context = String::new();
            write!(context, "position of {name}").unwrap();
            assert_eq!(positions.get(*name).copied(), expected, "{context}");
            let group = self.rig.log().group_offsets(name);
            let group = group
                .first()
                .map(|(_, offset)| u64::try_from(*offset).unwrap());
            assert_eq!(group, expected, "group of {name}");
        }
    }
}
