//! How long REST takes while guests are busy.
#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use std::time::Duration;

use anyhow::Result;
use serde_json::json;
use tokio::time::Instant;

use crate::rest::Rest;
use crate::worker::Setup;

const SOURCES: u32 = 10;
const CALLS: usize = 500;

/// Runs it and prints the figures.
///
/// # Errors
/// When the worker fails.
pub fn run() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let line = "~".repeat(1023);
    let text = format!("{line}\n").repeat(256 << 10);
    for n in 0..SOURCES {
        std::fs::write(folder.path().join(format!("{n}.log")), &text)?;
    }
    let worker = Setup::new(folder.path()).start()?;
    let rest = worker.rest()?;
    let idle = p99(&rest)?;
    for n in 0..SOURCES {
        let config = json!({"connector.class": "file-source", "file": format!("{n}.log"), "topic": format!("t{n}"),
            "value.converter": "org.apache.kafka.connect.storage.StringConverter"});
        rest.deploy(&json!({"name": format!("source-{n}"), "config": config}))?;
    }
    for n in 0..SOURCES {
        rest.follow_created(&format!("t{n}"))?;
    }
    let busy = p99(&rest)?;
    let last = format!("/topics/t0/records?offset={}&limit=1", (256 << 10) - 1);
    let still_busy = rest.get(&last).map_or(true, |records| records == json!([]));
    println!("  p99 idle        {:8.1} ms", idle.as_secs_f64() * 1e3);
    println!(
        "  p99 ten sources {:8.1} ms{}",
        busy.as_secs_f64() * 1e3,
        if still_busy {
            ""
        } else {
            ", of which some had ended"
        }
    );
    worker.stop()
}

fn p99(rest: &Rest) -> Result<Duration> {
    let mut times = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        let started = Instant::now();
        rest.get("/connectors")?;
        times.push(started.elapsed());
    }
    times.sort_unstable();
    Ok(times[CALLS * 99 / 100])
}
