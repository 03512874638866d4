//! The contract of a sink that keeps its position in the store.

use std::collections::BTreeMap;

use longshore_model::batch::{Batch, BatchWriter, Datum, NewRow};
use longshore_model::{Fault, FaultClass};
use longshore_sdk::{Assignment, AssignmentChange, Config, Sink, TaskContext, TopicPosition};

use super::{CALLS_MAX, config, config_map, outage};
use crate::{Call, FakeHost, Loss, Step, complete};

/// A sink and how to look into its store.
pub struct SinkContract<'a> {
    /// A config that works.
    pub config: &'a [(&'a str, &'a str)],
    /// All values in the store, in order.
    pub stored: &'a dyn Fn(&FakeHost) -> Vec<String>,
}

const TOPIC: &str = "orders";
const TOPIC_ID: &str = "the-first-orders";
const PARTITIONS: u32 = 2;
const RECORDS: i64 = 12;
const BATCH: i64 = 3;

#[derive(Clone, Copy, Debug)]
enum Trouble {
    None,
    /// Every batch is put twice.
    Twice,
    KillAt(u64, Loss),
    FailAt(u64),
}

/// Runs the whole suite: every record once and in order, whatever happens.
///
/// # Panics
/// When the sink breaks the contract.
pub fn sink<S: Sink>(contract: &SinkContract<'_>) {
    config::errors_name_the_key::<S::Config>(&config_map(contract.config));
    let calls = Run::<S>::new(contract, Trouble::None).finish();
    Run::<S>::new(contract, Trouble::Twice).finish();
    for call in 1..=calls {
        for loss in [Loss::Nothing, Loss::Unsynced] {
            Run::<S>::new(contract, Trouble::KillAt(call, loss)).finish();
        }
        Run::<S>::new(contract, Trouble::FailAt(call)).finish();
    }
    rejects_an_older_generation::<S>(contract);
    names_another_history::<S>(contract);
}

fn rejects_an_older_generation<S: Sink>(contract: &SinkContract<'_>) {
    let host = FakeHost::default();
    let mut run = Run::<S>::over(contract, Trouble::None, host.clone());
    run.generation = 6;
    assert!(run.open().is_ok(), "the sink opens");
    let mut sink = run.sink.take().expect("it was opened");
    let ctx = host.ctx();
    let put = complete(&host, sink.put(&ctx, 6, batch(0, 0)));
    assert!(put.is_err(), "a batch of an older generation was taken");
    let change = AssignmentChange {
        assigned: assigned(TOPIC_ID, &BTreeMap::new()),
        revoked: Vec::new(),
        lost: Vec::new(),
        generation: 9,
    };
    let changed = complete(&host, sink.partitions_changed(&ctx, change));
    changed.expect("a later generation is taken over");
    let put = complete(&host, sink.put(&ctx, 7, batch(0, 0)));
    assert!(
        put.is_err(),
        "a batch of the generation before the change was taken"
    );
    complete(&host, sink.put(&ctx, 9, batch(0, 0))).expect("a batch of this generation is taken");
    complete(&host, sink.flush(&ctx)).expect("the sink flushes");
    complete(&host, sink.close(&ctx));
    let mut stale = Run::<S>::over(contract, Trouble::None, host);
    stale.generation = 2;
    assert!(
        stale.open().is_err(),
        "a task of an older generation was opened"
    );
}

fn names_another_history<S: Sink>(contract: &SinkContract<'_>) {
    let host = FakeHost::default();
    let mut run = Run::<S>::over(contract, Trouble::None, host.clone());
    while run.open_and_put() {}
    let mut other = Run::<S>::over(contract, Trouble::None, host);
    other.generation = 100;
    other.topic_id = "orders-made-again";
    let fault = other
        .open()
        .expect_err("positions of another topic were taken for this one's");
    assert_eq!(fault.detail("topic"), Some(TOPIC), "{fault}");
}

/// One run over a topic. Plays the host's part: start positions beat the group's, and what a flush
/// returns is committed.
struct Run<'a, S> {
    contract: &'a SinkContract<'a>,
    trouble: Trouble,
    host: FakeHost,
    generation: u64,
    topic_id: &'static str,
    committed: BTreeMap<u32, i64>,
    next: BTreeMap<u32, i64>,
    puts: u64,
    sink: Option<S>,
}

impl<'a, S: Sink> Run<'a, S> {
    fn new(contract: &'a SinkContract<'a>, trouble: Trouble) -> Self {
        let host = FakeHost::default();
        match trouble {
            Trouble::KillAt(call, _) => host.kill_at(call),
            Trouble::FailAt(call) => host.fail_at(call, outage()),
            Trouble::None | Trouble::Twice => {}
        }
        Self::over(contract, trouble, host)
    }

    fn over(contract: &'a SinkContract<'a>, trouble: Trouble, host: FakeHost) -> Self {
        Self {
            contract,
            trouble,
            host,
            generation: 0,
            topic_id: TOPIC_ID,
            committed: BTreeMap::new(),
            next: BTreeMap::new(),
            puts: 0,
            sink: None,
        }
    }

    fn finish(mut self) -> u64 {
        while self.open_and_put() {
            let trouble = self.trouble;
            assert!(
                self.host.calls() < CALLS_MAX,
                "the sink does not end: {trouble:?}"
            );
        }
        let stored = (self.contract.stored)(&self.host);
        for partition in 0..PARTITIONS {
            let expected: Vec<_> = (0..RECORDS)
                .map(|offset| value(partition, offset))
                .collect();
            let prefix = format!("{partition}-");
            let of_partition = stored.iter().filter(|value| value.starts_with(&prefix));
            let of_partition: Vec<_> = of_partition.cloned().collect();
            assert_eq!(of_partition, expected, "{:?}", self.trouble);
        }
        let all = usize::try_from(RECORDS).expect("few records") * PARTITIONS as usize;
        assert_eq!(stored.len(), all, "{:?}", self.trouble);
        self.host.calls()
    }

    /// False when everything was put, flushed and committed.
    fn open_and_put(&mut self) -> bool {
        if self.sink.is_none() {
            if let Err(fault) = self.open() {
                assert_eq!(fault.class, FaultClass::Retriable, "{fault}");
            }
            return true;
        }
        let behind = (0..PARTITIONS).find(|p| self.next[p] < RECORDS);
        let turn = (0..PARTITIONS)
            .min_by_key(|p| self.next[p])
            .filter(|_| behind.is_some());
        match turn {
            Some(partition) => self.put(partition),
            None => return !self.flush(),
        }
        true
    }

    fn open(&mut self) -> Result<(), Fault> {
        self.generation += 1;
        let config = config_map(self.contract.config);
        let config = S::Config::parse(&config).expect("the config works");
        let task = TaskContext {
            connector: "contract".to_owned(),
            task: 0,
            generation: self.generation,
            extra: Vec::new(),
        };
        let assigned = assigned(self.topic_id, &self.committed);
        let (host, ctx) = (self.host.clone(), self.host.ctx());
        let mut open = Call::new(&host, S::open(&ctx, task, config, assigned));
        match open.step() {
            Step::Done(opened) => {
                let (sink, start) = opened?;
                let committed = |p| (p, self.committed.get(&p).copied().unwrap_or(0));
                self.next = (0..PARTITIONS).map(committed).collect();
                self.next
                    .extend(start.iter().map(|start| (start.partition, start.offset)));
                self.sink = Some(sink);
            }
            Step::Waiting => panic!("open must not wait"),
            Step::Killed => self.die(),
        }
        Ok(())
    }

    fn put(&mut self, partition: u32) {
        let first = self.next[&partition];
        let times = if matches!(self.trouble, Trouble::Twice) {
            2
        } else {
            1
        };
        for _ in 0..times {
            let put = self.call(async |sink, ctx, generation| {
                sink.put(ctx, generation, batch(partition, first)).await
            });
            let Some(failed) = put else {
                return;
            };
            assert!(failed.is_empty(), "no record of the contract is bad");
        }
        self.next.insert(partition, first + BATCH);
        self.puts += 1;
        if self.puts.is_multiple_of(3) {
            self.flush();
        }
    }

    /// Whether the flush went through.
    fn flush(&mut self) -> bool {
        let safe = self.call(async |sink, ctx, _| sink.flush(ctx).await);
        for TopicPosition {
            topic,
            partition,
            offset,
        } in safe.iter().flatten()
        {
            assert_eq!(topic, TOPIC);
            assert!(
                *offset <= self.next[partition],
                "what was not put is not safe"
            );
            self.committed.insert(*partition, *offset);
        }
        safe.is_some()
    }

    /// None when the call failed for now or the host was killed under it.
    fn call<T>(
        &mut self,
        call: impl AsyncFnOnce(&mut S, &longshore_sdk::Ctx, u64) -> Result<T, Fault>,
    ) -> Option<T> {
        let mut sink = self.sink.take().expect("the sink is open");
        let (host, ctx) = (self.host.clone(), self.host.ctx());
        let mut running = Call::new(&host, call(&mut sink, &ctx, self.generation));
        let step = running.step();
        drop(running);
        match step {
            Step::Done(done) => {
                self.sink = Some(sink);
                done.inspect_err(|fault| assert_eq!(fault.class, FaultClass::Retriable, "{fault}"))
                    .ok()
            }
            Step::Waiting => panic!("a sink must not wait"),
            Step::Killed => {
                self.die();
                None
            }
        }
    }

    fn die(&mut self) {
        self.sink = None;
        match self.trouble {
            Trouble::KillAt(_, loss) => self.host.restart(loss),
            _ => unreachable!("only this trouble kills"),
        }
    }
}

fn assigned(topic_id: &str, committed: &BTreeMap<u32, i64>) -> Vec<Assignment> {
    let one = |partition| Assignment {
        topic: TOPIC.to_owned(),
        topic_id: topic_id.to_owned(),
        partition,
        committed: committed.get(&partition).copied(),
    };
    (0..PARTITIONS).map(one).collect()
}

fn value(partition: u32, offset: i64) -> String {
    format!("{partition}-{offset}")
}

fn batch(partition: u32, first: i64) -> Batch<Vec<u8>> {
    let mut writer = BatchWriter::default();
    let topic = writer.topic(TOPIC).expect("one topic");
    for offset in first..(first + BATCH).min(RECORDS) {
        let value = value(partition, offset);
        let row = NewRow {
            topic: Some(topic),
            partition: Some(partition),
            offset: Some(offset),
            value: Datum::Text(&value),
            ..NewRow::default()
        };
        writer.push(&row).expect("a small batch");
    }
    Batch::parse(writer.finish().expect("a small batch")).expect("a batch by the layout")
}
