//! What is refused, and by which name.

use longshore_worker::{Error, Finding, Submitted};

use crate::fixture::{TestWorker, collect, lines, submitted};

/// The keys that are wrong in a config.
async fn wrong(config: &[(&str, &str)]) -> Vec<String> {
    wrong_keys(submitted(config)).await
}

async fn wrong_keys(config: Submitted) -> Vec<String> {
    let worker = TestWorker::start(&[]).await;
    let class = config["connector.class"].clone().unwrap();
    let validation = worker.handle.validate(&class, &config).await.unwrap();
    let wrong = validation
        .configs
        .iter()
        .filter(|key| !key.value.errors.is_empty());
    wrong.map(|key| key.value.name.clone()).collect()
}

#[tokio::test]
async fn a_right_config_has_no_errors() {
    let none: [&str; 0] = [];
    assert_eq!(wrong(&lines(&[])).await, none);
    assert_eq!(wrong(&collect(&[("topics", "a")])).await, none);
}

#[tokio::test]
async fn wrong_types_missing_keys_and_unknown_keys_are_named() {
    let config = [
        ("name", "c"),
        ("connector.class", "lines"),
        ("count", "many"),
        ("colour", "red"),
    ];
    assert_eq!(wrong(&config).await, ["topic", "count", "colour"]);
}

#[tokio::test]
async fn the_plugins_own_words_are_heard_at_the_key_that_they_name() {
    for (topic, key) in [
        ("forbidden", "topic"),
        ("unreachable", "topic"),
        ("nowhere", "connector.class"),
        ("broken", "connector.class"),
    ] {
        assert_eq!(wrong(&lines(&[("topic", topic)])).await, [key], "{topic}");
    }
}

#[tokio::test]
async fn what_the_plugin_knows_beside_comes_along() {
    let worker = TestWorker::start(&[]).await;
    let config = submitted(&lines(&[("topic", "forbidden")]));
    let validation = worker.handle.validate("lines", &config).await.unwrap();
    let finding = &validation.findings[0];
    assert_eq!(finding.message, "topic forbidden is not liked");
    let detail = |name: &str, fact: &str| (name.to_owned(), fact.to_owned());
    assert_eq!(
        finding.details,
        [detail("table", "a.b"), detail("sql", "GRANT x")]
    );
    let expected = "topic forbidden is not liked\n  table: a.b\n  sql: GRANT x";
    assert_eq!(validation.errors(), [expected]);
    let refused = worker.handle.create(config).await;
    let refused = refused.expect_err("it is wrong").to_string();
    assert!(refused.contains(expected), "{refused}");
    assert!(worker.handle.connectors().is_empty());
}

#[tokio::test]
async fn what_deserves_a_look_is_found_and_refuses_nothing() {
    let worker = TestWorker::start(&[]).await;
    let config = submitted(&lines(&[("topic", "odd")]));
    let validation = worker.handle.validate("lines", &config).await.unwrap();
    let none: [String; 0] = [];
    assert_eq!(validation.errors(), none);
    let found: Vec<_> = validation.warnings().collect();
    let said = |finding: &&Finding| (finding.key.clone(), finding.message.clone());
    let expected = [
        ("topic", "topic odd has no key"),
        ("connector.class", "nothing of it is new"),
    ];
    let expected = expected.map(|(key, message)| (key.to_owned(), message.to_owned()));
    assert_eq!(found.iter().map(said).collect::<Vec<_>>(), expected);
    assert_eq!(validation.findings.len(), found.len());
    assert_eq!(found[0].details, [("sql".to_owned(), "ALTER x".to_owned())]);
    worker.handle.create(config).await.unwrap();
    worker.reach_values("odd", 3).await;
}

#[tokio::test]
async fn what_does_not_work_yet_is_refused_by_name() {
    for (key, value) in [
        ("predicates", "p"),
        ("topic.creation.groups", "g"),
        ("offsets.storage.topic", "o"),
        ("transaction.boundary", "interval"),
        ("transaction.boundary.interval.ms", "5"),
        ("errors.log.include.messages", "true"),
        ("key.converter.plugin.version", "9.9.9"),
        ("producer.override.acks", "1"),
        ("consumer.override.group.id", "g"),
    ] {
        assert_eq!(wrong(&lines(&[(key, value)])).await, [key], "{key}={value}");
    }
    let chain = [
        ("transforms", "a"),
        (
            "transforms.a.type",
            "org.apache.kafka.connect.transforms.InsertField$Value",
        ),
    ];
    assert_eq!(wrong(&lines(&chain)).await, ["transforms.a.type"]);
    let chain = [
        ("transforms", "a"),
        ("transforms.a.type", "same"),
        ("transforms.a.x", "1"),
    ];
    assert_eq!(wrong(&lines(&chain)).await, ["transforms.a.x"]);
}

#[tokio::test]
async fn what_changes_nothing_here_is_accepted() {
    for (key, value) in [
        ("producer.override.acks", "all"),
        ("producer.override.linger.ms", "5"),
        ("exactly.once.support", "required"),
        ("connector.plugin.version", "1.2.0"),
        ("config.action.reload", "none"),
    ] {
        let none: [&str; 0] = [];
        assert_eq!(wrong(&lines(&[(key, value)])).await, none, "{key}={value}");
    }
}

#[tokio::test]
async fn a_sink_needs_topics_and_does_not_read_its_own_dead_letters() {
    assert_eq!(wrong(&collect(&[])).await, ["topics", "topics.regex"]);
    let loops = [("topics", "a"), ("errors.deadletterqueue.topic.name", "a")];
    assert_eq!(wrong(&collect(&loops)).await, ["topics"]);
}

#[tokio::test]
async fn a_null_is_an_error_of_its_key() {
    let mut config = submitted(&lines(&[]));
    config.insert("count".to_owned(), None);
    assert_eq!(wrong_keys(config).await, ["count"]);
}

#[tokio::test]
async fn a_version_that_is_not_there_is_an_error_of_class_and_version() {
    let config = lines(&[("connector.plugin.version", "9.9.9")]);
    assert_eq!(
        wrong(&config).await,
        ["connector.class", "connector.plugin.version"]
    );
}

#[tokio::test]
async fn an_unknown_class_says_what_there_is() {
    let worker = TestWorker::start(&[]).await;
    let config = submitted(&[("name", "c"), ("connector.class", "com.example.Nope")]);
    let Err(Error::BadRequest { code, message }) = worker.handle.create(config).await else {
        panic!("it was accepted");
    };
    assert_eq!(code, "unknown-connector-class");
    assert_eq!(
        message,
        "Failed to find any class that implements Connector and which name matches com.example.Nope, \
         available connectors are: lines 1.2.0 (source), collect 1.2.0 (sink)"
    );
}

#[tokio::test]
async fn a_wrong_config_is_not_deployed_and_its_errors_are_numbered() {
    let worker = TestWorker::start(&[]).await;
    let config = submitted(&lines(&[("count", "many"), ("colour", "red")]));
    let error = worker.handle.create(config).await.unwrap_err().to_string();
    let start = "Connector configuration is invalid and contains the following 2 error(s):\n\
                 1. Invalid value many for configuration count: Not a number of type INT\n2. colour";
    assert!(error.starts_with(start), "{error}");
    assert!(worker.handle.connectors().is_empty());
}
