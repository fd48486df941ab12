//! A client that costs as little as possible, so that what is measured is the relay. One task for
//! each socket: it sends when it is told to, looks only at those few bytes of a frame that it needs,
//! and counts. It never comes back by itself.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use parking_lot::Mutex;
use serde::Serialize;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use yingke_shared::PROTOCOL_VERSION;
use yingke_shared::frame::{Hello, ResumePoint};
use yingke_shared::ids::{ConversationId, Epoch, Position};

use super::error::{BenchError, During as _};
use super::ground::TEXT;
use super::pairs::SETTLES_WITHIN;

/// Sockets that come from one address: far fewer than the relay lets in from one.
const OF_ONE_ADDRESS: usize = 200;
/// A connection and its welcome; longer ones are tried again.
const WELCOME_WITHIN: Duration = Duration::from_secs(20);
/// Messages of one client that are unanswered at once: with two hundred clients they fit into the
/// writer's queue, so that a relay which is too slow for a rate shows it by its delays.
const UNANSWERED_MAX: usize = 16;
/// Between the time and the sender in an id.
const MARK: &str = "-bench-";
/// Of the time in an id.
const DIGITS: usize = 20;
/// Begins the ids of previews, which are answered only when refused.
const PREVIEW: &str = "preview-";
/// Before the time in what is being typed.
const TYPED: &str = "typed at ";
const READ_BUFFER_BYTES: usize = 4 * 1_024;

pub(super) type Socket = WebSocketStream<TcpStream>;

/// Which side of the protocol, and what a message of it looks like.
#[derive(Debug, Clone)]
pub(super) enum Side {
    Visitor,
    /// Writing into these conversations in turn.
    Agent(Vec<ConversationId>),
}

impl Side {
    fn path(&self) -> &'static str {
        match self {
            Self::Visitor => "/ws/visitor",
            Self::Agent(_) => "/ws/staff",
        }
    }

    /// All of a message's frame but its id.
    fn bodies(&self) -> Vec<String> {
        match self {
            Self::Visitor => vec![format!(
                r#"","type":"send_message","body":{{"text":"{TEXT}","page":{{"url":"http://shop.localhost/","title":"Tea"}},"locale":"zh-CN"}}}}"#
            )],
            Self::Agent(conversations) => conversations
                .iter()
                .map(|id| {
                    format!(
                        r#"","type":"send_message","body":{{"conversation_id":"{id}","text":"{TEXT}"}}}}"#
                    )
                })
                .collect(),
        }
    }
}

/// Something a client is told to do, as if at that moment, in nanoseconds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Order {
    /// Send a message.
    Message(u64),
    /// Show what is being typed.
    Preview(u64),
}

/// What all clients share.
pub(super) struct Board {
    /// What times count from.
    pub(super) began: Instant,
    /// Whoever is answered writes again at once.
    pub(super) saturate: AtomicBool,
    /// Messages that were acknowledged.
    pub(super) acked: AtomicU64,
    /// Messages that arrived at the other side.
    pub(super) arrived: AtomicU64,
    /// Messages that anybody was told to send.
    pub(super) sent: AtomicU64,
    /// Refused, closed, broken: there should be none.
    pub(super) troubles: AtomicU64,
    /// From the intended moment of sending to the arrival at the other side, in nanoseconds.
    pub(super) delays: Mutex<Vec<u64>>,
    /// The same of previews.
    pub(super) previews: Mutex<Vec<u64>>,
    /// Whom an agent is to be told of, whether as there, and since when.
    pub(super) expected: Mutex<Option<(ConversationId, bool, u64)>>,
    /// How long that took.
    pub(super) presences: Mutex<Vec<u64>>,
}

impl Board {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            began: Instant::now(),
            saturate: AtomicBool::new(false),
            acked: AtomicU64::new(0),
            arrived: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            troubles: AtomicU64::new(0),
            delays: Mutex::default(),
            previews: Mutex::default(),
            expected: Mutex::default(),
            presences: Mutex::default(),
        })
    }

    /// Tells a client to send a message that counts as sent at `intended_ns`.
    pub(super) fn order(&self, orders: &mpsc::UnboundedSender<Order>, intended_ns: u64) {
        self.tell(orders, Order::Message(intended_ns));
    }

    /// Tells a client to do this.
    pub(super) fn tell(&self, orders: &mpsc::UnboundedSender<Order>, order: Order) {
        if let Order::Message(_) = order {
            self.sent.fetch_add(1, Ordering::Relaxed);
        }
        // A client that has ended is one of the troubles.
        let _ = orders.send(order);
    }

    /// From now on an agent should be told of this visitor.
    pub(super) fn expect(&self, conversation: &ConversationId, online: bool) {
        *self.expected.lock() = Some((conversation.clone(), online, self.now_ns()));
    }

    /// Forgets delays of all kinds.
    pub(super) fn forget_live(&self) {
        for all in [&self.delays, &self.previews, &self.presences] {
            all.lock().clear();
        }
    }

    /// Forgets the delays so far.
    pub(super) fn take_delays(&self) -> Vec<u64> {
        std::mem::take(&mut *self.delays.lock())
    }

    pub(super) fn now_ns(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Begins to count messages again.
    pub(super) fn forget_counts(&self) {
        for count in [&self.sent, &self.acked, &self.arrived] {
            count.store(0, Ordering::Relaxed);
        }
    }

    /// What arrives in this time beyond `before`. A computer that had no time for anybody gets more: what
    /// did not happen has no rate.
    pub(super) async fn arrived_beyond(&self, before: u64, time: Duration) -> f64 {
        let end = Instant::now() + SETTLES_WITHIN;
        loop {
            tokio::time::sleep(time).await;
            let arrived = self.arrived.load(Ordering::Relaxed) - before;
            if arrived > 0 || Instant::now() > end {
                return arrived as f64;
            }
        }
    }

    /// Waits until everything that was sent is acknowledged and has arrived.
    pub(super) async fn settled(&self, within: Duration) -> Result<(), BenchError> {
        self.until(within, [&self.acked, &self.arrived]).await
    }

    /// Waits until everything that was sent is acknowledged.
    pub(super) async fn acknowledged(&self, within: Duration) -> Result<(), BenchError> {
        self.until(within, [&self.acked, &self.acked]).await
    }

    async fn until(&self, within: Duration, counts: [&AtomicU64; 2]) -> Result<(), BenchError> {
        let reached = async {
            loop {
                let sent = self.sent.load(Ordering::Relaxed);
                if counts.iter().all(|count| count.load(Ordering::Relaxed) >= sent) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let waited = timeout(within, reached).await;
        waited.map_err(|_| {
            let [sent, acked, arrived, troubles] =
                [&self.sent, &self.acked, &self.arrived, &self.troubles]
                    .map(|count| count.load(Ordering::Relaxed));
            let why = format!(
                "of {sent} messages {acked} were acknowledged and {arrived} arrived; {troubles} troubles"
            );
            BenchError::new("waiting for all messages", why)
        })
    }
}

/// A socket with its task. Closed when dropped.
pub(super) struct Client {
    orders: mpsc::UnboundedSender<Order>,
    /// Everything up to here was delivered.
    upto: Arc<AtomicU64>,
    /// Of which log.
    pub(super) epoch: Epoch,
    task: JoinHandle<()>,
}

impl Drop for Client {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// How a socket began.
pub(super) struct Welcomed {
    pub(super) socket: Socket,
    /// It goes on where it said it stopped.
    pub(super) resumed: bool,
    epoch: Epoch,
    position: u64,
}

/// Connects and says hello. `number` spreads clients over addresses.
pub(super) async fn welcome(
    address: SocketAddr,
    side: &Side,
    token: &str,
    number: usize,
    resume: Option<ResumePoint>,
) -> Result<Welcomed, BenchError> {
    let opening = open(address, side, token, number, resume);
    timeout(WELCOME_WITHIN, opening).await.during("waiting for a welcome")?
}

async fn open(
    address: SocketAddr,
    side: &Side,
    token: &str,
    number: usize,
    resume: Option<ResumePoint>,
) -> Result<Welcomed, BenchError> {
    let mut socket = upgrade(address, side.path(), number).await?;
    #[derive(Serialize)]
    struct First<'a> {
        id: &'a str,
        r#type: &'a str,
        body: Hello,
    }
    let body = Hello { version: PROTOCOL_VERSION, token: token.to_owned(), resume };
    let first = First { id: "hello", r#type: "hello", body };
    let first = serde_json::to_string(&first).during("writing a hello")?;
    socket.send(Frame::text(first)).await.during("saying hello")?;
    loop {
        let frame = socket.next().await;
        let frame = frame.ok_or_else(|| BenchError::new("saying hello", "it was closed"))?;
        let Frame::Text(text) = frame.during("reading a welcome")? else { continue };
        if !text.starts_with(r#"{"type":"welcome""#) {
            return Err(BenchError::new("saying hello", text));
        }
        let epoch = after(&text, r#""epoch":""#).and_then(|rest| rest.split('"').next());
        let epoch = Epoch::new(epoch.unwrap_or_default()).during("reading a welcome")?;
        let position = number_after(&text, r#""position":"#).unwrap_or(0);
        let resumed = text.contains(r#""mode":"resumed""#);
        return Ok(Welcomed { socket, resumed, epoch, position });
    }
}

/// A WebSocket, from one of many addresses of this machine where it has them.
pub(super) async fn upgrade(
    address: SocketAddr,
    path: &str,
    number: usize,
) -> Result<Socket, BenchError> {
    let connecting = "connecting";
    let socket = TcpSocket::new_v4().during(connecting)?;
    if cfg!(target_os = "linux") && address.ip() == IpAddr::V4(Ipv4Addr::LOCALHOST) {
        let street = u32::try_from(number / OF_ONE_ADDRESS).unwrap_or(0) % 60_000;
        let from = Ipv4Addr::from(u32::from(Ipv4Addr::new(127, 1, 0, 1)) + street);
        socket.bind(SocketAddr::new(from.into(), 0)).during(connecting)?;
    }
    let stream = socket.connect(address).await.during(connecting)?;
    stream.set_nodelay(true).during(connecting)?;
    let config =
        WebSocketConfig::default().read_buffer_size(READ_BUFFER_BYTES).write_buffer_size(0);
    let url = format!("ws://{address}{path}");
    let upgraded = tokio_tungstenite::client_async_with_config(url, stream, Some(config)).await;
    Ok(upgraded.during(connecting)?.0)
}

impl Client {
    /// Connects, says hello and begins to listen.
    pub(super) async fn open(
        board: &Arc<Board>,
        address: SocketAddr,
        side: Side,
        token: &str,
        number: usize,
    ) -> Result<Self, BenchError> {
        let welcomed = welcome(address, &side, token, number, None).await?;
        Ok(Self::run(board, welcomed, &side, number))
    }

    /// Begins to listen.
    pub(super) fn run(board: &Arc<Board>, welcomed: Welcomed, side: &Side, number: usize) -> Self {
        let (orders, queue) = mpsc::unbounded_channel();
        let upto = Arc::new(AtomicU64::new(welcomed.position));
        let Welcomed { socket, epoch, .. } = welcomed;
        let letter = if matches!(side, Side::Visitor) { 'v' } else { 'a' };
        let talk = Talk {
            board: Arc::clone(board),
            socket,
            letter,
            own: format!("{MARK}{letter}{number:07}"),
            bodies: side.bodies(),
            turn: 0,
            unanswered: 0,
            waiting: VecDeque::new(),
            upto: Arc::clone(&upto),
        };
        Self { orders, upto, epoch, task: tokio::spawn(talk.run(queue)) }
    }

    /// For [`Board::order`].
    pub(super) fn orders(&self) -> mpsc::UnboundedSender<Order> {
        self.orders.clone()
    }

    /// Where it would go on.
    pub(super) fn bookmark(&self) -> ResumePoint {
        let position = Position::new(self.upto.load(Ordering::Relaxed)).unwrap_or_default();
        ResumePoint { epoch: self.epoch.clone(), position }
    }
}

/// A socket's task.
struct Talk {
    board: Arc<Board>,
    socket: Socket,
    /// Of which side it is.
    letter: char,
    /// What the ids of own messages end with; the rest is the intended time. Like those of the real
    /// clients they sort by time.
    own: String,
    bodies: Vec<String>,
    /// Whose turn it is of the bodies.
    turn: usize,
    unanswered: usize,
    /// Intended, but too many are unanswered.
    waiting: VecDeque<u64>,
    upto: Arc<AtomicU64>,
}

impl Talk {
    async fn run(mut self, mut orders: mpsc::UnboundedReceiver<Order>) {
        loop {
            tokio::select! {
                biased;
                order = orders.recv() => match order {
                    Some(Order::Message(intended_ns)) => self.send(intended_ns).await,
                    Some(Order::Preview(intended_ns)) => self.show(intended_ns).await,
                    None => return,
                },
                frame = self.socket.next() => match frame {
                    Some(Ok(Frame::Text(text))) => self.read(&text).await,
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => {
                        self.board.troubles.fetch_add(1, Ordering::Relaxed);
                        return;
                    }
                },
            }
        }
    }

    async fn send(&mut self, intended_ns: u64) {
        if self.unanswered >= UNANSWERED_MAX {
            self.waiting.push_back(intended_ns);
            return;
        }
        let Some(body) = self.bodies.get(self.turn) else { return };
        self.turn = (self.turn + 1) % self.bodies.len();
        let frame = format!(r#"{{"id":"{intended_ns:0DIGITS$}{}{body}"#, self.own);
        self.unanswered += 1;
        if self.socket.send(Frame::text(frame)).await.is_err() {
            self.board.troubles.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What is being typed says when it was.
    async fn show(&mut self, intended_ns: u64) {
        let (own, typed) = (&self.own, in_letters(intended_ns));
        let frame = format!(
            r#"{{"id":"{PREVIEW}{intended_ns}{own}","type":"preview","body":{{"text":"{TYPED}{typed}"}}}}"#
        );
        if self.socket.send(Frame::text(frame)).await.is_err() {
            self.board.troubles.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A signal to an agent.
    fn signalled(&self, text: &str) {
        let now_ns = self.board.now_ns();
        if let Some(typed) = after(text, TYPED) {
            let shown = typed.split('"').next().and_then(of_letters);
            self.board.previews.lock().extend(shown.map(|then| now_ns.saturating_sub(then)));
        } else if text.contains(r#""kind":"visitor_online""#) {
            let is_online = text.contains(r#""online":true"#);
            let mut expected = self.board.expected.lock();
            let is_it = |(id, online, _): &mut (ConversationId, bool, u64)| {
                *online == is_online && text.contains(id.as_str())
            };
            if let Some((_, _, since_ns)) = expected.take_if(is_it) {
                self.board.presences.lock().push(now_ns.saturating_sub(since_ns));
            }
        }
    }

    async fn read(&mut self, text: &str) {
        if text.starts_with(r#"{"type":"delivery""#) {
            self.delivered(text);
        } else if is_of_preview(text) {
            // Too many at once, because they were sent late: the next one is shown.
        } else if text.starts_with(r#"{"type":"reply""#) {
            self.unanswered = self.unanswered.saturating_sub(1);
            if text.contains(r#""kind":"accepted""#) {
                self.board.acked.fetch_add(1, Ordering::Relaxed);
            } else {
                self.board.troubles.fetch_add(1, Ordering::Relaxed);
            }
            if let Some(intended_ns) = self.waiting.pop_front() {
                self.send(intended_ns).await;
            } else if self.board.saturate.load(Ordering::Relaxed) {
                self.board.sent.fetch_add(1, Ordering::Relaxed);
                self.send(self.board.now_ns()).await;
            }
        } else if text.starts_with(r#"{"type":"signal""#) {
            self.signalled(text);
        } else if text.starts_with(r#"{"type":"bye""#) {
            self.board.troubles.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn delivered(&self, text: &str) {
        if let Some(upto) = number_after(text, r#""upto":"#) {
            self.upto.store(upto, Ordering::Relaxed);
        }
        let mut rest = text;
        while let Some(found) = after(rest, r#""client_id":""#) {
            rest = found;
            let Some((intended, whose)) = found.split_once(MARK) else { continue };
            // Own messages come back too; what counts is their arrival at the other side.
            if intended.len() != DIGITS || whose.starts_with(self.letter) {
                continue;
            }
            self.board.arrived.fetch_add(1, Ordering::Relaxed);
            if let Ok(intended_ns) = intended.parse::<u64>()
                && !self.board.saturate.load(Ordering::Relaxed)
            {
                let delay_ns = self.board.now_ns().saturating_sub(intended_ns);
                self.board.delays.lock().push(delay_ns);
            }
        }
    }
}

/// A number that no mask of digits touches.
fn in_letters(number: u64) -> String {
    let letter = |digit: u8| char::from(b'a' + (digit - b'0'));
    number.to_string().bytes().map(letter).collect()
}

fn of_letters(letters: &str) -> Option<u64> {
    letters.bytes().try_fold(0_u64, |number, letter| {
        let digit = letter.checked_sub(b'a').filter(|digit| *digit < 10)?;
        number.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

/// Whether a frame refuses a preview.
fn is_of_preview(text: &str) -> bool {
    let id = text.strip_prefix(r#"{"type":"reply","id":""#);
    id.is_some_and(|id| id.starts_with(PREVIEW))
}

/// What follows the first `mark`.
fn after<'t>(text: &'t str, mark: &str) -> Option<&'t str> {
    text.split_once(mark).map(|(_, rest)| rest)
}

/// The number that follows the first `mark`.
fn number_after(text: &str, mark: &str) -> Option<u64> {
    let rest = after(text, mark)?;
    rest.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}

/// Those messages of agents that a delivery brings a visitor.
pub(super) fn messages_of_agents(text: &str) -> usize {
    text.matches("-bench-a").count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_needs_of_a_frame_is_found() {
        let text = r#"{"type":"delivery","after":3,"upto":41,"events":[{"client_id":"00000000000000000007-bench-a0000001"}]}"#;
        assert_eq!(number_after(text, r#""upto":"#), Some(41));
        assert_eq!(messages_of_agents(text), 1);
        assert_eq!(number_after(text, r#""from":"#), None);
    }

    #[test]
    fn a_time_in_letters_is_read_again() {
        for number in [0, 9, 1_234_567_890, u64::MAX] {
            assert_eq!(of_letters(&in_letters(number)), Some(number));
        }
        assert_eq!(of_letters("abk"), None);
    }
}
