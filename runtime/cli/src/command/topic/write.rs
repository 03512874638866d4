//! `longshore topic write`: values of the command line, or lines of stdin, in batches.

use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::lines::Lines;
use crate::client::Client;
use crate::error::{Code, Failure, Result};
use crate::output::Answer;

/// Most records of one request.
const BATCH_RECORDS_MAX: usize = 500;

/// Most bytes of one request, unless a single record has more; a worker takes four times as many.
const BATCH_BYTES_MAX: usize = 1 << 20;

/// What all the records have in common.
pub(super) struct RecordParts {
    pub(super) key: Option<String>,
    pub(super) partition: Option<u32>,
}

impl RecordParts {
    fn record(&self, value: &[u8]) -> Value {
        let value = match std::str::from_utf8(value) {
            Ok(text) => json!(text),
            Err(_) => json!({ "base64": STANDARD.encode(value) }),
        };
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

pub(super) async fn write(
    client: &Client,
    name: &str,
    values: Vec<String>,
    parts: &RecordParts,
) -> Result<Answer> {
    let from_stdin = values.is_empty();
    let mut writer = Writer {
        client,
        topic: name,
        what: if from_stdin { "line" } else { "value" },
        batch: Vec::new(),
        batch_bytes: 0,
        n_written: 0,
    };
    if from_stdin {
        write_lines(&mut writer, parts).await?;
    } else {
        for value in values {
            writer.add(parts.record(value.as_bytes())).await?;
        }
    }
    writer.send().await?;
    let n_written = writer.n_written;
    Ok(Answer::new(
        json!({ "written": n_written }),
        format!("{n_written} records written"),
    ))
}

/// What was read goes out as soon as there is nothing more to be read.
async fn write_lines(writer: &mut Writer<'_>, parts: &RecordParts) -> Result<()> {
    // The standard library's own handle keeps bytes back that nobody can see.
    let stdin = io::stdin().as_fd().try_clone_to_owned();
    let mut lines = Lines::new(File::from(stdin.map_err(|error| writer.unread(&error))?));
    loop {
        let is_next_here = lines.is_next_here();
        // Before a failure is told as well: what was read is written.
        if !matches!(is_next_here, Ok(true)) {
            writer.send().await?;
        }
        is_next_here.map_err(|error| writer.unread(&error))?;
        let line = lines.next().map_err(|error| writer.unread(&error))?;
        let Some(line) = line else {
            return Ok(());
        };
        writer.add(parts.record(&line)).await?;
    }
}

/// Gathers records, sends them and counts.
struct Writer<'a> {
    client: &'a Client,
    topic: &'a str,
    /// What a record is made of.
    what: &'static str,
    batch: Vec<Value>,
    batch_bytes: usize,
    n_written: usize,
}

impl Writer<'_> {
    async fn add(&mut self, record: Value) -> Result<()> {
        let n_bytes = record.to_string().len();
        let is_full = self.batch.len() == BATCH_RECORDS_MAX
            || self.batch_bytes.saturating_add(n_bytes) > BATCH_BYTES_MAX;
        if is_full {
            self.send().await?;
        }
        self.batch.push(record);
        self.batch_bytes = self.batch_bytes.saturating_add(n_bytes);
        Ok(())
    }

    async fn send(&mut self) -> Result<()> {
        let records = std::mem::take(&mut self.batch);
        self.batch_bytes = 0;
        let n_records = records.len();
        if n_records == 0 {
            return Ok(());
        }
        let body = json!({ "records": records });
        let path = ["topics", self.topic, "records"];
        let sent = self.client.post(&path, &[], Some(&body)).await;
        sent.map_err(|failure| self.unsent(failure, n_records))?;
        self.n_written += n_records;
        Ok(())
    }

    fn unsent(&self, failure: Failure, n_records: usize) -> Failure {
        let (what, n_written) = (self.what, self.n_written);
        let (first, last) = (n_written + 1, n_written + n_records);
        let place = if first == last {
            format!("at {what} {first}")
        } else {
            format!("at {what}s {first} to {last}")
        };
        let message = format!("{failure} ({place}; {n_written} records before were written)");
        Failure { message, ..failure }
    }

    fn unread(&self, error: &io::Error) -> Failure {
        let (line, n_written) = (self.n_written + self.batch.len() + 1, self.n_written);
        let message = format!("stdin: {error} (at line {line}; {n_written} records were written)");
        Failure::new(Code::InputFile, message)
    }
}
