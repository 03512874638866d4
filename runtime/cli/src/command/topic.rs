//! `longshore topic`.

mod lines;
mod read;
mod write;

use serde_json::{Map, Value, json};

use crate::args::TopicCommand;
use crate::client::Client;
use crate::error::{Code, Failure, Result};
use crate::output::{Answer, table};
use read::Selection;
use write::RecordParts;

pub(crate) async fn run(client: &Client, command: TopicCommand, as_json: bool) -> Result<Answer> {
    match command {
        TopicCommand::List => list(client).await,
        TopicCommand::Create {
            name,
            partitions,
            config,
        } => create(client, &name, partitions, &config).await,
        TopicCommand::Delete(args) => {
            client.delete(&["topics", &args.name], &[]).await?;
            Ok(Answer::new(Value::Null, format!("deleted {}", args.name)))
        }
        TopicCommand::Read {
            name,
            partition,
            offset,
            limit,
            follow,
        } => {
            let selection = Selection {
                partition,
                offset,
                limit,
            };
            if follow {
                read::tail(client, &name, selection, as_json).await
            } else {
                read::read(client, &name, &selection, as_json).await
            }
        }
        TopicCommand::Write {
            name,
            values,
            key,
            partition,
        } => write::write(client, &name, values, &RecordParts { key, partition }).await,
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

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
