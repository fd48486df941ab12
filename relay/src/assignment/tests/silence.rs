//! A visitor who says nothing any more: asked, warned, ended (D05-2, B15).

use yingke_shared::settings::Silence;
use yingke_shared::views::{AutoReply, EndedBy, SystemNotice};

use super::desk::{Desk, SECOND};

fn replies(notices: Vec<SystemNotice>) -> Vec<AutoReply> {
    let reply = |notice| match notice {
        SystemNotice::AutoReply { reply, .. } => Some(reply),
        _ => None,
    };
    notices.into_iter().filter_map(reply).collect()
}

#[tokio::test]
async fn asked_once_a_silence_then_warned_then_ended() {
    let mut desk = Desk::open().await;
    desk.department(|it| {
        it.silence = Silence { ask_s: Some(60), warn_s: Some(120), end_s: Some(60) };
    })
    .await;
    let ana = desk.agent("Ana", 3).await;
    let (vera, id) = desk.visitor().await;
    desk.served(&id, &ana).await;
    desk.relay.answer(&ana, &id, "a1", "您好").await.unwrap();
    let said = async |desk: &Desk| replies(desk.notices(&id).await);
    desk.pass(61 * SECOND).await;
    desk.until("asked", async |desk| said(desk).await == [AutoReply::AskVisitor]).await;
    // A word of the visitor begins another silence, which is asked about anew.
    desk.relay.say(&vera, "v2", "在").await.unwrap();
    desk.relay.answer(&ana, &id, "a2", "还需要什么吗").await.unwrap();
    desk.pass(61 * SECOND).await;
    let twice = [AutoReply::AskVisitor, AutoReply::AskVisitor];
    desk.until("asked again", async |desk| said(desk).await == twice).await;
    desk.pass(60 * SECOND).await;
    desk.until("warned", async |desk| said(desk).await.last() == Some(&AutoReply::WarnVisitor))
        .await;
    desk.pass(50 * SECOND).await;
    assert!(desk.agent_of(&id).await.is_some());
    desk.pass(11 * SECOND).await;
    assert_eq!(desk.ended(&id).await, EndedBy::VisitorSilent);
    assert_eq!(said(&desk).await.len(), 3);
}

#[tokio::test]
async fn nothing_is_said_with_the_tick_off() {
    let mut desk = Desk::open().await;
    let ana = desk.agent("Ana", 3).await;
    let (_, id) = desk.visitor().await;
    desk.served(&id, &ana).await;
    desk.relay.answer(&ana, &id, "a1", "您好").await.unwrap();
    desk.pass(24 * 3_600 * SECOND).await;
    assert_eq!(desk.agent_of(&id).await, Some(ana.agent_id.clone()));
    assert!(replies(desk.notices(&id).await).is_empty());
}
