//! The worker's settings, typed, with their defaults.

use std::collections::BTreeMap;
use std::net::{IpAddr, ToSocketAddrs as _};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use longshore_wire::Endpoint;

use super::layers::{Entry, Layers};
use super::listener::RestListener;
use super::table::{self, Standing};
use crate::error::{Code, Failure, Result};

const DATA_DIR: &str = "./longshore-data";
const REST_LISTENER: &str = "http://127.0.0.1:8083";
const KAFKA_LISTENER: &str = "127.0.0.1:9092";
const LOG_FLUSH_INTERVAL_MS: u64 = 100;
const NUM_PARTITIONS: u32 = 1;

/// When outside producers are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FlushSetting {
    Commit,
    Interval(Duration),
}

/// Everything that a worker is started with.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) data_dir: PathBuf,
    /// Where the key lies that passwords are sealed with; in the data directory unless said.
    pub(crate) secret_key_file: Option<PathBuf>,
    pub(crate) plugin_path: Vec<PathBuf>,
    pub(crate) rest: Vec<RestListener>,
    pub(crate) advertised_host: Option<String>,
    pub(crate) advertised_port: Option<u16>,
    pub(crate) kafka: Vec<Endpoint>,
    pub(crate) kafka_advertised: Vec<Endpoint>,
    pub(crate) flush: FlushSetting,
    pub(crate) auto_create_topics: bool,
    pub(crate) num_partitions: u32,
    /// All keys that work, for rooms that read their own.
    pub(crate) table: BTreeMap<String, String>,
    /// What the operator should know at every start.
    pub(crate) warnings: Vec<String>,
    /// Keys that the embedded log takes the place of.
    pub(crate) replaced: Vec<String>,
    origins: BTreeMap<String, String>,
}

impl Settings {
    /// Where a key's value came from, in parentheses.
    pub(crate) fn origin(&self, key: &str) -> String {
        self.origins
            .get(key)
            .map_or_else(String::new, |origin| format!("(from {origin})"))
    }

    /// Checks all keys and reads them.
    pub(crate) fn read(layers: &Layers) -> Result<Self> {
        let mut table = Table {
            entries: &layers.entries,
            warnings: Vec::new(),
            replaced: Vec::new(),
        };
        table.check_broker()?;
        for (key, entry) in &layers.entries {
            table.check_key(key, entry)?;
        }
        let rest = table.parsed("listeners", REST_LISTENER, RestListener::parse_list)?;
        let kafka = table.endpoints("kafka.listeners", KAFKA_LISTENER)?;
        let kafka_advertised = table.advertised(&kafka)?;
        for listener in &rest {
            table.check_exposure("listeners", &listener.host)?;
        }
        for listener in &kafka {
            table.check_exposure("kafka.listeners", &listener.host)?;
        }
        Ok(Self {
            data_dir: PathBuf::from(table.text("data.dir").unwrap_or(DATA_DIR)),
            secret_key_file: table.text("config.secret.key.file").map(PathBuf::from),
            plugin_path: table.paths("plugin.path"),
            rest,
            advertised_host: table.text("rest.advertised.host.name").map(str::to_owned),
            advertised_port: table.optional("rest.advertised.port")?,
            kafka,
            kafka_advertised,
            flush: table.flush()?,
            auto_create_topics: table.number("auto.create.topics.enable", true)?,
            num_partitions: table.positive("num.partitions", NUM_PARTITIONS)?,
            table: table.working(),
            origins: layers
                .entries
                .iter()
                .map(|(key, entry)| (key.clone(), entry.origin.clone()))
                .collect(),
            warnings: table.warnings,
            replaced: table.replaced,
        })
    }
}

struct Table<'a> {
    entries: &'a BTreeMap<String, Entry>,
    warnings: Vec<String>,
    replaced: Vec<String>,
}

impl Table<'_> {
    fn text(&self, key: &str) -> Option<&str> {
        self.entries
            .get(key)
            .map(|entry| entry.value.trim())
            .filter(|value| !value.is_empty())
    }

    fn check_broker(&self) -> Result<()> {
        match self.text("broker") {
            None | Some("embedded") => Ok(()),
            Some(_) => Err(self.invalid("broker", "only embedded works so far")),
        }
    }

    fn check_key(&mut self, key: &str, entry: &Entry) -> Result<()> {
        if table::is_own(key) {
            return Ok(());
        }
        match table::standing(key) {
            Some(Standing::Works) => {}
            Some(Standing::Jvm) => self.warnings.push(format!(
                "{key} (from {}) means something to a JVM only and has no effect",
                entry.origin
            )),
            Some(Standing::Only(only)) if entry.value.trim() == only => {}
            Some(Standing::Only(only)) => {
                let fix = if only.is_empty() {
                    "remove it".to_owned()
                } else {
                    format!("remove it, or set it to {only}, which is what happens")
                };
                return Err(refused(key, entry, "does not work so far").fix(fix));
            }
            Some(Standing::Replaced) if self.entries.contains_key("broker") => {
                self.replaced.push(key.to_owned());
            }
            Some(Standing::Replaced) => {
                return Err(refused(
                    key,
                    entry,
                    "is about a Kafka cluster, and this worker keeps topics in its own log",
                )
                .fix("set broker=embedded to use the log in data.dir in its place"));
            }
            None => {
                let message = format!("{key} (from {}): no worker has this key", entry.origin);
                return Err(Failure::new(Code::ConfigUnknownKey, message)
                    .at(key)
                    .fix("docs/worker-config.md lists all keys"));
            }
        }
        Ok(())
    }

    /// Without credentials, who reaches a listener can do everything.
    fn check_exposure(&mut self, key: &str, host: &str) -> Result<()> {
        if is_loopback(host) {
            return Ok(());
        }
        if self.number("listeners.insecure", false)? {
            self.warnings.push(format!(
                "{key}: {host} can be reached from other machines, and there are no credentials so far"
            ));
            return Ok(());
        }
        let reason = format!("{host} is not loopback, and there are no credentials so far");
        Err(self
            .invalid(key, &reason)
            .fix("listen on 127.0.0.1, or set listeners.insecure=true where the network itself is guarded"))
    }

    fn advertised(&self, listeners: &[Endpoint]) -> Result<Vec<Endpoint>> {
        const KEY: &str = "kafka.advertised.listeners";
        if self.text(KEY).is_none() {
            return Ok(listeners.to_vec());
        }
        let advertised = self.endpoints(KEY, "")?;
        let find = |name: &str| advertised.iter().find(|a| a.name == name).cloned();
        for stranger in &advertised {
            if !listeners
                .iter()
                .any(|listener| listener.name == stranger.name)
            {
                return Err(self.invalid(KEY, &format!("there is no listener {}", stranger.name)));
            }
        }
        Ok(listeners
            .iter()
            .map(|l| find(&l.name).unwrap_or_else(|| l.clone()))
            .collect())
    }

    fn flush(&self) -> Result<FlushSetting> {
        let interval = self.millis("log.flush.interval.ms", LOG_FLUSH_INTERVAL_MS)?;
        match self.text("log.flush") {
            None | Some("commit") => Ok(FlushSetting::Commit),
            Some("interval") if interval.is_zero() => {
                Err(self.invalid("log.flush.interval.ms", "is not above 0"))
            }
            Some("interval") => Ok(FlushSetting::Interval(interval)),
            Some(_) => Err(self.invalid("log.flush", "is neither commit nor interval")),
        }
    }

    fn working(&self) -> BTreeMap<String, String> {
        let works = |key: &str| table::is_own(key) || table::standing(key) == Some(Standing::Works);
        let entries = self.entries.iter().filter(|(key, _)| works(key));
        entries
            .map(|(key, entry)| (key.clone(), entry.value.clone()))
            .collect()
    }

    fn endpoints(&self, key: &'static str, default: &str) -> Result<Vec<Endpoint>> {
        let list = self.text(key).unwrap_or(default);
        Endpoint::parse_list(key, list).map_err(|error| self.invalid(key, &error.to_string()))
    }

    fn paths(&self, key: &str) -> Vec<PathBuf> {
        let parts = self.text(key).unwrap_or_default().split(',').map(str::trim);
        parts
            .filter(|part| !part.is_empty())
            .map(PathBuf::from)
            .collect()
    }

    fn parsed<T>(
        &self,
        key: &str,
        default: &str,
        parse: impl FnOnce(&str) -> std::result::Result<T, String>,
    ) -> Result<T> {
        parse(self.text(key).unwrap_or(default)).map_err(|reason| self.invalid(key, &reason))
    }

    fn optional<T: FromStr>(&self, key: &str) -> Result<Option<T>> {
        let Some(text) = self.text(key) else {
            return Ok(None);
        };
        let parsed = text
            .parse()
            .map_err(|_| self.invalid(key, &format!("{text} does not fit")))?;
        Ok(Some(parsed))
    }

    fn number<T: FromStr>(&self, key: &str, default: T) -> Result<T> {
        Ok(self.optional(key)?.unwrap_or(default))
    }

    fn positive(&self, key: &str, default: u32) -> Result<u32> {
        match self.number(key, default)? {
            0 => Err(self.invalid(key, "is not above 0")),
            number => Ok(number),
        }
    }

    fn millis(&self, key: &str, default: u64) -> Result<Duration> {
        Ok(Duration::from_millis(self.number(key, default)?))
    }

    fn invalid(&self, key: &str, reason: &str) -> Failure {
        let origin = self
            .entries
            .get(key)
            .map_or("the default", |entry| entry.origin.as_str());
        Failure::new(
            Code::ConfigInvalid,
            format!("{key} (from {origin}): {reason}"),
        )
        .at(key)
    }
}

fn refused(key: &str, entry: &Entry, reason: &str) -> Failure {
    Failure::new(
        Code::ConfigRefused,
        format!("{key} (from {}) {reason}", entry.origin),
    )
    .at(key)
}

fn is_loopback(host: &str) -> bool {
    if host.is_empty() {
        return false;
    }
    if let Ok(ip) = host.parse::<IpAddr>() {
        return ip.is_loopback();
    }
    let addresses = (host, 0).to_socket_addrs();
    addresses.is_ok_and(|mut all| all.all(|address| address.ip().is_loopback()))
}

#[cfg(test)]
mod tests;
