//! What arrived, read by kcat.

use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::postgres::Event;

/// Stands between key and value; JSON escapes it.
const BETWEEN: char = '\u{1f}';

/// The topics of a capture.
pub(super) struct Topics {
    broker: String,
    prefix: String,
}

impl Topics {
    pub(super) fn of(broker: &str, prefix: &str) -> Self {
        Self {
            broker: broker.to_owned(),
            prefix: prefix.to_owned(),
        }
    }

    /// All events of a table, in order; none where there is no topic.
    pub(super) fn events(&self, table: &str) -> Result<Vec<Event>> {
        let records = self.read(&format!("{}.{table}", self.prefix), &["-o", "beginning"])?;
        let event = |(key, value): (Value, Value)| Event {
            key,
            value,
            headers: Vec::new(),
        };
        Ok(records.into_iter().map(event).collect())
    }

    /// The LSN of the stored position, where the stream was reached.
    pub(super) fn stored_lsn(&self) -> Result<Option<u64>> {
        // The last one only: the worker goes on writing.
        let records = self.read("_longshore_offsets", &["-o", "-1", "-c", "1"])?;
        let (_, last) = records.into_iter().next_back().unwrap_or_default();
        let offset = if last["offset"].is_object() {
            &last["offset"]
        } else {
            &last
        };
        let in_stream = offset["phase"] == "stream";
        Ok(offset["lsn"].as_u64().filter(|_| in_stream))
    }

    fn read(&self, topic: &str, from: &[&str]) -> Result<Vec<(Value, Value)>> {
        let mut kcat = Command::new("kcat");
        kcat.args(["-b", &self.broker, "-t", topic, "-C", "-e", "-q", "-Z"]);
        kcat.args(from);
        kcat.arg("-f").arg(format!("%k{BETWEEN}%s\\n"));
        let output = kcat.output().context("start kcat")?;
        let text = String::from_utf8(output.stdout)?;
        if !output.status.success() && text.is_empty() {
            let said = String::from_utf8_lossy(&output.stderr);
            if said.contains("Unknown topic") {
                return Ok(Vec::new());
            }
            bail!("kcat: {said}");
        }
        text.lines()
            .map(|line| record(line).with_context(|| line.to_owned()))
            .collect()
    }
}

fn record(line: &str) -> Result<(Value, Value)> {
    let (key, value) = line.split_once(BETWEEN).context("a key and a value")?;
    let json = |text: &str| match text {
        "" | "NULL" => Ok(Value::Null),
        text => serde_json::from_str(text),
    };
    Ok((json(key)?, json(value)?))
}
