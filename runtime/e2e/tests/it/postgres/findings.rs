//! What a check finds that refuses nothing, and a connector that is deleted with what it left behind.

use std::fs;
use std::process::Command;

use longshore_e2e::postgres::{Capture, Event};
use longshore_e2e::{program, watch};
use reqwest::Method;
use serde_json::{Value, json};

/// Key, SQL and message of each warning; nothing is refused.
pub(super) fn warnings(capture: &Capture, keys: &Value) -> Vec<[String; 3]> {
    let mut body = capture.database.connector(keys);
    body["config"]["name"] = body["name"].take();
    let config = body["config"].to_string();
    let path = "/connector-plugins/postgres-cdc/config/validate";
    let answer = capture
        .rest
        .send(&Method::PUT, path, Some(&config))
        .unwrap();
    let findings = &answer.body["findings"];
    assert_eq!(answer.body["error_count"], 0, "{findings}");
    let findings = findings.as_array().into_iter().flatten();
    let findings = findings.inspect(|it| assert_eq!(it["severity"], "warning", "{it}"));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    findings
        .map(|it| [&it["key"], &it["details"]["sql"], &it["message"]].map(text))
        .collect()
}

pub(super) fn has(warnings: &[[String; 3]], key: &str, sql: &str, words: &str) {
    let is_it = |it: &&[String; 3]| {
        it[0] == key && it[1] == sql && words.split('|').all(|w| it[2].contains(w))
    };
    assert_eq!(
        warnings.iter().filter(is_it).count(),
        1,
        "{key}, {sql}, {words} in {warnings:#?}"
    );
}

/// How a command ends, and what it prints for programs.
fn ask(capture: &Capture, arguments: &[&str]) -> (i32, Value) {
    let mut command = Command::new(program::longshore().unwrap());
    command.args(arguments).arg("--json");
    command.env("LONGSHORE_REST", capture.rest.base());
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let said = serde_json::from_str(&said).unwrap_or(Value::String(said));
    (output.status.code().unwrap(), said)
}

#[test]
fn a_table_that_publishing_would_make_unwritable_is_named_with_what_mends_it() {
    let capture = Capture::prepare(
        r#"create table keyless (v int);
           create table nothing (id int primary key); alter table nothing replica identity nothing;
           create table lost (id int primary key, a int not null); create unique index i on lost (a);
           alter table lost replica identity using index i; drop index i;
           create table late (id int primary key deferrable);
           create table in_full (v int); alter table in_full replica identity full;
           create table parted (a int) partition by range (a);
           create table part partition of parted for values from (0) to (9);
           create table "not Selected" (v int);"#,
    )
    .unwrap();
    let all = json!({"table.exclude.list": "public.not Selected", "snapshot.mode": "no_data"});
    let found = warnings(&capture, &all);
    let identity = |table: &str, identity: &str, why: &str| {
        let sql = format!("ALTER TABLE \"public\".{table} REPLICA IDENTITY {identity}");
        let words = format!("public.|{why}|UPDATE and DELETE");
        has(&found, "table.include.list", &sql, &words);
    };
    identity("\"keyless\"", "FULL", "public.keyless has no primary key");
    identity("\"late\"", "FULL", "public.late has no primary key");
    identity("\"lost\"", "DEFAULT", "has lost the index");
    identity("\"nothing\"", "DEFAULT", "has replica identity NOTHING");
    identity("\"part\"", "FULL", "has no primary key");
    // A publication of all tables takes it, selected or not.
    identity("\"not Selected\"", "FULL", "has no primary key");
    assert_eq!(found.len(), 6, "{found:#?}");

    let one = json!({"table.include.list": "public.keyless", "snapshot.mode": "no_data",
        "publication.autocreate.mode": "filtered", "skipped.operations": "none"});
    assert_eq!(warnings(&capture, &one).len(), 1);
}

#[test]
fn a_publication_of_inserts_asks_for_no_identity() {
    let mut capture = Capture::prepare("create table keyless (v int)").unwrap();
    let name = capture.database.name.clone();
    capture
        .run(&format!(
            "create publication {name} for all tables with (publish = 'insert')"
        ))
        .unwrap();
    let keys = json!({"snapshot.mode": "no_data", "skipped.operations": "u,d,t"});
    assert_eq!(warnings(&capture, &keys), <[[String; 3]; 0]>::default());
}

#[test]
fn keys_that_old_rows_do_not_bring_and_snapshots_that_begin_again_are_told() {
    let capture = Capture::prepare(
        "create table by_index (id int primary key, a int not null);
         create unique index i on by_index (a); alter table by_index replica identity using index i;
         create table chosen (id int primary key, b int);
         create table by_numeric (k numeric primary key);",
    )
    .unwrap();
    let found = warnings(
        &capture,
        &json!({"message.key.columns": "public.chosen:id,b", "plugin.name": null, "max.queue.size": "8192"}),
    );
    has(
        &found,
        "table.include.list",
        "ALTER TABLE \"public\".\"by_index\" REPLICA IDENTITY DEFAULT",
        "public.by_index leaves out id",
    );
    has(
        &found,
        "message.key.columns",
        "ALTER TABLE \"public\".\"chosen\" REPLICA IDENTITY FULL",
        "public.chosen leaves out b",
    );
    has(&found, "snapshot.mode", "", "public.by_numeric");
    has(&found, "plugin.name", "", "absent|pgoutput");
    has(&found, "max.queue.size", "", "changes nothing here");
    assert_eq!(found.len(), 5, "{found:#?}");
}

#[test]
fn a_capture_that_was_deleted_with_its_slot_is_deployed_again_under_its_name() {
    let tables = "create table t (id int primary key); insert into t values (1);";
    let mut capture = Capture::start(tables, &json!({})).unwrap();
    let path = format!("/connectors/{}", capture.database.name);
    let deleted = capture
        .rest
        .send(&Method::DELETE, &format!("{path}?cleanup=true"), None)
        .unwrap();
    assert_eq!(deleted.status, 202, "{}", deleted.body);
    // A connector's last words are that its status is removed.
    let is_gone = || capture.rest.send(&Method::GET, &path, None).unwrap().status == 404;
    let followed = capture.rest.follow("_longshore_status", |_| is_gone());
    followed.unwrap();
    capture.sender().unwrap_err();
    capture.deploy(&json!({})).unwrap();
    capture.settle().unwrap();
    capture.apply("insert into t values (2)").unwrap();
    let events = capture.events("t").unwrap();
    let ops: Vec<_> = events.iter().map(|event| event.op().to_owned()).collect();
    assert_eq!(ops, ["r", "r", "c"]);
}

/// 45
#[test]
fn a_command_deletes_a_capture_with_its_slot() {
    let tables = "create table t (id int primary key); insert into t values (1);";
    let mut capture = Capture::start(tables, &json!({})).unwrap();
    let name = capture.database.name.clone();
    let (exit, said) = ask(&capture, &["connector", "delete", &name, "--drop-slot"]);
    assert_eq!(
        (exit, &said["result"]["removed"]),
        (0, &json!(true)),
        "{said}"
    );
    let removed = said["result"]["leftovers"].as_array().unwrap();
    assert!(removed.iter().any(|it| it["name"] == *name), "{said}");
    // It answers once both are gone.
    capture.sender().unwrap_err();
    let path = format!("/connectors/{name}");
    let gone = capture.rest.send(&Method::GET, &path, None).unwrap();
    assert_eq!(gone.status, 404, "{}", gone.body);
    capture.deploy(&json!({})).unwrap();
    capture.settle().unwrap();
    capture.apply("insert into t values (2)").unwrap();
    let events = capture.events("t").unwrap();
    let ops: Vec<_> = events.iter().map(Event::op).collect();
    assert_eq!(ops, ["r", "r", "c"]);
}

#[test]
fn a_command_checks_a_body_and_makes_nothing() {
    let mut capture = Capture::prepare("create table t (v int)").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.json");
    let check = |keys: Value| {
        let body = capture.database.connector(&keys);
        fs::write(&file, body.to_string()).unwrap();
        ask(
            &capture,
            &["connector", "check", "-f", file.to_str().unwrap()],
        )
    };
    let (exit, said) = check(json!({"snapshot.mode": "no_data"}));
    assert_eq!(exit, 0, "{said}");
    let found = said["result"]["findings"].as_array().unwrap();
    assert_eq!(found.len(), 1, "{said}");
    assert_eq!(found[0]["severity"], "warning");
    let sql = r#"ALTER TABLE "public"."t" REPLICA IDENTITY FULL"#;
    assert_eq!(found[0]["details"]["sql"], sql);

    let (exit, said) = check(json!({"publication.autocreate.mode": "disabled"}));
    assert_eq!(
        (exit, &said["error"]["code"]),
        (2, &json!("rejected")),
        "{said}"
    );
    let message = said["error"]["message"].as_str().unwrap();
    for words in ["publication.name: ", "sql: CREATE PUBLICATION "] {
        assert!(message.contains(words), "{words}: {message}");
    }
    capture.sender().unwrap_err();
    let publications = capture.psql.value("select count(*) from pg_publication");
    assert_eq!(publications.unwrap(), "0");
}

/// 45
#[test]
fn a_slot_is_shown_with_what_it_keeps_and_named_when_it_is_left_behind() {
    let tables = "create table t (id int primary key); insert into t values (1);";
    let mut capture = Capture::start(tables, &json!({})).unwrap();
    capture.settle().unwrap();
    let name = capture.database.name.clone();
    let status = capture.rest.get(&format!("/connectors/{name}/status"));
    let progress = &status.unwrap()["tasks"][0]["progress"];
    assert_eq!(progress["slot"]["name"], *name, "{progress}");
    for bytes in [
        &progress["lag_bytes"],
        &progress["slot"]["lag_bytes"],
        &progress["slot"]["retained_bytes"],
    ] {
        assert!(bytes.is_u64(), "{progress}");
    }
    let (exit, said) = ask(&capture, &["connector", "delete", &name]);
    assert_eq!(exit, 0, "{said}");
    let left = said["result"]["leftovers"].as_array().unwrap();
    let slot = left.iter().find(|left| left["name"] == *name).unwrap();
    assert!(slot["bytes"].is_u64(), "{slot}");
    let sender = capture.sender().unwrap();
    sender.process.map_or(Ok(()), watch::ended).unwrap();
    // What it names removes it.
    capture.run(slot["command"].as_str().unwrap()).unwrap();
    capture.sender().unwrap_err();
}
