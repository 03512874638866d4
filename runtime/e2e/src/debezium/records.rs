//! What a broker holds, read by kcat.

use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// A record, with its JSON parsed.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) key: Value,
    pub(super) value: Value,
    pub(super) headers: Vec<(String, String)>,
}

impl Record {
    /// `c`, `u`, `d`, `r`, `t`, or nothing for a tombstone.
    pub(super) fn op(&self) -> &str {
        self.value["payload"]["op"].as_str().unwrap_or_default()
    }

    /// The row's key, or the row itself where it has none.
    pub(super) fn identity(&self) -> String {
        if self.key.is_null() {
            self.value["payload"]["after"].to_string()
        } else {
            self.key["payload"].to_string()
        }
    }
}

/// A record that ours refused to write, and says so.
#[derive(Clone, Debug)]
pub(super) struct DeadLetter {
    /// With its schema.
    pub(super) table: String,
    /// Why, as a stable code.
    pub(super) code: String,
    /// Where it stands in the log.
    pub(super) lsn: u64,
}

/// All dead letters of a connector.
pub(super) fn dead_letters(broker: &str, topic: &str) -> Result<Vec<DeadLetter>> {
    if topics(broker, topic)?.is_empty() {
        return Ok(Vec::new());
    }
    let parse = |record: &Record| {
        let header = |name: &str| {
            let mut headers = record.headers.iter();
            let name = format!("__connect.errors.{name}");
            let found = headers.find(|(header, _)| *header == name);
            found
                .map(|(_, value)| value.clone())
                .with_context(|| format!("a letter without {name}"))
        };
        let lsn = header("detail.lsn")?;
        let (high, low) = lsn.split_once('/').context("an LSN has two halves")?;
        Ok(DeadLetter {
            table: header("detail.table")?,
            code: header("exception.class.name")?,
            lsn: (u64::from_str_radix(high, 16)? << 32) + u64::from_str_radix(low, 16)?,
        })
    };
    read(broker, topic)?.iter().map(parse).collect()
}

/// Topics whose names begin like this.
pub(super) fn topics(broker: &str, prefix: &str) -> Result<Vec<String>> {
    let metadata: Value = serde_json::from_str(&kcat(broker, &["-L", "-J"])?)?;
    let topics = metadata["topics"].as_array().context("a list of topics")?;
    let names = topics.iter().filter_map(|topic| topic["topic"].as_str());
    let mut names: Vec<String> = names
        .filter(|name| name.starts_with(prefix))
        .map(ToOwned::to_owned)
        .collect();
    names.sort();
    Ok(names)
}

/// All records of a topic, in order.
pub(super) fn read(broker: &str, topic: &str) -> Result<Vec<Record>> {
    let arguments = ["-C", "-q", "-J", "-e", "-o", "beginning", "-t", topic];
    let text = kcat(broker, &arguments)?;
    let parse = |line| parse(line).with_context(|| format!("{topic}: {line}"));
    text.lines().map(parse).collect()
}

fn parse(line: &str) -> Result<Record> {
    let record: Value = serde_json::from_str(line)?;
    let json = |field: &str| match record[field].as_str() {
        Some(text) => serde_json::from_str(text),
        None => Ok(Value::Null),
    };
    let headers = record["headers"].as_array().map_or(&[][..], Vec::as_slice);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let headers = headers.chunks_exact(2);
    Ok(Record {
        key: json("key")?,
        value: json("payload")?,
        headers: headers
            .map(|pair| (text(&pair[0]), text(&pair[1])))
            .collect(),
    })
}

fn kcat(broker: &str, arguments: &[&str]) -> Result<String> {
    let mut kcat = Command::new("kcat");
    let output = kcat.args(["-b", broker]).args(arguments).output();
    let output = output.context("start kcat")?;
    if !output.status.success() {
        bail!("kcat: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?)
}
