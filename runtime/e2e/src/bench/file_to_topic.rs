//! How fast lines of a file become durable records.
#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use serde_json::json;
use tokio::time::Instant;

use super::process_cost::Cost;
use crate::worker::Setup;

const LINE_BYTES: usize = 1024;
const LINES: u64 = 1 << 20;
const SYNC_BYTES: usize = 2 << 20;
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Runs it and prints the figures.
///
/// # Errors
/// When the worker or the disk fails.
pub fn run() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let input = folder.path().join("in.log");
    write_input(&input)?;
    let raw = raw_copy(&input, &folder.path().join("raw"))?;
    std::fs::remove_file(folder.path().join("raw"))?;
    let worker = Setup::new(folder.path()).start()?;
    let rest = worker.rest()?;
    let before = Cost::of(worker.id())?;
    let started = Instant::now();
    rest.deploy(&json!({"name": "source", "config": {
        "connector.class": "file-source", "file": "in.log", "topic": "lines",
        "value.converter": "org.apache.kafka.connect.storage.StringConverter"}}))?;
    rest.follow_created("lines")?;
    let last = format!("/topics/lines/records?offset={}&limit=1", LINES - 1);
    while rest.get(&last).map_or(true, |records| records == json!([])) {
        std::thread::sleep(LOOK_EVERY);
    }
    let took = started.elapsed().as_secs_f64();
    let after = Cost::of(worker.id())?;
    worker.stop()?;
    let megabytes = (LINES as f64) * (LINE_BYTES as f64) / 1e6;
    let (rate, raw_rate) = (megabytes / took, megabytes / raw);
    println!(
        "  file to topic   {rate:8.0} MB/s  {:.2} of the raw copy",
        rate / raw_rate
    );
    println!("  raw copy        {raw_rate:8.0} MB/s  with a sync every 2 MiB");
    println!(
        "  worker          {:8.1} CPU seconds, {:.0} MB at its peak",
        after.cpu_s - before.cpu_s,
        after.peak_rss_mb
    );
    Ok(())
}

fn write_input(path: &Path) -> Result<()> {
    let mut file = std::io::BufWriter::with_capacity(1 << 20, File::create(path)?);
    for n in 0..LINES {
        writeln!(file, "{n:0>width$}", width = LINE_BYTES - 1)?;
    }
    file.flush()?;
    Ok(())
}

/// Seconds to read the file and write it again with the same syncs.
fn raw_copy(from: &Path, to: &Path) -> Result<f64> {
    let (mut from, mut to) = (File::open(from)?, File::create(to)?);
    let mut buffer = vec![0; SYNC_BYTES];
    let started = Instant::now();
    loop {
        let n = from.read(&mut buffer)?;
        if n == 0 {
            return Ok(started.elapsed().as_secs_f64());
        }
        to.write_all(&buffer[..n])?;
        to.sync_data()?;
    }
}
