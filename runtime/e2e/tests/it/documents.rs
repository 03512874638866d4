//! The README's commands, as written but for the addresses: ports are free ones here.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use longshore_e2e::postgres::{Database, shared};
use longshore_e2e::worker::Setup;
use longshore_e2e::{program, watch};
use longshore_rig::PASSWORD;
use serde_json::Value;

#[test]
fn the_readmes_curl_commands_work_as_written() {
    let readme = fs::read_to_string(program::root().join("README.md")).unwrap();
    let in_shell = readme
        .split("```")
        .skip(1)
        .step_by(2)
        .filter(|block| block.starts_with("sh\n"));
    let lines = in_shell.flat_map(str::lines);
    let commands: Vec<&str> = lines
        .filter(|line| line.starts_with("echo ") || line.starts_with("curl "))
        .collect();
    assert!(
        commands.len() >= 5,
        "the README shows fewer commands than it did: {commands:?}"
    );
    let folder = tempfile::tempdir().unwrap();
    let database = Database::create(shared().unwrap()).unwrap();
    copy_examples(&folder.path().join("examples"), &database);
    let tables = folder.path().join("examples/02-postgres/tables.sql");
    let tables = fs::read_to_string(tables).unwrap();
    database.psql().unwrap().run(&tables).unwrap();
    let worker = Setup::new(folder.path()).start().unwrap();
    let mut said = String::new();
    for command in commands {
        if command.contains("/topics/") {
            // A person types slower than the first record arrives.
            worker.rest().unwrap().follow_created("app-log").unwrap();
        }
        let command = command.replace("http://127.0.0.1:8083", &worker.rest_url);
        let mut bash = Command::new("bash");
        bash.args([
            "-c",
            &command.replacen("curl ", "curl -sS --fail-with-body ", 1),
        ]);
        let output = bash.current_dir(folder.path()).output().unwrap();
        assert!(output.status.success(), "{command}: {output:?}");
        said.push_str(&String::from_utf8(output.stdout).unwrap());
    }
    for expected in [
        r#""name":"app-log""#,
        r#""name":"app-log-copy""#,
        r#""name":"shop""#,
        r#""name":"orders-file""#,
        r#""state":"RUNNING""#,
        "the tide is coming in",
    ] {
        assert!(said.contains(expected), "no {expected} in {said}");
    }
    let copy = folder.path().join("app-log.copy");
    watch::until(folder.path(), Duration::from_secs(30), "the copy", || {
        Ok(fs::read_to_string(&copy).unwrap_or_default() == "the tide is coming in\n")
    })
    .unwrap();
    let rest = worker.rest().unwrap();
    rest.until_created("shop.longshore_demo.customers", "shop")
        .unwrap();
    let is_last = |record: &Value| record["key"] == r#"{"id":3}"#;
    rest.follow("shop.longshore_demo.customers", is_last)
        .unwrap();
    worker.stop().unwrap();
}

/// The examples, with a server of the tests in the place of the one that a person has.
fn copy_examples(to: &Path, database: &Database) {
    let port = format!("\"database.port\": \"{}\"", database.server.port);
    let name = format!("\"database.dbname\": \"{}\"", database.name);
    let password = format!("\"database.password\": \"{PASSWORD}\"");
    for example in fs::read_dir(program::root().join("examples")).unwrap() {
        let example = example.unwrap();
        fs::create_dir_all(to.join(example.file_name())).unwrap();
        for file in fs::read_dir(example.path()).unwrap() {
            let file = file.unwrap();
            let text = fs::read_to_string(file.path()).unwrap();
            let text = text.replace(r#""database.port": "5432""#, &port);
            let text = text.replace(r#""database.dbname": "postgres""#, &name);
            let text = text.replace(r#""database.password": "postgres""#, &password);
            fs::write(to.join(example.file_name()).join(file.file_name()), text).unwrap();
        }
    }
}
