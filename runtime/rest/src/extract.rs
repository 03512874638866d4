//! What handlers take out of a request, with our errors instead of the framework's.

use axum::body::Body as HttpBody;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use futures_util::StreamExt as _;
use longshore_model::{ConnectorName, TaskId, TopicName};
use longshore_worker::Error as WorkerError;
use serde::de::DeserializeOwned;

use crate::error::ApiError;

/// Most bytes of a body.
pub(crate) const BODY_BYTES_MAX: usize = 4 << 20;

/// How much of a larger one is read and thrown away before it is refused: a client that is still
/// sending when the connection closes does not get to see why.
const REFUSED_BYTES_MAX: usize = 64 << 20;

/// A JSON body.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _state: &S) -> Result<Self, ApiError> {
        parse(&read(request).await?).map(Self)
    }
}

/// A JSON body that is an object: a list of its fields' values is not taken for one.
pub(crate) struct Object<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Object<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _state: &S) -> Result<Self, ApiError> {
        let body = read(request).await?;
        match body.trim_ascii_start().first() {
            Some(b'{') | None => parse(&body).map(Self),
            Some(_) => Err(malformed("the body must be a JSON object")),
        }
    }
}

async fn read(request: Request) -> Result<Vec<u8>, ApiError> {
    let content_type = request.headers().get(CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok());
    let essence = content_type.and_then(|value| value.split(';').next());
    if !essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json")) {
        return Err(ApiError::unsupported_media_type());
    }
    collect(request.into_body()).await
}

async fn collect(body: HttpBody) -> Result<Vec<u8>, ApiError> {
    let mut chunks = body.into_data_stream();
    let (mut bytes, mut n_bytes) = (Vec::new(), 0_usize);
    while n_bytes <= REFUSED_BYTES_MAX
        && let Some(chunk) = chunks.next().await
    {
        let chunk = chunk.map_err(|error| malformed(format!("the body broke off: {error}")))?;
        n_bytes = n_bytes.saturating_add(chunk.len());
        if n_bytes <= BODY_BYTES_MAX {
            bytes.extend_from_slice(&chunk);
        } else {
            bytes = Vec::new();
        }
    }
    if n_bytes > BODY_BYTES_MAX {
        return Err(ApiError::too_large(BODY_BYTES_MAX));
    }
    Ok(bytes)
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(body)
        .map_err(|error| malformed(format!("the body is not what it should be: {error}")))
}

fn malformed(message: impl Into<String>) -> ApiError {
    ApiError::bad_request("malformed-json", message)
}

/// A connector's name in the path. What is no name is no connector either.
pub(crate) struct Connector(pub(crate) ConnectorName);

impl<S: Send + Sync> FromRequestParts<S> for Connector {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let name: String = path(parts, state).await?;
        connector(&name).map(Self)
    }
}

/// A connector's name and a task's number in the path.
pub(crate) struct Task(pub(crate) TaskId);

impl<S: Send + Sync> FromRequestParts<S> for Task {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let (name, task): (String, String) = path(parts, state).await?;
        let connector = connector(&name)?;
        match task.parse() {
            Ok(task) => Ok(Self(TaskId { connector, task })),
            Err(_) => Err(ApiError::not_found("HTTP 404 Not Found")),
        }
    }
}

/// A topic's name in the path.
pub(crate) struct Topic(pub(crate) TopicName);

impl<S: Send + Sync> FromRequestParts<S> for Topic {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let name: String = path(parts, state).await?;
        let name = TopicName::parse(&name);
        name.map(Self)
            .map_err(|error| ApiError::not_found(error.to_string()))
    }
}

/// Query parameters, in order; names may repeat.
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// The values of a name.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self.0.iter().filter(move |(key, _)| key == name);
        named.map(|(_, value)| value.as_str())
    }

    /// The last value of a name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).last()
    }

    /// A flag; absent is false.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.get(name)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// A number, if it is there.
    pub(crate) fn number<N: std::str::FromStr>(&self, name: &str) -> Result<Option<N>, ApiError> {
        let parse = |text: &str| {
            text.parse().map_err(|_| {
                let message = format!("{name} must be a whole number that fits, and is {text:?}");
                ApiError::bad_request("invalid-parameter", message)
            })
        };
        self.get(name).map(parse).transpose()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let query = Query::from_request_parts(parts, state).await;
        let Query(parameters) =
            query.map_err(|error| ApiError::bad_request("invalid-parameter", error.body_text()))?;
        Ok(Self(parameters))
    }
}

async fn path<T: DeserializeOwned + Send, S: Send + Sync>(
    parts: &mut Parts,
    state: &S,
) -> Result<T, ApiError> {
    let path = Path::from_request_parts(parts, state).await;
    path.map(|Path(path)| path)
        .map_err(|error| ApiError::bad_request("invalid-path", error.body_text()))
}

fn connector(name: &str) -> Result<ConnectorName, ApiError> {
    let not_found = |_| ApiError::not_found(format!("Connector {name} not found"));
    ConnectorName::parse(name).map_err(not_found)
}

/// The name of a connector that the worker cannot know, as its errors say it.
pub(crate) fn other_name(included: &str, name: &str) -> ApiError {
    WorkerError::BadRequest {
        code: "other-name",
        message: format!(
            "Connector name configuration ({included}) doesn't match connector name in the URL ({name})"
        ),
    }
    .into()
}
