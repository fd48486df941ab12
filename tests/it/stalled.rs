//! P14: readers that take nothing. Messages pass them by; they cost a bounded piece of memory, others
//! wait no longer for them, and they catch up without a gap. Memory was once made to fail by letting a
//! mailbox grow to a gigabyte.
//!
//! How long others wait is judged by rounds with and without such readers, in turn: what else the
//! computer does meets both alike, so where nobody is harmed others wait a tenth longer in fewer than
//! half of the pairs. Harm is so many pairs as a coin would not show. Made to fail by a relay that waits
//! for slow readers (`YINGKE_FLAW=wait:20`): every pair shows it, and the full dose asks again.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, ensure};
use futures_util::future::try_join_all;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message as Frame;
use yingke_shared::PROTOCOL_VERSION;
use yingke_shared::commands::staff::LoadMessages;
use yingke_shared::commands::visitor::LoadHistory;
use yingke_shared::commands::{StaffCommand, VisitorCommand};
use yingke_shared::frame::Hello;
use yingke_shared::ids::{ConversationId, Seq};
use yingke_tests::link::{Bookmark, Link, Side, Visitor, encode, new_id};
use yingke_tests::processes::resident_kib;
use yingke_tests::relay::{TestRelay, relay_program};
use yingke_tests::visitor::TestVisitor;

use crate::scene::Scene;

const STALLED: usize = 6;
/// Of a full dose, in which far more passes each reader than this. In a small one what the relay's
/// memory happens to be at the moment weighs as much as a mailbox.
const KIB_EACH_MAX: f64 = 1_024.0;
const KIB_EACH_MAX_SMALL: f64 = 3.0 * 1_024.0;
/// Characters of one message, of three bytes each: what passes a reader is far more than the system's
/// own buffers and the relay's bound together.
pub(crate) const TEXT_CHARS: usize = 3_900;

/// More than the system takes in place of a reader that stalls.
const OWN_BYTES: u64 = 16_384;
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
        socket.next().await.context("a welcome")??;
        Ok(Self { socket, relay_port, of })
    }

    /// Asks for pages and reads none of them until the system takes no more on the relay's side: what
    /// comes now waits in the relay.
    pub(crate) async fn be_behind(&mut self) -> Result<()> {
        self.ask().await?;
        let page_bytes = loop {
            let frame = self.socket.next().await.context("a page")??;
            if frame.is_text() && frame.len() > TEXT_CHARS {
                break frame.len() as u64;
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
            if looks > if held > before { 10 } else { 200 } {
                return Ok(false);
            }
            yingke_tests::wait::pass(Duration::from_millis(5)).await;
        }
    }

    /// Bytes that the relay has written and this socket has not taken; none if the relay has cut it off.
    fn held_by_system(&self) -> Result<u64> {
        let address = |port: u16| format!("0100007F:{port:04X}");
        let ends = [address(self.relay_port), address(self.socket.get_ref().local_addr()?.port())];
        for line in std::fs::read_to_string("/proc/net/tcp")?.lines() {
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
        for _ in 0..STALLED {
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

fn is_full() -> bool {
    std::env::var("YINGKE_FULL").is_ok_and(|name| name == "P14")
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

/// Each run some thousand messages; with `YINGKE_FULL=P14` 100,000.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p14_a_reader_that_stalls_costs_little_and_catches_up() -> Result<()> {
    let messages_each = if is_full() { 100_000 / STALLED } else { 600 };
    let mut company = Company::open(None).await?;
    let address = company.scene.address().clone();
    // What the load itself leaves in memory is there before anybody stalls.
    company.flood(messages_each, TEXT_CHARS).await?;
    let mut marks: Vec<(String, Bookmark<Visitor>)> = Vec::new();
    for writer in &company.writers {
        let link = Link::<Visitor>::open(&address, &writer.token, None).await?;
        marks.push((writer.token.clone(), link.bookmark()));
    }
    let before = resident_kib(company.scene.relay.pid()?)?;
    let stalled = company.stall(STALLED).await?;
    company.flood(messages_each, TEXT_CHARS).await?;
    let after = resident_kib(company.scene.relay.pid()?)?;
    let each = (after - before).max(0.0) / STALLED as f64;
    let messages = messages_each * STALLED;
    println!("P14: {messages} messages passed {STALLED} stalled readers; {each:.0} KiB for each");
    let most = if is_full() { KIB_EACH_MAX } else { KIB_EACH_MAX_SMALL };
    ensure!(each <= most, "{each} KiB for each stalled reader");

    // They catch up: from where they were, or afresh, without a gap.
    drop(stalled);
    for ((token, bookmark), writer) in marks.into_iter().zip(&company.writers) {
        let link = Link::<Visitor>::open(&address, &token, Some(bookmark)).await?;
        let newest = writer.link()?.look(|held| held.snapshot.messages.last().map(|last| last.seq));
        let newest = newest.context("a newest message")?;
        link.until("it has caught up", |held| {
            (held.snapshot.messages.last()?.seq >= newest).then_some(())
        })
        .await?;
        let seqs: Vec<Seq> =
            link.look(|held| held.snapshot.messages.iter().map(|message| message.seq).collect());
        let dense = seqs.windows(2).all(|pair| pair[0].get() + 1 == pair[1].get());
        ensure!(dense, "a gap after catching up: {seqs:?}");
    }
    company.scene.finish().await
}
