//! What the relay refuses, and how: by a code, never by silence, and what it refused is nowhere.

use std::net::Ipv4Addr;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::Message as Frame;
use yingke_shared::commands::VisitorCommand;
use yingke_shared::commands::visitor::Preview;
use yingke_shared::error_code::ErrorCode;
use yingke_shared::limits::{FRAME_BYTES_MAX, TEXT_CHARS_MAX};
use yingke_shared::rest::{ChangeAgent, ChangePassword};
use yingke_tests::http::Address;
use yingke_tests::link::{Link, NoLink, Staff, Visitor, encode, new_id};
use yingke_tests::relay::{TestRelay, relay_program};
use yingke_tests::visitor::TestVisitor;
use yingke_tests::wait::{self, LIMIT};

use crate::scene::Scene;

/// A text over the limit is refused by name and stored nowhere; a frame over the limit ends the
/// socket; the largest text goes through.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_large_is_refused() -> Result<()> {
    let scene = Scene::set().await?;
    let mut vera = scene.visitor().await?;
    let largest = "茶".repeat(TEXT_CHARS_MAX);
    vera.say(&largest).await?;
    let id = new_id();
    let refused = vera.say_as(&id, &"茶".repeat(TEXT_CHARS_MAX + 1)).await?;
    ensure!(refused.is_err_and(|error| error.code == ErrorCode::TooLarge));
    let blank = vera.say_as(&new_id(), " \n\t　").await?;
    ensure!(blank.is_err_and(|error| error.code == ErrorCode::EmptyText));
    // After an edit the text goes under a new id; the refused one is free of any trace.
    vera.say("a shorter question").await?;
    let texts = vera.history().await?;
    ensure!(texts.iter().filter_map(yingke_tests::visitor::text_of).count() == 2);

    let huge = format!(
        "{}{}",
        encode(&new_id(), &TestVisitor::message("x"))?,
        " ".repeat(FRAME_BYTES_MAX)
    );
    vera.link()?.send_frame(Frame::text(huge)).await?;
    vera.link()?.until_closed().await?;
    vera.connect().await?;
    ensure!(vera.history().await?.len() >= 2);
    scene.finish().await
}

/// Frames that are not the protocol end the socket with `bad_frame`; bodies that are not what the
/// command wants are refused under their id.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nonsense_is_refused() -> Result<()> {
    let scene = Scene::set().await?;
    let mut vera = scene.visitor().await?;
    let raw = |name: &str, body: &str| {
        let id = new_id();
        (Frame::text(format!("{{\"id\":\"{id}\",\"type\":\"{name}\",\"body\":{body}}}")), id)
    };
    for (name, body, code) in [
        (
            "send_message",
            r#"{"text":"a","page":{"url":"","title":""},"locale":"en","x":1}"#,
            ErrorCode::BadBody,
        ),
        ("send_message", "{}", ErrorCode::BadBody),
        ("set_availability", r#"{"availability":"busy"}"#, ErrorCode::UnknownCommand),
        ("load_history", r#"{"before":null,"limit":-1}"#, ErrorCode::BadBody),
    ] {
        let (frame, id) = raw(name, body);
        vera.link()?.send_frame(frame).await?;
        let refused = vera.link()?.answer(&id).await?;
        ensure!(
            refused.as_ref().is_err_and(|error| error.code == code),
            "{name} {body}: {refused:?}"
        );
    }
    for frame in [
        Frame::text("[]"),
        Frame::text("{\"id\":\"a b\",\"type\":\"x\",\"body\":{}}"),
        Frame::binary(vec![1_u8, 2]),
    ] {
        vera.link()?.send_frame(frame).await?;
        let bye = vera.link()?.until_closed().await?;
        ensure!(bye.is_none_or(|bye| bye.error.code == ErrorCode::BadFrame));
        vera.connect().await?;
    }
    ensure!(vera.conversation()?.is_none());
    scene.finish().await
}

/// Far too many messages and previews in a moment: refused with a waiting time, the socket lives,
/// and after that time the same ids go through, once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_fast_is_refused_with_a_waiting_time() -> Result<()> {
    let scene = Scene::set().await?;
    let mut vera = scene.visitor().await?;
    vera.say("the first of very many").await?;
    let mut refused = None;
    let mut sent = 1;
    'burst: for _ in 0..40 {
        let ids: Vec<_> = (0..16).map(|_| new_id()).collect();
        for (number, id) in ids.iter().enumerate() {
            let text = format!("one of very many, {number}");
            vera.link()?.send(id, &TestVisitor::message(&text)).await?;
        }
        for (number, id) in ids.iter().enumerate() {
            match vera.link()?.answer(id).await? {
                Ok(_) => sent += 1,
                Err(error) => {
                    ensure!(error.code == ErrorCode::TooFast, "{error:?}");
                    ensure!(error.retry_after_ms.is_some(), "a waiting time is told");
                    refused.get_or_insert((id.clone(), format!("one of very many, {number}")));
                }
            }
        }
        if refused.is_some() {
            break 'burst;
        }
    }
    let (id, text) = refused.context("640 messages in a moment must be too fast")?;
    vera.say_surely(&id, &text).await?.map_err(|error| anyhow::anyhow!("{error:?}"))?;
    sent += 1;
    let history = vera.history().await?;
    ensure!(history.iter().filter_map(yingke_tests::visitor::text_of).count() == sent);
    ensure!(history.iter().filter(|message| message.client_id == id).count() == 1);

    for number in 0..100 {
        let preview = Preview { text: format!("typing very fast {number}") };
        vera.link()?.send(&new_id(), &VisitorCommand::Preview(preview)).await?;
    }
    vera.link()?.look(|held| held.closed);
    vera.history().await?;
    scene.finish().await
}

/// Who reconnects has no more room than who stays: in any time no more goes through than the rate of
/// that time and what is at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn coming_back_makes_nobody_faster() -> Result<()> {
    const PER_SECOND: f64 = 1.0;
    const AT_ONCE: f64 = 2.0;
    let mut relay = TestRelay::prepare(relay_program()?)?;
    relay.set_environment("YINGKE_MESSAGES_PER_SECOND", "1");
    relay.run().await?;
    let scene = Scene::on(relay, "http://shop.localhost").await?;
    let mut vera = scene.visitor().await?;
    let began = Instant::now();
    let (mut accepted, mut refused) = (0_u32, 0_u32);
    for number in 0..40 {
        match vera.say_as(&new_id(), &format!("question {number}")).await? {
            Ok(_) => accepted += 1,
            Err(error) => {
                ensure!(error.code == ErrorCode::TooFast, "{error:?}");
                refused += 1;
            }
        }
        vera.leave();
        vera.connect().await?;
    }
    let most = AT_ONCE + PER_SECOND * began.elapsed().as_secs_f64() + 1.0;
    ensure!(f64::from(accepted) <= most, "{accepted} of {} in {most}", accepted + refused);
    // Nobody else pays for it.
    let viktor = scene.visitor().await?;
    viktor.say("one question").await?;
    scene.finish().await
}

/// Asks for a socket with compression from one of this computer's addresses; gives the connection and
/// the head of the answer.
async fn upgrade(scene: &Scene, house: u8) -> Result<(TcpStream, String)> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::new(127, 0, 17, house), 0).into())?;
    let port = scene.address().port;
    let mut stream = socket.connect(([127, 0, 0, 1], port).into()).await?;
    let asked = "GET /ws/visitor HTTP/1.1\r\nhost: chat.localhost\r\nconnection: upgrade\r\n\
        upgrade: websocket\r\nsec-websocket-version: 13\r\n\
        sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        sec-websocket-extensions: permessage-deflate; client_max_window_bits\r\n\r\n";
    stream.write_all(asked.as_bytes()).await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    Ok((stream, String::from_utf8(head)?.to_lowercase()))
}

/// Nothing is ever compressed, so that no small frame becomes a large one: what a client offers is not
/// taken up, and a frame that is compressed all the same ends its socket. Made to fail by a relay that
/// agreed: "the relay agrees to compression".
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn compression_is_not_agreed_to() -> Result<()> {
    let scene = Scene::set().await?;
    let (mut stream, head) = upgrade(&scene, 1).await?;
    ensure!(head.starts_with("http/1.1 101"), "{head}");
    ensure!(!head.contains("sec-websocket-extensions"), "the relay agrees to compression: {head}");
    // A text that says that it is compressed, masked with zeros.
    stream.write_all(&[0xc1, 0x82, 0, 0, 0, 0, b'{', b'}']).await?;
    let mut rest = Vec::new();
    // What ends it may be a reset.
    let _ = tokio::time::timeout(LIMIT, stream.read_to_end(&mut rest)).await?;
    scene.finish().await
}

/// One address may have so many sockets; one more is refused with a code, until one of them goes.
/// Others are not concerned. Made to fail by a relay that does not count: "one too many is let in".
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sockets_of_one_address_are_counted() -> Result<()> {
    let mut relay = TestRelay::prepare(relay_program()?)?;
    relay.set_environment("YINGKE_SOCKETS_PER_ADDRESS", "3");
    relay.run().await?;
    let scene = Scene::on(relay, "http://shop.localhost").await?;
    let mut held = Vec::new();
    for _ in 0..3 {
        let (stream, head) = upgrade(&scene, 1).await?;
        ensure!(head.starts_with("http/1.1 101"), "{head}");
        held.push(stream);
    }
    let (_, refused) = upgrade(&scene, 1).await?;
    ensure!(refused.starts_with("http/1.1 429"), "one too many is let in: {refused}");
    let (_elsewhere, head) = upgrade(&scene, 2).await?;
    ensure!(head.starts_with("http/1.1 101"), "another address pays for it: {head}");
    drop(held.pop());
    wait::until("a place is free again", || async {
        let (stream, head) = upgrade(&scene, 1).await?;
        Ok(head.starts_with("http/1.1 101").then_some(stream))
    })
    .await?;
    scene.finish().await
}

/// C01: a wrong password and an unknown account look the same; guessing is slowed down; the right
/// one still works afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c01_a_wrong_password_is_refused() -> Result<()> {
    let scene = Scene::set().await?;
    let account = scene.hire("Ana", 8).await?;
    let address = scene.address();
    let wrong = address.try_sign_in("ana", "not-her-password").await?;
    ensure!(
        wrong.as_ref().is_err_and(|r| r.error.code == ErrorCode::WrongCredentials),
        "{wrong:?}"
    );
    let unknown = address.try_sign_in("nobody", "not-her-password").await?;
    ensure!(unknown.is_err_and(|r| r.error.code == ErrorCode::WrongCredentials));
    // The account's case does not matter.
    let signed_in = address.sign_in("ANA", &account.password).await?;
    ensure!(signed_in.own.id == account.id);
    let mut slowed = false;
    for guess in 0..40 {
        match address.try_sign_in("ana", &format!("guess-number-{guess}")).await? {
            Ok(_) => anyhow::bail!("a guess was right"),
            Err(refused) if refused.error.code == ErrorCode::TooFast => {
                slowed = true;
                break;
            }
            Err(refused) => ensure!(refused.error.code == ErrorCode::WrongCredentials),
        }
    }
    ensure!(slowed, "40 wrong passwords in a row must be too fast");
    scene.finish().await
}

/// A token that is made up, of the other side, or signed out opens nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c01_only_a_good_token_opens_a_socket() -> Result<()> {
    let scene = Scene::set().await?;
    let ana = scene.agent("Ana", 8).await?;
    let vera = scene.visitor().await?;
    let address = scene.address();
    ensure!(is_unauthenticated(&Link::<Staff>::open(address, "made-up", None).await.err()));
    ensure!(is_unauthenticated(&Link::<Staff>::open(address, &vera.token, None).await.err()));
    ensure!(is_unauthenticated(&Link::<Visitor>::open(address, &ana.token, None).await.err()));

    sign_out(address, &ana.token).await?;
    ana.link.until_closed().await?;
    ensure!(is_unauthenticated(&Link::<Staff>::open(address, &ana.token, None).await.err()));
    scene.finish().await
}

/// C01: changing the password ends every other session; the new one signs in, the old one not.
/// A disabled account is out at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c01_o05_a_new_password_or_a_disabled_account_ends_sessions() -> Result<()> {
    let scene = Scene::set().await?;
    let account = scene.hire("Ana", 8).await?;
    let address = scene.address();
    let here = yingke_tests::staff::StaffSocket::sign_in(address, &account).await?;
    let there = yingke_tests::staff::StaffSocket::sign_in(address, &account).await?;
    let change = |old: &str, new: &str| ChangePassword { old: old.to_owned(), new: new.to_owned() };
    let new = "another-secret-of-ana";
    address.said.note(new);
    for (body, code) in [
        (change("not-the-old-one", new), ErrorCode::WrongCredentials),
        (change(&account.password, "short"), ErrorCode::WeakPassword),
    ] {
        let refused = post_password(address, &here.token, &body).await?;
        ensure!(refused.as_ref().is_err_and(|r| r.error.code == code), "{refused:?}");
    }
    let done = post_password(address, &here.token, &change(&account.password, new)).await?;
    ensure!(done.is_ok(), "{done:?}");
    there.link.until_closed().await?;
    ensure!(here.link.look(|held| !held.closed), "the session that changed it goes on");
    let old = address.try_sign_in("ana", &account.password).await?;
    ensure!(old.is_err());
    address.sign_in("ana", new).await?;

    scene
        .admin
        .change_agent(&account.id, &ChangeAgent { disabled: Some(true), ..ChangeAgent::default() })
        .await?;
    here.link.until_closed().await?;
    ensure!(address.try_sign_in("ana", new).await?.is_err());
    scene.finish().await
}

fn is_unauthenticated(no: &Option<NoLink>) -> bool {
    matches!(no, Some(NoLink::Refused(error)) if error.code == ErrorCode::Unauthenticated)
}

async fn sign_out(address: &Address, token: &str) -> Result<()> {
    let done: Result<serde_json::Value, _> =
        address.ask(reqwest::Method::POST, "/api/sign-out", Some(token), None::<&()>).await?;
    ensure!(done.is_ok(), "{done:?}");
    Ok(())
}

async fn post_password(
    address: &Address,
    token: &str,
    body: &ChangePassword,
) -> Result<Result<serde_json::Value, yingke_tests::http::Refused>> {
    address.ask(reqwest::Method::POST, "/api/password", Some(token), Some(body)).await
}
