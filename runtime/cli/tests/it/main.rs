//! The command line as scripts see it: help, exit codes, the JSON of failures. What needs a worker is tested in e2e.

use std::process::{Command, Output};

use serde_json::Value;

fn longshore(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_longshore"));
    command
        .env_remove("COLUMNS")
        .args(arguments)
        .env_remove("LONGSHORE_REST");
    command.output().expect("the binary starts")
}

fn failure(arguments: &[&str], exit: i32) -> Value {
    let output = longshore(arguments);
    assert_eq!(
        output.status.code(),
        Some(exit),
        "{arguments:?}: {output:?}"
    );
    let answer: Value = serde_json::from_slice(&output.stdout).expect("stdout is JSON");
    assert_eq!(answer["ok"], false);
    answer["error"].clone()
}

#[test]
fn help_is_what_the_readme_says() {
    for arguments in [
        &["--help"][..],
        &["worker", "--help"],
        &["connector", "--help"],
        &["topic", "--help"],
    ] {
        let output = longshore(arguments);
        assert_eq!(output.status.code(), Some(0));
        let name = arguments.join(" ").replace([' ', '-'], "_");
        insta::assert_snapshot!(
            name,
            String::from_utf8(output.stdout).expect("help is text")
        );
    }
}

#[test]
fn a_wrong_argument_ends_with_2() {
    for arguments in [
        &["worker", "--sett", "a=b"][..],
        &["topic", "erase", "x"],
        &[],
    ] {
        assert_eq!(longshore(arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn a_configuration_error_ends_with_2_and_names_key_and_origin() {
    let error = failure(&["worker", "--json", "--set", "data.dri=x"], 2);
    assert_eq!(error["code"], "config-unknown-key");
    assert_eq!(error["path"], "data.dri");
    assert_eq!(
        error["message"],
        "data.dri (from --set): no worker has this key"
    );
    let error = failure(
        &["worker", "--json", "--set", "bootstrap.servers=kafka:9092"],
        2,
    );
    assert_eq!(error["code"], "config-refused");
    assert!(
        error["fix"]
            .as_str()
            .is_some_and(|fix| fix.contains("broker=embedded"))
    );
    let error = failure(&["worker", "--json", "--config", "nowhere.properties"], 2);
    assert_eq!(error["code"], "config-file");
}

#[test]
fn no_worker_there_ends_with_3() {
    // Port 1 of loopback belongs to nobody.
    for command in [&["health"][..], &["connector", "list"], &["topic", "list"]] {
        let mut arguments = command.to_vec();
        arguments.extend(["--rest", "http://127.0.0.1:1", "--json"]);
        let error = failure(&arguments, 3);
        assert_eq!(error["code"], "worker-unreachable");
        assert_eq!(error["path"], "http://127.0.0.1:1/");
    }
}

#[test]
fn a_file_that_is_no_connector_ends_with_2() {
    let folder = tempfile::tempdir().expect("a directory");
    for (name, text) in [
        ("a.json", "{"),
        ("b.json", "{}"),
        ("c.json", r#"{"name": "x", "config": 1}"#),
    ] {
        let file = folder.path().join(name);
        std::fs::write(&file, text).expect("a file");
        let file = file.to_str().expect("a path of text");
        let error = failure(&["connector", "create", "-f", file, "--json"], 2);
        assert_eq!(error["code"], "input-file");
    }
}
