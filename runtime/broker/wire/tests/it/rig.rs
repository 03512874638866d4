//! A log in a temporary directory, and listeners on free ports before it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use longshore_log::{Log, LogConfig, LogThreads, NewTopic, Topic};
use longshore_model::TopicName;
use longshore_pipeline::port::Clock;
use longshore_wire::{Bound, Endpoint, Listener, WireConfig};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::client::Client;

pub(crate) const CLUSTER_ID: &str = "a-test-cluster";
pub(crate) const NOW_MS: i64 = 1_790_000_000_000;

pub(crate) struct Rig {
    pub(crate) log: Log,
    pub(crate) bound: Vec<Bound>,
    pub(crate) shutdown: CancellationToken,
    pub(crate) serving: JoinHandle<()>,
    // Dropped in this order: the log ends before its directory goes.
    _threads: LogThreads,
    _dir: TempDir,
}

#[derive(Debug)]
struct StoppedClock;

impl Clock for StoppedClock {
    fn now_ms(&self) -> i64 {
        NOW_MS
    }
}

impl Rig {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// One listener on a free port, unless `change` says otherwise.
    pub(crate) async fn with(change: impl FnOnce(&mut WireConfig)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(StoppedClock);
        let (log, threads) = Log::start(dir.path(), LogConfig::default(), clock).unwrap();
        let mut config = WireConfig::new(endpoints("127.0.0.1:0"), CLUSTER_ID.to_owned());
        change(&mut config);
        let listener = Listener::bind(config, log.clone()).await.unwrap();
        let bound: Vec<_> = listener.bound().cloned().collect();
        let shutdown = CancellationToken::new();
        let serving = tokio::spawn(listener.serve(shutdown.clone()));
        Self {
            log,
            bound,
            shutdown,
            serving,
            _threads: threads,
            _dir: dir,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.bound[0].local
    }

    pub(crate) async fn client(&self) -> Client {
        Client::connect(self.address()).await
    }

    pub(crate) async fn topic(&self, name: &str, n_partitions: u32) -> Topic {
        self.topic_with(name, n_partitions, &[]).await
    }

    pub(crate) async fn topic_with(
        &self,
        name: &str,
        n_partitions: u32,
        configs: &[(&str, &str)],
    ) -> Topic {
        let configs = configs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let new = NewTopic {
            name: TopicName::parse(name).unwrap(),
            partitions: Some(n_partitions),
            configs: configs.collect::<BTreeMap<_, _>>(),
        };
        self.log.create_topic(new).await.unwrap()
    }
}

pub(crate) fn endpoints(list: &str) -> Vec<Endpoint> {
    Endpoint::parse_list("kafka.listeners", list).unwrap()
}
