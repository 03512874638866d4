//! `longshore topic`.

use std::io::BufRead as _;

use serde_json::{Map, Value, json};

use crate::args::TopicCommand;
use crate::client::Client;
use crate::error::{Code, Failure, Result};
use crate::events::Events;
use crate::output::{self, Answer, table};

/// How many lines of stdin go into one request.
const WRITE_RECORDS_MAX: usize = 500;

pub(crate) async fn run(client: &Client, command: TopicCommand, as_json: bool) -> Result<Answer> {
    match command {
        TopicCommand::List => list(client).await,
        TopicCommand::Create {
            name,
            partitions,
            config,
        } => create(client, &name, partitions, &config).await,
        TopicCommand::Delete(args) => {
            client.delete(&["topics", &args.name]).await?;
            Ok(Answer::new(Value::Null, format!("deleted {}", args.name)))
        }
        TopicCommand::Read {
            name,
            partition,
            offset,
            limit,
            follow,
        } => {
            let mut query = Vec::new();
            query.extend(partition.map(|partition| ("partition", partition.to_string())));
            query.extend(offset.map(|offset| ("offset", offset)));
            query.extend(limit.map(|limit| ("limit", limit.to_string())));
            if follow {
                return tail(client, &name, query, limit, as_json).await;
            }
            let records = client.get(&["topics", &name, "records"], &query).await?;
            let lines: Vec<String> = items(&records).iter().map(line).collect();
            Ok(Answer::new(records, lines.join("\n")))
        }
        TopicCommand::Write {
            name,
            values,
            key,
            partition,
        } => write(client, &name, values, &RecordParts { key, partition }).await,
    }
}

async fn list(client: &Client) -> Result<Answer> {
    let topics = client.get(&["topics"], &[]).await?;
    let rows = items(&topics).iter().map(|topic| {
        let name = topic["name"].as_str().unwrap_or_default();
        vec![name.to_owned(), topic["partitions"].to_string()]
    });
    let text = table(&["NAME", "PARTITIONS"], rows);
    Ok(Answer::new(topics, text))
}

async fn create(
    client: &Client,
    name: &str,
    partitions: Option<u32>,
    config: &[String],
) -> Result<Answer> {
    let mut configs = Map::new();
    for option in config {
        let Some((key, value)) = option.split_once('=') else {
            return Err(
                Failure::new(Code::InputFile, format!("--config {option}: not KEY=VALUE"))
                    .at(option),
            );
        };
        configs.insert(key.to_owned(), json!(value));
    }
    let mut body = json!({ "name": name, "config": configs });
    if let Some(partitions) = partitions {
        body["partitions"] = json!(partitions);
    }
    let created = client.post(&["topics"], &[], Some(&body)).await?;
    Ok(Answer::new(created, format!("created {name}")))
}

/// Prints records as they come. Lines are events: with `--json` each is one record.
async fn tail(
    client: &Client,
    name: &str,
    mut query: Vec<(&str, String)>,
    limit: Option<u64>,
    as_json: bool,
) -> Result<Answer> {
    query.push(("follow", "true".to_owned()));
    let mut events = Events::new(client.follow(&["topics", name, "records"], &query).await?);
    let mut left = limit.unwrap_or(u64::MAX);
    while left > 0
        && let Some(record) = events.next().await?
    {
        output::event(if as_json {
            record.to_string()
        } else {
            line(&record)
        });
        left -= 1;
    }
    Ok(Answer::new(Value::Null, ""))
}

struct RecordParts {
    key: Option<String>,
    partition: Option<u32>,
}

impl RecordParts {
    fn record(&self, value: &str) -> Value {
        let mut record = json!({ "value": value });
        if let Some(key) = &self.key {
            record["key"] = json!(key);
        }
        if let Some(partition) = self.partition {
            record["partition"] = json!(partition);
        }
        record
    }
}

async fn write(
    client: &Client,
    name: &str,
    values: Vec<String>,
    parts: &RecordParts,
) -> Result<Answer> {
    let mut lines: Box<dyn Iterator<Item = std::io::Result<String>> + Send> = if values.is_empty() {
        Box::new(std::io::BufReader::new(std::io::stdin()).lines())
    } else {
        Box::new(values.into_iter().map(Ok))
    };
    let mut n_written = 0;
    loop {
        let values = lines
            .by_ref()
            .take(WRITE_RECORDS_MAX)
            .collect::<std::io::Result<Vec<_>>>();
        let values =
            values.map_err(|error| Failure::new(Code::InputFile, format!("stdin: {error}")))?;
        if values.is_empty() {
            return Ok(Answer::new(
                json!({ "written": n_written }),
                format!("{n_written} records written"),
            ));
        }
        let records: Vec<Value> = values.iter().map(|value| parts.record(value)).collect();
        client
            .post(
                &["topics", name, "records"],
                &[],
                Some(&json!({ "records": records })),
            )
            .await?;
        n_written += values.len();
    }
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// `partition:offset`, key and value, between tabs.
fn line(record: &Value) -> String {
    let shown = |part: &Value| match part {
        Value::String(text) => text.clone(),
        Value::Null => "null".to_owned(),
        other => other.to_string(),
    };
    format!(
        "{}:{}\t{}\t{}",
        record["partition"],
        record["offset"],
        shown(&record["key"]),
        shown(&record["value"])
    )
}
