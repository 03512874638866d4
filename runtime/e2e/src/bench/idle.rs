//! What a worker costs before it does anything.
#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use anyhow::Result;
use tokio::time::Instant;

use super::process_cost::Cost;
use crate::worker::Setup;

/// Runs it and prints the figures.
///
/// # Errors
/// When the worker does not start.
pub fn run() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let setup = Setup::new(folder.path());
    for start in ["first", "second"] {
        let started = Instant::now();
        let worker = setup.start()?;
        let took = started.elapsed();
        let cost = Cost::of(worker.id())?;
        println!(
            "  {start:<7} start to ready {:6.0} ms, {:.0} MB",
            took.as_secs_f64() * 1e3,
            cost.rss_mb
        );
        worker.stop()?;
    }
    Ok(())
}
