//! `/connectors/{name}/tasks`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use longshore_pipeline::port::{Broker, Plugins};

use crate::api::Api;
use crate::dto::{Task as TaskBody, TaskState};
use crate::error::{ApiError, ErrorBody};
use crate::extract::{Connector, Task};

/// A connector's tasks with their configs.
#[utoipa::path(get, operation_id = "tasks_list", path = "/connectors/{name}/tasks", tag = "tasks",
    params(("name" = String, Path)),
    responses((status = 200, body = Vec<TaskBody>), (status = 404, body = ErrorBody)))]
pub(crate) async fn list<B: Broker, P: Plugins>(
    State(api): State<Api<B, P>>,
    Connector(name): Connector,
) -> Result<Json<Vec<TaskBody>>, ApiError> {
    let tasks = api.worker.tasks(&name)?;
    let body = |(id, config): (longshore_model::TaskId, _)| TaskBody {
        id: id.into(),
        config,
    };
    Ok(Json(tasks.into_iter().map(body).collect()))
}

/// How a task fares.
#[utoipa::path(get, operation_id = "tasks_status", path = "/connectors/{name}/tasks/{task}/status", tag = "tasks",
    params(("name" = String, Path), ("task" = u32, Path)),
    responses((status = 200, body = TaskState), (status = 404, body = ErrorBody)))]
pub(crate) async fn status<B: Broker, P: Plugins>(
    State(api): State<Api<B, P>>,
    Task(id): Task,
) -> Result<Json<TaskState>, ApiError> {
    Ok(Json(api.worker.task_status(&id)?.into()))
}

/// Restarts a task.
#[utoipa::path(post, operation_id = "tasks_restart", path = "/connectors/{name}/tasks/{task}/restart", tag = "tasks",
    params(("name" = String, Path), ("task" = u32, Path)),
    responses((status = 204), (status = 404, body = ErrorBody)))]
pub(crate) async fn restart<B: Broker, P: Plugins>(
    State(api): State<Api<B, P>>,
    Task(id): Task,
) -> Result<StatusCode, ApiError> {
    api.worker.restart_task(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}
