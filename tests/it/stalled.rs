//! P14: others wait no longer beside readers that take nothing. What these cost and how they come back
//! is `stalled_cost`.
//!
//! How long others wait is judged by rounds with and without such readers, in turn: what else the
//! computer does meets both alike, so where nobody is harmed others wait a tenth longer in fewer than
//! half of the pairs. Harm is so many pairs as a coin would not show. Made to fail by a relay that waits
//! for slow readers (`YINGKE_FLAW=wait:20`): every pair shows it, and the full dose asks again.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, ensure};
use futures_util::future::try_join_all;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Bytes, Message as Frame, Utf8Bytes};
use yingke_shared::PROTOCOL_VERSION;
use yingke_shared::commands::staff::LoadMessages;
use yingke_shared::commands::visitor::LoadHistory;
use yingke_shared::commands::{StaffCommand, VisitorCommand};
use yingke_shared::frame::{Hello, Start};
use yingke_shared::ids::{ConversationId, Position};
use yingke_tests::dose;
use yingke_tests::link::{Incoming, Link, Side, Visitor, encode, new_id};
use yingke_tests::relay::{TestRelay, relay_program};
use yingke_tests::visitor::TestVisitor;
use yingke_tests::wait;

use crate::scene::Scene;

/// Who write while somebody else is timed.
const WRITERS: usize = 6;
/// A page of what was said has at least so many bytes.
const PAGE_BYTES_MIN: usize = 3_900;
/// More than the system takes in place of a reader that stalls.
const OWN_BYTES: u64 = 16_384;
/// Between two looks at what the system has taken.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// How many of them stall while others are timed.
const IN_ROUNDS: usize = 2;
/// What each writes in a round: less than a mailbox takes before its reader is sent away, so that it is
/// behind, and there, to the round's end.
const ROUND_MESSAGES: usize = 75;
const ROUND_CHARS: usize = 800;
/// Pairs of rounds.
const PAIRS: usize = 24;
const PAIRS_FULL: usize = 150;
/// How much longer others may wait.
const LONGER: f64 = 1.1;
/// How seldom it is called harm when pairs fall to either side of that by chance alone.
const BY_CHANCE: f64 = 1e-5;

/// A socket that says hello and stops reading.
pub(crate) struct Stalled {
    socket: WebSocketStream<TcpStream>,
    relay_port: u16,
    /// An agent asks for pages of this conversation, a visitor for what was said.
    of: Option<ConversationId>,
    /// What came before it stopped reading.
    heard: Vec<Utf8Bytes>,
}

impl Stalled {
    pub(crate) async fn open<S: Side>(
        relay_port: u16,
        token: &str,
        of: Option<ConversationId>,
    ) -> Result<Self> {
        let socket = TcpSocket::new_v4()?;
        // So that the system takes little in its place.
        socket.set_recv_buffer_size(4_096)?;
        let stream = socket.connect(([127, 0, 0, 1], relay_port).into()).await?;
        let address = format!("ws://127.0.0.1:{relay_port}{}", S::PATH);
        let (mut socket, _) = tokio_tungstenite::client_async(address, stream).await?;
        let hello =
            S::hello(Hello { version: PROTOCOL_VERSION, token: token.to_owned(), resume: None });
        socket.send(Frame::text(encode(&new_id(), &hello)?)).await?;
        let welcome = socket.next().await.context("a welcome")??.into_text()?;
        Ok(Self { socket, relay_port, of, heard: vec![welcome] })
    }

    /// Asks for pages and reads none of them until the system takes no more on the relay's side: what
    /// comes now waits in the relay.
    pub(crate) async fn be_behind(&mut self) -> Result<()> {
        self.ask().await?;
        let page_bytes = loop {
            if let Frame::Text(frame) = self.socket.next().await.context("a page")?? {
                self.heard.push(frame.clone());
                if frame.len() > PAGE_BYTES_MIN {
                    break frame.len() as u64;
                }
            }
        };
        loop {
            let before = self.held_by_system()?;
            self.ask().await?;
            if !self.takes(before, page_bytes).await? {
                return Ok(());
            }
        }
    }

    /// Is behind, says so, and shows from then on that it lives, and no more, until the relay has cut it
    /// off. On a slow computer that may be before it is behind: then it costs less than it might.
    pub(crate) async fn stay_behind(&mut self, behind: &Semaphore) {
        let _ = self.be_behind().await;
        behind.add_permits(1);
        while self.socket.send(Frame::Pong(Bytes::new())).await.is_ok() {
            wait::pass(Duration::from_secs(1)).await;
        }
    }

    /// Reads on, on the socket on which it stalled, until all is there; gives what was delivered on it,
    /// raw. Nothing if the relay has cut it off.
    pub(crate) async fn read_on<S: Side>(
        mut self,
        is_all: impl Fn(&[S::Event]) -> bool,
    ) -> Result<Option<Vec<S::Event>>> {
        let (mut position, mut events) = (Position::ZERO, Vec::new());
        let mut heard = std::mem::take(&mut self.heard).into_iter();
        while !is_all(&events) {
            let frame = match heard.next() {
                Some(frame) => frame,
                None => match tokio::time::timeout(wait::LIMIT, self.socket.next()).await? {
                    Some(Ok(Frame::Text(frame))) => frame,
                    Some(Ok(Frame::Ping(_) | Frame::Pong(_))) => continue,
                    _ => return Ok(None),
                },
            };
            match S::incoming(serde_json::from_str(&frame)?) {
                Incoming::Welcome(welcome) => match welcome.start {
                    Start::Snapshot { position: start, .. }
                    | Start::Resumed { position: start } => {
                        position = start;
                    }
                },
                Incoming::Delivery(delivery) => {
                    ensure!(delivery.after == position, "a hole: {position} {}", delivery.after);
                    position = delivery.upto;
                    events.extend(delivery.events);
                }
                Incoming::Bye(_) => return Ok(None),
                Incoming::Reply(_) | Incoming::Signal(_) => {}
            }
        }
        Ok(Some(events))
    }

    async fn ask(&mut self) -> Result<()> {
        let (id, before, limit) = (new_id(), None, 100);
        let asked = match self.of.clone() {
            Some(conversation_id) => {
                let load = LoadMessages { conversation_id, before, limit };
                encode(&id, &StaffCommand::LoadMessages(load))?
            }
            None => encode(&id, &VisitorCommand::LoadHistory(LoadHistory { before: None, limit }))?,
        };
        Ok(self.socket.send(Frame::text(asked)).await?)
    }

    /// Whether the system takes a whole page more than `before`. If it is only slow, this reader is less
    /// far behind than it might be, and that is all.
    async fn takes(&self, before: u64, page_bytes: u64) -> Result<bool> {
        let mut looks = 0;
        loop {
            let held = self.held_by_system()?;
            if held + OWN_BYTES >= before + page_bytes {
                return Ok(true);
            }
            looks += 1;
            if looks > if held > before { 4 } else { 50 } {
                return Ok(false);
            }
            wait::pass(LOOK_AGAIN).await;
        }
    }

    /// Bytes that the relay has written and this socket has not taken; none if the relay has cut it off.
    fn held_by_system(&self) -> Result<u64> {
        let address = |port: u16| format!("0100007F:{port:04X}");
        let ends = [address(self.relay_port), address(self.socket.get_ref().local_addr()?.port())];
        for line in connections()?.lines() {
            let fields: Vec<&str> = line.split_whitespace().collect();
            if let [_, from, to, _, queues, ..] = fields[..]
                && [from, to] == ends
            {
                let (out, _) = queues.split_once(':').context("two queues")?;
                return Ok(u64::from_str_radix(out, 16)?);
            }
        }
        Ok(0)
    }
}

/// The system's connections. Where there were many it takes long to ask: those who ask at once ask together.
fn connections() -> Result<Arc<str>> {
    static SEEN: Mutex<Option<(Instant, Arc<str>)>> = Mutex::new(None);
    let mut seen = SEEN.lock().unwrap();
    if let Some((at, connections)) = &*seen
        && at.elapsed() < LOOK_AGAIN
    {
        return Ok(Arc::clone(connections));
    }
    let connections: Arc<str> = std::fs::read_to_string("/proc/net/tcp")?.into();
    *seen = Some((Instant::now(), Arc::clone(&connections)));
    Ok(connections)
}

/// Somebody who is not concerned, with two tabs.
struct Other {
    visitor: TestVisitor,
    tab: Link<Visitor>,
}

impl Other {
    async fn come(scene: &Scene) -> Result<Self> {
        let visitor = scene.visitor().await?;
        visitor.say("not concerned").await?;
        let tab = Link::open(scene.address(), &visitor.token, None).await?;
        Ok(Self { visitor, tab })
    }

    /// Times from a message to its arrival at the other tab, as long as the others write.
    async fn times(&self, writing: &[JoinHandle<Result<TestVisitor>>]) -> Result<Vec<Duration>> {
        let mut times = Vec::new();
        while times.is_empty() || !writing.iter().all(JoinHandle::is_finished) {
            let asked = Instant::now();
            let seq = self.visitor.say("not concerned").await?.seq;
            let arrived = self.tab.until("it arrives", |held| {
                (held.snapshot.messages.last()?.seq >= seq).then_some(())
            });
            arrived.await?;
            times.push(asked.elapsed());
        }
        times.sort();
        Ok(times)
    }
}

/// How long others waited in a round, in milliseconds.
#[derive(Debug, Clone, Copy)]
struct Waits {
    half: f64,
    p99: f64,
}

impl Waits {
    fn of(times: &[Duration]) -> Self {
        let at = |percent: usize| {
            let time = times.get((times.len().saturating_sub(1)) * percent / 100);
            time.copied().unwrap_or_default().as_secs_f64() * 1e3
        };
        Self { half: at(50), p99: at(99) }
    }
}

/// What so many pairs say of one measure.
struct Verdict {
    /// Pairs in which others waited more than a tenth longer beside readers that stall.
    longer: usize,
    /// How many of them would be harm.
    harm: usize,
    /// The median of the ratios.
    ratio: f64,
}

impl Verdict {
    fn of(pairs: &[[Waits; 2]], measure: fn(&Waits) -> f64) -> Self {
        let mut ratios: Vec<f64> =
            pairs.iter().map(|[without, with]| measure(with) / measure(without)).collect();
        ratios.sort_by(f64::total_cmp);
        Self {
            longer: ratios.iter().filter(|ratio| **ratio > LONGER).count(),
            harm: beyond_chance(ratios.len()),
            ratio: ratios.get(ratios.len() / 2).copied().unwrap_or_default(),
        }
    }

    /// Of what others usually wait, and of the longest they wait.
    fn both(pairs: &[[Waits; 2]]) -> [Self; 2] {
        [Self::of(pairs, |waits| waits.half), Self::of(pairs, |waits| waits.p99)]
    }

    fn is_harm(&self) -> bool {
        self.longer >= self.harm
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { longer, harm, ratio } = self;
        write!(f, "{ratio:.2} times, longer in {longer} ({harm} are harm)")
    }
}

/// How many of so many coins, or more, show their heads less often than [`BY_CHANCE`].
fn beyond_chance(coins: usize) -> usize {
    let mut exactly = 0.5_f64.powi(i32::try_from(coins).unwrap());
    let mut so_many_or_more = exactly;
    let mut heads = coins;
    while heads > 0 && so_many_or_more <= BY_CHANCE {
        exactly *= heads as f64 / (coins - heads + 1) as f64;
        heads -= 1;
        so_many_or_more += exactly;
    }
    heads + 1
}

/// A company whose visitors write.
struct Company {
    scene: Scene,
    other: Other,
    writers: Vec<TestVisitor>,
}

impl Company {
    async fn open(flaw: Option<&str>) -> Result<Self> {
        let mut relay = TestRelay::prepare(relay_program()?)?;
        relay.set_environment("YINGKE_MESSAGES_PER_SECOND", "100000");
        if let Some(flaw) = flaw {
            relay.set_environment("YINGKE_FLAW", flaw);
        }
        relay.run().await?;
        let scene = Scene::on(relay, "http://shop.localhost").await?;
        let other = Other::come(&scene).await?;
        let mut writers = Vec::new();
        for _ in 0..WRITERS {
            let visitor = scene.visitor().await?;
            visitor.say("the beginning").await?;
            writers.push(visitor);
        }
        Ok(Self { scene, other, writers })
    }

    async fn stall(&self, count: usize) -> Result<Vec<Stalled>> {
        let port = self.scene.address().port;
        let opening = self
            .writers
            .iter()
            .take(count)
            .map(|it| Stalled::open::<Visitor>(port, &it.token, None));
        try_join_all(opening).await
    }

    /// Everybody writes so many messages while somebody else is timed.
    async fn flood(&mut self, messages_each: usize, chars: usize) -> Result<Waits> {
        let mut writing = Vec::new();
        for mut writer in self.writers.drain(..) {
            writing.push(tokio::spawn(async move {
                for number in 0..messages_each {
                    let text = format!("{number} {}", "茶".repeat(chars));
                    let said = writer.say_surely(&new_id(), &text).await?;
                    said.map_err(|error| anyhow!("{error:?}"))?;
                }
                Ok::<_, anyhow::Error>(writer)
            }));
        }
        let times = self.other.times(&writing).await?;
        for task in writing {
            self.writers.push(task.await.map_err(|error| anyhow!(error))??);
        }
        Ok(Waits::of(&times))
    }

    /// One round of each kind, the order turned round each time: whatever grows, grows for both.
    async fn pair(&mut self, is_with_first: bool) -> Result<[Waits; 2]> {
        if is_with_first {
            let with = self.with().await?;
            Ok([self.without().await?, with])
        } else {
            Ok([self.without().await?, self.with().await?])
        }
    }

    async fn without(&mut self) -> Result<Waits> {
        self.flood(ROUND_MESSAGES, ROUND_CHARS).await
    }

    async fn with(&mut self) -> Result<Waits> {
        let mut stalled = self.stall(IN_ROUNDS).await?;
        try_join_all(stalled.iter_mut().map(Stalled::be_behind)).await?;
        self.flood(ROUND_MESSAGES, ROUND_CHARS).await
    }

    async fn pairs(&mut self, count: usize) -> Result<Vec<[Waits; 2]>> {
        // Pages for them to ask for.
        self.flood(ROUND_MESSAGES, ROUND_CHARS).await?;
        let mut pairs = Vec::new();
        for number in 0..count {
            pairs.push(self.pair(!number.is_multiple_of(2)).await?);
        }
        Ok(pairs)
    }
}

pub(crate) fn is_full() -> bool {
    dose::is_full("P14")
}

fn median(pairs: &[[Waits; 2]], measure: impl Fn(&[Waits; 2]) -> f64) -> f64 {
    let mut all: Vec<f64> = pairs.iter().map(measure).collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or_default()
}

/// Each run 24 pairs of rounds; with `YINGKE_FULL=P14` more, which tell a smaller harm from chance, and
/// a relay that waits must be found.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p14_others_wait_no_longer_beside_readers_that_stall() -> Result<()> {
    let mut company = Company::open(None).await?;
    let pairs = company.pairs(if is_full() { PAIRS_FULL } else { PAIRS }).await?;
    let [half, p99] = Verdict::both(&pairs);
    println!(
        "P14: {} pairs of rounds; others wait {:.1} ms, p99 {:.1}, beside readers that stall {:.1} and \
         {:.1}: {half}; p99 {p99}",
        pairs.len(),
        median(&pairs, |[without, _]| without.half),
        median(&pairs, |[without, _]| without.p99),
        median(&pairs, |[_, with]| with.half),
        median(&pairs, |[_, with]| with.p99),
    );
    ensure!(!half.is_harm() && !p99.is_harm(), "others wait longer: {half}; p99 {p99}");
    company.scene.finish().await?;
    if is_full() { a_relay_that_waits_is_found().await } else { Ok(()) }
}

/// The same rounds on a relay in which whoever brings the news waits for readers that are behind.
async fn a_relay_that_waits_is_found() -> Result<()> {
    let mut company = Company::open(Some("wait:20")).await?;
    let [half, p99] = Verdict::both(&company.pairs(PAIRS).await?);
    println!("P14: on a relay that waits for slow readers: {half}; p99 {p99}");
    ensure!(half.is_harm() || p99.is_harm(), "it is not found: {half}; p99 {p99}");
    company.scene.relay.give_up();
    Ok(())
}

/// Rounds that differ by chance are no harm, however much they differ; what always makes others wait
/// longer is.
#[test]
fn p14_the_verdict_tells_harm_from_chance() {
    assert_eq!([24, 150].map(beyond_chance), [23, 102]);
    let waits = |p99: f64| Waits { half: 5.0, p99 };
    let verdict = |with: &dyn Fn(u32) -> f64| {
        let pairs: Vec<_> = (0..24).map(|pair| [waits(10.0), waits(with(pair))]).collect();
        Verdict::both(&pairs).map(|verdict| verdict.is_harm())
    };
    assert_eq!(verdict(&|_| 10.5), [false, false]);
    assert_eq!(verdict(&|pair| if pair % 4 == 0 { 5.0 } else { 900.0 }), [false, false]);
    assert_eq!(verdict(&|_| 11.5), [false, true]);
    assert_eq!(verdict(&|pair| if pair == 7 { 1.0 } else { 20.0 }), [false, true]);
}
