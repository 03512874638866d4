//! How fast lines of a file become durable records.

use anyhow::Result;
use tokio::time::Instant;

use super::figure::{Figure, mb_s};
use super::process_cost::Cost;
use super::{Ground, lines, raw};
use crate::worker::Setup;

/// Either of these is enough.
const MB_S_MIN: f64 = 200.0;
const RAW_RATIO_MIN: f64 = 0.8;
const PEAK_MB_MAX: f64 = 100.0;
const ROUNDS: usize = 3;

pub(super) fn run(ground: &Ground) -> Result<()> {
    let folder = ground.folder();
    let input = folder.join("in.log");
    lines::write(&input)?;
    let worker = Setup::new(folder).start()?;
    let rest = worker.rest()?;
    let mut peak_mb = 0_f64;
    for round in 0..ROUNDS {
        let raw_before = Cost::of_this_process()?;
        let raw_s = raw::copy(&input, &folder.join("raw"))?;
        let raw_cpu_s = Cost::of_this_process()?.cpu_s - raw_before.cpu_s;
        std::fs::remove_file(folder.join("raw"))?;
        ground.fill_memory()?;
        let before = Cost::of(worker.id())?;
        let started = Instant::now();
        let name = format!("lines-{round}");
        rest.deploy(&lines::source(&name, "in.log"))?;
        lines::wait_until_stored(&rest, &name)?;
        let took_s = started.elapsed().as_secs_f64();
        let after = Cost::of(worker.id())?;
        peak_mb = peak_mb.max(after.peak_rss_mb);
        let (rate, raw_rate) = (mb_s(lines::BYTES, took_s), mb_s(lines::BYTES, raw_s));
        Figure::new("raw copy", raw_rate, "MB/s").print();
        let label = if round == 0 {
            "file to topic, component compiled"
        } else {
            "file to topic"
        };
        let is_met = rate >= MB_S_MIN.min(RAW_RATIO_MIN * raw_rate);
        Figure::new(label, rate, "MB/s")
            .against(raw_rate, "the raw copy")
            .target("200 MB/s or 0.80", is_met)
            .print();
        Figure::new("  CPU time", after.cpu_s - before.cpu_s, "s")
            .against(raw_cpu_s, "the raw copy's")
            .print();
    }
    Figure::new("worker's memory at its peak", peak_mb, "MB")
        .target("under 100 MB", peak_mb < PEAK_MB_MAX)
        .print();
    worker.stop()
}
