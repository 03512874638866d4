//! The check itself: definitions merged, values parsed, every mistake named.

use std::collections::BTreeSet;

use longshore_model::config::{ConfigDef, ConfigKey, Importance, KeyType, parse_value};
use longshore_model::{ConnectorName, Role};
use longshore_pipeline::port::{Config, PluginInfo, Plugins, Problem};
use longshore_pipeline::settings::{FlowSettings, Settings};
use longshore_pipeline::transform::{TransformSpec, parse_chain};

use super::connect_keys::common_keys;
use super::outcome::{Outcome, Submitted, Validation};
use super::overrides::is_override;
use super::refused::{refused, wrong_topics};
use crate::connector::{kind_of, plugin_config};
use crate::definition::key;
use crate::error::Error;
use crate::guarded::{Guarded, HIDDEN};
use crate::status::Kind;

/// A config that was checked, and the plugin that it is for.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) validation: Validation,
    pub(crate) kind: Kind,
    pub(crate) config: Guarded,
}

/// Checks a submitted config. A password that is masked in it is the one that `stands` under the same key.
///
/// # Errors
/// When there is no class, or no plugin that answers to it.
pub(crate) async fn check<P: Plugins>(
    plugins: &P,
    worker: &Settings,
    submitted: &Submitted,
    stands: Option<&Guarded>,
) -> Result<Checked, Error> {
    let given = |(key, value): (&String, &Option<String>)| Some((key.clone(), value.clone()?));
    let mut settings: Settings = submitted.iter().filter_map(given).collect();
    let class = settings
        .get("connector.class")
        .map(|class| class.trim().to_owned())
        .unwrap_or_default();
    let class = class.as_str();
    let version = settings
        .get("connector.plugin.version")
        .map(|version| version.trim());
    let plugin = connector_plugin(plugins, class, version).await?;
    let kind = kind_of(&plugin);
    let mut outcome = Outcome::default();
    for key in definition_of(&plugin, worker) {
        define(&mut outcome, key, &settings);
    }
    for (key, value) in submitted {
        if value.is_none() {
            outcome.error(
                key,
                format!("The JSON-serialized configuration contains a null value for key {key}"),
            );
        }
    }
    check_name(&mut outcome, &settings);
    check_version(plugins, &mut outcome, class, &plugin, &settings).await;
    for (key, message) in refused(&settings) {
        outcome.error(key, message);
    }
    if kind == Kind::Sink {
        for (key, message) in wrong_topics(&settings) {
            outcome.error(key, message);
        }
    }
    check_transforms(plugins, &mut outcome, &settings, stands).await;
    let flow = match kind {
        Kind::Sink => FlowSettings::for_sink(&settings, worker),
        _ => FlowSettings::for_source(&settings, worker),
    };
    report(&mut outcome, flow.err().unwrap_or_default());
    let passwords = keep_passwords(&mut outcome, &mut settings, stands);
    check_with_plugin(plugins, &mut outcome, &plugin, &settings).await;
    for key in settings.keys() {
        // What the plugin has refused by name is known too.
        if !outcome.is_defined(key) && !is_known_elsewhere(key, kind) {
            outcome.error(
                key,
                format!("{key} is a key of neither {class} nor connectors in general"),
            );
        }
    }
    Ok(Checked {
        validation: outcome.finish(class),
        kind,
        config: Guarded {
            settings,
            passwords,
            unreadable: BTreeSet::new(),
        },
    })
}

/// Puts what stands where a password is masked; the keys that hold passwords.
fn keep_passwords(
    outcome: &mut Outcome,
    settings: &mut Settings,
    stands: Option<&Guarded>,
) -> BTreeSet<String> {
    let passwords = outcome
        .passwords()
        .filter(|key| settings.contains_key(*key));
    let passwords: BTreeSet<String> = passwords.map(str::to_owned).collect();
    for key in &passwords {
        if settings[key] != HIDDEN {
            continue;
        }
        if let Some(kept) = stands.and_then(|stands| stands.password(key)) {
            settings.insert(key.clone(), kept.to_owned());
        } else {
            let message = format!("{key} is {HIDDEN}, and there is no password to keep: give it");
            outcome.error(key, message);
        }
    }
    passwords
}

/// Every key that a connector of that plugin can have.
pub(crate) fn definition_of(plugin: &PluginInfo, worker: &Settings) -> Vec<ConfigKey> {
    let mut keys = common_keys(kind_of(plugin), &plugin.id.version, worker);
    keys.extend(plugin.manifest.config.keys.iter().cloned());
    keys
}

/// The plugin in the version asked for; in its newest where that one is not there, so that the rest
/// of the config can be checked all the same.
async fn connector_plugin<P: Plugins>(
    plugins: &P,
    class: &str,
    version: Option<&str>,
) -> Result<PluginInfo, Error> {
    if class.is_empty() {
        return Err(Error::BadRequest {
            code: "no-connector-class",
            message: "Connector config contains no connector type: connector.class is missing"
                .to_owned(),
        });
    }
    let found = match plugins.find(class, version).await {
        None => plugins.find(class, None).await,
        found => found,
    };
    if let Some(plugin) = found.filter(|plugin| kind_of(plugin) != Kind::Unknown) {
        return Ok(plugin);
    }
    let available = plugins.list().await;
    let available = available
        .iter()
        .filter(|plugin| kind_of(plugin) != Kind::Unknown);
    let available: Vec<_> = available
        .map(|plugin| {
            format!(
                "{} {} ({})",
                plugin.id.name,
                plugin.id.version,
                kind_of(plugin).name()
            )
        })
        .collect();
    Err(Error::BadRequest {
        code: "unknown-connector-class",
        message: format!(
            "Failed to find any class that implements Connector and which name matches {class}, \
             available connectors are: {}",
            available.join(", ")
        ),
    })
}

fn define(outcome: &mut Outcome, key: ConfigKey, settings: &Settings) {
    let text = settings.get(&key.name).map(String::as_str);
    let parsed = parse_value(&key, text);
    let name = key.name.clone();
    outcome.define(key, text);
    if let Err(error) = parsed {
        outcome.error(&name, error.to_string());
    }
}

fn check_name(outcome: &mut Outcome, settings: &Settings) {
    if let Some(name) = settings.get("name").filter(|_| !outcome.is_wrong("name"))
        && let Err(error) = ConnectorName::parse(name)
    {
        outcome.error(
            "name",
            format!("Invalid value {name} for configuration name: {error}"),
        );
    }
}

async fn check_version<P: Plugins>(
    plugins: &P,
    outcome: &mut Outcome,
    class: &str,
    plugin: &PluginInfo,
    settings: &Settings,
) {
    const KEY: &str = "connector.plugin.version";
    let all = plugins.list().await;
    let same = all.iter().filter(|other| other.id.name == plugin.id.name);
    outcome.recommend(KEY, same.map(|same| same.id.version.to_string()).collect());
    let Some(version) = settings.get(KEY).map(|version| version.trim()) else {
        return;
    };
    if version != "latest" && plugins.find(class, Some(version)).await.is_none() {
        let message = format!("{class} is not there in version {version}");
        outcome.error("connector.class", message.clone());
        outcome.error(KEY, message);
    }
}

async fn check_transforms<P: Plugins>(
    plugins: &P,
    outcome: &mut Outcome,
    settings: &Settings,
    stands: Option<&Guarded>,
) {
    let chain = match parse_chain(settings) {
        Ok(chain) => chain,
        Err(problems) => return report(outcome, problems),
    };
    for spec in chain {
        let prefix = format!("transforms.{}.", spec.alias);
        let group = format!("Transforms: {}", spec.alias);
        let own = |name: &str, doc: &str| {
            let name = format!("{prefix}{name}");
            let key = key(&name, KeyType::Class, None, Importance::High).doc(doc);
            key.shown(&group, longshore_model::config::Width::Long, &name)
        };
        let class = own("type", "The plugin of this transformation.").into();
        define(outcome, class, settings);
        if spec.version.is_some() {
            let version = own("plugin.version", "The version of the plugin.").into();
            define(outcome, version, settings);
        }
        check_transform(plugins, outcome, &prefix, &group, spec, stands).await;
    }
}

async fn check_transform<P: Plugins>(
    plugins: &P,
    outcome: &mut Outcome,
    prefix: &str,
    group: &str,
    spec: TransformSpec,
    stands: Option<&Guarded>,
) {
    let version = spec
        .version
        .as_deref()
        .filter(|version| *version != "latest");
    let found = plugins.find(&spec.class, version).await;
    let plays = |plugin: &PluginInfo| plugin.manifest.roles.contains(&Role::Transform);
    let Some(plugin) = found.filter(plays) else {
        let class = &spec.class;
        let message = if class.starts_with("org.apache.kafka.connect.transforms.") {
            format!("{class} does not work yet: Kafka's built-in transformations come later")
        } else {
            format!("no transformation answers to {class}")
        };
        outcome.error(&format!("{prefix}type"), message);
        return;
    };
    let mut own: Settings = spec.config.into_iter().collect();
    for mut key in plugin.manifest.config.keys.iter().cloned() {
        let parsed = parse_value(&key, own.get(&key.name).map(String::as_str));
        let text = own.get(&key.name).cloned();
        key.name = format!("{prefix}{}", key.name);
        key.group = Some(group.to_owned());
        let name = key.name.clone();
        outcome.define(key, text.as_deref());
        if let Err(error) = parsed {
            outcome.error(&name, error.to_string());
        }
    }
    for key in own.keys() {
        if plugin.manifest.config.key(key).is_none() {
            let message = format!("{prefix}{key} is not a key of {}", plugin.id.name);
            outcome.error(&format!("{prefix}{key}"), message);
        }
    }
    for key in &plugin.manifest.config.keys {
        let is_masked = key.key_type == KeyType::Password
            && own.get(&key.name).is_some_and(|value| value == HIDDEN);
        let kept = stands.filter(|_| is_masked);
        if let Some(kept) = kept.and_then(|it| it.password(&format!("{prefix}{}", key.name))) {
            own.insert(key.name.clone(), kept.to_owned());
        }
    }
    let config = plugin_config(&plugin.manifest.config, &own);
    ask_plugin(plugins, outcome, &plugin, &config, prefix, "type").await;
}

/// Adds problems to keys that have none yet: a definition's own words come first.
fn report(outcome: &mut Outcome, problems: Vec<Problem>) {
    for Problem { key, fault, .. } in problems {
        if !outcome.is_wrong(&key) {
            outcome.error(&key, fault.message);
        }
    }
}

/// Keys that have no definition here and that somebody else has looked at.
fn is_known_elsewhere(key: &str, kind: Kind) -> bool {
    let converters = ["key.converter.", "value.converter.", "header.converter."];
    converters.iter().any(|prefix| key.starts_with(prefix))
        || key.starts_with("transforms.")
        || (kind == Kind::Source && key.starts_with("topic.creation.default."))
        || is_override(key)
}

/// The plugin's own checks, where the definition's are passed: they run the plugin's code.
async fn check_with_plugin<P: Plugins>(
    plugins: &P,
    outcome: &mut Outcome,
    plugin: &PluginInfo,
    settings: &Settings,
) {
    let definition: &ConfigDef = &plugin.manifest.config;
    if definition
        .keys
        .iter()
        .any(|key| outcome.is_wrong(&key.name))
    {
        return;
    }
    let config = plugin_config(definition, settings);
    ask_plugin(plugins, outcome, plugin, &config, "", "connector.class").await;
}

/// What the plugin itself says of its config. What it puts at no key stands at the one that names
/// the plugin.
async fn ask_plugin<P: Plugins>(
    plugins: &P,
    outcome: &mut Outcome,
    plugin: &PluginInfo,
    config: &Config,
    prefix: &str,
    plugin_key: &str,
) {
    let problems = match plugins.validate(&plugin.id, config).await {
        Ok(problems) => problems,
        Err(fault) => {
            let key = fault.detail("key").unwrap_or_default().to_owned();
            vec![Problem::refusal(&key, fault)]
        }
    };
    for mut problem in problems {
        let key = Some(problem.key).filter(|key| !key.is_empty());
        let key = key.as_deref().unwrap_or(plugin_key);
        problem.key = format!("{prefix}{key}");
        outcome.problem(problem);
    }
}
