//! A session over a link of the test's own, which decides what happens between two steps of it.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::Utf8Bytes;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::Instant;
use yingke_shared::error_code::{ErrorCode, WireError};
use yingke_shared::ids::AgentId;
use yingke_shared::rest::SignIn;

use super::{Io, Link, staff_session};
use crate::app::App;
use crate::auth;
use crate::limits::PING_EVERY_MS;
use crate::testing::{PASSWORD, TestRelay};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Past the first ping: at the second the heartbeat is due too.
const UNTIL_A_DELIVERY_IS_DUE: Duration = Duration::from_millis(PING_EVERY_MS + PING_EVERY_MS / 2);

/// A peer that stops reading, and begins again at the moment at which its session is ended.
struct Peer {
    app: Arc<App>,
    agent_id: AgentId,
    said: mpsc::Receiver<String>,
    heard: mpsc::UnboundedSender<Value>,
    /// Since when it does not read, if it does not.
    stopped_at: Arc<Mutex<Option<Instant>>>,
}

impl Link for Peer {
    fn has_room(&self) -> bool {
        let mut stopped_at = self.stopped_at.lock();
        let Some(since) = *stopped_at else { return true };
        if since.elapsed() < UNTIL_A_DELIVERY_IS_DUE {
            return false;
        }
        *stopped_at = None;
        self.app.hub.end_sessions_of_agent(&self.agent_id, ErrorCode::Unavailable);
        true
    }

    fn is_written(&self) -> bool {
        true
    }

    fn start_text(&mut self, text: String) -> Result<(), ErrorCode> {
        let _ = self.heard.send(serde_json::from_str(&text).unwrap());
        Ok(())
    }

    fn start_ping(&mut self) -> Result<(), ErrorCode> {
        Ok(())
    }

    async fn next(&mut self) -> Io {
        match self.said.recv().await {
            Some(text) => Io::Text(Utf8Bytes::from(text)),
            None => Io::Gone,
        }
    }

    async fn say_bye(self, error: WireError) {
        let _ = self.heard.send(json!({"type": "bye", "code": error.code}));
    }

    async fn close_too(self) {}
}

/// Once made to fail by taking an ended mailbox for an empty one: the heartbeat moved the reader past a
/// message that was thrown away with it.
#[tokio::test]
async fn a_session_that_ends_moves_its_reader_past_nothing() {
    let relay = TestRelay::open().await;
    let app = &relay.app;
    let (ana, vera) = (relay.agent("Ana").await, relay.visitor().await);
    relay.conversation_with(&vera, &ana).await;
    let sign_in = SignIn { account: "ana".into(), password: PASSWORD.into() };
    let (token, _) = auth::actions::sign_in(app, HERE, sign_in).await.unwrap();
    let fan_out = tokio::spawn(crate::live::run(Arc::clone(app)));

    let (say, said) = mpsc::channel(8);
    let (heard, mut hears) = mpsc::unbounded_channel();
    let stopped_at = Arc::new(Mutex::new(None));
    let peer = Peer {
        app: Arc::clone(app),
        agent_id: ana.agent_id.clone(),
        said,
        heard,
        stopped_at: Arc::clone(&stopped_at),
    };
    let session = tokio::spawn(staff_session(Arc::clone(app), HERE, peer));
    let body = json!({"version": 1, "token": token, "resume": null});
    say.send(json!({"id": "h", "type": "hello", "body": body}).to_string()).await.unwrap();
    let welcome = hears.recv().await.unwrap();
    assert_eq!(welcome["type"], "welcome");
    let mut position = welcome["start"]["position"].as_u64().unwrap();

    *stopped_at.lock() = Some(Instant::now());
    relay.say(&vera, "v2", "is it lost?").await.unwrap();
    let head = relay.head().await;
    while app.hub.fanned() < head {
        tokio::task::yield_now().await;
    }
    loop {
        let frame = hears.recv().await.unwrap();
        match frame["type"].as_str().unwrap() {
            "bye" => break,
            "delivery" => {
                assert_eq!(frame["after"], position);
                assert_ne!(frame["events"], json!([]), "moved past the message: {frame}");
                position = frame["upto"].as_u64().unwrap();
            }
            _ => {}
        }
    }
    session.await.unwrap();
    app.stopping.cancel();
    fan_out.await.unwrap();
}
