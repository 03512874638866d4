//! How long REST takes while guests compute without end.

use anyhow::{Result, ensure};
use serde_json::json;
use tokio::time::Instant;

use super::Ground;
use super::figure::Figure;
use super::process_cost::{Cost, threads_cpu_s};
use crate::program;
use crate::rest::Rest;
use crate::worker::Setup;

const GUESTS: u32 = 10;
const CALLS: usize = 1_000;
const P99_MS_MAX: f64 = 20.0;
/// Guests that get less of their cores than this were not hot.
const HOT: f64 = 0.5;

pub(super) fn run(ground: &Ground) -> Result<()> {
    let plugins = program::target_dir()?.join("wasm32-wasip2/guest/examples");
    let setup = Setup::new(ground.folder()).set(&format!("plugin.path={}", plugins.display()));
    let worker = setup.start()?;
    let rest = worker.rest()?;
    let idle_ms = p99_ms(&rest)?;
    for n in 0..GUESTS {
        let config = json!({"connector.class": "spins"});
        rest.deploy(&json!({"name": format!("spins-{n}"), "config": config}))?;
    }
    for n in 0..GUESTS {
        rest.wait_for_status(&format!("spins-{n}"), is_running)?;
    }
    let (started, guests_before) = (Instant::now(), guests_cpu_s(worker.id())?);
    let busy_ms = p99_ms(&rest)?;
    let took_s = started.elapsed().as_secs_f64();
    let guests_cores = (guests_cpu_s(worker.id())? - guests_before) / took_s;
    for n in 0..GUESTS {
        let status = rest.get(&format!("/connectors/spins-{n}/status"))?;
        ensure!(
            is_running(&status),
            "a guest was stopped while REST was asked: {status}"
        );
    }
    ensure!(
        guests_cores > HOT,
        "the guests computed on {guests_cores:.2} cores only"
    );
    Figure::new("p99 of REST, idle", idle_ms, "ms").print();
    Figure::new("p99 of REST, ten hot guests", busy_ms, "ms")
        .against(idle_ms, "idle")
        .target("under 20 ms", busy_ms < P99_MS_MAX)
        .print();
    Figure::new("  cores that the guests had", guests_cores, "cores").print();
    let cost = Cost::of(worker.id())?;
    Figure::new("  CPU time of the worker", cost.cpu_s, "s").print();
    Figure::new("  memory at its peak", cost.peak_rss_mb, "MB").print();
    worker.kill()
}

fn guests_cpu_s(worker: u32) -> Result<f64> {
    threads_cpu_s(worker, super::GUEST_THREADS)
}

fn is_running(status: &serde_json::Value) -> bool {
    status["tasks"][0]["state"] == "RUNNING"
}

fn p99_ms(rest: &Rest) -> Result<f64> {
    let mut times = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        let started = Instant::now();
        rest.get("/connectors")?;
        times.push(started.elapsed());
    }
    times.sort_unstable();
    Ok(times[CALLS * 99 / 100].as_secs_f64() * 1e3)
}
