//! What the floor reads and makes of it: an agent's day, lines and loads, rows in their order.

use std::collections::BTreeSet;

use yingke_routing::{Considered, InLine, Verdict, WaitingReason};
use yingke_shared::commands::staff::SetAvailability;
use yingke_shared::views::Availability;

use super::super::floor_view::{floor, rounded, with_lists};
use super::super::questions::{Counter, Overview};
use super::*;
use crate::agents::presence;
use crate::testing::{TestRelay, any_id};

fn wanted(relay: &TestRelay, line: Vec<ConversationId>) -> Wanted {
    let now = relay.app.world.now();
    Wanted { now, unknown: line.clone(), line, is_watched: true, counts_days: true }
}

async fn rows(relay: &TestRelay, line: Vec<ConversationId>) -> Rows {
    let wanted = wanted(relay, line);
    relay.app.store.read("floor", move |tx| read(tx, &wanted)).await.unwrap()
}

#[tokio::test]
async fn an_agents_day_is_what_the_agent_did_and_was() {
    let relay = TestRelay::open().await;
    let (ana, ben) = (relay.agent("Ana").await, relay.agent("Ben").await);
    // Yesterday evening, by the company's clock; the day begins at 16:00 UTC.
    let midnight = 1_799_942_400_000;
    relay.set_clock(midnight - 600_000);
    presence::back(&relay.app, ana.agent_id.clone()).await.unwrap();
    let yesterday = relay.visitor().await;
    relay.conversation_with(&yesterday, &ana).await;
    relay.set_clock(midnight + 100_000);
    let set = |availability| {
        let command = SetAvailability { availability, hand_over: false };
        agents::actions::set_availability(relay.app.clone(), ana.clone(), any_id(), command)
    };
    set(Availability::Busy).await.unwrap();
    relay.pass(30_000);
    set(Availability::Online).await.unwrap();
    let (vera, viktor) = (relay.visitor().await, relay.visitor().await);
    let hers = relay.conversation_with(&vera, &ana).await;
    relay.pass(12_000);
    relay.answer(&ana, &hers, "a1", "您好").await.unwrap();
    let his = relay.conversation_with(&viktor, &ana).await;
    relay.pass(4_000);
    relay.answer(&ana, &his, "a2", "您好").await.unwrap();
    relay.end(&ana, &his).await.unwrap();
    relay.pass(4_000);
    presence::gone(&relay.app, ana.agent_id.clone()).await.unwrap();
    relay.pass(1_000_000);

    let days = rows(&relay, Vec::new()).await.days.unwrap();
    let expected = AgentDay {
        served: 2,
        ended: 1,
        first_response_ms: Some(8_000),
        // 100 s until busy, and 20 s of work after it.
        online_s: 120,
        busy_s: 30,
        away_s: 0,
    };
    assert_eq!(days[&ana.agent_id], expected);
    assert_eq!(days[&ben.agent_id], AgentDay::default());
}

/// A relay that was killed finds nobody there: their day does not go on.
#[tokio::test]
async fn a_day_stops_with_the_relay() {
    let relay = TestRelay::open().await;
    let ana = relay.agent("Ana").await;
    presence::back(&relay.app, ana.agent_id.clone()).await.unwrap();
    relay.pass(50_000);
    presence::all_gone(&relay.app).await.unwrap();
    relay.pass(1_000_000);
    presence::all_gone(&relay.app).await.unwrap();
    let read = rows(&relay, Vec::new()).await;
    assert_eq!(read.days.unwrap()[&ana.agent_id].online_s, 50);
    assert_eq!(read.since[&ana.agent_id].millis(), 1_800_000_050_000);
}

#[tokio::test]
async fn the_longest_unanswered_is_shown_first_and_who_is_gone_not_at_all() {
    let relay = TestRelay::open().await;
    let (ana, ben) = (relay.agent("Ana").await, relay.agent("Ben").await);
    let mut served = Vec::new();
    for n in 0..3 {
        let visitor = relay.visitor().await;
        served.push(relay.conversation_with(&visitor, &ana).await);
        relay.pass(1_000 + n);
    }
    relay.answer(&ana, &served[0], "a1", "马上").await.unwrap();
    let waits = relay.visitor().await;
    let (waiting, _) = relay.say(&waits, "m1", &"长".repeat(100)).await.unwrap();
    relay.set_disabled(&ben, true).await;
    let gone = ConversationId::new("gone").unwrap();
    let read = rows(&relay, vec![waiting.clone(), served[1].clone(), gone]).await;
    let shown: Vec<_> = read.served.shown.iter().map(|row| row.conversation_id.clone()).collect();
    assert_eq!(shown, [served[1].clone(), served[2].clone(), served[0].clone()]);
    assert_eq!((read.served.total, read.served.unanswered[&ana.agent_id]), (3, 2));
    assert_eq!(read.served.shown[2].text, "马上");
    assert_eq!(read.agents.len(), 1);
    // Of the line, only what still waits; but everybody's visitor is known.
    assert_eq!(read.waiting.iter().map(|(id, _)| id).collect::<Vec<_>>(), [&waiting]);
    assert_eq!(read.waiting[0].1.text, "长".repeat(80));
    assert_eq!(read.visitors.len(), 2);
    assert_eq!(read.visitors[0].1, waits.visitor_id);
}

#[tokio::test]
async fn loads_and_lines_by_department() {
    let relay = TestRelay::open().await;
    let (ana, ben) = (relay.agent("Ana").await, relay.agent("Ben").await);
    let vera = relay.visitor().await;
    let (waiting, _) = relay.say(&vera, "m1", "在吗").await.unwrap();
    let read = rows(&relay, vec![waiting.clone()]).await;
    let load = |who: &AgentId, running| Considered {
        agent: who.as_str().into(),
        running,
        capacity: 8,
        idle_since: 0,
        verdict: Verdict::Taken,
    };
    let counter =
        |id: &str, open, expected_ms| Counter { department: id.into(), open, expected_ms };
    let overview = Overview {
        lines: vec![InLine {
            conversation: waiting.as_str().into(),
            department: "default".into(),
            place: 1,
            since: 1_800_000_000_000,
            class: yingke_routing::rules::Class { vip: true, priority: 9 },
            front: true,
            told: Some(WaitingReason::AllFull),
            expected_ms: Some(61_000),
        }],
        agents: vec![load(&ana.agent_id, 3), load(&ben.agent_id, 1)],
        departments: vec![counter("default", true, Some(61_000)), counter("empty", false, None)],
    };
    let since = |_: &Agent| relay.app.world.now();
    let connected = BTreeSet::from([ana.agent_id.clone()]);
    let made = floor(&overview, &read.agents, since, &connected, &Days::new());
    let made = with_lists(made, &overview, read.waiting, read.served);
    let department = |of: &yingke_shared::views::FloorDepartment| {
        (of.open, of.waiting, of.attended_by, of.free, of.expected_wait_ms)
    };
    let departments: Vec<_> = made.departments.iter().map(department).collect();
    assert_eq!(departments, [(true, 1, 1, 5, Some(70_000)), (false, 0, 0, 0, None)]);
    let of_ben = made.agents.iter().find(|it| it.agent_id == ben.agent_id).unwrap();
    assert_eq!((of_ben.connected, of_ben.running, of_ben.capacity), (false, 1, 8));
    let row = &made.waiting[0];
    assert_eq!((row.vip, row.priority, row.front, row.place), (true, 9, true, 1));
    assert_eq!(row.reason, Some(yingke_shared::views::WaitingReason::AllFull));
    assert_eq!((made.waiting_total, made.running_total), (1, 0));
}

#[test]
fn an_expected_wait_is_told_in_steps() {
    for (exact, told) in [
        (0, 0),
        (1, 10_000),
        (10_000, 10_000),
        (10_001, 20_000),
        (120_000, 120_000),
        (120_001, 180_000),
        (u64::MAX, u32::MAX),
    ] {
        assert_eq!(rounded(exact), told, "{exact}");
    }
}

/// What is read every second while somebody looks must not grow with what was ever stored.
#[tokio::test]
async fn what_is_over_costs_the_floor_nothing() {
    let relay = TestRelay::open().await;
    let served = vec![
        "SCAN c USING INDEX conversations_open_by_agent",
        "CORRELATED SCALAR SUBQUERY 1",
        "SEARCH m USING ",
    ];
    let had = vec!["SEARCH a USING INDEX assignments_by_time (at>?)", "SEARCH c USING "];
    for (sql, params, expected) in [(floor::SERVED, 0, served), (floor::HAD_SINCE, 1, had)] {
        let explain: &str = format!("EXPLAIN QUERY PLAN {sql}").leak();
        let read = relay.app.store.read("plan", move |tx| {
            let params = vec![crate::store::Value::Int(1); params];
            tx.query(explain, &params, |row| row.text(3))
        });
        let plan = read.await.unwrap();
        for step in expected {
            assert!(plan.iter().any(|it| it.starts_with(step)), "{step}: {plan:#?}");
        }
    }
}
