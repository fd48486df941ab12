//! A first answer that does not come (B13), and its explanation (D05-3, D06).

use yingke_shared::explanation::{AssignedHow, Cause};
use yingke_shared::settings::{AutoReplySettings, AutoReplyTexts, NoAnswer, SettingsSection};
use yingke_shared::views::{AutoReply, RequeueReason, SystemNotice, WaitingReason};

use super::desk::{Desk, SECOND};
use yingke_shared::rest::SetAutoReplies;

#[tokio::test]
async fn it_goes_to_another_who_never_had_it_then_to_the_front_and_managers_look() {
    let mut desk = Desk::open().await;
    desk.department(|it| it.no_answer = Some(NoAnswer { after_s: 180, transfers_max: 1 })).await;
    let ana = desk.agent("Ana", 3).await;
    let (_, id) = desk.visitor().await;
    desk.served(&id, &ana).await;
    let ben = desk.agent("Ben", 3).await;
    desk.pass(179 * SECOND).await;
    assert_eq!(desk.agent_of(&id).await, Some(ana.agent_id.clone()));
    desk.pass(2 * SECOND).await;
    desk.served(&id, &ben).await;
    let [first, second] = desk.assignments(&id).await.try_into().unwrap();
    let cause = |how: &AssignedHow| match how {
        AssignedHow::Routing { why } => why.cause,
        other => panic!("{other:?}"),
    };
    assert!(matches!(cause(&first.how), Cause::Waited { .. }));
    assert_eq!(cause(&second.how), Cause::NoAnswer {});
    assert_eq!(desk.alerts().await, 0);

    desk.pass(181 * SECOND).await;
    desk.waits(&id, WaitingReason::NobodyOnline).await;
    assert_eq!(desk.alerts().await, 1, "moved as often as allowed");
    let why = RequeueReason::NoAnswer;
    assert_eq!(desk.notices(&id).await.last(), Some(&SystemNotice::Requeued { why }));
    // Both had it; a third one gets it, and with the answer managers need not look any more.
    let cai = desk.agent("Cai", 3).await;
    desk.served(&id, &cai).await;
    desk.relay.answer(&cai, &id, "c1", "您好").await.unwrap();
    assert_eq!(desk.alerts().await, 0);
    desk.pass(600 * SECOND).await;
    assert_eq!(desk.agent_of(&id).await, Some(cai.agent_id.clone()), "answered once is answered");
}

#[tokio::test]
async fn with_nobody_else_there_it_stays_and_managers_are_told_once() {
    let mut desk = Desk::open().await;
    let ana = desk.agent("Ana", 3).await;
    let (_, id) = desk.visitor().await;
    desk.served(&id, &ana).await;
    desk.pass(181 * SECOND).await;
    desk.until("told", async |desk| desk.alerts().await == 1).await;
    desk.pass(400 * SECOND).await;
    assert_eq!(desk.agent_of(&id).await, Some(ana.agent_id.clone()));
    let told = |entry: &std::sync::Arc<crate::events::Entry>| {
        matches!(entry.body, crate::events::LogBody::ManagersAlerted { .. })
    };
    assert_eq!(desk.log().await.iter().filter(|entry| told(entry)).count(), 1);
}

#[tokio::test]
async fn the_clock_stands_still_while_the_agent_types() {
    let mut desk = Desk::open().await;
    let ana = desk.agent("Ana", 3).await;
    let (_, id) = desk.visitor().await;
    desk.served(&id, &ana).await;
    desk.agent("Ben", 3).await;
    let visitor_id = {
        let id = id.clone();
        desk.read(move |tx| Ok(crate::conversations::store::load(tx, &id)?.unwrap().visitor_id))
    };
    let serving =
        crate::live::ServingNow { conversation_id: id.clone(), agents: vec![ana.agent_id.clone()] };
    desk.relay.app.hub.set_serving(&visitor_id.await, Some(&serving));
    desk.pass(175 * SECOND).await;
    desk.relay.app.hub.typing(&ana.agent_id, &id).unwrap();
    desk.pass(9 * SECOND).await;
    assert_eq!(desk.agent_of(&id).await, Some(ana.agent_id.clone()), "ten seconds longer");
    desk.pass(7 * SECOND).await;
    desk.until("moved", async |desk| {
        desk.agent_of(&id).await.is_some_and(|agent_id| agent_id != ana.agent_id)
    })
    .await;
}

#[tokio::test]
async fn a_delay_is_explained_once_a_chain_in_the_agents_words_unless_forced() {
    let mut desk = Desk::open().await;
    desk.department(|it| (it.explain_s, it.no_answer) = (Some(30), None)).await;
    let ana = desk.agent("Ana", 3).await;
    let texts = AutoReplyTexts { explain_delay: "Ana 马上来".into(), ..Default::default() };
    let own = SetAutoReplies { texts };
    crate::agents::actions::set_auto_replies(&desk.relay.app, &ana, own).await.unwrap();
    let (vera, id) = desk.visitor().await;
    desk.served(&id, &ana).await;
    let explained = async |desk: &Desk| {
        let said = desk.notices(&id).await.into_iter().filter_map(|notice| match notice {
            SystemNotice::AutoReply { reply: AutoReply::ExplainDelay, text } => Some(text),
            _ => None,
        });
        said.collect::<Vec<_>>()
    };
    desk.pass(31 * SECOND).await;
    desk.until("explained", async |desk| explained(desk).await.len() == 1).await;
    desk.relay.say(&vera, "v2", "还在吗").await.unwrap();
    desk.pass(100 * SECOND).await;
    assert_eq!(explained(&desk).await, ["Ana 马上来"], "once a chain");

    let texts = AutoReplyTexts { explain_delay: "请稍候".into(), ..Default::default() };
    let forced = AutoReplySettings { forced: true, texts };
    desk.save(0, SettingsSection::AutoReplies(forced)).await;
    desk.relay.answer(&ana, &id, "a1", "来了").await.unwrap();
    desk.relay.say(&vera, "v3", "有货吗").await.unwrap();
    desk.pass(31 * SECOND).await;
    desk.until("again", async |desk| explained(desk).await.len() == 2).await;
    assert_eq!(explained(&desk).await[1], "请稍候");
}
