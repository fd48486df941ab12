//! What is told without being stored: the floor, places in line, how many wait.

use serde_json::{Value, json};
use yingke_relay::agents;
use yingke_relay::auth::{StaffIdentity, TokenHash};
use yingke_shared::ids::{AgentId, DepartmentId};
use yingke_shared::rest::ChangeAgent;
use yingke_shared::settings::{DepartmentSettings, SaveSettings, SettingsSection};
use yingke_shared::views::Role;

use crate::harness::{Agent, Client, Relay, Visitor};

fn admin() -> StaffIdentity {
    let agent_id = AgentId::new("setup").unwrap();
    StaffIdentity { agent_id, role: Role::Admin, session: TokenHash::of("setup") }
}

async fn watch_floor(client: &mut Client, on: bool) {
    let id = client.command("watch_floor", json!({"on": on})).await;
    client.done(&id).await;
}

async fn set_availability(client: &mut Client, availability: &str) {
    let id = client.command("set_availability", json!({"availability": availability})).await;
    client.done(&id).await;
}

/// The client of somebody who takes nothing for now. Accounts begin online.
async fn busy(relay: &Relay, agent: &Agent) -> Client {
    let mut client = relay.staff(agent).await;
    set_availability(&mut client, "busy").await;
    client
}

/// The floors so far, the newest last.
fn floors(client: &Client) -> Vec<&Value> {
    let floors = client.signals.iter().filter(|signal| signal["kind"] == "floor");
    floors.map(|signal| &signal["floor"]).collect()
}

/// Waits for a floor of which this is true.
async fn floor(client: &mut Client, is_so: impl Fn(&Value) -> bool) -> Value {
    client
        .until(|client| floors(client).last().filter(|it| is_so(it)).map(|it| (*it).clone()))
        .await
}

fn of<'a>(floor: &'a Value, agent: &Agent) -> &'a Value {
    let agents = floor["agents"].as_array().unwrap();
    agents.iter().find(|it| it["agent_id"] == agent.id.as_str()).unwrap()
}

/// The newest place a visitor was told.
async fn place(client: &mut Client, expected: u64) {
    client
        .until(|client| {
            let mut places = client.signals.iter().filter(|signal| signal["kind"] == "place");
            places.next_back().filter(|signal| signal["place"] == expected).map(|_| ())
        })
        .await;
}

fn places_told(client: &Client) -> usize {
    client.signals.iter().filter(|signal| signal["kind"] == "place").count()
}

async fn length(client: &mut Client, expected: u64) {
    client
        .until(|client| {
            let mut lengths =
                client.signals.iter().filter(|signal| signal["kind"] == "queue_length");
            lengths.next_back().filter(|signal| signal["waiting"] == expected).map(|_| ())
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_sees_the_floor_and_an_agent_less_of_it() {
    let relay = Relay::start().await;
    let (ana, ben) = (relay.agent("ana", 1).await, relay.agent("ben", 8).await);
    let mia = relay.account("mia", Role::Manager, 8).await;
    let (vera, viktor) = (relay.visitor().await, relay.visitor().await);
    let mut desk = relay.online(&ana).await;
    let mut board = busy(&relay, &mia).await;
    drop(busy(&relay, &ben).await);

    watch_floor(&mut board, true).await;
    let first = floor(&mut board, |it| it["agents"].as_array().unwrap().len() == 3).await;
    assert_eq!(first["waiting_total"], 0);
    floor(&mut board, |it| of(it, &ben)["connected"] == false).await;
    let first = floor(&mut board, |it| {
        it["departments"][0]["attended_by"] == 1 && it["departments"][0]["free"] == 1
    })
    .await;
    assert_eq!(first["departments"][0]["department_id"], "default");
    assert_eq!(first["departments"][0]["open"], true);
    assert_eq!(first["departments"][0]["expected_wait_ms"], 0);

    let mut widget = relay.widget(&vera).await;
    let conversation = widget.say("我的订单在哪里").await["conversation_id"].clone();
    let served = floor(&mut board, |it| it["running_total"] == 1).await;
    let row = &served["running"][0];
    assert_eq!(row["conversation_id"], conversation);
    assert_eq!((&row["agent_id"], &row["text"]), (&json!(ana.id), &json!("我的订单在哪里")));
    assert!(row["unanswered_since"].is_u64() && row["since"].is_u64(), "{row}");
    let seen = floor(&mut board, |it| of(it, &ana)["unanswered"] == 1).await;
    assert_eq!((&of(&seen, &ana)["running"], &of(&seen, &ana)["capacity"]), (&json!(1), &json!(1)));

    // Ana is full: Viktor waits, and everybody who looks sees it.
    let mut second = relay.widget(&viktor).await;
    let long = "长".repeat(200);
    let waiting = second.say(&long).await["conversation_id"].clone();
    let seen = floor(&mut board, |it| it["waiting"][0]["reason"] == "all_full").await;
    let row = &seen["waiting"][0];
    assert_eq!((&row["conversation_id"], &row["place"]), (&waiting, &json!(1)));
    assert_eq!(row["text"], "长".repeat(80));
    assert_eq!((&row["front"], &row["vip"]), (&json!(false), &json!(false)));
    assert_eq!(seen["waiting_total"], 1);

    // An agent gets the same without the lists.
    let mut colleague = relay.staff(&ben).await;
    watch_floor(&mut colleague, true).await;
    let less = floor(&mut colleague, |it| of(it, &ben)["connected"] == true).await;
    assert_eq!((&less["waiting_total"], &less["running_total"]), (&json!(1), &json!(1)));
    assert_eq!((&less["waiting"], &less["running"]), (&json!([]), &json!([])));

    // What is said changes the floor though it changes nothing of routing.
    desk.answer(conversation.as_str().unwrap(), "马上查").await;
    let seen = floor(&mut board, |it| it["running"][0]["text"] == "马上查").await;
    assert_eq!(seen["running"][0]["unanswered_since"], Value::Null);
    assert_eq!(of(&seen, &ana)["unanswered"], 0);

    // A new onlooker has it at once, and whoever looks no longer gets nothing more.
    let mut again = relay.staff(&mia).await;
    watch_floor(&mut again, true).await;
    floor(&mut again, |it| it["running_total"] == 1).await;
    watch_floor(&mut colleague, false).await;
    let before = floors(&colleague).len();
    desk.answer(conversation.as_str().unwrap(), "已发货").await;
    floor(&mut again, |it| it["running"][0]["text"] == "已发货").await;
    let pong = colleague.command("unknown_command", json!({})).await;
    colleague.reply(&pong).await;
    assert_eq!(floors(&colleague).len(), before);
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_in_line_and_the_third_leaves() {
    let relay = Relay::start().await;
    let ana = relay.agent("ana", 1).await;
    let mut desk = busy(&relay, &ana).await;
    let mut line: Vec<(Visitor, Client)> = Vec::new();
    for place_in_line in 1..=5 {
        let visitor = relay.visitor().await;
        let mut widget = relay.widget(&visitor).await;
        widget.say("在吗").await;
        place(&mut widget, place_in_line).await;
        line.push((visitor, widget));
    }
    let conversation = |widget: &Client| {
        let place = widget.signals.iter().find(|signal| signal["kind"] == "place").unwrap();
        place["conversation_id"].clone()
    };
    let (_, third) = &mut line[2];
    let id = third.command("leave_queue", json!({})).await;
    third.done(&id).await;
    for (at, expected) in [(3, 3), (4, 4)] {
        place(&mut line[at].1, expected).await;
    }
    // Who stood in front of the third learns nothing, for nothing changed there.
    for at in [0, 1] {
        let (visitor, widget) = &mut line[at];
        assert_eq!(places_told(widget), 1);
        // Whoever comes back learns the place after the welcome.
        let mut again = relay.widget(visitor).await;
        place(&mut again, at as u64 + 1).await;
        assert_eq!(conversation(&again), conversation(widget));
    }
    // The first is served: everybody else moves up.
    set_availability(&mut desk, "online").await;
    desk.event("conversation_gained").await;
    for (at, expected) in [(1, 1), (3, 2), (4, 3)] {
        place(&mut line[at].1, expected).await;
    }
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_knows_how_many_wait_in_the_own_departments() {
    let relay = Relay::start().await;
    let (ana, ben) = (relay.agent("ana", 8).await, relay.agent("ben", 8).await);
    let mia = relay.account("mia", Role::Manager, 8).await;
    let departments = ["default", "returns"].map(|id| {
        let id = DepartmentId::new(id).unwrap();
        let name = if id.as_str() == "default" { String::new() } else { id.to_string() };
        DepartmentSettings { name, ..yingke_relay::settings::queries::department(id) }
    });
    let section = SettingsSection::Departments(departments.to_vec());
    let request = SaveSettings { base: 0, section };
    yingke_relay::settings::actions::save(&relay.app, &admin(), request).await.unwrap();
    let returns = Some(vec![DepartmentId::new("returns").unwrap()]);
    for who in [&ben, &mia] {
        let change = ChangeAgent { departments: returns.clone(), ..ChangeAgent::default() };
        agents::actions::change(&relay.app, &admin(), who.id.clone(), change).await.unwrap();
    }
    let mut desks = Vec::new();
    for who in [&ana, &ben, &mia] {
        let mut desk = busy(&relay, who).await;
        length(&mut desk, 0).await;
        desks.push(desk);
    }
    let (vera, viktor) = (relay.visitor().await, relay.visitor().await);
    relay.send_as(&vera, "m1", "在吗").await;
    relay.send_as(&viktor, "m2", "在吗").await;
    length(&mut desks[0], 2).await;
    length(&mut desks[2], 2).await;
    // Nobody waits in Ben's department; a client that comes now is told after its welcome.
    let mut late = relay.staff(&ben).await;
    length(&mut late, 0).await;
    let mut late = relay.staff(&ana).await;
    length(&mut late, 2).await;
    set_availability(&mut desks[0], "online").await;
    length(&mut desks[0], 0).await;
    length(&mut desks[2], 0).await;
    assert!(!desks[1].signals.iter().any(|it| it["kind"] == "queue_length" && it["waiting"] != 0));
    relay.stop().await;
}
