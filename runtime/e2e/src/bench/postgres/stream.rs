//! A million rows that wait in a slot.

use anyhow::{Context as _, Result, ensure};
use tokio::time::Instant;

use super::super::Ground;
use super::super::figure::Figure;
use super::super::process_cost::{Cost, threads_cpu_s};
use super::ground::{ROWS, Source, capture};
use crate::bench::GUEST_THREADS;
use crate::worker::Setup;

const RATIO_MIN: f64 = 0.8;
const CPU_US_MAX: f64 = 3.0;
const PEAK_MB_MAX: f64 = 100.0;
const PEAK_LARGE_MB_MAX: f64 = 150.0;
const ROUNDS: usize = 3;

/// In transactions of a hundred.
pub(in super::super) fn run(ground: &Ground) -> Result<()> {
    drain(ground, 100, PEAK_MB_MAX)
}

/// In one transaction.
pub(in super::super) fn run_large(ground: &Ground) -> Result<()> {
    drain(ground, ROWS, PEAK_LARGE_MB_MAX)
}

fn drain(ground: &Ground, rows_per_transaction: u64, peak_mb_max: f64) -> Result<()> {
    let mut source = Source::start()?;
    for round in 0..ROUNDS {
        source.slot(&format!("theirs_{round}"))?;
        source.slot(&format!("ours_{round}"))?;
    }
    source.fill(ROWS, rows_per_transaction)?;
    let worker = Setup::new(ground.folder()).start()?;
    let rest = worker.rest()?;
    let mut peak_mb = 0_f64;
    for round in 0..ROUNDS {
        let (theirs_s, theirs_cpu_s) = receive(&mut source, &format!("theirs_{round}"))?;
        ground.fill_memory()?;
        let before = Cost::of(worker.id())?;
        let guests_before = threads_cpu_s(worker.id(), GUEST_THREADS)?;
        let ours_s = capture(
            &rest,
            &source.connector(&format!("ours_{round}"), "no_data"),
        )?;
        let after = Cost::of(worker.id())?;
        let guests_s = threads_cpu_s(worker.id(), GUEST_THREADS)? - guests_before;
        peak_mb = peak_mb.max(after.peak_rss_mb);
        let (theirs, ours) = (per_second(theirs_s), per_second(ours_s));
        let cpu_us = per_row_us(after.cpu_s - before.cpu_s);
        Figure::new("pg_recvlogical to a file", theirs, "rows/s").print();
        let label = if round == 0 {
            "stream drained, component compiled"
        } else {
            "stream drained"
        };
        let counts = round > 0;
        let figure = Figure::new(label, ours, "rows/s").against(theirs, "pg_recvlogical");
        let is_met = ours >= RATIO_MIN * theirs;
        if counts {
            figure.target("0.80", is_met)
        } else {
            figure
        }
        .print();
        let figure = Figure::new("  CPU time of the worker", cpu_us, "µs/row")
            .against(per_row_us(theirs_cpu_s), "pg_recvlogical's");
        let is_met = cpu_us <= CPU_US_MAX;
        if counts {
            figure.target("3 µs", is_met)
        } else {
            figure
        }
        .print();
        Figure::new(
            "    of it the guest's threads",
            per_row_us(guests_s),
            "µs/row",
        )
        .print();
    }
    Figure::new("worker's memory at its peak", peak_mb, "MB")
        .target(format!("under {peak_mb_max:.0} MB"), peak_mb < peak_mb_max)
        .print();
    worker.stop()
}

/// Seconds, and CPU seconds, that `pg_recvlogical` takes to write everything into a file, where the server's own user may.
fn receive(source: &mut Source, slot: &str) -> Result<(f64, f64)> {
    let file = source.database.server.folder().join("received");
    let end = source.psql.value("select pg_current_wal_lsn()")?;
    let mut command = source.database.server.command("pg_recvlogical");
    command.args(["--dbname", &source.database.name, "--slot", slot, "--start"]);
    command.args(["--no-loop", "--fsync-interval", "0", "--endpos", &end]);
    command.args(["-o", "proto_version=1", "-o", "publication_names=bench"]);
    command.arg("--file").arg(&file);
    let children = Cost::of_children()?;
    let started = Instant::now();
    let output = command.output().context("start pg_recvlogical")?;
    let took_s = started.elapsed().as_secs_f64();
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "pg_recvlogical: {said}");
    std::fs::remove_file(file)?;
    Ok((took_s, Cost::of_children()? - children))
}

#[expect(clippy::cast_precision_loss, reason = "a rate needs no 53 bits")]
fn per_second(seconds: f64) -> f64 {
    ROWS as f64 / seconds
}

#[expect(clippy::cast_precision_loss, reason = "a cost needs no 53 bits")]
fn per_row_us(seconds: f64) -> f64 {
    seconds * 1e6 / ROWS as f64
}
