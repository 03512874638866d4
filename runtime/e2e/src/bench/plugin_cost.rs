//! What the plugin boundary costs: `file-source` as a WASM component, beside the same code compiled natively.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use file_source::FileSource;
use longshore_cap_files::{Access, FilesClient, FilesGrant, Work};
use longshore_disk::RealDisk;
use longshore_model::{ConnectorName, Fault, TaskId};
use longshore_pipeline::port::{Generation, SourcePlugin as _, TaskEnv};
use longshore_pipeline::schemas::SchemaTable;
use longshore_pipeline::telemetry::PluginMetrics;
use rustix::time::{ClockId, clock_gettime};
use tokio::sync::watch;

use super::figure::Figure;
use super::process_cost::{Cost, threads_cpu_s};
use super::{Ground, lines};
use crate::native::NativeSource;
use crate::worker::Setup;

/// What a flow asks for when batches come back full.
const RECORDS_MAX: u32 = 2_000;
const BYTES_MAX: u32 = 512 << 10;

pub(super) fn run(ground: &Ground) -> Result<()> {
    let folder = ground.folder();
    let input = folder.join("in.log");
    lines::write(&input)?;
    let native_s = native_cpu_s(&input)?;
    let worker = Setup::new(folder).start()?;
    let rest = worker.rest()?;
    // The first one compiles the component.
    rest.deploy(&lines::source("first", "in.log"))?;
    lines::wait_until_stored(&rest, "first")?;
    let guests = || threads_cpu_s(worker.id(), super::GUEST_THREADS);
    let (before_s, guest_before_s) = (Cost::of(worker.id())?.cpu_s, guests()?);
    rest.deploy(&lines::source("second", "in.log"))?;
    lines::wait_until_stored(&rest, "second")?;
    let (after, guest_s) = (Cost::of(worker.id())?, guests()? - guest_before_s);
    let worker_s = after.cpu_s - before_s;
    Figure::new("native, CPU time for 1 GiB", native_s, "s").print();
    Figure::new("WASM, CPU time for 1 GiB", guest_s, "s")
        .against(native_s, "native")
        .print();
    Figure::new("worker, CPU time for 1 GiB", worker_s, "s").print();
    Figure::new("  of which guests", guest_s / worker_s * 100.0, "%").print();
    Figure::new(
        "  of which the boundary",
        (guest_s - native_s) / worker_s * 100.0,
        "%",
    )
    .print();
    Figure::new("worker's memory at its peak", after.peak_rss_mb, "MB").print();
    worker.stop()
}

/// CPU time of the thread that runs the connector and nothing else; as in a worker, files are read on other threads.
fn native_cpu_s(input: &Path) -> Result<f64> {
    let io = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .build()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    let (input, work) = (input.to_owned(), Work::Blocking(io.handle().clone()));
    let connector = std::thread::spawn(move || {
        let local = tokio::task::LocalSet::new();
        let polled = local.block_on(&runtime, poll_all(&input, work));
        let cpu = clock_gettime(ClockId::ThreadCPUTime);
        #[expect(clippy::cast_precision_loss, reason = "seconds of CPU time")]
        polled.map(|()| cpu.tv_sec as f64 + cpu.tv_nsec as f64 / 1e9)
    });
    let polled = connector
        .join()
        .map_err(|_| anyhow!("the connector panicked"))?;
    polled.map_err(|fault| anyhow!("{fault}"))
}

async fn poll_all(input: &Path, work: Work) -> Result<(), Fault> {
    let mut grant = FilesGrant::new("/".into(), Path::new("/nowhere"));
    let path = input.to_string_lossy();
    grant.name(Access::Read, &path)?;
    let files = FilesClient::new(Arc::new(RealDisk), grant, work);
    let config = [("file", &*path), ("topic", "lines")];
    let env = TaskEnv {
        task: TaskId {
            connector: ConnectorName::parse("native").expect("it is a name"),
            task: 0,
        },
        generation: Generation(1),
        config: config
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
        schemas: Arc::new(SchemaTable::default()),
        progress: watch::Sender::new(None),
        metrics: Arc::new(PluginMetrics::default()),
    };
    let mut source = NativeSource::open::<FileSource>(env, files, Vec::new()).await?;
    let mut rows = 0;
    while rows < lines::LINES {
        rows += source.poll(RECORDS_MAX, BYTES_MAX).await?.batch.len() as u64;
    }
    source.close().await
}
