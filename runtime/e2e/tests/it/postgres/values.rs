//! Values and names as both sides show them.

use longshore_e2e::postgres::{Capture, Database, shared};
use serde_json::json;

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
    for words in ["postgres-invalid-text", "invalid byte sequence", "lsn: "] {
        assert!(failure.contains(words), "{words}: {failure}");
    }
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
    capture.until_streaming(&name).unwrap();
    let slot = format!("select count(*) from pg_replication_slots where slot_name = '{name}'");
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
