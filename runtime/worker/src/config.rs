//! The worker's own settings, typed. They arrive resolved, as one flat table.

use std::time::Duration;

use longshore_model::config::{ConfigDef, ConfigValue, Importance, KeyType, parse_value};
use longshore_model::{Fault, FaultClass};
use longshore_pipeline::port::Problem;
use longshore_pipeline::settings::Settings;

use crate::definition::{at_least, key};
use crate::restart::RestartPolicy;

const STOP_TIMEOUT: &str = "task.shutdown.graceful.timeout.ms";
const CREATE_TOPICS: &str = "auto.create.topics.enable";
const RESTART_ATTEMPTS: &str = "restart.attempts";
const RESTART_BACKOFF: &str = "restart.backoff.ms";
const TRACKING: &str = "topic.tracking.enable";
const TRACKING_RESET: &str = "topic.tracking.allow.reset";

/// What a worker is told.
#[derive(Clone, Debug)]
pub struct WorkerConfig {
    /// `host:port` of its REST listener, as statuses show it.
    pub worker_id: String,
    /// How long a task may take to drain, flush and close.
    pub stop_timeout: Duration,
    /// Whether topics that a sink names and that are missing are created.
    pub creates_topics: bool,
    /// What happens to failed tasks.
    pub restart: RestartPolicy,
    /// Whether the topics that a connector uses are recorded.
    pub tracks_topics: bool,
    /// Whether that record may be reset.
    pub resets_topics: bool,
    /// Everything else, for converters and flows.
    pub settings: Settings,
}

impl WorkerConfig {
    /// Reads the worker's keys out of the resolved table; keys that are not the worker's are left
    /// to whom they belong.
    ///
    /// # Errors
    /// Every key that is wrong, and why.
    pub fn parse(worker_id: &str, settings: Settings) -> Result<Self, Vec<Problem>> {
        let mut read = Read {
            definition: Self::definition(),
            settings: &settings,
            problems: Vec::new(),
        };
        let config = Self {
            worker_id: worker_id.to_owned(),
            stop_timeout: read.duration(STOP_TIMEOUT),
            creates_topics: read.flag(CREATE_TOPICS),
            restart: RestartPolicy {
                attempts: u32::try_from(read.number(RESTART_ATTEMPTS)).unwrap_or(u32::MAX),
                backoff: read.duration(RESTART_BACKOFF),
            },
            tracks_topics: read.flag(TRACKING),
            resets_topics: read.flag(TRACKING_RESET),
            settings: Settings::new(),
        };
        if read.problems.is_empty() {
            Ok(Self { settings, ..config })
        } else {
            Err(read.problems)
        }
    }

    /// The keys that [`WorkerConfig::parse`] reads.
    #[must_use]
    pub fn definition() -> ConfigDef {
        let low = Importance::Low;
        let keys = vec![
            at_least(
                0,
                key(STOP_TIMEOUT, KeyType::Long, Some("5000"), low)
                    .doc("How long tasks may take to shut down gracefully, all together."),
            ),
            key(CREATE_TOPICS, KeyType::Boolean, Some("true"), low)
                .doc("Whether topics that a sink names and that are missing are created."),
            at_least(
                0,
                key(RESTART_ATTEMPTS, KeyType::Int, Some("0"), Importance::Medium)
                    .doc("How often in a row a failed task is restarted; a task that ran for a minute starts over."),
            ),
            at_least(
                1,
                key(RESTART_BACKOFF, KeyType::Long, Some("1000"), low)
                    .doc("The pause before the first restart of a failed task; it doubles with each attempt, up to a minute."),
            ),
            key(TRACKING, KeyType::Boolean, Some("true"), low)
                .doc("Whether the topics that a connector uses are recorded."),
            key(TRACKING_RESET, KeyType::Boolean, Some("true"), low)
                .doc("Whether the record of the topics that a connector uses may be reset."),
        ];
        ConfigDef {
            keys: keys.into_iter().map(Into::into).collect(),
        }
    }
}

struct Read<'a> {
    definition: ConfigDef,
    settings: &'a Settings,
    problems: Vec<Problem>,
}

impl Read<'_> {
    fn value(&mut self, name: &str) -> ConfigValue {
        let key = self.definition.key(name).expect("the key is defined above");
        let text = self.settings.get(name).map(String::as_str);
        let parsed = parse_value(key, text).or_else(|error| {
            let fault = Fault::new(FaultClass::Config, "config", error.to_string());
            let problem = Problem::refusal(name, fault.with("key", name));
            self.problems.push(problem);
            parse_value(key, None)
        });
        let value = parsed.expect("defaults satisfy their own definition");
        value.expect("every key of the worker has a default")
    }

    fn flag(&mut self, name: &str) -> bool {
        matches!(self.value(name), ConfigValue::Boolean(true))
    }

    fn number(&mut self, name: &str) -> u64 {
        match self.value(name) {
            ConfigValue::Long(n) => n.unsigned_abs(),
            _ => unreachable!("the key is defined as a number"),
        }
    }

    fn duration(&mut self, name: &str) -> Duration {
        Duration::from_millis(self.number(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_kafka_connects() {
        let config = WorkerConfig::parse("127.0.0.1:8083", Settings::new()).unwrap();
        assert_eq!(config.stop_timeout, Duration::from_secs(5));
        assert_eq!(config.restart.attempts, 0);
        assert!(config.creates_topics && config.tracks_topics && config.resets_topics);
    }

    #[test]
    fn every_wrong_key_is_named() {
        let settings = [
            (STOP_TIMEOUT, "soon"),
            (RESTART_ATTEMPTS, "-1"),
            ("group.id", "x"),
        ];
        let settings = settings.map(|(k, v)| (k.to_owned(), v.to_owned()));
        let problems = WorkerConfig::parse("w", Settings::from(settings)).unwrap_err();
        let keys: Vec<_> = problems.iter().map(|p| p.key.as_str()).collect();
        assert_eq!(keys, [STOP_TIMEOUT, RESTART_ATTEMPTS]);
    }
}
