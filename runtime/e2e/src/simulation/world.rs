//! One seed: lives of a worker, one after another, over disks that outlive them.

use std::path::Path;

use longshore_disk::{Disk, Loss, SimDisk};
use longshore_log::MemoryStore;

use super::input::Input;
use super::life::{End, Life};
use super::worker::{DATA, OUTPUT};
use crate::seed::Random;

#[derive(Debug)]
pub(super) struct World {
    random: Random,
    input: Input,
    disk: SimDisk,
    store: MemoryStore,
    seen: Seen,
}

/// What happened, so that a run in which nothing did is noticed.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    lives: u64,
    crashes: u64,
    failures: u64,
    graceful: u64,
    bytes: u64,
    dead_letters: u64,
}

impl Seen {
    pub(super) fn add(&mut self, other: &Self) {
        self.lives += other.lives;
        self.crashes += other.crashes;
        self.failures += other.failures;
        self.graceful += other.graceful;
        self.bytes += other.bytes;
        self.dead_letters += other.dead_letters;
    }

    /// Whether every kind of end was met.
    pub(super) fn is_telling(&self) -> bool {
        let Self {
            crashes,
            failures,
            graceful,
            bytes,
            dead_letters,
            ..
        } = self;
        [crashes, failures, graceful, bytes, dead_letters]
            .into_iter()
            .all(|n| *n > 0)
    }
}

impl World {
    pub(super) fn new(mut random: Random) -> Self {
        let disk = SimDisk::new(random.number());
        disk.create_dir(Path::new(DATA)).unwrap();
        disk.create_dir(Path::new("/out")).unwrap();
        Self {
            input: Input::new(random.number()),
            random,
            disk,
            store: MemoryStore::default(),
            seen: Seen::default(),
        }
    }

    pub(super) fn run(mut self) -> Seen {
        for _ in 0..self.random.within(2..8) {
            self.live();
        }
        // There is something to wait for, even where every life ended before it had begun.
        self.input.step(&mut self.random);
        // The last life meets no faults and ends when everything has arrived.
        self.disk.set_quota(u64::MAX);
        self.disk.crash(Loss::Everything);
        let last = Life::new(&self.disk, &self.store, &mut self.input, &mut self.random);
        let (end, dead_letters) = last.live_until_everything_arrived();
        assert_eq!(end, End::Stopped);
        assert_eq!(dead_letters, self.input.poison, "the dead letters");
        let output = self.disk.open(Path::new(OUTPUT)).unwrap();
        let mut bytes = vec![0; usize::try_from(output.size().unwrap()).unwrap()];
        output.read_exact_at(&mut bytes, 0).unwrap();
        assert_same(&bytes, &self.input.good);
        self.seen.bytes = bytes.len() as u64;
        self.seen.dead_letters = dead_letters.len() as u64;
        self.seen
    }

    fn live(&mut self) {
        self.seen.lives += 1;
        self.ask_for_faults();
        let life = Life::new(&self.disk, &self.store, &mut self.input, &mut self.random);
        match life.live_a_while() {
            End::Stopped => self.seen.graceful += 1,
            End::Failed => self.seen.failures += 1,
            End::Crashed => self.seen.crashes += 1,
        }
        self.disk.set_quota(u64::MAX);
        match self.random.within(0..4) {
            // `kill -9`: the page cache stays.
            0 => {}
            1 => self.disk.crash(Loss::Everything),
            _ => self.disk.crash(Loss::Seeded),
        }
        if self.random.one_in(10) {
            // The index is gone; the journal is the truth.
            self.store = MemoryStore::default();
        }
    }

    fn ask_for_faults(&mut self) {
        match self.random.within(0..6) {
            0 => self
                .disk
                .set_quota(self.disk.bytes_used() + self.random.within(0..40_000)),
            1 => self.disk.fail_syncs(1),
            2 => self.disk.power_off_after(self.random.within(1..200)),
            _ => {}
        }
    }
}

/// Says where they part, in lines, rather than printing both.
fn assert_same(output: &[u8], input: &[u8]) {
    if output == input {
        return;
    }
    let lines = |bytes: &[u8]| {
        let lines = bytes.split(|b| *b == b'\n');
        let names =
            lines.map(|line| String::from_utf8_lossy(&line[..line.len().min(12)]).into_owned());
        names.collect::<Vec<_>>()
    };
    let (output, input) = (lines(output), lines(input));
    let at = output
        .iter()
        .zip(&input)
        .take_while(|(a, b)| a == b)
        .count();
    let near = |lines: &[String]| lines[at.saturating_sub(1)..(at + 3).min(lines.len())].to_vec();
    panic!(
        "output of {} lines and input of {} part at line {at}: {:?} and {:?}",
        output.len(),
        input.len(),
        near(&output),
        near(&input)
    );
}
