//! A snapshot of a million rows.

use std::process::Stdio;

use anyhow::{Result, ensure};
use tokio::time::Instant;

use super::super::Ground;
use super::super::figure::Figure;
use super::super::process_cost::Cost;
use super::super::raw::{RawFile, SYNC_BYTES};
use super::ground::{ROWS, Source, bytes_in, capture};
use crate::worker::Setup;

const COPY_RATIO_MIN: f64 = 0.25;
const RAW_RATIO_MIN: f64 = 0.8;
const ROUNDS: usize = 3;

pub(in super::super) fn run(ground: &Ground) -> Result<()> {
    let mut source = Source::start()?;
    source.fill(ROWS, ROWS)?;
    source.psql.run("vacuum analyze t1")?;
    let folder = ground.folder();
    let worker = Setup::new(folder).start()?;
    let rest = worker.rest()?;
    for round in 0..ROUNDS {
        let copy = per_second(copy_out(&source)?);
        ground.fill_memory()?;
        let (before, bytes_before) = (Cost::of(worker.id())?, bytes_in(&folder.join("data"))?);
        let slot = format!("ours_{round}");
        let ours = per_second(capture(&rest, &source.connector(&slot, "initial_only"))?);
        let cpu_s = Cost::of(worker.id())?.cpu_s - before.cpu_s;
        let bytes = bytes_in(&folder.join("data"))? - bytes_before;
        let raw = per_second(write_raw(folder, bytes)?);
        Figure::new("COPY to /dev/null", copy, "rows/s").print();
        Figure::new("raw synced write of the same bytes", raw, "rows/s").print();
        let label = if round == 0 {
            "snapshot, component compiled"
        } else {
            "snapshot"
        };
        let figure = Figure::new(label, ours, "rows/s").against(copy, "COPY");
        let is_met = ours >= (COPY_RATIO_MIN * copy).min(RAW_RATIO_MIN * raw);
        let target = format!("0.25, or 0.80 of the raw write ({:.2})", ours / raw);
        if round > 0 {
            figure.target(target, is_met)
        } else {
            figure
        }
        .print();
        // Seconds for a million rows are microseconds for one.
        Figure::new("  CPU time of the worker", cpu_s, "µs/row").print();
    }
    let peak_mb = Cost::of(worker.id())?.peak_rss_mb;
    Figure::new("worker's memory at its peak", peak_mb, "MB").print();
    worker.stop()
}

/// Seconds that the server takes to copy the table out.
fn copy_out(source: &Source) -> Result<f64> {
    let mut psql = source.database.server.psql(&source.database.name);
    psql.args(["--quiet", "--command", "copy t1 to stdout"]);
    let started = Instant::now();
    let status = psql.stdout(Stdio::null()).status()?;
    ensure!(status.success(), "psql ended with {status}");
    Ok(started.elapsed().as_secs_f64())
}

/// Seconds to write so many bytes with a sync every 2 MiB.
fn write_raw(folder: &std::path::Path, bytes: u64) -> Result<f64> {
    let mut raw = RawFile::create(&folder.join("raw"))?;
    let block = vec![b'x'; SYNC_BYTES];
    while raw.written < bytes {
        raw.write(&block)?;
    }
    std::fs::remove_file(&raw.path)?;
    Ok(raw.write_time.as_secs_f64())
}

#[expect(clippy::cast_precision_loss, reason = "a rate needs no 53 bits")]
fn per_second(seconds: f64) -> f64 {
    ROWS as f64 / seconds
}
