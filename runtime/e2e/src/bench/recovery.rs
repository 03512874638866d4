//! How soon a worker is back when it had much to remember.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use tokio::time::Instant;

use super::figure::{Figure, mb_s};
use super::process_cost::Cost;
use super::{Ground, lines, raw};
use crate::watch;
use crate::worker::{Setup, WorkerProcess};

const SOURCES: usize = 10;
const JOURNAL_BYTES_MIN: u64 = 10_000_000_000;
const FILLS_WITHIN: Duration = Duration::from_secs(900);
const RECOVERY_S_MAX: f64 = 3.0;

pub(super) fn run(ground: &Ground) -> Result<()> {
    let folder = ground.folder();
    lines::write(&folder.join("in.log"))?;
    let setup = Setup::new(folder);
    let (worker, empty_s) = start(&setup)?;
    let rest = worker.rest()?;
    for n in 0..SOURCES {
        rest.deploy(&lines::source(&format!("lines-{n}"), "in.log"))?;
    }
    let journal = folder.join("data/journal");
    watch::until(&journal, FILLS_WITHIN, "10 GB of journal", || {
        Ok(size(&journal)? >= JOURNAL_BYTES_MIN)
    })?;
    worker.kill()?;
    let bytes = size(&journal)?;
    Figure::new("journal", mb_s(bytes, 1.0), "MB").print();
    Figure::new("start without data", empty_s, "s").print();
    let (worker, recovery_s) = start(&setup)?;
    let cost = Cost::of(worker.id())?;
    worker.kill()?;
    Figure::new("start after kill -9", recovery_s, "s")
        .against(empty_s, "a start without data")
        .target("under 3 s", recovery_s < RECOVERY_S_MAX)
        .print();
    print_cost(cost);
    let files = files(&journal)?;
    let read_s = raw::read_cold(files.iter().map(PathBuf::as_path))?;
    Figure::new("raw read of the journal, cold", mb_s(bytes, read_s), "MB/s").print();
    fs::remove_dir_all(folder.join("data/index"))?;
    for file in &files {
        raw::forget_pages(&fs::File::open(file)?)?;
    }
    let (worker, rebuild_s) = start(&setup)?;
    let cost = Cost::of(worker.id())?;
    Figure::new("start without the index, cold", rebuild_s, "s")
        .against(read_s, "the raw read")
        .print();
    print_cost(cost);
    worker.kill()
}

fn start(setup: &Setup) -> Result<(WorkerProcess, f64)> {
    let started = Instant::now();
    let worker = setup.start()?;
    Ok((worker, started.elapsed().as_secs_f64()))
}

fn print_cost(cost: Cost) {
    Figure::new("  CPU time until ready", cost.cpu_s, "s").print();
    Figure::new("  memory at its peak", cost.peak_rss_mb, "MB").print();
}

fn files(journal: &Path) -> Result<Vec<PathBuf>> {
    let files = fs::read_dir(journal)?.map(|entry| Ok(entry?.path()));
    files.collect()
}

fn size(journal: &Path) -> Result<u64> {
    let sizes = files(journal)?
        .into_iter()
        .map(|file| Ok(fs::metadata(file)?.len()));
    sizes.sum()
}
