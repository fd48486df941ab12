//! One page on the `/host` socket: it shows its secret, then requests go in and replies and pushes
//! come out.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, mpsc};

use super::Shared;
use crate::UiPushes;
use crate::bridge::types::{UiError, UiPush, UiReply, UiRequest};

/// From the open socket to the page's secret.
const SECRET_WITHIN: Duration = Duration::from_secs(10);

/// Requests of one page carried out at once; further ones wait in the socket.
const REQUESTS_AT_ONCE: usize = 32;

/// Told to a page whose secret is not good: start again from a new address.
const CLOSE_UNKNOWN_SECRET: u16 = 4401;
/// Told to a page that says something else than this protocol.
const CLOSE_BAD_REQUEST: u16 = 4400;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Secret {
    token: Option<String>,
    session: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    id: u64,
    request: UiRequest,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case", untagged)]
enum Said {
    Session { session: String },
    Reply { id: u64, reply: Box<UiReply> },
    Error { id: u64, error: UiError },
    Push { push: Box<UiPush> },
}

pub(super) async fn carry(shared: Arc<Shared>, mut socket: WebSocket) {
    let Some(session) = admitted(&shared, &mut socket).await else {
        return close(socket, CLOSE_UNKNOWN_SECRET).await;
    };
    // Subscribed before the page hears that it is in: nothing falls between.
    let pushes = shared.core.subscribe_page();
    if say(&mut socket, &Said::Session { session }).await.is_ok()
        && let Err(code) = talk(&shared, &mut socket, pushes).await
    {
        close(socket, code).await;
    }
}

async fn admitted(shared: &Shared, socket: &mut WebSocket) -> Option<String> {
    let first = tokio::time::timeout(SECRET_WITHIN, socket.recv()).await.ok()??.ok()?;
    let secret: Secret = serde_json::from_str(first.to_text().ok()?).ok()?;
    match (secret.token, secret.session) {
        (Some(token), None) => {
            let session = shared.secret();
            shared.door.spend(&token, &session).then_some(session)
        }
        (None, Some(session)) => shared.door.knows(&session).then_some(session),
        _ => None,
    }
}

async fn talk(shared: &Shared, socket: &mut WebSocket, mut pushes: UiPushes) -> Result<(), u16> {
    let (answers, mut answered) = mpsc::channel::<Said>(REQUESTS_AT_ONCE);
    let places = Arc::new(Semaphore::new(REQUESTS_AT_ONCE));
    loop {
        let has_place = places.available_permits() > 0;
        let said = tokio::select! {
            biased;
            Some(said) = answered.recv() => said,
            push = pushes.next() => match push {
                Some(push) => Said::Push { push: Box::new(push) },
                None => return Ok(()),
            },
            message = socket.recv(), if has_place => {
                let text = match message {
                    Some(Ok(Message::Text(text))) => text,
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                    Some(Ok(Message::Binary(_))) => return Err(CLOSE_BAD_REQUEST),
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(()),
                };
                let asked: Asked = serde_json::from_str(&text).map_err(|_| CLOSE_BAD_REQUEST)?;
                if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
                    // Handed over here, so that none overtakes another; only the answer is waited
                    // for apart.
                    let submitted = shared.core.submit(asked.request).await;
                    let answers = answers.clone();
                    tokio::spawn(async move {
                        let result = match submitted {
                            Ok(submitted) => submitted.answer().await,
                            Err(error) => Err(error),
                        };
                        let said = match result {
                            Ok(reply) => Said::Reply { id: asked.id, reply: Box::new(reply) },
                            Err(error) => Said::Error { id: asked.id, error },
                        };
                        // The page may have gone.
                        let _ = answers.send(said).await;
                        drop(place);
                    });
                }
                continue;
            }
        };
        if say(socket, &said).await.is_err() {
            return Ok(());
        }
    }
}

async fn say(socket: &mut WebSocket, said: &Said) -> Result<(), axum::Error> {
    let text = serde_json::to_string(said).map_err(axum::Error::new)?;
    socket.send(Message::text(text)).await
}

async fn close(mut socket: WebSocket, code: u16) {
    let frame = CloseFrame { code, reason: "".into() };
    // It is closed one way or the other.
    let _ = socket.send(Message::Close(Some(frame))).await;
}
