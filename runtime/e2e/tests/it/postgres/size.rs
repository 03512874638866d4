//! A value that is larger than anything on the way holds.

use longshore_e2e::postgres::{Capture, Event};
use serde_json::{Value, json};

fn ids(events: &[Event]) -> Vec<Value> {
    events
        .iter()
        .map(|event| event.after()["id"].clone())
        .collect()
}

/// Rows around one whose value has so many bytes.
fn rows(first_id: usize, bytes: usize) -> String {
    format!(
        "insert into t values ({first_id}, '1'), ({}, to_jsonb(repeat('x', {bytes} - 2))), ({}, '3');",
        first_id + 1,
        first_id + 2
    )
}

/// 22 and 39: 200 MB, which `max.value.bytes` does not let through, on both sides
#[test]
fn a_value_of_200_megabytes_is_a_bad_record_and_the_rows_around_it_arrive() {
    let table = "create table t (id int primary key, v jsonb);".to_owned();
    let tables = table + &rows(0, 200 << 20);
    let mut capture = Capture::start(&tables, &json!({"errors.tolerance": "all"})).unwrap();
    capture.apply(&rows(10, 200 << 20)).unwrap();
    assert_eq!(ids(&capture.events("t").unwrap()), [0, 2, 10, 12]);
}
