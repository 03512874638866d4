//! One seed: lives of a worker, one after another, beside a server that outlives them.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use longshore_disk::{Disk, Loss, SimDisk};
use longshore_log::MemoryStore;

use super::check::{Checked, check};
use super::connection::Shared;
use super::event::read_topic;
use super::life::{Around, Choices, PREFIX, live};
use super::server::Server;
use super::table::TABLES;
use crate::seed::Random;
use crate::simulation::life::End;
use crate::simulation::worker::DATA;

pub(super) struct World {
    random: Random,
    server: Shared,
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
    lost_connections: u64,
    server_restarts: u64,
    slots: u64,
    slot_timeouts: u64,
    later_snapshots: u64,
    confirmations: u64,
    transactions: u64,
    checked: Checked,
}

impl Seen {
    pub(super) fn add(&mut self, other: &Self) {
        self.lives += other.lives;
        self.crashes += other.crashes;
        self.failures += other.failures;
        self.graceful += other.graceful;
        self.lost_connections += other.lost_connections;
        self.server_restarts += other.server_restarts;
        self.slots += other.slots;
        self.slot_timeouts += other.slot_timeouts;
        self.later_snapshots += other.later_snapshots;
        self.confirmations += other.confirmations;
        self.transactions += other.transactions;
        self.checked.add(&other.checked);
    }

    /// Whether everything was met that can go wrong, and every way in which a snapshot goes on.
    pub(super) fn is_telling(&self) -> bool {
        let Self {
            crashes,
            failures,
            graceful,
            lost_connections,
            server_restarts,
            slot_timeouts,
            later_snapshots,
            confirmations,
            checked,
            ..
        } = self;
        let met = [
            crashes,
            failures,
            graceful,
            lost_connections,
            server_restarts,
            slot_timeouts,
            later_snapshots,
            confirmations,
        ];
        met.into_iter().all(|n| *n > 0) && checked.is_telling()
    }
}

fn one_of(random: &mut Random, numbers: &[u64]) -> u64 {
    numbers[usize::try_from(random.within(0..numbers.len() as u64)).unwrap()]
}

impl World {
    pub(super) fn new(mut random: Random) -> Self {
        let disk = SimDisk::new(random.number());
        disk.create_dir(Path::new(DATA)).unwrap();
        let mut server = Server::new(Random::new(random.number()));
        server.fill(&mut random);
        Self {
            random,
            server: Rc::new(RefCell::new(server)),
            disk,
            store: MemoryStore::default(),
            seen: Seen::default(),
        }
    }

    pub(super) fn run(mut self) -> Seen {
        for _ in 0..self.random.within(3..14) {
            self.live();
            for _ in 0..self.random.within(0..30) {
                self.server.borrow_mut().step(&mut self.random);
            }
        }
        self.disk.crash(Loss::Everything);
        self.server.borrow_mut().settle();
        let topics = self.live_until_everything_arrived();
        let server = self.server.borrow();
        let checked = check(&server, &topics);
        let met = server.seen;
        Seen {
            lost_connections: met.lost,
            server_restarts: met.restarts,
            slots: met.slots,
            slot_timeouts: met.slot_timeouts,
            later_snapshots: met.snapshots,
            confirmations: met.confirmed,
            transactions: server.history.len() as u64,
            checked,
            ..self.seen
        }
    }

    fn live(&mut self) {
        self.seen.lives += 1;
        self.ask_for_faults();
        let random = &mut self.random;
        self.server.borrow_mut().fails_once_in = one_of(random, &[0, 0, 300, 100, 30]);
        self.server.borrow_mut().latency_ms = one_of(random, &[3, 6, 30, 80]);
        let choices = Choices::new(&mut self.random);
        let Self {
            random,
            server,
            disk,
            store,
            ..
        } = self;
        let around = Around {
            disk,
            store,
            server,
        };
        // Some clients do much while little is captured, and the other way round.
        let pause_ms = one_of(random, &[4, 30, 120]);
        let steps = random.within(1..120);
        let end = live(&around, &choices, |_| async {
            for _ in 0..steps {
                server.borrow_mut().step(random);
                tokio::time::sleep(random.millis(0..pause_ms)).await;
            }
            random.one_in(4)
        });
        match end {
            End::Stopped => self.seen.graceful += 1,
            End::Failed => self.seen.failures += 1,
            End::Crashed => self.seen.crashes += 1,
        }
        self.lose();
    }

    /// What is lost with the worker.
    fn lose(&mut self) {
        self.disk.set_quota(u64::MAX);
        match self.random.within(0..4) {
            // `kill -9`: the page cache stays.
            0 => {}
            1 => self.disk.crash(Loss::Seeded),
            _ => self.disk.crash(Loss::Everything),
        }
        if self.random.one_in(10) {
            // The index is gone; the journal is the truth.
            self.store = MemoryStore::default();
        }
        if let Some(slot) = &mut self.server.borrow_mut().slot
            && self.random.one_in(4)
        {
            // The server has not noticed.
            slot.lingers = self.random.within(1..4);
        }
    }

    fn ask_for_faults(&mut self) {
        match self.random.within(0..10) {
            0 => self
                .disk
                .set_quota(self.disk.bytes_used() + self.random.within(0..60_000)),
            1 => self.disk.fail_syncs(1),
            2 | 3 => self.disk.power_off_after(self.random.within(1..200)),
            _ => {}
        }
    }

    /// No disk fails, and nobody writes any more but the last one, who waits for the stream.
    fn live_until_everything_arrived(&mut self) -> Vec<Vec<super::event::Record>> {
        self.server.borrow_mut().fails_once_in = 400;
        let choices = Choices::new(&mut self.random);
        let around = Around {
            disk: &self.disk,
            store: &self.store,
            server: &self.server,
        };
        let mut topics = Vec::new();
        let (server, random, told) = (&self.server, &mut self.random, &mut topics);
        let end = live(&around, &choices, |log| async move {
            let pause = Duration::from_millis(100);
            while !server.borrow().is_streaming() {
                tokio::time::sleep(pause).await;
            }
            server.borrow_mut().finish(random);
            while !server.borrow().is_drained() {
                tokio::time::sleep(pause).await;
            }
            for table in TABLES {
                told.push(read_topic(&log, &table.topic(PREFIX)).await);
            }
            true
        });
        assert_eq!(end, End::Stopped);
        topics
    }
}
