//! What a worker costs before it does anything.

use std::process::Command;

use anyhow::Result;
use tokio::time::Instant;

use super::Ground;
use super::figure::Figure;
use super::process_cost::{Cost, run_to_end};
use crate::program;
use crate::worker::Setup;

const READY_S_MAX: f64 = 0.5;
const IDLE_MB_MAX: f64 = 60.0;

pub(super) fn run(ground: &Ground) -> Result<()> {
    let mut version = Command::new(program::longshore()?);
    let version_s = run_to_end(version.arg("--version"))?;
    Figure::new("longshore --version", version_s * 1e3, "ms").print();
    let setup = Setup::new(ground.folder());
    for start in ["first start to ready", "second start to ready"] {
        let started = Instant::now();
        let worker = setup.start()?;
        let ready_s = started.elapsed().as_secs_f64();
        let cost = Cost::of(worker.id())?;
        worker.stop()?;
        Figure::new(start, ready_s * 1e3, "ms")
            .against(version_s * 1e3, "saying the version")
            .target("under 500 ms", ready_s < READY_S_MAX)
            .print();
        Figure::new("  CPU time", cost.cpu_s, "s").print();
        Figure::new("  memory, idle", cost.rss_mb, "MB")
            .target("under 60 MB", cost.rss_mb < IDLE_MB_MAX)
            .print();
        Figure::new("  memory, at its peak", cost.peak_rss_mb, "MB").print();
    }
    Ok(())
}
