//! Ana and Ben answer Vera and Viktor.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use yingke_relay::conversations::actions;
use yingke_shared::events::{StaffEvent, VisitorEvent};
use yingke_shared::ids::ConversationId;
use yingke_shared::snapshot::{StaffSnapshot, VisitorSnapshot};
use yingke_shared::views::RequeueReason;

use crate::harness::{Agent, Client, Relay, Visitor, eventually};

/// The law: the snapshot a client began with and all events since equal a snapshot of now.
async fn check_staff(relay: &Relay, agent: &Agent, client: &mut Client) {
    let now = relay.staff(agent).await;
    // A quiet reader's position moves with the heartbeat only; beginning again moves it at once.
    client.hello(&agent.token, client.resume_point()).await;
    client.until(|client| (client.position >= now.position).then_some(())).await;
    let read =
        |snapshot: &Value| -> StaffSnapshot { serde_json::from_value(snapshot.clone()).unwrap() };
    let mut held = read(&client.snapshot);
    for event in &client.events {
        held.apply(&serde_json::from_value::<StaffEvent>(event.clone()).unwrap());
    }
    assert_eq!(held, read(&now.snapshot));
}

async fn check_visitor(relay: &Relay, visitor: &Visitor, client: &mut Client) {
    let now = relay.widget(visitor).await;
    // A quiet reader's position moves with the heartbeat only; beginning again moves it at once.
    client.hello(&visitor.token, client.resume_point()).await;
    client.until(|client| (client.position >= now.position).then_some(())).await;
    let read =
        |snapshot: &Value| -> VisitorSnapshot { serde_json::from_value(snapshot.clone()).unwrap() };
    let mut held = read(&client.snapshot);
    for event in &client.events {
        held.apply(&serde_json::from_value::<VisitorEvent>(event.clone()).unwrap());
    }
    assert_eq!(held, read(&now.snapshot));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_message_both_ways_with_preview_and_typing() {
    let relay = Relay::start().await;
    let ana = relay.agent("ana", 8).await;
    let vera = relay.visitor().await;
    let mut desk = relay.online(&ana).await;
    let mut widget = relay.widget(&vera).await;

    // Nobody sees a preview before assignment.
    widget.command("preview", json!({"text": "secret"})).await;
    widget.say("你好").await;
    let gained = desk.event("conversation_gained").await;
    let conversation = gained["record"]["id"].as_str().unwrap().to_owned();
    let online = json!({"kind": "visitor_online", "conversation_id": conversation, "online": true});
    desk.until(|desk| desk.signals.contains(&online).then_some(())).await;

    widget.command("preview", json!({"text": "card 6222021234567890"})).await;
    let preview = json!({
        "kind": "preview", "conversation_id": conversation, "text": "card 622202**********"
    });
    desk.until(|desk| desk.signals.contains(&preview).then_some(())).await;
    assert!(!desk.signals.iter().any(|signal| signal["text"] == "secret"));

    desk.command("typing", json!({"conversation_id": conversation})).await;
    let typing = json!({"kind": "agent_typing", "conversation_id": conversation});
    widget.until(|widget| widget.signals.contains(&typing).then_some(())).await;
    desk.answer(&conversation, "您好").await;
    widget.message("您好").await;

    let mark = json!({"conversation_id": conversation, "delivered": 3, "read": 3});
    let id = widget.command("mark", mark.clone()).await;
    widget.done(&id).await;
    desk.event("visitor_marked").await;
    let id = desk.command("mark", mark).await;
    desk.done(&id).await;
    widget.event("agent_marked").await;
    check_staff(&relay, &ana, &mut desk).await;
    check_visitor(&relay, &vera, &mut widget).await;

    let id = desk.command("end_conversation", json!({"conversation_id": conversation})).await;
    desk.done(&id).await;
    widget
        .until(|widget| {
            let mut events = widget.events.iter();
            events.find(|event| event["status"]["kind"] == "ended").map(|_| ())
        })
        .await;
    check_staff(&relay, &ana, &mut desk).await;
    check_visitor(&relay, &vera, &mut widget).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_goes_to_the_serving_agent_alone() {
    let relay = Relay::start().await;
    let (ana, ben) = (relay.agent("ana", 8).await, relay.agent("ben", 8).await);
    let vera = relay.visitor().await;
    let mut first = relay.online(&ana).await;
    let mut second = relay.online(&ben).await;
    let mut widget = relay.widget(&vera).await;
    widget.say("hello").await;
    let gained = first.event("conversation_gained").await;
    widget.command("preview", json!({"text": "typing…"})).await;
    first.until(|desk| desk.signals.iter().any(|s| s["kind"] == "preview").then_some(())).await;

    // Ben's socket has passed the same moment: something later reached him, and no preview.
    let conversation = gained["record"]["id"].as_str().unwrap();
    let id = second.command("typing", json!({"conversation_id": conversation})).await;
    assert_eq!(second.reply(&id).await["error"]["code"], "not_found");
    let id = second.command("set_availability", json!({"availability": "busy"})).await;
    second.done(&id).await;
    second.event("own_card_changed").await;
    assert_eq!(second.signals, [] as [Value; 0]);
    assert!(second.messages().is_empty());
    first.event("colleague_changed").await;
    check_staff(&relay, &ana, &mut first).await;
    check_staff(&relay, &ben, &mut second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_agent_gets_the_second_visitor() {
    let relay = Relay::start().await;
    let (ana, ben) = (relay.agent("ana", 8).await, relay.agent("ben", 8).await);
    let (mut first, mut second) = (relay.online(&ana).await, relay.online(&ben).await);
    let (vera, viktor) = (relay.visitor().await, relay.visitor().await);
    let mut widget = relay.widget(&vera).await;
    widget.say("from Vera").await;
    first.event("conversation_gained").await;
    let mut other = relay.widget(&viktor).await;
    other.say("from Viktor").await;
    let gained = second.event("conversation_gained").await;
    assert_eq!(gained["record"]["visitor"]["id"], viktor.id.as_str());
    // Two visitors never see each other.
    assert!(widget.messages().iter().all(|m| m["content"]["text"] != "from Viktor"));
    check_visitor(&relay, &vera, &mut widget).await;
    check_visitor(&relay, &viktor, &mut other).await;
    check_staff(&relay, &ana, &mut first).await;
    check_staff(&relay, &ben, &mut second).await;
}

fn told(reason: &str) -> impl Fn(&Client) -> Option<()> {
    let status = json!({"kind": "waiting", "reason": reason});
    move |client| client.events.iter().any(|event| event["status"] == status).then_some(())
}

#[tokio::test(flavor = "multi_thread")]
async fn capacity_one_queues_and_admits() {
    let relay = Relay::start().await;
    let ana = relay.agent("ana", 1).await;
    let mut desk = relay.online(&ana).await;
    let (vera, viktor) = (relay.visitor().await, relay.visitor().await);
    let mut widget = relay.widget(&vera).await;
    widget.say("first").await;
    let gained = desk.event("conversation_gained").await;
    let mut other = relay.widget(&viktor).await;
    other.say("second").await;
    other.until(told("all_full")).await;
    let conversation = gained["record"]["id"].clone();
    let id = desk.command("end_conversation", json!({"conversation_id": conversation})).await;
    desk.done(&id).await;
    let viktors = viktor.id.as_str();
    desk.until(|desk| {
        let mut events = desk.events.iter();
        events.find(|event| event["record"]["visitor"]["id"] == viktors).map(|_| ())
    })
    .await;
    check_staff(&relay, &ana, &mut desk).await;
    check_visitor(&relay, &viktor, &mut other).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_nobody_online_the_visitor_is_told_and_served_when_someone_comes() {
    let relay = Relay::start().await;
    let ana = relay.agent("ana", 8).await;
    let vera = relay.visitor().await;
    // Connected before, so that what she gets is an event and not in her first snapshot.
    let mut desk = relay.staff(&ana).await;
    let id = desk.command("set_availability", json!({"availability": "busy"})).await;
    desk.done(&id).await;
    let mut widget = relay.widget(&vera).await;
    widget.say("anybody?").await;
    widget.until(told("nobody_online")).await;
    let id = desk.command("set_availability", json!({"availability": "online"})).await;
    desk.done(&id).await;
    let gained = desk.event("conversation_gained").await;
    assert_eq!(gained["record"]["last_message"]["content"]["notice"]["kind"], "agent_joined");
    check_visitor(&relay, &vera, &mut widget).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blip_or_a_restart_takes_nothing_away() {
    let relay = Relay::start().await;
    let ana = relay.agent("ana", 8).await;
    let vera = relay.visitor().await;
    let mut desk = relay.online(&ana).await;
    relay.send_as(&vera, "m1", "one").await;
    let gained = desk.event("conversation_gained").await;
    let conversation = gained["record"]["id"].as_str().unwrap().to_owned();
    let point = desk.resume_point();
    drop(desk);
    eventually("Ana is gone", || relay.app.hub.sockets() == (0, 0)).await;
    relay.send_as(&vera, "m2", "two").await;

    let relay = relay.restarted().await;
    relay.send_as(&vera, "m3", "three").await;
    let mut desk = Client::connect(relay.address, "/ws/staff").await;
    desk.hello(&ana.token, point).await;
    assert_eq!(desk.welcome["start"]["mode"], "resumed");
    desk.message("three").await;
    let texts: Vec<_> = desk
        .messages()
        .iter()
        .filter_map(|m| m["content"]["text"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(texts, ["two", "three"]);
    desk.answer(&conversation, "still here").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_loses_a_conversation_is_told_and_who_gains_it_gets_all_of_it() {
    let relay = Relay::start().await;
    let (ana, ben) = (relay.agent("ana", 8).await, relay.agent("ben", 8).await);
    let vera = relay.visitor().await;
    let mut first = relay.online(&ana).await;
    relay.send_as(&vera, "m1", "one").await;
    let gained = first.event("conversation_gained").await;
    let conversation = gained["record"]["id"].as_str().unwrap().to_owned();
    let away = first.resume_point();
    let mut second = relay.online(&ben).await;

    // The row alone: Ana's socket stays, so that she can be seen to lose it.
    let id = ana.id.clone();
    let disable = relay.app.store.write("disable", move |tx| {
        let sql = "UPDATE agents SET disabled = 1 WHERE id = ?";
        tx.execute(sql, yingke_relay::params![id])?;
        Ok::<_, yingke_relay::store::Abort<()>>(())
    });
    disable.await.unwrap();
    let conversation = ConversationId::new(conversation).unwrap();
    let why = RequeueReason::AgentRemoved;
    let put_back = actions::put_back(&relay.app, conversation, ana.id.clone(), why).await.unwrap();
    assert_eq!(put_back, actions::Carried::Done);
    first.event("conversation_withdrawn").await;
    let gained = second.event("conversation_gained").await;
    assert_eq!(gained["record"]["visitor"]["id"], vera.id.as_str());
    relay.send_as(&vera, "m2", "two").await;
    second.message("two").await;

    // Ana, back in service, resumes from before: it is not hers any more.
    let id = ana.id.clone();
    let enable = relay.app.store.write("enable", move |tx| {
        tx.execute("UPDATE agents SET disabled = 0 WHERE id = ?", yingke_relay::params![id])?;
        Ok::<_, yingke_relay::store::Abort<()>>(())
    });
    enable.await.unwrap();
    check_staff(&relay, &ben, &mut second).await;
    let mut back = Client::connect(relay.address, "/ws/staff").await;
    back.hello(&ana.token, away).await;
    assert_eq!(back.welcome["start"]["mode"], "resumed");
    back.event("conversation_withdrawn").await;
    assert!(back.messages().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_tab_of_a_visitor_sees_the_same_and_keeps_the_visitor_online() {
    let relay = Relay::start().await;
    let ana = relay.agent("ana", 8).await;
    let vera = relay.visitor().await;
    let mut desk = relay.online(&ana).await;
    let mut first = relay.widget(&vera).await;
    let mut second = relay.widget(&vera).await;
    first.say("from the first tab").await;
    second.message("from the first tab").await;
    let gained = desk.event("conversation_gained").await;
    let conversation = gained["record"]["id"].clone();
    desk.answer(conversation.as_str().unwrap(), "for both").await;
    first.message("for both").await;
    second.message("for both").await;
    check_visitor(&relay, &vera, &mut second).await;

    drop(first);
    eventually("one tab left", || relay.app.hub.sockets().1 == 1).await;
    assert!(relay.app.hub.visitor_online(&vera.id));
    drop(second);
    let gone = json!({"kind": "visitor_online", "conversation_id": conversation, "online": false});
    desk.until(|desk| desk.signals.contains(&gone).then_some(())).await;
    let offs = desk.signals.iter().filter(|signal| **signal == gone).count();
    assert!(offs <= 2, "the check's own widget may have come and gone once");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_first_messages_at_once_start_one_conversation() {
    let relay = Relay::start().await;
    let ana = relay.agent("ana", 8).await;
    let vera = relay.visitor().await;
    let mut desk = relay.online(&ana).await;
    let (mut first, mut second) = (relay.widget(&vera).await, relay.widget(&vera).await);
    let (one, two) = tokio::join!(first.say("one"), second.say("two"));
    assert_eq!(one["conversation_id"], two["conversation_id"]);
    desk.event("conversation_gained").await;
    check_staff(&relay, &ana, &mut desk).await;
    let gained: BTreeSet<_> = desk
        .events
        .iter()
        .filter(|event| event["type"] == "conversation_gained")
        .map(|event| event["record"]["id"].to_string())
        .collect();
    assert_eq!(gained.len(), 1);
}
