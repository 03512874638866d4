//! Connectors and tasks, against Kafka Connect's shapes and codes.

use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::fixture::{TestApi, answer, connector, request};

#[tokio::test(start_paused = true)]
async fn the_worker_says_who_it_is_and_that_it_is_well() {
    let api = TestApi::start().await;
    assert_json_snapshot!("root", api.get("/").await);
    assert_json_snapshot!("health", api.get("/health").await);
    assert_json_snapshot!("no_connectors", api.get("/connectors").await);
}

#[tokio::test(start_paused = true)]
async fn a_connector_is_created_once() {
    let api = TestApi::start().await;
    let created = api.call("POST", "/connectors", Some(connector())).await;
    assert_json_snapshot!("create", created);
    let twice = api.call("POST", "/connectors", Some(connector())).await;
    assert_json_snapshot!("create_twice", twice);
    let mut odd = connector();
    odd["name"] = json!(" a/b c-._~ ");
    odd["config"]["topic"] = json!("odd");
    let odd = api.call("POST", "/connectors", Some(odd)).await;
    assert_eq!(odd["location"], "/connectors/a%2Fb%20c-._~");
    assert_eq!(
        api.get("/connectors/a%2Fb%20c-._~").await["body"]["name"],
        "a/b c-._~"
    );
}

#[tokio::test(start_paused = true)]
async fn a_connector_and_its_tasks_have_kafka_connects_shapes() {
    let api = TestApi::with_connector().await;
    assert_json_snapshot!("connector", api.get("/connectors/fs").await);
    assert_json_snapshot!("config", api.get("/connectors/fs/config").await);
    assert_json_snapshot!("status", api.get("/connectors/fs/status").await);
    assert_json_snapshot!("tasks", api.get("/connectors/fs/tasks").await);
    assert_json_snapshot!(
        "task_status",
        api.get("/connectors/fs/tasks/0/status").await
    );
    assert_json_snapshot!(
        "expand",
        api.get("/connectors?expand=status&expand=info&expand=x")
            .await
    );
    let used = |body: &Value| body["fs"]["topics"] == json!(["zz"]);
    api.reach("/connectors/fs/topics", used).await;
    assert_json_snapshot!(
        "topics_of_unknown",
        api.get("/connectors/nope/topics").await
    );
}

#[tokio::test(start_paused = true)]
async fn what_a_connector_leaves_behind_is_shown_and_removed_with_it() {
    let api = TestApi::with_connector().await;
    let stored = |left: &Value| left != &json!([]);
    let left = api.reach("/connectors/fs/leftovers", stored).await;
    assert_json_snapshot!("leftovers", left);
    let asked = api
        .call("DELETE", "/connectors/fs?cleanup=true", None)
        .await;
    assert_eq!(asked["status"], 202);
    let gone = |body: &Value| body == &json!([]);
    api.reach("/connectors", gone).await;
    let unknown = api.get("/connectors/fs/leftovers").await;
    assert_eq!(unknown["status"], 404);
}

#[tokio::test(start_paused = true)]
async fn a_config_is_put_and_its_name_must_be_the_paths() {
    let api = TestApi::start().await;
    let config = connector()["config"].clone();
    let put = async |config: &Value| {
        api.call("PUT", "/connectors/fs/config", Some(config.clone()))
            .await
    };
    assert_eq!(put(&config).await["status"], 201);
    assert_eq!(put(&config).await["status"], 200);
    let mut number = config.clone();
    number["count"] = json!(5);
    assert_eq!(put(&number).await["body"]["config"]["count"], "5");
    let mut other = config;
    other["name"] = json!("other");
    assert_json_snapshot!("other_name", put(&other).await);
}

#[tokio::test(start_paused = true)]
async fn lifecycle_calls_answer_as_kafka_connect_does() {
    let api = TestApi::with_connector().await;
    for (method, path, status) in [
        ("PUT", "/connectors/fs/pause", 202),
        ("PUT", "/connectors/fs/pause", 202),
        ("PUT", "/connectors/fs/resume", 202),
        ("POST", "/connectors/fs/restart", 204),
        ("POST", "/connectors/fs/tasks/0/restart", 204),
        ("PUT", "/connectors/fs/topics/reset", 202),
    ] {
        let answer = api.call(method, path, None).await;
        assert_eq!(
            answer,
            json!({"status": status, "body": null}),
            "{method} {path}"
        );
    }
    let running = |status: &Value| status["tasks"][0]["state"] == "RUNNING";
    api.reach("/connectors/fs/status", running).await;
    let restart = "/connectors/fs/restart?includeTasks=true&onlyFailed=false";
    assert_json_snapshot!("restart", api.call("POST", restart, None).await);
    let deleted = api.call("DELETE", "/connectors/fs", None).await;
    assert_eq!(deleted, json!({"status": 204, "body": null}));
    assert_json_snapshot!("unknown_connector", api.get("/connectors/fs").await);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_is_404() {
    let api = TestApi::with_connector().await;
    for (method, path) in [
        ("GET", "/connectors/nope"),
        ("GET", "/connectors/nope/config"),
        ("GET", "/connectors/nope/status"),
        ("GET", "/connectors/nope/tasks"),
        ("GET", "/connectors/fs/tasks/1/status"),
        ("GET", "/connectors/fs/tasks/x/status"),
        ("PUT", "/connectors/nope/pause"),
        ("PUT", "/connectors/nope/resume"),
        ("POST", "/connectors/nope/restart"),
        ("POST", "/connectors/nope/restart?includeTasks=true"),
        ("POST", "/connectors/fs/tasks/1/restart"),
        ("DELETE", "/connectors/nope"),
        ("PUT", "/connectors/nope/topics/reset"),
        ("POST", "/connectors/fs/tasks"),
        ("GET", "/nowhere"),
    ] {
        let answer = api.call(method, path, None).await;
        let expected = if path == "/connectors/fs/tasks" {
            405
        } else {
            404
        };
        assert_eq!(answer["status"], expected, "{method} {path}");
        assert_eq!(answer["body"]["error_code"], expected, "{method} {path}");
    }
    assert_json_snapshot!("unknown_path", api.get("/nowhere").await);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_built_yet_is_404_and_says_so() {
    let api = TestApi::with_connector().await;
    for (method, path) in [
        ("PATCH", "/connectors/fs/config"),
        ("PUT", "/connectors/fs/stop"),
        ("GET", "/connectors/fs/offsets"),
        ("PATCH", "/connectors/fs/offsets"),
        ("DELETE", "/connectors/fs/offsets"),
        ("GET", "/connectors/fs/tasks-config"),
        ("GET", "/admin/loggers"),
        ("PUT", "/admin/loggers/org.example"),
    ] {
        let answer = api.call(method, path, None).await;
        assert_eq!(answer["status"], 404, "{method} {path}");
        assert_eq!(answer["body"]["code"], "not-built", "{method} {path}");
    }
    let stop = api.call("PUT", "/connectors/fs/stop", None).await;
    assert_json_snapshot!("not_built", stop);
}

#[tokio::test(start_paused = true)]
async fn a_slash_at_the_end_changes_nothing() {
    let api = TestApi::start().await;
    let created = api.call("POST", "/connectors/", Some(connector())).await;
    assert_eq!(created["status"], 201, "{created}");
    assert_eq!(
        api.get("/connectors/?expand=info").await["body"]["fs"]["info"]["name"],
        "fs"
    );
    let paused = api.call("PUT", "/connectors/fs/pause/", None).await;
    assert_eq!(paused["status"], 202, "{paused}");
    assert_eq!(api.get("/").await["status"], 200);
    for path in ["/connectors//", "/nowhere/"] {
        assert_eq!(api.get(path).await["status"], 404, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn bodies_that_are_wrong_are_400_and_say_where() {
    let api = TestApi::start().await;
    let post =
        async |body: &str| answer(api.send(request("POST", "/connectors", Some(body))).await).await;
    assert_json_snapshot!("malformed", post("{\"name\": \"fs\",").await);
    assert_json_snapshot!("not_an_object", post("[1]").await);
    assert_json_snapshot!("unknown_field", post("{\"nam\": \"fs\"}").await);
    assert_json_snapshot!(
        "initial_state",
        post("{\"name\": \"fs\", \"initial_state\": \"PAUSED\", \"config\": {}}").await
    );
    assert_json_snapshot!(
        "deep_value",
        post("{\"name\": \"fs\", \"config\": {\"a\": [1]}}").await
    );
    assert_json_snapshot!("no_class", post("{\"name\": \"fs\", \"config\": {}}").await);
    assert_json_snapshot!(
        "unknown_class",
        post("{\"name\": \"fs\", \"config\": {\"connector.class\": \"com.example.Nope\"}}").await
    );
    assert_json_snapshot!(
        "invalid_config",
        post(
            "{\"config\": {\"connector.class\": \"lines\", \"colour\": \"red\", \"count\": null}}"
        )
        .await
    );
}
