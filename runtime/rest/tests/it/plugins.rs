//! Plugins and validation, against what Kafka Connect 4.1.0 answers.

use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::fixture::TestApi;

/// `config/validate` of a FileStream connector with class and tasks.max only, by Kafka Connect 4.1.0.
const SOURCE_KEYS: &str = include_str!("kafka-connect-validate-source.json");
const SINK_KEYS: &str = include_str!("kafka-connect-validate-sink.json");

#[tokio::test(start_paused = true)]
async fn plugins_are_listed_sinks_first() {
    let api = TestApi::start().await;
    assert_json_snapshot!("plugins", api.get("/connector-plugins").await);
    let all = api.get("/connector-plugins?connectorsOnly=false").await;
    assert_eq!(
        all["body"][2],
        json!({"class": "same", "type": "transformation", "version": "1.2.0"})
    );
    let json = "org.apache.kafka.connect.json.JsonConverter";
    for kind in ["converter", "header_converter"] {
        let of_kind = |plugin: &&Value| plugin["class"] == json && plugin["type"] == kind;
        let listed = all["body"].as_array().unwrap().iter().filter(of_kind);
        assert_eq!(listed.count(), 1, "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_plugins_keys_come_with_the_common_ones() {
    let api = TestApi::start().await;
    assert_json_snapshot!(
        "plugin_config",
        api.get("/connector-plugins/lines/config").await
    );
    assert_eq!(
        api.get("/connector-plugins/nope/config").await["status"],
        404
    );
}

#[tokio::test(start_paused = true)]
async fn validation_lists_what_kafka_connect_lists() {
    let api = TestApi::start().await;
    for (class, golden) in [("lines", SOURCE_KEYS), ("collect", SINK_KEYS)] {
        let golden: Value = serde_json::from_str(golden).unwrap();
        let config = json!({"connector.class": class, "tasks.max": "1"});
        let path = format!("/connector-plugins/{class}/config/validate");
        let answer = api.call("PUT", &path, Some(config)).await;
        let body = &answer["body"];
        assert_eq!(answer["status"], 200);
        assert_eq!(body["groups"], golden["groups"], "{class}");
        let configs = body["configs"].as_array().unwrap();
        for key in golden["configs"].as_array().unwrap() {
            let name = &key["name"];
            let ours = configs
                .iter()
                .find(|config| config["definition"]["name"] == *name);
            let ours = ours.unwrap_or_else(|| panic!("{class} has no {name}"));
            assert_eq!(ours["definition"]["type"], key["type"], "{name}");
            assert_eq!(ours["value"]["errors"], key["errors"], "{name}");
            // Versions are our own.
            if !name.as_str().unwrap().ends_with("plugin.version") {
                assert_eq!(
                    ours["definition"]["default_value"], key["default_value"],
                    "{name}"
                );
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_warning_is_found_and_no_error_of_kafka_connects() {
    let api = TestApi::start().await;
    let config = json!({"name": "c", "connector.class": "lines", "topic": "odd"});
    let path = "/connector-plugins/lines/config/validate";
    let answer = api.call("PUT", path, Some(config)).await;
    let body = &answer["body"];
    assert_eq!(body["error_count"], 0);
    let configs = body["configs"].as_array().unwrap();
    assert!(
        configs
            .iter()
            .all(|key| key["value"]["errors"] == json!([]))
    );
    assert_eq!(
        body["findings"][0],
        json!({"key": "topic", "severity": "warning", "message": "topic odd has no key",
            "details": {"sql": "ALTER x"}})
    );
}

#[tokio::test(start_paused = true)]
async fn a_validation_has_kafka_connects_shape() {
    let api = TestApi::start().await;
    let config = json!({"connector.class": "lines", "count": "many", "colour": "red"});
    let path = "/connector-plugins/lines/config/validate";
    let mut answer = api.call("PUT", path, Some(config)).await;
    let configs = answer["body"]["configs"].as_array_mut().unwrap();
    configs.retain(|config| config["value"]["errors"] != json!([]));
    assert_json_snapshot!("validate", answer);
}

#[tokio::test(start_paused = true)]
async fn a_validation_for_another_class_is_refused() {
    let api = TestApi::start().await;
    let config = json!({"connector.class": "lines"});
    let path = "/connector-plugins/collect/config/validate";
    assert_json_snapshot!(
        "validate_other_class",
        api.call("PUT", path, Some(config)).await
    );
    let none = api.call("PUT", path, Some(json!({}))).await;
    assert_eq!(none["status"], 400);
}
