//! One life of a worker, until it is stopped, fails, or the power goes.

use std::cell::RefCell;
use std::future::Future;
use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

use longshore_disk::SimDisk;
use longshore_log::{Log, MemoryStore};
use longshore_model::TopicPartition;
use longshore_pipeline::port::Fetch;
use tokio::task::LocalSet;

use super::input::Input;
use super::worker::{DEAD_LETTERS, GROUP, TOPIC, Worker, partition};
use crate::seed::Random;

/// All values of a partition; none where there is no such topic.
async fn values(log: &Log, partition: &TopicPartition) -> Vec<Vec<u8>> {
    let mut values = Vec::new();
    let Ok((mut offset, end)) = Fetch::bounds(log, partition).await else {
        return values;
    };
    while offset < end {
        let fetched = Fetch::fetch(log, partition, offset, 1 << 20).await.unwrap();
        let value = |range: &Option<Range<u32>>| fetched.bytes(range.as_ref().unwrap()).to_vec();
        values.extend(fetched.records.iter().map(|record| value(&record.value)));
        offset = fetched.next_offset;
    }
    values
}

/// How a life ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Stopped,
    Failed,
    Crashed,
}

#[derive(Debug)]
pub(super) struct Life<'w> {
    disk: &'w SimDisk,
    store: &'w MemoryStore,
    input: &'w mut Input,
    random: &'w mut Random,
}

impl<'w> Life<'w> {
    pub(super) fn new(
        disk: &'w SimDisk,
        store: &'w MemoryStore,
        input: &'w mut Input,
        random: &'w mut Random,
    ) -> Self {
        Self {
            disk,
            store,
            input,
            random,
        }
    }

    /// Ends when the sink's group has committed the last line; the dead letters there are then.
    pub(super) fn live_until_everything_arrived(self) -> (End, Vec<Vec<u8>>) {
        let lines = self.input.lines();
        let letters = Rc::new(RefCell::new(Vec::new()));
        let found = Rc::clone(&letters);
        let end = self.live(|log, _, _| async move {
            let partition = partition(TOPIC);
            loop {
                let committed = Fetch::committed(&log, GROUP, std::slice::from_ref(&partition));
                if committed.await.unwrap() == [Some(lines)] {
                    found.replace(values(&log, &self::partition(DEAD_LETTERS)).await);
                    return true;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        });
        (end, letters.take())
    }

    pub(super) fn live_a_while(self) -> End {
        self.live(|_, input, random| async move {
            for _ in 0..random.within(1..40) {
                input.step(random);
                tokio::time::sleep(Duration::from_millis(random.within(0..400))).await;
            }
            random.one_in(3)
        })
    }

    /// Lives while `work` goes on; it says whether to stop in good order.
    fn live<'i, W>(self, work: impl FnOnce(Log, &'i mut Input, &'i mut Random) -> W) -> End
    where
        'w: 'i,
        W: Future<Output = bool> + 'i,
    {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let local = LocalSet::new();
        let flush_ms = self.random.within(1..2_000);
        let Self {
            disk,
            store,
            input,
            random,
        } = self;
        let input_disk = input.disk.clone();
        let lived = local.block_on(&runtime, async {
            let Ok(worker) = Worker::start(disk, &input_disk, store, flush_ms).await else {
                return End::Failed;
            };
            let mut tasks = worker.tasks;
            let work = work(worker.log.clone(), input, random);
            tokio::select! {
                biased;
                // An hour of simulated time is for ever.
                () = tokio::time::sleep(Duration::from_secs(3_600)) => End::Crashed,
                Some(ended) = tasks.join_next() => {
                    assert!(ended.unwrap().is_err(), "a task ended by itself");
                    End::Failed
                }
                in_good_order = work => {
                    if !in_good_order {
                        return End::Crashed;
                    }
                    worker.stop.cancel();
                    let mut ended = Vec::new();
                    while let Some(task) = tasks.join_next().await {
                        ended.push(task.unwrap());
                    }
                    worker.log.close();
                    if ended.iter().all(Result::is_ok) { End::Stopped } else { End::Failed }
                }
            }
        });
        drop(local);
        lived
    }
}
