//! `longshore topic read`: the records that were there when it began, or with `--follow` all that come.

use serde_json::{Value, json};

use crate::client::Client;
use crate::error::Result;
use crate::events::Events;
use crate::output::{self, Answer};

/// How many records are asked for at a time; the worker answers with no more.
const PAGE_RECORDS: u64 = 10_000;

/// Which records of a topic.
pub(super) struct Selection {
    pub(super) partition: Option<u32>,
    pub(super) offset: Option<String>,
    pub(super) limit: Option<u64>,
}

/// The records of a partition that are still to be read.
struct Span {
    partition: u64,
    next: i64,
    /// Behind the last one that was there; none where the worker could not show it.
    end: Option<i64>,
}

/// Prints partition by partition, page by page. With `--json` it is one answer, which has to fit into memory.
pub(super) async fn read(
    client: &Client,
    name: &str,
    selection: &Selection,
    as_json: bool,
) -> Result<Answer> {
    let mut left = selection.limit.unwrap_or(u64::MAX);
    let mut all = Vec::new();
    for mut span in spans(client, name, selection).await? {
        while left > 0 {
            let page = span.page(client, name, left.min(PAGE_RECORDS)).await?;
            if page.is_empty() {
                break;
            }
            left = left.saturating_sub(page.len() as u64);
            if as_json {
                all.extend(page);
            } else {
                let lines: Vec<String> = page.iter().map(line).collect();
                output::event(lines.join("\n"))?;
            }
        }
    }
    Ok(Answer::new(json!(all), ""))
}

/// Where every partition begins and ends, before anything is printed: a topic that grows has an end all the same, and an
/// offset that one of the partitions does not have is told first.
async fn spans(client: &Client, name: &str, selection: &Selection) -> Result<Vec<Span>> {
    let topic = client.get(&["topics", name], &[]).await?;
    let n_partitions = topic["partitions"].as_u64().unwrap_or(1);
    let partitions = match selection.partition {
        Some(partition) => u64::from(partition)..u64::from(partition) + 1,
        None => 0..n_partitions,
    };
    let from = selection.offset.as_deref().unwrap_or("earliest");
    let mut spans = Vec::new();
    for partition in partitions {
        let one = async |offset: &str| -> Result<Option<i64>> {
            let found = page(client, name, partition, offset, 1).await?;
            Ok(found.last().and_then(offset_of))
        };
        if let Some(next) = one(from).await? {
            // Asked after the first: the end is not before it.
            let last = one("-1").await?;
            spans.push(Span {
                partition,
                next,
                end: last.map(|last| last.saturating_add(1)),
            });
        }
    }
    Ok(spans)
}

impl Span {
    /// The next records; none when all of them were read.
    async fn page(&mut self, client: &Client, name: &str, limit: u64) -> Result<Vec<Value>> {
        let end = self.end.unwrap_or(i64::MAX);
        if self.next >= end {
            return Ok(Vec::new());
        }
        let from = self.next.to_string();
        let mut records = page(client, name, self.partition, &from, limit).await?;
        records.retain(|record| offset_of(record).is_some_and(|offset| offset < end));
        self.next = records
            .last()
            .and_then(offset_of)
            .map_or(end, |last| last.saturating_add(1));
        Ok(records)
    }
}

async fn page(
    client: &Client,
    name: &str,
    partition: u64,
    offset: &str,
    limit: u64,
) -> Result<Vec<Value>> {
    let query = [
        ("partition", partition.to_string()),
        ("offset", offset.to_owned()),
        ("limit", limit.to_string()),
    ];
    let mut records = client.get(&["topics", name, "records"], &query).await?;
    Ok(records
        .as_array_mut()
        .map(std::mem::take)
        .unwrap_or_default())
}

fn offset_of(record: &Value) -> Option<i64> {
    record["offset"].as_i64()
}

/// Prints records as they come. Lines are events: with `--json` each is one record.
pub(super) async fn tail(
    client: &Client,
    name: &str,
    selection: Selection,
    as_json: bool,
) -> Result<Answer> {
    let mut query = vec![("follow", "true".to_owned())];
    let (partition, limit) = (selection.partition, selection.limit);
    query.extend(partition.map(|partition| ("partition", partition.to_string())));
    query.extend(selection.offset.map(|offset| ("offset", offset)));
    query.extend(limit.map(|limit| ("limit", limit.to_string())));
    let mut events = Events::new(client.follow(&["topics", name, "records"], &query).await?);
    let mut left = limit.unwrap_or(u64::MAX);
    while left > 0
        && let Some(record) = events.next().await?
    {
        output::event(if as_json {
            record.to_string()
        } else {
            line(&record)
        })?;
        left -= 1;
    }
    Ok(Answer::new(Value::Null, ""))
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
