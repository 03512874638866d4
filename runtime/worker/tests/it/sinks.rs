//! What sinks read.

use std::time::Duration;

use bytes::Bytes;
use longshore_model::TaskId;
use longshore_worker::State::Running;
use longshore_worker::{Begin, NewRecord};

use crate::fixture::{TestWorker, collect, name, submitted, topic};

async fn write(worker: &TestWorker, to: &str, value: &str) {
    let record = NewRecord {
        value: Some(Bytes::from(value.to_owned())),
        ..NewRecord::default()
    };
    worker
        .handle
        .records()
        .write(&topic(to), vec![record])
        .await
        .unwrap();
}

async fn reach_collected(worker: &TestWorker, values: &[&str]) {
    let mut collected = worker.plugins.collected.subscribe();
    let all = collected.wait_for(|collected| {
        let mut collected = collected.clone();
        collected.sort();
        collected == values
    });
    let reached = tokio::time::timeout(Duration::from_secs(600), all).await;
    assert!(
        reached.is_ok(),
        "{:?} and not {values:?}",
        worker.plugins.collected.borrow()
    );
}

#[tokio::test(start_paused = true)]
async fn topics_that_are_named_and_missing_are_created_and_read() {
    let worker = TestWorker::start(&[]).await;
    worker.create(&collect(&[("topics", "a,b")])).await;
    worker.reach("s", &[Running, Running]).await;
    write(&worker, "a", "1").await;
    write(&worker, "b", "2").await;
    reach_collected(&worker, &["1", "2"]).await;
}

#[tokio::test(start_paused = true)]
async fn topics_that_are_not_created_are_waited_for() {
    let worker = TestWorker::start(&[("auto.create.topics.enable", "false")]).await;
    worker.create(&collect(&[("topics", "a")])).await;
    worker.reach("s", &[Running, Running]).await;
    let records = worker.handle.records();
    assert!(records.topic(&topic("a")).await.is_err());
    records
        .create(topic("a"), Some(2), std::collections::BTreeMap::new())
        .await
        .unwrap();
    write(&worker, "a", "1").await;
    reach_collected(&worker, &["1"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_pattern_takes_in_topics_that_come_later() {
    let worker = TestWorker::start(&[]).await;
    worker
        .create(&collect(&[("topics.regex", "in-.*"), ("tasks.max", "2")]))
        .await;
    worker.reach("s", &[Running, Running, Running]).await;
    let records = worker.handle.records();
    for name in ["in-1", "out-1", "in-2"] {
        records
            .create(topic(name), None, std::collections::BTreeMap::new())
            .await
            .unwrap();
        write(&worker, name, name).await;
    }
    reach_collected(&worker, &["in-1", "in-2"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_task_that_restarts_goes_on_from_its_groups_offsets() {
    let worker = TestWorker::start(&[]).await;
    worker.create(&collect(&[("topics", "a")])).await;
    worker.reach("s", &[Running, Running]).await;
    write(&worker, "a", "1").await;
    reach_collected(&worker, &["1"]).await;
    let task = TaskId {
        connector: name("s"),
        task: 0,
    };
    worker.handle.restart_task(&task).await.unwrap();
    write(&worker, "a", "2").await;
    reach_collected(&worker, &["1", "2"]).await;
    worker.reach("s", &[Running, Running]).await;
    let more = collect(&[("topics", "a,b")]);
    worker.handle.put(submitted(&more)).await.unwrap();
    write(&worker, "a", "3").await;
    reach_collected(&worker, &["1", "2", "3"]).await;
}

#[tokio::test(start_paused = true)]
async fn records_are_read_from_where_one_says() {
    let worker = TestWorker::start(&[]).await;
    let records = worker.handle.records();
    records
        .create(topic("a"), Some(1), std::collections::BTreeMap::new())
        .await
        .unwrap();
    for value in ["1", "2", "3"] {
        write(&worker, "a", value).await;
    }
    let topic = topic("a");
    let read = async |begin, limit| {
        let read = records.read(&topic, None, begin, limit).await.unwrap();
        read.iter().map(|record| record.offset).collect::<Vec<_>>()
    };
    assert_eq!(read(Begin::Earliest, 2).await, [0, 1]);
    assert_eq!(read(Begin::At(1), 9).await, [1, 2]);
    assert_eq!(read(Begin::Last(1), 9).await, [2]);
    assert!(read(Begin::Latest, 9).await.is_empty());
    assert!(records.read(&topic, None, Begin::At(4), 9).await.is_err());
    assert!(
        records
            .read(&topic, Some(1), Begin::Earliest, 9)
            .await
            .is_err()
    );
}
