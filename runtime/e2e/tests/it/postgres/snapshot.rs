//! The rows that stand there before the stream begins.

use std::collections::BTreeMap;

use longshore_e2e::postgres::{Capture, Event};
use serde_json::{Value, json};

/// 22
#[test]
fn empty_and_wide_tables_and_keys_of_every_kind_are_whole() {
    let columns: String = (0..1599).map(|n| format!(", c{n} int")).collect();
    let mut capture = Capture::start(
        &format!(
            "create table empty (id int primary key);
             create table wide (id int primary key{columns}); insert into wide (id, c0, c1598) values (1, 2, 3);
             create type mood as enum ('sad', 'ok');
             create table by_text (k text primary key); insert into by_text values ('b'), ('B'), ('ä'), ('');
             create table by_c_text (k text collate \"C\" primary key); insert into by_c_text values ('b'), ('B'), ('ä'), ('');
             create table by_uuid (k uuid primary key); insert into by_uuid select gen_random_uuid() from generate_series(1, 100);
             create table by_enum (k mood primary key); insert into by_enum values ('ok'), ('sad');
             create table by_numeric (k numeric primary key); insert into by_numeric values (1.5), (-1), (1e30);
             create table by_two (a int, b timestamptz, primary key (b, a)); insert into by_two select n % 3, now() + n * interval '1 s' from generate_series(1, 100) n;
             create table by_none (v int); insert into by_none select generate_series(1, 100);"
        ),
        &json!({}),
    )
    .unwrap();
    capture.settle().unwrap();
    let counts = [
        ("empty", 0),
        ("wide", 1),
        ("by_text", 4),
        ("by_c_text", 4),
        ("by_uuid", 100),
        ("by_enum", 2),
        ("by_numeric", 3),
        ("by_two", 100),
        ("by_none", 100),
    ];
    for (table, count) in counts {
        let events = capture.events(table).unwrap();
        assert_eq!(events.len(), count, "{table}");
        assert!(events.iter().all(|event| event.op() == "r"), "{table}");
    }
    let wide = capture.events("wide").unwrap().remove(0);
    assert_eq!(wide.after().as_object().unwrap().len(), 1600);
    assert_eq!(
        (&wide.after()["c1598"], &wide.after()["c7"]),
        (&json!(3), &Value::Null)
    );
}

/// Replays events into the table that they tell of.
fn replay(events: &[Event]) -> BTreeMap<String, Value> {
    let mut rows = BTreeMap::new();
    for event in events {
        match event.op() {
            "" => {}
            "d" => drop(rows.remove(&event.key.to_string())),
            _ => drop(rows.insert(event.key.to_string(), event.after().clone())),
        }
    }
    rows
}

/// 14 and 15; one run of the fifty, and with 4 writers. `cargo xtask prove` runs more.
#[test]
fn a_snapshot_among_writers_and_its_stream_are_the_table() {
    let mut capture = Capture::prepare(
        "create table t (id int primary key, v int not null);
         insert into t select n, 0 from generate_series(1, 3000) n",
    )
    .unwrap();
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let mut psql = capture.database.psql().unwrap();
            std::thread::spawn(move || {
                for n in 0..150 {
                    let id = 1 + (n * 37 + writer) % 3000;
                    let fresh = 10_000 + writer * 1000 + n;
                    let sql = format!(
                        "update t set v = v + 1 where id = {id};
                         delete from t where id = {id} + 4;
                         insert into t values ({fresh}, {n});
                         update t set id = -id where id = {fresh} - 1"
                    );
                    psql.run(&sql).unwrap();
                }
            })
        })
        .collect();
    capture.deploy(&json!({})).unwrap();
    for writer in writers {
        writer.join().unwrap();
    }
    capture.settle().unwrap();
    let events = capture.events("t").unwrap();
    let rows = capture.psql.query("select id, v from t").unwrap();
    let number = |text: &Option<String>| text.as_ref().unwrap().parse::<i64>().unwrap();
    let table: BTreeMap<String, Value> = rows
        .iter()
        .map(|row| (number(&row[0]), number(&row[1])))
        .map(|(id, v)| (json!({"id": id}).to_string(), json!({"id": id, "v": v})))
        .collect();
    assert_eq!(replay(&events), table);
    // Each change of a row counts it up by one, so that a change seen twice would not.
    let mut last: BTreeMap<String, i64> = BTreeMap::new();
    for event in events
        .iter()
        .filter(|event| matches!(event.op(), "r" | "c" | "u"))
    {
        let v = event.after()["v"].as_i64().unwrap();
        let before = last.insert(event.key.to_string(), v);
        if event.op() == "u" {
            assert_eq!(before.map(|before| before + 1), Some(v), "{event:?}");
        }
    }
}

/// 16
#[test]
fn a_transaction_that_is_open_is_waited_for() {
    let mut capture = Capture::prepare("create table t (id int primary key)").unwrap();
    let mut open = capture.database.psql().unwrap();
    open.run("begin; insert into t values (1)").unwrap();
    capture
        .deploy(&json!({"slot.creation.timeout.ms": "500"}))
        .unwrap();
    capture
        .rest
        .get(&format!("/connectors/{}/status", capture.database.name))
        .unwrap();
    open.run("commit").unwrap();
    capture.settle().unwrap();
    let events = capture.events("t").unwrap();
    assert_eq!(events.len(), 1, "{events:?}");
}

/// 61
#[test]
fn a_generated_column_is_absent_from_both_sides() {
    let mut capture = Capture::start(
        "create table t (id int primary key, a int, twice int generated always as (a * 2) stored);
         insert into t (id, a) values (1, 5)",
        &json!({}),
    )
    .unwrap();
    capture
        .apply("insert into t (id, a) values (2, 6)")
        .unwrap();
    let events = capture.events("t").unwrap();
    assert_eq!(events[0].after(), &json!({"id": 1, "a": 5}));
    assert_eq!(events[1].after(), &json!({"id": 2, "a": 6}));
}

/// 63
#[test]
fn column_lists_and_row_filters_hold_for_the_snapshot_as_for_the_stream() {
    let mut capture = Capture::prepare(
        "create table t (id int primary key, v int, hidden text);
         insert into t values (1, 1, 'x'), (2, -1, 'x');
         alter table t replica identity using index t_pkey;",
    )
    .unwrap();
    let name = capture.database.name.clone();
    capture
        .run(&format!(
            "alter table t replica identity full; alter table t replica identity default;
             create publication {name} for table marker, t (id, v) where (id > 1)"
        ))
        .unwrap();
    capture
        .deploy(&json!({"publication.autocreate.mode": "disabled"}))
        .unwrap();
    capture.settle().unwrap();
    capture
        .apply("insert into t values (3, 3, 'x'), (0, 0, 'x'); update t set id = -2 where id = 2; update t set id = 11 where id = 1")
        .unwrap();
    let events = capture.events("t").unwrap();
    let seen: Vec<(String, Value)> = events
        .iter()
        .filter(|event| !event.op().is_empty())
        .map(|event| (event.op().to_owned(), event.key["id"].clone()))
        .collect();
    let expected = [("r", 2), ("c", 3), ("d", 2), ("c", 11)];
    let expected: Vec<(String, Value)> = expected
        .iter()
        .map(|(op, id)| ((*op).to_owned(), json!(id)))
        .collect();
    assert_eq!(seen, expected);
    assert!(
        events
            .iter()
            .all(|event| event.after().get("hidden").is_none())
    );
}
