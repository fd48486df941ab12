//! The line: capacity, order, whose agent, hours (B04-B09, B18, C15).

use yingke_routing::Described;
use yingke_shared::commands::staff::{HandBack, TakeOver};
use yingke_shared::commands::visitor::{LeaveQueue, PageContext, VisitorAsks, VisitorSendMessage};
use yingke_shared::explanation::AssignedHow;
use yingke_shared::frame::Outcome;
use yingke_shared::ids::{ConversationId, RuleId};
use yingke_shared::rest::ChangeAgent;
use yingke_shared::settings::{
    Ask, BusinessHours, Condition, QueuePolicy, RuleSettings, SaveSettings, SettingsSection, Span,
    TextIs, TextOf,
};
use yingke_shared::views::{ConversationStatus, EndedBy, Role, WaitingReason};

use super::desk::{Desk, MINUTE, SECOND};
use crate::agents;
use crate::auth::StaffIdentity;
use crate::conversations::{actions, store};
use crate::settings;
use crate::store::{Abort, StoreError};
use crate::testing::{TestRelay, admin, any_id};

#[tokio::test]
async fn at_capacity_the_next_waits_and_one_end_lets_one_in_once() {
    let mut desk = Desk::open().await;
    let ana = desk.agent("Ana", 2).await;
    let all = desk.visitors(5).await;
    desk.served(&all[0].1, &ana).await;
    desk.served(&all[1].1, &ana).await;
    for (_, id) in &all[2..] {
        desk.waits(id, WaitingReason::AllFull).await;
    }
    desk.relay.end(&ana, &all[0].1).await.unwrap();
    desk.served(&all[2].1, &ana).await;
    desk.settled().await;
    assert_eq!(desk.serves(&ana).await, 2);
    assert_eq!(desk.line().await, [all[3].1.clone(), all[4].1.clone()]);
    let [taken] = desk.assignments(&all[2].1).await.try_into().unwrap();
    let AssignedHow::Routing { why } = taken.how else { panic!("{taken:?}") };
    let first = &why.candidates[0];
    assert_eq!((&first.agent_id, first.running, first.capacity), (&ana.agent_id, 1, 2));
}

async fn set_capacity(desk: &Desk, who: &StaffIdentity, capacity: u32) {
    let change = ChangeAgent { capacity: Some(capacity), ..Default::default() };
    let id = who.agent_id.clone();
    agents::actions::change(&desk.relay.app, &admin(), id, change).await.unwrap();
}

#[tokio::test]
async fn a_capacity_below_what_runs_ends_nothing_and_lets_nobody_in() {
    let mut desk = Desk::open().await;
    let ana = desk.agent("Ana", 3).await;
    let running = desk.visitors(3).await;
    for (_, id) in &running {
        desk.served(id, &ana).await;
    }
    set_capacity(&desk, &ana, 1).await;
    let (_, next) = desk.visitor().await;
    desk.waits(&next, WaitingReason::AllFull).await;
    for (_, id) in &running[..2] {
        assert_eq!(desk.agent_of(id).await, Some(ana.agent_id.clone()));
        desk.relay.end(&ana, id).await.unwrap();
        desk.settled().await;
        desk.waits(&next, WaitingReason::AllFull).await;
    }
    desk.relay.end(&ana, &running[2].1).await.unwrap();
    desk.served(&next, &ana).await;
}

#[tokio::test]
async fn a_place_stays_taken_for_the_wrap_up() {
    let mut desk = Desk::open().await;
    desk.department(|it| it.wrap_up_s = 60).await;
    let ana = desk.agent("Ana", 1).await;
    let all = desk.visitors(2).await;
    desk.served(&all[0].1, &ana).await;
    desk.relay.end(&ana, &all[0].1).await.unwrap();
    desk.pass(59 * SECOND).await;
    desk.waits(&all[1].1, WaitingReason::AllFull).await;
    desk.pass(2 * SECOND).await;
    desk.served(&all[1].1, &ana).await;
}

#[tokio::test]
async fn sticky_waits_for_its_own_agent_and_only_a_person_moves_it() {
    let mut desk = Desk::open().await;
    desk.department(|it| (it.policy, it.file_after_s) = (QueuePolicy::Sticky, None)).await;
    let ana = desk.agent("Ana", 1).await;
    let (vera, id) = desk.visitor().await;
    desk.served(&id, &ana).await;
    desk.relay.end(&ana, &id).await.unwrap();
    let ben = desk.agent("Ben", 5).await;
    let (_, other) = desk.visitor().await;
    // Ana, idle for longer, is taken by somebody new; Vera is hers all the same.
    desk.until("taken", async |desk| desk.agent_of(&other).await.is_some()).await;
    if desk.agent_of(&other).await == Some(ben.agent_id.clone()) {
        set_capacity(&desk, &ana, 1).await;
        desk.choose(&ana, yingke_shared::views::Availability::Busy).await;
    }
    let (again, _) = desk.relay.say(&vera, "again", "还有").await.unwrap();
    desk.pass(30 * MINUTE).await;
    assert!(desk.agent_of(&again).await.is_none(), "Ben is free and not asked");
    assert_eq!(desk.line().await, std::slice::from_ref(&again));
    // By hand it goes to whom the manager says.
    let command = yingke_shared::commands::staff::Assign {
        conversation_id: again.clone(),
        agent_id: ben.agent_id.clone(),
        over_capacity: false,
    };
    let app = desk.relay.app.clone();
    actions::assign_by_hand(app, admin(), any_id(), command).await.unwrap();
    desk.served(&again, &ben).await;
}

#[tokio::test]
async fn a_rule_says_the_priority_and_is_named_in_the_reasons() {
    let mut desk = Desk::open().await;
    let id = yingke_shared::ids::RuleId::new("cart").unwrap();
    let ask = Ask::Text {
        of: TextOf::Page,
        field: String::new(),
        is: TextIs::Contains,
        values: vec!["/cart".into()],
    };
    let rule = RuleSettings {
        id: id.clone(),
        name: "购物车".into(),
        enabled: true,
        when: vec![Condition { not: false, ask }],
        department_id: None,
        skill_id: None,
        agent_id: None,
        priority: Some(9),
    };
    desk.save(0, SettingsSection::Rules(vec![rule])).await;
    let (_, waiting) = desk.visitor().await;
    desk.waits(&waiting, WaitingReason::Routing).await;
    let ana = desk.agent("Ana", 1).await;
    desk.served(&waiting, &ana).await;
    let [taken] = desk.assignments(&waiting).await.try_into().unwrap();
    let AssignedHow::Routing { why } = taken.how else { panic!("{taken:?}") };
    let rule = why.rule.unwrap();
    assert_eq!((rule.id, rule.name.as_str()), (id, "购物车"));
}

/// Somebody new writes on this page, with nobody there yet; what is known of a VIP says so.
async fn comes(relay: &TestRelay, page: &str, is_vip: bool) -> ConversationId {
    let who = relay.visitor().await;
    let command = VisitorSendMessage {
        text: "在吗".into(),
        page: PageContext { url: format!("https://shop.example{page}"), title: String::new() },
        locale: "zh-CN".into(),
        asks: VisitorAsks::default(),
    };
    let sent = actions::send_as_visitor(relay.app.clone(), who, any_id(), command).await.unwrap();
    let Outcome::Accepted { conversation_id, .. } = sent else { panic!("{sent:?}") };
    let id = conversation_id.clone();
    let written = relay.app.store.write("known", move |tx| {
        let row = store::load_in_routing(tx, &id)?.unwrap();
        let mut known: Described = serde_json::from_str(&row.described).unwrap();
        known.vip = is_vip;
        store::describe(tx, &id, &serde_json::to_string(&known).unwrap())?;
        Ok::<_, Abort<StoreError>>(())
    });
    written.await.unwrap();
    conversation_id
}

fn priority_on(page: &str, priority: u8) -> RuleSettings {
    let ask = Ask::Text {
        of: TextOf::Page,
        field: String::new(),
        is: TextIs::Contains,
        values: vec![page.into()],
    };
    RuleSettings {
        id: RuleId::new(page).unwrap(),
        name: page.into(),
        enabled: true,
        when: vec![Condition { not: false, ask }],
        department_id: None,
        skill_id: None,
        agent_id: None,
        priority: Some(priority),
    }
}

/// B05, B18: VIPs before others, then by the rule's priority, then by arrival; whoever was served before
/// stands before all. Rows say the same after a restart, and agents take them in this order.
#[tokio::test]
async fn b05_b18_the_line_is_served_by_class_and_then_by_arrival() {
    let relay = TestRelay::open().await;
    let rules = SettingsSection::Rules(vec![priority_on("pay", 9), priority_on("cart", 3)]);
    let request = SaveSettings { base: 0, section: rules };
    settings::actions::save(&relay.app, &admin(), request).await.unwrap();
    let plain = comes(&relay, "/help", false).await;
    let cart = comes(&relay, "/cart", false).await;
    let vip = comes(&relay, "/help", true).await;
    let pays = comes(&relay, "/pay", false).await;
    let second_cart = comes(&relay, "/cart", false).await;
    let vip_pays = comes(&relay, "/pay", true).await;
    let second_vip = comes(&relay, "/help", true).await;
    let served = comes(&relay, "/help", false).await;
    let mia = relay.account("Mia", Role::Manager, 8).await;
    let desk = Desk::over(relay);
    let mut line = vec![vip_pays, vip, second_vip, pays, cart, second_cart, plain, served.clone()];
    assert_eq!(desk.line().await, line);
    // The last of all is served for a moment.
    let app = &desk.relay.app;
    let command = TakeOver { conversation_id: served.clone() };
    actions::take_over(app.clone(), mia.clone(), any_id(), command).await.unwrap();
    let command = HandBack { conversation_id: served };
    actions::hand_back(app.clone(), mia, any_id(), command).await.unwrap();
    line.rotate_right(1);
    assert_eq!(desk.line().await, line);
    let mut desk = desk.restart(SECOND).await;
    assert_eq!(desk.line().await, line, "as the rows say");
    let ana = desk.agent("Ana", 1).await;
    for next in line {
        desk.served(&next, &ana).await;
        desk.settled().await;
        assert_eq!(desk.serves(&ana).await, 1);
        desk.relay.end(&ana, &next).await.unwrap();
    }
}

#[tokio::test]
async fn a_department_that_closes_tells_whoever_is_in_line() {
    let mut desk = Desk::open().await;
    // It is Friday, 16:00 in Shanghai.
    let span = Span { from: 9 * 60, to: 17 * 60 };
    let hours = BusinessHours { week: vec![vec![span]; 7], ..BusinessHours::default() };
    desk.department(|it| {
        (it.hours, it.close_line, it.file_after_s) = (Some(hours), true, None);
    })
    .await;
    let ana = desk.agent("Ana", 1).await;
    let all = desk.visitors(3).await;
    desk.served(&all[0].1, &ana).await;
    desk.waits(&all[1].1, WaitingReason::AllFull).await;
    desk.relay.answer(&ana, &all[0].1, "a1", "您好").await.unwrap();
    desk.pass(61 * MINUTE).await;
    desk.waits(&all[1].1, WaitingReason::Closed).await;
    desk.waits(&all[2].1, WaitingReason::Closed).await;
    desk.relay.end(&ana, &all[0].1).await.unwrap();
    desk.settled().await;
    assert_eq!(desk.serves(&ana).await, 0, "closed for who waits");
    desk.pass(16 * 60 * MINUTE).await;
    desk.served(&all[1].1, &ana).await;
}

/// X09: where the line is served to its end, whoever stood in it at closing time still is; who comes
/// later is told that it is closed, and served when it opens.
#[tokio::test]
async fn a_department_that_closes_serves_its_line_to_the_end() {
    let mut desk = Desk::open().await;
    // It is Friday, 16:00 in Shanghai.
    let span = Span { from: 9 * 60, to: 17 * 60 };
    let hours = BusinessHours { week: vec![vec![span]; 7], ..BusinessHours::default() };
    desk.department(|it| {
        (it.hours, it.close_line, it.file_after_s) = (Some(hours), false, None);
    })
    .await;
    let ana = desk.agent("Ana", 1).await;
    let all = desk.visitors(3).await;
    desk.served(&all[0].1, &ana).await;
    desk.relay.answer(&ana, &all[0].1, "a1", "您好").await.unwrap();
    desk.pass(61 * MINUTE).await;
    let (_, late) = desk.visitor().await;
    desk.waits(&late, WaitingReason::Closed).await;
    for (_, id) in &all[1..] {
        desk.waits(id, WaitingReason::AllFull).await;
    }
    for served in 0..3 {
        desk.relay.end(&ana, &all[served].1).await.unwrap();
        match all.get(served + 1) {
            Some((_, next)) => desk.served(next, &ana).await,
            None => desk.settled().await,
        }
    }
    assert_eq!(desk.serves(&ana).await, 0, "closed for who came later");
    desk.pass(16 * 60 * MINUTE).await;
    desk.served(&late, &ana).await;
}

/// However the two fall together, nobody serves a visitor who left, and no place is lost.
#[tokio::test]
async fn a_visitor_leaves_the_line_in_the_instant_of_the_assignment() {
    let mut desk = Desk::open().await;
    let ana = desk.agent("Ana", 1).await;
    for _ in 0..40 {
        let all = desk.visitors(2).await;
        desk.served(&all[0].1, &ana).await;
        let (vera, id) = &all[1];
        let (app, who) = (desk.relay.app.clone(), vera.clone());
        let ending = desk.relay.end(&ana, &all[0].1);
        let leaving = actions::leave_queue(app, who, any_id(), LeaveQueue {});
        let (ended, left) = tokio::join!(ending, leaving);
        ended.unwrap();
        desk.settled().await;
        match desk.status(id).await {
            ConversationStatus::Ended { by, .. } => assert_eq!(by, EndedBy::LeftQueue),
            ConversationStatus::Serving { agent_id } => {
                assert!(left.is_err());
                assert_eq!(agent_id, ana.agent_id);
                desk.relay.end(&ana, id).await.unwrap();
            }
            other => panic!("{other:?}"),
        }
    }
    let (_, id) = desk.visitor().await;
    desk.served(&id, &ana).await;
}
