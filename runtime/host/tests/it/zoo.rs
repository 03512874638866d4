//! Guests, hosts and tasks for tests.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use longshore_disk::RealDisk;
use longshore_host::{Host, HostConfig, Limits, WasmSource};
use longshore_model::batch::{Batch, Datum};
use longshore_model::{ConnectorName, Fault, SourcePosition, TaskId};
use longshore_pipeline::port::{Config, Generation, PluginId, Plugins as _, TaskEnv};
use longshore_pipeline::telemetry::PluginMetrics;
use tokio::runtime::Handle;
use tokio::sync::watch;

const BUILD: &str = "cargo xtask plugins";

/// The compiled guest of that name: of the zoo, of the testkit, or a connector.
pub(crate) fn guest(name: &str) -> PathBuf {
    let dir = zoo_dir();
    // Cargo puts examples into a folder beside the libraries, which connectors are.
    let library = format!("../{}.wasm", name.replace('-', "_"));
    let file = [dir.join(format!("{name}.wasm")), dir.join(library)];
    let file = file.into_iter().find(|file| file.is_file());
    file.unwrap_or_else(|| {
        panic!(
            "{name}.wasm is not in {}: run\n\n    {BUILD}\n\nor name the folder in LONGSHORE_ZOO",
            dir.display()
        )
    })
}

fn zoo_dir() -> PathBuf {
    if let Some(dir) = std::env::var_os("LONGSHORE_ZOO") {
        return PathBuf::from(dir);
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = std::env::var_os("CARGO_TARGET_DIR");
    let target = target.map_or_else(|| root.join("target"), |dir| root.join(dir));
    target.join("wasm32-wasip2/guest/examples")
}

/// Limits that a test need not wait long for.
pub(crate) fn tight() -> Limits {
    Limits {
        memory_bytes: 64 << 20,
        cpu: Duration::from_millis(200),
        call: Duration::from_millis(500),
        stop: Duration::from_millis(200),
    }
}

/// A host whose shelf holds these guests.
pub(crate) fn host(guests: &[&str], limits: Limits) -> Host {
    let working_dir = std::env::temp_dir();
    host_in(&working_dir, guests, limits)
}

pub(crate) fn host_in(working_dir: &Path, guests: &[&str], limits: Limits) -> Host {
    let config = HostConfig {
        plugin_path: guests.iter().map(|name| guest(name)).collect(),
        builtins: Vec::new(),
        cache_dir: Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled-guests")),
        data_dir: working_dir.join("longshore-data"),
        working_dir: working_dir.to_owned(),
        limits,
        guest_threads: None,
    };
    Host::start(config, Arc::new(RealDisk), Handle::current()).expect("the engine starts")
}

/// The id of the guest of that name.
pub(crate) async fn id(host: &Host, name: &str) -> PluginId {
    let found = host.find(name, None).await;
    found
        .unwrap_or_else(|| panic!("{name} is not on the shelf: {:?}", host.broken()))
        .id
}

pub(crate) fn config(entries: &[(&str, &str)]) -> Config {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    entries.iter().map(owned).collect()
}

/// The outside of a task that an instance serves.
pub(crate) struct Task {
    pub(crate) env: TaskEnv,
    pub(crate) progress: watch::Receiver<Option<String>>,
    pub(crate) metrics: Arc<PluginMetrics>,
}

impl Task {
    pub(crate) fn new(connector: &str, entries: &[(&str, &str)]) -> Self {
        let (sender, progress) = watch::channel(None);
        let connector = ConnectorName::parse(connector).expect("a legal name");
        let metrics = Arc::new(PluginMetrics::default());
        let env = TaskEnv {
            task: TaskId { connector, task: 0 },
            generation: Generation(1),
            config: config(entries),
            schemas: Arc::default(),
            progress: sender,
            metrics: Arc::clone(&metrics),
        };
        Self {
            env,
            progress,
            metrics,
        }
    }

    pub(crate) fn count(&self, name: &str) -> u64 {
        self.metrics.snapshot().0.get(name).copied().unwrap_or(0)
    }

    /// Waits until everything of the instance is gone, its store first of all.
    pub(crate) async fn ended(self) {
        let Self {
            env, mut progress, ..
        } = self;
        drop(env);
        while progress.changed().await.is_ok() {}
    }
}

/// Opens a source that is a guest of the zoo.
pub(crate) async fn open(
    host: &Host,
    name: &str,
    task: &Task,
    positions: Vec<SourcePosition>,
) -> Result<WasmSource, Fault> {
    let id = id(host, name).await;
    host.open_source(&id, task.env.clone(), positions).await
}

/// A host with one guest under tight limits, and a source of it without a config.
pub(crate) async fn lone_source(name: &str, entries: &[(&str, &str)]) -> (Task, WasmSource) {
    let host = host(&[name], tight());
    let task = Task::new(name, entries);
    let source = open(&host, name, &task, Vec::new()).await;
    (task, source.expect("it opens"))
}

/// The texts of a batch's values.
pub(crate) fn texts(batch: &Batch<Bytes>) -> Vec<&str> {
    let text = |value| match value {
        Datum::Text(text) => text,
        other => panic!("{other:?} is not text"),
    };
    batch.rows().map(|row| text(row.value())).collect()
}
