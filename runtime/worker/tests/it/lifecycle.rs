//! Deployed, paused, restarted, failed, deleted.

use longshore_model::TaskId;
use longshore_worker::State::{Failed, Paused, Restarting, Running};
use longshore_worker::{Error, RestartRequest, TargetState};

use crate::fixture::{TestWorker, lines, name, states, submitted};

#[tokio::test(start_paused = true)]
async fn a_connector_has_a_status_when_its_creation_returns() {
    let worker = TestWorker::start(&[]).await;
    worker.create(&lines(&[])).await;
    worker.status("c");
    worker.reach("c", &[Running, Running]).await;
    let status = worker.status("c");
    assert_eq!(status.kind.name(), "source");
    assert_eq!(status.worker_id, "127.0.0.1:8083");
    assert_eq!(status.tasks[0].status.version.as_deref(), Some("1.2.0"));
    assert_eq!(
        status.tasks[0].progress.as_deref(),
        Some(r#"{"lines":"all"}"#)
    );
}

#[tokio::test(start_paused = true)]
async fn a_name_is_taken_once_and_a_config_may_be_put_again() {
    let worker = TestWorker::start(&[]).await;
    worker.create(&lines(&[])).await;
    let again = worker.handle.create(submitted(&lines(&[]))).await;
    assert!(matches!(again, Err(Error::Exists(_))), "{again:?}");
    let (_, is_new) = worker
        .handle
        .put(submitted(&lines(&[("count", "5")])))
        .await
        .unwrap();
    assert!(!is_new);
    worker.reach_values("t", 5).await;
}

#[tokio::test(start_paused = true)]
async fn a_pause_survives_a_restart_of_the_worker() {
    let worker = TestWorker::start(&[]).await;
    worker.create(&lines(&[])).await;
    worker.reach("c", &[Running, Running]).await;
    worker
        .handle
        .set_target(&name("c"), TargetState::Paused)
        .await
        .unwrap();
    worker.reach("c", &[Paused, Paused]).await;

    let worker = TestWorker::start_over(worker.stop().await, &[]).await;
    worker.reach("c", &[Paused, Paused]).await;
    worker
        .handle
        .set_target(&name("c"), TargetState::Started)
        .await
        .unwrap();
    worker.reach("c", &[Running, Running]).await;
}

#[tokio::test(start_paused = true)]
async fn a_panic_fails_its_task_only_and_says_why() {
    let worker = TestWorker::start(&[]).await;
    worker.create(&lines(&[("behaviour", "panics")])).await;
    worker
        .create(&lines(&[("name", "other"), ("topic", "u")]))
        .await;
    worker.reach("c", &[Running, Failed]).await;
    worker.reach("other", &[Running, Running]).await;
    let trace = worker.status("c").tasks[0].status.trace.clone().unwrap();
    assert_eq!(trace, "the task panicked: as configured (panic)");
}

#[tokio::test(start_paused = true)]
async fn a_failed_task_runs_again_when_a_person_restarts_it() {
    let worker = TestWorker::start(&[]).await;
    worker.create(&lines(&[("behaviour", "fails-once")])).await;
    worker.reach("c", &[Running, Failed]).await;
    let task = TaskId {
        connector: name("c"),
        task: 0,
    };
    worker.handle.restart_task(&task).await.unwrap();
    worker.reach("c", &[Running, Running]).await;
    let unknown = TaskId { task: 1, ..task };
    let refused = worker.handle.restart_task(&unknown).await;
    assert!(matches!(refused, Err(Error::UnknownTask(_))), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn a_restart_of_what_failed_names_those_parts() {
    let worker = TestWorker::start(&[]).await;
    worker
        .create(&lines(&[
            ("behaviour", "fails-once"),
            ("tasks", "2"),
            ("tasks.max", "2"),
        ]))
        .await;
    worker.reach("c", &[Running, Failed, Failed]).await;
    let request = RestartRequest {
        include_tasks: true,
        only_failed: true,
    };
    let status = worker.handle.restart(&name("c"), request).await.unwrap();
    assert_eq!(states(&status), [Running, Restarting, Restarting]);
    worker.reach("c", &[Running, Running, Running]).await;
}

#[tokio::test(start_paused = true)]
async fn the_policy_restarts_a_failed_task_as_often_as_it_says() {
    let worker = TestWorker::start(&[("restart.attempts", "2")]).await;
    worker.create(&lines(&[("behaviour", "fails-once")])).await;
    worker
        .create(&lines(&[("name", "bad"), ("behaviour", "fails")]))
        .await;
    worker.reach("c", &[Running, Running]).await;
    worker.reach("bad", &[Running, Failed]).await;
}

#[tokio::test(start_paused = true)]
async fn the_policy_leaves_a_fenced_task_alone() {
    let worker = TestWorker::start(&[("restart.attempts", "9")]).await;
    worker.create(&lines(&[("behaviour", "fenced")])).await;
    worker.reach("c", &[Running, Failed]).await;
}

#[tokio::test(start_paused = true)]
async fn too_many_tasks_fail_the_connector() {
    let worker = TestWorker::start(&[]).await;
    worker.create(&lines(&[("tasks", "2")])).await;
    worker.reach("c", &[Failed]).await;
    let trace = worker.status("c").connector.trace.unwrap();
    assert!(trace.contains("greater than 1"), "{trace}");
    let relaxed = lines(&[("tasks", "2"), ("tasks.max.enforce", "false")]);
    worker.handle.put(submitted(&relaxed)).await.unwrap();
    worker.reach("c", &[Running, Running, Running]).await;
}

#[tokio::test(start_paused = true)]
async fn a_task_that_does_not_stop_is_dropped_at_the_deadline() {
    let worker = TestWorker::start(&[]).await;
    worker.create(&lines(&[("behaviour", "stays")])).await;
    worker.reach("c", &[Running, Running]).await;
    worker.handle.put(submitted(&lines(&[]))).await.unwrap();
    worker.reach_values("t", 3).await;
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_deleted_connector_is_gone_and_may_come_back() {
    let worker = TestWorker::start(&[]).await;
    worker
        .create(&lines(&[("tasks", "2"), ("tasks.max", "2")]))
        .await;
    worker.reach("c", &[Running, Running, Running]).await;
    worker.handle.delete(&name("c"), false).await.unwrap();
    let gone = worker.handle.status(&name("c"));
    assert!(matches!(gone, Err(Error::UnknownConnector(_))), "{gone:?}");
    let gone = worker.handle.delete(&name("c"), false).await;
    assert!(matches!(gone, Err(Error::UnknownConnector(_))), "{gone:?}");

    worker.create(&lines(&[("count", "4")])).await;
    worker.reach("c", &[Running, Running]).await;
    // Six lines of the first life, and task 0 goes on from its offset: one more.
    worker.reach_values("t", 7).await;

    let worker = TestWorker::start_over(worker.stop().await, &[]).await;
    worker.reach("c", &[Running, Running]).await;
    assert_eq!(worker.broker.values("t").len(), 7);
}
