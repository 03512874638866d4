//! What answers under the server's name and is not the server that was captured.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use longshore_e2e::kill::free_port;
use longshore_e2e::postgres::{Capture, Database, Psql, programs, shared};
use longshore_e2e::program;
use longshore_rig::{PASSWORD, Server, Stop, USER};
use serde_json::{Value, json};

const TABLE: &str = "create table t (id int primary key); insert into t values (1);";

/// 73
#[test]
fn a_standby_that_was_promoted_without_the_last_rows_is_refused() {
    let server = Arc::new(Server::start(&programs().unwrap(), &[]).unwrap());
    let database = Database::create(Arc::clone(&server)).unwrap();
    let mut capture = Capture::start_in(database, TABLE, &json!({})).unwrap();
    capture.delete().unwrap();
    let [data, standby, lost] = ["data", "standby", "lost"].map(|name| server.folder().join(name));

    // A copy of the server with its slot, which stays behind.
    server.stop(Stop::Fast).unwrap();
    let copied = Command::new("cp")
        .arg("-a")
        .args([&data, &standby])
        .status();
    assert!(copied.unwrap().success());
    server.start_again().unwrap();
    capture.psql = capture.database.psql().unwrap();
    capture.deploy(&json!({})).unwrap();
    capture.apply("insert into t values (2)").unwrap();
    capture.delete().unwrap();
    server.stop(Stop::Fast).unwrap();

    fs::rename(&data, lost).unwrap();
    fs::rename(standby, &data).unwrap();
    fs::write(data.join("standby.signal"), "").unwrap();
    server.start_again().unwrap();
    capture.psql = capture.database.psql().unwrap();
    assert_eq!(capture.psql.value("select pg_promote()").unwrap(), "t");
    capture.run("insert into t values (3)").unwrap();
    capture.deploy(&json!({})).unwrap();
    let failure = capture.failure().unwrap();
    assert!(failure.contains("postgres-other-history"), "{failure}");
    assert_eq!(ids(&capture), [1, 2]);
    begins_anew_once_the_slot_is_gone(&mut capture);
    assert_eq!(ids(&capture), [1, 2, 1, 3]);
}

fn ids(capture: &Capture) -> Vec<Value> {
    let events = capture.events("t").unwrap();
    events.iter().map(|event| event.key["id"].clone()).collect()
}

/// On another server a slot of the connector's name is anybody's.
fn begins_anew_once_the_slot_is_gone(capture: &mut Capture) {
    let keys = json!({"snapshot.mode": "when_needed"});
    capture.deploy(&keys).unwrap();
    let name = capture.database.name.clone();
    let is_foreign = |status: &Value| {
        let trace = status["tasks"][0]["trace"].as_str();
        trace.is_some_and(|trace| trace.contains("postgres-slot-foreign"))
    };
    capture.restart().unwrap();
    capture.rest.wait_for_status(&name, is_foreign).unwrap();
    capture
        .run(&format!("select pg_drop_replication_slot('{name}')"))
        .unwrap();
    capture.restart().unwrap();
    capture.settle().unwrap();
    // The first row of the marker may have been read before the table was.
    capture.settle().unwrap();
}

/// 73, where it is no copy
#[test]
fn another_server_at_the_same_address_is_refused() {
    let server = Arc::new(Server::start(&programs().unwrap(), &[]).unwrap());
    let database = Database::create(Arc::clone(&server)).unwrap();
    let mut capture = Capture::start_in(database, TABLE, &json!({})).unwrap();
    capture.delete().unwrap();
    server.stop(Stop::Fast).unwrap();
    let data = server.folder().join("data");
    fs::rename(&data, server.folder().join("lost")).unwrap();
    let mut initdb = server.command("initdb");
    initdb.args(["--encoding=UTF8", "--no-locale", "--no-sync"]);
    initdb.args(["--auth-local=trust", "--auth-host=scram-sha-256"]);
    initdb.arg(format!("--username={USER}")).arg("--pwfile");
    initdb.arg(server.folder().join("password"));
    let made = initdb.arg("--pgdata").arg(&data).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    server.start_again().unwrap();
    let name = capture.database.name.clone();
    let mut psql = Psql::open(&server, "postgres").unwrap();
    psql.run(&format!("create database {name}")).unwrap();
    capture.psql = capture.database.psql().unwrap();
    capture
        .run(&format!(
            "create table marker (id int primary key); {TABLE} insert into t values (7);
             select pg_create_logical_replication_slot('{name}', 'pgoutput')"
        ))
        .unwrap();
    capture.deploy(&json!({})).unwrap();
    let failure = capture.failure().unwrap();
    assert!(failure.contains("postgres-other-history"), "{failure}");
    assert_eq!(ids(&capture), [1]);
    begins_anew_once_the_slot_is_gone(&mut capture);
    assert_eq!(ids(&capture), [1, 1, 7]);
}

/// A pooler that lends a connection for a transaction.
struct Pooler {
    child: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Pooler {
    /// None where PgBouncer is not installed.
    fn start(server: &Server, ignored: &str) -> Option<Self> {
        let pgbouncer = program::installed("pgbouncer", "pgbouncer").unwrap()?;
        let folder = tempfile::tempdir().unwrap();
        let port = free_port().unwrap();
        let users = folder.path().join("users");
        fs::write(&users, format!("\"{USER}\" \"{PASSWORD}\"\n")).unwrap();
        let config = folder.path().join("pgbouncer.ini");
        let text = format!(
            "[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\npool_mode = transaction\nauth_type = plain\nauth_file = {}\n\
             ignore_startup_parameters = {ignored}\n",
            server.port,
            users.display()
        );
        fs::write(&config, text).unwrap();
        let mut command = Command::new(pgbouncer);
        if rustix::process::geteuid().is_root() {
            // It does not run as root, and reads its files before.
            command.args(["-u", "postgres"]);
        }
        let mut child = command.arg(config).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let mut said = stderr.lines().map(Result::unwrap);
        assert!(said.any(|line| line.contains("process up")));
        Some(Self {
            child,
            port,
            _folder: folder,
        })
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// 75
#[test]
fn a_pooler_is_refused_by_name() {
    let capture = Capture::prepare(TABLE).unwrap();
    let server = shared().unwrap();
    for ignored in ["extra_float_digits", "options,extra_float_digits"] {
        let Some(pooler) = Pooler::start(&server, ignored) else {
            return;
        };
        let keys = json!({"database.port": pooler.port.to_string()});
        let refusal = capture.refusal(&keys).unwrap();
        assert!(refusal.contains("pooler"), "{ignored}: {refusal}");
    }
}
