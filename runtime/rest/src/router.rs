//! Which path is whose, and what stands before all of them.

use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::Method;
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
    for (path, routes) in connector_routes().into_iter().chain(own_routes()) {
        router = router.route(path, routes.fallback(other_method));
    }
    router
        .route("/openapi.json", get(openapi::serve).fallback(other_method))
        .fallback(not_found)
        .layer(middleware::from_fn(timely))
        .layer(middleware::from_fn(guard::guard))
        .with_state(api)
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
            // Changing parts of a config is not built yet.
            get(connectors::config)
                .put(connectors::put_config)
                .patch(not_found),
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
        ("/topics", get(topics::list).post(topics::create)),
        ("/topics/{topic}", get(topics::get).delete(topics::delete)),
        (
            "/topics/{topic}/records",
            get(topics::read).post(topics::write),
        ),
    ]
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
