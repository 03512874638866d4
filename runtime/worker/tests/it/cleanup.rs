//! What a connector leaves behind, and taking it away before the connector is deleted.

use longshore_model::{Fault, FaultClass, SourcePosition};
use longshore_pipeline::delivery::{OFFSETS_TOPIC, stored_positions};
use longshore_pipeline::keyed::KeyedTopic;
use longshore_pipeline::memory::MemoryBroker;
use longshore_pipeline::port::Fetch;
use longshore_worker::State::{Failed, Running, Unassigned};
use longshore_worker::{Error, RestartRequest};

use crate::fixture::{TestWorker, collect, lines, name, submitted, topic};

fn fault(class: FaultClass) -> Fault {
    Fault::new(class, "slot-in-use", "somebody reads from it")
}

/// A worker whose connector `c` has stored its lines, and whose next cleanups end like this.
async fn deployed(cleanups: &[FaultClass]) -> TestWorker {
    let worker = TestWorker::start(&[]).await;
    let faults = cleanups.iter().map(|class| fault(*class));
    worker.plugins.cleanups.lock().unwrap().extend(faults);
    worker.create(&lines(&[])).await;
    worker.reach_values("t", 3).await;
    worker.reach("c", &[Running, Running]).await;
    worker
}

async fn gone(worker: &TestWorker) {
    assert!(worker.wait(|| worker.handle.connectors().is_empty()).await);
}

/// What the connector has stored.
async fn positions(worker: &TestWorker, connector: &str) -> Vec<SourcePosition> {
    let records = worker.broker.replay(&topic(OFFSETS_TOPIC)).await.unwrap();
    stored_positions(&name(connector), &records)
}

/// What a cleanup does before it has the connector deleted.
async fn remove_positions(broker: &MemoryBroker) {
    let offsets = topic(OFFSETS_TOPIC);
    let keys = broker.replay(&offsets).await.unwrap().into_iter();
    let keys = keys.map(|record| (record.key, None)).collect();
    let mut stored = KeyedTopic::open(broker.clone(), offsets).await.unwrap();
    stored.put_all(keys).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_stays_behind_is_shown_and_nothing_where_the_plugin_leaves_nothing() {
    let worker = deployed(&[]).await;
    let left = worker.handle.leftovers(&name("c")).await.unwrap();
    let left: Vec<_> = left.iter().map(|left| left.name.as_str()).collect();
    assert_eq!(left, [r#"{"task":0}"#]);
    worker.create(&collect(&[("topics", "t")])).await;
    assert_eq!(worker.handle.leftovers(&name("s")).await.unwrap(), []);
    let unknown = worker.handle.leftovers(&name("x")).await;
    assert!(matches!(unknown, Err(Error::UnknownConnector(_))));
}

#[tokio::test(start_paused = true)]
async fn a_connector_is_deleted_once_it_has_cleaned_up_with_its_last_positions() {
    let worker = deployed(&[]).await;
    worker.handle.delete(&name("c"), true).await.unwrap();
    gone(&worker).await;
    let cleaned = worker.plugins.cleaned.lock().unwrap().clone();
    assert_eq!(cleaned.len(), 1);
    assert_eq!(cleaned[0][0].position.order.unwrap().0, 3);
    let worker = TestWorker::start_over(worker.stop().await, &[]).await;
    assert!(worker.handle.connectors().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_plain_deletion_cleans_nothing_up_and_leaves_the_positions() {
    let worker = deployed(&[]).await;
    let stored = positions(&worker, "c").await;
    assert_eq!(stored.len(), 1);
    worker.handle.delete(&name("c"), false).await.unwrap();
    gone(&worker).await;
    assert!(worker.plugins.cleaned.lock().unwrap().is_empty());
    assert_eq!(positions(&worker, "c").await, stored);
}

#[tokio::test(start_paused = true)]
async fn a_connector_that_was_cleaned_up_begins_anew_under_its_name() {
    let worker = deployed(&[]).await;
    let other = lines(&[("topic", "u")]).into_iter();
    let other = other.map(|(key, value)| (key, if key == "name" { "other" } else { value }));
    worker.create(&other.collect::<Vec<_>>()).await;
    worker.reach_values("u", 3).await;
    worker.handle.delete(&name("c"), true).await.unwrap();
    let is_gone = || worker.handle.connectors() == [name("other")];
    assert!(worker.wait(is_gone).await);
    assert_eq!(positions(&worker, "c").await, []);
    assert_eq!(positions(&worker, "other").await.len(), 1);
    worker.create(&lines(&[])).await;
    worker.reach_values("t", 6).await;
}

#[tokio::test(start_paused = true)]
async fn positions_stay_until_the_cleanup_has_succeeded() {
    let worker = deployed(&[FaultClass::Denied]).await;
    let stored = positions(&worker, "c").await;
    worker.handle.delete(&name("c"), true).await.unwrap();
    let has_failed = || worker.status("c").connector.state == Failed;
    assert!(worker.wait(has_failed).await);
    assert_eq!(positions(&worker, "c").await, stored);
    worker.handle.delete(&name("c"), true).await.unwrap();
    gone(&worker).await;
    assert_eq!(positions(&worker, "c").await, []);
}

#[tokio::test(start_paused = true)]
async fn a_cleanup_that_died_behind_its_positions_goes_on_without_them() {
    let worker = deployed(&[FaultClass::Denied]).await;
    worker.handle.delete(&name("c"), true).await.unwrap();
    let has_failed = || worker.status("c").connector.state == Failed;
    assert!(worker.wait(has_failed).await);
    let broker = worker.stop().await;
    remove_positions(&broker).await;
    let worker = TestWorker::start_over(broker, &[]).await;
    gone(&worker).await;
    let none: Vec<SourcePosition> = Vec::new();
    assert_eq!(*worker.plugins.cleaned.lock().unwrap(), [none]);
}

#[tokio::test(start_paused = true)]
async fn a_cleanup_that_may_succeed_later_is_tried_again_and_says_why_meanwhile() {
    let worker = deployed(&[FaultClass::Retriable, FaultClass::Retriable]).await;
    worker.handle.delete(&name("c"), true).await.unwrap();
    let explained = || worker.status("c").connector.trace.is_some();
    assert!(worker.wait(explained).await);
    let status = worker.status("c");
    assert_eq!(status.connector.state, Unassigned);
    let trace = status.connector.trace.unwrap();
    assert_eq!(trace, "somebody reads from it (slot-in-use)");
    gone(&worker).await;
    assert_eq!(worker.plugins.cleaned.lock().unwrap().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_cleanup_goes_on_after_a_restart_of_the_worker() {
    let worker = deployed(&[FaultClass::Retriable; 100]).await;
    worker.handle.delete(&name("c"), true).await.unwrap();
    let tried = || !worker.plugins.cleaned.lock().unwrap().is_empty();
    assert!(worker.wait(tried).await);
    let worker = TestWorker::start_over(worker.stop().await, &[]).await;
    gone(&worker).await;
    assert_eq!(worker.plugins.cleaned.lock().unwrap().len(), 1);
    assert_eq!(worker.broker.values("t").len(), 3, "nothing ran meanwhile");
}

#[tokio::test(start_paused = true)]
async fn a_cleanup_that_failed_for_good_waits_for_a_person() {
    let fatal = [FaultClass::Denied; 2];
    let worker = deployed(&fatal).await;
    worker.handle.delete(&name("c"), true).await.unwrap();
    let failed = |status| matches!(status, Failed);
    let has_failed = || failed(worker.status("c").connector.state);
    assert!(worker.wait(has_failed).await);
    let all = RestartRequest::default();
    worker.handle.restart(&name("c"), all).await.unwrap();
    let tried = || worker.plugins.cleaned.lock().unwrap().len() == 2;
    assert!(worker.wait(|| tried() && has_failed()).await);
    worker.handle.delete(&name("c"), true).await.unwrap();
    gone(&worker).await;
}

#[tokio::test(start_paused = true)]
async fn whoever_gives_a_connector_a_config_keeps_it() {
    let worker = deployed(&[FaultClass::Denied]).await;
    worker.handle.delete(&name("c"), true).await.unwrap();
    let failed = || worker.status("c").connector.state == Failed;
    assert!(worker.wait(failed).await);
    let config = submitted(&lines(&[("count", "5")]));
    worker.handle.put(config).await.unwrap();
    worker.reach_values("t", 5).await;
    let worker = TestWorker::start_over(worker.stop().await, &[]).await;
    worker.reach("c", &[Running, Running]).await;
}
