//! Disks and networks that stall and fail, with the worker's own eyes on them.

use longshore_e2e::disk::Disk;
use longshore_e2e::postgres::{Capture, Database, Event, proof, shared};
use longshore_e2e::proxy::{Network, Proxy};
use longshore_e2e::watch;
use longshore_e2e::worker::Setup;
use serde_json::{Value, json};
use std::time::Duration;

const TABLE: &str = "create table t (id int primary key); insert into t values (1);";

fn ids(events: &[Event]) -> Vec<Value> {
    events.iter().map(|event| event.key["id"].clone()).collect()
}

/// 31 and 32: for seconds where the case asks for ten minutes, which `cargo xtask prove postgres-outage` takes
#[test]
fn a_sink_that_is_down_or_slow_costs_neither_connection_nor_memory_nor_rows() {
    let folder = tempfile::tempdir().unwrap();
    proof::outage(folder.path(), 0, 6).unwrap();
}

/// 34
#[test]
fn what_could_not_be_stored_is_never_confirmed() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::prepare(folder.path()).unwrap();
    let database = Database::create(shared().unwrap()).unwrap();
    let broken = Setup::new(folder.path()).disk(&disk);
    let mut capture = Capture::start_alone(&broken, database, TABLE, &json!({})).unwrap();
    capture.apply("insert into t values (2)").unwrap();
    disk.fail().unwrap();
    let before = capture.psql.value("select pg_current_wal_lsn()").unwrap();
    capture.run("insert into t values (3), (4)").unwrap();
    let failure = capture.failure().unwrap();
    assert!(!failure.is_empty());
    let name = capture.database.name.clone();
    let past = format!(
        "select confirmed_flush_lsn > '{before}' from pg_replication_slots where slot_name = '{name}'"
    );
    assert_eq!(capture.psql.value(&past).unwrap(), "f");
    capture.kill_worker(&Setup::new(folder.path())).unwrap();
    capture.settle().unwrap();
    assert_eq!(ids(&capture.events("t").unwrap()), [1, 2, 3, 4]);
}

/// 71: for as long as it takes to be found out, where the case asks for five minutes
#[test]
fn a_network_that_drops_packets_is_found_out_within_90_seconds() {
    let server = shared().unwrap();
    let proxy = Proxy::start(server.port).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let setup = Setup::new(folder.path());
    let database = Database::create(server).unwrap();
    let keys = json!({"database.port": proxy.port.to_string()});
    let mut capture = Capture::start_alone(&setup, database, TABLE, &keys).unwrap();
    capture.settle().unwrap();
    let before = capture.sender().unwrap();
    proxy.set(Network::Stalled);
    capture.run("insert into t values (2)").unwrap();
    let told = || Ok(capture.worker_log().contains("interrupted"));
    let within = Duration::from_secs(90);
    watch::until(folder.path(), within, "the silence is found out", told).unwrap();
    proxy.set(Network::Up);
    capture.settle().unwrap();
    assert_ne!(capture.sender().unwrap().process, before.process);
    assert_eq!(ids(&capture.events("t").unwrap()), [1, 2]);
}
