//! The WebSocket against a client of its own kind, over a real connection.

use axum::Router;
use axum::extract::WebSocketUpgrade;
use axum::routing::get;
use futures_util::StreamExt as _;
use tokio_tungstenite::tungstenite::Message as Said;

use super::*;

/// It once waited for the peer to speak, and its time ran out.
#[tokio::test]
async fn the_last_word_arrives_behind_what_was_started() {
    let door = get(|upgrade: WebSocketUpgrade| async {
        upgrade.on_upgrade(|socket| async {
            let mut wire = Wire::new(socket, None);
            wire.start_text("x".repeat(1_000)).unwrap();
            wire.say_bye(WireError::new(ErrorCode::TooLarge)).await;
        })
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(axum::serve(listener, Router::new().route("/", door)).into_future());
    let (mut client, _) =
        tokio_tungstenite::connect_async(format!("ws://{address}/")).await.unwrap();
    assert_eq!(client.next().await.unwrap().unwrap().len(), 1_000);
    let bye = client.next().await.unwrap().unwrap().into_text().unwrap();
    assert!(bye.contains("too_large"), "{bye}");
    assert!(matches!(client.next().await.unwrap().unwrap(), Said::Close(Some(_))));
    server.abort();
}
