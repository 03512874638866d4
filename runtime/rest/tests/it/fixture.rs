//! A worker behind the API in a test.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::response::Response;
use longshore_pipeline::memory::MemoryBroker;
use longshore_pipeline::settings::Settings;
use longshore_pipeline::telemetry::Metrics;
use longshore_rest::{Api, Identity, router};
use longshore_worker::{SealKey, Worker, WorkerConfig};
use prometheus_client::registry::Registry;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::fake::{FakePlugins, Noon};

pub(crate) struct TestApi {
    pub(crate) router: Router,
    pub(crate) shutdown: CancellationToken,
    pub(crate) api: Api<MemoryBroker, FakePlugins>,
    broker: MemoryBroker,
}

impl TestApi {
    pub(crate) async fn start() -> Self {
        let broker = MemoryBroker::default();
        let config = WorkerConfig::parse("127.0.0.1:8083", Settings::new()).unwrap();
        let mut registry = Registry::default();
        let metrics = Metrics::register(&mut registry);
        let plugins = FakePlugins::new();
        let (seal, clock) = (SealKey::generate(), Arc::new(Noon));
        let worker = Worker::open(broker.clone(), plugins, config, seal, clock, metrics).await;
        let worker = worker.unwrap();
        let handle = worker.handle();
        let shutdown = CancellationToken::new();
        tokio::spawn(worker.run(shutdown.clone()));
        let api = Api {
            worker: handle,
            identity: Identity {
                version: "0.1.0".to_owned(),
                commit: "c0ffee".to_owned(),
                cluster_id: "cluster".to_owned(),
            },
            registry: Arc::new(registry),
            shutdown: shutdown.clone(),
        };
        Self {
            router: router(api.clone()),
            shutdown,
            api,
            broker,
        }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// Status, location and body of an answer, as one value for a snapshot.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let body = body.map(|body| body.to_string());
        answer(self.send(request(method, path, body.as_deref())).await).await
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.call("GET", path, None).await
    }

    /// Waits until the answer to a GET is so. Whatever a worker does ends in a write.
    pub(crate) async fn reach(&self, path: &str, reached: impl Fn(&Value) -> bool) -> Value {
        let mut appended = self.broker.appended();
        let wait = async {
            loop {
                let answer = self.get(path).await;
                if reached(&answer["body"]) {
                    return answer;
                }
                appended.changed().await.unwrap();
            }
        };
        let reached = tokio::time::timeout(Duration::from_secs(600), wait).await;
        match reached {
            Ok(answer) => answer,
            Err(_) => panic!("{}", self.get(path).await),
        }
    }

    /// Creates the connector `fs` and waits until it runs.
    pub(crate) async fn with_connector() -> Self {
        let api = Self::start().await;
        let created = api.call("POST", "/connectors", Some(connector())).await;
        assert_eq!(created["status"], 201, "{created}");
        let running = |status: &Value| status["tasks"][0]["state"] == "RUNNING";
        api.reach("/connectors/fs/status", running).await;
        api
    }
}

pub(crate) fn connector() -> Value {
    json!({"name": "fs", "config": {
        "connector.class": "com.example.LinesConnector",
        "topic": "zz",
        "tasks.max": "1",
        "value.converter": "org.apache.kafka.connect.storage.StringConverter",
    }})
}

pub(crate) fn request(method: &str, path: &str, body: Option<&str>) -> Request<Body> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "localhost:8083");
    match body {
        Some(body) => {
            let request = request.header("content-type", "application/json");
            request.body(Body::from(body.to_owned())).unwrap()
        }
        None => request.body(Body::empty()).unwrap(),
    }
}

pub(crate) async fn answer(response: Response) -> Value {
    let status = response.status().as_u16();
    let location = response.headers().get("location").cloned();
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20)
        .await
        .unwrap();
    let body = if bytes.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&bytes).unwrap_or_else(|_| json!(String::from_utf8_lossy(&bytes)))
    };
    let mut answer = json!({"status": status, "body": body});
    if let Some(location) = location {
        answer["location"] = json!(location.to_str().unwrap());
    }
    answer
}
