//! Well-behaved guests: the whole way in and out.

use bytes::Bytes;
use longshore_host::Limits;
use longshore_model::batch::{BatchWriter, Datum, NewRow};
use longshore_model::{FaultClass, Order, Position, SourcePosition, TopicName, TopicPartition};
use longshore_pipeline::batch::Outgoing;
use longshore_pipeline::delivery::{Settles, Stored, TaskLog};
use longshore_pipeline::memory::MemoryBroker;
use longshore_pipeline::port::{
    Append as _, Assignment, Generation, Owner, Plugins as _, Severity, Signal as _,
    SinkPlugin as _, SourcePlugin as _, TopicId, TopicOffset, TransformPlugin as _,
};

use crate::zoo::{Task, config, host, id, lone_source, open, texts};

const PARTITION: &str = r#"{"counts":1}"#;

fn at(next: u64) -> SourcePosition {
    SourcePosition {
        partition: PARTITION.to_owned(),
        position: Position {
            offset: format!(r#"{{"next":{next}}}"#),
            order: Some(Order(u128::from(next))),
        },
    }
}

/// What an append of positions proves.
async fn stored(task: &Task, positions: Vec<SourcePosition>) -> Stored {
    let broker = MemoryBroker::default();
    let generation = broker.raise(&[Owner::task(&task.env.task)]).await;
    let generation = generation.expect("memory is never full");
    let log = TaskLog::new(broker, task.env.task.clone(), generation);
    let settles = Settles {
        positions,
        ..Settles::default()
    };
    let stored = log.append(Outgoing::default(), settles).await;
    stored.expect("memory is never full")
}

#[tokio::test]
async fn a_source_polls_is_informed_and_goes_on_where_it_was() {
    let host = host(&["counts"], Limits::default());
    let mut task = Task::new("numbers", &[("topic", "numbers"), ("records", "10")]);
    let mut source = open(&host, "counts", &task, vec![at(3)]).await.unwrap();
    let polled = source.poll(4, 1 << 16).await.unwrap();
    assert_eq!(
        texts(&polled.batch),
        ["record 3", "record 4", "record 5", "record 6"]
    );
    let positions: Vec<_> = polled
        .batch
        .positions()
        .map(|(p, at)| (p.to_owned(), at.clone()))
        .collect();
    assert_eq!(positions, [(at(7).partition, at(7).position)]);
    let rest = source.poll(100, 1 << 16).await.unwrap();
    assert_eq!(texts(&rest.batch), ["record 7", "record 8", "record 9"]);

    let stored = stored(&task, vec![at(7)]).await;
    task.env.generation = stored.generation();
    source.commit(stored).await.unwrap();
    assert_eq!(
        task.progress.borrow_and_update().as_deref(),
        Some(r#"{"next":7}"#)
    );
    source.close().await.unwrap();
    assert_eq!((task.count("records"), task.count("closed")), (7, 1));
    task.ended().await;
}

#[tokio::test]
async fn a_wake_ends_a_waiting_poll_and_the_next_one_waits_again() {
    let (task, mut source) = lone_source("counts", &[("topic", "t"), ("records", "0")]).await;
    let signal = source.signal();
    for round in 1..=3 {
        // Whether the wake comes before the wait or while it waits, the poll returns.
        let (polled, ()) = tokio::join!(source.poll(10, 1 << 16), async { signal.wake() });
        assert!(polled.unwrap().batch.is_empty());
        assert_eq!(task.count("heard_woken"), round);
    }
    signal.stop();
    source.poll(10, 1 << 16).await.unwrap();
    source.poll(10, 1 << 16).await.unwrap();
    assert_eq!(task.count("heard_stopping"), 2);
    source.close().await.unwrap();
    assert_eq!((task.count("closed"), task.count("heard_ready")), (1, 0));
}

#[tokio::test]
async fn a_stop_ends_a_waiting_poll() {
    let (task, mut source) = lone_source("counts", &[("topic", "t"), ("records", "0")]).await;
    let signal = source.signal();
    let polling = tokio::spawn(async move { (source.poll(10, 1 << 16).await, source) });
    signal.stop();
    let (polled, source) = polling.await.unwrap();
    assert!(polled.unwrap().batch.is_empty());
    source.close().await.unwrap();
    assert_eq!(task.count("heard_stopping"), 1);
    task.ended().await;
}

#[tokio::test]
async fn dropping_a_source_ends_its_instance_whatever_it_is_doing() {
    let (task, mut source) = lone_source("counts", &[("topic", "t"), ("records", "0")]).await;
    let mut poll = Box::pin(source.poll(10, 1 << 16));
    assert!(futures_util::poll!(poll.as_mut()).is_pending());
    drop(poll);
    drop(source);
    task.ended().await;
}

#[tokio::test]
async fn what_is_stored_of_another_task_confirms_nothing() {
    let (_, mut source) = lone_source("counts", &[("topic", "t")]).await;
    let other = Task::new("other", &[]);
    let refused = source
        .commit(stored(&other, Vec::new()).await)
        .await
        .unwrap_err();
    assert_eq!(refused.code, "not-its-positions");
}

#[tokio::test]
async fn a_config_is_validated_and_split_into_tasks() {
    let host = host(&["counts", "keeps"], Limits::default());
    let counts = id(&host, "counts").await;
    let good = config(&[("name", "n"), ("topic", "t")]);
    assert_eq!(host.validate(&counts, &good).await.unwrap(), []);
    let bad = config(&[
        ("topic", "t"),
        ("problem", "no good"),
        ("oddity", "strange"),
    ]);
    let problems = host.validate(&counts, &bad).await.unwrap();
    let found = problems
        .iter()
        .map(|it| (it.key.as_str(), it.severity, it.fault.class));
    assert_eq!(
        found.collect::<Vec<_>>(),
        [
            ("problem", Severity::Refusal, FaultClass::Config),
            ("oddity", Severity::Warning, FaultClass::Config),
        ]
    );
    assert_eq!(
        host.plan(&counts, &good, 3).await.unwrap(),
        std::slice::from_ref(&good)
    );
    let missing = host.plan(&counts, &Vec::new(), 1).await.unwrap_err();
    assert_eq!(
        (missing.class, missing.detail("key")),
        (FaultClass::Config, Some("topic"))
    );
    let keeps = id(&host, "keeps").await;
    assert_eq!(host.plan(&keeps, &good, 3).await.unwrap().len(), 3);
    let task = Task::new("n", &[]);
    let wrong = host
        .make_sink(&counts, task.env.clone())
        .await
        .err()
        .unwrap();
    assert_eq!(wrong.code, "plugin-role");
    assert!(
        host.alter_source_offsets(&counts, &good, &[at(3)])
            .await
            .unwrap()
    );
    assert!(
        host.alter_sink_offsets(&keeps, &good, &[offset(3)])
            .await
            .unwrap()
    );
    assert_eq!(host.contracts(&counts, &good).await.unwrap(), None);
}

fn offset(offset: i64) -> TopicOffset {
    let topic = TopicName::parse("t").expect("a legal name");
    let partition = TopicPartition {
        topic,
        partition: 0,
    };
    TopicOffset { partition, offset }
}

fn batch(values: &[&str], first_offset: i64) -> Bytes {
    let mut batch = BatchWriter::default();
    let topic = Some(batch.topic("t").expect("there is room"));
    for (offset, value) in (first_offset..).zip(values) {
        let row = NewRow {
            topic,
            partition: Some(0),
            offset: Some(offset),
            value: Datum::Text(value),
            ..NewRow::default()
        };
        batch.push(&row).expect("there is room");
    }
    Bytes::from(batch.finish().expect("there is room"))
}

#[tokio::test]
async fn a_sink_opens_takes_refuses_and_flushes() {
    let host = host(&["keeps"], Limits::default());
    let task = Task::new("keeper", &[]);
    let keeps = id(&host, "keeps").await;
    let mut sink = host.make_sink(&keeps, task.env.clone()).await.unwrap();
    let assigned = Assignment {
        partition: offset(0).partition,
        topic_id: TopicId("t-1".into()),
        committed: Some(5),
    };
    assert_eq!(
        sink.open(std::slice::from_ref(&assigned)).await.unwrap(),
        [offset(5)]
    );
    let failed = sink
        .put(Generation(1), batch(&["a", "refuse me", "b"], 5))
        .await
        .unwrap();
    let failed: Vec<_> = failed.iter().map(|f| (f.row, f.fault.class)).collect();
    assert_eq!(failed, [(1, FaultClass::BadRecord)]);
    assert_eq!(sink.flush().await.unwrap(), [offset(8)]);
    let changed = sink
        .partitions_changed(&[assigned], &[offset(8)], &[], Generation(2))
        .await;
    assert_eq!(changed.unwrap(), [offset(5)]);
    sink.close().await.unwrap();
    assert_eq!(task.count("kept"), 3);
}

#[tokio::test]
async fn a_transform_changes_and_drops_and_says_where_rows_came_from() {
    let host = host(&["shouts"], Limits::default());
    let shouts = id(&host, "shouts").await;
    let env = Task::new("shouting", &[]).env;
    let own = config(&[("ending", "?")]);
    let mut transform = host.open_transform(&shouts, env, &own).await.unwrap();
    for _ in 0..3 {
        let out = transform
            .apply(batch(&["a", "whisper", "b"], 0))
            .await
            .unwrap();
        let out = longshore_model::batch::Batch::parse(out).unwrap();
        assert_eq!(texts(&out), ["A?", "B?"]);
        assert_eq!(
            out.rows().map(|row| row.origin()).collect::<Vec<_>>(),
            [0, 2]
        );
    }
}
