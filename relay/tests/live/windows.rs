//! What an open window shows of agents and of its site: who learns that it changed, at once and over
//! a resume, and who does not. Once made to fail by telling every visitor of a name, and by leaving
//! names and site out of a resume.

use yingke_relay::auth::{StaffIdentity, TokenHash};
use yingke_relay::{agents, sites};
use yingke_shared::ids::AgentId;
use yingke_shared::rest::{ChangeAgent, ChangeSite};
use yingke_shared::views::Role;

use crate::harness::{Agent, Client, Relay};

fn admin() -> StaffIdentity {
    let agent_id = AgentId::new("setup").unwrap();
    StaffIdentity { agent_id, role: Role::Admin, session: TokenHash::of("setup") }
}

async fn rename(relay: &Relay, agent: &Agent, nickname: &str) {
    let change = ChangeAgent { nickname: Some(nickname.into()), ..ChangeAgent::default() };
    agents::actions::change(&relay.app, &admin(), agent.id.clone(), change).await.unwrap();
}

async fn change(relay: &Relay, change: ChangeSite) {
    sites::actions::change(&relay.app, &admin(), relay.site.clone(), change).await.unwrap();
}

fn welcome(words: &str) -> ChangeSite {
    ChangeSite { welcome: Some(words.into()), ..ChangeSite::default() }
}

/// The names and welcomes told, in order.
fn told(client: &Client) -> Vec<String> {
    let word = |event: &serde_json::Value| match event["type"].as_str() {
        Some("agent_changed") => event["agent"]["nickname"].as_str().map(str::to_owned),
        Some("site_changed") => event["site"]["welcome"].as_str().map(str::to_owned),
        _ => None,
    };
    client.events.iter().filter_map(word).collect()
}

async fn until_told(client: &mut Client, words: &[&str]) {
    client.until(|client| (told(client) == words).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_settings_reach_the_windows_that_show_them_and_no_others() {
    let relay = Relay::start().await;
    let (ana, ben) = (relay.agent("ana", 1).await, relay.agent("ben", 1).await);
    let mut desk = relay.online(&ana).await;
    let (vera, viktor) = (relay.visitor().await, relay.visitor().await);
    let (mut first, mut other) = (relay.widget(&vera).await, relay.widget(&viktor).await);
    first.say("hello").await;
    desk.event("conversation_gained").await;

    rename(&relay, &ana, "Anna").await;
    rename(&relay, &ben, "Benjamin").await;
    change(&relay, welcome("hi")).await;
    until_told(&mut first, &["Anna", "hi"]).await;
    // Viktor met nobody. Both learn what the site shows, by the very same event.
    until_told(&mut other, &["hi"]).await;
    let of_site = |client: &Client| {
        client.events.iter().find(|event| event["type"] == "site_changed").cloned()
    };
    assert_eq!(of_site(&first), of_site(&other));

    // What no window shows is told to none, and an availability is no name.
    let tickets = ChangeSite { return_tickets: Some(false), ..ChangeSite::default() };
    change(&relay, tickets).await;
    let id = desk.command("set_availability", serde_json::json!({"availability": "busy"})).await;
    desk.done(&id).await;

    // Away: of several changes the last is told, in its place among the messages.
    let (place, at) = (first.resume_point(), first.position);
    drop(first);
    rename(&relay, &ana, "A").await;
    change(&relay, welcome("one")).await;
    relay.send_as(&vera, "m2", "still me").await;
    rename(&relay, &ana, "Ana").await;
    change(&relay, welcome("two")).await;
    let mut back = Client::connect(relay.address, "/ws/visitor").await;
    back.hello(&vera.token, place).await;
    assert_eq!(back.welcome["start"]["mode"], "resumed");
    assert_eq!(back.position, at);
    until_told(&mut back, &["Ana", "two"]).await;
    let kinds: Vec<_> = back.events.iter().filter_map(|event| event["type"].as_str()).collect();
    assert_eq!(kinds, ["message_appended", "agent_changed", "site_changed"]);

    // And live again.
    rename(&relay, &ana, "Anya").await;
    until_told(&mut back, &["Ana", "two", "Anya"]).await;
    // Of two changes in a row fan-out may tell the last alone.
    other.until(|client| (told(client).last()? == "two").then_some(())).await;
    assert!(told(&other).iter().all(|word| ["hi", "one", "two"].contains(&word.as_str())));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_switched_off_keeps_who_is_there_and_lets_what_is_open_end() {
    let relay = Relay::start().await;
    let ana = relay.agent("ana", 8).await;
    let mut desk = relay.online(&ana).await;
    let vera = relay.visitor().await;
    let mut widget = relay.widget(&vera).await;
    widget.say("hello").await;
    desk.event("conversation_gained").await;
    let switch = |on| ChangeSite { enabled: Some(on), ..ChangeSite::default() };
    change(&relay, switch(false)).await;
    assert_eq!(widget.event("site_changed").await["site"]["enabled"], false);
    widget.say("still open").await;
    desk.message("still open").await;
    let id = widget.command("end_conversation", serde_json::json!({})).await;
    widget.done(&id).await;
    let mut again = relay.widget(&vera).await;
    assert_eq!(again.snapshot["site"]["enabled"], false);
    let body =
        serde_json::json!({"text": "a new one", "page": {"url": "", "title": ""}, "locale": "en"});
    let id = again.command("send_message", body).await;
    assert_eq!(again.reply(&id).await["error"]["code"], "site_disabled");
    change(&relay, switch(true)).await;
    again.event("site_changed").await;
    again.say("a new one").await;
}
