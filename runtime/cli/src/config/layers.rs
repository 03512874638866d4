//! Layers of settings, and how they become one table: file, environment, `--set`. What none of them says is a default,
//! which stands beside the key in `settings`.

use std::collections::BTreeMap;
use std::path::Path;

use config::{Map, Source, Value, ValueKind};

use super::{properties, table};
use crate::error::{Code, Failure, Result};

/// A value, and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) value: String,
    pub(crate) origin: String,
}

/// All settings, by key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layers {
    pub(crate) entries: BTreeMap<String, Entry>,
}

/// The one table that all keys stand in, literally: the config crate's path syntax would make a table of `key.converter`
/// and lose it to `key.converter.schemas.enable`.
const TABLE: &str = "settings";

/// Settings that came from one place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layer {
    entries: Vec<(String, Entry)>,
}

impl Layer {
    fn push(&mut self, key: String, value: String, origin: String) {
        self.entries.push((key, Entry { value, origin }));
    }
}

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> std::result::Result<Map<String, Value>, config::ConfigError> {
        let mut cache = Value::new(None, ValueKind::Table(Map::new()));
        self.collect_to(&mut cache)?;
        cache.into_table()
    }

    fn collect_to(&self, cache: &mut Value) -> std::result::Result<(), config::ConfigError> {
        let ValueKind::Table(root) = &mut cache.kind else {
            return Err(config::ConfigError::Message(
                "the root is no table".to_owned(),
            ));
        };
        let empty = || Value::new(None, ValueKind::Table(Map::new()));
        let settings = root.entry(TABLE.to_owned()).or_insert_with(empty);
        if let ValueKind::Table(table) = &mut settings.kind {
            let values = self.entries.iter().map(|(key, entry)| {
                let value = Value::new(Some(&entry.origin), entry.value.clone());
                (key.clone(), value)
            });
            table.extend(values);
        }
        Ok(())
    }
}

impl Layers {
    /// Puts layers over each other, lowest first.
    pub(crate) fn merge(layers: impl IntoIterator<Item = Layer>) -> Result<Self> {
        let mut builder = config::Config::builder();
        for layer in layers {
            builder = builder.add_source(layer);
        }
        let failed = |error: config::ConfigError| Failure::new(Code::ConfigFile, error.to_string());
        let merged = builder.build().map_err(failed)?;
        let mut entries = BTreeMap::new();
        let table = merged.get_table(TABLE).unwrap_or_default();
        for (key, value) in table {
            let origin = value.origin().unwrap_or("default").to_owned();
            let value = value.into_string().map_err(failed)?;
            entries.insert(key, Entry { value, origin });
        }
        Ok(Self { entries })
    }
}

/// A `.properties` or `.toml` file.
pub(crate) fn file(path: &Path) -> Result<Layer> {
    let shown = path.display().to_string();
    let malformed = |message: String| {
        Failure::new(Code::ConfigFile, format!("{shown}: {message}")).at(shown.clone())
    };
    let bytes = std::fs::read(path).map_err(|error| malformed(error.to_string()))?;
    let mut layer = Layer::default();
    if path
        .extension()
        .is_some_and(|extension| extension == "toml")
    {
        let text = String::from_utf8(bytes).map_err(|error| malformed(error.to_string()))?;
        let parsed: toml::Table =
            toml::from_str(&text).map_err(|error| malformed(error.message().to_owned()))?;
        flatten("", parsed, &shown, &mut layer).map_err(malformed)?;
        return Ok(layer);
    }
    for (key, value, line) in properties::parse(&decode(bytes)).map_err(malformed)? {
        layer.push(key, value, format!("{shown}, line {line}"));
    }
    Ok(layer)
}

/// Java reads properties as Latin-1, people write them as UTF-8: what is valid UTF-8 is taken for it.
fn decode(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|error| error.into_bytes().into_iter().map(char::from).collect())
}

fn flatten(
    prefix: &str,
    table: toml::Table,
    file: &str,
    layer: &mut Layer,
) -> std::result::Result<(), String> {
    for (name, value) in table {
        let key = format!("{prefix}{name}");
        if let toml::Value::Table(inner) = value {
            flatten(&format!("{key}."), inner, file, layer)?;
        } else {
            layer.push(key.clone(), plain(&key, value)?, file.to_owned());
        }
    }
    Ok(())
}

fn plain(key: &str, value: toml::Value) -> std::result::Result<String, String> {
    match value {
        toml::Value::String(text) => Ok(text),
        toml::Value::Integer(number) => Ok(number.to_string()),
        toml::Value::Float(number) => Ok(number.to_string()),
        toml::Value::Boolean(flag) => Ok(flag.to_string()),
        toml::Value::Array(items) => {
            let items = items.into_iter().map(|item| plain(key, item));
            Ok(items.collect::<std::result::Result<Vec<_>, _>>()?.join(","))
        }
        toml::Value::Datetime(_) => Err(format!("{key}: no key takes a date")),
        toml::Value::Table(_) => Err(format!("{key}: no key takes a list of tables")),
    }
}

/// Variables `LONGSHORE_KEY` of the known keys; the names of those that are no key are returned beside. (They are not
/// refused: Kubernetes sets some of its own for a service named longshore.)
pub(crate) fn environment(
    variables: impl Iterator<Item = (String, String)>,
) -> (Layer, Vec<String>) {
    let names: BTreeMap<String, &str> = table::known_keys()
        .map(|key| (variable_name(key), key))
        .collect();
    let (mut layer, mut strangers) = (Layer::default(), Vec::new());
    for (name, value) in variables {
        if let Some(key) = names.get(&name) {
            layer.push(
                (*key).to_owned(),
                value,
                format!("environment variable {name}"),
            );
        } else if name.starts_with("LONGSHORE_") && !table::OTHER_VARIABLES.contains(&name.as_str())
        {
            strangers.push(name);
        }
    }
    strangers.sort_unstable();
    (layer, strangers)
}

/// `LONGSHORE_` and the key in capitals, every other character `_`.
pub(super) fn variable_name(key: &str) -> String {
    let capitals = key.chars().map(|c| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_uppercase()
        } else {
            '_'
        }
    });
    "LONGSHORE_".chars().chain(capitals).collect()
}

/// `--set KEY=VALUE` options.
pub(crate) fn set_options(options: &[String]) -> Result<Layer> {
    let mut layer = Layer::default();
    for option in options {
        let Some((key, value)) = option.split_once('=') else {
            return Err(Failure::new(
                Code::ConfigInvalid,
                format!("--set {option}: not KEY=VALUE"),
            )
            .at(option.clone()));
        };
        layer.push(key.trim().to_owned(), value.to_owned(), "--set".to_owned());
    }
    Ok(layer)
}
