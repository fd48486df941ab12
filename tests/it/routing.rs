//! Who gets which visitor, and when.

use anyhow::{Context, Result, ensure};
use yingke_shared::views::{Author, Availability, ConversationStatus, WaitingReason};

use yingke_tests::link::{Held, Visitor};

use crate::scene::Scene;

/// Least loaded, ties by longest idle: each of two agents gets one of two visitors.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b02_second_agent_gets_the_second_visitor() -> Result<()> {
    let scene = Scene::set().await?;
    let ana = scene.agent("Ana", 8).await?;
    let ben = scene.agent("Ben", 8).await?;
    let vera = scene.visitor().await?;
    let viktor = scene.visitor().await?;
    let hers = vera.say("Vera asks about tea").await?.conversation;
    let server = vera.until_served().await?;
    let his = viktor.say("Viktor asks about pots").await?.conversation;
    viktor.until_served().await?;
    let (first, second) = match server.status {
        yingke_shared::views::VisitorStatus::Serving { agent } if agent.id == ana.id => {
            (&ana, &ben)
        }
        _ => (&ben, &ana),
    };
    first.until_gained(&hers).await?;
    second.until_gained(&his).await?;
    ensure!(first.record(&his).is_none() && second.record(&hers).is_none());
    scene.finish().await
}

/// Fewest running conversations relative to capacity: a big desk takes more than a small one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b01_b02_load_is_relative_to_capacity() -> Result<()> {
    let scene = Scene::set().await?;
    let ana = scene.agent("Ana", 2).await?;
    let ben = scene.agent("Ben", 6).await?;
    let mut visitors = Vec::new();
    for number in 0..8 {
        let visitor = scene.visitor().await?;
        visitor.say(&format!("visitor number {number} is here")).await?;
        visitor.until_served().await?;
        visitors.push(visitor);
    }
    ana.until_holding(2).await?;
    ben.until_holding(6).await?;
    scene.finish().await
}

/// At capacity the next visitor queues and is told so; one end admits the first in line, once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b06_b07_capacity_one_queues_and_admits_once() -> Result<()> {
    let scene = Scene::set().await?;
    let ana = scene.agent("Ana", 1).await?;
    let vera = scene.visitor().await?;
    let viktor = scene.visitor().await?;
    let third = scene.visitor().await?;
    let hers = vera.say("Vera is the first").await?.conversation;
    vera.until_served().await?;
    let his = viktor.say("Viktor has to wait").await?.conversation;
    viktor.until_waiting(WaitingReason::AllFull).await?;
    let last = third.say("the third has to wait, too").await?.conversation;
    third.until_waiting(WaitingReason::AllFull).await?;
    ensure!(ana.until_holding(1).await?.contains(&hers));

    ana.end(&hers).await?;
    viktor.until_served().await?;
    ana.until_gone(&hers).await?;
    ana.until_gained(&his).await?;
    ensure!(third.conversation()?.is_some_and(|c| matches!(
        c.status,
        yingke_shared::views::VisitorStatus::Waiting { reason: WaitingReason::AllFull }
    )));

    // The visitor's own end frees the place as well.
    viktor.end().await?;
    third.until_served().await?;
    ana.until_gained(&last).await?;
    ana.until_gone(&his).await?;
    let joined = ana.history(&last).await?.into_iter().filter(|message| {
        matches!(
            &message.content,
            yingke_shared::views::MessageContent::Notice {
                notice: yingke_shared::views::SystemNotice::AgentJoined { .. }
            }
        )
    });
    ensure!(joined.count() == 1, "admitted once means one notice");
    scene.finish().await
}

/// Connecting assigns nobody; the first message does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b14_a_silent_visitor_takes_no_seat() -> Result<()> {
    let scene = Scene::set().await?;
    let ana = scene.agent("Ana", 1).await?;
    let silent = scene.visitor().await?;
    silent.preview("the silent one only types").await?;
    let vera = scene.visitor().await?;
    vera.say("Vera writes at once").await?;
    vera.until_served().await?;
    ana.until_holding(1).await?;
    ensure!(silent.conversation()?.is_none());
    scene.finish().await
}

/// Where the admin wants it, opening the window is enough, once; elsewhere it begins nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b14_opening_the_window_takes_a_seat_where_the_site_wants_it() -> Result<()> {
    let scene = Scene::set().await?;
    let ana = scene.agent("Ana", 2).await?;
    let vera = scene.visitor().await?;
    ensure!(!vera.link()?.look(|held| held.snapshot.site.begins_on_open));
    vera.open_window().await?;
    let newest = async || anyhow::Ok(vera.fresh_snapshot().await?.conversation);
    ensure!(newest().await?.is_none(), "the company did not ask for it");

    let site = scene.site.clone();
    scene.change_company(|company| company.seats_for_silent = vec![site]).await?;
    let begins = |held: &Held<Visitor>| held.snapshot.site.begins_on_open.then_some(());
    vera.link()?.until("the window is told", begins).await?;
    vera.open_window().await?;
    let begun = vera.until_served().await?.id;
    ana.until_gained(&begun).await?;
    vera.open_window().await?;
    let held = ana.record(&begun).context("Ana has it")?;
    ensure!(held.unread() == 0 && held.unanswered_since().is_none(), "nobody asked anything");
    ensure!(newest().await?.is_some_and(|held| held.id == begun), "it began once");

    let said = vera.say("Vera asks about tea").await?;
    ensure!(said.conversation == begun);
    vera.end().await?;
    ana.until_gone(&begun).await?;
    scene.change_company(|company| company.seats_for_silent.clear()).await?;
    vera.open_window().await?;
    ensure!(newest().await?.is_some_and(|held| held.id == begun), "none began since");
    scene.finish().await
}

/// 忙碌: running conversations go on, new ones are not taken; 在线 again takes who waits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b11_busy_takes_no_new_ones_but_goes_on() -> Result<()> {
    let scene = Scene::set().await?;
    let ana = scene.agent("Ana", 8).await?;
    let vera = scene.visitor().await?;
    let hers = vera.say("Vera is being served").await?.conversation;
    vera.until_served().await?;
    ana.set_availability(Availability::Busy).await?;
    ana.link
        .until("the own card says busy", |held| {
            (held.snapshot.own.availability == Availability::Busy).then_some(())
        })
        .await?;
    let viktor = scene.visitor().await?;
    let his = viktor.say("Viktor comes while she is busy").await?.conversation;
    viktor.until_waiting(WaitingReason::NobodyOnline).await?;
    vera.say("Vera goes on meanwhile").await?;
    ana.say(&hers, "Ana answers though busy").await?;
    vera.until_text("Ana answers though busy").await?;
    ensure!(ana.record(&his).is_none());

    ana.set_availability(Availability::Online).await?;
    viktor.until_served().await?;
    let record = ana.until_gained(&his).await?;
    ensure!(record.status == ConversationStatus::Serving { agent_id: ana.id.clone() });
    scene.finish().await
}

/// Nobody is there: the message is kept, the visitor is told, and it is assigned when someone comes,
/// even after the visitor has gone and the relay was restarted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_online_keeps_the_message_until_someone_comes() -> Result<()> {
    let mut scene = Scene::set().await?;
    let account = scene.hire("Ana", 8).await?;
    let mut vera = scene.visitor().await?;
    let hers = vera.say("Vera writes at midnight").await?.conversation;
    vera.until_waiting(WaitingReason::NobodyOnline).await?;
    vera.leave();
    scene.relay.stop().await?;
    scene.relay.run().await?;

    let ana = yingke_tests::staff::StaffSocket::sign_in(scene.address(), &account).await?;
    ana.set_availability(Availability::Online).await?;
    let record = ana.until_gained(&hers).await?;
    ensure!(record.unread() == 1 && record.unanswered_since().is_some());
    ana.say(&hers, "Ana answers in the morning").await?;

    vera.connect().await?;
    vera.until_text("Ana answers in the morning").await?;
    let history = ana.history(&hers).await?;
    let texts = history.iter().filter(|message| message.author != Author::System).count();
    ensure!(texts == 2);
    scene.finish().await
}

/// An agent whose last socket is gone gets no new conversations; back, it does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_without_a_socket_gets_nothing_new() -> Result<()> {
    let scene = Scene::set().await?;
    let account = scene.hire("Ana", 8).await?;
    let ana = yingke_tests::staff::StaffSocket::sign_in(scene.address(), &account).await?;
    ana.set_availability(Availability::Online).await?;
    let token = ana.token.clone();
    drop(ana);
    let vera = scene.visitor().await?;
    // The relay may notice the closed socket a moment later; then she simply waits for it.
    vera.say("is anybody here at all").await?;
    let ana =
        yingke_tests::staff::StaffSocket::connect(scene.address(), &account.id, &token).await?;
    vera.until_served().await?;
    ana.until_holding(1).await?;
    scene.finish().await
}
