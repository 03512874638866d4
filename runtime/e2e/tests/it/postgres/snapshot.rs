//! The rows that stand there before the stream begins.

use std::collections::BTreeMap;

use longshore_e2e::disk::Disk;
use longshore_e2e::postgres::{Capture, Database, Event, shared};
use longshore_e2e::worker::Setup;
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
    capture.until_streaming(&capture.database.name).unwrap();
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
    // It gives up in time, and begins anew.
    capture.until_slot_waits(2).unwrap();
    assert_eq!(capture.events("t").unwrap(), []);
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

/// 17
#[test]
fn a_column_added_behind_the_snapshot_begins_with_the_stream() {
    let mut capture = Capture::start(
        "create table t (id int primary key); insert into t values (1)",
        &json!({"value.converter.schemas.enable": "true"}),
    )
    .unwrap();
    capture
        .apply("alter table t add v text; insert into t values (2, 'a'); insert into t values (3, 'b')")
        .unwrap();
    let events = capture.events("t").unwrap();
    let rows: Vec<_> = events
        .iter()
        .map(|event| &event.value["payload"]["after"])
        .collect();
    let expected = [
        json!({"id": 1}),
        json!({"id": 2, "v": "a"}),
        json!({"id": 3, "v": "b"}),
    ];
    assert_eq!(rows, expected.iter().collect::<Vec<_>>());
    let schemas: Vec<_> = events.iter().map(|event| &event.value["schema"]).collect();
    assert_ne!(schemas[0], schemas[1]);
    assert_eq!(schemas[1], schemas[2]);
}

/// 17
#[test]
fn a_column_added_while_another_table_is_read_is_right_on_both_sides() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::prepare(folder.path()).unwrap();
    let setup = Setup::new(folder.path()).disk(&disk);
    let database = Database::create(shared().unwrap()).unwrap();
    // Tables are read in the order in which they were made, and more than buffers hold stands before the second.
    let mut capture = Capture::prepare_alone(
        &setup,
        database,
        "create table a (id int primary key, v text);
         insert into a select g, repeat('x', 1000) from generate_series(1, 30000) g;
         create table c (id int primary key); insert into c values (1);",
    )
    .unwrap();
    capture.deploy(&json!({})).unwrap();
    let topic = capture.topic("public.a");
    capture.follow_topic(&topic, |_| true).unwrap();
    let stalled = disk.stall().unwrap();
    capture
        .run("alter table c add v text default 'd'; insert into c values (2, 'x')")
        .unwrap();
    drop(stalled);
    capture.settle().unwrap();
    let events = capture.events("c").unwrap();
    let rows: Vec<_> = events
        .iter()
        .map(|event| (event.op(), event.after()))
        .collect();
    assert_eq!(
        rows,
        [("r", &json!({"id": 1})), ("c", &json!({"id": 2, "v": "x"})),]
    );
}

const ACCOUNTS: i64 = 8 * 500;

/// Tables whose rows tell which moment a snapshot is of: what one of them loses, another one gains.
fn accounts() -> String {
    let table = |n| {
        format!(
            "create table account_{n} (id int primary key, cents int not null);
             insert into account_{n} select g, 100 from generate_series(1, 500) g;"
        )
    };
    let tables: String = (0..8).map(table).collect();
    tables
        + "create procedure move(times int) language plpgsql as $$ begin
             for n in 1..times loop
               execute format('update account_%s set cents = cents - 1 where id = %s', n % 8, 1 + n % 500);
               execute format('update account_%s set cents = cents + 1 where id = %s', (n + 3) % 8, 1 + n % 500);
               commit;
             end loop;
           end $$;"
}

/// What the snapshot of another connector read, with so many sessions, while money is moved so many times.
fn read_accounts(capture: &Capture, threads: u32, moves: u32) -> Vec<(String, Value)> {
    let name = format!("{}_{threads}_{moves}", capture.database.name);
    let mut body = capture.database.connector(&json!({
        "slot.name": name, "topic.prefix": name, "publication.name": name,
        "snapshot.max.threads": threads.to_string(),
    }));
    body["name"] = json!(name);
    let mut psql = capture.database.psql().unwrap();
    let writer = std::thread::spawn(move || psql.run(&format!("call move({moves})")).unwrap());
    capture.rest.deploy(&body).unwrap();
    writer.join().unwrap();
    capture.until_streaming(&name).unwrap();
    let mut rows = Vec::new();
    for n in 0..8 {
        let events = capture.events_in(&format!("{name}.public.account_{n}"));
        let events = events.unwrap().into_iter();
        let read = events.filter(|event| event.op() == "r");
        rows.extend(read.map(|event| (format!("{n} {}", event.key["id"]), event.after().clone())));
    }
    let path = format!("/connectors/{name}");
    capture.rest.delete(&path).unwrap();
    rows.sort_by(|(one, _), (other, _)| one.cmp(other));
    rows
}

/// 19: 12 sessions are the most there are, where the case asks for 16
#[test]
fn however_many_sessions_read_it_is_one_snapshot() {
    let capture = Capture::prepare(&accounts()).unwrap();
    let [one, four, twelve] = [1, 4, 12].map(|threads| read_accounts(&capture, threads, 0));
    assert_eq!(i64::try_from(one.len()).unwrap(), ACCOUNTS);
    assert_eq!(one, four);
    assert_eq!(one, twelve);
    for threads in [4, 12] {
        let rows = read_accounts(&capture, threads, 2000);
        let cents = rows.iter().map(|(_, row)| row["cents"].as_i64().unwrap());
        assert_eq!(cents.sum::<i64>(), 100 * ACCOUNTS);
    }
}

/// 23
#[test]
fn rows_that_move_within_their_table_are_read_once() {
    let mut capture = Capture::prepare(
        "create table t (n int not null, v text) with (fillfactor = 100);
         alter table t replica identity full;
         insert into t select g, repeat('x', 200) from generate_series(1, 6000) g;
         delete from t where n % 3 = 0;
         create table k (like t); alter table k add primary key (n);
         insert into k select * from t;
         create procedure move(times int) language plpgsql as $$ begin
           for i in 1..times loop
             update t set v = v || 'y' where n % 50 = i % 50;
             update k set v = v || 'y' where n % 50 = i % 50;
             commit;
           end loop;
         end $$;",
    )
    .unwrap();
    let mut psql = capture.database.psql().unwrap();
    let writer = std::thread::spawn(move || psql.run("call move(60)").unwrap());
    capture.deploy(&json!({})).unwrap();
    writer.join().unwrap();
    capture.until_streaming(&capture.database.name).unwrap();
    capture.settle().unwrap();
    for table in ["t", "k"] {
        let events = capture.events(table).unwrap();
        let read = events.iter().filter(|event| event.op() == "r");
        let mut read: Vec<i64> = read
            .map(|event| event.after()["n"].as_i64().unwrap())
            .collect();
        read.sort_unstable();
        let expected: Vec<i64> = (1..=6000).filter(|n| n % 3 != 0).collect();
        assert!(read == expected, "{table}: {} rows were read", read.len());
    }
}

#[test]
fn while_tables_are_read_the_status_shows_how_far_they_are_and_what_the_slot_keeps() {
    let tables = "create table t (id int primary key, v text);
                  insert into t select n, repeat('x', 200) from generate_series(1, 200000) n; analyze t";
    let capture = Capture::prepare(tables).unwrap();
    capture.deploy(&json!({})).unwrap();
    // Most rows are still to come when the first has arrived.
    capture
        .follow_topic(&capture.topic("public.t"), |_| true)
        .unwrap();
    let path = format!("/connectors/{}/status", capture.database.name);
    let status = capture.rest.get(&path).unwrap();
    let progress = &status["tasks"][0]["progress"];
    assert_eq!(progress["phase"], "snapshot", "{progress}");
    assert_eq!(progress["table"], "public.t");
    assert_eq!(progress["rows_estimated"], 200_000);
    for field in ["rows", "percent", "eta_ms", "lag_bytes"] {
        assert!(progress[field].is_number(), "{field}: {progress}");
    }
    let slot = &progress["slot"];
    assert!(slot["retained_bytes"].is_number(), "{progress}");
    assert_eq!(slot["wal_status"], "reserved");
}
