//! What answers take of the memory that all connections share.

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{FetchRequest, ListOffsetsRequest, MetadataRequest, RequestHeader};
use kafka_protocol::protocol::{Encodable as _, Request as Asked, StrBytes};
use longshore_log::{BatchBuilder, Log, LogConfig, LogThreads, NewTopic};
use longshore_model::{TopicName, TopicPartition};
use longshore_pipeline::port::Clock;
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{Broker, Context, LOOKUPS_MAX, answer};
use crate::budget::Budget;
use crate::config::WireConfig;
use crate::frame::Frame;
use crate::request::{Answer, Request};

const FETCH_BYTES_MAX: usize = 1_000;
const FETCHES_BYTES_MAX: usize = 1 << 20;

struct Rig {
    context: Context,
    // Dropped in this order: the log ends before its directory goes.
    _threads: LogThreads,
    _dir: TempDir,
}

#[derive(Debug)]
struct StoppedClock;

impl Clock for StoppedClock {
    fn now_ms(&self) -> i64 {
        0
    }
}

impl Rig {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let clock = Arc::new(StoppedClock);
        let started = Log::start(dir.path(), LogConfig::default(), clock);
        let (log, threads) = started.expect("a log");
        let mut config = WireConfig::new(Vec::new(), "a-test-cluster".to_owned());
        config.fetch_bytes_max = FETCH_BYTES_MAX;
        let broker = Broker {
            log,
            config,
            requests: Budget::new(1 << 20),
            fetches: Budget::new(FETCHES_BYTES_MAX),
            lookups: Semaphore::new(LOOKUPS_MAX),
            shutdown: CancellationToken::new(),
        };
        let context = Context {
            broker: Arc::new(broker),
            host: StrBytes::from_static_str("localhost"),
            port: 9092,
        };
        Self {
            context,
            _threads: threads,
            _dir: dir,
        }
    }

    async fn topic(&self, name: &str, n_partitions: u32) {
        let name = TopicName::parse(name).expect("a name");
        let (partitions, configs) = (Some(n_partitions), [].into());
        let new = NewTopic {
            name,
            partitions,
            configs,
        };
        let created = self.context.broker.log.create_topic(new).await;
        created.expect("a topic");
    }

    async fn write(&self, name: &str, value_bytes: usize) {
        let partition = TopicPartition {
            topic: TopicName::parse(name).expect("a name"),
            partition: 0,
        };
        let mut batch = BatchBuilder::new();
        let value = vec![b'x'; value_bytes];
        batch.push(7, None, Some(&value), std::iter::empty());
        let batch = batch.finish().expect("a record").bytes().clone();
        let queued = self.context.broker.log.produce(&partition, batch).await;
        queued.expect("room").await.expect("a write");
    }

    async fn ask<R: Asked>(&self, asked: R, version: i16) -> Answer {
        let header = RequestHeader::default()
            .with_request_api_key(R::KEY)
            .with_request_api_version(version);
        let mut bytes = BytesMut::new();
        let header_version = R::header_version(version);
        header.encode(&mut bytes, header_version).expect("a header");
        asked.encode(&mut bytes, version).expect("a body");
        let memory = self.context.broker.requests.reserve(bytes.len()).await;
        let bytes = bytes.freeze();
        let request = Request::new(Frame { bytes, memory }).expect("a request");
        answer(&self.context, &request).await.expect("an answer")
    }
}

fn wire_name(name: &'static str) -> kafka_protocol::messages::TopicName {
    StrBytes::from_static_str(name).into()
}

fn reserved(answer: &Answer) -> Option<usize> {
    answer
        .memory
        .as_ref()
        .map(super::super::budget::Reserved::bytes)
}

#[tokio::test]
async fn a_first_batch_over_the_limit_of_a_fetch_has_its_memory_too() {
    let rig = Rig::new();
    for (name, value_bytes) in [("small", 100), ("large", 9 * FETCH_BYTES_MAX)] {
        rig.topic(name, 1).await;
        rig.write(name, value_bytes).await;
    }
    let fetch = |names: &[&'static str]| {
        let partition = FetchPartition::default().with_partition_max_bytes(1 << 20);
        let topic = |name: &&'static str| {
            FetchTopic::default()
                .with_topic(wire_name(name))
                .with_partitions(vec![partition.clone()])
        };
        let asked = FetchRequest::default()
            .with_max_bytes(1 << 20)
            .with_topics(names.iter().map(topic).collect());
        rig.ask(asked, 11)
    };
    let overhead = 150;
    for (names, records) in [
        (&["large"][..], 9 * FETCH_BYTES_MAX),
        (&["large", "small"], 9 * FETCH_BYTES_MAX),
        // What does not fit behind another is not even read.
        (&["small", "large"], 100),
    ] {
        let answer = fetch(names).await;
        let bytes = answer.frame.len();
        assert!(
            (records..records + 2 * overhead).contains(&bytes),
            "{names:?}: {bytes}"
        );
        let reserved = reserved(&answer).expect("memory");
        assert!(
            (records..=records + overhead).contains(&reserved),
            "{names:?}: {reserved}"
        );
    }
}

#[tokio::test]
async fn metadata_takes_memory_for_every_topic_once() {
    let rig = Rig::new();
    rig.topic("wide", 1_000).await;
    rig.topic("narrow", 1).await;
    let ask = |names: Vec<&'static str>| {
        let topic = |name| MetadataRequestTopic::default().with_name(Some(wire_name(name)));
        let topics = names.into_iter().map(topic).collect();
        rig.ask(MetadataRequest::default().with_topics(Some(topics)), 12)
    };
    let once = ask(vec!["wide"]).await;
    let often = ask(["wide", "narrow"].repeat(500)).await;
    let narrow = ask(vec!["narrow"]).await;
    let all = rig
        .ask(MetadataRequest::default().with_topics(None), 12)
        .await;
    assert_eq!(often.frame.len(), all.frame.len());
    for answer in [&once, &often, &all] {
        assert_eq!(reserved(answer), Some(answer.frame.len()));
    }
    assert_eq!(reserved(&narrow), None);
}

#[tokio::test]
async fn times_are_looked_for_one_at_a_time() {
    let rig = Rig::new();
    rig.topic("orders", 1).await;
    rig.write("orders", 100).await;
    let list = |timestamp| {
        let partition = ListOffsetsPartition::default().with_timestamp(timestamp);
        let topic = ListOffsetsTopic::default()
            .with_name(wire_name("orders"))
            .with_partitions(vec![partition]);
        rig.ask(ListOffsetsRequest::default().with_topics(vec![topic]), 5)
    };
    let lookups = &rig.context.broker.lookups;
    let other = lookups.acquire().await.expect("it is open");
    for place in [-1, -2] {
        list(place).await;
    }
    let soon = Duration::from_millis(200);
    for time in [7, -3] {
        assert!(timeout(soon, list(time)).await.is_err(), "{time}");
    }
    drop(other);
    for time in [7, -3] {
        list(time).await;
    }
}
