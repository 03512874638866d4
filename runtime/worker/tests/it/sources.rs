//! Where sources go on from, and what they use.

use longshore_worker::State::Running;

use crate::fixture::{TestWorker, lines, name};

#[tokio::test(start_paused = true)]
async fn a_source_goes_on_from_its_positions_after_a_restart_of_the_worker() {
    let worker = TestWorker::start(&[]).await;
    worker.create(&lines(&[])).await;
    worker.reach_values("t", 3).await;
    let worker = TestWorker::start_over(worker.stop().await, &[]).await;
    worker.reach("c", &[Running, Running]).await;
    let more = crate::fixture::submitted(&lines(&[("count", "5")]));
    worker.handle.put(more).await.unwrap();
    let values = worker.reach_values("t", 5).await;
    let expected = [
        "line 0 of 0",
        "line 1 of 0",
        "line 2 of 0",
        "line 3 of 0",
        "line 4 of 0",
    ];
    assert_eq!(values, expected);
}

#[tokio::test(start_paused = true)]
async fn transforms_of_the_chain_are_opened() {
    let worker = TestWorker::start(&[]).await;
    let chain = [("transforms", "a"), ("transforms.a.type", "same")];
    worker.create(&lines(&chain)).await;
    worker.reach_values("t", 3).await;
}

#[tokio::test(start_paused = true)]
async fn the_topics_that_a_source_uses_are_recorded_and_reset() {
    let worker = TestWorker::start(&[]).await;
    worker.create(&lines(&[])).await;
    let topics = || worker.handle.topics_of(&name("c")).unwrap();
    assert!(worker.wait(|| topics().len() == 1).await);
    assert_eq!(topics().first().unwrap().as_str(), "t");

    let worker = TestWorker::start_over(worker.stop().await, &[]).await;
    assert_eq!(worker.handle.topics_of(&name("c")).unwrap().len(), 1);
    worker.handle.reset_topics(&name("c")).await.unwrap();
    assert!(worker.handle.topics_of(&name("c")).unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_task_has_metrics_while_it_is_there() {
    let worker = TestWorker::start(&[]).await;
    worker.create(&lines(&[])).await;
    worker.reach("c", &[Running, Running]).await;
    let metrics = worker.handle.plugin_metrics();
    assert_eq!(metrics[0].1.snapshot().0["opened"], 1);
    worker.handle.delete(&name("c"), false).await.unwrap();
    let worker_gone = worker.handle.clone();
    worker.stop().await;
    assert!(worker_gone.plugin_metrics().is_empty());
}
