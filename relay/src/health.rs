//! `GET /healthz`: whether this relay takes work now. For supervisors, proxies and tests.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use yingke_shared::PROTOCOL_VERSION;
use yingke_shared::rest::Health;

use crate::app::App;
use crate::parts::Part;
use crate::store::Fatal;

/// Answers with 200 `ok`, or 503 and what is the matter.
pub async fn health(State(app): State<Arc<App>>) -> (StatusCode, Json<Health>) {
    let wrong = match app.store.failure() {
        Some(Fatal::Storage { .. }) => Some("storage_failed"),
        Some(Fatal::Bug(part)) => Some(part.word()),
        None => app.failed.part().map(Part::word),
    };
    let wrong = wrong.or_else(|| app.stopping.is_cancelled().then_some("stopping"));
    let (status, word) = match wrong {
        Some(word) => (StatusCode::SERVICE_UNAVAILABLE, word),
        None => (StatusCode::OK, "ok"),
    };
    let version = env!("CARGO_PKG_VERSION").to_owned();
    (status, Json(Health { status: word.to_owned(), version, protocol: PROTOCOL_VERSION }))
}

#[cfg(test)]
mod tests {
    use axum::http::Method;

    use super::*;
    use crate::testing::TestRelay;
    use crate::testing::http::ask;

    async fn said(relay: &TestRelay) -> (u16, String) {
        let asked = ask(&relay.app, Method::GET, "/healthz", &[], None).await;
        (asked.status.as_u16(), asked.json["status"].as_str().unwrap_or_default().to_owned())
    }

    #[tokio::test]
    async fn a_relay_without_one_of_its_parts_says_which() {
        let relay = TestRelay::open().await;
        assert_eq!(said(&relay).await, (200, "ok".to_owned()));
        relay.app.failed.note(Part::FanOut);
        relay.app.failed.note(Part::Telling);
        // It is about to end; why says more than that.
        relay.app.stopping.cancel();
        assert_eq!(said(&relay).await, (503, "fan_out_failed".to_owned()));
    }

    #[tokio::test]
    async fn a_relay_that_stops_says_so() {
        let relay = TestRelay::open().await;
        relay.app.stopping.cancel();
        assert_eq!(said(&relay).await, (503, "stopping".to_owned()));
    }
}
