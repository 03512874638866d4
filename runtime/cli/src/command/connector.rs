//! `longshore connector`.

mod delete;
mod progress;

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;

use longshore_rest::NewConnector;
use serde_json::{Map, Value, json};

use crate::args::ConnectorCommand;
use crate::client::Client;
use crate::error::{Code, Failure, Result};
use crate::output::{Answer, table};

pub(crate) async fn run(client: &Client, command: ConnectorCommand) -> Result<Answer> {
    match command {
        ConnectorCommand::List => list(client).await,
        ConnectorCommand::Create(args) => create(client, &args.file).await,
        ConnectorCommand::Status(args) => status(client, &args.name).await,
        ConnectorCommand::Check(args) => check(client, &args.file).await,
        ConnectorCommand::Pause(args) => steer(client, &args.name, "pause", "pausing").await,
        ConnectorCommand::Resume(args) => steer(client, &args.name, "resume", "resuming").await,
        ConnectorCommand::Restart(args) => restart(client, &args.name).await,
        ConnectorCommand::Delete(args) => delete::run(client, &args).await,
    }
}

async fn list(client: &Client) -> Result<Answer> {
    let expand = [
        ("expand", "status".to_owned()),
        ("expand", "info".to_owned()),
    ];
    let all = client.get(&["connectors"], &expand).await?;
    let rows = all
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, connector)| {
            let status = &connector["status"];
            let tasks = items(&status["tasks"]);
            let running = tasks
                .iter()
                .filter(|task| task["state"] == "RUNNING")
                .count();
            vec![
                name.clone(),
                text(&connector["info"]["type"]),
                text(&status["connector"]["state"]),
                format!("{running}/{}", tasks.len()),
                text(&connector["info"]["config"]["connector.class"]),
            ]
        });
    let text = table(&["NAME", "TYPE", "STATE", "TASKS", "CLASS"], rows);
    Ok(Answer::new(all, text))
}

async fn create(client: &Client, file: &Path) -> Result<Answer> {
    let (name, config) = read_body(file)?;
    let created = client
        .put(
            &["connectors", &name, "config"],
            Some(&Value::Object(config)),
        )
        .await?;
    Ok(Answer::new(
        created,
        format!("{name} is deployed; `longshore connector status {name}` shows its state"),
    ))
}

async fn status(client: &Client, name: &str) -> Result<Answer> {
    let status = client.get(&["connectors", name, "status"], &[]).await?;
    let text = describe(&status);
    Ok(Answer::new(status, text))
}

/// A table of the parts, and below it what some of them have to say in more than a word.
fn describe(status: &Value) -> String {
    let tasks = status["tasks"].as_array().into_iter().flatten();
    let tasks = tasks.map(|task| (format!("task {}", task["id"]), task));
    let connector = ("connector".to_owned(), &status["connector"]);
    let parts: Vec<(String, &Value)> = std::iter::once(connector).chain(tasks).collect();
    let rows = parts
        .iter()
        .map(|(what, part)| vec![what.clone(), text(&part["state"]), text(&part["worker_id"])]);
    let mut lines = vec![table(&["PART", "STATE", "WORKER"], rows)];
    for (what, part) in &parts {
        let trace = text(&part["trace"]);
        if !trace.trim().is_empty() {
            lines.push(format!("\n{what}:"));
            lines.extend(trace.trim_end().lines().map(|line| format!("  {line}")));
        }
        let progress = progress::lines(&part["progress"]);
        if !progress.is_empty() {
            lines.push(format!("\n{what}:"));
            lines.extend(progress.iter().map(|line| format!("  {line}")));
        }
        let gaps = items(&part["progress"]["gaps"]);
        if !gaps.is_empty() {
            lines.push(format!("\n{what} could not read:"));
            lines.extend(gaps.iter().map(|gap| format!("  {}", progress::pairs(gap))));
        }
    }
    lines.join("\n")
}

async fn check(client: &Client, file: &Path) -> Result<Answer> {
    let (_, config) = read_body(file)?;
    let class = config.get("connector.class").and_then(Value::as_str);
    let class = class
        .ok_or_else(|| input(file, "config has no connector.class"))?
        .to_owned();
    let path = ["connector-plugins", &class, "config", "validate"];
    let checked = client.put(&path, Some(&Value::Object(config))).await?;
    judge(&file.display().to_string(), checked)
}

/// Refusals make a failure, and what only deserves a look stands below them.
fn judge(file: &str, checked: Value) -> Result<Answer> {
    let is_warning = |finding: &&Value| finding["severity"] == "warning";
    let (warnings, refusals): (Vec<_>, Vec<_>) =
        items(&checked["findings"]).iter().partition(is_warning);
    let blocks = refusals.iter().chain(&warnings).map(|found| finding(found));
    let blocks = blocks.collect::<Vec<_>>().join("\n\n");
    if !refusals.is_empty() {
        let failure = Failure::new(Code::Rejected, blocks);
        return Err(failure.at(file).with_result(checked));
    }
    let text = match blocks.is_empty() {
        true => format!("{file} is valid"),
        false => format!("{file} is valid\n\n{blocks}"),
    };
    Ok(Answer::new(checked, text))
}

/// Where something is wrong and what, and below it what is known of it.
fn finding(finding: &Value) -> String {
    let mut block = format!("{}: {}", text(&finding["key"]), text(&finding["message"]));
    if finding["severity"] == "warning" {
        block.insert_str(0, "warning: ");
    }
    for (name, fact) in finding["details"].as_object().into_iter().flatten() {
        let lines = text(fact).trim_end().replace('\n', "\n    ");
        write!(block, "\n  {name}: {lines}").expect("a string grows");
    }
    block
}

async fn steer(client: &Client, name: &str, verb: &str, doing: &str) -> Result<Answer> {
    client.put(&["connectors", name, verb], None).await?;
    Ok(Answer::new(Value::Null, format!("{doing} {name}")))
}

async fn restart(client: &Client, name: &str) -> Result<Answer> {
    let query = [("includeTasks", "true".to_owned())];
    let status = client
        .post(&["connectors", name, "restart"], &query, None)
        .await?;
    Ok(Answer::new(status, format!("restarting {name}")))
}

/// The body of POST /connectors, refused as there: the config goes another way. The name goes into the config as well, as
/// Kafka Connect keeps it.
fn read_body(file: &Path) -> Result<(String, Map<String, Value>)> {
    let text = if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(file)
    };
    let text = text.map_err(|error| input(file, &error.to_string()))?;
    let body = NewConnector::parse(&text).map_err(|reason| input(file, &reason))?;
    let name = body.name.as_deref().map(str::trim);
    let name = name.filter(|name| !name.is_empty());
    let name = name
        .ok_or_else(|| input(file, "has no \"name\""))?
        .to_owned();
    let config = body.config;
    let mut config = config.ok_or_else(|| input(file, "has no \"config\" object"))?;
    config.entry("name").or_insert_with(|| json!(name));
    Ok((name, config))
}

fn input(file: &Path, reason: &str) -> Failure {
    Failure::new(Code::InputFile, format!("{}: {reason}", file.display()))
        .at(file.display().to_string())
        .fix("give what POST /connectors takes: {\"name\": ..., \"config\": {...}}")
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_a_block_with_what_mends_it() {
        let found = json!({"key": "database.user", "message": "cdc may not replicate", "details":
            {"user": "cdc", "sql": "ALTER ROLE cdc\nREPLICATION;"}});
        insta::assert_snapshot!(finding(&found), @r"
        database.user: cdc may not replicate
          user: cdc
          sql: ALTER ROLE cdc
            REPLICATION;
        ");
        let bare = json!({"key": "name", "message": "missing"});
        assert_eq!(finding(&bare), "name: missing");
    }

    #[test]
    fn warnings_stand_behind_what_is_wrong_and_alone_are_no_failure() {
        let slot = json!({"key": "slot.name", "severity": "refusal", "message": "it is taken"});
        let odd = json!({"key": "plugin.name", "severity": "warning", "message": "it means pgoutput",
            "details": {"sql": "SELECT 1"}});
        let refused = json!({"findings": [odd, slot]});
        let failure = judge("c.json", refused.clone()).err().unwrap();
        insta::assert_snapshot!(failure.message, @r"
        slot.name: it is taken

        warning: plugin.name: it means pgoutput
          sql: SELECT 1
        ");
        assert_eq!(failure.result, Some(Box::new(refused)));
        let valid = json!({"findings": [odd]});
        let answer = judge("c.json", valid.clone()).unwrap();
        insta::assert_snapshot!(answer.text, @r"
        c.json is valid

        warning: plugin.name: it means pgoutput
          sql: SELECT 1
        ");
        assert_eq!(answer.result, valid);
        let answer = judge("c.json", json!({})).unwrap();
        assert_eq!(answer.text, "c.json is valid");
    }

    #[test]
    fn a_status_shows_whole_traces_and_gaps_below_the_table() {
        let status = json!({
            "connector": {"state": "RUNNING", "worker_id": "w:1"},
            "tasks": [
                {"id": 0, "state": "FAILED", "worker_id": "w:1", "trace": "no number\n  in topic t, partition 0, offset 7\n"},
                {"id": 1, "state": "RUNNING", "worker_id": "w:1", "progress": {"files": [], "gaps": [
                    {"file": "a.log", "from": 5, "to": 9}, {"file": "b.log", "from": 0, "to": null}]}},
                {"id": 2, "state": "RUNNING", "worker_id": "w:1", "progress": {"phase": "snapshot",
                    "snapshot": {"rows": 7, "percent": 12.5, "eta_s": null}, "lag_bytes": 0, "gaps": []}},
            ],
        });
        insta::assert_snapshot!(describe(&status), @r"
        PART       STATE    WORKER
        connector  RUNNING  w:1
        task 0     FAILED   w:1
        task 1     RUNNING  w:1
        task 2     RUNNING  w:1

        task 0:
          no number
            in topic t, partition 0, offset 7

        task 1 could not read:
          file a.log, from 5, to 9
          file b.log, from 0

        task 2:
          phase: snapshot
          snapshot: rows 7, percent 12.5
          lag_bytes: 0
        ");
    }
}
