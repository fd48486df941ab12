//! A session over a link of the test's own, which decides what happens between two steps of it.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::Utf8Bytes;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::Instant;
use yingke_shared::error_code::{ErrorCode, WireError};
use yingke_shared::frame::{Outcome, Reply};
use yingke_shared::ids::{AgentId, ClientId, ConversationId, Position, Seq};
use yingke_shared::limits::TEXT_CHARS_MAX;
use yingke_shared::rest::SignIn;
use yingke_shared::time::Timestamp;
use yingke_shared::views::{MessagePage, Note};

use super::{Io, Kind, Link, Machine, Outbox, deliveries, put, staff_session};
use crate::app::App;
use crate::auth;
use crate::limits::{DELIVERY_BYTES_MAX, MISSED_BYTES_MAX, PING_EVERY_MS, SNAPSHOT_BYTES_MAX};
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

/// Taken apart, the second would come to a reader who has the position, and be dropped.
#[test]
fn what_one_entry_tells_is_resumed_together() {
    let [from, first, second, third] = [1, 2, 3, 4].map(|n| Position::new(n).unwrap());
    let json = Bytes::from(format!("\"{}\"", "x".repeat(DELIVERY_BYTES_MAX / 2)));
    let missed = [first, second, second, third].map(|position| (position, json.clone()));
    let ends = deliveries(from, third, &missed).into_iter().map(|frame| {
        let frame: Value = serde_json::from_str(&frame).unwrap();
        (frame["upto"].clone(), frame["events"].as_array().unwrap().len())
    });
    let ends: Vec<_> = ends.collect();
    assert_eq!(ends, [(json!(2), 1), (json!(3), 2), (json!(4), 1)]);
}

/// An agent on a slow line who opens one long conversation after the other is not cut off, which would
/// begin the same again.
#[test]
fn a_page_that_nobody_can_take_yet_is_to_be_asked_for_again() {
    let (mut outbox, mut machine) = (Outbox::default(), Machine::new());
    outbox.put(Kind::Answer, "x".repeat(SNAPSHOT_BYTES_MAX)).unwrap();
    let id = ClientId::new("page").unwrap();
    let text = "x".repeat(SNAPSHOT_BYTES_MAX);
    let notice = WireError::new(ErrorCode::NotFound);
    let small = Reply { id: id.clone(), ok: None, error: Some(notice) };
    put(&mut outbox, &mut machine, small).unwrap();
    let note = Note {
        id: id.clone(),
        agent_id: AgentId::new("ana").unwrap(),
        text,
        at: Timestamp::default(),
        after: Seq::ZERO,
    };
    let page = MessagePage {
        conversation_id: ConversationId::new("c").unwrap(),
        messages: Vec::new(),
        notes: vec![note],
        has_earlier: false,
    };
    let large = Reply { id, ok: Some(Outcome::Messages { page }), error: None };
    put(&mut outbox, &mut machine, large).unwrap();
    let waiting: Vec<_> = std::iter::from_fn(|| outbox.take()).map(|(_, frame)| frame).collect();
    assert!(waiting[1].contains("not_found"));
    assert!(waiting[2].contains("too_fast"), "{}", waiting[2]);
}

/// What the relay answers to an agent's hello.
async fn welcome(app: &Arc<App>, agent_id: &AgentId, token: &str, resume: &Value) -> Value {
    let (say, said) = mpsc::channel(8);
    let (heard, mut hears) = mpsc::unbounded_channel();
    let stopped_at = Arc::default();
    let peer = Peer { app: Arc::clone(app), agent_id: agent_id.clone(), said, heard, stopped_at };
    let session = tokio::spawn(staff_session(Arc::clone(app), HERE, peer));
    let body = json!({"version": 1, "token": token, "resume": resume});
    say.send(json!({"id": "h", "type": "hello", "body": body}).to_string()).await.unwrap();
    let welcome = hears.recv().await.unwrap();
    drop(say);
    session.await.unwrap();
    welcome
}

/// The log's stretch was bounded and what is told of it was not: with a megabyte to take, and pages
/// behind it, a reader that takes nothing cost two.
#[tokio::test]
async fn a_reader_that_missed_more_than_it_may_leave_unread_begins_anew() {
    let relay = TestRelay::open().await;
    let app = &relay.app;
    let (ana, vera) = (relay.agent("Ana").await, relay.visitor().await);
    relay.conversation_with(&vera, &ana).await;
    let sign_in = SignIn { account: "ana".into(), password: PASSWORD.into() };
    let (token, _) = auth::actions::sign_in(app, HERE, sign_in).await.unwrap();
    let fan_out = tokio::spawn(crate::live::run(Arc::clone(app)));
    let fresh = welcome(app, &ana.agent_id, &token, &Value::Null).await;
    let from = json!({"epoch": fresh["epoch"], "position": fresh["start"]["position"]});

    let text = "好".repeat(TEXT_CHARS_MAX);
    for (more, mode) in [(MISSED_BYTES_MAX / text.len() - 1, "resumed"), (2, "snapshot")] {
        for number in 0..more {
            relay.say(&vera, &format!("{mode}{number}"), &text).await.unwrap();
        }
        let answer = welcome(app, &ana.agent_id, &token, &from).await;
        assert_eq!(answer["start"]["mode"], mode);
    }
    app.stopping.cancel();
    fan_out.await.unwrap();
}
