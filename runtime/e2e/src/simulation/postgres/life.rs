//! One life of a worker that captures, until it is stopped, fails, or the power goes.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use longshore_cap_files::{FilesClient, FilesGrant, Work};
use longshore_disk::SimDisk;
use longshore_log::{Log, MemoryStore};
use longshore_model::{Fault, TopicName};
use longshore_pipeline::delivery::{OFFSETS_TOPIC, stored_positions};
use longshore_pipeline::flow::{Control, SourceParts, Target, run_source};
use longshore_pipeline::port::{BrokerResult, Clock, Fetch};
use longshore_pipeline::schemas::SchemaTable;
use longshore_pipeline::settings::FlowSettings;
use longshore_pipeline::telemetry::TaskMetrics;
use postgres_cdc::PostgresSource;
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::LocalSet;
use tokio_util::sync::CancellationToken;

use super::catalog::{DATABASE, PUBLICATION};
use super::connection::{Shared, SimulatedPostgres};
use crate::native::{Bell, NativeSource};
use crate::seed::Random;
use crate::simulation::life::End;
use crate::simulation::worker::{
    DATA, NoTransform, SimClock, create, env, open_log, settings, task, task_log,
};

pub(super) const PREFIX: &str = "shop";
const CONNECTOR: &str = "capture";
const JSON: &str = "org.apache.kafka.connect.json.JsonConverter";

/// What outlives a worker.
pub(super) struct Around<'w> {
    pub(super) disk: &'w SimDisk,
    pub(super) store: &'w MemoryStore,
    pub(super) server: &'w Shared,
}

/// What the connector is configured with, besides how it connects.
pub(super) struct Choices {
    pub(super) threads: u64,
    pub(super) slot_timeout_ms: u64,
    pub(super) flush_ms: u64,
}

impl Choices {
    pub(super) fn new(random: &mut Random) -> Self {
        Self {
            threads: random.within(1..4),
            slot_timeout_ms: random.within(100..3_000),
            flush_ms: random.within(1..2_000),
        }
    }
}

/// Lives while `work` goes on; it says whether to stop in good order.
pub(super) fn live<W>(around: &Around<'_>, choices: &Choices, work: impl FnOnce(Log) -> W) -> End
where
    W: Future<Output = bool>,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let local = LocalSet::new();
    let lived = local.block_on(&runtime, async {
        let clock: Arc<dyn Clock> = Arc::new(SimClock::new());
        let Ok(log) = open_log(around.disk, around.store, &clock) else {
            return End::Failed;
        };
        let Ok(parts) = source(&log, around, choices, clock).await else {
            return End::Failed;
        };
        let (target, running) = watch::channel(Target::Running);
        let stop = CancellationToken::new();
        let control = Control {
            target: running,
            stop: stop.clone(),
        };
        let mut task = tokio::task::spawn_local(run_source(parts, control));
        let end = tokio::select! {
            biased;
            ended = &mut task => {
                failed(ended.unwrap().expect_err("a task ended by itself"))
            }
            // An hour of simulated time is for ever.
            () = tokio::time::sleep(Duration::from_secs(3_600)) => {
                panic!("the capture stands still, the server so: {:?}", around.server.borrow().slot)
            }
            in_good_order = work(log.clone()) => {
                if in_good_order {
                    stop.cancel();
                    match task.await.unwrap() {
                        Ok(()) => End::Stopped,
                        Err(fault) => failed(fault),
                    }
                } else {
                    End::Crashed
                }
            }
        };
        log.close();
        drop(target);
        end
    });
    drop(local);
    lived
}

/// The disk may fail the log; the capture itself may not fail.
fn failed(fault: Fault) -> End {
    let of_capture = [
        "postgres",
        "false-watermark",
        "foreign-offset",
        "malformed",
        // The connector or the server panicked.
        "instance-gone",
    ];
    let is_of_capture = of_capture.iter().any(|code| fault.code.starts_with(code));
    assert!(!is_of_capture, "the capture failed: {} {fault}", fault.code);
    End::Failed
}

async fn source(
    log: &Log,
    around: &Around<'_>,
    choices: &Choices,
    clock: Arc<dyn Clock>,
) -> BrokerResult<SourceParts<Log, NativeSource, NoTransform>> {
    create(log, OFFSETS_TOPIC).await?;
    let (threads, timeout_ms) = (
        choices.threads.to_string(),
        choices.slot_timeout_ms.to_string(),
    );
    let (connector, worker) = settings(
        &[
            ("database.hostname", "simulated"),
            ("database.user", "capture"),
            ("database.dbname", DATABASE),
            ("topic.prefix", PREFIX),
            ("plugin.name", "pgoutput"),
            ("publication.name", PUBLICATION),
            ("slot.name", "capture"),
            ("slot.creation.timeout.ms", &timeout_ms),
            ("snapshot.max.threads", &threads),
            ("table.exclude.list", "public.ignored"),
            ("key.converter", JSON),
            ("key.converter.schemas.enable", "false"),
            ("value.converter", JSON),
            ("value.converter.schemas.enable", "false"),
        ],
        choices.flush_ms,
    );
    let log = task_log(log, &task(CONNECTOR)).await?;
    let offsets = TopicName::parse(OFFSETS_TOPIC).unwrap();
    let offsets = log.broker().replay(&offsets).await?;
    let stored = stored_positions(&log.task().connector, &offsets);
    let offset = stored.first().map(|stored| &*stored.position.offset);
    check_confirmed(around.server, offset);
    let schemas = Arc::new(SchemaTable::default());
    let env = env(&log, &connector, &schemas);
    let grant = FilesGrant::new(PathBuf::from("/"), Path::new(DATA));
    let files = FilesClient::new(Arc::new(around.disk.clone()), grant, Work::Inline);
    let bell = Bell::default();
    let server = SimulatedPostgres::new(Rc::clone(around.server), bell.clone());
    let server = Some(Rc::new(server) as _);
    let plugin =
        NativeSource::open_beside::<PostgresSource>(env, files, server, bell, stored.clone());
    Ok(SourceParts {
        log,
        plugin: plugin.await.unwrap(),
        transforms: Vec::new(),
        settings: FlowSettings::for_source(&connector, &worker).unwrap(),
        schemas,
        stored,
        metrics: TaskMetrics::default(),
        clock,
    })
}

/// What is stored now was durable when the crash came. Nothing behind it may ever have been confirmed (invariant 1).
fn check_confirmed(server: &Shared, offset: Option<&str>) {
    let server = server.borrow();
    let Some(slot) = &server.slot else {
        return;
    };
    let offset: Value = offset.map_or(Value::Null, |offset| serde_json::from_str(offset).unwrap());
    let durable = match offset["phase"].as_str() {
        Some("stream" | "snapshot") => offset["lsn"].as_u64().unwrap(),
        // The slot is there, and nothing behind its consistent point was confirmed.
        _ => slot.consistent,
    };
    assert!(
        slot.noted <= durable,
        "{:X} was confirmed, and only {durable:X} was durable",
        slot.noted
    );
}
