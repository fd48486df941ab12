//! A client that costs as little as possible, so that what is measured is the relay: it sends one
//! message at a time, waits for the answer, and only counts what is delivered.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result, bail};
use futures_util::{SinkExt as _, StreamExt as _};
use serde::Serialize;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use yingke_shared::PROTOCOL_VERSION;
use yingke_shared::frame::Hello;
use yingke_tests::http::Address;
use yingke_tests::link::{Side, encode, new_id};

/// See the module.
pub(crate) struct Quick {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Messages delivered to this socket, own ones included.
    pub(crate) delivered: Arc<AtomicU64>,
}

impl Quick {
    /// Connects and says hello.
    pub(crate) async fn open<S: Side>(address: &Address, token: &str) -> Result<Self> {
        let (mut socket, _) = tokio_tungstenite::connect_async(address.socket(S::PATH)).await?;
        let hello = Hello { version: PROTOCOL_VERSION, token: token.to_owned(), resume: None };
        socket.send(Frame::text(encode(&new_id(), &S::hello(hello))?)).await?;
        let first = socket.next().await.context("no welcome")??;
        if !first.to_text()?.contains("\"welcome\"") {
            bail!("no welcome but {first}");
        }
        Ok(Self { socket, delivered: Arc::default() })
    }

    /// Sends a command and reads until its answer; gives the answer.
    pub(crate) async fn ask<C: Serialize>(&mut self, command: &C) -> Result<String> {
        self.socket.send(Frame::text(encode(&new_id(), command)?)).await?;
        loop {
            let frame = self.socket.next().await.context("the socket closed")??;
            let Frame::Text(text) = &frame else { continue };
            if text.starts_with("{\"type\":\"reply\"") {
                if text.contains("\"error\"") {
                    bail!("refused: {text}");
                }
                return Ok(text.to_string());
            }
            self.count(text);
        }
    }

    /// Reads whatever comes, for ever.
    pub(crate) async fn idle(&mut self) -> Result<()> {
        while let Some(frame) = self.socket.next().await {
            if let Frame::Text(text) = &frame? {
                self.count(text);
            }
        }
        Ok(())
    }

    fn count(&self, text: &str) {
        let messages = text.matches("\"message_appended\"").count() as u64;
        if messages > 0 {
            self.delivered.fetch_add(messages, Ordering::Relaxed);
        }
    }
}
