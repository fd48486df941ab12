//! A relay whose storage fails for a while, whose data is damaged, whose agents blink.

use serde_json::json;
use yingke_relay::auth::{StaffIdentity, TokenHash};
use yingke_relay::events::{LogBody, NewEvent};
use yingke_relay::limits::TAIL_ENTRIES_MAX;
use yingke_relay::store::Abort;
use yingke_relay::{agents, params};
use yingke_shared::ids::AgentId;
use yingke_shared::rest::ChangeAgent;
use yingke_shared::time::Timestamp;
use yingke_shared::views::Role;

use crate::harness::{Client, Relay, eventually};

async fn sql(relay: &Relay, sql: &'static str) {
    let written = relay.app.store.write("test", move |tx| {
        tx.execute(sql, &[])?;
        Ok::<_, Abort<()>>(())
    });
    written.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_agents_visitors_go_on_when_the_disk_is_back() {
    let relay = Relay::start().await;
    let (ana, ben) = (relay.agent("ana", 8).await, relay.agent("ben", 8).await);
    let vera = relay.visitor().await;
    let mut first = relay.online(&ana).await;
    relay.send_as(&vera, "m1", "one").await;
    first.event("conversation_gained").await;
    let mut second = relay.online(&ben).await;

    let broken = "CREATE TRIGGER broken BEFORE UPDATE ON conversations \
        BEGIN SELECT RAISE(ABORT, 'no room'); END";
    sql(&relay, broken).await;
    let admin = StaffIdentity {
        agent_id: AgentId::new("admin").unwrap(),
        role: Role::Admin,
        session: TokenHash::of("admin"),
    };
    let disable = ChangeAgent { disabled: Some(true), ..ChangeAgent::default() };
    agents::actions::change(&relay.app, &admin, ana.id, disable).await.unwrap();
    second.event("colleague_changed").await;
    // The writer has had many turns: the first try is over and failed.
    for _ in 0..10 {
        for availability in ["busy", "online"] {
            let id =
                second.command("set_availability", json!({"availability": availability})).await;
            second.done(&id).await;
        }
    }
    sql(&relay, "DROP TRIGGER broken").await;
    let gained = second.event("conversation_gained").await;
    assert_eq!(gained["record"]["visitor"]["id"], vera.id.as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_row_stops_nobody_else() {
    let relay = Relay::start().await;
    let (ana, ben) = (relay.agent("ana", 8).await, relay.agent("ben", 8).await);
    let vera = relay.visitor().await;
    let mut desk = relay.staff(&ana).await;
    let mut widget = relay.widget(&vera).await;
    let damage = relay.app.store.write("damage", move |tx| {
        let sql = "UPDATE agents SET availability = 'nonsense' WHERE id = ?";
        tx.execute(sql, params![ben.id])?;
        let body = LogBody::AgentChanged { agent_id: ben.id.clone() };
        tx.append(NewEvent { at: Timestamp::default(), subject: None, body })?;
        Ok::<_, Abort<()>>(())
    });
    damage.await.unwrap();
    // What cannot be read is taken to be busy: nobody is assigned to it, nobody is sent away for it.
    let ben_is_busy = |event: &serde_json::Value| {
        event["colleague"]["card"]["nickname"] == "ben"
            && event["colleague"]["availability"] == "busy"
    };
    desk.until(|desk| desk.events.iter().any(ben_is_busy).then_some(())).await;
    widget.say("anybody?").await;
    widget.message("anybody?").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_who_blinks_does_not_leave_the_line_without_hope() {
    let relay = Relay::start().await;
    let ana = relay.agent("ana", 1).await;
    let (vera, viktor) = (relay.visitor().await, relay.visitor().await);
    let mut desk = relay.online(&ana).await;
    relay.send_as(&vera, "m1", "served").await;
    let served = desk.event("conversation_gained").await["record"]["id"].clone();
    let mut widget = relay.widget(&viktor).await;
    widget.say("in line").await;
    let full = json!({"kind": "waiting", "reason": "all_full"});
    widget
        .until(|widget| widget.events.iter().any(|event| event["status"] == full).then_some(()))
        .await;

    drop(desk);
    eventually("Ana is gone", || relay.app.hub.sockets().0 == 0).await;
    let mut desk = relay.staff(&ana).await;
    let id = desk.command("end_conversation", json!({"conversation_id": served})).await;
    desk.done(&id).await;
    desk.event("conversation_gained").await;
    let agent_comes = |event: &serde_json::Value| event["status"]["kind"] == "serving";
    widget.until(|widget| widget.events.iter().any(agent_comes).then_some(())).await;
    let told = |event: &serde_json::Value| event["status"]["reason"] == "nobody_online";
    assert!(!widget.events.iter().any(told), "{:#?}", widget.events);
}

/// Once made to fail by answering every such resume with a failure, for ever.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_missed_what_is_damaged_begins_anew() {
    let relay = Relay::start().await;
    let (ana, vera) = (relay.agent("ana", 8).await, relay.visitor().await);
    let mut desk = relay.online(&ana).await;
    let mut widget = relay.widget(&vera).await;
    widget.say("one").await;
    widget.message("one").await;
    desk.event("conversation_gained").await;
    let points = [desk.resume_point(), widget.resume_point()];
    drop((desk, widget));
    relay.send_as(&vera, "v2", "two").await;
    // Not a word of ours, and one that is not even text.
    for damage in [
        "UPDATE messages SET author = 'visitos' WHERE client_id = 'v2'",
        "UPDATE messages SET author = CAST(x'76ff' AS TEXT) WHERE client_id = 'v2'",
    ] {
        sql(&relay, damage).await;
        let readers = [("/ws/staff", &ana.token), ("/ws/visitor", &vera.token)];
        for ((path, token), point) in readers.into_iter().zip(&points) {
            let mut client = Client::connect(relay.address, path).await;
            client.hello(token, point.clone()).await;
            assert_eq!(client.welcome["start"]["mode"], "snapshot", "{path}: {damage}");
        }
    }
}

/// Once made to fail by an entry whose kind is not text: it was read again and again, and nobody got
/// anything any more.
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_stretch_of_the_log_does_not_stop_fan_out() {
    let relay = Relay::start().await;
    let vera = relay.visitor().await;
    let mut before = relay.widget(&vera).await;
    let site_id = relay.site.clone();
    let damage = relay.app.store.write("damage", move |tx| {
        let damaged = tx.next_position();
        // So many at once that fan-out must read them from the database.
        for _ in 0..=TAIL_ENTRIES_MAX {
            let body = LogBody::SiteChanged { site_id: site_id.clone() };
            tx.append(NewEvent { at: Timestamp::default(), subject: None, body })?;
        }
        let sql = "UPDATE events SET kind = CAST(x'ff' AS TEXT) WHERE position = ?";
        tx.execute(sql, params![damaged])?;
        Ok::<_, Abort<()>>(())
    });
    damage.await.unwrap();
    assert_eq!(before.bye_code().await, "unavailable");
    let mut widget = relay.widget(&vera).await;
    widget.say("anybody?").await;
    widget.message("anybody?").await;
}
