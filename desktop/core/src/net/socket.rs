//! One WebSocket to the relay: dials, carries text both ways, says when it is over. It never
//! decides to come back.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message, Utf8Bytes};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::NetEvent;
use super::resolve::resolve;
use crate::address::ServerAddress;
use crate::limits::{
    DIAL_WITHIN_MS, OPEN_WITHIN_MS, RELAY_FRAME_BYTES_MAX, SILENCE_MS_MAX, WRITE_QUEUE_MAX,
};

/// What a socket tells the loop.
pub(crate) enum SocketEvent {
    /// It is open.
    Opened,
    /// A text frame.
    Frame(Utf8Bytes),
    /// A ping: the relay lives, and so does the way from it.
    Alive,
    /// It could not be opened, or it is closed.
    Closed,
}

/// The loop's hand on a socket. Dropping it closes the socket.
pub(crate) struct SocketHandle {
    frames: mpsc::Sender<String>,
}

/// The socket takes nothing more: it is closed, or the link is slower than what we say.
pub(crate) struct NotSent;

impl SocketHandle {
    pub(crate) fn send(&self, frame: String) -> Result<(), NotSent> {
        self.frames.try_send(frame).map_err(|_| NotSent)
    }
}

/// Dials in the background; `dial` marks what this socket says. The loop may be busy: then the socket
/// is simply not read.
pub(crate) fn open(
    server: ServerAddress,
    dial: u64,
    events: mpsc::Sender<NetEvent>,
) -> SocketHandle {
    let (frames, outgoing) = mpsc::channel(WRITE_QUEUE_MAX);
    tokio::spawn(async move {
        if let Err(error) = run(&server, dial, outgoing, &events).await {
            tracing::info!(%error, "the link to the relay is closed");
        }
        let _ = events.send(NetEvent::Socket { dial, event: SocketEvent::Closed }).await;
    });
    SocketHandle { frames }
}

#[derive(Debug, thiserror::Error)]
enum LinkError {
    #[error("looking up the relay: {0}")]
    Resolve(std::io::Error),
    #[error("dialling the relay: {0}")]
    Dial(std::io::Error),
    #[error("dialling took too long")]
    TooSlow,
    #[error("the relay takes nothing")]
    Stuck,
    #[error(transparent)]
    Socket(#[from] tungstenite::Error),
    #[error("the relay sent something else than text")]
    NotText,
    #[error("the relay closed it")]
    ClosedByRelay,
}

type Link = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn run(
    server: &ServerAddress,
    dial: u64,
    mut outgoing: mpsc::Receiver<String>,
    events: &mpsc::Sender<NetEvent>,
) -> Result<(), LinkError> {
    let limit = Duration::from_millis(OPEN_WITHIN_MS);
    let mut link = tokio::select! {
        biased;
        // The loop let go of the handle: nobody wants this link any more.
        () = gone(&mut outgoing) => return Ok(()),
        opened = tokio::time::timeout(limit, connect(server)) => {
            opened.map_err(|_| LinkError::TooSlow)??
        }
    };
    let say = |event| events.send(NetEvent::Socket { dial, event });
    if say(SocketEvent::Opened).await.is_err() {
        return Ok(());
    }
    loop {
        tokio::select! {
            biased;
            frame = outgoing.recv() => match frame {
                // While it waits nothing is heard, not even that nobody wants this link any more.
                Some(frame) => {
                    let limit = Duration::from_millis(SILENCE_MS_MAX);
                    let sent = tokio::time::timeout(limit, link.send(Message::text(frame))).await;
                    sent.map_err(|_| LinkError::Stuck)??;
                }
                None => {
                    let closing = link.close(None);
                    let _ = tokio::time::timeout(Duration::from_millis(500), closing).await;
                    return Ok(());
                }
            },
            message = link.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    if say(SocketEvent::Frame(text)).await.is_err() {
                        return Ok(());
                    }
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {
                    if say(SocketEvent::Alive).await.is_err() {
                        return Ok(());
                    }
                }
                Some(Ok(Message::Close(_))) | None => return Err(LinkError::ClosedByRelay),
                Some(Ok(Message::Binary(_) | Message::Frame(_))) => return Err(LinkError::NotText),
                Some(Err(error)) => return Err(error.into()),
            },
        }
    }
}

/// Ends when the loop lets go. Before the socket is open the loop has nothing to send.
async fn gone(outgoing: &mut mpsc::Receiver<String>) {
    while outgoing.recv().await.is_some() {}
}

async fn connect(server: &ServerAddress) -> Result<Link, LinkError> {
    let (host, port) = server.host_and_port();
    let addresses = resolve(&host, port).await.map_err(LinkError::Resolve)?;
    let mut last = None;
    let mut stream = None;
    for address in addresses {
        let limit = Duration::from_millis(DIAL_WITHIN_MS);
        let dialled = tokio::time::timeout(limit, TcpStream::connect(address)).await;
        match dialled.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into())) {
            Ok(open) => {
                stream = Some(open);
                break;
            }
            Err(error) => last = Some(error),
        }
    }
    let stream = stream.ok_or_else(|| {
        LinkError::Dial(last.unwrap_or_else(|| std::io::ErrorKind::AddrNotAvailable.into()))
    })?;
    stream.set_nodelay(true).map_err(LinkError::Dial)?;
    let request = server.staff_socket().into_client_request()?;
    let config = WebSocketConfig::default()
        .read_buffer_size(16 * 1024)
        .max_message_size(Some(RELAY_FRAME_BYTES_MAX))
        .max_frame_size(Some(RELAY_FRAME_BYTES_MAX));
    let (link, _response) =
        tokio_tungstenite::client_async_tls_with_config(request, stream, Some(config), None)
            .await?;
    Ok(link)
}
