//! Refusals in the gateway's error envelope.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::demo::fault_layer::envelope;

/// A refusal: status, category and text; code and retryability follow from the status.
#[derive(Debug)]
pub struct ApiError(StatusCode, &'static str, String);

impl ApiError {
    /// 400
    pub fn validation(message: impl Into<String>) -> Self {
        Self(StatusCode::BAD_REQUEST, "validation", message.into())
    }

    /// 401
    pub fn unauthorized(message: impl Into<String>) -> Self {
        Self(StatusCode::UNAUTHORIZED, "auth", message.into())
    }

    /// 403
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self(StatusCode::FORBIDDEN, "policy", message.into())
    }

    /// 404
    pub fn not_found(message: impl Into<String>) -> Self {
        Self(StatusCode::NOT_FOUND, "not_found", message.into())
    }

    /// 412
    pub fn precondition(message: impl Into<String>) -> Self {
        Self(StatusCode::PRECONDITION_FAILED, "dependency", message.into())
    }

    /// 429
    pub fn rate_limited(message: impl Into<String>) -> Self {
        Self(StatusCode::TOO_MANY_REQUESTS, "availability", message.into())
    }

    /// 503
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self(StatusCode::SERVICE_UNAVAILABLE, "availability", message.into())
    }

    /// 500
    pub fn internal(message: impl Into<String>) -> Self {
        Self(StatusCode::INTERNAL_SERVER_ERROR, "internal", message.into())
    }
}

/// 400 with the field that is wrong.
pub fn finding(error: &str, field: &str, code: &str, message: &str) -> Response {
    let body = json!({
        "error": error, "code": "validation_error", "category": "validation", "retryable": false, "redacted": false,
        "validation_errors": [{ "field": field, "code": code, "message": message }],
    });
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        envelope(self.0, self.1, &self.2)
    }
}
