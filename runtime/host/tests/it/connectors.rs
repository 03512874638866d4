//! The built-in connectors and the testkit's guests, on the way that every plugin takes.

use std::fs;

use bytes::Bytes;
use longshore_host::{Contract, Limits};
use longshore_model::batch::{Batch, BatchWriter, Datum, NewRow};
use longshore_model::{
    FaultClass, Order, Position, Role, SourcePosition, TopicName, TopicPartition,
};
use longshore_pipeline::port::{
    Assignment, Generation, Plugins as _, SinkPlugin as _, SourcePlugin as _, TopicId,
};
use tempfile::tempdir;

use crate::zoo::{Task, config, host, host_in, id, open, texts};

#[tokio::test]
async fn lines_of_a_file_come_out_of_one_connector_and_go_into_the_other() {
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("in.log"), "one\ntwo\nthree\nunfinished").unwrap();
    let host = host_in(dir.path(), &["file-source", "file-sink"], Limits::default());
    let from = Task::new("lines", &[("file", "in.log"), ("topic", "lines")]);
    let mut source = open(&host, "FileStreamSource", &from, Vec::new())
        .await
        .unwrap();
    let polled = source.poll(1_000, 1 << 16).await.unwrap();
    assert_eq!(texts(&polled.batch), ["one", "two", "three"]);
    let (_, position) = polled.batch.positions().next().unwrap();
    assert!(
        position.offset.contains(r#""position":14"#),
        "{}",
        position.offset
    );
    source.close().await.unwrap();

    let into = Task::new("out", &[("file", "out.txt"), ("topics", "lines")]);
    let sink_id = id(&host, "file-sink").await;
    let mut sink = host.make_sink(&sink_id, into.env.clone()).await.unwrap();
    let topic = TopicName::parse("lines").unwrap();
    let assigned = Assignment {
        partition: TopicPartition {
            topic,
            partition: 0,
        },
        topic_id: TopicId("lines-1".into()),
        committed: None,
    };
    sink.open(std::slice::from_ref(&assigned)).await.unwrap();
    let failed = sink
        .put(Generation(1), fetched(&polled.batch))
        .await
        .unwrap();
    assert_eq!(failed, []);
    let flushed = sink.flush().await.unwrap();
    assert_eq!(flushed[0].offset, 3);
    sink.close().await.unwrap();
    let written = fs::read_to_string(dir.path().join("out.txt")).unwrap();
    assert_eq!(written, "one\ntwo\nthree\n");
    assert!(dir.path().join("out.txt.longshore").is_file());
}

/// The rows of a source's batch as a sink gets them.
fn fetched(polled: &Batch<Bytes>) -> Bytes {
    let mut batch = BatchWriter::default();
    let topic = Some(batch.topic("lines").expect("there is room"));
    for (offset, row) in (0..).zip(polled.rows()) {
        let row = NewRow {
            topic,
            partition: Some(0),
            offset: Some(offset),
            value: row.value(),
            ..NewRow::default()
        };
        batch.push(&row).expect("there is room");
    }
    Bytes::from(batch.finish().expect("there is room"))
}

fn made(next: u64) -> SourcePosition {
    SourcePosition {
        partition: r#"{"orders":1}"#.to_owned(),
        position: Position {
            offset: format!(r#"{{"next":{next}}}"#),
            order: Some(Order(u128::from(next))),
        },
    }
}

#[tokio::test]
async fn a_declared_schema_has_one_handle_in_every_instance_of_the_task() {
    let host = host(&["orders"], Limits::default());
    let task = Task::new("orders", &[("topic", "orders"), ("orders", "3")]);
    let mut handles = Vec::new();
    for _ in 0..2 {
        let mut source = open(&host, "orders", &task, vec![made(1)]).await.unwrap();
        let polled = source.poll(10, 1 << 16).await.unwrap();
        let Datum::Avro { schema, .. } = polled.batch.row(0).unwrap().value() else {
            panic!("orders are Avro");
        };
        handles.push(schema);
    }
    assert_eq!(handles, [1, 1]);
    let schema = task.env.schemas.schema(1).unwrap();
    assert!(schema.contains("\"Order\""), "{schema}");
}

#[tokio::test]
async fn contracts_are_known_beforehand_and_offsets_are_checked() {
    let host = host(&["orders"], Limits::default());
    let orders = id(&host, "orders").await;
    let good = config(&[("topic", "orders"), ("orders", "3")]);
    let contracts = host.contracts(&orders, &good).await.unwrap().unwrap();
    let Contract {
        topic,
        key_schema,
        value_schema,
    } = &contracts[0];
    assert_eq!((topic.as_str(), key_schema), ("orders", &None));
    assert!(
        value_schema
            .as_ref()
            .is_some_and(|schema| schema.contains("\"Order\""))
    );
    assert!(
        host.alter_source_offsets(&orders, &good, &[made(2)])
            .await
            .unwrap()
    );
    let past = host
        .alter_source_offsets(&orders, &good, &[made(9)])
        .await
        .unwrap_err();
    assert_eq!(past.class, FaultClass::Config);
    let listed = host.list().await;
    assert_eq!(listed[0].manifest.roles, [Role::Source]);
}
