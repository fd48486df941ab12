//! `GET /healthz`: whether this relay takes work now. For supervisors, proxies and tests. Beside it,
//! whoever looks at the disk while nobody asks: a call that hangs says nothing by itself.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use tokio::time::timeout;
use yingke_shared::PROTOCOL_VERSION;
use yingke_shared::rest::Health;

use crate::app::App;
use crate::limits::{STALL_LOOKED_FOR_EVERY_MS, STALLED_AFTER_MS};
use crate::parts::Part;
use crate::store::{Fatal, Stalled};

const STALLED_AFTER: Duration = Duration::from_millis(STALLED_AFTER_MS);

/// Answers with 200 `ok`, or 503 and what is the matter.
pub async fn health(State(app): State<Arc<App>>) -> (StatusCode, Json<Health>) {
    let wrong = match app.store.failure() {
        Some(Fatal::Storage { .. }) => Some("storage_failed"),
        Some(Fatal::Bug(part)) => Some(part.word()),
        None => app.failed.part().map(Part::word),
    };
    let wrong = wrong.or_else(|| app.stopping.is_cancelled().then_some("stopping"));
    let wrong = wrong.or_else(|| app.store.stalled(STALLED_AFTER).map(stalled_word));
    let wrong = wrong.or_else(|| app.hub.is_held_up().then_some("reading_failed"));
    let (status, word) = match wrong {
        Some(word) => (StatusCode::SERVICE_UNAVAILABLE, word),
        None => (StatusCode::OK, "ok"),
    };
    let version = env!("CARGO_PKG_VERSION").to_owned();
    (status, Json(Health { status: word.to_owned(), version, protocol: PROTOCOL_VERSION }))
}

fn stalled_word(stalled: Stalled) -> &'static str {
    match stalled {
        Stalled::Writing => "writing_stalled",
        Stalled::Reading => "reading_stalled",
    }
}

/// Says in the log when the disk does not answer any more, and when it does again. Until the relay stops.
pub async fn watch(app: Arc<App>) {
    let mut told = None;
    let every = Duration::from_millis(STALL_LOOKED_FOR_EVERY_MS);
    while timeout(every, app.stopping.cancelled()).await.is_err() {
        let stalled = app.store.stalled(STALLED_AFTER);
        if stalled == told {
            continue;
        }
        match stalled {
            Some(what) => tracing::error!(
                what = stalled_word(what),
                after_ms = STALLED_AFTER_MS,
                "the disk does not answer; look at it: what waits for it is neither done nor refused"
            ),
            None => tracing::warn!("the disk answers again"),
        }
        told = stalled;
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Method;
    use yingke_shared::error_code::ErrorCode;

    use super::*;
    use crate::store::{Abort, ReadTx};
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

    /// Only what is under way is looked at: nobody's write and nobody's read tell nothing of the disk.
    #[tokio::test]
    async fn what_is_under_way_for_too_long_is_seen_until_it_ends() {
        let relay = TestRelay::open().await;
        let store = relay.app.store.clone();
        until(|| store.stalled(Duration::ZERO).is_none()).await;
        let (let_go, held) = std::sync::mpsc::channel::<()>();
        let held = std::sync::Mutex::new(held);
        let (began, has_begun) = tokio::sync::oneshot::channel();
        let began = std::sync::Mutex::new(Some(began));
        let writing = tokio::spawn(async move {
            store
                .write("held up", move |_| {
                    if let Some(began) = began.lock().unwrap().take() {
                        began.send(()).unwrap();
                    }
                    held.lock().unwrap().recv().unwrap();
                    Ok::<_, Abort<ErrorCode>>(())
                })
                .await
        });
        has_begun.await.unwrap();
        let store = relay.app.store.clone();
        until(|| store.stalled(Duration::ZERO) == Some(Stalled::Writing)).await;
        assert_eq!(store.stalled(Duration::MAX), None, "not for that long");
        let_go.send(()).unwrap();
        writing.await.unwrap().unwrap();
        until(|| store.stalled(Duration::ZERO).is_none()).await;

        let (let_go, held) = std::sync::mpsc::channel::<()>();
        let (began, has_begun) = tokio::sync::oneshot::channel();
        let reading = tokio::spawn({
            let store = store.clone();
            async move {
                let held = move |_: &ReadTx<'_>| {
                    began.send(()).unwrap();
                    held.recv().unwrap();
                    Ok(())
                };
                store.read("held up", held).await
            }
        });
        has_begun.await.unwrap();
        until(|| store.stalled(Duration::ZERO) == Some(Stalled::Reading)).await;
        let_go.send(()).unwrap();
        reading.await.unwrap().unwrap();
        until(|| store.stalled(Duration::ZERO).is_none()).await;
    }

    /// The answer comes a moment before the thread is at nothing.
    async fn until(is_so: impl Fn() -> bool) {
        let soon = async {
            while !is_so() {
                tokio::task::yield_now().await;
            }
        };
        timeout(Duration::from_secs(30), soon).await.unwrap();
    }

    #[tokio::test]
    async fn a_relay_whose_fan_out_cannot_begin_says_so_until_it_can() {
        let relay = TestRelay::open().await;
        relay.app.hub.hold_up();
        assert_eq!(said(&relay).await, (503, "reading_failed".to_owned()));
        relay.app.hub.begin(relay.app.hub.fanned());
        assert_eq!(said(&relay).await, (200, "ok".to_owned()));
    }

    #[tokio::test]
    async fn a_relay_that_stops_says_so() {
        let relay = TestRelay::open().await;
        relay.app.stopping.cancel();
        assert_eq!(said(&relay).await, (503, "stopping".to_owned()));
    }
}
