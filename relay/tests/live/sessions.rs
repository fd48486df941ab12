//! Hello, limits, resume, slow readers, goodbyes.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::harness::{Client, Relay, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn a_hello_that_is_wrong_is_refused() {
    let relay = Relay::start().await;
    let vera = relay.visitor().await;
    let hello = |version: u32, token: &str| {
        let body = json!({"version": version, "token": token, "resume": null});
        json!({"id": "h", "type": "hello", "body": body}).to_string()
    };
    for (first, code) in [
        (hello(99, &vera.token), "unsupported_version"),
        (hello(1, "nobody"), "unauthenticated"),
        (r#"{"id":"e","type":"end_conversation","body":{}}"#.to_owned(), "unauthenticated"),
        (r#"{"id":"e","type":"hello","body":{"version":1}}"#.to_owned(), "bad_body"),
        ("hello".to_owned(), "bad_frame"),
    ] {
        let mut client = Client::connect(relay.address, "/ws/visitor").await;
        client.raw(Message::text(first.clone())).await;
        assert_eq!(client.bye_code().await, code, "{first}");
        client.until(|client| client.closed.then_some(())).await;
    }
    // A visitor's token means nothing at the other door.
    let mut client = Client::connect(relay.address, "/ws/staff").await;
    client.say_hello(&vera.token, Value::Null).await;
    assert_eq!(client.bye_code().await, "unauthenticated");
}

#[tokio::test(flavor = "multi_thread")]
async fn binary_and_too_large_frames_end_the_session() {
    let relay = Relay::start().await;
    let vera = relay.visitor().await;
    let mut client = relay.widget(&vera).await;
    client.raw(Message::binary(vec![1, 2, 3])).await;
    assert_eq!(client.bye_code().await, "bad_frame");

    let mut client = relay.widget(&vera).await;
    client.raw(Message::text("x".repeat(64 * 1_024 + 1))).await;
    assert_eq!(client.bye_code().await, "too_large");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_is_wrong_is_refused_under_its_id_and_the_session_goes_on() {
    let relay = Relay::start().await;
    let vera = relay.visitor().await;
    let mut client = relay.widget(&vera).await;
    let id = client.command("fly", json!({})).await;
    assert_eq!(client.reply(&id).await["error"]["code"], "unknown_command");
    let id = client.command("end_conversation", json!({"why": "so"})).await;
    assert_eq!(client.reply(&id).await["error"]["code"], "bad_body");
    client.say("hello").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_messages_are_too_fast_and_tell_when_to_try_again() {
    let relay = Relay::start().await;
    let vera = relay.visitor().await;
    let mut client = relay.widget(&vera).await;
    let mut ids = Vec::new();
    for n in 0..30 {
        let body = json!({"text": format!("{n}"), "page": {"url": "", "title": ""}, "locale": ""});
        ids.push(client.command("send_message", body).await);
    }
    let mut refused = Vec::new();
    for id in ids {
        let reply = client.reply(&id).await;
        if reply["error"].is_null() {
            assert!(refused.is_empty(), "accepted after a refusal without a pause");
        } else {
            assert_eq!(reply["error"]["code"], "too_fast");
            refused.push(reply["error"]["retry_after_ms"].as_u64().unwrap());
        }
    }
    assert!((5..=10).contains(&refused.len()), "{refused:?}");
    assert!(refused.iter().all(|wait| (1..=1_000).contains(wait)), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_senders_messages_keep_their_order() {
    let relay = Relay::start().await;
    let vera = relay.visitor().await;
    let mut client = relay.widget(&vera).await;
    let mut ids = Vec::new();
    for n in 0..20 {
        let body = json!({"text": format!("{n}"), "page": {"url": "", "title": ""}, "locale": ""});
        ids.push(client.command("send_message", body).await);
    }
    let mut seqs = Vec::new();
    for id in ids {
        seqs.push(client.reply(&id).await["ok"]["seq"].as_u64().unwrap());
    }
    assert!(seqs.is_sorted(), "{seqs:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_resumes_where_it_stopped_or_gets_a_snapshot() {
    let relay = Relay::start().await;
    let vera = relay.visitor().await;
    let mut first = relay.widget(&vera).await;
    assert_eq!(first.welcome["start"]["mode"], "snapshot");
    first.say("one").await;
    first.message("one").await;
    let point = first.resume_point();
    drop(first);
    relay.send_as(&vera, "v2", "two").await;
    relay.send_as(&vera, "v3", "three").await;

    let mut client = Client::connect(relay.address, "/ws/visitor").await;
    client.hello(&vera.token, point.clone()).await;
    assert_eq!(client.welcome["start"]["mode"], "resumed");
    client.message("three").await;
    let texts: Vec<_> = client.messages().iter().map(|m| m["content"]["text"].clone()).collect();
    assert_eq!(texts, ["two", "three"]);

    // The same socket may begin again when its client found a gap.
    client.hello(&vera.token, Value::Null).await;
    assert_eq!(client.welcome["start"]["mode"], "snapshot");
    client.say("four").await;
    client.message("four").await;

    for resume in [
        json!({"epoch": "another", "position": point["position"]}),
        json!({"epoch": point["epoch"], "position": 1_000_000}),
    ] {
        let mut client = Client::connect(relay.address, "/ws/visitor").await;
        client.hello(&vera.token, resume).await;
        assert_eq!(client.welcome["start"]["mode"], "snapshot");
        assert_eq!(client.epoch, point["epoch"], "a visitor renews no epoch");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_ahead_of_the_log_give_it_a_new_identity_once() {
    let relay = Relay::start().await;
    let ana = relay.agent("ana", 8).await;
    let before = relay.staff(&ana).await;
    let ahead = json!({"epoch": before.epoch, "position": 1_000_000});
    let mut client = Client::connect(relay.address, "/ws/staff").await;
    client.hello(&ana.token, ahead).await;
    assert_eq!(client.welcome["start"]["mode"], "snapshot");
    assert_ne!(client.epoch, before.epoch);
    let after = relay.staff(&ana).await;
    assert_eq!(after.epoch, client.epoch);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_missed_and_nothing_doubled_while_sessions_begin() {
    const MESSAGES: usize = 300;
    let relay = Arc::new(Relay::start().await);
    let vera = Arc::new(relay.visitor().await);
    relay.send_as(&vera, "m-first", "first").await;
    let sender = {
        let (relay, vera) = (Arc::clone(&relay), Arc::clone(&vera));
        tokio::spawn(async move {
            for n in 0..MESSAGES {
                relay.send_as(&vera, &format!("m{n}"), &n.to_string()).await;
            }
        })
    };
    // Sessions begin again and again while messages come, by snapshot and by resume in turn.
    let mut resume = Value::Null;
    let mut last = 0_u64;
    let mut turns = 0;
    while last < (MESSAGES + 1) as u64 {
        let mut client = Client::connect(relay.address, "/ws/visitor").await;
        client.hello(&vera.token, resume.clone()).await;
        if client.welcome["start"]["mode"] == "snapshot" {
            let snapshot = &client.welcome["start"]["snapshot"];
            last = snapshot["conversation"]["last_seq"].as_u64().unwrap();
        }
        let enough = last + 7;
        client
            .until(|client| {
                let newest = client.messages().last().and_then(|m| m["seq"].as_u64());
                let newest = newest.unwrap_or(last);
                (newest >= enough.min((MESSAGES + 1) as u64)).then_some(())
            })
            .await;
        for message in client.messages() {
            last += 1;
            assert_eq!(message["seq"], last, "a gap or a double");
        }
        turns += 1;
        resume = if turns % 2 == 0 { Value::Null } else { client.resume_point() };
    }
    sender.await.unwrap();
    assert!(turns > 5, "only {turns} sessions began");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_stalls_is_dropped_and_harms_nobody() {
    const MESSAGES: usize = 1_500;
    let relay = Relay::start().await;
    let vera = relay.visitor().await;
    let mut good = relay.widget(&vera).await;
    let mut stalled = Client::connect_with(relay.address, "/ws/visitor", Some(4_096)).await;
    stalled.hello(&vera.token, Value::Null).await;
    assert_eq!(relay.app.hub.sockets(), (0, 2));

    let text = "说".repeat(4_000);
    let send = async {
        for n in 0..MESSAGES {
            relay.send_as(&vera, &format!("m{n}"), &text).await;
            if relay.app.hub.sockets() == (0, 1) {
                return n + 1;
            }
        }
        panic!("the stalled reader was never dropped");
    };
    let (sent, ()) = tokio::join!(send, async {
        good.until(|client| {
            let dropped = relay.app.hub.sockets() == (0, 1);
            (dropped && client.messages().len() > 20).then_some(())
        })
        .await;
    });
    relay.send_as(&vera, "last", "last").await;
    good.message("last").await;
    let seqs: Vec<_> = good.messages().iter().map(|m| m["seq"].as_u64().unwrap()).collect();
    assert!(seqs.windows(2).all(|pair| pair[1] == pair[0] + 1));
    assert!(seqs.len() > sent, "{} of {sent}", seqs.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_asks_and_does_not_read_is_dropped() {
    let relay = Relay::start().await;
    let (vera, viktor) = (relay.visitor().await, relay.visitor().await);
    let text = "说".repeat(4_000);
    for n in 0..30 {
        relay.send_as(&vera, &format!("m{n}"), &text).await;
        relay.send_as(&viktor, &format!("n{n}"), &text).await;
    }
    let mut stalled = Client::connect_with(relay.address, "/ws/visitor", Some(4_096)).await;
    stalled.hello(&viktor.token, Value::Null).await;
    // Pages for which there is no room are refused; of refusals, too, only so many wait. (No last word
    // reaches who goes on asking.)
    let asks = async {
        while relay.app.hub.sockets() != (0, 0) {
            stalled.command("load_history", json!({"before": null, "limit": 50})).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), asks).await.expect("the session is over");
    // One that reads gets every page.
    let mut reader = relay.widget(&vera).await;
    for _ in 0..40 {
        let id = reader.command("load_history", json!({"before": null, "limit": 50})).await;
        assert_eq!(reader.reply(&id).await["ok"]["kind"], "history");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_never_got_ready_still_stops() {
    let relay = Relay::start_without_fanout().await;
    let vera = relay.visitor().await;
    let mut client = Client::connect(relay.address, "/ws/visitor").await;
    client.say_hello(&vera.token, Value::Null).await;
    let (_, code) = tokio::join!(relay.stop(), client.bye_code());
    assert_eq!(code, "unavailable");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopping_relay_says_when_to_come_back() {
    let relay = Relay::start().await;
    let ana = relay.agent("ana", 8).await;
    let vera = relay.visitor().await;
    let mut desk = relay.staff(&ana).await;
    let mut widget = relay.widget(&vera).await;
    let stop = relay.stop();
    let (_, desk_wait, widget_wait) =
        tokio::join!(stop, wait_told(&mut desk), wait_told(&mut widget));
    assert_ne!(desk_wait, widget_wait);
}

async fn wait_told(client: &mut Client) -> u64 {
    assert_eq!(client.bye_code().await, "unavailable");
    client.until(|client| client.closed.then_some(())).await;
    client.bye.as_ref().unwrap()["retry_after_ms"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_cuts_that_session_and_no_other() {
    let relay = Relay::start().await;
    let ana = relay.agent("ana", 8).await;
    let ben = relay.agent("ben", 8).await;
    let mut desk = relay.staff(&ana).await;
    let mut other = relay.staff(&ben).await;
    let who = yingke_relay::auth::actions::staff_of_token(&relay.app, &ana.token).await.unwrap();
    yingke_relay::auth::actions::sign_out(&relay.app, &who).await.unwrap();
    assert_eq!(desk.bye_code().await, "unauthenticated");
    eventually("one socket left", || relay.app.hub.sockets() == (1, 0)).await;
    let id = other.command("set_availability", json!({"availability": "busy"})).await;
    other.done(&id).await;
}
