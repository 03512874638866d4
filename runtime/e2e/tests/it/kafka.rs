//! librdkafka's own tool, and peers that speak no Kafka at all.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use longshore_e2e::program;
use longshore_e2e::worker::{Setup, WorkerProcess};

fn kcat(program: &Path, worker: &WorkerProcess, arguments: &str, stdin: &[u8]) -> Vec<u8> {
    let mut command = Command::new(program);
    command
        .args(["-b", &worker.kafka])
        .args(arguments.split(' '));
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(stdin).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{arguments}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

#[test]
fn kcat_writes_and_reads_with_every_codec() {
    let Some(program) = program::installed("kcat", "kcat").unwrap() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let worker = Setup::new(folder.path()).start().unwrap();
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        let topic = format!("codec-{codec}");
        kcat(
            &program,
            &worker,
            &format!("-P -t {topic} -K : -z {codec}"),
            b"k1:one\nk2:two\n",
        );
        let read = kcat(
            &program,
            &worker,
            &format!("-C -t {topic} -o beginning -e -q -K :"),
            b"",
        );
        assert_eq!(
            String::from_utf8_lossy(&read),
            "k1:one\nk2:two\n",
            "{codec}"
        );
    }
    let metadata = kcat(&program, &worker, "-L", b"");
    assert!(String::from_utf8_lossy(&metadata).contains("topic \"codec-zstd\" with 1 partitions"));
    worker.stop().unwrap();
}

#[test]
fn what_kcat_writes_rest_reads_and_the_other_way_round() {
    let Some(program) = program::installed("kcat", "kcat").unwrap() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let worker = Setup::new(folder.path()).start().unwrap();
    let rest = worker.rest().unwrap();
    kcat(
        &program,
        &worker,
        "-P -t both -K : -H colour=red",
        b"k:from kcat\n",
    );
    let record = &rest.get("/topics/both/records?offset=0").unwrap()[0];
    assert_eq!(
        (&record["key"], &record["value"]),
        (&"k".into(), &"from kcat".into()),
        "{record}"
    );
    assert_eq!(
        record["headers"][0],
        serde_json::json!({"key": "colour", "value": "red"})
    );
    rest.post(
        "/topics/both/records",
        &serde_json::json!({"key": "k", "value": "from rest"}),
    )
    .unwrap();
    let read = kcat(&program, &worker, "-C -t both -o beginning -e -q", b"");
    assert_eq!(String::from_utf8_lossy(&read), "from kcat\nfrom rest\n");
    worker.stop().unwrap();
}

#[test]
fn a_record_as_large_as_its_topic_takes_goes_in_and_out() {
    let Some(program) = program::installed("kcat", "kcat").unwrap() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let worker = Setup::new(folder.path()).start().unwrap();
    let rest = worker.rest().unwrap();
    let config = serde_json::json!({"max.message.bytes": "100000000"});
    let topic = serde_json::json!({"name": "large", "config": config});
    rest.post("/topics", &topic).unwrap();
    let mut line = vec![b'x'; 64 << 20];
    line.push(b'\n');
    let size = "message.max.bytes=90000000";
    kcat(&program, &worker, &format!("-P -t large -X {size}"), &line);
    let arguments = "-C -t large -o beginning -e -q";
    assert!(kcat(&program, &worker, arguments, b"") == line);
    let record = &rest.get("/topics/large/records?offset=0").unwrap()[0];
    assert_eq!(record["value"].as_str().map(str::len), Some(64 << 20));
    worker.stop().unwrap();
}

#[test]
fn malformed_oversized_and_unfinished_frames_cost_their_connection_only() {
    let folder = tempfile::tempdir().unwrap();
    let worker = Setup::new(folder.path()).start().unwrap();
    let connect = || TcpStream::connect(&worker.kafka).unwrap();
    // Half a frame, and then silence: it stays open while all the others are served.
    let mut silent = connect();
    silent.write_all(&[0, 0, 1, 0, 0]).unwrap();
    for bytes in [
        &[0x7f, 0xff, 0xff, 0xff][..],
        &[0xff, 0xff, 0xff, 0xff],
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        &[0, 0, 0, 10, 0, 3, 0, 9, 0, 0, 0, 1, 0xff, 0xff],
        &[0, 0, 0, 8, 0x7f, 0xff, 0, 0, 0, 0, 0, 1],
    ] {
        let mut stream = connect();
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        stream.write_all(bytes).unwrap();
        let mut answer = Vec::new();
        let ended = stream.read_to_end(&mut answer);
        assert!(
            !matches!(&ended, Err(error) if error.kind() == std::io::ErrorKind::WouldBlock),
            "{bytes:?} stays open"
        );
    }
    assert_eq!(
        worker.rest().unwrap().get("/health").unwrap()["status"],
        "healthy"
    );
    drop(silent);
    worker.stop_expecting(&["connection closed"]).unwrap();
}
