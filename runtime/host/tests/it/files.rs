//! Files through the whole bridge.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use longshore_host::{Host, Limits, WasmSource};
use longshore_model::batch::Datum;
use longshore_model::{Fault, FaultClass};
use longshore_pipeline::port::{Signal as _, SourcePlugin as _};
use tempfile::tempdir;

use crate::zoo::{Task, host_in, open};

async fn snoops(host: &Host, file: &str, target: &str) -> (Task, WasmSource) {
    let task = Task::new("snooping", &[("file", file), ("target", target)]);
    let source = open(host, "snoops", &task, Vec::new()).await;
    (task, source.expect("it opens"))
}

fn host(dir: &Path) -> Host {
    host_in(dir, &["snoops"], Limits::default())
}

async fn snooped(source: &mut WasmSource) -> Result<Vec<u8>, Fault> {
    let polled = source.poll(10, 1 << 16).await?;
    let row = polled.batch.row(0).expect("one record a poll");
    let Datum::Bytes(bytes) = row.value() else {
        panic!("{:?} is not bytes", row.value());
    };
    Ok(bytes.to_vec())
}

#[tokio::test]
async fn a_guest_reads_what_its_config_grants_and_waits_for_growth() {
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("app.log"), "one\n").unwrap();
    let host = host(dir.path());
    let (task, mut source) = snoops(&host, "*.log", "app.log").await;
    assert_eq!(snooped(&mut source).await.unwrap(), b"one\n");
    let grow = async {
        let log = fs::OpenOptions::new()
            .append(true)
            .open(dir.path().join("app.log"));
        log.unwrap().write_all(b"two\n").unwrap();
    };
    let (read, ()) = tokio::join!(snooped(&mut source), grow);
    assert_eq!(read.unwrap(), b"one\ntwo\n");
    assert_eq!(task.count("heard_ready"), 1);
}

#[tokio::test]
async fn a_wait_for_a_change_hears_wakes_and_stops() {
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("app.log"), "one\n").unwrap();
    let host = host(dir.path());
    let (task, mut source) = snoops(&host, "app.log", "app.log").await;
    snooped(&mut source).await.unwrap();
    source.signal().wake();
    snooped(&mut source).await.unwrap();
    source.signal().stop();
    snooped(&mut source).await.unwrap();
    assert_eq!(
        (task.count("heard_woken"), task.count("heard_stopping")),
        (1, 1)
    );
    source.close().await.unwrap();
    task.ended().await;
}

#[tokio::test]
async fn a_guest_reads_nothing_else() {
    let dir = tempdir().unwrap();
    fs::create_dir_all(dir.path().join("longshore-data")).unwrap();
    fs::create_dir_all(dir.path().join("logs")).unwrap();
    fs::write(dir.path().join("longshore-data/journal"), "x").unwrap();
    let host = host(dir.path());
    let cases = [
        ("logs/*.log", "/etc/passwd", "file-not-granted"),
        (
            "logs/*.log",
            "logs/../longshore-data/journal",
            "file-path-climbs",
        ),
        (
            "longshore-data/journal",
            "longshore-data/journal",
            "file-in-data-directory",
        ),
    ];
    for (file, target, code) in cases {
        let (_, mut source) = snoops(&host, file, target).await;
        let refused = snooped(&mut source).await.unwrap_err();
        assert_eq!(
            (refused.class, refused.code.as_str()),
            (FaultClass::Denied, code)
        );
        assert_eq!(refused.detail("file"), Some(target));
    }
}

#[tokio::test]
async fn a_config_that_names_no_path_is_refused_with_its_key() {
    let dir = tempdir().unwrap();
    let host = host(dir.path());
    let task = Task::new("snooping", &[("file", "a*/b"), ("target", "x")]);
    let refused = open(&host, "snoops", &task, Vec::new())
        .await
        .err()
        .unwrap();
    assert_eq!(
        (refused.class, refused.detail("key")),
        (FaultClass::Config, Some("file"))
    );
}
