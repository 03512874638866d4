//! Topics and records over HTTP.

use axum::body::Body;
use futures_util::StreamExt;
use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::fixture::{TestApi, answer, request};

#[tokio::test(start_paused = true)]
async fn topics_are_made_listed_and_removed() {
    let api = TestApi::start().await;
    let new = json!({"name": "a", "partitions": 2, "config": {"retention.ms": "1000"}});
    assert_json_snapshot!(
        "create_topic",
        api.call("POST", "/topics", Some(new.clone())).await
    );
    assert_json_snapshot!(
        "create_topic_twice",
        api.call("POST", "/topics", Some(new)).await
    );
    assert_json_snapshot!("topics", api.get("/topics").await);
    assert_eq!(api.call("DELETE", "/topics/a", None).await["status"], 204);
    assert_json_snapshot!("unknown_topic", api.get("/topics/a").await);
    assert_eq!(api.call("DELETE", "/topics/a", None).await["status"], 404);
    let illegal = api
        .call("POST", "/topics", Some(json!({"name": "a b"})))
        .await;
    assert_eq!(illegal["status"], 400);
}

#[tokio::test(start_paused = true)]
async fn topics_of_our_own_are_only_read() {
    let api = TestApi::start().await;
    let internal = "/topics/_longshore_configs";
    assert_eq!(api.get(internal).await["body"]["internal"], true);
    let deleted = api.call("DELETE", internal, None).await;
    assert_json_snapshot!("internal_topic", deleted);
    let records = format!("{internal}/records");
    let written = api
        .call("POST", &records, Some(json!({"value": "x"})))
        .await;
    assert_eq!(written["body"]["code"], "internal-topic");
    assert_eq!(api.get(&records).await["status"], 200);
}

#[tokio::test(start_paused = true)]
async fn records_are_written_and_read_in_the_same_shape() {
    let api = TestApi::start().await;
    api.call(
        "POST",
        "/topics",
        Some(json!({"name": "a", "partitions": 2})),
    )
    .await;
    let one = json!({"key": "foobar", "value": "{\"x\":1}", "timestamp": 1});
    assert_eq!(
        api.call("POST", "/topics/a/records", Some(one)).await["body"],
        json!({"written": 1})
    );
    let list = json!([
        {"partition": 1, "value": {"base64": "/w=="}, "headers": [{"key": "h", "value": "v"}, {"key": "n"}]},
        {"partition": 1, "key": "k"},
    ]);
    assert_eq!(
        api.call("POST", "/topics/a/records", Some(list)).await["body"],
        json!({"written": 2})
    );
    let named = json!({"records": [{"partition": 0, "value": "last"}]});
    assert_eq!(
        api.call("POST", "/topics/a/records", Some(named)).await["body"],
        json!({"written": 1})
    );
    assert_json_snapshot!("records", api.get("/topics/a/records").await);
    let one = api
        .get("/topics/a/records?partition=1&offset=1&limit=1")
        .await;
    assert_eq!(one["body"][0]["offset"], 1);
    assert_eq!(one["body"].as_array().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn wrong_records_and_places_are_refused() {
    let api = TestApi::start().await;
    api.call("POST", "/topics", Some(json!({"name": "a"})))
        .await;
    for (body, status, code) in [
        (json!({"value": 1}), 400, "malformed-json"),
        (json!({"valu": "x"}), 400, "malformed-json"),
        (json!("x"), 400, "malformed-json"),
        (json!({"value": {"base64": "?"}}), 400, "malformed-json"),
        (
            json!({"value": "x", "timestamp": -1}),
            400,
            "malformed-json",
        ),
        (json!({"partition": 7, "value": "x"}), 404, "unknown-topic"),
    ] {
        let refused = api
            .call("POST", "/topics/a/records", Some(body.clone()))
            .await;
        assert_eq!(refused["status"], status, "{body}");
        assert_eq!(refused["body"]["code"], code, "{body}");
    }
    for (query, status) in [
        ("partition=7", 404),
        ("partition=x", 400),
        ("partition=4294967295", 404),
        ("offset=x", 400),
        ("offset=1", 400),
        ("limit=-1", 400),
        ("limit=10000", 200),
        ("limit=10001", 400),
    ] {
        let refused = api.get(&format!("/topics/a/records?{query}")).await;
        assert_eq!(refused["status"], status, "{query}");
    }
    assert_json_snapshot!(
        "limit_over_the_largest",
        api.get("/topics/a/records?limit=10001").await
    );
    assert_eq!(api.get("/topics/b/records").await["status"], 404);
    assert_eq!(
        api.get("/topics/b/records?follow=true").await["status"],
        404
    );
}

#[tokio::test(start_paused = true)]
async fn a_stream_follows_and_ends_with_the_worker() {
    let api = TestApi::start().await;
    api.call("POST", "/topics", Some(json!({"name": "a"})))
        .await;
    let response = api
        .send(request("GET", "/topics/a/records?follow=true", None))
        .await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut stream = response.into_body().into_data_stream();
    for n in 0..2 {
        let record = json!({"value": format!("v{n}"), "timestamp": 5});
        api.call("POST", "/topics/a/records", Some(record)).await;
        let event = stream.next().await.unwrap().unwrap();
        let expected = format!(
            "id: 0:{n}\ndata: {{\"partition\":0,\"offset\":{n},\"timestamp\":5,\"key\":null,\"value\":\"v{n}\",\"headers\":[]}}\n\n"
        );
        assert_eq!(String::from_utf8_lossy(&event), expected);
    }
    api.shutdown.cancel();
    assert!(stream.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_stream_may_be_asked_for_by_its_media_type_and_ends_at_its_limit() {
    let api = TestApi::start().await;
    api.call("POST", "/topics", Some(json!({"name": "a"})))
        .await;
    api.call(
        "POST",
        "/topics/a/records",
        Some(json!([{"value": "1"}, {"value": "2"}])),
    )
    .await;
    let mut asked = request("GET", "/topics/a/records?limit=1", None);
    asked
        .headers_mut()
        .insert("accept", "text/event-stream".parse().unwrap());
    let Value::String(events) = answer(api.send(asked).await).await["body"].take() else {
        panic!("not a stream");
    };
    assert_eq!(events.matches("data: ").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_body_over_the_limit_is_413() {
    let api = TestApi::start().await;
    api.call("POST", "/topics", Some(json!({"name": "a"})))
        .await;
    let mut large = request("POST", "/topics/a/records", Some(""));
    *large.body_mut() = Body::from(vec![b' '; (4 << 20) + 1]);
    assert_eq!(answer(api.send(large).await).await["status"], 413);
}
