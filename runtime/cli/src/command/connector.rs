//! `longshore connector`.

use std::io::Read as _;
use std::path::Path;

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
        ConnectorCommand::Delete(args) => {
            client.delete(&["connectors", &args.name]).await?;
            Ok(Answer::new(Value::Null, format!("deleted {}", args.name)))
        }
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
            let tasks = status["tasks"].as_array().map_or(&[][..], Vec::as_slice);
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
    let row = |what: String, part: &Value| {
        let trace = text(&part["trace"]);
        let first = trace.lines().next().unwrap_or_default().to_owned();
        vec![what, text(&part["state"]), text(&part["worker_id"]), first]
    };
    let connector = row("connector".to_owned(), &status["connector"]);
    let tasks = status["tasks"].as_array().into_iter().flatten();
    let tasks = tasks.map(|task| row(format!("task {}", task["id"]), task));
    let text = table(
        &["PART", "STATE", "WORKER", "TRACE"],
        std::iter::once(connector).chain(tasks),
    );
    Ok(Answer::new(status, text))
}

async fn check(client: &Client, file: &Path) -> Result<Answer> {
    let (_, config) = read_body(file)?;
    let class = config.get("connector.class").and_then(Value::as_str);
    let class = class
        .ok_or_else(|| input(file, "config has no connector.class"))?
        .to_owned();
    let path = ["connector-plugins", &class, "config", "validate"];
    let checked = client.put(&path, Some(&Value::Object(config))).await?;
    let errors: Vec<String> = checked["configs"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|config| {
            let name = text(&config["value"]["name"]);
            let errors = config["value"]["errors"].as_array().into_iter().flatten();
            errors.map(move |error| format!("{name}: {}", text(error)))
        })
        .collect();
    if errors.is_empty() {
        return Ok(Answer::new(checked, format!("{} is valid", file.display())));
    }
    Err(Failure::new(Code::Rejected, errors.join("\n")).at(file.display().to_string()))
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

/// The body of POST /connectors. The name goes into the config as well, as Kafka Connect keeps it.
fn read_body(file: &Path) -> Result<(String, Map<String, Value>)> {
    let text = if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(file)
    };
    let text = text.map_err(|error| input(file, &error.to_string()))?;
    let mut body: Value =
        serde_json::from_str(&text).map_err(|error| input(file, &error.to_string()))?;
    let name = body["name"]
        .as_str()
        .map(str::trim)
        .filter(|name| !name.is_empty());
    let name = name
        .ok_or_else(|| input(file, "has no \"name\""))?
        .to_owned();
    let Value::Object(mut config) = body["config"].take() else {
        return Err(input(file, "has no \"config\" object"));
    };
    config.entry("name").or_insert_with(|| json!(name));
    Ok((name, config))
}

fn input(file: &Path, reason: &str) -> Failure {
    Failure::new(Code::InputFile, format!("{}: {reason}", file.display()))
        .at(file.display().to_string())
        .fix("give what POST /connectors takes: {\"name\": ..., \"config\": {...}}")
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
