//! `longshore demo`. It takes the README's ports where they are free, so that there is one test at a time.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use longshore_e2e::postgres::{Database, shared};
use longshore_e2e::program;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

#[test]
fn the_demo_of_postgres_sees_all_of_its_events_and_leaves_the_server_as_it_was() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let database = Database::create(shared().unwrap()).unwrap();
    let mut psql = database.psql().unwrap();
    let url = database.server.url(&database.name);
    let mut demo = Command::new(program::longshore().unwrap());
    let output = demo
        .args(["demo", "--once", "--json", "--postgres", &url])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer, json!({"ok": true, "result": {"records": 12}}));
    let left = "select (select count(*) from pg_publication), (select count(*) from pg_namespace where nspname = 'longshore_demo'),
        (select count(*) from pg_replication_slots where slot_name = 'longshore_demo')";
    let nothing = vec![Some("0".to_owned()); 3];
    assert_eq!(psql.query(left).unwrap(), [nothing]);

    // What bears its name is not taken for its own.
    psql.run("create schema longshore_demo; create table longshore_demo.mine (id int)")
        .unwrap();
    let mut demo = Command::new(program::longshore().unwrap());
    let output = demo
        .args(["demo", "--once", "--json", "--postgres", &url])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["error"]["code"], "conflict");
    psql.run("select id from longshore_demo.mine").unwrap();
}

#[test]
fn the_demo_sees_all_of_its_records_and_leaves_nothing_behind() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().unwrap();
    let n_left = || fs::read_dir(folder.path()).unwrap().count();
    let demo = || {
        let mut command = Command::new(program::longshore().unwrap());
        command.arg("demo").env("TMPDIR", folder.path());
        command
    };
    let output = demo().args(["--once", "--json"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer, json!({"ok": true, "result": {"records": 5}}));
    assert_eq!(n_left(), 0);

    let mut child = demo()
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut said = String::new();
    stdout.read_line(&mut said).unwrap();
    assert_eq!(n_left(), 1, "{said}");
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    stdout.read_to_string(&mut said).unwrap();
    assert!(child.wait().unwrap().success(), "{said}");
    assert_eq!(n_left(), 0, "{said}");
    assert!(said.contains("/connectors?expand=status'"), "{said}");
}
