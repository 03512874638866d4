//! The input of the benchmarks: a file of lines, and the sources that read it.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use anyhow::Result;
use serde_json::{Value, json};

use crate::rest::Rest;

pub(super) const LINE_BYTES: usize = 1024;
pub(super) const LINES: u64 = 1 << 20;
/// 1 GiB.
pub(super) const BYTES: u64 = LINES * LINE_BYTES as u64;

/// Where sources keep their positions, one record for each append.
const OFFSETS_TOPIC: &str = "_longshore_offsets";

/// Writes 1 GiB of numbered lines of 1 KiB.
pub(super) fn write(path: &Path) -> Result<()> {
    let mut file = std::io::BufWriter::with_capacity(1 << 20, File::create(path)?);
    for n in 0..LINES {
        writeln!(file, "{n:0>width$}", width = LINE_BYTES - 1)?;
    }
    file.into_inner()?.sync_all()?;
    Ok(())
}

/// A `file-source` of this name, which is also its topic.
pub(super) fn source(name: &str, file: &str) -> Value {
    json!({"name": name, "config": {"connector.class": "file-source", "file": file, "topic": name,
        "value.converter": "org.apache.kafka.connect.storage.StringConverter"}})
}

/// Waits until a source has stored the position behind the last line, which the log does together with the line itself.
pub(super) fn wait_until_stored(rest: &Rest, source: &str) -> Result<()> {
    rest.follow(OFFSETS_TOPIC, |record| {
        let parse = |field: &str| serde_json::from_str(record[field].as_str()?).ok();
        let key: Value = parse("key").unwrap_or_default();
        let value: Value = parse("value").unwrap_or_default();
        key[0] == source && value["position"].as_u64() == Some(BYTES)
    })
}
