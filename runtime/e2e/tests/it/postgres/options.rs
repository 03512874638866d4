//! What options of Debezium's add to events.

use longshore_e2e::postgres::Capture;
use serde_json::{Value, json};

#[test]
fn headers_say_who_captured_a_record_where_they_are_asked_for() {
    let mut capture = Capture::start(
        "create table t (id int primary key)",
        &json!({"extended.headers.enabled": "true"}),
    )
    .unwrap();
    capture
        .apply("insert into t values (1); update t set id = 2; delete from t")
        .unwrap();
    let topic = capture.topic("public.t");
    let records = capture
        .rest
        .get(&format!("/topics/{topic}/records?offset=0"))
        .unwrap();
    let headers = |record: &Value| -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let all = record["headers"].as_array().unwrap().iter();
        all.map(|header| (text(&header["key"]), text(&header["value"])))
            .collect()
    };
    let name = &capture.database.name;
    let context = [
        ("connectorLogicalName", name.as_str()),
        ("taskId", "0"),
        ("connectorName", "postgresql"),
    ]
    .map(|(name, value)| (format!("__debezium.context.{name}"), value.to_owned()));
    let records = records.as_array().unwrap();
    // A create; a delete, its tombstone and a create of the changed key; a delete and its tombstone.
    assert_eq!(records.len(), 6);
    for record in records {
        assert!(headers(record).ends_with(&context), "{record}");
    }
    assert_eq!(headers(&records[1])[0].0, "__debezium.newkey");
}

#[test]
fn a_placeholder_may_be_any_bytes() {
    let mut capture = Capture::start(
        "create table t (id int primary key, n int, b bytea, v text);
         alter table t alter b set storage external, alter v set storage external;
         insert into t values (1, 0, convert_to(repeat('x', 9000), 'UTF8'), repeat('x', 9000))",
        &json!({"unavailable.value.placeholder": "hex:00ff41"}),
    )
    .unwrap();
    capture.apply("update t set n = 1").unwrap();
    let events = capture.events("t").unwrap();
    assert_eq!(
        events[1].after(),
        &json!({"id": 1, "n": 1, "b": "AP9B", "v": "\u{0}\u{fffd}A"})
    );
    let refusal = Capture::prepare("select")
        .unwrap()
        .refusal(&json!({"unavailable.value.placeholder": "hex:0"}))
        .unwrap();
    assert!(
        refusal.contains("unavailable.value.placeholder"),
        "{refusal}"
    );
}
