//! What a connector's config comes to: a plugin, transforms, flow settings, one config a task.

use longshore_model::config::ConfigDef;
use longshore_model::{ConnectorName, Fault, FaultClass, Role};
use longshore_pipeline::port::{Config, PluginId, PluginInfo, Plugins, Problem};
use longshore_pipeline::settings::{FlowSettings, Settings};
use longshore_pipeline::transform::parse_chain;

use super::TopicSelection;
use crate::status::Kind;

/// One transform of the chain.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) plugin: PluginId,
    pub(crate) config: Config,
}

/// Everything that a connector's tasks share.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) connector: ConnectorName,
    pub(crate) plugin: PluginInfo,
    pub(crate) kind: Kind,
    pub(crate) flow: FlowSettings,
    pub(crate) steps: Vec<Step>,
    /// What a sink reads; `None` for a source.
    pub(crate) selection: Option<TopicSelection>,
    /// One config a task.
    pub(crate) tasks: Vec<Config>,
}

impl Plan {
    /// Asks the plugin for its tasks.
    pub(crate) async fn make<P: Plugins>(
        plugins: &P,
        connector: &ConnectorName,
        settings: &Settings,
        worker: &Settings,
    ) -> Result<Self, Fault> {
        let plugin = find_configured(plugins, settings).await?;
        let kind = kind_of(&plugin);
        let (flow, selection) = match kind {
            Kind::Source => (FlowSettings::for_source(settings, worker), None),
            Kind::Sink => {
                let selection = TopicSelection::parse(settings).map_err(|mut wrong| {
                    let (key, message) = wrong.swap_remove(0);
                    Fault::new(FaultClass::Config, "config", message).with("key", key)
                })?;
                (FlowSettings::for_sink(settings, worker), Some(selection))
            }
            Kind::Unknown => {
                let name = &plugin.id.name;
                let message = format!("{name} is neither a source nor a sink");
                return Err(Fault::new(FaultClass::Config, "config", message));
            }
        };
        let flow = flow.map_err(first)?;
        let mut steps = Vec::new();
        for spec in parse_chain(settings).map_err(first)? {
            let found = find(plugins, &spec.class, spec.version.as_deref()).await?;
            steps.push(Step {
                config: with_defaults(&found.manifest.config, spec.config),
                plugin: found.id,
            });
        }
        let tasks = plan_tasks(plugins, &plugin, connector, settings).await?;
        Ok(Self {
            connector: connector.clone(),
            plugin,
            kind,
            flow,
            steps,
            selection,
            tasks,
        })
    }

    /// The consumer group of a sink, as Kafka Connect names it.
    pub(crate) fn group(&self) -> String {
        format!("connect-{}", self.connector)
    }

    /// The tasks' configs as they are stored and shown.
    pub(crate) fn task_settings(&self) -> Vec<Settings> {
        let shown = |config: &Config| {
            let mut settings: Settings = config.iter().cloned().collect();
            settings.insert("task.class".to_owned(), self.plugin.id.name.to_string());
            settings
        };
        self.tasks.iter().map(shown).collect()
    }

    /// Whether tasks of this plan are the tasks of the other one too.
    pub(crate) fn has_tasks_of(&self, other: &Self) -> bool {
        self.plugin.id == other.plugin.id && self.tasks == other.tasks
    }
}

/// The plugin that a connector's config names.
pub(super) async fn find_configured<P: Plugins>(
    plugins: &P,
    settings: &Settings,
) -> Result<PluginInfo, Fault> {
    let class = settings
        .get("connector.class")
        .map_or("", |class| class.trim());
    let version = settings.get("connector.plugin.version");
    find(plugins, class, version.map(String::as_str)).await
}

async fn plan_tasks<P: Plugins>(
    plugins: &P,
    plugin: &PluginInfo,
    connector: &ConnectorName,
    settings: &Settings,
) -> Result<Vec<Config>, Fault> {
    let tasks_max = settings
        .get("tasks.max")
        .and_then(|n| n.trim().parse().ok())
        .unwrap_or(1);
    let config = plugin_config(&plugin.manifest.config, settings);
    let tasks = plugins.plan(&plugin.id, &config, tasks_max).await?;
    let enforced = settings
        .get("tasks.max.enforce")
        .is_none_or(|enforced| !enforced.trim().eq_ignore_ascii_case("false"));
    let n_tasks = tasks.len();
    if n_tasks > usize::try_from(tasks_max).unwrap_or(usize::MAX) {
        let message = format!(
            "The connector {connector} has generated {n_tasks} tasks, which is greater than {tasks_max}, \
             the maximum number of tasks it is configured to create"
        );
        if enforced {
            return Err(
                Fault::new(FaultClass::Config, "too-many-tasks", message).with("key", "tasks.max")
            );
        }
        tracing::warn!(%connector, n_tasks, tasks_max, "more tasks than tasks.max");
    }
    let complete = |config| with_defaults(&plugin.manifest.config, config);
    Ok(tasks.into_iter().map(complete).collect())
}

/// The config that a plugin is given: what was submitted, and its own defaults. What transforms are told, their passwords
/// among it, is not for the connector (invariant 8).
pub(crate) fn plugin_config(definition: &ConfigDef, settings: &Settings) -> Config {
    let own = settings
        .iter()
        .filter(|(key, _)| !key.starts_with("transforms."));
    let own = own.map(|(key, value)| (key.clone(), value.clone()));
    with_defaults(definition, own.collect())
}

fn with_defaults(definition: &ConfigDef, mut config: Config) -> Config {
    for key in &definition.keys {
        if let Some(default) = &key.default
            && !config.iter().any(|(name, _)| *name == key.name)
        {
            config.push((key.name.clone(), default.clone()));
        }
    }
    config.sort();
    config
}

/// What a plugin makes of a connector.
pub(crate) fn kind_of(plugin: &PluginInfo) -> Kind {
    let has = |role| plugin.manifest.roles.contains(&role);
    if has(Role::Source) {
        Kind::Source
    } else if has(Role::Sink) {
        Kind::Sink
    } else {
        Kind::Unknown
    }
}

async fn find<P: Plugins>(
    plugins: &P,
    class: &str,
    version: Option<&str>,
) -> Result<PluginInfo, Fault> {
    let version = version
        .map(str::trim)
        .filter(|version| *version != "latest");
    plugins.find(class, version).await.ok_or_else(|| {
        let version = version
            .map(|version| format!(" in version {version}"))
            .unwrap_or_default();
        let message = format!("no plugin answers to {class}{version}");
        Fault::new(FaultClass::Config, "unknown-plugin", message)
    })
}

fn first(mut problems: Vec<Problem>) -> Fault {
    problems.swap_remove(0).fault
}
