//! The API's description, made from the handlers.

use axum::Json;
use utoipa::OpenApi;

use crate::{connectors, plugins, root, tasks, topics};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Longshore",
        description = "Kafka Connect's REST API, and topics and their records beside it.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        root::root,
        root::health,
        root::metrics,
        connectors::list,
        connectors::create,
        connectors::get,
        connectors::delete,
        connectors::config,
        connectors::put_config,
        connectors::status,
        connectors::leftovers,
        connectors::pause,
        connectors::resume,
        connectors::restart,
        connectors::topics,
        connectors::reset_topics,
        tasks::list,
        tasks::status,
        tasks::restart,
        plugins::list,
        plugins::config,
        plugins::validate,
        topics::list,
        topics::create,
        topics::get,
        topics::delete,
        topics::read,
        topics::write,
    )
)]
struct Description;

/// The description.
pub(crate) fn description() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

pub(crate) async fn serve() -> Json<utoipa::openapi::OpenApi> {
    Json(description())
}
