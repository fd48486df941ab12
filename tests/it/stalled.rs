//! P14: readers that take nothing. Messages pass them by; they cost a bounded piece of memory, others
//! wait no longer for them, and they catch up without a gap. Once made to fail by letting a mailbox
//! grow to a gigabyte.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, ensure};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message as Frame;
use yingke_shared::PROTOCOL_VERSION;
use yingke_shared::commands::VisitorCommand;
use yingke_shared::frame::Hello;
use yingke_shared::ids::Seq;
use yingke_tests::link::{Bookmark, Link, Visitor, encode, new_id};
use yingke_tests::processes::resident_kib;
use yingke_tests::relay::{TestRelay, relay_program};
use yingke_tests::visitor::TestVisitor;

use crate::scene::Scene;

const STALLED: usize = 6;
/// Of a full dose, in which far more passes each reader than this. In a small one what the relay's
/// memory happens to be at the moment weighs as much as a mailbox.
const KIB_EACH_MAX: f64 = 1_024.0;
const KIB_EACH_MAX_SMALL: f64 = 3.0 * 1_024.0;
/// Less than what a reader may take nothing before it is dropped.
const IN_THE_WAY: Duration = Duration::from_secs(8);
/// Characters of one message, of three bytes each: what passes a reader is far more than the system's
/// own buffers and the relay's bound together.
const TEXT_CHARS: usize = 3_900;

/// How much passes.
struct Dose {
    messages_each: usize,
    phase: Duration,
}

/// A socket that says hello and never reads a byte again.
async fn stall(port: u16, token: &str) -> Result<WebSocketStream<TcpStream>> {
    let socket = TcpSocket::new_v4()?;
    // So that the system takes little in its place.
    socket.set_recv_buffer_size(4_096)?;
    let stream = socket.connect(([127, 0, 0, 1], port).into()).await?;
    let address = format!("ws://127.0.0.1:{port}/ws/visitor");
    let (mut socket, _) = tokio_tungstenite::client_async(address, stream).await?;
    let hello = VisitorCommand::Hello(Hello {
        version: PROTOCOL_VERSION,
        token: token.to_owned(),
        resume: None,
    });
    socket.send(Frame::text(encode(&new_id(), &hello)?)).await?;
    socket.next().await.context("a welcome")??;
    Ok(socket)
}

/// Times between a message and its acknowledgement at somebody who is not concerned.
async fn others(visitor: &TestVisitor, length: Duration) -> Result<Vec<Duration>> {
    let mut times = Vec::new();
    let end = Instant::now() + length;
    while Instant::now() < end {
        let asked = Instant::now();
        visitor.say("not concerned").await?;
        times.push(asked.elapsed());
        yingke_tests::wait::pass(Duration::from_millis(5)).await;
    }
    times.sort();
    Ok(times)
}

fn p99(times: &[Duration]) -> Duration {
    times.get(times.len() * 99 / 100).or(times.last()).copied().unwrap_or_default()
}

/// Everybody writes as many messages as the dose says while somebody else is timed.
async fn flood(
    writers: Vec<TestVisitor>,
    dose: &Dose,
    other: &TestVisitor,
) -> Result<(Vec<TestVisitor>, Vec<Duration>)> {
    let mut writing = Vec::new();
    for mut writer in writers {
        let count = dose.messages_each;
        writing.push(tokio::spawn(async move {
            for number in 0..count {
                let text = format!("{number} {}", "茶".repeat(TEXT_CHARS));
                let said = writer.say_surely(&new_id(), &text).await?;
                said.map_err(|error| anyhow!("{error:?}"))?;
            }
            Ok::<_, anyhow::Error>(writer)
        }));
    }
    let times = others(other, dose.phase).await?;
    let mut back = Vec::new();
    for task in writing {
        back.push(task.await.map_err(|error| anyhow!(error))??);
    }
    Ok((back, times))
}

/// Each run some thousand messages; with `YINGKE_FULL=P14` 100,000.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p14_a_reader_that_stalls_harms_nobody_and_catches_up() -> Result<()> {
    let is_full = std::env::var("YINGKE_FULL").is_ok_and(|name| name == "P14");
    let dose = Dose {
        messages_each: if is_full { 100_000 / STALLED } else { 600 },
        phase: Duration::from_secs(if is_full { 60 } else { 8 }),
    };
    let mut relay = TestRelay::prepare(relay_program()?)?;
    relay.set_environment("YINGKE_MESSAGES_PER_SECOND", "100000");
    relay.run().await?;
    let scene = Scene::on(relay, "http://shop.localhost").await?;
    let address = scene.address().clone();
    let other = scene.visitor().await?;
    let mut writers = Vec::new();
    for _ in 0..STALLED {
        let visitor = scene.visitor().await?;
        visitor.say("the beginning").await?;
        writers.push(visitor);
    }

    // The same load without anybody who stalls: what the others are held against, and what the load
    // itself leaves in memory.
    let (writers, without) = flood(writers, &dose, &other).await?;
    let marks: Vec<(String, Bookmark<Visitor>)> = {
        let mut marks = Vec::new();
        for writer in &writers {
            let link = Link::<Visitor>::open(&address, &writer.token, None).await?;
            marks.push((writer.token.clone(), link.bookmark()));
        }
        marks
    };
    let before = resident_kib(scene.relay.pid()?)?;
    let mut stalled = Vec::new();
    for writer in &writers {
        stalled.push(stall(address.port, &writer.token).await?);
    }
    let (writers, with) = flood(writers, &dose, &other).await?;
    let after = resident_kib(scene.relay.pid()?)?;
    let each = (after - before).max(0.0) / STALLED as f64;
    println!(
        "P14: {} messages passed {STALLED} stalled readers; {each:.0} KiB for each; p99 of others {:.1} \
         ms without, {:.1} ms with them",
        dose.messages_each * STALLED,
        p99(&without).as_secs_f64() * 1e3,
        p99(&with).as_secs_f64() * 1e3,
    );
    let most = if is_full { KIB_EACH_MAX } else { KIB_EACH_MAX_SMALL };
    ensure!(each <= most, "{each} KiB for each stalled reader");
    // How much longer is for the printed line; a reader that is in the way of others stops them until
    // it is dropped.
    ensure!(p99(&with) < IN_THE_WAY, "others wait {:?} instead of {:?}", p99(&with), p99(&without));

    // They catch up: from where they were, or afresh, without a gap.
    drop(stalled);
    for ((token, bookmark), writer) in marks.into_iter().zip(&writers) {
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
    scene.finish().await
}
