//! `/connector-plugins`.

use axum::Json;
use axum::extract::{Path, State};
use longshore_model::Role;
use longshore_pipeline::port::{Broker, Plugins};
use serde_json::{Map, Value};

use crate::api::Api;
use crate::dto::{KeyInfo, Plugin, ValidationResult, submitted};
use crate::error::{ApiError, ErrorBody};
use crate::extract::{Body, Parameters};

/// The plugins on the shelf: sinks, sources; then transformations, and the converters that are part of the worker.
#[utoipa::path(get, operation_id = "plugins_list", path = "/connector-plugins", tag = "plugins",
    params(("connectorsOnly" = Option<bool>, Query, description = "true unless false")),
    responses((status = 200, body = Vec<Plugin>)))]
pub(crate) async fn list<B: Broker, P: Plugins>(
    State(api): State<Api<B, P>>,
    parameters: Parameters,
) -> Json<Vec<Plugin>> {
    let all = parameters
        .get("connectorsOnly")
        .is_some_and(|only| only.eq_ignore_ascii_case("false"));
    let mut kinds = vec![(Role::Sink, "sink"), (Role::Source, "source")];
    if all {
        kinds.push((Role::Transform, "transformation"));
    }
    let shelf = api.worker.plugins().await;
    let of = |(role, kind): (Role, &'static str)| {
        let plugins = shelf
            .iter()
            .filter(move |plugin| plugin.manifest.roles.contains(&role));
        plugins.map(move |plugin| Plugin {
            class: plugin.id.name.to_string(),
            kind,
            version: plugin.id.version.to_string(),
        })
    };
    let mut plugins: Vec<Plugin> = kinds.into_iter().flat_map(of).collect();
    if all {
        let converter = |kind| {
            move |class| Plugin {
                class,
                kind,
                version: env!("CARGO_PKG_VERSION").to_owned(),
            }
        };
        plugins.extend(longshore_serdes::classes().map(converter("converter")));
        plugins.extend(longshore_serdes::header_classes().map(converter("header_converter")));
    }
    Json(plugins)
}

/// What a plugin can be configured with.
#[utoipa::path(get, operation_id = "plugins_config", path = "/connector-plugins/{plugin}/config", tag = "plugins",
    params(("plugin" = String, Path), ("version" = Option<String>, Query)),
    responses((status = 200, body = Vec<KeyInfo>), (status = 404, body = ErrorBody)))]
pub(crate) async fn config<B: Broker, P: Plugins>(
    State(api): State<Api<B, P>>,
    Path(plugin): Path<String>,
    parameters: Parameters,
) -> Result<Json<Vec<KeyInfo>>, ApiError> {
    let keys = api
        .worker
        .plugin_config(&plugin, parameters.get("version"))
        .await?;
    Ok(Json(KeyInfo::all(keys)))
}

/// Checks a config and changes nothing.
#[utoipa::path(put, operation_id = "plugins_validate", path = "/connector-plugins/{plugin}/config/validate", tag = "plugins",
    params(("plugin" = String, Path)), request_body = std::collections::BTreeMap<String, String>,
    responses((status = 200, body = ValidationResult, description = "Also where there are errors"), (status = 400, body = ErrorBody)))]
pub(crate) async fn validate<B: Broker, P: Plugins>(
    State(api): State<Api<B, P>>,
    Path(plugin): Path<String>,
    Body(config): Body<Map<String, Value>>,
) -> Result<Json<ValidationResult>, ApiError> {
    let validation = api.worker.validate(&plugin, &submitted(config)?).await?;
    Ok(Json(validation.into()))
}
