//! What arrived, read by kcat.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::postgres::Event;

/// Stands between key and value; JSON escapes it.
const BETWEEN: char = '\u{1f}';

/// What of a stored position the slot is compared with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stored {
    /// Whether the snapshot is over.
    pub(super) in_stream: bool,
    /// The end of the last transaction that is stored whole; the slot's consistent point until then.
    pub(super) lsn: u64,
}

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
        let mut events = Vec::new();
        self.each(table, |event| {
            events.push(event);
            Ok(())
        })?;
        Ok(events)
    }

    /// Shows all events of a table, in order, one by one.
    pub(super) fn each(
        &self,
        table: &str,
        mut show: impl FnMut(Event) -> Result<()>,
    ) -> Result<()> {
        let topic = format!("{}.{table}", self.prefix);
        self.read(&topic, &["-o", "beginning"], |key, value| {
            show(Event {
                key,
                value,
                headers: Vec::new(),
            })
        })
    }

    /// The stored position, where the slot was reached.
    pub(super) fn stored(&self) -> Result<Option<Stored>> {
        // The last one only: the worker goes on writing.
        let mut last = Value::Null;
        self.read(
            "_longshore_offsets",
            &["-o", "-1", "-c", "1"],
            |_, value| {
                last = value;
                Ok(())
            },
        )?;
        let offset = if last["offset"].is_object() {
            &last["offset"]
        } else {
            &last
        };
        let in_stream = match offset["phase"].as_str() {
            Some("stream") => true,
            Some("snapshot") => false,
            // That a slot is about to be made says nothing of one.
            _ => return Ok(None),
        };
        let lsn = offset["lsn"].as_u64().context("a position has an LSN")?;
        Ok(Some(Stored { in_stream, lsn }))
    }

    fn read(
        &self,
        topic: &str,
        from: &[&str],
        mut show: impl FnMut(Value, Value) -> Result<()>,
    ) -> Result<()> {
        let mut kcat = Command::new("kcat");
        kcat.args(["-b", &self.broker, "-t", topic, "-C", "-e", "-q", "-Z"]);
        kcat.args(from);
        kcat.arg("-f").arg(format!("%k{BETWEEN}%s\\n"));
        kcat.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = kcat.spawn().context("start kcat")?;
        let stdout = child.stdout.take().context("stdout is piped")?;
        let mut n_records = 0;
        for line in BufReader::new(stdout).lines() {
            let line = line?;
            let (key, value) = record(&line).with_context(|| line.clone())?;
            show(key, value)?;
            n_records += 1;
        }
        let output = child.wait_with_output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        let is_there = output.status.success() || n_records > 0;
        ensure!(is_there || said.contains("Unknown topic"), "kcat: {said}");
        Ok(())
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
