//! Errors as HTTP answers. The only place that names status codes of failures.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use longshore_pipeline::port::BrokerError;
use longshore_worker::Error as WorkerError;
use serde::Serialize;
use utoipa::ToSchema;

/// An answer that says what was wrong.
#[derive(Clone, Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    code: String,
    message: String,
}

/// The body of every error: Kafka Connect's two fields and a stable code.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorBody {
    /// The HTTP status.
    error_code: u16,
    /// What was wrong, for a person.
    message: String,
    /// What was wrong, for a program.
    code: String,
}

impl ApiError {
    fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.to_owned(),
            message: message.into(),
        }
    }

    pub(crate) fn bad_request(code: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", message)
    }

    /// A part of Kafka Connect's API that does not work yet, as the older workers answer that lack it.
    pub(crate) fn not_built(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-built", message)
    }

    pub(crate) fn method_not_allowed(method: &str) -> Self {
        let message = format!("HTTP 405 Method Not Allowed: {method}");
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method-not-allowed",
            message,
        )
    }

    pub(crate) fn unsupported_media_type() -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported-media-type",
            "HTTP 415 Unsupported Media Type: the body must be application/json",
        )
    }

    pub(crate) fn too_large(limit: usize) -> Self {
        let message = format!("the body is over the limit of {limit} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", message)
    }

    pub(crate) fn refused_origin(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "origin-refused", message)
    }

    pub(crate) fn timeout() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "timeout",
            "Request timed out. What it asked for may still happen.",
        )
    }

    pub(crate) fn unhealthy(message: &str) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "unhealthy", message)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        if self.status.is_server_error() {
            tracing::warn!(code = self.code, error = self.message, "a request failed");
        }
        let body = ErrorBody {
            error_code: self.status.as_u16(),
            message: self.message,
            code: self.code,
        };
        (self.status, Json(body)).into_response()
    }
}

impl From<WorkerError> for ApiError {
    fn from(error: WorkerError) -> Self {
        let status = match &error {
            WorkerError::UnknownConnector(_)
            | WorkerError::UnknownTask(_)
            | WorkerError::UnknownPlugin(_)
            | WorkerError::UnknownTopic(_) => StatusCode::NOT_FOUND,
            WorkerError::Exists(_) => StatusCode::CONFLICT,
            WorkerError::BadRequest { .. } | WorkerError::InvalidConfig(_) => {
                StatusCode::BAD_REQUEST
            }
            WorkerError::Forbidden(_) => StatusCode::FORBIDDEN,
            WorkerError::Broker(error) => of_broker(error),
            WorkerError::Plugin(_) => StatusCode::INTERNAL_SERVER_ERROR,
            WorkerError::ShuttingDown => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, error.code(), error.to_string())
    }
}

fn of_broker(error: &BrokerError) -> StatusCode {
    match error {
        BrokerError::UnknownPartition(_) | BrokerError::UnknownTopic(_) => StatusCode::NOT_FOUND,
        BrokerError::TopicExists(_) => StatusCode::CONFLICT,
        BrokerError::TopicConfig { .. } | BrokerError::OffsetOutOfRange { .. } => {
            StatusCode::BAD_REQUEST
        }
        BrokerError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        BrokerError::DiskFull => StatusCode::INSUFFICIENT_STORAGE,
        BrokerError::Closed => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
