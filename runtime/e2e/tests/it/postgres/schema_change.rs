//! Tables that change while they are captured.

use longshore_e2e::postgres::Capture;
use serde_json::{Value, json};

use super::{expected, short};

fn rows(capture: &Capture) -> Vec<Value> {
    let events = capture.events("t").unwrap();
    events.iter().map(|event| event.after().clone()).collect()
}

/// 46
#[test]
fn a_column_added_within_a_transaction_begins_at_its_row() {
    let mut capture = Capture::start("create table t (id int primary key)", &json!({})).unwrap();
    capture
        .apply(
            "begin; insert into t values (1);
             alter table t add a int; insert into t values (2, 20);
             alter table t add b text not null default 'd'; insert into t values (3, 30);
             insert into t values (4, 40, 'given'); commit",
        )
        .unwrap();
    assert_eq!(
        rows(&capture),
        [
            json!({"id": 1}),
            json!({"id": 2, "a": 20}),
            json!({"id": 3, "a": 30, "b": "d"}),
            json!({"id": 4, "a": 40, "b": "given"}),
        ]
    );
}

/// 47
#[test]
fn renamed_dropped_and_retyped_columns_are_decoded_as_they_were() {
    let mut capture = Capture::start(
        "create table t (id int primary key, a int, b text)",
        &json!({}),
    )
    .unwrap();
    capture
        .apply(
            "insert into t values (1, 10, 'x');
             alter table t rename a to aa; insert into t values (2, 20, 'x');
             alter table t drop b; insert into t values (3, 30);
             alter table t drop aa, add aa text; insert into t values (4, 'text');
             alter table t add n int; insert into t values (5, 'text', 50);
             alter table t alter n type bigint; insert into t values (6, 'text', 6000000000);
             alter table t alter n type text; insert into t values (7, 'text', 'now text')",
        )
        .unwrap();
    assert_eq!(
        rows(&capture),
        [
            json!({"id": 1, "a": 10, "b": "x"}),
            json!({"id": 2, "aa": 20, "b": "x"}),
            json!({"id": 3, "aa": 30}),
            json!({"id": 4, "aa": "text"}),
            json!({"id": 5, "aa": "text", "n": 50}),
            json!({"id": 6, "aa": "text", "n": 6_000_000_000_i64}),
            json!({"id": 7, "aa": "text", "n": "now text"}),
        ]
    );
}

/// 49
#[test]
fn another_key_or_identity_holds_from_the_next_row_on() {
    let mut capture = Capture::start(
        "create table t (id int not null, k text not null, v int, constraint p primary key (id))",
        &json!({}),
    )
    .unwrap();
    capture.apply("insert into t values (1, 'a', 0)").unwrap();
    capture
        .apply("alter table t drop constraint p, add constraint q primary key (k); insert into t values (2, 'b', 0)")
        .unwrap();
    capture
        .apply("alter table t replica identity full; update t set v = 1 where id = 2; delete from t where id = 1")
        .unwrap();
    let events = capture.events("t").unwrap();
    assert_eq!(
        short(&events),
        expected([
            ("c", json!({"id": 1})),
            ("c", json!({"k": "b"})),
            ("u", json!({"k": "b"})),
            ("d", json!({"k": "a"})),
            ("-", json!({"k": "a"})),
        ])
    );
    assert_eq!(events[2].before(), &json!({"id": 2, "k": "b", "v": 0}));
}

/// 52
#[test]
fn a_table_made_later_is_streamed_from_then_on() {
    let mut capture = Capture::start("", &json!({})).unwrap();
    capture
        .apply("create table t (id int primary key, v text); insert into t values (1, 'a')")
        .unwrap();
    assert_eq!(rows(&capture), [json!({"id": 1, "v": "a"})]);
}

/// 52
#[test]
fn a_table_added_to_a_publication_is_streamed_from_then_on() {
    let tables = "create table t (id int primary key); insert into t values (1);
                  create table s (id int primary key);";
    let mut capture = Capture::prepare(tables).unwrap();
    let name = capture.database.name.clone();
    capture
        .run(&format!("create publication {name} for table marker, s"))
        .unwrap();
    capture
        .deploy(&json!({"publication.autocreate.mode": "disabled", "table.include.list": "public.marker,public.s"}))
        .unwrap();
    capture.settle().unwrap();
    capture
        .deploy(&json!({"publication.autocreate.mode": "filtered", "table.include.list": "public.marker,public.s,public.t"}))
        .unwrap();
    capture.settle().unwrap();
    capture.apply("insert into t values (2)").unwrap();
    let ops = short(&capture.events("t").unwrap());
    assert_eq!(ops, expected([("c", json!({"id": 2}))]));
}
