//! The WebSocket against a client of another library, over a pipe that holds little.

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncWriteExt as _, DuplexStream, duplex};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::*;

/// So small that large frames are written in many portions.
const PIPE_BYTES: usize = 100;

async fn pair() -> (Wire<DuplexStream>, WebSocketStream<DuplexStream>) {
    let (here, there) = duplex(PIPE_BYTES);
    (Wire::new(here, None), WebSocketStream::from_raw_socket(there, Role::Client, None).await)
}

#[tokio::test]
async fn frames_go_both_ways_side_by_side_and_leave_no_buffer() {
    let (mut wire, mut client) = pair().await;
    let large = "茶".repeat(10_000);
    let echoes = tokio::spawn(async move {
        let mut said = 0;
        loop {
            match wire.next().await {
                Io::Text(text) => {
                    said += 1;
                    wire.start_text(text.to_string()).unwrap();
                }
                Io::Closing => break,
                Io::Written | Io::Alive => {}
                other => panic!("{other:?}"),
            }
        }
        wire.close_too().await;
        said
    });
    for _ in 0..3 {
        client.send(Message::Text(large.clone().into())).await.unwrap();
        client.feed(Message::Ping(vec![7].into())).await.unwrap();
        let echo = client.next().await.unwrap().unwrap();
        assert_eq!(echo.into_text().unwrap(), large);
        client.flush().await.unwrap();
        let pong = client.next().await.unwrap().unwrap();
        assert_eq!(pong, Message::Pong(vec![7].into()));
    }
    client.close(None).await.unwrap();
    assert_eq!(echoes.await.unwrap(), 3);
}

#[tokio::test]
async fn what_was_written_leaves_no_buffer() {
    let (mut wire, mut client) = pair().await;
    wire.start_text("x".repeat(10)).unwrap();
    client.send(Message::Text("y".into())).await.unwrap();
    assert!(matches!(wire.next().await, Io::Text(_)));
    assert!(wire.is_written());
    assert_eq!(wire.out.capacity(), 0);
}

#[tokio::test]
async fn the_last_word_arrives_behind_what_was_started() {
    let (mut wire, mut client) = pair().await;
    wire.start_text("x".repeat(1_000)).unwrap();
    let bye = tokio::spawn(wire.say_bye(WireError::new(ErrorCode::TooLarge)));
    assert_eq!(client.next().await.unwrap().unwrap().len(), 1_000);
    let said = client.next().await.unwrap().unwrap().into_text().unwrap();
    assert!(said.contains("too_large"), "{said}");
    assert!(matches!(client.next().await.unwrap().unwrap(), Message::Close(Some(_))));
    // The library answers the close and then sees the end.
    assert!(client.next().await.is_none());
    bye.await.unwrap();
}

#[tokio::test]
async fn a_client_that_closes_is_answered() {
    let (mut wire, mut client) = pair().await;
    client.close(None).await.unwrap();
    assert!(matches!(wire.next().await, Io::Closing));
    wire.close_too().await;
    assert!(matches!(client.next().await.unwrap().unwrap(), Message::Close(_)));
    assert!(client.next().await.is_none());
}

#[tokio::test]
async fn what_is_no_frame_ends_the_connection() {
    let (here, mut there) = duplex(PIPE_BYTES);
    let mut wire = Wire::new(here, None);
    there.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    assert!(matches!(wire.next().await, Io::Gone));
}
