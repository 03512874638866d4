//! Which path is whose, and what stands before all of them.

use std::future::{Ready, ready};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::Method;
use axum::http::uri::{PathAndQuery, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post, put};
use longshore_pipeline::port::{Broker, Plugins};

use crate::api::Api;
use crate::error::ApiError;
use crate::{connectors, guard, openapi, plugins, root, tasks, topics};

/// How long a request may take until its answer begins; Kafka Connect's default.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(90);

type Routes<B, P> = MethodRouter<Api<B, P>>;

/// The whole API.
pub fn router<B: Broker, P: Plugins>(api: Api<B, P>) -> Router {
    let mut router = Router::new();
    let routes = connector_routes().into_iter().chain(own_routes());
    for (path, routes) in routes.chain(unbuilt_routes()) {
        router = router.route(path, routes.fallback(other_method));
    }
    let router = router
        .route("/openapi.json", get(openapi::serve).fallback(other_method))
        .fallback(not_found)
        .layer(middleware::from_fn(timely))
        .layer(middleware::from_fn(guard::guard))
        .with_state(api);
    // A layer of the router itself would run when the path has been matched already.
    Router::new()
        .fallback_service(router)
        .layer(middleware::from_fn(without_last_slash))
}

fn connector_routes<B: Broker, P: Plugins>() -> Vec<(&'static str, Routes<B, P>)> {
    vec![
        ("/", get(root::root)),
        ("/health", get(root::health)),
        (
            "/connectors",
            get(connectors::list).post(connectors::create),
        ),
        (
            "/connectors/{name}",
            get(connectors::get).delete(connectors::delete),
        ),
        (
            "/connectors/{name}/config",
            get(connectors::config)
                .put(connectors::put_config)
                .patch(unbuilt(
                    "changing parts of a config does not work yet; PUT replaces the whole",
                )),
        ),
        ("/connectors/{name}/status", get(connectors::status)),
        ("/connectors/{name}/pause", put(connectors::pause)),
        ("/connectors/{name}/resume", put(connectors::resume)),
        ("/connectors/{name}/restart", post(connectors::restart)),
        ("/connectors/{name}/topics", get(connectors::topics)),
        (
            "/connectors/{name}/topics/reset",
            put(connectors::reset_topics),
        ),
        ("/connectors/{name}/tasks", get(tasks::list)),
        ("/connectors/{name}/tasks/{task}/status", get(tasks::status)),
        (
            "/connectors/{name}/tasks/{task}/restart",
            post(tasks::restart),
        ),
        ("/connector-plugins", get(plugins::list)),
        ("/connector-plugins/{plugin}/config", get(plugins::config)),
        (
            "/connector-plugins/{plugin}/config/validate",
            put(plugins::validate),
        ),
    ]
}

fn own_routes<B: Broker, P: Plugins>() -> Vec<(&'static str, Routes<B, P>)> {
    vec![
        ("/metrics", get(root::metrics)),
        ("/connectors/{name}/leftovers", get(connectors::leftovers)),
        ("/topics", get(topics::list).post(topics::create)),
        ("/topics/{topic}", get(topics::get).delete(topics::delete)),
        (
            "/topics/{topic}/records",
            get(topics::read).post(topics::write),
        ),
    ]
}

/// What scripts for Kafka Connect may call and must not take for a mistake of their own.
fn unbuilt_routes<B: Broker, P: Plugins>() -> Vec<(&'static str, Routes<B, P>)> {
    let offsets = unbuilt("offsets do not work yet; the status of a task shows its progress");
    let loggers = unbuilt("loggers do not work yet; LONGSHORE_LOG sets levels at the start");
    vec![
        (
            "/connectors/{name}/stop",
            put(unbuilt("stop does not work yet; pause does")),
        ),
        (
            "/connectors/{name}/offsets",
            get(offsets.clone()).patch(offsets.clone()).delete(offsets),
        ),
        (
            "/connectors/{name}/tasks-config",
            get(unbuilt(
                "tasks-config does not work; tasks shows the same configs",
            )),
        ),
        ("/admin/loggers", get(loggers.clone())),
        ("/admin/loggers/{logger}", get(loggers.clone()).put(loggers)),
    ]
}

/// `/connectors/` is `/connectors`, as in Kafka Connect.
async fn without_last_slash(mut request: Request, next: Next) -> Response {
    if let Some(shorter) = shorter(request.uri()) {
        *request.uri_mut() = shorter;
    }
    next.run(request).await
}

fn shorter(uri: &Uri) -> Option<Uri> {
    let path = uri
        .path()
        .strip_suffix('/')
        .filter(|path| !path.is_empty())?;
    let path = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(path).ok()?);
    Uri::from_parts(parts).ok()
}

/// Answers that a part of Kafka Connect's API does not work yet, and what does.
fn unbuilt(message: &'static str) -> impl Fn() -> Ready<ApiError> + Clone + Send + Sync + 'static {
    move || ready(ApiError::not_built(message))
}

async fn not_found() -> ApiError {
    ApiError::not_found("HTTP 404 Not Found")
}

async fn other_method(method: Method) -> ApiError {
    ApiError::method_not_allowed(method.as_str())
}

async fn timely(request: Request, next: Next) -> Response {
    match tokio::time::timeout(REQUEST_TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::timeout().into_response(),
    }
}
