//! A bare WebSocket echo: what sockets cost on this machine before anything is stored or routed.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use super::client::{Board, Order, Socket, upgrade};
use super::error::{BenchError, During as _};
use super::pairs::{SETTLES_WITHIN, pace};
use super::spread::Percentiles;

/// About a message's frame.
const FRAME_BYTES: usize = 256;
/// Digits of the time a frame begins with.
const DIGITS: usize = 20;

/// A server on threads of its own, and its clients.
pub(super) struct Echo {
    board: Arc<Board>,
    orders: Vec<mpsc::UnboundedSender<Order>>,
    tasks: Vec<JoinHandle<()>>,
    server: Option<Runtime>,
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
        if let Some(server) = self.server.take() {
            server.shutdown_background();
        }
    }
}

impl Echo {
    pub(super) async fn start(sockets: usize) -> Result<Self, BenchError> {
        let during = "starting an echo";
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).during(during)?;
        listener.set_nonblocking(true).during(during)?;
        let address: SocketAddr = listener.local_addr().during(during)?;
        let server = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let server = server.during(during)?;
        server.spawn(serve(listener));
        let mut echo =
            Self { board: Board::new(), orders: vec![], tasks: vec![], server: Some(server) };
        for number in 0..sockets {
            let socket = upgrade(address, "/", number).await?;
            let (orders, queue) = mpsc::unbounded_channel();
            echo.tasks.push(tokio::spawn(talk(Arc::clone(&echo.board), socket, queue)));
            echo.orders.push(orders);
        }
        Ok(echo)
    }

    /// Everybody asks again as soon as answered: echoes a second.
    pub(super) async fn saturate(&self, time: Duration) -> Result<f64, BenchError> {
        let before = self.board.arrived.load(Ordering::Relaxed);
        let begun = Instant::now();
        self.board.saturate.store(true, Ordering::Relaxed);
        for orders in &self.orders {
            self.board.order(orders, self.board.now_ns());
        }
        let echoes = self.board.arrived_beyond(before, time).await;
        let took = begun.elapsed().as_secs_f64();
        self.board.saturate.store(false, Ordering::Relaxed);
        self.board.settled(SETTLES_WITHIN).await?;
        Ok(echoes / took)
    }

    /// The delay there and back at a rate.
    pub(super) async fn pace(&self, rate: u32, time: Duration) -> Result<Percentiles, BenchError> {
        self.board.take_delays();
        pace(&self.board, self.orders.clone(), rate, time, Order::Message).await?;
        self.board.settled(SETTLES_WITHIN).await?;
        Ok(Percentiles::of(self.board.take_delays()))
    }
}

async fn serve(listener: TcpListener) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(async move {
            let _ = stream.set_nodelay(true);
            let config = WebSocketConfig::default().write_buffer_size(0);
            let accepted = tokio_tungstenite::accept_async_with_config(stream, Some(config)).await;
            let Ok(mut socket) = accepted else { return };
            while let Some(Ok(frame)) = socket.next().await {
                if frame.is_text() && socket.send(frame).await.is_err() {
                    return;
                }
            }
        });
    }
}

async fn talk(board: Arc<Board>, mut socket: Socket, mut orders: mpsc::UnboundedReceiver<Order>) {
    let filling = "x".repeat(FRAME_BYTES - DIGITS);
    let frame = |intended_ns: u64| Frame::text(format!("{intended_ns:0DIGITS$}{filling}"));
    loop {
        tokio::select! {
            biased;
            order = orders.recv() => {
                let Some(Order::Message(intended_ns) | Order::Preview(intended_ns)) = order else {
                    return;
                };
                if socket.send(frame(intended_ns)).await.is_err() {
                    return;
                }
            }
            echoed = socket.next() => {
                let Some(Ok(Frame::Text(text))) = echoed else { return };
                board.acked.fetch_add(1, Ordering::Relaxed);
                board.arrived.fetch_add(1, Ordering::Relaxed);
                let now_ns = board.now_ns();
                if board.saturate.load(Ordering::Relaxed) {
                    board.sent.fetch_add(1, Ordering::Relaxed);
                    if socket.send(frame(now_ns)).await.is_err() {
                        return;
                    }
                } else if let Some(intended_ns) =
                    text.get(..DIGITS).and_then(|digits| digits.parse::<u64>().ok())
                {
                    board.delays.lock().push(now_ns.saturating_sub(intended_ns));
                }
            }
        }
    }
}
