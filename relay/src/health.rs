//! `GET /healthz`: whether this relay takes work now. For supervisors, proxies and tests.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use yingke_shared::PROTOCOL_VERSION;
use yingke_shared::rest::Health;

use crate::app::App;

/// Answers with 200 `ok`, or 503 and what is the matter.
pub async fn health(State(app): State<Arc<App>>) -> (StatusCode, Json<Health>) {
    let (status, word) = if app.stopping.is_cancelled() {
        (StatusCode::SERVICE_UNAVAILABLE, "stopping")
    } else if app.store.has_failed() {
        (StatusCode::SERVICE_UNAVAILABLE, "storage_failed")
    } else {
        (StatusCode::OK, "ok")
    };
    let version = env!("CARGO_PKG_VERSION").to_owned();
    (status, Json(Health { status: word.to_owned(), version, protocol: PROTOCOL_VERSION }))
}
