//! Values as large as they may be, and larger ones; and waits that end when they are told to.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::time::Duration;

use longshore_e2e::postgres::{Capture, Psql};
use longshore_e2e::watch;
use reqwest::Method;
use serde_json::{Value, json};

const MIB: usize = 1 << 20;

/// 22 and 39, up to what `max.value.bytes` takes: 64 MiB, where they ask for 200 and 900 MB
#[test]
fn large_values_go_from_the_table_to_topic_and_sink() {
    let mut capture = Capture::start(
        &format!(
            "create table t (id int primary key, v text, n int); alter table t replica identity full;
             insert into t values (1, repeat('a', {}), 0), (2, 'small', 0), (3, repeat('b', {}), 0)",
            40 * MIB,
            64 * MIB
        ),
        &json!({"topic.creation.default.max.message.bytes": "104857600"}),
    )
    .unwrap();
    // A guest's memory never shrinks: growing ones with small ones between must not use it up.
    for (n, size) in [2, 17, 30, 45, 64].into_iter().enumerate() {
        capture
            .run(&format!(
                "insert into t values ({}, repeat('c', {}), 0), ({}, 'small', 0)",
                10 + n,
                size * MIB,
                20 + n
            ))
            .unwrap();
    }
    // Both images have the value, of which the server sends one.
    capture
        .apply("update t set n = 1 where id = 1; insert into t values (99, 'the end', 0)")
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rows.json");
    let topic = capture.topic("public.t");
    capture
        .rest
        .deploy(&json!({"name": format!("{topic}-file"), "config": {
            "connector.class": "file-sink", "topics": topic, "file": file,
            "value.converter": "org.apache.kafka.connect.json.JsonConverter",
            "value.converter.schemas.enable": "false",
        }}))
        .unwrap();
    let what = "the last row in the file";
    watch::until(folder.path(), Duration::from_secs(120), what, || {
        let Ok(mut written) = File::open(&file) else {
            return Ok(false);
        };
        let length = written.metadata()?.len();
        written.seek(SeekFrom::Start(length.saturating_sub(4096)))?;
        let mut tail = String::new();
        written.read_to_string(&mut tail)?;
        Ok(tail.contains("the end") && tail.ends_with('\n'))
    })
    .unwrap();
    let mut sizes = BTreeMap::new();
    for line in BufReader::new(File::open(&file).unwrap()).lines() {
        let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let size = |image: &str| event[image]["v"].as_str().map_or(0, str::len);
        let id = event["after"]["id"].as_i64().unwrap();
        let op = event["op"].as_str().unwrap().to_owned();
        let before = sizes.insert((id, op), (size("before"), size("after")));
        assert_eq!(before, None);
    }
    assert_eq!(sizes.len(), 15);
    let size = |id: i64, op: &str| sizes[&(id, op.to_owned())];
    assert_eq!(size(1, "r"), (0, 40 * MIB));
    assert_eq!(size(2, "r"), (0, 5));
    assert_eq!(size(3, "r"), (0, 64 * MIB));
    for (n, mib) in (10..).zip([2, 17, 30, 45, 64]) {
        assert_eq!(size(n, "c"), (0, mib * MIB));
        assert_eq!(size(n + 10, "c"), (0, 5));
    }
    assert_eq!(size(1, "u"), (40 * MIB, 40 * MIB));
    capture
        .rest
        .delete(&format!("/connectors/{topic}-file"))
        .unwrap();
}

/// Each limit by its name, in snapshot and stream: the value's, the record's, the row's, and the topic's.
#[test]
fn what_is_too_large_is_set_aside_by_name_and_the_rest_goes_on() {
    let rows = |from: usize| {
        format!(
            "insert into t values ({}, repeat('x', {}), null, null);
             insert into t values ({}, repeat('x', {size}), repeat('y', {size}), null);
             insert into t values ({}, repeat('x', {size}), repeat('y', {size}), repeat('z', {size}));
             insert into t values ({}, repeat('x', {}), null, null);
             insert into t values ({}, 'small', null, null);",
            from,
            64 * MIB + 1,
            from + 1,
            from + 2,
            from + 3,
            2 * MIB,
            from + 4,
            size = 50 * MIB,
        )
    };
    let tables = format!(
        "create table t (id int primary key, a text, b text, c text); {}",
        rows(0)
    );
    let mut capture = Capture::prepare(&tables).unwrap();
    let letters = capture.topic("dead");
    let keys = json!({
        "errors.tolerance": "all", "errors.deadletterqueue.topic.name": letters,
    });
    capture.deploy(&keys).unwrap();
    capture.settle().unwrap();
    capture.apply(&rows(10)).unwrap();
    let events = capture.events("t").unwrap();
    let ids: Vec<_> = events.iter().map(|event| event.key["id"].clone()).collect();
    assert_eq!(ids, [4, 14]);
    let dead = capture.events_in(&letters).unwrap();
    let codes: Vec<_> = dead
        .iter()
        .map(|letter| {
            assert_eq!(letter.value, Value::Null);
            let header = |name: &str| {
                let value = letter.header(&format!("__connect.errors.{name}"));
                value.and_then(Value::as_str).unwrap_or_default().to_owned()
            };
            assert!(header("exception.message").contains("bytes"), "{letter:?}");
            header("exception.class.name")
        })
        .collect();
    let each = [
        "postgres-value-too-large",
        "record-too-large",
        "row-too-large",
        "record-too-large",
    ];
    assert_eq!(codes, [each, each].concat());
    assert!(
        dead[3]
            .header("__connect.errors.exception.message")
            .is_some_and(|text| text
                .as_str()
                .is_some_and(|text| text.contains("max.message.bytes")))
    );
}

/// A transaction with an id, which a slot that is being made waits for.
fn hold_up(capture: &Capture) -> Psql {
    let mut other = capture.database.psql().unwrap();
    other.run("begin; select pg_current_xact_id()").unwrap();
    other
}

/// Waits until a slot is made and waits, for the so-manieth time; the server's process that makes it.
fn until_waiting(capture: &mut Capture, times: usize) -> i32 {
    capture.until_slot_waits(times).unwrap();
    assert_eq!(capture.phase().unwrap(), "waiting for running transactions");
    let name = &capture.database.name;
    let sender = format!(
        "select pid from pg_stat_activity where backend_type = 'walsender' and datname = '{name}'"
    );
    capture.psql.value(&sender).unwrap().parse().unwrap()
}

/// Waits until that process is gone, and looks for what it may have left.
fn until_given_up(capture: &mut Capture, sender: i32) {
    watch::ended(sender).unwrap();
    capture.sender().unwrap_err();
}

/// 16: whatever ends the wait, no slot is left, and it is begun anew
#[test]
fn a_wait_for_running_transactions_ends_at_once_when_it_is_told_to() {
    let tables = "create table t (id int primary key); insert into t values (1)";
    let mut capture = Capture::prepare(tables).unwrap();
    let name = capture.database.name.clone();
    let mut other = hold_up(&capture);
    capture.deploy(&json!({})).unwrap();
    let sender = until_waiting(&mut capture, 1);
    let put = |capture: &Capture, verb: &str| {
        let path = format!("/connectors/{name}/{verb}");
        let answer = capture.rest.send(&Method::PUT, &path, None).unwrap();
        assert_eq!(answer.status, 202, "{}", answer.body);
    };
    put(&capture, "pause");
    until_given_up(&mut capture, sender);
    put(&capture, "resume");
    until_waiting(&mut capture, 2);
    other.run("commit").unwrap();
    capture.settle().unwrap();
    let keys: Vec<_> = capture.events("t").unwrap();
    assert_eq!(keys.len(), 1);

    let mut capture = Capture::prepare(tables).unwrap();
    let _other = hold_up(&capture);
    capture.deploy(&json!({})).unwrap();
    let sender = until_waiting(&mut capture, 1);
    let path = format!("/connectors/{}", capture.database.name);
    capture.rest.delete(&path).unwrap();
    until_given_up(&mut capture, sender);
}
