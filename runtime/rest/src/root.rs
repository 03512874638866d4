//! The worker itself: who it is, whether it is well, what it counts.

use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use longshore_pipeline::port::{Broker, Plugins};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::Api;
use crate::error::{ApiError, ErrorBody};
use crate::metrics;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Root {
    version: String,
    commit: String,
    kafka_cluster_id: String,
}

/// Who the worker is.
#[utoipa::path(get, operation_id = "root", path = "/", tag = "worker", responses((status = 200, body = Root)))]
pub(crate) async fn root<B: Broker, P: Plugins>(State(api): State<Api<B, P>>) -> Json<Root> {
    Json(Root {
        version: api.identity.version,
        commit: api.identity.commit,
        kafka_cluster_id: api.identity.cluster_id,
    })
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    #[schema(value_type = String, example = "healthy")]
    status: &'static str,
    message: &'static str,
}

/// Whether the worker takes requests.
#[utoipa::path(get, operation_id = "health", path = "/health", tag = "worker",
    responses((status = 200, body = Health), (status = 500, body = ErrorBody)))]
pub(crate) async fn health<B: Broker, P: Plugins>(
    State(api): State<Api<B, P>>,
) -> Result<Json<Health>, ApiError> {
    if !api.worker.is_running() {
        return Err(ApiError::unhealthy("The worker has stopped."));
    }
    Ok(Json(Health {
        status: "healthy",
        message: "Worker has completed startup and is ready to handle requests.",
    }))
}

/// Counters and states, in OpenMetrics text.
#[utoipa::path(get, operation_id = "metrics", path = "/metrics", tag = "worker",
    responses((status = 200, body = String, content_type = "application/openmetrics-text")))]
pub(crate) async fn metrics<B: Broker, P: Plugins>(
    State(api): State<Api<B, P>>,
) -> impl IntoResponse {
    let text = metrics::encode(&api.registry, &api.worker);
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(CONTENT_TYPE, content_type)], text)
}
