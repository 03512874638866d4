//! What each guest of the zoo does, and that it costs its own task and nothing else.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use longshore_host::{Limits, Upstream, WasmSource};
use longshore_model::batch::LARGE_BATCH_BYTES_MAX;
use longshore_model::{Fault, FaultClass};
use longshore_pipeline::port::{Polled, Signal as _, SourcePlugin as _};
use tokio::time::{Instant, timeout};

use crate::zoo::{Task, host, lone_source, open, texts, tight};

/// Longer than any limit of a test, and far shorter than what the guests try.
const SOON: Duration = Duration::from_secs(20);

async fn poll(source: &mut WasmSource) -> Result<Polled, Fault> {
    let polled = timeout(SOON, source.poll(10, 1 << 16)).await;
    polled.expect("the host ends what does not end by itself")
}

/// Polls a guest once; the fault that its task fails with.
async fn fails(name: &str, entries: &[(&str, &str)]) -> Fault {
    let (task, mut source) = lone_source(name, entries).await;
    let fault = poll(&mut source).await.expect_err("it misbehaves");
    assert_eq!(fault.class, FaultClass::Fatal, "{fault:?}");
    drop(source);
    task.ended().await;
    fault
}

#[tokio::test]
async fn spins_until_its_cpu_time_is_up() {
    let fault = fails("spins", &[]).await;
    assert_eq!(fault.code, "plugin-cpu-limit");
    assert!(fault.message.contains("200ms of CPU time"), "{fault}");
    assert!(
        fault
            .detail("backtrace")
            .is_some_and(|trace| trace.contains("poll")),
        "{fault:?}"
    );
}

#[tokio::test]
async fn sleeps_until_it_is_woken_and_a_deadline_ends_it() {
    let (task, mut source) = lone_source("sleeps", &[]).await;
    let signal = source.signal();
    let began = Instant::now();
    let (polled, ()) = tokio::join!(poll(&mut source), async { signal.wake() });
    let fault = polled.expect_err("it sleeps");
    assert_eq!(fault.code, "plugin-deadline");
    assert!(
        fault.message.contains("500ms after it was woken"),
        "{fault}"
    );
    assert!(began.elapsed() >= tight().call);
    let after = poll(&mut source).await.expect_err("it is gone");
    assert_eq!(after.code, "plugin-gone");
    drop(source);
    task.ended().await;
}

#[tokio::test]
async fn sleeps_until_it_is_stopped_and_a_shorter_deadline_ends_it() {
    let (task, mut source) = lone_source("sleeps", &[]).await;
    let signal = source.signal();
    let (polled, ()) = tokio::join!(poll(&mut source), async { signal.stop() });
    let fault = polled.expect_err("it sleeps");
    assert!(
        fault.message.contains("200ms after the task was stopped"),
        "{fault}"
    );
    drop(source);
    task.ended().await;
}

#[tokio::test]
async fn lingers_and_is_ended_by_the_stop_without_an_answer() {
    let (task, mut source) = lone_source("lingers", &[]).await;
    let signal = source.signal();
    let (polled, ()) = tokio::join!(poll(&mut source), async { signal.stop() });
    assert_eq!(polled.expect_err("it goes on").code, "plugin-deadline");
    let closed = source.close().await.expect_err("it is gone");
    assert_eq!(closed.code, "plugin-gone");
    task.ended().await;
}

#[tokio::test]
async fn traps_with_its_message_and_a_symbolic_backtrace() {
    let fault = fails("traps", &[]).await;
    assert_eq!(fault.code, "plugin-trap");
    let stderr = fault.detail("stderr").unwrap();
    assert!(stderr.contains("about to panic"), "{stderr}");
    assert!(stderr.contains("the guest has had enough"), "{stderr}");
    let backtrace = fault.detail("backtrace").unwrap();
    assert!(backtrace.contains("panic"), "{backtrace}");
}

#[tokio::test]
async fn exits_and_takes_only_itself_away() {
    let fault = fails("exits", &[]).await;
    assert_eq!(fault.code, "plugin-exit");
}

#[tokio::test]
async fn leaks_until_its_memory_is_used_up() {
    let fault = fails("leaks", &[]).await;
    assert_eq!(fault.code, "plugin-memory-limit");
    assert!(fault.message.contains("64 MiB"), "{fault}");
}

#[tokio::test]
async fn floods_with_batches_that_are_too_large() {
    let malformed = fails("floods", &[("what", "batch")]).await;
    assert_eq!(malformed.code, "malformed-batch");
    let roomy = Limits {
        memory_bytes: Limits::default().memory_bytes,
        cpu: Limits::default().cpu,
        call: Limits::default().call,
        ..tight()
    };
    let host = host(&["floods"], roomy);
    let task = Task::new("t", &[("what", "hostcall")]);
    let mut source = open(&host, "floods", &task, Vec::new()).await.unwrap();
    let trapped = poll(&mut source).await.expect_err("no batch is so large");
    assert_eq!(trapped.code, "plugin-trap");
    // One row may be as large as a guest can hold twice.
    let task = Task::new("t", &[("what", "row")]);
    let mut source = open(&host, "floods", &task, Vec::new()).await.unwrap();
    let polled = poll(&mut source).await.unwrap();
    let row = polled.batch.row(0).unwrap();
    assert_eq!(row.value().bytes().len(), LARGE_BATCH_BYTES_MAX - 200);
    let records = fails("floods", &[("what", "records")]).await;
    assert_eq!(records.code, "too-many-records");
}

#[tokio::test]
async fn floods_the_log_and_is_cut_short() {
    for what in ["log", "stderr", "progress"] {
        let (task, mut source) = lone_source("floods", &[("what", what)]).await;
        poll(&mut source).await.unwrap();
        assert_eq!(*task.progress.borrow(), None);
    }
}

#[tokio::test]
async fn floods_with_metrics_and_keeps_sixty_four() {
    let (task, mut source) = lone_source("floods", &[("what", "metrics")]).await;
    poll(&mut source).await.unwrap();
    assert_eq!(task.metrics.snapshot().0.len(), 64);
}

#[tokio::test]
async fn trespasses_and_does_not_start() {
    let host = host(&["trespasses"], tight());
    let task = Task::new("t", &[]);
    let refused = open(&host, "trespasses", &task, Vec::new())
        .await
        .err()
        .unwrap();
    assert_eq!(
        (refused.class, refused.code.as_str()),
        (FaultClass::Denied, "plugin-import-not-granted")
    );
    assert!(refused.message.contains("wasi:sockets/"), "{refused}");
}

#[tokio::test]
async fn what_the_manifest_does_not_ask_for_is_not_there() {
    for (guest, import) in [
        ("oversteps", "longshore:files/files"),
        ("intrudes", "longshore:postgres/postgres"),
    ] {
        let host = host(&[guest], tight());
        let task = Task::new("t", &[]);
        let refused = open(&host, guest, &task, Vec::new()).await.err().unwrap();
        assert_eq!(refused.class, FaultClass::Denied);
        assert!(refused.message.contains(import), "{refused}");
        assert!(
            refused.message.contains("manifest does not ask for"),
            "{refused}"
        );
    }
}

#[tokio::test]
async fn garbles_its_batch() {
    let fault = fails("garbles", &[]).await;
    assert_eq!(fault.code, "malformed-batch");
}

#[derive(Default)]
struct FakeUpstream {
    delivered: AtomicU64,
}

impl Upstream for FakeUpstream {
    fn delivered(&self) -> u64 {
        self.delivered.load(Ordering::Relaxed)
    }

    fn confirm(&self, _: u64) -> Pin<Box<dyn Future<Output = Result<(), Fault>> + Send + '_>> {
        unreachable!("nothing was stored")
    }
}

#[tokio::test]
async fn lies_about_what_its_stream_delivered() {
    let (_, mut source) = lone_source("lies", &[]).await;
    let closed = poll(&mut source).await.unwrap_err();
    assert_eq!(closed.code, "false-watermark");
    assert!(
        closed
            .message
            .contains("stream 7 up to 100, which is not open"),
        "{closed}"
    );

    let upstream = Arc::new(FakeUpstream::default());
    upstream.delivered.store(99, Ordering::Relaxed);
    source
        .streams()
        .add(7, Arc::clone(&upstream) as Arc<dyn Upstream>);
    let early = poll(&mut source).await.unwrap_err();
    assert!(early.message.contains("delivered only up to 99"), "{early}");

    upstream.delivered.store(100, Ordering::Relaxed);
    let polled = poll(&mut source).await.unwrap();
    assert_eq!(polled.watermarks[0].value, 100);
}

#[tokio::test]
async fn hostile_neighbours_cost_their_own_tasks_only() {
    let hostile = ["spins", "sleeps", "traps", "leaks", "garbles", "lingers"];
    let host = host(
        &[
            "counts", "spins", "sleeps", "traps", "leaks", "garbles", "lingers",
        ],
        Limits {
            memory_bytes: 64 << 20,
            ..Limits::default()
        },
    );
    let mut neighbours = Vec::new();
    for name in hostile {
        let task = Task::new(name, &[]);
        let mut source = open(&host, name, &task, Vec::new()).await.unwrap();
        neighbours.push(tokio::spawn(async move {
            source.poll(10, 1 << 16).await.map(drop)
        }));
    }
    let task = Task::new("numbers", &[("topic", "t"), ("records", "1000")]);
    let mut source = open(&host, "counts", &task, Vec::new()).await.unwrap();
    for n in 0..1_000 {
        let polled = timeout(SOON, source.poll(1, 1 << 16)).await;
        let polled = polled.expect("neighbours yield").unwrap();
        assert_eq!(texts(&polled.batch), [format!("record {n}")]);
    }
    source.close().await.unwrap();
    for neighbour in neighbours {
        neighbour.abort();
    }
}
