//! What users and disks get wrong, each with its test.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::time::Duration;

use longshore_e2e::rest::{Answer, Rest};
use longshore_e2e::watch;
use longshore_e2e::worker::Setup;
use reqwest::Method;
use serde_json::{Value, json};

const STRING: &str = "org.apache.kafka.connect.storage.StringConverter";
const WITHIN: Duration = Duration::from_secs(30);

fn source(settings: &Value) -> Value {
    let mut config = json!({"connector.class": "file-source", "file": "in.log", "topic": "lines", "value.converter": STRING});
    for (key, value) in settings.as_object().unwrap() {
        config[key] = value.clone();
    }
    json!({"name": "source", "config": config})
}

/// Kafka Connect's shape of an error.
fn assert_error(answer: &Answer, status: u16, words: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(answer.body["error_code"], status);
    let message = answer.body["message"].as_str().unwrap();
    assert!(message.contains(words), "{message}");
}

#[test]
fn requests_that_are_wrong_are_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let worker = Setup::new(folder.path()).start().unwrap();
    let rest = worker.rest().unwrap();
    let post = |body: &str| rest.send(&Method::POST, "/connectors", Some(body)).unwrap();
    assert_error(&post("{\"name\": "), 400, "");
    assert_error(&post("[]"), 400, "");
    assert_error(
        &post(r#"{"name": "x", "config": {"connector.class": "no-such"}}"#),
        400,
        "no-such",
    );
    assert_error(
        &post(&source(&json!({"batch.size": "many"})).to_string()),
        400,
        "batch.size",
    );
    assert_error(
        &post(&source(&json!({"tasks.max": "0"})).to_string()),
        400,
        "tasks.max",
    );
    assert_error(
        &post(&source(&json!({"errors.tolerance": "some"})).to_string()),
        400,
        "errors.tolerance",
    );
    assert_error(
        &post(&source(&json!({"value.converter": "org.example.None"})).to_string()),
        400,
        "value.converter",
    );
    let without_file =
        json!({"name": "x", "config": {"connector.class": "FileStreamSource", "topic": "t"}});
    assert_error(&post(&without_file.to_string()), 400, "file");
    let missing = rest
        .send(&Method::GET, "/connectors/nobody/status", None)
        .unwrap();
    assert_error(&missing, 404, "nobody");
    let later = rest
        .send(&Method::PUT, "/connectors/nobody/stop", None)
        .unwrap();
    assert_eq!(later.status, 404, "{}", later.body);
    worker.stop().unwrap();
}

#[test]
fn a_file_that_vanishes_and_comes_back_is_read_on() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("in.log");
    fs::write(&input, "one\n").unwrap();
    let worker = Setup::new(folder.path()).start().unwrap();
    let rest = worker.rest().unwrap();
    rest.deploy(&source(&json!({}))).unwrap();
    rest.follow_created("lines").unwrap();
    rest.follow("lines", |record| record["value"] == "one")
        .unwrap();
    fs::remove_file(&input).unwrap();
    fs::write(&input, "two\n").unwrap();
    rest.follow("lines", |record| record["value"] == "two")
        .unwrap();
    worker
        .stop_expecting(&["lost", "removed", "gone", "vanish"])
        .unwrap();
}

#[test]
fn a_directory_where_a_file_should_be_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("in.log")).unwrap();
    let worker = Setup::new(folder.path()).start().unwrap();
    let rest = worker.rest().unwrap();
    let trace = failure_of(&rest, &source(&json!({})));
    assert!(trace.contains("in.log"), "{trace}");
    worker
        .stop_expecting(&["in.log", "FAILED", "failed"])
        .unwrap();
}

/// Why a connector is refused, or why its task failed.
fn failure_of(rest: &Rest, body: &Value) -> String {
    let answer = rest
        .send(&Method::POST, "/connectors", Some(&body.to_string()))
        .unwrap();
    if answer.status == 400 {
        return answer.body["message"].to_string();
    }
    let name = body["name"].as_str().unwrap();
    let mut trace = String::new();
    rest.wait_for_status(name, |status| {
        let parts = [&status["connector"], &status["tasks"][0]];
        let failed = parts.into_iter().find(|part| part["state"] == "FAILED");
        trace = failed
            .map(|part| part["trace"].to_string())
            .unwrap_or_default();
        failed.is_some()
    })
    .unwrap();
    trace
}

#[test]
fn binary_junk_goes_through_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let mut junk: Vec<u8> = (0..=255).collect();
    junk.extend_from_slice(b"\xff\xfe\x00\n\x80\n");
    fs::write(folder.path().join("in.log"), &junk).unwrap();
    let worker = Setup::new(folder.path()).start().unwrap();
    let rest = worker.rest().unwrap();
    let bytes = "org.apache.kafka.connect.converters.ByteArrayConverter";
    // Lines that are UTF-8 are text, the others are bytes; the string converter passes both as they are.
    rest.deploy(&source(&json!({}))).unwrap();
    let config = json!({"connector.class": "file-sink", "topics": "lines", "file": "out.log", "value.converter": bytes});
    rest.deploy(&json!({"name": "sink", "config": config}))
        .unwrap();
    let output = folder.path().join("out.log");
    watch::until(folder.path(), WITHIN, "the copy", || {
        Ok(fs::read(&output).unwrap_or_default() == junk)
    })
    .unwrap();
    worker.stop().unwrap();
}

#[test]
fn a_line_of_100_mb_becomes_a_dead_letter_that_says_where_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = BufWriter::new(File::create(folder.path().join("in.log")).unwrap());
    file.write_all(b"before\n").unwrap();
    for _ in 0..100 {
        file.write_all(&[b'~'; 1_000_000]).unwrap();
    }
    file.write_all(b"\nafter\n").unwrap();
    file.flush().unwrap();
    let worker = Setup::new(folder.path()).start().unwrap();
    let rest = worker.rest().unwrap();
    rest.deploy(&source(
        &json!({"errors.tolerance": "all", "errors.deadletterqueue.topic.name": "dead"}),
    ))
    .unwrap();
    rest.follow_created("lines").unwrap();
    let mut lines = Vec::new();
    rest.follow("lines", |record| {
        lines.push(record["value"].clone());
        record["value"] == "after"
    })
    .unwrap();
    assert_eq!(lines, [json!("before"), json!("after")]);
    let dead = &rest.get("/topics/dead/records?offset=0").unwrap()[0];
    let text = dead.to_string();
    for words in ["in.log", "100000000", "__connect.errors."] {
        assert!(text.contains(words), "no {words} in {text}");
    }
    worker
        .stop_expecting(&["100000000", "max.line.bytes"])
        .unwrap();
}

#[test]
fn a_full_disk_stops_writes_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let line = "~".repeat(64 << 10);
    let text: String = (0..1_500).map(|n| format!("{n} {line}\n")).collect();
    fs::write(folder.path().join("in.log"), &text).unwrap();
    let setup = Setup::new(folder.path());
    let full = setup.clone().file_size_max(72 * 1024).start().unwrap();
    let rest = full.rest().unwrap();
    let failed = failure_of(&rest, &source(&json!({})));
    assert!(!failed.is_empty());
    full.kill().unwrap();
    let worker = setup.start().unwrap();
    let rest = worker.rest().unwrap();
    let mut arrived = String::new();
    rest.follow("lines", |record| {
        arrived.push_str(record["value"].as_str().unwrap());
        arrived.push('\n');
        arrived.len() >= text.len()
    })
    .unwrap();
    assert!(arrived == text, "the topic is not the file");
    worker
        .stop_expecting(&["full", "File too large", "FAILED", "failed", "refuses"])
        .unwrap();
}
