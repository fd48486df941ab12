//! P23: what runs out (file descriptors, connections, memory) ends new work, never what is there;
//! and when there is some again the relay goes on by itself. A full disk is P4's.
//!
//! Made to fail: without the reserve of file descriptors "there was a place left for one more"; a relay
//! that opens a file for each answer ended the socket that was there ("the socket is closed"); without
//! the bounds of commands under way and of replies that wait it took 228 MiB.

use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};
use futures_util::SinkExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::{Bytes, Message as Frame};
use yingke_shared::PROTOCOL_VERSION;
use yingke_shared::commands::VisitorCommand;
use yingke_shared::commands::visitor::LoadHistory;
use yingke_shared::frame::Hello;
use yingke_shared::views::ConversationRecord;
use yingke_tests::http::Address;
use yingke_tests::link::{encode, new_id};
use yingke_tests::processes::resident_kib;
use yingke_tests::relay::{TestRelay, relay_program};
use yingke_tests::visitor::TestVisitor;
use yingke_tests::wait;

use crate::scene::Scene;

/// The relay's program behind a shell that limits it.
fn limited(scratch: &tempfile::TempDir, limits: &str) -> Result<PathBuf> {
    let script = scratch.path().join("limited-relay");
    let program = relay_program()?;
    std::fs::write(&script, format!("#!/bin/sh\n{limits}\nexec '{}' \"$@\"\n", program.display()))?;
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755))?;
    Ok(script)
}

async fn connection_from(house: u8, port: u16) -> Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::new(127, 0, 2, house), 0).into())?;
    Ok(socket.connect(([127, 0, 0, 1], port).into()).await?)
}

/// Somebody who has not been here before, from an address nobody else uses.
async fn newcomer(scene: &Scene, house: u8) -> Result<TestVisitor> {
    let port = scene.address().port;
    let address = Address::asked_from(port, Ipv4Addr::new(127, 0, 3, house))?;
    let visitor =
        TestVisitor::enter_unconnected(&address, &scene.site, None).await.map(|visitor| async {
            let mut visitor = visitor;
            visitor.connect().await?;
            Ok::<_, anyhow::Error>(visitor)
        })?;
    visitor.await
}

/// More connections than there are places: those that are in go on, the rest is closed at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p23_connections_run_out_and_come_back() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let mut relay = TestRelay::prepare(limited(&scratch, "ulimit -n 320")?)?;
    relay.run().await?;
    let scene = Scene::on(relay, "http://shop.localhost").await?;
    let vera = scene.visitor().await?;
    vera.say("before").await?;
    let port = scene.address().port;
    let mut held = Vec::new();
    for house in 1..=8 {
        for _ in 0..20 {
            held.push(connection_from(house, port).await?);
        }
    }
    let refused = tokio::time::timeout(Duration::from_secs(20), newcomer(&scene, 1)).await;
    ensure!(!matches!(refused, Ok(Ok(_))), "there was a place left for one more");
    vera.say("while nobody else gets in").await?;
    let said = vera.until_text("while nobody else gets in").await?;
    drop(held);
    let viktor =
        wait::until("a place for somebody new", || async { Ok(newcomer(&scene, 2).await.ok()) });
    viktor.await?.say("after").await?;
    ensure!(vera.say("after").await?.seq > said.seq, "her socket lives");
    println!("P23 connections: 160 beside 64 places; existing sockets lived, new ones came after");
    scene.finish().await
}

/// The system has no file descriptor left to give, whatever the relay counted on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p23_file_descriptors_run_out_and_come_back() -> Result<()> {
    let scene = Scene::set().await?;
    let vera = scene.visitor().await?;
    vera.say("before").await?;
    let pid = scene.relay.pid()?.to_string();
    let limit = |files: &str| -> Result<()> {
        let files = format!("--nofile={files}");
        let done = Command::new("prlimit").args(["--pid", &pid, &files]).status()?;
        ensure!(done.success(), "prlimit: {done}");
        Ok(())
    };
    let used = std::fs::read_dir(format!("/proc/{pid}/fd"))?.count();
    limit(&format!("{}:20000", used + 4))?;
    let port = scene.address().port;
    let mut held = Vec::new();
    for _ in 0..40 {
        held.push(connection_from(1, port).await?);
    }
    let refused = tokio::time::timeout(Duration::from_secs(5), newcomer(&scene, 1)).await;
    ensure!(!matches!(refused, Ok(Ok(_))), "there was a file descriptor left");
    for number in 0..20 {
        vera.say(&format!("while there is none, {number}")).await?;
    }
    vera.until_text("while there is none, 19").await?;
    limit("20000:20000")?;
    drop(held);
    let viktor =
        wait::until("a place for somebody new", || async { Ok(newcomer(&scene, 2).await.ok()) });
    viktor.await?.say("after").await?;
    vera.say("after").await?;
    println!("P23 files: none left; existing sockets lived, new ones came after");
    scene.finish().await
}

/// Hundreds of clients that make the relay keep things for them: frames that never end, requests that
/// never end, replies that nobody reads. With little memory to have it goes on, and so do two people
/// who talk all the while, on the sockets they had before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p23_memory_is_bounded_whatever_clients_leave_undone() -> Result<()> {
    const RESIDENT_KIB_MAX: f64 = 200.0 * 1_024.0;
    const TALKS: usize = 40;
    let scratch = tempfile::tempdir()?;
    let mut relay = TestRelay::prepare(limited(&scratch, "ulimit -v 2000000")?)?;
    relay.set_environment("YINGKE_MESSAGES_PER_SECOND", "1000");
    relay.run().await?;
    let scene = Scene::on(relay, "http://shop.localhost").await?;
    let ana = scene.agent("Ana", 8).await?;
    let vera = scene.visitor().await?;
    let conversation = vera.say("before").await?.conversation;
    ana.until_gained(&conversation).await?;
    let mut viktor = scene.visitor().await?;
    let long = "茶".repeat(3_000);
    for _ in 0..100 {
        viktor.say(&long).await?;
    }
    let before = resident_kib(scene.relay.pid()?)?;
    let requests = requests_left_undone(scene.address().port).await?;
    let mut unread = JoinSet::new();
    for _ in 0..15 {
        unread.spawn(leave_unread(scene.address().socket("/ws/visitor"), viktor.token.clone()));
    }
    let mut peak = before;
    for number in 0..TALKS {
        let (question, answer) = (format!("question {number}"), format!("answer {number}"));
        let seq = vera.say(&question).await?.seq;
        let has_come = |record: &ConversationRecord| record.last_message.seq == seq;
        ana.until_record("the question", &conversation, has_come).await?;
        ana.say(&conversation, &answer).await?;
        vera.until_text(&answer).await?;
        peak = peak.max(resident_kib(scene.relay.pid()?)?);
        wait::pass(Duration::from_millis(100)).await;
    }
    ensure!(peak <= RESIDENT_KIB_MAX, "{peak} KiB");
    if let Some(Ok(ended)) = unread.try_join_next() {
        ended?;
    }
    drop((requests, unread));
    newcomer(&scene, 1).await?.say("after").await?;
    // Tabs that come again may have taken the place of his first one: a visitor has sixteen.
    viktor.connect().await?;
    viktor.say("after").await?;
    println!(
        "P23 memory: {:.0} MiB before, {:.0} MiB with 400 requests and 15 sockets left undone, \
         while {TALKS} questions were answered",
        before / 1_024.0,
        peak / 1_024.0
    );
    scene.finish().await
}

/// Heads and bodies that do not come to their end.
async fn requests_left_undone(port: u16) -> Result<Vec<TcpStream>> {
    let mut undone = Vec::new();
    for number in 0..400_u16 {
        let mut connection = connection_from(u8::try_from(number % 50 + 1)?, port).await?;
        let head = if number % 2 == 0 {
            "POST /api/sign-in HTTP/1.1\r\nhost: relay\r\ncontent-type: application/json\r\n\
             content-length: 65000\r\n\r\n"
        } else {
            "GET / HTTP/1.1\r\nhost: relay\r\nx-long: "
        };
        // A connection the relay has given up is as good an end as any.
        let _ = connection.write_all(head.as_bytes()).await;
        let _ = connection.write_all(&[b' '; 60_000]).await;
        undone.push(connection);
    }
    Ok(undone)
}

/// A tab that asks for pages and reads none; when the relay has sent it away it comes again. Ends only
/// where the story itself is wrong.
async fn leave_unread(address: String, token: String) -> Result<()> {
    loop {
        // There may be no place for it.
        let Ok((mut socket, _)) = tokio_tungstenite::connect_async(&address).await else {
            wait::pass(Duration::from_millis(50)).await;
            continue;
        };
        let hello = Hello { version: PROTOCOL_VERSION, token: token.clone(), resume: None };
        let mut frames = vec![encode(&new_id(), &VisitorCommand::Hello(hello))?];
        for _ in 0..60 {
            let page = VisitorCommand::LoadHistory(LoadHistory { before: None, limit: 100 });
            frames.push(encode(&new_id(), &page)?);
        }
        for frame in frames {
            if socket.send(Frame::text(frame)).await.is_err() {
                break;
            }
        }
        while socket.send(Frame::Pong(Bytes::new())).await.is_ok() {
            wait::pass(Duration::from_millis(500)).await;
        }
    }
}
