//! What an event means.

use longshore_e2e::postgres::Capture;
use serde_json::{Value, json};

use super::{expected, short};

const PLACEHOLDER: &str = "__debezium_unavailable_value";

/// 1
#[test]
fn a_changed_key_is_a_delete_a_tombstone_and_a_create() {
    let mut capture = Capture::start(
        "create table t (id int primary key, v text); insert into t values (1, 'a')",
        &json!({}),
    )
    .unwrap();
    capture.apply("update t set id = 2 where id = 1").unwrap();
    let events = capture.events("t").unwrap();
    let (old, new) = (json!({"id": 1}), json!({"id": 2}));
    assert_eq!(
        short(&events),
        expected([
            ("r", old.clone()),
            ("d", old.clone()),
            ("-", old.clone()),
            ("c", new.clone()),
        ])
    );
    assert_eq!(events[1].header("__debezium.newkey"), Some(&new));
    assert_eq!(events[3].header("__debezium.oldkey"), Some(&old));
    assert_eq!(events[1].before()["id"], 1);
    assert_eq!(events[3].after(), &json!({"id": 2, "v": "a"}));
}

/// 2
#[test]
fn a_key_of_which_one_part_changed_is_whole_on_both_sides() {
    let mut capture = Capture::start(
        "create table t (a int, b text, v int, primary key (b, a)); insert into t values (1, 'x', 5)",
        &json!({}),
    )
    .unwrap();
    capture.apply("update t set b = 'y'").unwrap();
    let events = capture.events("t").unwrap();
    let (old, new) = (json!({"a": 1, "b": "x"}), json!({"a": 1, "b": "y"}));
    assert_eq!(
        short(&events),
        expected([
            ("r", old.clone()),
            ("d", old.clone()),
            ("-", old),
            ("c", new)
        ])
    );
}

/// A row with values that are stored outside of it.
const LARGE: &str = "
    create extension hstore;
    create table t (id int primary key, v int, big text, ba bytea, at text[], ai int[], au uuid[], jb jsonb, hs hstore);
    alter table t alter big set storage external, alter ba set storage external, alter at set storage external,
        alter ai set storage external, alter au set storage external, alter jb set storage external,
        alter hs set storage external;
    insert into t values (1, 1, repeat('x', 9000), decode(repeat('ab', 9000), 'hex'), array[repeat('y', 9000)],
        array(select generate_series(1, 3000)),
        array(select '00000000-0000-0000-0000-000000000001'::uuid from generate_series(1, 1000)),
        to_jsonb(repeat('z', 9000)), hstore('k', repeat('w', 9000)));";

fn stand_ins() -> Value {
    json!({
        "big": PLACEHOLDER,
        "ba": "X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==",
        "at": [PLACEHOLDER],
        "ai": PLACEHOLDER.bytes().collect::<Vec<u8>>(),
        "au": ["b68a35a7-17ad-35b3-af2a-ae46edb4545a"],
        "jb": PLACEHOLDER,
        "hs": json!({PLACEHOLDER: PLACEHOLDER}).to_string(),
    })
}

fn assert_stands_in(after: &Value) {
    for (column, stand_in) in stand_ins().as_object().unwrap() {
        assert_eq!(&after[column], stand_in, "{column}");
    }
}

/// 3 and 6
#[test]
fn a_large_value_that_did_not_change_is_a_stand_in_of_its_type() {
    let mut capture = Capture::start(LARGE, &json!({})).unwrap();
    capture.apply("update t set v = 2").unwrap();
    let events = capture.events("t").unwrap();
    assert_eq!(events[0].after()["big"].as_str().unwrap().len(), 9000);
    assert_eq!(events[1].op(), "u");
    assert_eq!(events[1].after()["v"], 2);
    assert_stands_in(events[1].after());
}

/// 4
#[test]
fn under_full_identity_a_large_value_stands_on_both_sides() {
    let tables = format!("{LARGE} alter table t replica identity full;");
    let mut capture = Capture::start(&tables, &json!({})).unwrap();
    capture.apply("update t set v = 2").unwrap();
    let events = capture.events("t").unwrap();
    let (snapshot, update) = (&events[0], &events[1]);
    assert_eq!(update.before(), snapshot.after());
    let mut after = snapshot.after().clone();
    after["v"] = json!(2);
    assert_eq!(update.after(), &after);
}

/// 5
#[test]
fn a_changed_key_leaves_large_values_out_but_under_full_identity() {
    let tables = format!(
        "{LARGE} create table f (like t including all); alter table f replica identity full;
         alter table f alter big set storage external; insert into f select * from t;"
    );
    let mut capture = Capture::start(&tables, &json!({})).unwrap();
    capture
        .apply("update t set id = 2; update f set id = 2")
        .unwrap();
    let created = capture.events("t").unwrap().pop().unwrap();
    assert_eq!((created.op(), &created.key), ("c", &json!({"id": 2})));
    assert_stands_in(created.after());
    let events = capture.events("f").unwrap();
    let created = events.last().unwrap();
    let mut after = events[0].after().clone();
    after["id"] = json!(2);
    assert_eq!((created.op(), created.after()), ("c", &after));
}

/// 7
#[test]
fn a_delete_shows_what_the_replica_identity_shows() {
    let mut capture = Capture::start(
        "create table by_key (id int primary key, v text);
         create table in_full (id int primary key, v text);
         alter table in_full replica identity full;
         create table by_index (id int primary key, a int not null, v text);
         create unique index i on by_index (a);
         alter table by_index replica identity using index i;
         create table nothing (id int primary key, v text);
         alter table nothing replica identity nothing;
         insert into by_key values (1, 'a'); insert into in_full values (1, 'a');
         insert into by_index values (1, 10, 'a'); insert into nothing values (1, 'a');",
        &json!({"message.key.columns": "public.by_index:a"}),
    )
    .unwrap();
    for sql in ["update nothing set v = 'b'", "delete from nothing"] {
        let refused = capture.database.psql().unwrap().run(sql).unwrap_err();
        assert!(
            refused.to_string().contains("replica identity"),
            "{refused}"
        );
    }
    capture
        .apply(
            "delete from by_key; delete from in_full; delete from by_index;
             insert into nothing values (2, 'b')",
        )
        .unwrap();
    let deleted = |table: &str| capture.events(table).unwrap().swap_remove(1);
    assert_eq!(deleted("by_key").before(), &json!({"id": 1, "v": null}));
    assert_eq!(deleted("in_full").before(), &json!({"id": 1, "v": "a"}));
    assert_eq!(deleted("by_index").before()["a"], 10);
    assert_eq!(deleted("by_index").key, json!({"a": 10}));
    let created = deleted("nothing");
    assert_eq!(
        (created.op(), created.after()),
        ("c", &json!({"id": 2, "v": "b"}))
    );
}

/// 7
#[test]
fn a_delete_without_its_key_is_refused_by_name() {
    let mut capture = Capture::start(
        "create table t (id int primary key, a int not null); create unique index i on t (a);
         alter table t replica identity using index i; insert into t values (5, 10);",
        &json!({}),
    )
    .unwrap();
    capture.run("delete from t").unwrap();
    let why = capture.failure().unwrap();
    assert!(
        why.contains("postgres-no-key") && why.contains("public.t"),
        "{why}"
    );
}

/// 9
#[test]
fn a_truncate_is_silent_unless_it_is_asked_for() {
    let tables = "create table a (id int primary key); create table b (id int primary key);
                  insert into a values (1); insert into b values (1);";
    let mut silent = Capture::start(tables, &json!({})).unwrap();
    let mut told = Capture::start(tables, &json!({"skipped.operations": "none"})).unwrap();
    for capture in [&mut silent, &mut told] {
        capture.apply("truncate a, b").unwrap();
    }
    for table in ["a", "b"] {
        assert_eq!(silent.events(table).unwrap().len(), 1);
        let events = told.events(table).unwrap();
        assert_eq!(short(&events)[1..], expected([("t", Value::Null)]));
        assert_eq!(
            (events[1].before(), events[1].after()),
            (&Value::Null, &Value::Null)
        );
        assert_eq!(events[1].value["source"]["table"], table);
    }
}

/// 12
#[test]
fn what_was_rolled_back_to_a_savepoint_never_happened() {
    let mut capture =
        Capture::start("create table t (id int primary key, v text)", &json!({})).unwrap();
    capture
        .apply(
            "begin;
             insert into t values (1, 'kept');
             savepoint a; insert into t values (2, 'undone'); rollback to a;
             insert into t values (3, 'kept');
             savepoint b; update t set v = 'changed' where id = 1; release b;
             do $$ begin begin insert into t values (4, 'undone'); raise exception 'no';
                   exception when others then insert into t values (5, 'kept'); end; end $$;
             commit;
             begin; insert into t values (6, 'undone'); rollback",
        )
        .unwrap();
    let key = |id: i32| json!({ "id": id });
    assert_eq!(
        short(&capture.events("t").unwrap()),
        expected([("c", key(1)), ("c", key(3)), ("u", key(1)), ("c", key(5))])
    );
}

/// 13
#[test]
fn every_way_to_write_rows_brings_each_row_once() {
    let mut capture =
        Capture::start("create table t (id int primary key, v text)", &json!({})).unwrap();
    let copied: String = (1000..6000).map(|id| format!("{id}\tcopied\n")).collect();
    capture
        .apply(&format!(
            "insert into t select id, 'many' from generate_series(1, 500) id;
             copy t from stdin;\n{copied}\\.\n
             insert into t values (1, 'x'), (9000, 'new') on conflict (id) do update set v = 'merged';
             merge into t using (values (2), (9001)) s(id) on t.id = s.id
               when matched then update set v = 'merged' when not matched then insert values (s.id, 'merged');
             with gone as (delete from t where id = 3 returning id) insert into t select id + 9002, 'moved' from gone"
        ))
        .unwrap();
    let events = capture.events("t").unwrap();
    let count = |op: &str| events.iter().filter(|event| event.op() == op).count();
    assert_eq!(
        (count("c"), count("u"), count("d"), count("")),
        (5503, 2, 1, 1)
    );
    let mut created: Vec<i64> = events
        .iter()
        .filter(|event| event.op() == "c")
        .map(|event| event.key["id"].as_i64().unwrap())
        .collect();
    assert!(created[500..5500].is_sorted());
    created.sort_unstable();
    created.dedup();
    assert_eq!(created.len(), 5503);
}
