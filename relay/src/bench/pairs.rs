//! A relay with pairs of clients: a visitor and the agent who serves them, each with one socket.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::child::Relay;
use super::client::{Board, Client, Order, Side};
use super::error::{BenchError, During as _};
use super::ground::Ground;
use super::spread::Percentiles;

/// Pairs of S1, S3, S4 and S7.
pub(super) const PAIRS: usize = 100;
/// The slowest relay has answered everything by then.
pub(super) const SETTLES_WITHIN: Duration = Duration::from_secs(60);

/// See the module.
pub(super) struct Pairs {
    relay: Relay,
    board: Arc<Board>,
    /// Visitor, agent, visitor, …
    clients: Vec<Client>,
}

/// What a round of writing as fast as possible gave.
pub(super) struct Saturated {
    /// Messages a second that were stored, synced, acknowledged and delivered.
    pub(super) per_second: f64,
    /// Processor time of the relay for each, in microseconds.
    pub(super) cpu_us: Option<f64>,
}

/// What a round at a rate gave.
pub(super) struct Paced {
    pub(super) delay: Percentiles,
    /// How late messages were sent, in milliseconds: what of the delay is not the relay's.
    pub(super) late: Percentiles,
    pub(super) cpu_us: Option<f64>,
}

impl Pairs {
    pub(super) async fn start(folder: &Path) -> Result<Self, BenchError> {
        let ground = Ground::of_pairs(folder, PAIRS).await?;
        let relay = Relay::start(folder).await?;
        let board = Board::new();
        let mut clients = Vec::new();
        for (number, visitor) in ground.visitors.iter().enumerate() {
            let agent = ground.agents.get(visitor.agent);
            let agent = agent.ok_or_else(|| BenchError::new("pairing", "no agent"))?;
            let serving = Side::Agent(vec![visitor.conversation.clone()]);
            let address = relay.address;
            let open = |side, token| Client::open(&board, address, side, token, number);
            clients.push(open(Side::Visitor, &visitor.token).await?);
            clients.push(open(serving, &agent.token).await?);
        }
        Ok(Self { relay, board, clients })
    }

    /// Both sides of so many pairs write, each again as soon as it is answered, for this long.
    pub(super) async fn saturate(
        &self,
        pairs: usize,
        time: Duration,
    ) -> Result<Saturated, BenchError> {
        let board = &self.board;
        let cpu = self.relay.cpu_us();
        let before = board.arrived.load(Ordering::Relaxed);
        let begun = Instant::now();
        board.saturate.store(true, Ordering::Relaxed);
        for client in self.clients.iter().take(2 * pairs) {
            board.order(&client.orders(), board.now_ns());
        }
        let messages = board.arrived_beyond(before, time).await;
        let took = begun.elapsed().as_secs_f64();
        let cpu = self.relay.cpu_us().zip(cpu).map(|(after, before)| after - before);
        board.saturate.store(false, Ordering::Relaxed);
        self.settled().await?;
        Ok(Saturated { per_second: messages / took, cpu_us: cpu.map(|cpu| cpu / messages) })
    }

    /// All write in turn, so many messages a second together, for this long.
    pub(super) async fn pace(&self, rate: u32, time: Duration) -> Result<Paced, BenchError> {
        let cpu = self.relay.cpu_us();
        self.board.take_delays();
        let orders = self.clients.iter().map(Client::orders).collect();
        let (late, sent) = pace(&self.board, orders, rate, time, Order::Message).await?;
        self.settled().await?;
        let cpu = self.relay.cpu_us().zip(cpu).map(|(after, before)| (after - before) / sent);
        Ok(Paced { delay: Percentiles::of(self.board.take_delays()), late, cpu_us: cpu })
    }

    async fn settled(&self) -> Result<(), BenchError> {
        self.board.settled(SETTLES_WITHIN).await?;
        match self.board.troubles.load(Ordering::Relaxed) {
            0 => Ok(()),
            troubles => Err(BenchError::new("driving the relay", format!("{troubles} troubles"))),
        }
    }

    /// What the relay has in memory now, in KiB.
    pub(super) fn resident_kib(&self) -> Option<f64> {
        self.relay.resident_kib()
    }

    pub(super) async fn stop(self) -> Result<(), BenchError> {
        drop(self.clients);
        self.relay.stop().await
    }
}

/// Orders messages, or what else `order` says, at their time from a thread of its own, whose sleep is
/// finer than the runtime's. Each counts from the moment it was meant to be sent, however late it was:
/// a relay that stops for a while is not spared the messages that would have come meanwhile. Gives how
/// late they were, and how many.
pub(super) async fn pace(
    board: &Arc<Board>,
    orders: Vec<mpsc::UnboundedSender<Order>>,
    rate: u32,
    time: Duration,
    order: fn(u64) -> Order,
) -> Result<(Percentiles, f64), BenchError> {
    let board = Arc::clone(board);
    let pacing = tokio::task::spawn_blocking(move || {
        let begin_ns = board.now_ns();
        let count = (time.as_secs_f64() * f64::from(rate)).ceil();
        let mut late = Vec::new();
        let mut whose = orders.iter().cycle();
        let mut number = 0_u64;
        while (number as f64) < count {
            let intended_ns = begin_ns + number * 1_000_000_000 / u64::from(rate);
            let now_ns = board.now_ns();
            if intended_ns > now_ns {
                std::thread::sleep(Duration::from_nanos(intended_ns - now_ns));
            }
            late.push(board.now_ns().saturating_sub(intended_ns));
            let Some(orders) = whose.next() else { break };
            board.tell(orders, order(intended_ns));
            number += 1;
        }
        (Percentiles::of(late), count)
    });
    pacing.await.during("pacing")
}
