//! Which rows are captured, when tables are read, and what is written besides events.

use longshore_e2e::postgres::{Capture, Event};
use serde_json::{Value, json};

use super::findings::{has, warnings};
use super::{expected, short};

const TABLE: &str = "create table t (id int primary key); insert into t values (1);";

fn key(id: i32) -> Value {
    json!({ "id": id })
}

#[test]
fn heartbeats_are_debeziums_and_run_their_query() {
    let mut capture =
        Capture::prepare("create table beats (id int generated always as identity primary key)")
            .unwrap();
    let now = "select (extract(epoch from clock_timestamp()) * 1000)::bigint";
    let begun: i64 = capture.psql.value(now).unwrap().parse().unwrap();
    capture
        .deploy(&json!({
            "heartbeat.interval.ms": "100",
            "heartbeat.action.query": "insert into beats default values",
            "key.converter.schemas.enable": "true", "value.converter.schemas.enable": "true",
        }))
        .unwrap();
    let name = capture.database.name.clone();
    let mut beats = Vec::new();
    capture
        .follow_topic(&format!("__debezium-heartbeat.{name}"), |event| {
            beats.push(event.clone());
            beats.len() == 2
        })
        .unwrap();
    let schema = |name: &str, kind: &str, field: &str| {
        json!({"type": "struct", "optional": false, "name": name, "version": 1,
            "fields": [{"type": kind, "optional": false, "field": field}]})
    };
    let told = |beat: usize| beats[beat].value["payload"]["ts_ms"].as_i64().unwrap();
    assert!(begun <= told(0) && told(0) + 100 <= told(1), "{beats:?}");
    for (beat, event) in beats.iter().enumerate() {
        let named = schema(
            "io.debezium.connector.common.ServerNameKey",
            "string",
            "serverName",
        );
        let payload = json!({ "serverName": name });
        assert_eq!(event.key, json!({"schema": named, "payload": payload}));
        let timed = schema("io.debezium.connector.common.Heartbeat", "int64", "ts_ms");
        let payload = json!({ "ts_ms": told(beat) });
        assert_eq!(event.value, json!({"schema": timed, "payload": payload}));
    }
    // What the query wrote is captured like everything else.
    let is_second = |event: &Value| event["payload"]["after"]["id"] == 2;
    capture
        .follow_topic(&capture.topic("public.beats"), |event| {
            is_second(&event.value)
        })
        .unwrap();
}

#[test]
fn initial_only_reads_the_rows_and_drops_its_slot() {
    let mut capture = Capture::prepare(TABLE).unwrap();
    let keys = json!({"snapshot.mode": "initial_only"});
    capture.deploy(&keys).unwrap();
    let topic = capture.topic("public.t");
    capture.follow_topic(&topic, |_| true).unwrap();
    capture.until_slot_is_gone().unwrap();
    assert_eq!(
        short(&capture.events("t").unwrap()),
        expected([("r", key(1))])
    );
}

#[test]
fn always_reads_the_tables_again_at_a_restart() {
    let keys = json!({"snapshot.mode": "always"});
    let mut capture = Capture::start(TABLE, &keys).unwrap();
    capture.apply("insert into t values (2)").unwrap();
    capture.restart().unwrap();
    let mut read = 0;
    capture
        .follow_topic(&capture.topic("public.t"), |event| {
            read += usize::from(event.op() == "r");
            read == 3
        })
        .unwrap();
    capture.apply("insert into t values (3)").unwrap();
    assert_eq!(
        short(&capture.events("t").unwrap()),
        expected([
            ("r", key(1)),
            ("c", key(2)),
            ("r", key(1)),
            ("r", key(2)),
            ("c", key(3)),
        ])
    );
}

#[test]
fn never_reads_no_rows_and_decoderbufs_means_pgoutput() {
    let mut capture = Capture::prepare(TABLE).unwrap();
    let keys = json!({"snapshot.mode": "never", "plugin.name": "decoderbufs"});
    let found = warnings(&capture, &keys);
    has(&found, "plugin.name", "", "decoderbufs|pgoutput");
    assert_eq!(found.len(), 1, "{found:#?}");
    capture.deploy(&keys).unwrap();
    capture.until_streaming(&capture.database.name).unwrap();
    capture.apply("insert into t values (2)").unwrap();
    assert_eq!(
        short(&capture.events("t").unwrap()),
        expected([("c", key(2))])
    );
    let plugin = "select plugin from pg_replication_slots where database = current_database()";
    assert_eq!(capture.psql.value(plugin).unwrap(), "pgoutput");
}

#[test]
fn columns_are_chosen_and_schemas_left_out() {
    let mut capture = Capture::start(
        "create table t (id int primary key, v text, w text); insert into t values (1, 'a', 'x');
         create schema hidden; create table hidden.t (id int primary key); insert into hidden.t values (1)",
        &json!({
            "column.include.list": r"public\.t\.v,public\.marker\..*",
            "schema.exclude.list": "hidden",
        }),
    )
    .unwrap();
    capture
        .apply("insert into t values (2, 'b', 'y'); insert into hidden.t values (2)")
        .unwrap();
    let events = capture.events("t").unwrap();
    let rows: Vec<_> = events
        .iter()
        .map(|event| (&event.key, event.after()))
        .collect();
    assert_eq!(
        rows,
        [(&key(1), &json!({"v": "a"})), (&key(2), &json!({"v": "b"})),]
    );
    let hidden = capture.topic("hidden.t");
    assert_eq!(capture.events_in(&hidden).unwrap(), []);
}

#[test]
fn a_type_without_a_form_is_refused_by_name_or_written_as_the_servers_text() {
    let mut capture = Capture::prepare(
        "create type pair as (a int, b text);
         create table t (id int primary key, p pair, b box, a pair[]);
         insert into t values (1, (1, 'x y'), '(1,1),(0,0)', array[(2, 'z')::pair])",
    )
    .unwrap();
    let refusal = capture.refusal(&json!({})).unwrap();
    for words in [
        "column p of table public.t",
        "type pair",
        "unknown.types=text",
    ] {
        assert!(refusal.contains(words), "{words}: {refusal}");
    }
    capture.deploy(&json!({"unknown.types": "text"})).unwrap();
    capture.settle().unwrap();
    capture
        .apply("insert into t values (2, (2, null), '(2,2),(0,0)', '{}')")
        .unwrap();
    let events = capture.events("t").unwrap();
    let rows: Vec<_> = events.iter().map(Event::after).collect();
    let text = |row: &str| {
        format!(
            "select to_jsonb(r) from (select id, p::text, b::text, a::text from t where id = {row}) r"
        )
    };
    let expected = ["1", "2"].map(|id| {
        let row = capture.psql.value(&text(id)).unwrap();
        serde_json::from_str::<Value>(&row).unwrap()
    });
    assert_eq!(rows, expected.iter().collect::<Vec<_>>());
}

#[test]
fn partitions_are_their_table_where_they_are_published_so() {
    let mut capture = Capture::start(
        "create table t (id int primary key, v text) partition by range (id);
         create table low partition of t for values from (0) to (10);
         create table high partition of t for values from (10) to (20);
         insert into t values (1, 'a'), (11, 'b')",
        &json!({"publish.via.partition.root": "true"}),
    )
    .unwrap();
    capture
        .apply("insert into high values (12, 'c'); update t set id = 13 where id = 1; delete from low; delete from t where id = 11")
        .unwrap();
    assert_eq!(
        short(&capture.events("t").unwrap()),
        expected([
            ("r", key(1)),
            ("r", key(11)),
            ("c", key(12)),
            // The server makes it a delete in one partition and an insert in the other.
            ("d", key(1)),
            ("-", key(1)),
            ("c", key(13)),
            ("d", key(11)),
            ("-", key(11)),
        ])
    );
    for partition in ["low", "high"] {
        assert_eq!(capture.events(partition).unwrap(), []);
    }
}

#[test]
fn deletes_are_followed_by_nothing_where_tombstones_are_not_wanted() {
    let keys = json!({"tombstones.on.delete": "false"});
    let mut capture = Capture::start(TABLE, &keys).unwrap();
    capture.apply("update t set id = 2; delete from t").unwrap();
    assert_eq!(
        short(&capture.events("t").unwrap()),
        expected([("r", key(1)), ("d", key(1)), ("c", key(2)), ("d", key(2)),])
    );
}
