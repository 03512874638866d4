use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use longshore_model::{Fault, FaultClass};
use longshore_pipeline::batch::FetchedRecord;
use longshore_pipeline::flow::{SourceParts, Target, run_source};
use longshore_pipeline::memory::MemoryBroker;
use longshore_pipeline::port::{BrokerError, Fetch, Polled};
use longshore_pipeline::schemas::SchemaTable;
use longshore_pipeline::settings::FlowSettings;
use longshore_pipeline::telemetry::TaskMetrics;
use tokio::task::JoinHandle;

use crate::fixture::{
    FixedClock, ScriptedSource, Upper, batch, control, log, nothing, source_settings,
};

type Script = Vec<Result<Polled, Fault>>;

async fn parts(
    broker: &MemoryBroker,
    script: Script,
    settings: FlowSettings,
) -> SourceParts<MemoryBroker, ScriptedSource, Upper> {
    SourceParts {
        log: log(broker).await,
        plugin: ScriptedSource {
            script: script.into(),
            ..ScriptedSource::default()
        },
        transforms: Vec::new(),
        settings,
        schemas: Arc::new(SchemaTable::default()),
        stored: Vec::new(),
        metrics: TaskMetrics::default(),
        clock: Arc::new(FixedClock),
    }
}

/// Runs the flow until everything it was scripted is confirmed up to `last`, then stops it.
async fn run_to(
    parts: SourceParts<MemoryBroker, ScriptedSource, Upper>,
    last: u64,
) -> Result<(), Fault> {
    let (_target, stop, control) = control();
    let (notes, confirmed) = (
        Arc::clone(&parts.plugin.notes),
        Arc::clone(&parts.plugin.confirmed),
    );
    let flow: JoinHandle<_> = tokio::spawn(run_source(parts, control));
    let all = async {
        while !notes.lock().unwrap().confirmed.contains(&last) {
            confirmed.notified().await;
        }
    };
    let all = tokio::time::timeout(Duration::from_secs(3_600), all).await;
    stop.cancel();
    let ended = flow.await.unwrap();
    assert!(notes.lock().unwrap().closed);
    assert!(all.is_ok(), "{last} was not confirmed: {ended:?}");
    ended
}

fn texts(broker: &MemoryBroker, topic: &str) -> Vec<String> {
    let values = broker.values(topic).into_iter().flatten();
    values
        .map(|v| String::from_utf8(v.to_vec()).unwrap())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn records_and_positions_are_stored_in_order_and_confirmed() {
    let broker = MemoryBroker::default();
    let script = vec![Ok(batch(&["a", "b"], 2)), Ok(batch(&["c"], 3))];
    let parts = parts(&broker, script, source_settings(&[])).await;
    let notes = Arc::clone(&parts.plugin.notes);
    run_to(parts, 3).await.unwrap();
    assert_eq!(texts(&broker, "t"), ["a", "b", "c"]);
    assert_eq!(
        texts(&broker, "_longshore_offsets"),
        [r#"{"position":2}"#, r#"{"position":3}"#]
    );
    assert_eq!(notes.lock().unwrap().confirmed, [2, 3]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_confirmed_before_it_is_durable_and_the_next_batch_is_polled_meanwhile() {
    let broker = MemoryBroker::default();
    broker.hold();
    let script = vec![Ok(batch(&["a"], 1)), Ok(batch(&["b"], 2))];
    let parts = parts(&broker, script, source_settings(&[])).await;
    let (notes, confirmed) = (
        Arc::clone(&parts.plugin.notes),
        Arc::clone(&parts.plugin.confirmed),
    );
    let mut appended = broker.appended();
    let (_target, stop, control) = control();
    let flow = tokio::spawn(run_source(parts, control));
    appended.wait_for(|n| *n >= 2).await.unwrap();
    assert!(notes.lock().unwrap().confirmed.is_empty());
    assert!(broker.release(Ok(())));
    confirmed.notified().await;
    assert_eq!(notes.lock().unwrap().confirmed, [1]);
    assert!(broker.release(Ok(())));
    confirmed.notified().await;
    assert_eq!(notes.lock().unwrap().confirmed, [1, 2]);
    stop.cancel();
    flow.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_for_what_is_under_way() {
    let broker = MemoryBroker::default();
    broker.hold();
    let parts = parts(&broker, vec![Ok(batch(&["a"], 1))], source_settings(&[])).await;
    let notes = Arc::clone(&parts.plugin.notes);
    let mut appended = broker.appended();
    let (_target, stop, control) = control();
    let flow = tokio::spawn(run_source(parts, control));
    appended.wait_for(|n| *n >= 1).await.unwrap();
    stop.cancel();
    broker.release(Ok(()));
    flow.await.unwrap().unwrap();
    assert_eq!(notes.lock().unwrap().confirmed, [1]);
}

#[tokio::test(start_paused = true)]
async fn a_failed_append_ends_the_task_and_confirms_nothing() {
    let broker = MemoryBroker::default();
    broker.hold();
    let parts = parts(&broker, vec![Ok(batch(&["a"], 1))], source_settings(&[])).await;
    let notes = Arc::clone(&parts.plugin.notes);
    let mut appended = broker.appended();
    let (_target, _stop, control) = control();
    let flow = tokio::spawn(run_source(parts, control));
    appended.wait_for(|n| *n >= 1).await.unwrap();
    broker.release(Err(BrokerError::DiskFull));
    let fault = flow.await.unwrap().unwrap_err();
    assert_eq!(fault.code, "disk-full");
    let noted = notes.lock().unwrap();
    assert!(noted.confirmed.is_empty() && noted.closed);
}

#[tokio::test(start_paused = true)]
async fn a_position_that_goes_back_ends_the_task() {
    let broker = MemoryBroker::default();
    let script = vec![Ok(batch(&["a"], 2)), Ok(batch(&["b"], 1))];
    let parts = parts(&broker, script, source_settings(&[])).await;
    let (_target, _stop, control) = control();
    let fault = run_source(parts, control).await.unwrap_err();
    assert_eq!(
        (fault.class, fault.code.as_str()),
        (FaultClass::Fatal, "position")
    );
    assert_eq!(texts(&broker, "t"), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn a_bad_record_ends_the_task_unless_it_is_tolerated() {
    let broker = MemoryBroker::default();
    let script = vec![Ok(batch(&["a", "bad:why", "b"], 3))];
    let parts = parts(&broker, script, source_settings(&[])).await;
    let notes = Arc::clone(&parts.plugin.notes);
    let (_target, _stop, control) = control();
    let fault = run_source(parts, control).await.unwrap_err();
    assert_eq!(fault.code, "bad");
    assert!(texts(&broker, "t").is_empty());
    let notes = notes.lock().unwrap();
    assert_eq!(notes.returned, notes.asked.len(), "no call is left behind");
}

#[tokio::test(start_paused = true)]
async fn a_tolerated_record_goes_to_the_dead_letters_in_the_same_write() {
    let broker = MemoryBroker::default();
    let settings = source_settings(&[
        ("errors.tolerance", "all"),
        ("errors.deadletterqueue.topic.name", "dlq"),
    ]);
    let script = vec![Ok(batch(&["a", "bad:why", "b"], 3))];
    let parts = parts(&broker, script, settings).await;
    run_to(parts, 3).await.unwrap();
    assert_eq!(texts(&broker, "t"), ["a", "b"]);
    assert_eq!(texts(&broker, "dlq"), ["bad:why"]);
    let dlq = longshore_model::TopicPartition {
        topic: longshore_model::TopicName::parse("dlq").unwrap(),
        partition: 0,
    };
    let fetched = broker.fetch(&dlq, 0, 1_000).await.unwrap();
    let FetchedRecord { headers, .. } = &fetched.records[0];
    let header = |name: &str| {
        let found = headers
            .iter()
            .find(|(n, _)| n == &format!("__connect.errors.{name}"));
        let range = found.and_then(|(_, range)| range.as_ref()).unwrap();
        std::str::from_utf8(fetched.bytes(range))
            .unwrap()
            .to_owned()
    };
    assert_eq!(header("connector.name"), "c");
    assert_eq!(header("stage"), "TASK_POLL");
    assert_eq!(header("detail.why"), "why");
}

#[tokio::test(start_paused = true)]
async fn transforms_change_drop_and_fault_records() {
    let broker = MemoryBroker::default();
    let settings = source_settings(&[
        ("errors.tolerance", "all"),
        ("errors.deadletterqueue.topic.name", "dlq"),
    ]);
    let script = vec![Ok(batch(&["a", "drop", "fault", "b"], 4))];
    let mut parts = parts(&broker, script, settings).await;
    parts.transforms = vec![Upper];
    run_to(parts, 4).await.unwrap();
    assert_eq!(texts(&broker, "t"), ["A", "B"]);
    assert_eq!(texts(&broker, "dlq"), ["fault"]);
}

#[tokio::test(start_paused = true)]
async fn progress_without_records_is_stored_once_an_interval() {
    let broker = MemoryBroker::default();
    let script = vec![Ok(batch(&[], 1)), Ok(batch(&[], 2)), Ok(batch(&[], 3))];
    let parts = parts(&broker, script, source_settings(&[])).await;
    let notes = Arc::clone(&parts.plugin.notes);
    let started = tokio::time::Instant::now();
    run_to(parts, 3).await.unwrap();
    assert_eq!(notes.lock().unwrap().confirmed, [3]);
    assert_eq!(started.elapsed(), Duration::from_secs(60));
    assert_eq!(texts(&broker, "_longshore_offsets"), [r#"{"position":3}"#]);
}

#[tokio::test(start_paused = true)]
async fn progress_that_the_source_waits_for_is_stored_at_once() {
    let broker = MemoryBroker::default();
    let awaited = Polled {
        store_now: true,
        ..batch(&[], 2)
    };
    let script = vec![Ok(batch(&[], 1)), Ok(awaited)];
    let parts = parts(&broker, script, source_settings(&[])).await;
    let notes = Arc::clone(&parts.plugin.notes);
    let started = tokio::time::Instant::now();
    run_to(parts, 2).await.unwrap();
    assert_eq!(notes.lock().unwrap().confirmed, [2]);
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert_eq!(texts(&broker, "_longshore_offsets"), [r#"{"position":2}"#]);
}

#[tokio::test(start_paused = true)]
async fn progress_that_the_source_waits_for_goes_with_its_records_in_one_write() {
    let broker = MemoryBroker::default();
    let awaited = Polled {
        store_now: true,
        ..batch(&["a", "drop"], 1)
    };
    let dropped = Polled {
        store_now: true,
        ..batch(&["drop"], 2)
    };
    let mut parts = parts(
        &broker,
        vec![Ok(awaited), Ok(dropped)],
        source_settings(&[]),
    )
    .await;
    parts.transforms = vec![Upper];
    let started = tokio::time::Instant::now();
    run_to(parts, 2).await.unwrap();
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert_eq!(texts(&broker, "t"), ["A"]);
    assert_eq!(
        texts(&broker, "_longshore_offsets"),
        [r#"{"position":1}"#, r#"{"position":2}"#]
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_is_stored_for_a_source_that_waits_and_has_no_progress() {
    let broker = MemoryBroker::default();
    let waits = Polled {
        store_now: true,
        ..nothing()
    };
    let script = vec![Ok(waits), Ok(batch(&["a"], 1))];
    let parts = parts(&broker, script, source_settings(&[])).await;
    run_to(parts, 1).await.unwrap();
    assert_eq!(*broker.appended().borrow(), 1);
}

/// What the first polls ask for when the first one comes back full and the second one empty, which
/// is `woken` by the first one's append or is not.
async fn asked_after_a_full_batch_and_nothing(woken: bool) -> Vec<u32> {
    let broker = MemoryBroker::default();
    broker.hold();
    let full = "x".repeat(60 << 10);
    let mut script = vec![Ok(batch(&[&full], 1))];
    if !woken {
        script.push(Ok(nothing()));
    }
    let parts = parts(&broker, script, source_settings(&[])).await;
    let notes = Arc::clone(&parts.plugin.notes);
    let confirmed = Arc::clone(&parts.plugin.confirmed);
    let (_target, stop, control) = control();
    let flow = tokio::spawn(run_source(parts, control));
    let mut appended = broker.appended();
    appended.wait_for(|n| *n >= 1).await.unwrap();
    broker.release(Ok(()));
    confirmed.notified().await;
    stop.cancel();
    flow.await.unwrap().unwrap();
    let asked = notes.lock().unwrap().asked.clone();
    asked[..3].to_vec()
}

#[tokio::test(start_paused = true)]
async fn batches_grow_under_load_and_shrink_when_idle_and_not_because_an_append_woke_the_source() {
    let small = 64 << 10;
    let woken = asked_after_a_full_batch_and_nothing(true).await;
    assert_eq!(woken, [small, 2 * small, 2 * small]);
    let idle = asked_after_a_full_batch_and_nothing(false).await;
    assert_eq!(idle, [small, 2 * small, small]);
}

#[tokio::test(start_paused = true)]
async fn a_paused_task_does_not_poll_and_a_resumed_one_does() {
    let broker = MemoryBroker::default();
    let parts = parts(&broker, vec![Ok(batch(&["a"], 1))], source_settings(&[])).await;
    let confirmed = Arc::clone(&parts.plugin.confirmed);
    let (target, stop, control) = control();
    target.send(Target::Paused).unwrap();
    let flow = tokio::spawn(run_source(parts, control));
    tokio::time::advance(Duration::from_secs(3_600)).await;
    assert!(broker.values("t").is_empty());
    target.send(Target::Running).unwrap();
    confirmed.notified().await;
    assert_eq!(broker.values("t"), [Some(Bytes::from("a"))]);
    stop.cancel();
    flow.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_retriable_fault_of_poll_is_tried_again() {
    let broker = MemoryBroker::default();
    let busy = Fault::new(FaultClass::Retriable, "busy", "try again");
    let script = vec![Err(busy.clone()), Err(busy), Ok(batch(&["a"], 1))];
    let parts = parts(&broker, script, source_settings(&[])).await;
    run_to(parts, 1).await.unwrap();
    assert_eq!(texts(&broker, "t"), ["a"]);
}
