//! The relay starts again: order, places and clocks go on.

use yingke_shared::explanation::{AssignedHow, Cause};
use yingke_shared::settings::NoAnswer;
use yingke_shared::views::{RequeueReason, SystemNotice, WaitingReason};

use super::desk::{Desk, MINUTE, SECOND};
use crate::agents;

#[tokio::test]
async fn with_a_full_queue_everybody_keeps_the_place() {
    let mut desk = Desk::open().await;
    let ana = desk.agent("Ana", 2).await;
    let all = desk.visitors(40).await;
    desk.served(&all[1].1, &ana).await;
    desk.waits(&all[39].1, WaitingReason::AllFull).await;
    let before = desk.line().await;
    assert_eq!(before.len(), 38);
    let mut desk = desk.restart(2 * SECOND).await;
    assert_eq!(desk.line().await, before);
    assert_eq!(desk.serves(&ana).await, 2, "what she served stays hers");
    desk.connect(&ana).await;
    desk.relay.end(&ana, &all[0].1).await.unwrap();
    desk.served(&all[2].1, &ana).await;
    desk.settled().await;
    assert_eq!(desk.serves(&ana).await, 2);
    assert_eq!(desk.line().await, before[1..]);
}

#[tokio::test]
async fn the_grace_goes_on_over_a_restart() {
    let mut desk = Desk::open().await;
    let ana = desk.agent("Ana", 2).await;
    let (_, id) = desk.visitor().await;
    desk.served(&id, &ana).await;
    desk.lose(&ana).await;
    desk.pass(40 * SECOND).await;
    let desk = desk.restart(10 * SECOND).await;
    desk.pass(9 * SECOND).await;
    assert_eq!(desk.agent_of(&id).await, Some(ana.agent_id.clone()));
    desk.pass(2 * SECOND).await;
    desk.until("in line", async |desk| desk.agent_of(&id).await.is_none()).await;
    let why = RequeueReason::AgentLost;
    assert_eq!(desk.notices(&id).await.last(), Some(&SystemNotice::Requeued { why }));
    // At the front it stays over another restart, before who came earlier and never was served.
    let (_, later) = desk.visitor().await;
    let desk = desk.restart(0).await;
    assert_eq!(desk.line().await, [id, later]);
}

#[tokio::test]
async fn the_clocks_of_an_answer_and_of_a_leave_message_go_on() {
    let mut desk = Desk::open().await;
    desk.department(|it| it.no_answer = Some(NoAnswer { after_s: 180, transfers_max: 3 })).await;
    let ana = desk.agent("Ana", 1).await;
    let all = desk.visitors(1).await;
    desk.served(&all[0].1, &ana).await;
    desk.pass(100 * SECOND).await;
    let mut desk = desk.restart(20 * SECOND).await;
    desk.connect(&ana).await;
    let ben = desk.agent("Ben", 1).await;
    desk.pass(55 * SECOND).await;
    assert_eq!(desk.agent_of(&all[0].1).await, Some(ana.agent_id.clone()));
    desk.pass(10 * SECOND).await;
    desk.served(&all[0].1, &ben).await;
    // Who had it is known, too.
    let mut desk = desk.restart(0).await;
    desk.connect(&ana).await;
    desk.connect(&ben).await;
    desk.pass(181 * SECOND).await;
    desk.until("told", async |desk| desk.alerts().await == 1).await;
    assert_eq!(desk.agent_of(&all[0].1).await, Some(ben.agent_id.clone()), "Ana had it");

    let (_, waiting) = desk.visitor().await;
    desk.served(&waiting, &ana).await;
    desk.relay.answer(&ana, &waiting, "a1", "您好").await.unwrap();
    let (_, alone) = desk.visitor().await;
    desk.waits(&alone, WaitingReason::AllFull).await;
    desk.sign_out(&ana).await;
    desk.sign_out(&ben).await;
    desk.pass(6 * SECOND).await;
    desk.waits(&alone, WaitingReason::NobodyOnline).await;
    desk.pass(5 * MINUTE).await;
    let desk = desk.restart(4 * MINUTE).await;
    desk.waits(&alone, WaitingReason::NobodyOnline).await;
    desk.pass(2 * MINUTE).await;
    desk.ended(&alone).await;
}

/// B13: for how long an answer was being typed is forgotten, but nobody who types loses it to that.
#[tokio::test]
async fn whoever_was_typing_gets_a_moment_to_show_it() {
    let mut desk = Desk::open().await;
    desk.department(|it| it.no_answer = Some(NoAnswer { after_s: 180, transfers_max: 3 })).await;
    let ana = desk.agent("Ana", 1).await;
    let (vera, id) = desk.visitor().await;
    desk.served(&id, &ana).await;
    let ben = desk.agent("Ben", 1).await;
    desk.pass(170 * SECOND).await;
    let mut desk = desk.restart(20 * SECOND).await;
    desk.connect(&ana).await;
    desk.connect(&ben).await;
    desk.pass(14 * SECOND).await;
    assert_eq!(desk.agent_of(&id).await, Some(ana.agent_id.clone()));
    desk.types(&ana, &vera, &id).await;
    desk.pass(10 * SECOND).await;
    assert_eq!(desk.agent_of(&id).await, Some(ana.agent_id.clone()));
    desk.pass(2 * SECOND).await;
    desk.served(&id, &ben).await;
}

/// X04: also after a restart it is known why somebody stood at the front.
#[tokio::test]
async fn why_one_stands_at_the_front_is_known_over_a_restart() {
    let mut desk = Desk::open().await;
    let ana = desk.agent("Ana", 1).await;
    let (_, id) = desk.visitor().await;
    desk.served(&id, &ana).await;
    desk.sign_out(&ana).await;
    desk.until("in line", async |desk| desk.agent_of(&id).await.is_none()).await;
    let mut desk = desk.restart(SECOND).await;
    let ben = desk.agent("Ben", 1).await;
    desk.served(&id, &ben).await;
    let how = desk.assignments(&id).await.pop().unwrap().how;
    let AssignedHow::Routing { why } = how else { panic!("{how:?}") };
    let Cause::Requeued { why, .. } = why.cause else { panic!("{why:?}") };
    assert_eq!(why, Some(RequeueReason::AgentSignedOut));
}

/// L03: the day of whoever was there ends when the relay is killed, not when it is back.
#[tokio::test]
async fn nobody_is_there_while_the_relay_is_not() {
    let mut desk = Desk::open().await;
    let ana = desk.agent("Ana", 1).await;
    desk.pass(10 * MINUTE).await;
    let mut desk = desk.restart(2 * 60 * MINUTE).await;
    desk.connect(&ana).await;
    desk.pass(5 * MINUTE).await;
    let (id, now) = (ana.agent_id.clone(), desk.relay.app.world.now());
    let day = desk.read(move |tx| agents::day::presence(tx, &id, Default::default(), now)).await;
    // Told every half minute that the relay is there.
    assert!((14 * 60..=15 * 60 + 30).contains(&day.online_s), "{day:?}");
}
