//! Faults of HTTP calls: the outermost layer of a demo sidecar's router, and `/demo/faults`.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Json, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use serde_json::json;

use super::conn::Cut;
use super::faults::{self, Effect, Faults};

/// Puts faults between the network and `router`, and adds the endpoint that orders them.
pub fn wrap(router: Router, faults: Arc<Faults>) -> Router {
    let control = Router::new().route("/demo/faults", get(report).post(order)).with_state(Arc::clone(&faults));
    router.layer(from_fn_with_state(faults, disturb)).merge(control)
}

/// The error envelope.
pub fn envelope(status: StatusCode, category: &str, message: &str) -> Response {
    let code = match status.as_u16() {
        400 => "validation_error",
        401 => "unauthorized",
        403 => "forbidden",
        404 => "not_found",
        412 => "failed_precondition",
        429 => "rate_limited",
        503 => "service_unavailable",
        _ => "internal_error",
    };
    let retryable = matches!(status.as_u16(), 429 | 503);
    let body =
        json!({ "error": message, "code": code, "category": category, "retryable": retryable, "redacted": false });
    (status, Json(body)).into_response()
}

async fn disturb(
    State(faults): State<Arc<Faults>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: Request,
    next: Next,
) -> Response {
    faults.answerable().await;
    let reads = request.method() == Method::GET;
    match faults.take(reads, request.uri().path()) {
        None => next.run(request).await,
        Some(Effect::Status(code)) => {
            let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let category = if matches!(code, 429 | 503) { "availability" } else { "internal" };
            envelope(status, category, "demo fault")
        }
        Some(Effect::Html) => {
            ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], "<!doctype html><title>Demo fault</title>")
                .into_response()
        }
        Some(Effect::Half) => {
            let response = next.run(request).await;
            cut.half();
            response
        }
        Some(Effect::Slow(delay)) => {
            tokio::time::sleep(delay).await;
            next.run(request).await
        }
        Some(Effect::LoseAnswer) => {
            let response = next.run(request).await;
            cut.now();
            response
        }
    }
}

#[derive(Deserialize)]
struct Order {
    #[serde(default)]
    faults: Words,
    #[serde(default)]
    clear: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Words {
    One(String),
    Many(Vec<String>),
}

impl Default for Words {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

async fn report(State(faults): State<Arc<Faults>>) -> Response {
    Json(faults.report()).into_response()
}

async fn order(State(faults): State<Arc<Faults>>, Json(order): Json<Order>) -> Response {
    let words = match order.faults {
        Words::One(words) => words,
        Words::Many(words) => words.join(","),
    };
    match faults::parse(&words) {
        Ok(orders) => {
            if order.clear {
                faults.clear();
            }
            faults.apply(&orders);
            Json(faults.report()).into_response()
        }
        Err(why) => envelope(StatusCode::BAD_REQUEST, "validation", &why),
    }
}

/// How long `slow_start` asks to wait before the ports are bound.
pub fn start_delay(orders: &[(faults::Fault, Duration)]) -> Duration {
    orders
        .iter()
        .map(|(fault, _)| if let faults::Fault::SlowStart(delay) = fault { *delay } else { Duration::ZERO })
        .max()
        .unwrap_or_default()
}
