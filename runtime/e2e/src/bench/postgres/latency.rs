//! From a commit to its record.

use std::process::Stdio;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::super::Ground;
use super::super::figure::Figure;
use super::super::process_cost::Cost;
use super::super::raw::RawFile;
use super::ground::Source;
use crate::worker::Setup;

const CHANGES_PER_S: usize = 2_000;
const SECONDS: usize = 15;
/// The first of them wait for the connector to be compiled.
const WARM_UP: usize = CHANGES_PER_S * 3;
const P50_MS_MAX: f64 = 10.0;
const P99_MS_MAX: f64 = 50.0;

pub(in super::super) fn run(ground: &Ground) -> Result<()> {
    let mut source = Source::start()?;
    // The server decodes what is flushed, and without this it flushes a few times a second.
    source.psql.run(&format!(
        "alter database {} set synchronous_commit = on",
        source.database.name
    ))?;
    source.slot("ours")?;
    let worker = Setup::new(ground.folder()).start()?;
    let rest = worker.rest()?;
    rest.deploy(&source.connector("ours", "no_data"))?;
    source.psql.run("insert into t1 (a) values (0)")?;
    let topic = "ours.public.t1";
    rest.until_created(topic, "ours")?;
    let script = source.database.server.folder().join("insert.sql");
    std::fs::write(
        &script,
        "insert into t1 (a, b) values (1, repeat('x', 60));\n",
    )?;
    let mut pgbench = source.database.server.command("pgbench");
    pgbench.args(["-n", "-c", "4", "-R", &CHANGES_PER_S.to_string()]);
    pgbench
        .args(["-T", &SECONDS.to_string()])
        .arg("-f")
        .arg(&script);
    pgbench
        .arg(&source.database.name)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut pgbench = pgbench.spawn().context("start pgbench")?;
    let began = Cost::of(worker.id())?;
    let mut latencies_ms = Vec::new();
    let mut broken = None;
    rest.follow(topic, |record| {
        match latency_ms(record) {
            Ok(latency_ms) => latencies_ms.push(latency_ms),
            Err(error) => broken = Some(error),
        }
        broken.is_some() || latencies_ms.len() >= CHANGES_PER_S * (SECONDS - 2)
    })?;
    if let Some(error) = broken {
        return Err(error);
    }
    let ended = Cost::of(worker.id())?;
    ensure!(pgbench.wait()?.success(), "pgbench failed");
    let mut raw = RawFile::create(&ground.folder().join("raw"))?;
    let mut syncs_ms = Vec::new();
    for _ in 0..500 {
        raw.write(&[b'x'; 4096])?;
        syncs_ms.push(raw.take_worst().as_secs_f64() * 1e3);
    }
    let n_changes = latencies_ms.len();
    let latencies_ms = latencies_ms.split_off(WARM_UP);
    let (p50, p99) = (percentile(&latencies_ms, 50), percentile(&latencies_ms, 99));
    let sync_ms = percentile(&syncs_ms, 50);
    Figure::new("write and sync of 4 KiB, p50", sync_ms, "ms").print();
    Figure::new("commit to topic, p50", p50, "ms")
        .against(sync_ms, "the sync")
        .target("under 10 ms", p50 < P50_MS_MAX)
        .print();
    Figure::new("commit to topic, p99", p99, "ms")
        .target("under 50 ms", p99 < P99_MS_MAX)
        .print();
    #[expect(clippy::cast_precision_loss, reason = "a cost needs no 53 bits")]
    let cpu_us = (ended.cpu_s - began.cpu_s) * 1e6 / n_changes as f64;
    Figure::new("  CPU time of the worker", cpu_us, "µs/change").print();
    Figure::new("worker's memory at its peak", ended.peak_rss_mb, "MB").print();
    worker.stop()
}

/// From the commit's time to now.
#[expect(
    clippy::disallowed_methods,
    reason = "the server's clock and this one are the machine's"
)]
fn latency_ms(record: &Value) -> Result<f64> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let value: Value = match &record["value"] {
        Value::String(text) => serde_json::from_str(text)?,
        value => value.clone(),
    };
    let committed_us = value["source"]["ts_us"]
        .as_i64()
        .context("an event has a time")?;
    let now_us = i64::try_from(now.as_micros())?;
    #[expect(clippy::cast_precision_loss, reason = "a latency is short")]
    Ok((now_us - committed_us) as f64 / 1e3)
}

fn percentile(sample: &[f64], percent: usize) -> f64 {
    let mut sorted = sample.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).copied().unwrap_or(f64::NAN)
}
