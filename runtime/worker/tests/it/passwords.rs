//! Passwords: never shown, never in clear in the config topic.

use longshore_worker::{CONFIGS_TOPIC, SealKey, State};

use crate::fixture::{TestWorker, lines, name, submitted};

const PASSWORD: &str = "s3cret";

fn with_passwords() -> Vec<(&'static str, &'static str)> {
    lines(&[
        ("secret", PASSWORD),
        ("transforms", "a"),
        ("transforms.a.type", "same"),
        ("transforms.a.salt", PASSWORD),
    ])
}

async fn deployed() -> TestWorker {
    let worker = TestWorker::start(&[]).await;
    worker.create(&with_passwords()).await;
    worker.reach("c", &[State::Running, State::Running]).await;
    worker
}

fn stored(worker: &TestWorker) -> Vec<String> {
    let records = worker.broker.values(CONFIGS_TOPIC).into_iter().flatten();
    let texts = records.map(|value| String::from_utf8_lossy(&value).into_owned());
    texts.collect()
}

#[tokio::test]
async fn the_connectors_and_its_transforms_are_masked_and_stay_when_they_come_back_masked() {
    let worker = deployed().await;
    let shown = worker.handle.connector(&name("c")).unwrap().config;
    assert_eq!(shown["secret"], "[hidden]");
    assert_eq!(shown["transforms.a.salt"], "[hidden]");
    for (_, task) in worker.handle.tasks(&name("c")).unwrap() {
        assert_eq!(task["secret"], "[hidden]");
    }
    let back = shown.into_iter().map(|(key, value)| (key, Some(value)));
    let back: longshore_worker::Submitted = back.collect();
    let checked = worker.handle.validate("lines", &back).await.unwrap();
    assert!(checked.errors().is_empty(), "{:?}", checked.errors());
    worker.handle.put(back).await.unwrap();
    let stored = stored(&worker);
    assert!(
        stored.iter().all(|record| !record.contains("[hidden]")),
        "{stored:?}"
    );
}

#[tokio::test]
async fn tasks_that_had_a_password_stay_masked_when_the_next_config_has_none() {
    let worker = deployed().await;
    worker
        .handle
        .put(submitted(&lines(&[("tasks", "2")])))
        .await
        .unwrap();
    let has_failed = || worker.states("c")[0] == State::Failed;
    assert!(worker.wait(has_failed).await);
    let tasks = worker.handle.tasks(&name("c")).unwrap();
    let shown: Vec<_> = tasks.iter().map(|(_, task)| task.get("secret")).collect();
    assert_eq!(shown, [Some(&"[hidden]".to_owned())]);
    let records = stored(&worker);
    assert!(
        records.iter().all(|record| !record.contains(PASSWORD)),
        "{records:?}"
    );
}

#[tokio::test]
async fn what_a_transform_is_told_is_not_told_to_the_connector() {
    let worker = deployed().await;
    let tasks = worker.handle.tasks(&name("c")).unwrap();
    assert_eq!(tasks.len(), 1);
    for (_, task) in tasks {
        assert!(
            task.keys().all(|key| !key.starts_with("transforms.")),
            "{task:?}"
        );
    }
}

#[tokio::test]
async fn a_mask_without_a_password_behind_it_is_refused() {
    let worker = TestWorker::start(&[]).await;
    let config = submitted(&lines(&[("secret", "[hidden]")]));
    let error = worker.handle.create(config).await.unwrap_err().to_string();
    assert!(
        error.contains("secret is [hidden], and there is no password to keep"),
        "{error}"
    );
}

#[tokio::test]
async fn the_config_topic_holds_them_sealed_and_the_next_worker_opens_them() {
    let worker = deployed().await;
    let records = stored(&worker);
    assert!(
        records.iter().all(|record| !record.contains(PASSWORD)),
        "{records:?}"
    );
    let broker = worker.stop().await;
    let worker = TestWorker::start_over(broker, &[]).await;
    worker.reach("c", &[State::Running, State::Running]).await;
    let shown = worker.handle.connector(&name("c")).unwrap().config;
    assert_eq!(shown["secret"], "[hidden]");
}

#[tokio::test]
async fn with_another_key_the_connector_fails_by_name_until_it_is_put_again() {
    let broker = deployed().await.stop().await;
    let worker = TestWorker::start_with(broker, SealKey::generate(), &[]).await;
    worker.reach("c", &[State::Failed, State::Unassigned]).await;
    let trace = worker.status("c").connector.trace.unwrap();
    assert!(
        trace.contains("password-unreadable") && trace.contains("in secret"),
        "{trace}"
    );
    let masked = worker.handle.connector(&name("c")).unwrap().config;
    let masked = masked.into_iter().map(|(key, value)| (key, Some(value)));
    worker.handle.put(masked.collect()).await.unwrap_err();
    worker
        .handle
        .put(submitted(&with_passwords()))
        .await
        .unwrap();
    worker.reach("c", &[State::Running, State::Running]).await;
}
