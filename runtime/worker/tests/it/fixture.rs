//! A worker in a test.

use std::sync::Arc;
use std::time::Duration;

use longshore_model::{ConnectorName, TopicName};
use longshore_pipeline::memory::MemoryBroker;
use longshore_pipeline::settings::Settings;
use longshore_pipeline::telemetry::Metrics;
use longshore_worker::{
    ConnectorStatus, SealKey, State, Submitted, Worker, WorkerConfig, WorkerHandle,
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::fake::{FakePlugins, Noon};

/// The key of all workers that are given no other.
const SEAL: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

pub(crate) struct TestWorker {
    pub(crate) broker: MemoryBroker,
    pub(crate) plugins: FakePlugins,
    pub(crate) handle: WorkerHandle<MemoryBroker, FakePlugins>,
    shutdown: CancellationToken,
    running: JoinHandle<()>,
}

impl TestWorker {
    pub(crate) async fn start(settings: &[(&str, &str)]) -> Self {
        Self::start_over(MemoryBroker::default(), settings).await
    }

    /// A worker over a broker that another one used before.
    pub(crate) async fn start_over(broker: MemoryBroker, settings: &[(&str, &str)]) -> Self {
        let seal = SealKey::parse(SEAL).unwrap();
        Self::start_with(broker, seal, settings).await
    }

    /// A worker that seals passwords with a key of its own.
    pub(crate) async fn start_with(
        broker: MemoryBroker,
        seal: SealKey,
        settings: &[(&str, &str)],
    ) -> Self {
        let plugins = FakePlugins::new();
        let config = WorkerConfig::parse("127.0.0.1:8083", owned(settings)).unwrap();
        let metrics = Metrics::default();
        let worker = Worker::open(
            broker.clone(),
            plugins.clone(),
            config,
            seal,
            Arc::new(Noon),
            metrics,
        )
        .await;
        let worker = worker.unwrap();
        let shutdown = CancellationToken::new();
        Self {
            broker,
            plugins,
            handle: worker.handle(),
            running: tokio::spawn(worker.run(shutdown.clone())),
            shutdown,
        }
    }

    pub(crate) async fn stop(self) -> MemoryBroker {
        self.shutdown.cancel();
        self.running.await.unwrap();
        self.broker
    }

    pub(crate) async fn create(&self, config: &[(&str, &str)]) {
        self.handle.create(submitted(config)).await.unwrap();
    }

    pub(crate) fn states(&self, connector: &str) -> Vec<State> {
        states(&self.status(connector))
    }

    pub(crate) fn status(&self, connector: &str) -> ConnectorStatus {
        self.handle.status(&name(connector)).unwrap()
    }

    /// Waits until the connector and its tasks have these states.
    pub(crate) async fn reach(&self, connector: &str, states: &[State]) {
        let reached = || self.states(connector) == states;
        if !self.wait(reached).await {
            panic!(
                "{connector} is {:?} and not {states:?}",
                self.status(connector)
            );
        }
    }

    pub(crate) async fn reach_values(&self, topic: &str, n: usize) -> Vec<String> {
        assert!(self.wait(|| self.broker.values(topic).len() >= n).await);
        let values = self.broker.values(topic).into_iter().flatten();
        values
            .map(|value| String::from_utf8(value.to_vec()).unwrap())
            .collect()
    }

    /// Waits until something is so. Whatever a worker does ends in a write.
    pub(crate) async fn wait(&self, reached: impl Fn() -> bool) -> bool {
        let mut appended = self.broker.appended();
        let wait = async {
            while !reached() {
                appended.changed().await.unwrap();
            }
        };
        tokio::time::timeout(Duration::from_secs(600), wait)
            .await
            .is_ok()
    }
}

pub(crate) fn states(status: &ConnectorStatus) -> Vec<State> {
    let tasks = status.tasks.iter().map(|task| task.status.state);
    std::iter::once(status.connector.state)
        .chain(tasks)
        .collect()
}

pub(crate) fn name(name: &str) -> ConnectorName {
    ConnectorName::parse(name).unwrap()
}

pub(crate) fn topic(name: &str) -> TopicName {
    TopicName::parse(name).unwrap()
}

fn owned(settings: &[(&str, &str)]) -> Settings {
    settings
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect()
}

pub(crate) fn submitted(config: &[(&str, &str)]) -> Submitted {
    let some = |(key, value): (String, String)| (key, Some(value));
    owned(config).into_iter().map(some).collect()
}

/// A source's config with more keys.
pub(crate) fn lines<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut config = vec![
        ("name", "c"),
        ("connector.class", "lines"),
        ("topic", "t"),
        (
            "value.converter",
            "org.apache.kafka.connect.storage.StringConverter",
        ),
    ];
    config.extend_from_slice(more);
    config
}

/// A sink's config with more keys.
pub(crate) fn collect<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut config = vec![
        ("name", "s"),
        ("connector.class", "collect"),
        (
            "value.converter",
            "org.apache.kafka.connect.storage.StringConverter",
        ),
    ];
    config.extend_from_slice(more);
    config
}
