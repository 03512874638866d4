//! Which converters a task uses: the connector's own, else the worker's, else JSON without schemas.
//! The formats themselves are `longshore-serdes`.

mod plans;

pub(crate) use plans::{Plans, declare};

use longshore_serdes::{Converter, HeaderConverter};

use crate::settings::{Lookup, Settings};

/// Key, value and header converters.
#[derive(Clone, Debug)]
pub struct Converters {
    pub(crate) key: Converter,
    pub(crate) value: Converter,
    pub(crate) header: HeaderConverter,
}

impl Converters {
    /// Reads the converters' keys; `None` where one of them cannot be, with the reason in `keys`.
    pub(crate) fn configure(
        connector: &Settings,
        worker: &Settings,
        keys: &mut Lookup<'_>,
    ) -> Option<Self> {
        let mut converter = |name: &'static str, is_key: bool| {
            let (class, settings) = chosen(name, JSON, connector, worker, keys);
            let made = Converter::configure(&class, &settings, is_key);
            made.map_err(|problem| refuse(keys, name, &problem.key, &problem.message))
                .ok()
        };
        let key = converter("key.converter", true);
        let value = converter("value.converter", false);
        let (class, settings) = chosen("header.converter", SIMPLE, connector, worker, keys);
        let header = HeaderConverter::configure(&class, &settings)
            .map_err(|problem| refuse(keys, "header.converter", &problem.key, &problem.message));
        Some(Self {
            key: key?,
            value: value?,
            header: header.ok()?,
        })
    }
}

/// A converter's class and its settings where nobody chose one.
type Default = (&'static str, &'static [(&'static str, &'static str)]);

const JSON: Default = (
    "org.apache.kafka.connect.json.JsonConverter",
    &[("schemas.enable", "false")],
);
const SIMPLE: Default = (
    "org.apache.kafka.connect.storage.SimpleHeaderConverter",
    &[],
);

fn chosen(
    name: &'static str,
    default: Default,
    connector: &Settings,
    worker: &Settings,
    keys: &mut Lookup<'_>,
) -> (String, Vec<(String, String)>) {
    let prefix = format!("{name}.");
    let own = |settings: &Settings| {
        let under = Lookup::new(settings);
        let all = under
            .under(&prefix)
            .filter(|(key, _)| *key != "plugin.version");
        all.map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect::<Vec<_>>()
    };
    if let Some(class) = connector.get(name) {
        return (class.trim().to_owned(), own(connector));
    }
    for (key, _) in own(connector) {
        keys.problem(
            &format!("{prefix}{key}"),
            format!(
                "has no effect: the connector does not set {name}, so the worker's is used whole"
            ),
        );
    }
    match worker.get(name) {
        Some(class) => (class.trim().to_owned(), own(worker)),
        None => {
            let (class, settings) = default;
            let settings = settings
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
            (class.to_owned(), settings.collect())
        }
    }
}

fn refuse(keys: &mut Lookup<'_>, name: &str, key: &str, message: &str) {
    let key = if key.is_empty() {
        name.to_owned()
    } else {
        format!("{name}.{key}")
    };
    keys.problem(&key, message);
}
