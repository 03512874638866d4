use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use longshore_model::{Fault, TopicName, TopicPartition};
use longshore_pipeline::batch::{Outgoing, OutgoingRecord, Payload};
use longshore_pipeline::flow::{Control, SinkParts, run_sink};
use longshore_pipeline::memory::MemoryBroker;
use longshore_pipeline::port::{
    Append, Assignment, Fetch, NewTopic, Owner, TopicOffset, Topics, Write,
};
use longshore_pipeline::schemas::SchemaTable;
use longshore_pipeline::telemetry::TaskMetrics;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::fixture::{FixedClock, Notes, ScriptedSink, Upper, control, create, log, sink_settings};

const GROUP: &str = "connect-c";

fn partition() -> TopicPartition {
    partition_of("t")
}

fn partition_of(topic: &str) -> TopicPartition {
    TopicPartition {
        topic: TopicName::parse(topic).unwrap(),
        partition: 0,
    }
}

async fn write(broker: &MemoryBroker, values: &[&[u8]]) {
    write_to(broker, "t", values).await;
}

async fn write_to(broker: &MemoryBroker, topic: &str, values: &[&[u8]]) {
    create(broker, topic, 1).await;
    let owner = Owner::from_stored("test");
    let generation = broker.raise(std::slice::from_ref(&owner)).await.unwrap();
    let record = |value: &&[u8]| OutgoingRecord {
        partition: 0,
        timestamp_ms: 7,
        key: None,
        value: Some(Payload::Owned(Bytes::copy_from_slice(value))),
        headers: Vec::new(),
    };
    let records = Outgoing {
        partitions: vec![partition_of(topic)],
        records: values.iter().map(record).collect(),
        ..Outgoing::default()
    };
    let write = Write {
        owner,
        generation,
        records,
        moves: Vec::new(),
        group: None,
    };
    broker.append(write).await.unwrap();
}

async fn committed(broker: &MemoryBroker) -> Option<i64> {
    broker.committed(GROUP, &[partition()]).await.unwrap()[0]
}

async fn assignment(broker: &MemoryBroker, topic: &str) -> Assignment {
    let partition = partition_of(topic);
    let described = broker.topic(&partition.topic).await.unwrap().unwrap();
    let committed = broker.committed(GROUP, std::slice::from_ref(&partition));
    Assignment {
        topic_id: described.id,
        committed: committed.await.unwrap()[0],
        partition,
    }
}

struct Running {
    flow: JoinHandle<Result<(), Fault>>,
    notes: Notes,
    put: Arc<tokio::sync::Notify>,
    stop: CancellationToken,
    _assigned: watch::Sender<Vec<Assignment>>,
    _target: watch::Sender<longshore_pipeline::flow::Target>,
}

async fn start(
    broker: &MemoryBroker,
    sink: ScriptedSink,
    settings: &[(&str, &str)],
    transforms: Vec<Upper>,
) -> Running {
    let assigned = vec![assignment(broker, "t").await];
    start_on(broker, assigned, sink, settings, transforms).await
}

async fn start_on(
    broker: &MemoryBroker,
    assigned: Vec<Assignment>,
    sink: ScriptedSink,
    settings: &[(&str, &str)],
    transforms: Vec<Upper>,
) -> Running {
    let (notes, put) = (Arc::clone(&sink.notes), Arc::clone(&sink.put));
    let (sender, assigned) = watch::channel(assigned);
    let (target, stop, control): (_, _, Control) = control();
    let parts = SinkParts {
        log: log(broker).await,
        plugin: sink,
        transforms,
        settings: sink_settings(settings),
        schemas: Arc::new(SchemaTable::default()),
        group: GROUP.to_owned(),
        assigned,
        metrics: TaskMetrics::default(),
        clock: Arc::new(FixedClock),
    };
    Running {
        flow: tokio::spawn(run_sink(parts, control)),
        notes,
        put,
        stop,
        _assigned: sender,
        _target: target,
    }
}

impl Running {
    async fn put_of(&self, value: &str) {
        let put = async {
            while !self.notes.lock().unwrap().put.iter().any(|v| v == value) {
                self.put.notified().await;
            }
        };
        let put = tokio::time::timeout(Duration::from_secs(3_600), put);
        put.await.unwrap();
    }

    async fn stopped(self) -> Result<(), Fault> {
        self.stop.cancel();
        self.flow.await.unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn records_are_put_flushed_and_their_offset_is_committed() {
    let broker = MemoryBroker::default();
    write(&broker, &[b"a", b"b"]).await;
    let running = start(&broker, ScriptedSink::default(), &[], Vec::new()).await;
    running.put_of("b").await;
    assert_eq!(committed(&broker).await, None);
    let notes = Arc::clone(&running.notes);
    running.stopped().await.unwrap();
    assert_eq!(committed(&broker).await, Some(2));
    let noted = notes.lock().unwrap();
    assert_eq!((noted.put.len(), noted.flushes, noted.closed), (2, 1, true));
}

#[tokio::test(start_paused = true)]
async fn progress_is_committed_once_an_interval() {
    let broker = MemoryBroker::default();
    write(&broker, &[b"a"]).await;
    let running = start(&broker, ScriptedSink::default(), &[], Vec::new()).await;
    running.put_of("a").await;
    let mut appended = broker.appended();
    appended.mark_unchanged();
    let started = tokio::time::Instant::now();
    appended.changed().await.unwrap();
    assert_eq!(committed(&broker).await, Some(1));
    assert_eq!(started.elapsed(), Duration::from_secs(60));
    running.stopped().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_task_starts_where_its_group_stands() {
    let broker = MemoryBroker::default();
    write(&broker, &[b"a", b"b"]).await;
    let first = start(&broker, ScriptedSink::default(), &[], Vec::new()).await;
    first.put_of("b").await;
    first.stopped().await.unwrap();
    write(&broker, &[b"c"]).await;
    let second = start(&broker, ScriptedSink::default(), &[], Vec::new()).await;
    second.put_of("c").await;
    assert_eq!(second.notes.lock().unwrap().put, ["c"]);
    assert_eq!(second.notes.lock().unwrap().opened_with, [Some(2)]);
    second.stopped().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_position_that_the_sink_keeps_beats_the_groups() {
    let broker = MemoryBroker::default();
    write(&broker, &[b"a", b"b", b"c"]).await;
    let running = start(&broker, standing_at(2), &[], Vec::new()).await;
    running.put_of("c").await;
    assert_eq!(running.notes.lock().unwrap().put, ["c"]);
    running.stopped().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_group_takes_over_a_position_that_the_sink_keeps_without_a_record() {
    let broker = MemoryBroker::default();
    write(&broker, &[b"a", b"b"]).await;
    let mut appended = broker.appended();
    appended.mark_unchanged();
    let running = start(&broker, standing_at(2), &[], Vec::new()).await;
    appended.changed().await.unwrap();
    assert_eq!(committed(&broker).await, Some(2));
    running.stopped().await.unwrap();
}

/// The settings under which whatever fails is kept.
const TOLERANT: [(&str, &str); 4] = [
    (
        "value.converter",
        "org.apache.kafka.connect.json.JsonConverter",
    ),
    ("value.converter.schemas.enable", "false"),
    ("errors.tolerance", "all"),
    ("errors.deadletterqueue.topic.name", "dlq"),
];

/// Sorted: in a group's first run what the sink refused goes before what it was never given.
fn dead(broker: &MemoryBroker) -> Vec<Bytes> {
    let mut values: Vec<_> = broker.values("dlq").into_iter().flatten().collect();
    values.sort();
    values
}

/// A sink that says where it stands, as after a kill.
fn standing_at(offset: i64) -> ScriptedSink {
    ScriptedSink {
        starts: vec![TopicOffset {
            partition: partition(),
            offset,
        }],
        ..ScriptedSink::default()
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_sink_has_passed_and_the_group_has_not_is_read_once_more_for_poison() {
    let broker = MemoryBroker::default();
    write(
        &broker,
        &[br#""a""#, b"{", br#""fault""#, br#""b""#, br#""c""#],
    )
    .await;
    let running = start(&broker, standing_at(4), &TOLERANT, vec![Upper]).await;
    running.put_of(r#""C""#).await;
    assert_eq!(running.notes.lock().unwrap().put, [r#""C""#]);
    running.stopped().await.unwrap();
    assert_eq!(dead(&broker), [r#""fault""#, "{"]);
    assert_eq!(committed(&broker).await, Some(5));
}

#[tokio::test(start_paused = true)]
async fn what_the_group_has_passed_and_the_sink_has_not_is_put_but_not_set_aside_again() {
    let broker = MemoryBroker::default();
    write(&broker, &[br#""a""#, b"{", br#""refuse""#]).await;
    let first = start(&broker, ScriptedSink::default(), &TOLERANT, vec![Upper]).await;
    first.put_of(r#""REFUSE""#).await;
    first.stopped().await.unwrap();
    assert_eq!(committed(&broker).await, Some(3));
    write(&broker, &[br#""b""#]).await;
    let second = start(&broker, standing_at(0), &TOLERANT, vec![Upper]).await;
    second.put_of(r#""B""#).await;
    assert_eq!(
        second.notes.lock().unwrap().put,
        [r#""A""#, r#""REFUSE""#, r#""B""#]
    );
    second.stopped().await.unwrap();
    assert_eq!(dead(&broker), [r#""refuse""#, "{"]);
    assert_eq!(committed(&broker).await, Some(4));
}

#[tokio::test(start_paused = true)]
async fn dead_letters_wait_for_the_offset_that_passes_them() {
    let broker = MemoryBroker::default();
    write(&broker, &[br#""a""#, b"{"]).await;
    let sink = ScriptedSink {
        holds_back: true,
        ..ScriptedSink::default()
    };
    let running = start(&broker, sink, &TOLERANT, vec![Upper]).await;
    running.put_of(r#""A""#).await;
    running.stopped().await.unwrap();
    assert_eq!(committed(&broker).await, Some(0));
    assert!(dead(&broker).is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_transformed_or_put_is_dead_lettered_with_the_offset() {
    let broker = MemoryBroker::default();
    let values = [
        r#""a""#,
        "{",
        r#""fault""#,
        r#""drop""#,
        r#""refuse""#,
        r#""b""#,
    ];
    write(&broker, &values.map(str::as_bytes)).await;
    let sink = ScriptedSink::default();
    let running = start(&broker, sink, &TOLERANT, vec![Upper]).await;
    running.put_of(r#""B""#).await;
    assert!(broker.values("dlq").is_empty());
    running.stopped().await.unwrap();
    assert_eq!(committed(&broker).await, Some(6));
    assert_eq!(dead(&broker), [r#""fault""#, r#""refuse""#, "{"]);
}

#[tokio::test(start_paused = true)]
async fn a_bad_record_ends_the_task_where_it_is_not_tolerated() {
    let broker = MemoryBroker::default();
    write(&broker, &[b"a", b"refuse"]).await;
    let running = start(&broker, ScriptedSink::default(), &[], Vec::new()).await;
    let fault = running.flow.await.unwrap().unwrap_err();
    assert_eq!(fault.code, "refused");
    assert_eq!(fault.detail("offset"), Some("1"));
    assert_eq!(committed(&broker).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_retriable_fault_of_put_is_tried_again_with_the_same_batch() {
    let broker = MemoryBroker::default();
    write(&broker, &[b"a"]).await;
    let sink = ScriptedSink {
        retriable_puts: 3,
        ..ScriptedSink::default()
    };
    let running = start(&broker, sink, &[], Vec::new()).await;
    running.put_of("a").await;
    running.stopped().await.unwrap();
    assert_eq!(committed(&broker).await, Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_is_more_than_a_batch_is_put_in_parts() {
    let broker = MemoryBroker::default();
    let mut values = vec![&b"x"[..]; 250_000];
    values.push(b"last");
    write(&broker, &values).await;
    let tolerant = [("errors.tolerance", "all")];
    let running = start(&broker, ScriptedSink::default(), &tolerant, Vec::new()).await;
    running.put_of("last").await;
    assert_eq!(running.notes.lock().unwrap().put.len(), values.len());
    running.stopped().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn rows_stand_where_their_records_stood_whatever_a_transform_forgets() {
    let broker = MemoryBroker::default();
    write(&broker, &[b"a", b"forget"]).await;
    let running = start(&broker, ScriptedSink::default(), &[], vec![Upper]).await;
    running.put_of("FORGET").await;
    running.stopped().await.unwrap();
    assert_eq!(committed(&broker).await, Some(2));
}

#[tokio::test(start_paused = true)]
async fn retention_that_was_faster_does_not_end_the_task() {
    let broker = MemoryBroker::default();
    write(&broker, &[b"a"]).await;
    let running = start(&broker, ScriptedSink::default(), &[], Vec::new()).await;
    running.put_of("a").await;
    broker.trim(&partition(), 3);
    write(&broker, &[b"b", b"c", b"d"]).await;
    running.put_of("d").await;
    running.stopped().await.unwrap();
    assert_eq!(committed(&broker).await, Some(4));
}

#[tokio::test(start_paused = true)]
async fn a_topic_that_is_deleted_does_not_end_the_task_nor_leaves_its_offset_to_the_next() {
    let broker = MemoryBroker::default();
    write(&broker, &[b"a", b"b"]).await;
    write_to(&broker, "u", &[b"c"]).await;
    let assigned = vec![
        assignment(&broker, "t").await,
        assignment(&broker, "u").await,
    ];
    let sink = ScriptedSink::default();
    let running = start_on(&broker, assigned, sink, &[], Vec::new()).await;
    running.put_of("b").await;
    running.put_of("c").await;
    broker.delete_topic(&partition().topic).await.unwrap();
    write_to(&broker, "u", &[b"d"]).await;
    running.put_of("d").await;
    create(&broker, "t", 1).await;
    running.stopped().await.unwrap();
    assert_eq!(committed(&broker).await, None);
    let of_u = broker.committed(GROUP, &[partition_of("u")]).await;
    assert_eq!(of_u.unwrap(), [Some(2)]);
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_over_its_topics_limit_is_written_without_its_value() {
    let broker = MemoryBroker::default();
    let poison = format!("{{{}", "x".repeat(2_000));
    write(&broker, &[poison.as_bytes(), br#""a""#]).await;
    let small = NewTopic {
        name: partition_of("dlq").topic,
        partitions: Some(1),
        configs: [("max.message.bytes".to_owned(), "1000".to_owned())].into(),
    };
    broker.create_topic(small).await.unwrap();
    let sink = ScriptedSink::default();
    let running = start(&broker, sink, &TOLERANT, vec![Upper]).await;
    running.put_of(r#""A""#).await;
    running.stopped().await.unwrap();
    assert_eq!(broker.values("dlq"), [None]);
    assert_eq!(committed(&broker).await, Some(2));
}

#[tokio::test(start_paused = true)]
async fn a_record_larger_than_a_batch_of_many_reaches_the_sink_in_its_place() {
    let broker = MemoryBroker::default();
    let large = "x".repeat(20 << 20);
    let texts: Vec<String> = (0..21)
        .map(|n| match n {
            3 | 10 => large.clone(),
            n => n.to_string(),
        })
        .collect();
    let values: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
    write(&broker, &values).await;
    let running = start(&broker, ScriptedSink::default(), &[], Vec::new()).await;
    running.put_of("20").await;
    assert!(running.notes.lock().unwrap().put == texts);
    running.stopped().await.unwrap();
    assert_eq!(committed(&broker).await, Some(21));
}
