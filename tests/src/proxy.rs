//! A bad network between one client and the relay: a TCP proxy whose connections a test slows down,
//! swallows in one direction or both, resets, cuts in the middle of a frame, or forgets.
//!
//! A *hole* keeps what comes instead of passing it on, endings included, as a network that loses
//! packets does: when it is closed again the kernels' buffers go on where they stopped. A *forgotten*
//! connection never moves again and is never ended: what a lost address translation leaves behind.
//! Nothing here holds more than one buffer for each direction of each connection.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;

use crate::http::Address;

/// One buffer for each direction; also the largest piece that is passed on at once.
const BUFFER_BYTES: usize = 16 * 1024;

/// More connections than a client ever has at once; more are refused.
const CONNECTIONS_MAX: usize = 64;

/// A direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Toward {
    /// What the client says.
    Relay,
    /// What the relay says.
    Client,
}

/// What one connection does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Passes everything on.
    Pass,
    /// Keeps what goes in this direction.
    Hole(Toward),
    /// Keeps what goes in both.
    Holes,
    /// Passes half of the next piece in this direction on, then ends as a cable does.
    CutInFrame(Toward),
    /// Ends with a reset toward both.
    Reset,
    /// Ends in good order toward both.
    Close,
    /// Never moves again and never ends.
    Forget,
}

/// How a connection carries what it passes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pace {
    /// Each piece waits this long.
    pub delay: Duration,
    /// And as long as it takes at this rate, if there is one.
    pub bytes_per_second: Option<u32>,
}

/// What becomes of connections.
#[derive(Debug, Clone, Copy)]
struct Gate {
    /// New ones are reset at once.
    is_down: bool,
    /// What new ones begin with.
    first: Order,
}

struct State {
    relay: SocketAddr,
    /// Of this computer's addresses, the one the relay sees.
    source: Ipv4Addr,
    gate: Mutex<Gate>,
    pace: watch::Sender<Pace>,
    /// Those that are not over, by number.
    open: Mutex<BTreeMap<u64, watch::Sender<Order>>>,
}

/// A proxy; everything it carries ends with it.
pub struct Proxy {
    port: u16,
    state: Arc<State>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Proxy {
    /// A good network to the relay, for now.
    pub async fn to(relay: &Address) -> Result<Self> {
        Self::to_as(relay, Ipv4Addr::LOCALHOST).await
    }

    /// The same, seen by the relay as another of this computer's addresses: limits for each address
    /// then hold for each of them.
    pub async fn to_as(relay: &Address, source: Ipv4Addr) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let state = Arc::new(State {
            relay: SocketAddr::from(([127, 0, 0, 1], relay.port)),
            source,
            gate: Mutex::new(Gate { is_down: false, first: Order::Pass }),
            pace: watch::Sender::new(Pace::default()),
            open: Mutex::default(),
        });
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            // Whatever is carried ends with this set, and the set with the task.
            let mut carried = tokio::task::JoinSet::new();
            let mut number = 0;
            while let Ok((client, _)) = listener.accept().await {
                while carried.try_join_next().is_some() {}
                number += 1;
                carried.spawn(carry(Arc::clone(&shared), number, client));
            }
        });
        Ok(Self { port, state, task })
    }

    /// The relay's address through this proxy.
    #[must_use]
    pub fn address(&self, relay: &Address) -> Address {
        let mut address = relay.clone();
        address.port = self.port;
        address
    }

    /// Gives an order to every connection there is; gives how many there are.
    pub fn order(&self, order: Order) -> usize {
        let open = self.state.open.lock().unwrap();
        for orders in open.values() {
            orders.send_replace(order);
        }
        open.len()
    }

    /// The same to the newest connection alone: a client's socket, when it has nothing else open.
    pub fn order_newest(&self, order: Order) -> Result<()> {
        let open = self.state.open.lock().unwrap();
        let (_, orders) = open.last_key_value().context("no connection is open")?;
        orders.send_replace(order);
        Ok(())
    }

    /// From now on connections carry at this pace.
    pub fn set_pace(&self, pace: Pace) {
        self.state.pace.send_replace(pace);
    }

    /// The network is gone: what there is, is reset, and so is everything new.
    pub fn down(&self) {
        self.state.gate.lock().unwrap().is_down = true;
        self.order(Order::Reset);
    }

    /// Connections there are keep this, and new ones begin with it.
    pub fn swallow(&self, order: Order) {
        self.state.gate.lock().unwrap().first = order;
        self.order(order);
    }

    /// New connections are good again; those that were not ended pass everything on.
    pub fn up(&self) {
        *self.state.gate.lock().unwrap() = Gate { is_down: false, first: Order::Pass };
        for orders in self.state.open.lock().unwrap().values() {
            orders.send_if_modified(|order| {
                let is_hole = matches!(order, Order::Hole(_) | Order::Holes);
                if is_hole {
                    *order = Order::Pass;
                }
                is_hole
            });
        }
    }

    /// How many connections are not over.
    #[must_use]
    pub fn open(&self) -> usize {
        self.state.open.lock().unwrap().len()
    }
}

/// How a connection ends.
enum Ending {
    Reset,
    Close,
    Forget,
}

async fn reach(state: &State) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((state.source, 0)))?;
    socket.connect(state.relay).await
}

async fn carry(state: Arc<State>, number: u64, client: TcpStream) {
    let gate = *state.gate.lock().unwrap();
    let orders = watch::Sender::new(gate.first);
    let order = orders.subscribe();
    let is_full = {
        let mut open = state.open.lock().unwrap();
        if open.len() < CONNECTIONS_MAX {
            open.insert(number, orders);
        }
        !open.contains_key(&number)
    };
    if gate.is_down || is_full {
        reset(&client);
    } else {
        match reach(&state).await {
            Ok(relay) => through(&state, client, relay, order).await,
            Err(_) => reset(&client),
        }
    }
    state.open.lock().unwrap().remove(&number);
}

async fn through(
    state: &State,
    mut client: TcpStream,
    mut relay: TcpStream,
    orders: watch::Receiver<Order>,
) {
    let _ = client.set_nodelay(true);
    let _ = relay.set_nodelay(true);
    let ending = {
        let (from_client, to_client) = client.split();
        let (from_relay, to_relay) = relay.split();
        let way = |toward| Way { toward, orders: orders.clone(), pace: state.pace.subscribe() };
        let both = async {
            let there = way(Toward::Relay).pump(from_client, to_relay);
            let back = way(Toward::Client).pump(from_relay, to_client);
            match tokio::try_join!(there, back) {
                Ok(_) => Ending::Close,
                Err(ending) => ending,
            }
        };
        tokio::select! { biased; ending = told_to_end(orders.clone()) => ending, ending = both => ending }
    };
    match ending {
        Ending::Close => {}
        Ending::Reset => {
            reset(&client);
            reset(&relay);
        }
        // Until the proxy itself goes.
        Ending::Forget => std::future::pending().await,
    }
}

async fn told_to_end(mut orders: watch::Receiver<Order>) -> Ending {
    loop {
        match *orders.borrow_and_update() {
            Order::Reset => return Ending::Reset,
            Order::Close => return Ending::Close,
            Order::Forget => return Ending::Forget,
            Order::Pass | Order::Hole(_) | Order::Holes | Order::CutInFrame(_) => {}
        }
        if orders.changed().await.is_err() {
            return Ending::Close;
        }
    }
}

/// The next ending is a reset: what is unsent is thrown away.
fn reset(stream: &TcpStream) {
    let _ = stream.set_zero_linger();
}

/// One direction of one connection.
struct Way {
    toward: Toward,
    orders: watch::Receiver<Order>,
    pace: watch::Receiver<Pace>,
}

impl Way {
    async fn pump(mut self, mut from: ReadHalf<'_>, mut to: WriteHalf<'_>) -> Result<(), Ending> {
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            self.until_no_hole().await;
            let size = from.read(&mut buffer).await.map_err(broken)?;
            let pace = *self.pace.borrow();
            let at_rate = pace.bytes_per_second.map_or(Duration::ZERO, |rate| {
                Duration::from_secs(1) * u32::try_from(size).unwrap_or(u32::MAX) / rate.max(1)
            });
            tokio::time::sleep(pace.delay + at_rate).await;
            // A hole that was made meanwhile keeps this piece as well.
            self.until_no_hole().await;
            if size == 0 {
                return to.shutdown().await.map_err(broken);
            }
            let is_cut = *self.orders.borrow() == Order::CutInFrame(self.toward);
            let passed = if is_cut { size.div_ceil(2) } else { size };
            to.write_all(&buffer[..passed]).await.map_err(broken)?;
            if is_cut {
                return Err(Ending::Close);
            }
        }
    }

    async fn until_no_hole(&mut self) {
        let toward = self.toward;
        let is_open = |order: &Order| *order != Order::Holes && *order != Order::Hole(toward);
        // The sender lives as long as the connection is listed.
        let _ = self.orders.wait_for(is_open).await;
    }
}

/// One side's end that was no good order is told to the other in the same way.
fn broken(_error: io::Error) -> Ending {
    Ending::Reset
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wait;

    /// Says everything back.
    async fn echo() -> Address {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = Address::new(listener.local_addr().unwrap().port()).unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut read, mut write) = stream.split();
                    tokio::io::copy(&mut read, &mut write).await
                });
            }
        });
        address
    }

    async fn through(proxy: &Proxy) -> TcpStream {
        TcpStream::connect(("127.0.0.1", proxy.port)).await.unwrap()
    }

    async fn says(stream: &mut TcpStream, text: &str) -> io::Result<String> {
        stream.write_all(text.as_bytes()).await?;
        let mut back = vec![0; text.len()];
        stream.read_exact(&mut back).await?;
        Ok(String::from_utf8(back).unwrap())
    }

    #[tokio::test]
    async fn it_carries_keeps_and_goes_on() {
        let proxy = Proxy::to(&echo().await).await.unwrap();
        let mut stream = through(&proxy).await;
        assert_eq!(says(&mut stream, "abc").await.unwrap(), "abc");
        for hole in [Order::Hole(Toward::Relay), Order::Hole(Toward::Client), Order::Holes] {
            proxy.swallow(hole);
            stream.write_all(b"kept").await.unwrap();
            let mut back = [0; 4];
            let limit = Duration::from_millis(50);
            assert!(tokio::time::timeout(limit, stream.read_exact(&mut back)).await.is_err());
            proxy.up();
            stream.read_exact(&mut back).await.unwrap();
            assert_eq!(&back, b"kept", "{hole:?}");
        }
    }

    #[tokio::test]
    async fn endings_are_what_they_are_called() {
        let proxy = Proxy::to(&echo().await).await.unwrap();
        let mut stream = through(&proxy).await;
        says(&mut stream, "a").await.unwrap();
        assert_eq!(proxy.order(Order::Reset), 1);
        let error = stream.read(&mut [0; 4]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);

        let mut stream = through(&proxy).await;
        says(&mut stream, "a").await.unwrap();
        proxy.order(Order::Close);
        assert_eq!(stream.read(&mut [0; 4]).await.unwrap(), 0);

        let mut stream = through(&proxy).await;
        says(&mut stream, "a").await.unwrap();
        proxy.order(Order::CutInFrame(Toward::Client));
        stream.write_all(b"12345678").await.unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await.unwrap();
        assert_eq!(all, b"1234");

        proxy.down();
        let mut stream = through(&proxy).await;
        assert!(says(&mut stream, "a").await.is_err());
        proxy.up();
        assert_eq!(says(&mut through(&proxy).await, "b").await.unwrap(), "b");
        wait::until("nothing is open", || async { Ok((proxy.open() == 0).then_some(())) })
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn a_forgotten_connection_never_ends_and_others_go_on() {
        let proxy = Proxy::to(&echo().await).await.unwrap();
        let mut stream = through(&proxy).await;
        says(&mut stream, "a").await.unwrap();
        proxy.order(Order::Forget);
        stream.write_all(b"b").await.unwrap();
        let limit = Duration::from_millis(50);
        assert!(tokio::time::timeout(limit, stream.read(&mut [0; 4])).await.is_err());
        let mut other = through(&proxy).await;
        assert_eq!(says(&mut other, "c").await.unwrap(), "c");
        assert_eq!(proxy.open(), 2);
    }

    #[tokio::test]
    async fn a_pace_is_kept() {
        let proxy = Proxy::to(&echo().await).await.unwrap();
        let delay = Duration::from_millis(20);
        proxy.set_pace(Pace { delay, bytes_per_second: Some(10_000) });
        let begun = std::time::Instant::now();
        let mut stream = through(&proxy).await;
        says(&mut stream, &"x".repeat(500)).await.unwrap();
        // There and back: twice the delay and twice 50 ms at the rate.
        assert!(begun.elapsed() >= Duration::from_millis(140), "{:?}", begun.elapsed());
    }
}
