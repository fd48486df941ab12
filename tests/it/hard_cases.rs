//! Cases of routing that only whole parts show: a client that is killed, tabs of one visitor, a relay that
//! is killed with a full line.

use std::time::SystemTime;

use anyhow::{Context as _, Result, ensure};
use yingke_shared::frame::{StaffSignal, VisitorSignal};
use yingke_shared::views::{EndedBy, Floor, FloorWaiting, VisitorStatus, WaitingReason};
use yingke_tests::client::ClientProcess;
use yingke_tests::http::Account;
use yingke_tests::link::{Held, Link, Visitor};
use yingke_tests::staff::StaffSocket;
use yingke_tests::visitor::TestVisitor;

use crate::scene::Scene;

async fn client(scene: &Scene, home: &std::path::Path, who: &Account) -> Result<ClientProcess> {
    let client = ClientProcess::start(home).await?;
    client.sign_in(scene.address(), who).await?;
    Ok(client)
}

/// B11: `kill -9` of a client with three running conversations. Back within the grace, it has them and no
/// visitor noticed; beyond it they stand at the front in their order, before who came meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b11_a_killed_client_with_three_conversations() -> Result<()> {
    let scene = Scene::set().await?;
    let home = tempfile::tempdir()?;
    let ana = scene.hire("Ana", 3).await?;
    let mia = scene.manager("Mia").await?;
    mia.watch_floor().await?;
    let desk = client(&scene, home.path(), &ana).await?;
    let mut visitors = Vec::new();
    for number in 0..3 {
        let visitor = scene.visitor().await?;
        visitor.say(&format!("question number {number}")).await?;
        visitor.until_served().await?;
        visitors.push(visitor);
    }
    desk.kill().await?;
    mia.until_connected(&ana.id, false).await?;
    let told = lines_told(&visitors).await?;
    let desk = client(&scene, home.path(), &ana).await?;
    mia.until_connected(&ana.id, true).await?;
    desk.until("all three are there", |view| (view.state.inbox.len() == 3).then_some(())).await?;
    for visitor in &visitors {
        let newest = visitor.conversation()?.context("a conversation")?;
        ensure!(matches!(newest.status, VisitorStatus::Serving { .. }), "{:?}", newest.status);
    }
    ensure!(lines_told(&visitors).await? == told, "nothing was said of it");

    scene.change_company(|company| company.grace_s = 5).await?;
    desk.kill().await?;
    for (visitor, place) in visitors.iter().zip(1..) {
        visitor.until_waiting(WaitingReason::NobodyOnline).await?;
        visitor.until_place(place).await?;
    }
    let late = scene.visitor().await?;
    late.say("who comes later").await?;
    late.until_place(4).await?;
    let _ben = scene.agent("Ben", 3).await?;
    for visitor in &visitors {
        let status = visitor.until_served().await?.status;
        ensure!(matches!(status, VisitorStatus::Serving { agent } if agent.nickname == "Ben"));
    }
    late.until_waiting(WaitingReason::AllFull).await?;
    late.until_place(1).await?;
    scene.finish().await
}

/// How many lines each visitor's stream has.
async fn lines_told(visitors: &[TestVisitor]) -> Result<Vec<usize>> {
    let mut lines = Vec::new();
    for visitor in visitors {
        lines.push(visitor.history().await?.len());
    }
    Ok(lines)
}

/// P11, A30: one visitor in two tabs stands once in line; both are told the same places, and what one
/// does is so in the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a30_a_visitor_in_two_tabs_stands_once_in_line() -> Result<()> {
    let scene = Scene::set().await?;
    let ana = scene.agent("Ana", 1).await?;
    let mia = scene.manager("Mia").await?;
    mia.watch_floor().await?;
    let first = scene.visitor().await?;
    let running = first.say("the first is served").await?.conversation;
    first.until_served().await?;
    let between = scene.visitor().await?;
    between.say("one is before them").await?;
    between.until_place(1).await?;
    let vera = scene.visitor().await?;
    let tab: Link<Visitor> = Link::open(scene.address(), &vera.token, None).await?;
    // Both tabs ask at once.
    let other = TestVisitor::message("Vera writes in the second tab");
    let (hers, said) = tokio::try_join!(vera.say("Vera writes in the first"), tab.must(&other))?;
    drop(said);
    vera.until_place(2).await?;
    until_place(&tab, 2).await?;
    let floor = mia.until_floor("two wait", |floor| floor.waiting_total == 2).await?;
    let its = floor.waiting.iter().filter(|row| row.conversation_id == hers.conversation);
    ensure!(its.count() == 1, "{floor:?}");
    ana.end(&running).await?;
    between.until_served().await?;
    vera.until_place(1).await?;
    until_place(&tab, 1).await?;
    ensure!(vera.leave_queue().await?.is_ok());
    tab.until("out of the line in the other tab, too", |held| {
        let newest = held.snapshot.conversation.as_ref()?;
        let left = matches!(newest.status, VisitorStatus::Ended { by: EndedBy::LeftQueue, .. });
        left.then_some(())
    })
    .await?;
    mia.until_floor("nobody waits", |floor| floor.waiting_total == 0).await?;
    scene.finish().await
}

async fn until_place(tab: &Link<Visitor>, wanted: u32) -> Result<()> {
    tab.until("the place in line", |held: &Held<Visitor>| {
        let places = held.signals.iter().rev().find_map(|signal| match signal {
            VisitorSignal::Place { place, .. } => Some(*place),
            VisitorSignal::AgentTyping { .. } => None,
        });
        (places == Some(wanted)).then_some(())
    })
    .await
}

/// P1, A30: the relay is killed with a full line. Started again, everybody has the place and waits since
/// when they did; what was served is served, and an end lets the first one in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a30_a_full_line_goes_on_after_the_relay_was_killed() -> Result<()> {
    let mut scene = Scene::set().await?;
    let mut ana = scene.agent("Ana", 1).await?;
    let mut mia = scene.manager("Mia").await?;
    mia.watch_floor().await?;
    let mut served = scene.visitor().await?;
    let running = served.say("served when it happens").await?.conversation;
    ana.until_gained(&running).await?;
    let begun = wall_ms()?;
    let mut line = Vec::new();
    for place in 1..=8 {
        let visitor = scene.visitor().await?;
        visitor.say(&format!("waits at place {place}")).await?;
        visitor.until_place(place).await?;
        line.push(visitor);
    }
    let all = |floor: &Floor| {
        let reasons = floor.waiting.iter().map(|row| row.reason);
        floor.waiting_total == 8 && reasons.clone().all(|it| it == Some(WaitingReason::AllFull))
    };
    let stood = |floor: &Floor| {
        let row = |row: &FloorWaiting| (row.conversation_id.clone(), row.place);
        floor.waiting.iter().map(row).collect::<Vec<_>>()
    };
    let since = |floor: &Floor| -> Vec<u64> {
        floor.waiting.iter().map(|row| row.since.millis()).collect()
    };
    until_queue_length(&ana, 8).await?;
    let before = mia.until_floor("eight wait", all).await?;
    let killed = wall_ms()?;
    scene.relay.kill()?;
    scene.relay.run().await?;
    ana.resume().await?;
    mia.resume().await?;
    served.resume().await?;
    mia.watch_floor().await?;
    for (visitor, place) in line.iter_mut().zip(1..) {
        visitor.connect().await?;
        visitor.until_place(place).await?;
    }
    let after = mia.until_floor("eight wait again", all).await?;
    ensure!(stood(&after) == stood(&before), "{after:?}, {before:?}");
    // The wait goes on from when it began, not from the start.
    let is_kept = |since: &u64| (begun..killed).contains(since);
    ensure!(since(&after).iter().all(is_kept), "{begun}, {killed}, {:?}", since(&after));
    until_queue_length(&ana, 8).await?;
    ana.end(&running).await?;
    let [next, others @ ..] = line.as_slice() else { unreachable!() };
    let gained = next.until_served().await?;
    ana.until_gained(&gained.id).await?;
    for (visitor, place) in others.iter().zip(1..) {
        visitor.until_place(place).await?;
    }
    until_queue_length(&ana, 7).await?;
    scene.finish().await
}

/// B10: every agent's workbench is told how many wait.
async fn until_queue_length(agent: &StaffSocket, wanted: u32) -> Result<()> {
    agent
        .link
        .until("how many wait", |held| {
            let newest = held.signals.iter().rev().find_map(|signal| match signal {
                StaffSignal::QueueLength { waiting } => Some(*waiting),
                _ => None,
            });
            (newest == Some(wanted)).then_some(())
        })
        .await
}

fn wall_ms() -> Result<u64> {
    let passed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    Ok(u64::try_from(passed.as_millis())?)
}
