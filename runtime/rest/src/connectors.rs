//! `/connectors` and what lies under it.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use longshore_model::ConnectorName;
use longshore_pipeline::port::{Broker, Plugins};
use longshore_worker::{RestartRequest, Submitted, TargetState};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use crate::api::Api;
use crate::dto::{
    Config, ConnectorInfo, ConnectorStatus, Expanded, Leftover, NewConnector, TopicsOf, submitted,
};
use crate::error::{ApiError, ErrorBody};
use crate::extract::{Body, Connector, Object, Parameters, other_name};

/// What is written as `%..` in a path: all but the characters that RFC 3986 calls unreserved.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// All connectors: their names, or with `expand` their states and configs by name.
#[utoipa::path(get, operation_id = "connectors_list", path = "/connectors", tag = "connectors",
    params(("expand" = Option<Vec<String>>, Query, description = "status, info; may repeat")),
    responses((status = 200, body = Vec<String>, description = "Names; an object by name with expand")))]
pub(crate) async fn list<B: Broker, P: Plugins>(
    State(api): State<Api<B, P>>,
    parameters: Parameters,
) -> Result<Response, ApiError> {
    let names = api.worker.connectors();
    let expand: Vec<_> = parameters.all("expand").collect();
    if expand.is_empty() {
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        return Ok(Json(names).into_response());
    }
    let mut connectors = BTreeMap::new();
    for name in names {
        let mut expanded = Expanded::default();
        // One that was deleted meanwhile is left out.
        if expand.contains(&"status") {
            let Ok(status) = api.worker.status(&name) else {
                continue;
            };
            expanded.status = Some(status.into());
        }
        if expand.contains(&"info") {
            let Ok(info) = api.worker.connector(&name) else {
                continue;
            };
            expanded.info = Some(info.into());
        }
        connectors.insert(name.to_string(), expanded);
    }
    Ok(Json(connectors).into_response())
}

/// Creates a connector.
#[utoipa::path(post, operation_id = "connectors_create", path = "/connectors", tag = "connectors", request_body = NewConnector,
    responses((status = 201, body = ConnectorInfo), (status = 400, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(crate) async fn create<B: Broker, P: Plugins>(
    State(api): State<Api<B, P>>,
    Object(new): Object<NewConnector>,
) -> Result<Response, ApiError> {
    new.check_built()
        .map_err(|message| ApiError::bad_request("not-built", message))?;
    let name = new.name.unwrap_or_default().trim().to_owned();
    let config = named(&name, submitted(new.config.unwrap_or_default())?)?;
    let info = api.worker.create(config).await?;
    Ok(created(info.into(), &name))
}

/// A connector's config and tasks.
#[utoipa::path(get, operation_id = "connectors_get", path = "/connectors/{name}", tag = "connectors",
    params(("name" = String, Path)),
    responses((status = 200, body = ConnectorInfo), (status = 404, body = ErrorBody)))]
pub(crate) async fn get<B: Broker, P: Plugins>(
    State(api): State<Api<B, P>>,
    Connector(name): Connector,
) -> Result<Json<ConnectorInfo>, ApiError> {
    Ok(Json(api.worker.connector(&name)?.into()))
}

/// Deletes a connector; its offsets stay. With `cleanup` it is deleted once its plugin has removed what it leaves behind in
/// the outside system, and its offsets go as well; its status says meanwhile why it could not, and a config that is put
/// keeps the connector.
#[utoipa::path(delete, operation_id = "connectors_delete", path = "/connectors/{name}", tag = "connectors",
    params(("name" = String, Path), ("cleanup" = Option<bool>, Query)),
    responses((status = 204), (status = 202, description = "With cleanup"), (status = 404, body = ErrorBody)))]
pub(crate) async fn delete<B: Broker, P: Plugins>(
    State(api): State<Api<B, P>>,
    Connector(name): Connector,
    parameters: Parameters,
) -> Result<StatusCode, ApiError> {
    let cleanup = parameters.flag("cleanup");
    api.worker.delete(&name, cleanup).await?;
    Ok(if cleanup {
        StatusCode::ACCEPTED
    } else {
        StatusCode::NO_CONTENT
    })
}

/// What a deletion of the connector would leave behind in the outside system, as its plugin finds it now.
#[utoipa::path(get, operation_id = "connectors_leftovers", path = "/connectors/{name}/leftovers", tag = "connectors",
    params(("name" = String, Path)),
    responses((status = 200, body = Vec<Leftover>), (status = 404, body = ErrorBody)))]
pub(crate) async fn leftovers<B: Broker, P: Plugins>(
    State(api): State<Api<B, P>>,
    Connector(name): Connector,
) -> Result<Json<Vec<Leftover>>, ApiError> {
    let left = api.worker.leftovers(&name).await?;
    Ok(Json(left.into_iter().map(Into::into).collect()))
}

/// A connector's config, as it was submitted, with its name; passwords are masked.
#[utoipa::path(get, operation_id = "connectors_config", path = "/connectors/{name}/config", tag = "connectors",
    params(("name" = String, Path)),
    responses((status = 200, body = BTreeMap<String, String>), (status = 404, body = ErrorBody)))]
pub(crate) async fn config<B: Broker, P: Plugins>(
    State(api): State<Api<B, P>>,
    Connector(name): Connector,
) -> Result<Json<Config>, ApiError> {
    Ok(Json(api.worker.connector(&name)?.config))
}

/// Creates a connector or replaces its config.
#[utoipa::path(put, operation_id = "connectors_put_config", path = "/connectors/{name}/config", tag = "connectors",
    params(("name" = String, Path)), request_body = BTreeMap<String, String>,
    responses((status = 200, body = ConnectorInfo), (status = 201, body = ConnectorInfo), (status = 400, body = ErrorBody)))]
pub(crate) async fn put_config<B: Broker, P: Plugins>(
    State(api): State<Api<B, P>>,
    Connector(name): Connector,
    Body(config): Body<Map<String, Value>>,
) -> Result<Response, ApiError> {
    let config = named(name.as_str(), submitted(config)?)?;
    let (info, is_new) = api.worker.put(config).await?;
    let info = info.into();
    Ok(if is_new {
        created(info, name.as_str())
    } else {
        Json(info).into_response()
    })
}

/// How a connector and its tasks fare.
#[utoipa::path(get, operation_id = "connectors_status", path = "/connectors/{name}/status", tag = "connectors",
    params(("name" = String, Path)),
    responses((status = 200, body = ConnectorStatus), (status = 404, body = ErrorBody)))]
pub(crate) async fn status<B: Broker, P: Plugins>(
    State(api): State<Api<B, P>>,
    Connector(name): Connector,
) -> Result<Json<ConnectorStatus>, ApiError> {
    Ok(Json(api.worker.status(&name)?.into()))
}

/// Pauses a connector; its tasks stay in memory.
#[utoipa::path(put, operation_id = "connectors_pause", path = "/connectors/{name}/pause", tag = "connectors",
    params(("name" = String, Path)),
    responses((status = 202), (status = 404, body = ErrorBody)))]
pub(crate) async fn pause<B: Broker, P: Plugins>(
    State(api): State<Api<B, P>>,
    Connector(name): Connector,
) -> Result<StatusCode, ApiError> {
    set_target(&api, &name, TargetState::Paused).await
}

/// Resumes a connector that was paused.
#[utoipa::path(put, operation_id = "connectors_resume", path = "/connectors/{name}/resume", tag = "connectors",
    params(("name" = String, Path)),
    responses((status = 202), (status = 404, body = ErrorBody)))]
pub(crate) async fn resume<B: Broker, P: Plugins>(
    State(api): State<Api<B, P>>,
    Connector(name): Connector,
) -> Result<StatusCode, ApiError> {
    set_target(&api, &name, TargetState::Started).await
}

/// Restarts a connector, and with the flags its tasks or only what failed.
#[utoipa::path(post, operation_id = "connectors_restart", path = "/connectors/{name}/restart", tag = "connectors",
    params(("name" = String, Path), ("includeTasks" = Option<bool>, Query), ("onlyFailed" = Option<bool>, Query)),
    responses((status = 202, body = ConnectorStatus, description = "With a flag"),
        (status = 204, description = "Without flags"), (status = 404, body = ErrorBody)))]
pub(crate) async fn restart<B: Broker, P: Plugins>(
    State(api): State<Api<B, P>>,
    Connector(name): Connector,
    parameters: Parameters,
) -> Result<Response, ApiError> {
    let request = RestartRequest {
        include_tasks: parameters.flag("includeTasks"),
        only_failed: parameters.flag("onlyFailed"),
    };
    let status: ConnectorStatus = api.worker.restart(&name, request).await?.into();
    Ok(if request == RestartRequest::default() {
        StatusCode::NO_CONTENT.into_response()
    } else {
        (StatusCode::ACCEPTED, Json(status)).into_response()
    })
}

/// The topics that a connector has used.
#[utoipa::path(get, operation_id = "connectors_topics", path = "/connectors/{name}/topics", tag = "connectors",
    params(("name" = String, Path)),
    responses((status = 200, body = BTreeMap<String, TopicsOf>), (status = 403, body = ErrorBody)))]
pub(crate) async fn topics<B: Broker, P: Plugins>(
    State(api): State<Api<B, P>>,
    Connector(name): Connector,
) -> Result<Json<BTreeMap<String, TopicsOf>>, ApiError> {
    let topics = api.worker.topics_of(&name)?;
    let topics = topics.iter().map(ToString::to_string).collect();
    Ok(Json(BTreeMap::from([(
        name.to_string(),
        TopicsOf { topics },
    )])))
}

/// Forgets the topics that a connector has used.
#[utoipa::path(put, operation_id = "connectors_reset_topics", path = "/connectors/{name}/topics/reset", tag = "connectors",
    params(("name" = String, Path)),
    responses((status = 202), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(crate) async fn reset_topics<B: Broker, P: Plugins>(
    State(api): State<Api<B, P>>,
    Connector(name): Connector,
) -> Result<StatusCode, ApiError> {
    api.worker.reset_topics(&name).await?;
    Ok(StatusCode::ACCEPTED)
}

async fn set_target<B: Broker, P: Plugins>(
    api: &Api<B, P>,
    name: &ConnectorName,
    target: TargetState,
) -> Result<StatusCode, ApiError> {
    api.worker.set_target(name, target).await?;
    Ok(StatusCode::ACCEPTED)
}

/// The config with its name in it, which must be the one of the request.
fn named(name: &str, mut config: Submitted) -> Result<Submitted, ApiError> {
    match config.get("name") {
        Some(Some(included)) if included.trim() != name => Err(other_name(included, name)),
        _ => {
            config.insert("name".to_owned(), Some(name.to_owned()));
            Ok(config)
        }
    }
}

fn created(info: ConnectorInfo, name: &str) -> Response {
    let location = format!("/connectors/{}", utf8_percent_encode(name, RESERVED));
    (StatusCode::CREATED, [(LOCATION, location)], Json(info)).into_response()
}
