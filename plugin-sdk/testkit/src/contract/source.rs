//! The contract of a source.

use std::collections::BTreeMap;

use longshore_model::batch::{Batch, Datum, Row};
use longshore_model::{FaultClass, Position, SourcePosition};
use longshore_sdk::{Config, PollLimits, Source, TaskContext};

use super::{CALLS_MAX, config, config_map, outage};
use crate::{Call, FakeHost, FakeUpstream, Loss, Step};

/// A source, its input, and what must come out.
pub struct SourceContract<'a> {
    /// A config that works.
    pub config: &'a [(&'a str, &'a str)],
    /// What happens outside: the first step before the source is opened, each further one when it
    /// has nothing more to read.
    pub steps: &'a [&'a dyn Fn(&FakeHost)],
    /// Whether steps may also happen while the source is down; not where they destroy what it has
    /// not read.
    pub steps_while_down: bool,
    /// All records in order, as [`shown`].
    pub expected: &'a [&'a str],
}

/// A record as the suite compares it: text as it is, bytes in hex after `0x`, a fault as its code
/// after `!`.
#[must_use]
pub fn shown<B: AsRef<[u8]>>(row: &Row<'_, B>) -> String {
    if let Some(fault) = row.fault() {
        return format!("!{}", fault.code);
    }
    match row.value() {
        Datum::Null => "null".to_owned(),
        Datum::Text(text) | Datum::Json(text) => text.to_owned(),
        Datum::Bytes(bytes) | Datum::Avro { bytes, .. } => {
            let hex = bytes.iter().map(|byte| format!("{byte:02x}"));
            format!("0x{}", hex.collect::<String>())
        }
    }
}

const LIMITS: PollLimits = PollLimits {
    records_max: 500,
    bytes_max: 64 << 10,
};

/// Longer than a source waits without looking again.
const WAIT_MS: i64 = 3_600_000;

/// How a run is disturbed.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    None,
    /// Dies at the call; `down`: the next step happens before it is up again.
    KillAt {
        call: u64,
        down: bool,
    },
    /// Dies after that poll, before its batch is stored.
    LoseBatch(u64),
    /// The call fails once.
    FailAt(u64),
}

/// Runs the whole suite.
///
/// # Panics
/// When the source breaks the contract.
pub fn source<S: Source>(contract: &SourceContract<'_>) {
    config::errors_name_the_key::<S::Config>(&config_map(contract.config));
    for (records_max, bytes_max) in [(500, 64 << 10), (8, 64 << 10), (500, 1), (8, 100)] {
        let limits = PollLimits {
            records_max,
            bytes_max,
        };
        Run::<S>::new(contract, limits, Trouble::None).finish();
    }
    returns_on_wake_and_stops::<S>(contract);
    let undisturbed = Run::<S>::new(contract, LIMITS, Trouble::None).finish();
    for call in 1..=undisturbed.calls {
        Run::<S>::new(contract, LIMITS, Trouble::KillAt { call, down: false }).finish();
        if contract.steps_while_down {
            Run::<S>::new(contract, LIMITS, Trouble::KillAt { call, down: true }).finish();
        }
        Run::<S>::new(contract, LIMITS, Trouble::FailAt(call)).finish();
    }
    for poll in 1..=undisturbed.polls {
        Run::<S>::new(contract, LIMITS, Trouble::LoseBatch(poll)).finish();
    }
}

fn returns_on_wake_and_stops<S: Source>(contract: &SourceContract<'_>) {
    let host = FakeHost::default();
    let ctx = host.ctx();
    contract.steps[0](&host);
    let config = S::Config::parse(&config_map(contract.config)).expect("the config works");
    let opened = crate::complete(&host, S::open(&ctx, task(1), config, Vec::new()));
    let mut source = opened.expect("the source opens");
    for wake in [FakeHost::wake, FakeHost::stop] {
        loop {
            let mut poll = Call::new(&host, source.poll(&ctx, LIMITS));
            match poll.step() {
                Step::Done(polled) => drop(polled.expect("nothing disturbs this poll")),
                Step::Waiting => {
                    wake(&host);
                    let step = poll.step();
                    assert!(
                        matches!(step, Step::Done(Ok(_))),
                        "poll returns when it is woken"
                    );
                    break;
                }
                Step::Killed => unreachable!("nobody kills this host"),
            }
            assert!(host.calls() < CALLS_MAX, "the source never waits");
        }
    }
    crate::complete(&host, source.close(&ctx));
}

/// What a run took.
struct Taken {
    calls: u64,
    polls: u64,
}

/// One run through the steps. Plays the host's part: a batch and its positions are stored as one,
/// then upstream is confirmed and the source told.
struct Run<'a, S> {
    contract: &'a SourceContract<'a>,
    limits: PollLimits,
    trouble: Trouble,
    host: FakeHost,
    steps_done: usize,
    generation: u64,
    polls: u64,
    records: Vec<String>,
    positions: BTreeMap<String, Position>,
    source: Option<S>,
}

impl<'a, S: Source> Run<'a, S> {
    fn new(contract: &'a SourceContract<'a>, limits: PollLimits, trouble: Trouble) -> Self {
        let host = FakeHost::default();
        match trouble {
            Trouble::KillAt { call, .. } => host.kill_at(call),
            Trouble::FailAt(call) => host.fail_at(call, outage()),
            Trouble::None | Trouble::LoseBatch(_) => {}
        }
        Self {
            contract,
            limits,
            trouble,
            host,
            steps_done: 0,
            generation: 0,
            polls: 0,
            records: Vec::new(),
            positions: BTreeMap::new(),
            source: None,
        }
    }

    fn finish(mut self) -> Taken {
        self.next_step();
        while self.open() || self.poll() {
            let trouble = self.trouble;
            assert!(
                self.host.calls() < CALLS_MAX,
                "the source does not end: {trouble:?}"
            );
        }
        let (trouble, limits) = (self.trouble, self.limits);
        assert_eq!(
            self.records, self.contract.expected,
            "{trouble:?} with {limits:?}"
        );
        Taken {
            calls: self.host.calls(),
            polls: self.polls,
        }
    }

    fn next_step(&mut self) -> bool {
        let step = self.contract.steps.get(self.steps_done);
        self.steps_done += 1;
        step.map(|step| step(&self.host)).is_some()
    }

    /// Opens the source unless it is open.
    fn open(&mut self) -> bool {
        if self.source.is_some() {
            return false;
        }
        self.generation += 1;
        let config = config_map(self.contract.config);
        let config = S::Config::parse(&config).expect("the config works");
        let stored = self
            .positions
            .iter()
            .map(|(partition, position)| SourcePosition {
                partition: partition.clone(),
                position: position.clone(),
            });
        let (host, ctx) = (self.host.clone(), self.host.ctx());
        let open = S::open(&ctx, task(self.generation), config, stored.collect());
        let mut open = Call::new(&host, open);
        match open.step() {
            Step::Done(Ok(source)) => self.source = Some(source),
            Step::Done(Err(fault)) => assert_eq!(fault.class, FaultClass::Retriable, "{fault}"),
            Step::Waiting => panic!("open must not wait"),
            Step::Killed => self.die(),
        }
        true
    }

    /// False when everything was read.
    fn poll(&mut self) -> bool {
        let Some(mut source) = self.source.take() else {
            return true;
        };
        let (host, ctx) = (self.host.clone(), self.host.ctx());
        let mut call = Call::new(&host, source.poll(&ctx, self.limits));
        let mut step = call.step();
        while matches!(step, Step::Waiting) {
            if !self.next_step() {
                return false;
            }
            // Whatever it waits for, the time is up.
            self.host.advance(WAIT_MS);
            step = call.step();
        }
        drop(call);
        match step {
            Step::Done(Ok(polled)) => {
                self.polls += 1;
                if matches!(self.trouble, Trouble::LoseBatch(poll) if poll == self.polls) {
                    self.die();
                    return true;
                }
                let stored = self.store(polled.batch);
                for watermark in polled.watermarks {
                    let upstream = FakeUpstream::of(watermark.stream);
                    upstream
                        .expect("a watermark of a stream")
                        .confirm(watermark.value);
                }
                crate::complete(&host, source.commit(&ctx, stored));
                self.source = Some(source);
            }
            Step::Done(Err(fault)) => {
                assert_eq!(fault.class, FaultClass::Retriable, "{fault}");
                self.source = Some(source);
            }
            Step::Waiting | Step::Killed => self.die(),
        }
        true
    }

    fn die(&mut self) {
        self.source = None;
        self.host.restart(Loss::Nothing);
        if matches!(self.trouble, Trouble::KillAt { down: true, .. }) {
            self.next_step();
        }
    }

    /// Stores records and positions as one, and checks limits and order.
    fn store(&mut self, batch: Vec<u8>) -> Vec<SourcePosition> {
        let batch = Batch::parse(batch).expect("a batch by the layout");
        let PollLimits {
            records_max,
            bytes_max,
        } = self.limits;
        let rows = u32::try_from(batch.len()).expect("few rows");
        assert!(
            rows <= records_max,
            "{rows} records where {records_max} were asked for"
        );
        let payload: usize = batch.rows().map(|row| row.value().bytes().len()).sum();
        let over = payload > bytes_max as usize && rows > 1;
        assert!(!over, "{payload} bytes where {bytes_max} were asked for");
        self.records.extend(batch.rows().map(|row| shown(&row)));
        let mut stored = Vec::new();
        for (partition, position) in batch.positions() {
            let before = self
                .positions
                .insert(partition.to_owned(), position.clone());
            let before = before.map(|before| before.order);
            assert!(
                position.order.is_some(),
                "a source gives each position's order"
            );
            assert!(
                before <= Some(position.order),
                "{partition} went back to {}",
                position.offset
            );
            stored.push(SourcePosition {
                partition: partition.to_owned(),
                position: position.clone(),
            });
        }
        for row in batch.rows() {
            let sources: Vec<_> = batch.sources().collect();
            let source = row.source_index().map(|index| sources[index]);
            let positioned = batch
                .positions()
                .any(|(partition, _)| Some(partition) == source);
            assert!(
                positioned,
                "a record came without the position that it leads to"
            );
        }
        stored
    }
}

fn task(generation: u64) -> TaskContext {
    TaskContext {
        connector: "contract".to_owned(),
        task: 0,
        generation,
        extra: Vec::new(),
    }
}
