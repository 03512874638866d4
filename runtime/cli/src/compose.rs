//! The composition: the only file that names concrete types together.

mod clock;
mod seal_key;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use longshore_disk::RealDisk;
use longshore_host::{Builtin, Host, HostConfig, Limits};
use longshore_log::{Flush, Log, LogConfig, LogThreads};
use longshore_model::TopicName;
use longshore_pipeline::port::{Clock, Problem};
use longshore_pipeline::settings::FlowSettings;
use longshore_pipeline::telemetry::Metrics;
use longshore_rest::{Api, Identity, Rest};
use longshore_wire::{Listener, WireConfig};
use longshore_worker::{CONFIGS_TOPIC, Worker, WorkerConfig, WorkerHandle};
use prometheus_client::registry::Registry;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::builtin::BUILTINS;
use crate::config::{FlushSetting, Settings, resolve};
use crate::error::{Code, Failure, Result};
use clock::SystemClock;

/// Where compiled components are kept, under the data directory.
const COMPONENT_CACHE: &str = "component-cache";

/// A worker with everything that it needs, running.
pub(crate) struct Running {
    rest: SocketAddr,
    kafka: Vec<SocketAddr>,
    /// Ends the worker: its tasks come to rest.
    work: CancellationToken,
    /// Ends the listeners, once the tasks are at rest.
    doors: CancellationToken,
    worker: JoinSet<()>,
    listeners: JoinSet<()>,
    log: Log,
    log_threads: LogThreads,
}

impl Running {
    /// Puts everything together and starts it. Once this returns, everything answers.
    pub(crate) async fn start(settings: &Settings) -> Result<Self> {
        // Nothing is asked of the log before the addresses are known to be free.
        let door = bind_rest(settings).await?;
        let rest = *door
            .addresses()
            .first()
            .expect("settings name at least one listener");
        let worker_config = worker_config(settings, rest)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let (log, log_threads) = open_log(settings, &clock).await?;
        let host = start_host(settings)?;
        let mut registry = Registry::default();
        let metrics = Metrics::register(&mut registry);
        let seal = seal_key::load(settings)?;
        let worker = Worker::open(log.clone(), host, worker_config, seal, clock, metrics);
        let worker = worker
            .await
            .map_err(|error| Failure::new(Code::WorkerFailed, error.to_string()))?;
        let cluster_id = cluster_id(&log);
        let kafka = bind_kafka(settings, &log, cluster_id.clone()).await?;
        let kafka_addresses = kafka.bound().map(|bound| bound.local).collect();
        let (work, doors) = (CancellationToken::new(), CancellationToken::new());
        let api = api(worker.handle(), cluster_id, registry, doors.clone());
        let mut running = Self {
            rest,
            kafka: kafka_addresses,
            work: work.clone(),
            doors: doors.clone(),
            worker: JoinSet::new(),
            listeners: JoinSet::new(),
            log,
            log_threads,
        };
        running.worker.spawn(worker.run(work));
        running.listeners.spawn(kafka.serve(doors));
        running.listeners.spawn(door.serve(api));
        Ok(running)
    }

    pub(crate) fn rest_url(&self) -> String {
        format!("http://{}", reachable(self.rest))
    }

    /// Addresses of the Kafka listeners, separated by commas.
    pub(crate) fn kafka_addresses(&self) -> String {
        let addresses = self
            .kafka
            .iter()
            .map(|address| reachable(*address).to_string());
        addresses.collect::<Vec<_>>().join(",")
    }

    /// Waits until something ends that should not.
    pub(crate) async fn failed(&mut self) -> Failure {
        let reason = tokio::select! {
            Some(ended) = self.worker.join_next() => describe("the worker's loop", ended),
            Some(ended) = self.listeners.join_next() => describe("a listener", ended),
        };
        Failure::new(Code::WorkerFailed, reason)
    }

    /// Lets the tasks come to rest, then closes the listeners and the log.
    pub(crate) async fn stop(mut self) {
        self.work.cancel();
        while self.worker.join_next().await.is_some() {}
        self.doors.cancel();
        while self.listeners.join_next().await.is_some() {}
        self.log.close();
        // Dropping the threads waits until everything queued is on disk.
        let threads = self.log_threads;
        drop(tokio::task::spawn_blocking(move || drop(threads)).await);
    }
}

fn describe(what: &str, ended: std::result::Result<(), tokio::task::JoinError>) -> String {
    ended.map_or_else(
        |error| format!("{what}: {error}"),
        |()| format!("{what} ended"),
    )
}

async fn bind_rest(settings: &Settings) -> Result<Rest> {
    let taken = |reason: String| {
        Failure::new(Code::PortTaken, reason)
            .at("listeners")
            .fix("port 0 takes a free one")
    };
    let addresses = settings
        .rest
        .iter()
        .map(|listener| resolve(&listener.host, listener.port));
    let addresses = addresses
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(taken)?;
    Rest::bind(&addresses)
        .await
        .map_err(|error| taken(error.to_string()))
}

async fn bind_kafka(settings: &Settings, log: &Log, cluster_id: String) -> Result<Listener> {
    let config = WireConfig {
        advertised: settings.kafka_advertised.clone(),
        auto_create_topics: settings.auto_create_topics,
        ..WireConfig::new(settings.kafka.clone(), cluster_id)
    };
    let bound = Listener::bind(config, log.clone()).await;
    bound.map_err(|error| {
        let code = match error {
            longshore_wire::Error::Bind { .. } => Code::PortTaken,
            longshore_wire::Error::Endpoint { .. } => Code::ConfigInvalid,
        };
        Failure::new(code, error.to_string())
            .at("kafka.listeners")
            .fix("port 0 takes a free one")
    })
}

fn worker_config(settings: &Settings, rest: SocketAddr) -> Result<WorkerConfig> {
    let host = settings
        .advertised_host
        .clone()
        .unwrap_or_else(|| reachable(rest).ip().to_string());
    let port = settings.advertised_port.unwrap_or_else(|| rest.port());
    let wrong = |problems: Vec<Problem>| {
        let lines: Vec<String> = problems
            .iter()
            .map(|problem| {
                format!(
                    "{} {}: {}",
                    problem.key,
                    settings.origin(&problem.key),
                    problem.fault.message
                )
            })
            .collect();
        let first = problems
            .first()
            .map(|problem| problem.key.clone())
            .unwrap_or_default();
        Failure::new(Code::ConfigInvalid, lines.join("\n")).at(first)
    };
    // What the connectors would trip over is said now, not when the first one is deployed.
    let table = settings.table.clone();
    FlowSettings::for_source(&std::collections::BTreeMap::new(), &table).map_err(wrong)?;
    WorkerConfig::parse(&format!("{host}:{port}"), table).map_err(wrong)
}

/// Opening replays the journal behind the last checkpoint, which blocks.
async fn open_log(settings: &Settings, clock: &Arc<dyn Clock>) -> Result<(Log, LogThreads)> {
    let config = LogConfig {
        flush: match settings.flush {
            FlushSetting::Commit => Flush::Commit,
            FlushSetting::Interval(every) => Flush::Interval(every),
        },
        num_partitions: settings.num_partitions,
        ..LogConfig::default()
    };
    let (dir, clock) = (settings.data_dir.clone(), Arc::clone(clock));
    let opened = tokio::task::spawn_blocking(move || Log::start(&dir, config, clock)).await;
    let opened = opened.map_err(|error| Failure::new(Code::DataDir, error.to_string()))?;
    opened.map_err(|error| {
        let code = match error {
            longshore_log::Error::InUse(_) => Code::DataDirInUse,
            longshore_log::Error::UnknownFormat { .. } => Code::DataDirFormat,
            _ => Code::DataDir,
        };
        Failure::new(code, error.to_string()).at(settings.data_dir.display().to_string())
    })
}

fn start_host(settings: &Settings) -> Result<Host> {
    let failed = |error: &dyn std::fmt::Display| Failure::new(Code::Plugins, error.to_string());
    let absolute = |path: &Path| std::path::absolute(path).map_err(|error| failed(&error));
    let data_dir = absolute(&settings.data_dir)?;
    let config = HostConfig {
        plugin_path: settings.plugin_path.clone(),
        builtins: BUILTINS
            .iter()
            .map(|(name, bytes)| Builtin { name, bytes })
            .collect(),
        cache_dir: Some(data_dir.join(COMPONENT_CACHE)),
        working_dir: absolute(Path::new("."))?,
        data_dir,
        limits: Limits::default(),
        guest_threads: None,
    };
    let io = tokio::runtime::Handle::current();
    Host::start(config, Arc::new(RealDisk), io).map_err(|error| failed(&error))
}

/// Names the data directory for as long as it lives: the id of its oldest internal topic.
fn cluster_id(log: &Log) -> String {
    let topic = TopicName::parse(CONFIGS_TOPIC)
        .ok()
        .and_then(|name| log.topic(&name));
    topic
        .map(|topic| topic.id.simple().to_string())
        .unwrap_or_default()
}

fn api(
    worker: WorkerHandle<Log, Host>,
    cluster_id: String,
    registry: Registry,
    shutdown: CancellationToken,
) -> Api<Log, Host> {
    let identity = Identity {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: option_env!("LONGSHORE_COMMIT")
            .unwrap_or("unknown")
            .to_owned(),
        cluster_id,
    };
    Api {
        worker,
        identity,
        registry: Arc::new(registry),
        shutdown,
    }
}

/// An address that a client on this machine can use.
fn reachable(address: SocketAddr) -> SocketAddr {
    if !address.ip().is_unspecified() {
        return address;
    }
    let loopback = match address {
        SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
        SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(loopback, address.port())
}
