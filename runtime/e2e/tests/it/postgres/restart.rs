//! Connectors that stop and go on, and slots that were touched meanwhile.

use longshore_e2e::postgres::{Capture, Event};
use longshore_e2e::watch;
use longshore_e2e::worker::Setup;
use serde_json::{Value, json};
use std::time::Duration;

use super::{expected, short};

const TABLE: &str = "create table t (id int primary key); insert into t values (1);";

/// Somebody makes a slot of the connector's name, in place of one that may be there, and writes a row before it.
fn another_slot(capture: &mut Capture) {
    let name = capture.database.name.clone();
    capture
        .run(&format!(
            "select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = '{name}';
             insert into t values (2);
             select pg_create_logical_replication_slot('{name}', 'pgoutput')"
        ))
        .unwrap();
}

/// Somebody drops the connector's slot, and writes a row.
fn no_slot(capture: &mut Capture) {
    let name = capture.database.name.clone();
    capture
        .run(&format!(
            "select pg_drop_replication_slot('{name}'); insert into t values (2)"
        ))
        .unwrap();
}

fn keys(events: &[Event]) -> Vec<Value> {
    events.iter().map(|event| event.key["id"].clone()).collect()
}

/// What is committed while the connector is away is there when it is back, each once.
#[test]
fn a_connector_goes_on_where_it_was() {
    let mut capture = Capture::start(TABLE, &json!({})).unwrap();
    capture.apply("insert into t values (2)").unwrap();
    capture.delete().unwrap();
    capture
        .run("insert into t values (3); delete from t where id = 1")
        .unwrap();
    capture.deploy(&json!({})).unwrap();
    capture.apply("insert into t values (4)").unwrap();
    let key = |id: i32| json!({ "id": id });
    assert_eq!(
        short(&capture.events("t").unwrap()),
        expected([
            ("r", key(1)),
            ("c", key(2)),
            ("c", key(3)),
            ("d", key(1)),
            ("-", key(1)),
            ("c", key(4)),
        ])
    );
}

/// 27
#[test]
fn a_slot_that_was_confirmed_past_the_stored_position_is_refused() {
    let mut capture = Capture::start(TABLE, &json!({})).unwrap();
    capture.settle().unwrap();
    capture.delete().unwrap();
    capture.run("insert into t values (2)").unwrap();
    let name = capture.database.name.clone();
    let advance =
        format!("select end_lsn from pg_replication_slot_advance('{name}', pg_current_wal_lsn())");
    let confirmed = capture.psql.value(&advance).unwrap();
    capture.deploy(&json!({})).unwrap();
    let failure = capture.failure().unwrap();
    assert!(
        failure.contains(&confirmed) && failure.contains(&name),
        "{failure}"
    );
    assert_eq!(keys(&capture.events("t").unwrap()), [1]);
}

/// 28
#[test]
fn a_slot_that_is_older_than_the_stored_position_repeats_nothing() {
    let mut capture = Capture::start(TABLE, &json!({})).unwrap();
    let name = capture.database.name.clone();
    capture.delete().unwrap();
    capture
        .run(&format!(
            "select pg_copy_logical_replication_slot('{name}', '{name}_old')"
        ))
        .unwrap();
    capture.deploy(&json!({})).unwrap();
    capture
        .apply("insert into t values (2); insert into t values (3)")
        .unwrap();
    capture.delete().unwrap();
    capture
        .run(&format!(
            "select pg_drop_replication_slot('{name}');
             select pg_copy_logical_replication_slot('{name}_old', '{name}');
             select pg_drop_replication_slot('{name}_old')"
        ))
        .unwrap();
    capture.deploy(&json!({})).unwrap();
    capture.apply("insert into t values (4)").unwrap();
    assert_eq!(keys(&capture.events("t").unwrap()), [1, 2, 3, 4]);
}

/// 29
#[test]
fn a_slot_that_was_made_anew_is_refused() {
    let mut capture = Capture::start(TABLE, &json!({})).unwrap();
    let name = capture.database.name.clone();
    capture.delete().unwrap();
    another_slot(&mut capture);
    capture.deploy(&json!({})).unwrap();
    let failure = capture.failure().unwrap();
    assert!(failure.contains(&name), "{failure}");
    assert_eq!(keys(&capture.events("t").unwrap()), [1]);
}

/// 72, the half without a standby
#[test]
fn a_slot_that_is_gone_is_refused_and_never_made_again() {
    let mut capture = Capture::start(TABLE, &json!({})).unwrap();
    let name = capture.database.name.clone();
    capture.delete().unwrap();
    no_slot(&mut capture);
    capture.deploy(&json!({})).unwrap();
    let failure = capture.failure().unwrap();
    assert!(
        failure.contains(&name) && failure.contains("when_needed"),
        "{failure}"
    );
    assert_eq!(keys(&capture.events("t").unwrap()), [1]);
}

/// 44 and `when_needed`
#[test]
fn when_needed_reads_the_tables_again_after_its_slot_is_gone() {
    let keys_of = json!({"snapshot.mode": "when_needed"});
    let mut capture = Capture::start(TABLE, &keys_of).unwrap();
    capture.delete().unwrap();
    no_slot(&mut capture);
    capture.deploy(&keys_of).unwrap();
    capture.settle().unwrap();
    // The first row of the marker may have been read before the table was.
    capture.settle().unwrap();
    let key = |id: i32| json!({ "id": id });
    assert_eq!(
        short(&capture.events("t").unwrap()),
        expected([("r", key(1)), ("r", key(1)), ("r", key(2))])
    );
}

#[test]
fn a_slot_without_our_intent_is_not_taken() {
    let mut capture = Capture::prepare(TABLE).unwrap();
    let name = capture.database.name.clone();
    another_slot(&mut capture);
    capture.deploy(&json!({})).unwrap();
    let failure = capture.failure().unwrap();
    assert!(failure.contains(&name), "{failure}");
}

/// 35
#[test]
fn a_second_worker_waits_for_the_slot_and_takes_nothing() {
    let mut capture = Capture::start(TABLE, &json!({})).unwrap();
    capture.settle().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let second = Setup::new(folder.path()).start().unwrap();
    let body = capture
        .database
        .connector(&json!({"snapshot.mode": "no_data"}));
    second.rest().unwrap().deploy(&body).unwrap();
    let within = Duration::from_secs(30);
    watch::until(
        folder.path(),
        within,
        "the slot is told to be in use",
        || {
            let log = second.read_log();
            Ok(log.contains("is active for PID"))
        },
    )
    .unwrap();
    capture.apply("insert into t values (2)").unwrap();
    assert_eq!(keys(&capture.events("t").unwrap()), [1, 2]);
    second
        .stop_expecting(&["is active for PID", "interrupted"])
        .unwrap();
}
