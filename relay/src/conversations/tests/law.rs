//! The law, after every action, for the agent, another agent and the visitor: what was on the screen
//! plus the events is what a fresh look shows.

use yingke_shared::commands::staff::SetAvailability;
use yingke_shared::commands::visitor::VisitorEndConversation;
use yingke_shared::rest::{ChangeAgent, ChangeSite};
use yingke_shared::views::{Availability, WaitingReason};

use crate::conversations::actions;
use crate::testing::{Screens, TestRelay, admin, any_id};
use crate::{agents, sites};

#[tokio::test]
async fn events_applied_equal_a_fresh_look_after_every_action() {
    let relay = TestRelay::open().await;
    let (ana, ben) = (relay.agent("Ana").await, relay.agent("Ben").await);
    let (vera, viktor) = (relay.visitor().await, relay.visitor().await);
    let mut screens = Screens::take(&relay, &[&ana, &ben], &[&vera, &viktor]).await;

    let (id, _) = relay.say(&vera, "v1", "在吗").await.unwrap();
    screens.check(&relay, "a first message").await;
    actions::set_waiting_reason(&relay.app, id.clone(), WaitingReason::AllFull).await.unwrap();
    screens.check(&relay, "a waiting reason").await;
    relay.claim(&id, &ana).await;
    screens.check(&relay, "gaining").await;
    relay.answer(&ana, &id, "a1", "您好").await.unwrap();
    screens.check(&relay, "an answer").await;
    relay.visitor_marks(&vera, &id, 4, 4).await.unwrap();
    screens.check(&relay, "the visitor's marks").await;
    relay.say(&vera, "v2", "有货吗").await.unwrap();
    relay.view(&ana, &id, 5).await.unwrap();
    screens.check(&relay, "the agent's mark").await;

    // Gain, lose, gain.
    relay.set_disabled(&ana, true).await;
    relay.release_disabled().await;
    screens.check(&relay, "losing").await;
    relay.claim(&id, &ben).await;
    relay.say(&vera, "v3", "换人了？").await.unwrap();
    relay.view(&ben, &id, 99).await.unwrap();
    screens.check(&relay, "another gains").await;
    relay.set_disabled(&ana, false).await;
    relay.set_disabled(&ben, true).await;
    relay.release_disabled().await;
    relay.claim(&id, &ana).await;
    screens.check(&relay, "gaining again").await;
    relay.answer(&ana, &id, "a2", "我回来了").await.unwrap();
    screens.check(&relay, "going on").await;
    relay.end(&ana, &id).await.unwrap();
    screens.check(&relay, "an end by the agent").await;

    // A second conversation replaces the first on the visitor's screen.
    let (next, _) = relay.say(&vera, "v4", "还有").await.unwrap();
    relay.claim(&next, &ana).await;
    screens.check(&relay, "another conversation").await;
    for n in 0..60 {
        relay.say(&vera, &format!("w{n}"), "嗨").await.unwrap();
    }
    screens.check(&relay, "more messages than a screen holds").await;
    let body = VisitorEndConversation {};
    actions::end_as_visitor(relay.app.clone(), vera.clone(), any_id(), body).await.unwrap();
    screens.check(&relay, "an end by the visitor").await;
    relay.say(&viktor, "k1", "您好").await.unwrap();
    screens.check(&relay, "another visitor").await;
}

#[tokio::test]
async fn settings_too() {
    let relay = TestRelay::open().await;
    let (ana, ben, vera) =
        (relay.agent("Ana").await, relay.agent("Ben").await, relay.visitor().await);
    let id = relay.conversation_with(&vera, &ana).await;
    relay.answer(&ana, &id, "a1", "您好").await.unwrap();
    let viktor = relay.visitor().await;
    let mut screens = Screens::take(&relay, &[&ana, &ben], &[&vera, &viktor]).await;
    let body = SetAvailability { availability: Availability::Busy, hand_over: false };
    agents::actions::set_availability(relay.app.clone(), ana.clone(), any_id(), body)
        .await
        .unwrap();
    screens.check(&relay, "an availability").await;
    let change = ChangeAgent { nickname: Some("安娜".into()), ..Default::default() };
    agents::actions::change(&relay.app, &admin(), ana.agent_id.clone(), change).await.unwrap();
    screens.check(&relay, "a nickname").await;
    assert_eq!(relay.visitor_news(&vera).await, ["site_changed", "agent_changed"]);
    assert_eq!(relay.visitor_news(&viktor).await, ["site_changed"], "Viktor never met Ana");
    relay.end(&ana, &id).await.unwrap();
    let change = ChangeAgent { nickname: Some("Ana".into()), ..Default::default() };
    agents::actions::change(&relay.app, &admin(), ana.agent_id.clone(), change).await.unwrap();
    screens.check(&relay, "a nickname on the messages of an ended conversation").await;
    relay.agent("Cai").await;
    screens.check(&relay, "a new account").await;
    let change = ChangeSite { name: Some("商店".into()), ..Default::default() };
    sites::actions::change(&relay.app, &admin(), relay.site.clone(), change).await.unwrap();
    screens.check(&relay, "a site's name, also on records").await;
    relay.set_welcome("欢迎").await;
    screens.check(&relay, "a welcome").await;
    for preview in [false, true] {
        let change = ChangeSite { preview: Some(preview), ..Default::default() };
        sites::actions::change(&relay.app, &admin(), relay.site.clone(), change).await.unwrap();
        screens.check(&relay, "the preview switch").await;
    }
    for enabled in [false, true] {
        let change = ChangeSite { enabled: Some(enabled), ..Default::default() };
        sites::actions::change(&relay.app, &admin(), relay.site.clone(), change).await.unwrap();
        screens.check(&relay, "the site's switch").await;
    }
    let before = relay.head().await;
    let change = ChangeSite { return_tickets: Some(false), ..Default::default() };
    sites::actions::change(&relay.app, &admin(), relay.site.clone(), change).await.unwrap();
    assert!(relay.visitor_news_after(&vera, before).await.is_empty(), "no window shows tickets");
    screens.check(&relay, "what no window shows").await;
    sites::actions::insert(&relay.app.store, relay.world.as_ref(), "Blog", vec![]).await.unwrap();
    screens.check(&relay, "a new site").await;
}
