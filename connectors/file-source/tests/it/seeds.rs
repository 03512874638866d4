//! Writers, rotations, polls and kills in an order that a seed gives: every line comes once, in order.

use std::collections::BTreeMap;

use longshore_sdk::{Batch, PollLimits, Position, Source, SourcePosition};
use longshore_testkit::contract::shown;
use longshore_testkit::{Call, FakeHost, Loss, Step};

use crate::{CONFIG, LOG, Reading};

const STEPS: u64 = 60;

/// Fails with the seed; `LONGSHORE_SEED` runs that one alone.
#[test]
fn whatever_the_order_every_line_comes_once() {
    let seed = std::env::var("LONGSHORE_SEED").ok();
    let seed = seed.map(|seed| seed.parse::<u64>().unwrap());
    for seed in seed.map_or(0..200, |seed| seed..seed + 1) {
        for copies in [false, true] {
            let mut world = World::new(seed, copies);
            for _ in 0..STEPS {
                world.step();
            }
            world.finish();
            assert_eq!(
                world.read, world.written,
                "LONGSHORE_SEED={seed} copies={copies}"
            );
        }
    }
}

struct World {
    random: u64,
    /// Whether rotation copies and truncates, or renames.
    copies: bool,
    host: FakeHost,
    reading: Option<Reading>,
    stored: BTreeMap<String, Position>,
    written: Vec<String>,
    read: Vec<String>,
}

impl World {
    fn new(seed: u64, copies: bool) -> Self {
        Self {
            random: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
            copies,
            host: FakeHost::default(),
            reading: None,
            stored: BTreeMap::new(),
            written: Vec::new(),
            read: Vec::new(),
        }
    }

    fn below(&mut self, n: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 33) % n
    }

    fn step(&mut self) {
        match self.below(10) {
            0..=3 => self.write(),
            4 => self.rotate(),
            5 => self.reading = None,
            6 => {
                let call = self.host.calls() + 1 + self.below(12);
                self.host.kill_at(call);
            }
            _ => {
                self.poll();
            }
        }
    }

    fn write(&mut self) {
        for _ in 0..1 + self.below(5) {
            let line = format!("line {}", self.written.len());
            self.host.append_file(LOG, format!("{line}\n"));
            self.written.push(line);
        }
    }

    fn rotate(&mut self) {
        let rotated = |n: u64| format!("{LOG}.{n}");
        for n in (1..40).rev() {
            if self.host.read_file(&rotated(n)).is_some() {
                self.host.rename_file(&rotated(n), &rotated(n + 1));
            }
        }
        match self.host.read_file(LOG) {
            Some(content) if self.copies => {
                self.host.write_file(&rotated(1), content);
                self.host.write_file(LOG, "");
            }
            Some(_) => self.host.rename_file(LOG, &rotated(1)),
            None => {}
        }
    }

    /// Polls once and stores what comes. False when there is nothing to read.
    fn poll(&mut self) -> bool {
        if self.host.is_killed() {
            self.host.restart(Loss::Nothing);
            self.reading = None;
        }
        let records_max = u32::try_from(1 + self.below(6)).unwrap();
        let limits = PollLimits {
            records_max,
            bytes_max: 1000,
        };
        let mut reading = match self.reading.take() {
            Some(reading) => reading,
            None => match self.open() {
                Some(reading) => reading,
                None => return true,
            },
        };
        let mut call = Call::new(&self.host, reading.source.poll(&reading.ctx, limits));
        let step = call.step();
        drop(call);
        let Step::Done(polled) = step else {
            // It waits, and is asked anew; or the host died under it.
            self.reading = matches!(step, Step::Waiting).then_some(reading);
            return self.host.is_killed();
        };
        let batch = Batch::parse(polled.unwrap().batch).unwrap();
        self.read.extend(batch.rows().map(|row| shown(&row)));
        for (partition, position) in batch.positions() {
            self.stored.insert(partition.to_owned(), position.clone());
        }
        self.reading = Some(reading);
        true
    }

    fn open(&mut self) -> Option<Reading> {
        let stored = self
            .stored
            .iter()
            .map(|(partition, position)| SourcePosition {
                partition: partition.clone(),
                position: position.clone(),
            });
        let reading = Reading::try_resume(&self.host, CONFIG, stored.collect());
        if reading.is_none() {
            self.host.restart(Loss::Nothing);
        }
        reading
    }

    fn finish(&mut self) {
        self.host.restart(Loss::Nothing);
        self.reading = None;
        while self.poll() {}
    }
}
