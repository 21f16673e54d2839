//! Refusals in the gateway's error envelope.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;

use crate::demo::fault_layer::envelope;

/// A refusal: status, category and text; code and retryability follow from the status.
#[derive(Debug)]
pub struct ApiError(StatusCode, &'static str, String, Option<Finding>);

/// What is wrong with which field.
#[derive(Debug, Serialize)]
struct Finding {
    field: &'static str,
    code: &'static str,
    message: String,
}

impl ApiError {
    /// 400
    pub fn validation(message: impl Into<String>) -> Self {
        Self(StatusCode::BAD_REQUEST, "validation", message.into(), None)
    }

    /// 400 with the field that is wrong.
    pub fn field(error: &str, field: &'static str, code: &'static str, message: impl Into<String>) -> Self {
        let finding = Finding { field, code, message: message.into() };
        Self(StatusCode::BAD_REQUEST, "validation", error.to_owned(), Some(finding))
    }

    /// 401
    pub fn unauthorized(message: impl Into<String>) -> Self {
        Self(StatusCode::UNAUTHORIZED, "auth", message.into(), None)
    }

    /// 403
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self(StatusCode::FORBIDDEN, "policy", message.into(), None)
    }

    /// 404
    pub fn not_found(message: impl Into<String>) -> Self {
        Self(StatusCode::NOT_FOUND, "not_found", message.into(), None)
    }

    /// 412
    pub fn precondition(message: impl Into<String>) -> Self {
        Self(StatusCode::PRECONDITION_FAILED, "dependency", message.into(), None)
    }

    /// 429
    pub fn rate_limited(message: impl Into<String>) -> Self {
        Self(StatusCode::TOO_MANY_REQUESTS, "availability", message.into(), None)
    }

    /// 503
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self(StatusCode::SERVICE_UNAVAILABLE, "availability", message.into(), None)
    }

    /// 500
    pub fn internal(message: impl Into<String>) -> Self {
        Self(StatusCode::INTERNAL_SERVER_ERROR, "internal", message.into(), None)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let Self(status, category, message, finding) = self;
        let Some(finding) = finding else { return envelope(status, category, &message) };
        let body = json!({
            "error": message, "code": "validation_error", "category": category, "retryable": false, "redacted": false,
            "validation_errors": [finding],
        });
        (status, Json(body)).into_response()
    }
}
