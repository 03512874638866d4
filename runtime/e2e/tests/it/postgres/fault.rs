//! Servers and networks that fail while they are captured.

use std::sync::Arc;

use longshore_e2e::postgres::{Capture, Database, Event, programs, shared};
use longshore_e2e::proxy::{Network, Proxy};
use longshore_rig::{Server, Stop};
use serde_json::{Value, json};

const TABLE: &str = "create table t (id int primary key); insert into t values (0);";

fn ids(events: &[Event]) -> Vec<Value> {
    events.iter().map(|event| event.key["id"].clone()).collect()
}

/// Commits rows one by one around a fault, and looks for each of them once, in order.
fn rows_survive(capture: &mut Capture, faults: &[&dyn Fn(&mut Capture)]) {
    let mut id = 0;
    for fault in faults {
        for _ in 0..50 {
            id += 1;
            capture
                .run(&format!("insert into t values ({id})"))
                .unwrap();
        }
        fault(capture);
    }
    capture.settle().unwrap();
    let expected: Vec<Value> = (0..=id).map(Value::from).collect();
    assert_eq!(ids(&capture.events("t").unwrap()), expected);
}

#[test]
fn rows_survive_a_server_that_restarts_or_is_killed() {
    let server = Arc::new(Server::start(&programs().unwrap(), &[]).unwrap());
    let database = Database::create(Arc::clone(&server)).unwrap();
    let mut capture = Capture::start_in(database, TABLE, &json!({})).unwrap();
    let restart = |how: Stop| {
        let server = Arc::clone(&server);
        move |capture: &mut Capture| {
            server.stop(how).unwrap();
            server.start_again().unwrap();
            capture.psql = capture.database.psql().unwrap();
        }
    };
    rows_survive(
        &mut capture,
        &[
            &restart(Stop::Fast),
            &restart(Stop::Immediate),
            &restart(Stop::Kill),
        ],
    );
}

#[test]
fn rows_survive_walsenders_that_are_killed() {
    let mut capture = Capture::start(TABLE, &json!({})).unwrap();
    let kill = |capture: &mut Capture| {
        let name = &capture.database.name;
        let sql = format!(
            "select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = '{name}'"
        );
        capture.run(&sql).unwrap();
    };
    rows_survive(&mut capture, &[&kill, &kill, &kill]);
}

#[test]
fn rows_survive_a_network_that_is_cut() {
    let server = shared().unwrap();
    let proxy = Proxy::start(server.port).unwrap();
    let keys = json!({"database.port": proxy.port.to_string()});
    let mut capture = Capture::start(TABLE, &keys).unwrap();
    let cut = |_: &mut Capture| {
        proxy.set(Network::Cut);
        proxy.set(Network::Up);
    };
    rows_survive(&mut capture, &[&cut, &cut]);
}

/// 44
#[test]
fn a_slot_that_lost_its_log_is_told_and_not_tried_again() {
    let settings = [
        ("max_slot_wal_keep_size", "1MB"),
        ("max_wal_size", "32MB"),
        ("min_wal_size", "32MB"),
    ];
    let server = Arc::new(Server::start(&programs().unwrap(), &settings).unwrap());
    let database = Database::create(server).unwrap();
    let mut capture = Capture::start_in(database, TABLE, &json!({})).unwrap();
    capture.settle().unwrap();
    capture.delete().unwrap();
    capture
        .run(
            "create unlogged table other (v text); insert into t values (1);
             do $$ begin for i in 1..5 loop perform pg_switch_wal(); perform pg_logical_emit_message(false, 'x', repeat('y', 100000)); end loop; end $$;
             checkpoint; select pg_switch_wal(); checkpoint",
        )
        .unwrap();
    let name = capture.database.name.clone();
    let status = format!("select wal_status from pg_replication_slots where slot_name = '{name}'");
    assert_eq!(capture.psql.value(&status).unwrap(), "lost");
    capture.deploy(&json!({})).unwrap();
    let failure = capture.failure().unwrap();
    assert!(
        failure.contains("max_slot_wal_keep_size") && failure.contains("when_needed"),
        "{failure}"
    );
    capture
        .deploy(&json!({"snapshot.mode": "when_needed"}))
        .unwrap();
    capture.restart().unwrap();
    capture.settle().unwrap();
    // The first row of the marker may have been read before the table was.
    capture.settle().unwrap();
    assert_eq!(ids(&capture.events("t").unwrap()), [0, 0, 1]);
}
