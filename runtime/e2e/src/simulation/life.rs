//! One life of a worker: the log, a source task and a sink task, until it is stopped, fails, or the
//! power goes.

use std::cell::RefCell;
use std::future::Future;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::native::{NativeSink, NativeSource};
use file_sink::FileSink;
use file_source::FileSource;
use longshore_cap_files::{Access, FilesClient, FilesGrant, Work};
use longshore_disk::SimDisk;
use longshore_log::{Log, LogConfig, MemoryStore, Parts};
use longshore_model::{ConnectorName, Fault, TaskId, TopicName, TopicPartition};
use longshore_pipeline::delivery::{OFFSETS_TOPIC, TaskLog, stored_positions};
use longshore_pipeline::flow::{Control, SinkParts, SourceParts, Target, run_sink, run_source};
use longshore_pipeline::port::{
    Append, Assignment, BrokerError, BrokerResult, Clock, Fetch, NewTopic, Owner, TaskEnv, Topics,
    TransformPlugin,
};
use longshore_pipeline::schemas::SchemaTable;
use longshore_pipeline::settings::{FlowSettings, Settings};
use longshore_pipeline::telemetry::{PluginMetrics, TaskMetrics};
use tokio::sync::watch;
use tokio::task::LocalSet;
use tokio_util::sync::CancellationToken;

use super::input::Input;
use super::world::{DATA, OUTPUT};
use crate::seed::Random;

const TOPIC: &str = "lines";
const DEAD_LETTERS: &str = "dead-letters";
const GROUP: &str = "connect-sink";

fn partition(topic: &str) -> TopicPartition {
    TopicPartition {
        topic: TopicName::parse(topic).unwrap(),
        partition: 0,
    }
}

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

/// No transforms here.
#[derive(Debug)]
struct NoTransform;

impl TransformPlugin for NoTransform {
    async fn apply(&mut self, batch: bytes::Bytes) -> Result<bytes::Bytes, Fault> {
        Ok(batch)
    }
}

/// Follows tokio's paused time.
#[derive(Debug)]
struct SimClock(tokio::time::Instant);

impl Clock for SimClock {
    fn now_ms(&self) -> i64 {
        let since = self.0.elapsed().as_millis();
        1_700_000_000_000 + i64::try_from(since).unwrap()
    }
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

/// What runs in a life.
struct Worker {
    log: Log,
    stop: CancellationToken,
    tasks: tokio::task::JoinSet<Result<(), Fault>>,
    _target: watch::Sender<Target>,
    _assigned: watch::Sender<Vec<Assignment>>,
}

impl Worker {
    async fn start(
        disk: &SimDisk,
        input: &SimDisk,
        store: &MemoryStore,
        flush_ms: u64,
    ) -> BrokerResult<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SimClock(tokio::time::Instant::now()));
        let config = LogConfig {
            file_bytes: 16 << 10,
            checkpoint_bytes: 8 << 10,
            upkeep_interval: Duration::from_millis(700),
            copy_bytes_max: 4 << 10,
            ..LogConfig::default()
        };
        let parts = Log::open(
            Path::new(DATA),
            config,
            Arc::clone(&clock),
            Arc::new(disk.clone()),
            Arc::new(store.clone()),
        );
        let Parts {
            log,
            committer,
            upkeep,
            lock,
        } = parts.map_err(|e| BrokerError::Failed(e.to_string()))?;
        let stop = CancellationToken::new();
        tokio::task::spawn_local(committer.run());
        let upkeep_stop = CancellationToken::new();
        tokio::task::spawn_local(async move {
            upkeep.run(upkeep_stop).await;
            drop(lock);
        });
        for topic in [OFFSETS_TOPIC, TOPIC] {
            create(&log, topic).await?;
        }
        let (target, running) = watch::channel(Target::Running);
        let control = Control {
            target: running,
            stop: stop.clone(),
        };
        let mut tasks = tokio::task::JoinSet::new();
        let source = source(&log, input, flush_ms, &clock).await?;
        tasks.spawn_local(run_source(source, control.clone()));
        let (sink, assigned) = sink(&log, disk, flush_ms, clock).await?;
        tasks.spawn_local(run_sink(sink, control));
        Ok(Self {
            log,
            stop,
            tasks,
            _target: target,
            _assigned: assigned,
        })
    }
}

async fn create(log: &Log, name: &str) -> BrokerResult<()> {
    let topic = NewTopic {
        name: TopicName::parse(name).unwrap(),
        partitions: Some(1),
        configs: std::collections::BTreeMap::new(),
    };
    match Topics::create_topic(log, topic).await {
        Ok(_) | Err(BrokerError::TopicExists(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

fn settings(pairs: &[(&str, &str)], flush_ms: u64) -> (Settings, Settings) {
    let connector = pairs.iter();
    let connector = connector.map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    let worker = Settings::from([("offset.flush.interval.ms".to_owned(), flush_ms.to_string())]);
    (connector.collect(), worker)
}

fn task(name: &str) -> TaskId {
    TaskId {
        connector: ConnectorName::parse(name).unwrap(),
        task: 0,
    }
}

async fn task_log(log: &Log, task: &TaskId) -> BrokerResult<TaskLog<Log>> {
    let generation = Append::raise(log, &[Owner::task(task)]).await?;
    Ok(TaskLog::new(log.clone(), task.clone(), generation))
}

fn env(log: &TaskLog<Log>, connector: &Settings, schemas: &Arc<SchemaTable>) -> TaskEnv {
    TaskEnv {
        task: log.task().clone(),
        generation: log.generation(),
        config: connector.clone().into_iter().collect(),
        schemas: Arc::clone(schemas),
        progress: watch::Sender::new(None),
        metrics: Arc::new(PluginMetrics::default()),
    }
}

fn files(disk: &SimDisk, access: Access, path: &str) -> FilesClient {
    let mut grant = FilesGrant::new(PathBuf::from("/"), Path::new(DATA));
    grant.name(access, path).unwrap();
    FilesClient::new(Arc::new(disk.clone()), grant, Work::Inline)
}

async fn source(
    log: &Log,
    input: &SimDisk,
    flush_ms: u64,
    clock: &Arc<dyn Clock>,
) -> BrokerResult<SourceParts<Log, NativeSource, NoTransform>> {
    let path = "/in/app.log";
    let (connector, worker) = settings(
        &[
            ("file", path),
            ("topic", TOPIC),
            (
                "value.converter",
                "org.apache.kafka.connect.storage.StringConverter",
            ),
        ],
        flush_ms,
    );
    let log = task_log(log, &task("source")).await?;
    let offsets = log
        .broker()
        .replay(&TopicName::parse(OFFSETS_TOPIC).unwrap())
        .await?;
    let stored = stored_positions(&log.task().connector, &offsets);
    let schemas = Arc::new(SchemaTable::default());
    let env = env(&log, &connector, &schemas);
    let files = files(input, Access::Read, path);
    let plugin = NativeSource::open::<FileSource>(env, files, stored.clone())
        .await
        .unwrap();
    Ok(SourceParts {
        log,
        plugin,
        transforms: Vec::new(),
        settings: FlowSettings::for_source(&connector, &worker).unwrap(),
        schemas,
        stored,
        metrics: TaskMetrics::default(),
        clock: Arc::clone(clock),
    })
}

async fn sink(
    log: &Log,
    disk: &SimDisk,
    flush_ms: u64,
    clock: Arc<dyn Clock>,
) -> BrokerResult<(
    SinkParts<Log, NativeSink, NoTransform>,
    watch::Sender<Vec<Assignment>>,
)> {
    let (connector, worker) = settings(
        &[
            ("file", OUTPUT),
            ("topics", TOPIC),
            (
                "value.converter",
                "org.apache.kafka.connect.json.JsonConverter",
            ),
            ("value.converter.schemas.enable", "false"),
            ("errors.tolerance", "all"),
            ("errors.deadletterqueue.topic.name", DEAD_LETTERS),
        ],
        flush_ms,
    );
    let log = task_log(log, &task("sink")).await?;
    let schemas = Arc::new(SchemaTable::default());
    let env = env(&log, &connector, &schemas);
    let files = files(disk, Access::Write, OUTPUT);
    let partition = partition(TOPIC);
    let topic = Topics::topic(log.broker(), &partition.topic)
        .await?
        .unwrap();
    let committed = Fetch::committed(log.broker(), GROUP, std::slice::from_ref(&partition)).await?;
    let (sender, assigned) = watch::channel(vec![Assignment {
        partition,
        topic_id: topic.id,
        committed: committed[0],
    }]);
    let parts = SinkParts {
        log,
        plugin: NativeSink::new::<FileSink>(env, files).unwrap(),
        transforms: Vec::new(),
        settings: FlowSettings::for_sink(&connector, &worker).unwrap(),
        schemas,
        group: GROUP.to_owned(),
        assigned,
        metrics: TaskMetrics::default(),
        clock,
    };
    Ok((parts, sender))
}
