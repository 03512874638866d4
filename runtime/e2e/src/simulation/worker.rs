//! What runs in a life: the log, a source task and a sink task, put together as a worker does it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

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
use tokio_util::sync::CancellationToken;

use crate::native::{NativeSink, NativeSource};

/// Where the log lies, and where the sink writes.
pub(super) const DATA: &str = "/data/log";
pub(super) const OUTPUT: &str = "/out/copy.log";
pub(super) const TOPIC: &str = "lines";
pub(super) const DEAD_LETTERS: &str = "dead-letters";
pub(super) const GROUP: &str = "connect-sink";

pub(super) fn partition(topic: &str) -> TopicPartition {
    TopicPartition {
        topic: TopicName::parse(topic).unwrap(),
        partition: 0,
    }
}

/// What runs in a life.
pub(super) struct Worker {
    pub(super) log: Log,
    pub(super) stop: CancellationToken,
    pub(super) tasks: tokio::task::JoinSet<Result<(), Fault>>,
    _target: watch::Sender<Target>,
    _assigned: watch::Sender<Vec<Assignment>>,
}

impl Worker {
    pub(super) async fn start(
        disk: &SimDisk,
        input: &SimDisk,
        store: &MemoryStore,
        flush_ms: u64,
    ) -> BrokerResult<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SimClock::new());
        let log = open_log(disk, store, &clock)?;
        let stop = CancellationToken::new();
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

/// The log as the disk has it, and what keeps it going.
pub(super) fn open_log(
    disk: &SimDisk,
    store: &MemoryStore,
    clock: &Arc<dyn Clock>,
) -> BrokerResult<Log> {
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
        Arc::clone(clock),
        Arc::new(disk.clone()),
        Arc::new(store.clone()),
    );
    let Parts {
        log,
        committer,
        upkeep,
        lock,
    } = parts.map_err(|e| BrokerError::Failed(e.to_string()))?;
    tokio::task::spawn_local(committer.run());
    let upkeep_stop = CancellationToken::new();
    tokio::task::spawn_local(async move {
        upkeep.run(upkeep_stop).await;
        drop(lock);
    });
    Ok(log)
}

pub(super) async fn create(log: &Log, name: &str) -> BrokerResult<()> {
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

pub(super) fn settings(pairs: &[(&str, &str)], flush_ms: u64) -> (Settings, Settings) {
    let connector = pairs.iter();
    let connector = connector.map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    let worker = Settings::from([("offset.flush.interval.ms".to_owned(), flush_ms.to_string())]);
    (connector.collect(), worker)
}

pub(super) fn task(name: &str) -> TaskId {
    TaskId {
        connector: ConnectorName::parse(name).unwrap(),
        task: 0,
    }
}

pub(super) async fn task_log(log: &Log, task: &TaskId) -> BrokerResult<TaskLog<Log>> {
    let generation = Append::raise(log, &[Owner::task(task)]).await?;
    Ok(TaskLog::new(log.clone(), task.clone(), generation))
}

pub(super) fn env(log: &TaskLog<Log>, connector: &Settings, schemas: &Arc<SchemaTable>) -> TaskEnv {
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

/// No transforms here.
#[derive(Debug)]
pub(super) struct NoTransform;

impl TransformPlugin for NoTransform {
    async fn apply(&mut self, batch: bytes::Bytes) -> Result<bytes::Bytes, Fault> {
        Ok(batch)
    }
}

/// Follows tokio's paused time.
#[derive(Debug)]
pub(super) struct SimClock(tokio::time::Instant);

impl SimClock {
    pub(super) fn new() -> Self {
        Self(tokio::time::Instant::now())
    }
}

impl Clock for SimClock {
    fn now_ms(&self) -> i64 {
        let since = self.0.elapsed().as_millis();
        1_700_000_000_000 + i64::try_from(since).unwrap()
    }
}
