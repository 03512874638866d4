//! The connector over the testkit's host.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod copies;
mod faults;
mod gone;
mod machine;
mod names;
mod polls;
mod rotation;
mod seeds;

use file_source::FileSource;
use longshore_sdk::{Config, Ctx, PollLimits, Source, SourcePosition, TaskContext};
use longshore_testkit::contract::{self, SourceContract, shown};
use longshore_testkit::{Call, FakeHost, Step, complete};

use crate::machine::Machine;

const LOG: &str = "/var/log/app.log";

const CONFIG: &[(&str, &str)] = &[("file", LOG), ("topic", "lines"), ("max.line.bytes", "64")];

const LIMITS: PollLimits = PollLimits {
    records_max: 500,
    bytes_max: 64 << 10,
};

/// Runs the contract over steps that destroy nothing.
fn contract(steps: &[&dyn Fn(&FakeHost)], expected: &[&str]) {
    contract::source::<FileSource>(&SourceContract {
        config: CONFIG,
        steps,
        steps_while_down: true,
        expected,
    });
}

/// A source that is polled by hand.
struct Reading {
    host: FakeHost,
    ctx: Ctx,
    source: FileSource,
}

impl Reading {
    fn open(host: &FakeHost, config: &[(&str, &str)]) -> Self {
        Self::resume(host, config, Vec::new())
    }

    fn resume(host: &FakeHost, config: &[(&str, &str)], stored: Vec<SourcePosition>) -> Self {
        Self::try_resume(host, config, stored).unwrap()
    }

    /// None when the host is killed meanwhile.
    fn try_resume(
        host: &FakeHost,
        config: &[(&str, &str)],
        stored: Vec<SourcePosition>,
    ) -> Option<Self> {
        Self::open_with(host, host.ctx(), config, stored)
    }

    fn on(machine: &Machine, config: &[(&str, &str)], stored: Vec<SourcePosition>) -> Self {
        Self::open_with(&machine.host, machine.ctx(), config, stored).unwrap()
    }

    fn open_with(
        host: &FakeHost,
        ctx: Ctx,
        config: &[(&str, &str)],
        stored: Vec<SourcePosition>,
    ) -> Option<Self> {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let config = Config::parse(&config.iter().map(owned).collect()).unwrap();
        let task = TaskContext {
            connector: "files".to_owned(),
            task: 0,
            generation: 1,
            extra: Vec::new(),
        };
        let mut open = Call::new(host, FileSource::open(&ctx, task, config, stored));
        let Step::Done(source) = open.step() else {
            return None;
        };
        drop(open);
        Some(Self {
            host: host.clone(),
            ctx,
            source: source.unwrap(),
        })
    }

    /// One poll of one record.
    fn read_one(&mut self) -> Vec<String> {
        let limits = PollLimits {
            records_max: 1,
            bytes_max: 64 << 10,
        };
        let polled = complete(&self.host, self.source.poll(&self.ctx, limits)).unwrap();
        let batch = longshore_sdk::Batch::parse(polled.batch).unwrap();
        batch.rows().map(|row| shown(&row)).collect()
    }

    /// Waits until the time is up; whatever comes of it, the poll returns.
    fn wait_out(&mut self) {
        let mut poll = Call::new(&self.host, self.source.poll(&self.ctx, LIMITS));
        assert!(matches!(poll.step(), Step::Waiting), "all was read before");
        self.host.advance(3_600_000);
        let Step::Done(polled) = poll.step() else {
            panic!("a wait that is over ends the poll");
        };
        assert!(polled.unwrap().batch.is_empty());
    }

    /// Everything until the source waits, and the last positions.
    fn read(&mut self) -> (Vec<String>, Vec<SourcePosition>) {
        let mut records = Vec::new();
        let mut positions = std::collections::BTreeMap::new();
        loop {
            let mut poll = Call::new(&self.host, self.source.poll(&self.ctx, LIMITS));
            let Step::Done(polled) = poll.step() else {
                break;
            };
            let batch = longshore_sdk::Batch::parse(polled.unwrap().batch).unwrap();
            records.extend(batch.rows().map(|row| shown(&row)));
            for (partition, position) in batch.positions() {
                positions.insert(partition.to_owned(), position.clone());
            }
        }
        let position = |(partition, position)| SourcePosition {
            partition,
            position,
        };
        (records, positions.into_iter().map(position).collect())
    }
}
