//! Random work, crashes and faults from a seed, against a model that knows what was acknowledged.
//!
//! `LONGSHORE_ROUNDS` is the number of seeds, `LONGSHORE_SEED` replays one.

mod check;
mod topics;
mod work;

use std::collections::BTreeMap;
use std::env;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;

use longshore_disk::{Disk as _, Loss, Random};
use longshore_log::{Error, Flush, Generation, MemoryStore};
use longshore_model::TopicPartition;

use crate::rig::{Rig, batch, partition, small};
use topics::Topics;

const ROUNDS: u64 = 150;
const STEPS: usize = 80;
const OFFSETS: &str = "_longshore_offsets";
/// A topic with an offset for every id, so that a group can have any of them for its own.
const COUNTED: &str = "counted";
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
    topics: Topics,
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
        rig.create(COUNTED, 1, &[("retention.ms", "-1")]);
        rig.produce(&partition(COUNTED, 0), &batch(0, &[""; 4 * STEPS]))
            .unwrap();
        rig.parts.as_mut().unwrap().committer.sync_written();
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
            topics: Topics::default(),
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
            38 if self.random.one_in(2) => self.change_topics(),
            38 => self.crash(Loss::Seeded),
            _ => self.crash(Loss::Everything),
        }
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
        if self.rig.upkeep().is_ok() {
            self.check_live_bytes();
        }
        self.seen.files_removed += u64::from(self.n_files() < files);
        self.collect();
    }

    fn has_power(&self) -> bool {
        self.rig.disk.exists(Path::new("/data/log/format")).is_ok()
    }

    fn n_files(&self) -> usize {
        self.rig
            .disk
            .list(Path::new("/data/log/journal"))
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
        self.check_topics();
        self.verify();
    }
}
