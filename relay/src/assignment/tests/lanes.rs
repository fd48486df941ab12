//! The driver reads in its own lane.

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use yingke_shared::views::VisitorStatus;

use crate::conversations::queries;
use crate::limits::READERS_MAX;
use crate::testing::TestRelay;

/// Once made to fail by reading in the lane of sessions: nobody was assigned while they read.
#[tokio::test]
async fn whoever_waits_is_seen_to_while_every_session_reads() {
    let relay = TestRelay::open().await;
    let (ana, vera) = (relay.agent("Ana").await, relay.visitor().await);
    let id = relay.conversation_with(&vera, &ana).await;
    let (release, released) = channel::<()>();
    let released = Arc::new(Mutex::new(released));
    let mut held = Vec::new();
    for _ in 0..2 * READERS_MAX {
        let (app, released) = (Arc::clone(&relay.app), Arc::clone(&released));
        held.push(tokio::spawn(async move {
            let read = app.store.read("hold", move |_| {
                let _ = released.lock().unwrap().recv();
                Ok(())
            });
            read.await
        }));
    }
    tokio::task::yield_now().await;
    let driver = tokio::spawn(crate::assignment::run(Arc::clone(&relay.app)));
    relay.set_disabled(&ana, true).await;
    let waits = async {
        loop {
            let id = id.clone();
            let read = relay.app.store.read_for_spine("look", move |tx| {
                let view = queries::visitor_conversation(tx, &id)?;
                Ok(view.is_some_and(|view| matches!(view.status, VisitorStatus::Waiting { .. })))
            });
            if read.await.unwrap() {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waits).await.expect("it waits for the others");
    drop(release);
    for read in held {
        read.await.unwrap().unwrap();
    }
    relay.app.stopping.cancel();
    driver.await.unwrap();
}
