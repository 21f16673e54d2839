//! What lies around every console call: request budgets, security headers, the renewed cookie.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Gateway;
use super::console;
use super::error::ApiError;

/// Longest request body, bytes.
pub const BODY_MAX: usize = 64 * 1024;

const WINDOW: Duration = Duration::from_secs(1);
const REQUESTS: u32 = 1000;
const AUTH_FAILURES: u32 = 30;
const SECURITY_HEADERS: [(HeaderName, HeaderValue); 5] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("frame-ancestors 'none'")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
];

/// Calls in the current window, of all clients together.
#[derive(Default)]
pub struct Budget(Mutex<(Window, Window)>);

#[derive(Default)]
struct Window {
    since: Option<Instant>,
    used: u32,
}

impl Window {
    /// Counts one more; `false` if that is too many.
    fn spend(&mut self, now: Instant, most: u32) -> bool {
        if self.since.is_none_or(|since| now.duration_since(since) >= WINDOW) {
            *self = Self { since: Some(now), used: 0 };
        }
        self.used = self.used.saturating_add(1);
        self.used <= most
    }
}

impl Budget {
    fn lock(&self) -> MutexGuard<'_, (Window, Window)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Security headers, and 429 where a budget is spent.
pub async fn guard(State(gateway): State<Arc<Gateway>>, request: Request, next: Next) -> Response {
    let mut response =
        if gateway.budget.lock().0.spend(Instant::now(), REQUESTS) { next.run(request).await } else { too_many() };
    let refused = matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
    if refused && !gateway.budget.lock().1.spend(Instant::now(), AUTH_FAILURES) {
        response = too_many();
    }
    response.headers_mut().extend(SECURITY_HEADERS);
    response
}

/// Renews the cookie of a live session on every answer but 401 and 403.
pub async fn renew(State(gateway): State<Arc<Gateway>>, request: Request, next: Next) -> Response {
    let live = console::cookie(request.headers())
        .filter(|cookie| gateway.sessions.touch(cookie).is_some())
        .map(|cookie| console::set_cookie(cookie, request.headers()));
    let mut response = next.run(request).await;
    let refused = matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
    let renewed = live.and_then(|cookie| HeaderValue::from_str(&cookie).ok());
    if let (false, false, Some(cookie)) = (refused, response.headers().contains_key(header::SET_COOKIE), renewed) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

fn too_many() -> Response {
    ApiError::rate_limited("console request rate limit exceeded").into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_for_one_window() {
        let (mut window, start) = (Window::default(), Instant::now());
        assert!((0..30).all(|_| window.spend(start, 30)));
        assert!(!window.spend(start + Duration::from_millis(999), 30));
        assert!(window.spend(start + WINDOW, 30));
    }
}
