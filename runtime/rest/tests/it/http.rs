//! The layer below the calls: methods, media types, guards, limits, listeners, metrics.

use std::time::Duration;

use insta::assert_json_snapshot;
use longshore_rest::Rest;
use serde_json::json;
use tokio::net::TcpStream;

use crate::fixture::{TestApi, answer, request};

#[tokio::test(start_paused = true)]
async fn a_wrong_method_or_media_type_has_the_shape_of_errors() {
    let api = TestApi::start().await;
    assert_json_snapshot!(
        "method_not_allowed",
        api.call("DELETE", "/connectors", None).await
    );
    let mut text = request("POST", "/connectors", Some("{}"));
    text.headers_mut()
        .insert("content-type", "text/plain".parse().unwrap());
    assert_json_snapshot!("unsupported_media_type", answer(api.send(text).await).await);
}

#[tokio::test(start_paused = true)]
async fn pages_and_names_that_resolve_to_loopback_are_refused() {
    let api = TestApi::start().await;
    let mut rebound = request("GET", "/connectors", None);
    rebound
        .headers_mut()
        .insert("host", "evil.example:8083".parse().unwrap());
    assert_json_snapshot!("rebound", answer(api.send(rebound).await).await);
    let mut page = request("POST", "/connectors/fs/restart", None);
    page.headers_mut()
        .insert("origin", "http://evil.example".parse().unwrap());
    assert_json_snapshot!("other_origin", answer(api.send(page).await).await);
}

#[tokio::test(start_paused = true)]
async fn metrics_have_a_connectors_series_while_it_is_there() {
    let api = TestApi::with_connector().await;
    let metrics = api.get("/metrics").await["body"]
        .as_str()
        .unwrap()
        .to_owned();
    for line in [
        "kafka_connect_connect_worker_connector_count 1",
        "kafka_connect_connect_worker_task_count 1",
        "kafka_connect_connector_status{connector=\"fs\",status=\"running\"} 1",
        "kafka_connect_connector_task_status{connector=\"fs\",task=\"0\",status=\"running\"} 1",
        "kafka_connect_source_task_source_record_poll_total{connector=\"fs\",task=\"0\"} 3",
        "longshore_plugin_counter_total{connector=\"fs\",task=\"0\",name=\"opened\"} 1",
        "# EOF",
    ] {
        assert!(
            metrics.lines().any(|found| found == line),
            "{line}\n{metrics}"
        );
    }
    assert_eq!(metrics.matches("# EOF").count(), 1);
    api.call("DELETE", "/connectors/fs", None).await;
    api.shutdown.cancel();
    assert!(
        !api.get("/metrics").await["body"]
            .as_str()
            .unwrap()
            .contains("status=\"running\"")
    );
}

#[tokio::test]
async fn listeners_know_their_addresses_before_they_answer_and_drain_at_the_end() {
    let api = TestApi::start().await;
    let rest = Rest::bind(&["127.0.0.1:0".parse().unwrap()]).await.unwrap();
    let address = rest.addresses()[0];
    let taken = Rest::bind(&[address]).await.unwrap_err();
    assert_eq!(taken.address, address);

    let serving = tokio::spawn(rest.serve(api.api.clone()));
    let stream = TcpStream::connect(address).await.unwrap();
    let head = format!("GET / HTTP/1.1\r\nhost: {address}\r\n\r\n");
    write(&stream, &head).await;
    let text = read(&stream).await;
    assert!(text.starts_with("HTTP/1.1 200 OK"), "{text}");
    assert!(
        text.contains(&json!({"commit": "c0ffee"}).to_string()[1..18]),
        "{text}"
    );

    api.shutdown.cancel();
    tokio::time::timeout(Duration::from_secs(10), serving)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(read(&stream).await, "");
}

#[tokio::test(start_paused = true)]
async fn an_unfinished_head_does_not_keep_the_worker_from_stopping() {
    let api = TestApi::start().await;
    let rest = Rest::bind(&["127.0.0.1:0".parse().unwrap()]).await.unwrap();
    let address = rest.addresses()[0];
    let serving = tokio::spawn(rest.serve(api.api.clone()));
    let stream = TcpStream::connect(address).await.unwrap();
    write(&stream, "GET / HTTP/1.1\r\nhost: loc").await;
    api.shutdown.cancel();
    tokio::time::timeout(Duration::from_secs(30), serving)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn a_client_that_sends_too_much_hears_why() {
    let api = TestApi::start().await;
    let rest = Rest::bind(&["127.0.0.1:0".parse().unwrap()]).await.unwrap();
    let address = rest.addresses()[0];
    let serving = tokio::spawn(rest.serve(api.api.clone()));
    let stream = TcpStream::connect(address).await.unwrap();
    let body = " ".repeat(16 << 20);
    let head = format!(
        "POST /topics HTTP/1.0\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    write(&stream, &head).await;
    write(&stream, &body).await;
    let text = read(&stream).await;
    assert!(text.starts_with("HTTP/1.0 413 "), "{text}");
    api.shutdown.cancel();
    serving.await.unwrap();
}

async fn write(stream: &TcpStream, text: &str) {
    let mut left = text.as_bytes();
    while !left.is_empty() {
        stream.writable().await.unwrap();
        match stream.try_write(left) {
            Ok(n) => left = &left[n..],
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// What there is; nothing when the other side has closed.
async fn read(stream: &TcpStream) -> String {
    let mut buffer = [0; 4096];
    loop {
        stream.readable().await.unwrap();
        match stream.try_read(&mut buffer) {
            Ok(n) => return String::from_utf8_lossy(&buffer[..n]).into_owned(),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => panic!("{error}"),
        }
    }
}
