//! The plugin ports over instances.

mod sink;
mod source;
mod transform;

use std::path::PathBuf;
use std::sync::Arc;

use longshore_cap_files::{FilesClient, Work};
use longshore_cap_postgres::PostgresClient;
use longshore_disk::Disk;
use longshore_model::{ConnectorName, Fault, FaultClass, Role, SourcePosition, TaskId};
use longshore_pipeline::port::{
    Config, Generation, Leftover, PluginId, PluginInfo, Plugins, Problem, Signal, TaskEnv,
    TopicOffset,
};
use tokio::runtime::Handle;
use tokio::sync::watch;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::WasiCtx;

pub use sink::WasmSink;
pub use source::WasmSource;
pub use transform::WasmTransform;

use crate::bridge::records::{fault_in, leftover_in, offset_out, position_out, problem_in};
use crate::component::Runnable;
use crate::engine::Machine;
use crate::instance::{Control, GuestState, Instance, Patience};
use crate::limits::MemoryLimit;
use crate::shelf::{BrokenPlugin, Plugin, Shelf};
use crate::streams::Streams;
use crate::voice::Voice;
use crate::{Error, HostConfig, Limits, grants};

/// Most problems of one config that are shown.
const PROBLEMS_MAX: usize = 1_000;

/// Most things that a connector leaves behind.
const LEFTOVERS_MAX: usize = 100;

/// Most keys of one task's config.
const CONFIG_KEYS_MAX: usize = 1_000;

/// The shelf, and what makes instances of what stands on it.
#[derive(Clone)]
pub struct Host {
    inner: Arc<Inner>,
}

struct Inner {
    machine: Arc<Machine>,
    shelf: Shelf,
    disk: Arc<dyn Disk>,
    io: Handle,
    working_dir: PathBuf,
    data_dir: PathBuf,
    limits: Limits,
}

/// What a topic would hold, by a plugin that knows beforehand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contract {
    /// The topic.
    pub topic: String,
    /// Avro schema of the key in JSON.
    pub key_schema: Option<String>,
    /// Avro schema of the value in JSON.
    pub value_schema: Option<String>,
}

impl Host {
    /// Starts the engine and the guests' runtime. Capabilities work on `disk` and on the runtime
    /// that `io` is a handle of.
    ///
    /// # Errors
    /// When the engine does not start, or a built-in plugin is not one.
    pub fn start(config: HostConfig, disk: Arc<dyn Disk>, io: Handle) -> Result<Self, Error> {
        let machine = Arc::new(Machine::start(&config)?);
        let shelf = Shelf::new(config.plugin_path, &config.builtins)?;
        let inner = Inner {
            machine,
            shelf,
            disk,
            io,
            working_dir: config.working_dir,
            data_dir: config.data_dir,
            limits: config.limits,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// What of the plugin path is not a usable plugin, as of the last look.
    #[must_use]
    pub fn broken(&self) -> Vec<BrokenPlugin> {
        self.inner.shelf.broken()
    }

    /// The topics and schemas that a config would produce; `None` where the plugin does not know
    /// beforehand.
    ///
    /// # Errors
    /// When the plugin cannot be run, or says so itself.
    pub async fn contracts(
        &self,
        plugin: &PluginId,
        config: &Config,
    ) -> Result<Option<Vec<Contract>>, Fault> {
        let runnable = self.runnable(plugin).await?;
        if !runnable.has_contracts() {
            return Ok(None);
        }
        let (mut instance, config) = self.probe(&runnable, config).await?;
        let promised = instance.call("contracts", Patience::Call, |store, exports| {
            Box::pin(async move { exports.contracts().call_contracts(store, config).await })
        });
        let promised = promised.await?.map_err(fault_in)?.into_iter();
        let contracts = promised.map(|contract| Contract {
            topic: contract.topic,
            key_schema: contract.key_schema,
            value_schema: contract.value_schema,
        });
        Ok(Some(contracts.collect()))
    }

    /// Whether new positions of a source are all there is to change.
    ///
    /// # Errors
    /// When the plugin cannot be run, or refuses them.
    pub async fn alter_source_offsets(
        &self,
        plugin: &PluginId,
        config: &Config,
        positions: &[SourcePosition],
    ) -> Result<bool, Fault> {
        let runnable = self.runnable(plugin).await?;
        runnable.must_be(Role::Source)?;
        let (mut instance, config) = self.probe(&runnable, config).await?;
        let positions = positions.iter().map(position_out).collect();
        let altered = instance.call("alter-offsets", Patience::Call, |store, exports| {
            Box::pin(async move {
                exports
                    .source()
                    .call_alter_offsets(store, config, positions)
                    .await
            })
        });
        altered.await?.map_err(fault_in)
    }

    /// Whether new offsets of a sink are all there is to change.
    ///
    /// # Errors
    /// When the plugin cannot be run, or refuses them.
    pub async fn alter_sink_offsets(
        &self,
        plugin: &PluginId,
        config: &Config,
        offsets: &[TopicOffset],
    ) -> Result<bool, Fault> {
        let runnable = self.runnable(plugin).await?;
        runnable.must_be(Role::Sink)?;
        let (mut instance, config) = self.probe(&runnable, config).await?;
        let offsets = offsets.iter().map(offset_out).collect();
        let altered = instance.call("alter-offsets", Patience::Call, |store, exports| {
            Box::pin(async move {
                exports
                    .sink()
                    .call_alter_offsets(store, config, offsets)
                    .await
            })
        });
        altered.await?.map_err(fault_in)
    }

    async fn look(&self) -> Vec<Arc<Plugin>> {
        let inner = Arc::clone(&self.inner);
        let looked = tokio::task::spawn_blocking(move || inner.shelf.look());
        looked
            .await
            .expect("looking does not panic and is not aborted")
    }

    async fn runnable(&self, plugin: &PluginId) -> Result<Arc<Runnable>, Error> {
        let plugin = match self.inner.shelf.get(plugin) {
            Ok(plugin) => plugin,
            Err(_) => {
                self.look().await;
                self.inner.shelf.get(plugin)?
            }
        };
        plugin.runnable(&self.inner.machine).await
    }

    /// An instance that serves a task.
    async fn instance(&self, runnable: &Arc<Runnable>, env: TaskEnv) -> Result<Instance, Fault> {
        let inner = &*self.inner;
        let grant = grants::files(
            &runnable.manifest,
            &env.config,
            &inner.working_dir,
            &inner.data_dir,
        )?;
        let postgres = grants::postgres(&runnable.manifest, &env.config)?;
        let work = Work::Blocking(inner.io.clone());
        let voice = Voice::new();
        let state = GuestState {
            wasi: WasiCtx::builder().stderr(voice.clone()).build(),
            table: ResourceTable::new(),
            memory: MemoryLimit::new(inner.limits.memory_bytes),
            files: FilesClient::new(Arc::clone(&inner.disk), grant, work),
            postgres: PostgresClient::new(postgres, inner.io.clone()),
            io: inner.io.clone(),
            control: Control::new(),
            voice,
            schemas: env.schemas,
            progress: env.progress,
            metrics: env.metrics,
            told_of_metrics: false,
            streams: Streams::default(),
        };
        Instance::start(&inner.machine, Arc::clone(runnable), state, inner.limits).await
    }

    /// An instance that answers one question about a config and serves no task; and the config as
    /// it may see it.
    async fn probe(
        &self,
        runnable: &Arc<Runnable>,
        config: &Config,
    ) -> Result<(Instance, Config), Fault> {
        let name = config
            .iter()
            .find(|(key, _)| key == "name")
            .map(|(_, name)| name.as_str());
        let connector = name.and_then(|name| ConnectorName::parse(name).ok());
        let connector = connector.or_else(|| ConnectorName::parse(&runnable.manifest.name).ok());
        let connector = connector.ok_or_else(|| {
            let message = "the plugin has no name";
            Fault::new(FaultClass::Fatal, "plugin-manifest", message)
        })?;
        let env = TaskEnv {
            task: TaskId { connector, task: 0 },
            generation: Generation(0),
            config: config.clone(),
            schemas: Arc::default(),
            progress: watch::Sender::new(None),
            metrics: Arc::default(),
        };
        let instance = self.instance(runnable, env).await?;
        Ok((instance, grants::conceal(&runnable.manifest, config)))
    }
}

impl Plugins for Host {
    type Source = WasmSource;
    type Sink = WasmSink;
    type Transform = WasmTransform;

    async fn list(&self) -> Vec<PluginInfo> {
        let plugins = self.look().await;
        plugins.iter().map(|plugin| plugin.info.clone()).collect()
    }

    async fn find(&self, class: &str, version: Option<&str>) -> Option<PluginInfo> {
        let plugins = self.look().await;
        let wanted = |plugin: &&Arc<Plugin>| {
            let info = &plugin.info;
            let right_version = version.is_none_or(|version| *info.id.version == *version);
            right_version && info.manifest.answers_to(class)
        };
        plugins
            .iter()
            .find(wanted)
            .map(|plugin| plugin.info.clone())
    }

    async fn validate(&self, plugin: &PluginId, config: &Config) -> Result<Vec<Problem>, Fault> {
        let runnable = self.runnable(plugin).await?;
        let (mut instance, config) = self.probe(&runnable, config).await?;
        let problems = instance.call("validate", Patience::Call, |store, exports| {
            Box::pin(async move { exports.plugin.call_validate(store, config).await })
        });
        let problems = problems.await?.into_iter().take(PROBLEMS_MAX);
        Ok(problems.map(problem_in).collect())
    }

    async fn plan(
        &self,
        plugin: &PluginId,
        config: &Config,
        max_tasks: u32,
    ) -> Result<Vec<Config>, Fault> {
        let runnable = self.runnable(plugin).await?;
        let is_source = runnable.manifest.roles.contains(&Role::Source);
        if !is_source {
            runnable.must_be(Role::Sink)?;
        }
        let (mut instance, seen) = self.probe(&runnable, config).await?;
        let planned = instance.call("plan", Patience::Call, move |store, exports| {
            Box::pin(async move {
                if is_source {
                    exports.source().call_plan(store, seen, max_tasks).await
                } else {
                    exports.sink().call_plan(store, seen, max_tasks).await
                }
            })
        });
        let planned = planned.await?.map_err(fault_in)?;
        let too_many = planned.len() > usize::try_from(max_tasks).unwrap_or(usize::MAX);
        if too_many || planned.iter().any(|task| task.len() > CONFIG_KEYS_MAX) {
            let message = format!(
                "the plugin planned {} tasks of at most {max_tasks}, or one with over {CONFIG_KEYS_MAX} keys",
                planned.len()
            );
            return Err(Fault::new(FaultClass::Fatal, "plugin-bad-plan", message));
        }
        let reveal = |task| grants::reveal(&runnable.manifest, config, task);
        Ok(planned.into_iter().map(reveal).collect())
    }

    async fn leftovers(
        &self,
        plugin: &PluginId,
        config: &Config,
        positions: &[SourcePosition],
    ) -> Result<Option<Vec<Leftover>>, Fault> {
        let runnable = self.runnable(plugin).await?;
        if !runnable.has_cleanup() {
            return Ok(None);
        }
        let (mut instance, config) = self.probe(&runnable, config).await?;
        let positions = positions.iter().map(position_out).collect();
        let left = instance.call("leftovers", Patience::Call, |store, exports| {
            Box::pin(async move {
                exports
                    .cleanup()
                    .call_leftovers(store, config, positions)
                    .await
            })
        });
        let left = left.await?.map_err(fault_in)?.into_iter();
        Ok(Some(left.take(LEFTOVERS_MAX).map(leftover_in).collect()))
    }

    async fn cleanup(
        &self,
        plugin: &PluginId,
        config: &Config,
        positions: &[SourcePosition],
    ) -> Result<(), Fault> {
        let runnable = self.runnable(plugin).await?;
        if !runnable.has_cleanup() {
            return Ok(());
        }
        let (mut instance, config) = self.probe(&runnable, config).await?;
        let positions = positions.iter().map(position_out).collect();
        let cleaned = instance.call("cleanup", Patience::Call, |store, exports| {
            Box::pin(async move {
                exports
                    .cleanup()
                    .call_cleanup(store, config, positions)
                    .await
            })
        });
        cleaned.await?.map_err(fault_in)
    }

    async fn open_source(
        &self,
        plugin: &PluginId,
        env: TaskEnv,
        positions: Vec<SourcePosition>,
    ) -> Result<WasmSource, Fault> {
        let runnable = self.runnable(plugin).await?;
        runnable.must_be(Role::Source)?;
        let instance = self.instance(&runnable, env.clone()).await?;
        let seen = grants::conceal(&runnable.manifest, &env.config);
        WasmSource::open(instance, &env, seen, &positions).await
    }

    async fn make_sink(&self, plugin: &PluginId, env: TaskEnv) -> Result<WasmSink, Fault> {
        let runnable = self.runnable(plugin).await?;
        runnable.must_be(Role::Sink)?;
        let instance = self.instance(&runnable, env.clone()).await?;
        let seen = grants::conceal(&runnable.manifest, &env.config);
        Ok(WasmSink::new(instance, &env, seen))
    }

    async fn open_transform(
        &self,
        plugin: &PluginId,
        env: TaskEnv,
        config: &Config,
    ) -> Result<WasmTransform, Fault> {
        let runnable = self.runnable(plugin).await?;
        runnable.must_be(Role::Transform)?;
        // A transform is granted what its own config names, not what its connector's does.
        let env = TaskEnv {
            config: config.clone(),
            ..env
        };
        let instance = self.instance(&runnable, env).await?;
        let seen = grants::conceal(&runnable.manifest, config);
        WasmTransform::configure(instance, seen).await
    }
}

/// Speaks to an instance that is in a call.
#[derive(Clone, Debug)]
pub struct WasmSignal {
    control: Control,
}

impl WasmSignal {
    fn to(instance: &Instance) -> Self {
        Self {
            control: instance.control().clone(),
        }
    }
}

impl Signal for WasmSignal {
    fn wake(&self) {
        self.control.wake();
    }

    fn stop(&self) {
        self.control.stop();
    }
}
