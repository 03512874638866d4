//! Starting and stopping a worker.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Output;

use longshore_e2e::worker::Setup;
use serde_json::Value;

fn fails(setup: &Setup, exit: i32, code: &str) -> String {
    let Output { status, stdout, .. } = setup.command().unwrap().output().unwrap();
    let answer: Value = serde_json::from_slice(&stdout).unwrap();
    assert_eq!(
        (status.code(), answer["error"]["code"].as_str()),
        (Some(exit), Some(code)),
        "{answer}"
    );
    answer["error"]["message"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn a_worker_says_where_it_answers_and_ends_with_0_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let worker = Setup::new(folder.path()).start().unwrap();
    let root = worker.rest().unwrap().get("/").unwrap();
    assert_eq!(root["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(
        worker.rest().unwrap().get("/health").unwrap()["status"],
        "healthy"
    );
    worker.stop().unwrap();
}

#[test]
fn a_cluster_id_outlives_the_worker() {
    let folder = tempfile::tempdir().unwrap();
    let setup = Setup::new(folder.path());
    let mut ids = Vec::new();
    for _ in 0..2 {
        let worker = setup.start().unwrap();
        ids.push(worker.rest().unwrap().get("/").unwrap()["kafka_cluster_id"].clone());
        worker.stop().unwrap();
    }
    assert!(
        ids[0].as_str().is_some_and(|id| !id.is_empty()) && ids[0] == ids[1],
        "{ids:?}"
    );
}

#[test]
fn one_data_directory_has_one_worker() {
    let folder = tempfile::tempdir().unwrap();
    let setup = Setup::new(folder.path());
    let worker = setup.start().unwrap();
    fails(&setup, 3, "data-dir-in-use");
    worker.stop().unwrap();
}

#[test]
fn a_data_directory_of_another_format_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("data")).unwrap();
    std::fs::write(folder.path().join("data/format"), "longshore-log 999\n").unwrap();
    let message = fails(&Setup::new(folder.path()), 3, "data-dir-format");
    assert!(message.contains("longshore-log 999"), "{message}");
}

#[test]
fn the_key_of_passwords_is_made_for_its_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    Setup::new(folder.path()).start().unwrap().stop().unwrap();
    let key = std::fs::metadata(folder.path().join("data/secret.key")).unwrap();
    assert_eq!(key.permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_key_of_passwords_that_is_none_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let setup = Setup::new(folder.path()).set("config.secret.key.file=my.key");
    let message = fails(&setup, 2, "config-invalid");
    assert!(
        message.contains("config.secret.key.file (from --set): my.key: "),
        "{message}"
    );
    std::fs::write(folder.path().join("my.key"), "hunter2").unwrap();
    let message = fails(&setup, 2, "config-invalid");
    assert!(
        message.contains("32 bytes in base64") && !message.contains("hunter2"),
        "{message}"
    );
}

#[test]
fn a_taken_port_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let setup = Setup::new(folder.path());
    let message = fails(
        &setup.clone().set(&format!("listeners=http://{address}")),
        3,
        "port-taken",
    );
    assert!(message.contains(&address.to_string()), "{message}");
    let message = fails(
        &setup.set(&format!("kafka.listeners={address}")),
        3,
        "port-taken",
    );
    assert!(message.contains(&address.to_string()), "{message}");
}

#[test]
fn kafka_connects_own_worker_files_are_accepted_with_a_word() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("connect-distributed.properties");
    std::fs::write(
        &file,
        "bootstrap.servers=localhost:9092\ngroup.id=connect-cluster\n\
         key.converter=org.apache.kafka.connect.json.JsonConverter\n\
         value.converter=org.apache.kafka.connect.json.JsonConverter\n\
         key.converter.schemas.enable=true\nvalue.converter.schemas.enable=true\n\
         offset.storage.topic=connect-offsets\noffset.storage.replication.factor=1\n\
         config.storage.topic=connect-configs\nconfig.storage.replication.factor=1\n\
         status.storage.topic=connect-status\nstatus.storage.replication.factor=1\n\
         offset.flush.interval.ms=10000\n",
    )
    .unwrap();
    let refused = Setup::new(folder.path()).config(&file);
    let message = fails(&refused, 2, "config-refused");
    assert!(message.starts_with("bootstrap.servers (from "), "{message}");
    let setup = Setup::new(folder.path())
        .config(&file)
        .set("broker=embedded");
    let worker = setup.start().unwrap();
    assert!(
        worker
            .read_log()
            .contains("bootstrap.servers, config.storage.replication.factor")
    );
    worker.stop().unwrap();
}
