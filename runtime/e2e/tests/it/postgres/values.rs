//! Values and names as both sides show them.

use longshore_e2e::postgres::{Capture, Database, shared};
use serde_json::json;

/// 53, for the values that have text: what the golden table of Debezium has is compared in `cargo xtask prove debezium`
#[test]
fn snapshot_and_stream_show_the_same_values() {
    let mut capture = Capture::start(
        "create type mood as enum ('sad', 'ok');
         create table t (id int primary key, b bool, i2 int2, i8 int8, f4 float4, f8 float8, n numeric(10,2), nn numeric,
            m money, v varchar(10), c char(5), ba bytea, j json, jb jsonb, x xml, u uuid, e mood, d date, t time, tz timetz,
            ts timestamp, tstz timestamptz, iv interval, i inet, r int4range, bits bit(5), a int[], ta text[]);
         insert into t values (1, true, -32768, 9223372036854775807, 0.1, 5e-324, 1.50, 1.500, 1234.5, 'v', 'c', '\\x00ff',
            '{\"a\": 1}', '{\"a\": 1}', '<a/>', '00000000-0000-0000-0000-000000000001', 'ok', '2026-01-02', '03:04:05.678901',
            '03:04:05+02', '2026-01-02 03:04:05.678901', '2026-01-02 03:04:05.678901+02', '1 mon -2 days 03:00', '10.0.0.1',
            '[1,5)', B'10110', '{1,NULL}', '{a,\"b,c\",NULL}');
         insert into t (id) values (2);
         insert into t (id, f4, f8, v, ba, a, ta) values (3, 'NaN', '-Infinity', '', '', '{}', '{\"\",\"NULL\"}');",
        &json!({}),
    )
    .unwrap();
    capture
        .apply(
            "create temp table copy as select * from t; update copy set id = id + 10;
             insert into t select * from copy order by id",
        )
        .unwrap();
    let events = capture.events("t").unwrap();
    assert_eq!(events.len(), 6);
    for n in 0..3 {
        let mut snapshot = events[n].after().clone();
        snapshot["id"] = json!(11 + n);
        assert_eq!(&snapshot, events[n + 3].after());
    }
    let row = events[0].after();
    assert_eq!(row["n"], "AJY=");
    assert_eq!(row["d"], 20455);
    assert_eq!(row["ts"], 1_767_323_045_678_901_i64);
    assert_eq!(row["tstz"], "2026-01-02T01:04:05.678901Z");
    assert_eq!(row["a"], json!([1, null]));
    assert_eq!(row["ta"], json!(["a", "b,c", null]));
}

/// 58
#[test]
fn bytes_that_are_no_text_are_told_and_not_tried_for_ever() {
    let database = Database::create_with(shared().unwrap(), "encoding 'SQL_ASCII'").unwrap();
    let mut capture = Capture::start_in(
        database,
        "create table t (id int primary key, v text)",
        &json!({}),
    )
    .unwrap();
    capture
        .run("insert into t values (1, E'caf\\xe9')")
        .unwrap();
    let failure = capture.failure().unwrap();
    assert!(failure.contains("invalid byte sequence"), "{failure}");
}

/// 59
#[test]
fn a_database_in_latin1_arrives_as_it_was_meant() {
    let database =
        Database::create_with(shared().unwrap(), "encoding 'LATIN1' locale 'C'").unwrap();
    let mut capture = Capture::start_in(
        database,
        "set client_encoding = utf8; create table t (id int primary key, v text); insert into t values (1, 'café')",
        &json!({}),
    )
    .unwrap();
    capture
        .apply("insert into t values (2, 'Übergröße')")
        .unwrap();
    let events = capture.events("t").unwrap();
    assert_eq!(events[0].after()["v"], "café");
    assert_eq!(events[1].after()["v"], "Übergröße");
}

#[test]
fn quoted_names_are_names() {
    let mut capture = Capture::start(
        r#"create schema "My Schema"; create table "My Schema"."a.table" ("Id" int primary key, "a ""b""" text);
           insert into "My Schema"."a.table" values (1, 'x')"#,
        &json!({}),
    )
    .unwrap();
    capture
        .apply(r#"update "My Schema"."a.table" set "a ""b""" = 'y'"#)
        .unwrap();
    let topic = capture.topic("My_Schema.a.table");
    let events = capture.events_in(&topic).unwrap();
    assert_eq!(events[0].after(), &json!({"Id": 1, "a \"b\"": "x"}));
    assert_eq!(events[1].after(), &json!({"Id": 1, "a \"b\"": "y"}));
}

#[test]
fn the_connectors_of_debezium_deploy_as_they_stand() {
    let capture = Capture::prepare(
        "create table t1 (id bigserial primary key, a int, b text, c timestamptz)",
    )
    .unwrap();
    let name = capture.database.name.clone();
    let mut psql = capture.database.psql().unwrap();
    psql.run(&format!("create publication {name} for table t1, marker"))
        .unwrap();
    capture
        .deploy(&json!({
            "connector.class": "io.debezium.connector.postgresql.PostgresConnector", "tasks.max": "1",
            "publication.autocreate.mode": "disabled", "snapshot.mode": "no_data",
            "table.include.list": "public.t1,public.marker", "producer.override.acks": "all",
        }))
        .unwrap();
    let slot = format!("select count(*) from pg_replication_slots where slot_name = '{name}'");
    psql.run(&format!(
        "do $$ begin while (select count(*) from pg_replication_slots where slot_name = '{name}') = 0 loop perform pg_sleep(0.01); end loop; end $$"
    ))
    .unwrap();
    assert_eq!(psql.value(&slot).unwrap(), "1");
    psql.run("insert into t1 (a, b, c) values (1, 'row1xx', '2026-11-21T09:20:26.898781Z')")
        .unwrap();
    let topic = capture.topic("public.t1");
    let mut found = None;
    capture
        .follow_topic(&topic, |event| {
            found = Some(event.clone());
            true
        })
        .unwrap();
    let event = found.unwrap();
    assert_eq!(event.key, json!({"id": 1}));
    assert_eq!(event.op(), "c");
    assert_eq!(
        event.after(),
        &json!({"id": 1, "a": 1, "b": "row1xx", "c": "2026-11-21T09:20:26.898781Z"})
    );
    let source = &event.value["source"];
    assert_eq!(
        (&source["connector"], &source["name"], &source["snapshot"]),
        (&json!("postgresql"), &json!(name), &json!("false"))
    );
    let mut fields: Vec<&String> = source.as_object().unwrap().keys().collect();
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            "connector",
            "db",
            "lsn",
            "name",
            "schema",
            "sequence",
            "snapshot",
            "table",
            "ts_ms",
            "ts_ns",
            "ts_us",
            "txId",
            "version",
            "xmin"
        ]
    );
}
