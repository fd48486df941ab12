//! A small day made through the rooms, played again with other settings.

use std::collections::BTreeMap;

use yingke_shared::settings::RuleSettings;
use yingke_shared::views::Role;

use super::*;
use crate::agents::presence;
use crate::auth::VisitorIdentity;
use crate::testing::{TestRelay, admin};

const MINUTE: u64 = 60_000;
/// The relay's clock begins on the company's wall (Asia/Shanghai) on 2027-01-15 at 16:00.
const DAY: &str = "2027-01-15";
const HOUR: usize = 16;

/// Ana has one place; three visitors come a minute after another and each takes ten minutes.
async fn day(relay: &TestRelay) -> StaffIdentity {
    let ana = relay.account("Ana", Role::Agent, 1).await;
    presence::back(&relay.app, ana.agent_id.clone()).await.unwrap();
    let (first, second, third) =
        (relay.visitor().await, relay.visitor().await, relay.visitor().await);
    relay.pass(MINUTE);
    let first = relay.conversation_with(&first, &ana).await;
    relay.pass(MINUTE);
    let second = come(relay, &second).await;
    relay.pass(MINUTE);
    let third = come(relay, &third).await;
    relay.pass(8 * MINUTE);
    relay.end(&ana, &first).await.unwrap();
    for id in [second, third] {
        relay.claim(&id, &ana).await;
        relay.pass(10 * MINUTE);
        relay.end(&ana, &id).await.unwrap();
    }
    ana
}

async fn come(relay: &TestRelay, who: &VisitorIdentity) -> yingke_shared::ids::ConversationId {
    let first = relay.app.world.new_id();
    relay.say(who, &first, "在吗").await.unwrap().0
}

fn that_day() -> ReplayDay {
    ReplayDay { day: DAY.into(), ..ReplayDay::default() }
}

async fn ask(relay: &TestRelay, asked: ReplayDay) -> Result<ReplayAnswer, ErrorCode> {
    replay(&relay.app, &admin(), asked).await.map_err(RelayError::code)
}

#[tokio::test]
async fn the_day_with_its_own_settings_is_what_happened() {
    let relay = TestRelay::open().await;
    let ana = day(&relay).await;
    let answer = ask(&relay, that_day()).await.unwrap();
    let before = &answer.before;
    assert_eq!((before.all.came, before.all.served, before.all.missed), (3, 3, 0));
    // At once, after 9 minutes, after 18.
    assert_eq!(before.all.wait_max_ms, 18 * 60_000);
    assert_eq!(before.all.wait_p50_ms, 9 * 60_000);
    assert_eq!(before.all.wait_mean_ms, 9 * 60_000);
    assert_eq!(before.hours.len(), 24);
    let hour = HourFigures { came: 3, missed: 0, wait_mean_ms: 9 * 60_000 };
    assert_eq!(before.hours[HOUR], hour);
    let work = WorkFigures { served: 3, at_once: 1 };
    assert_eq!(before.agents, BTreeMap::from([(ana.agent_id, work)]));
    assert_eq!(answer.as_now, answer.before);
    assert_eq!(answer.after, answer.before);
}

#[tokio::test]
async fn more_places_make_shorter_waits_and_nothing_is_saved() {
    let relay = TestRelay::open().await;
    let ana = day(&relay).await;
    let capacities = BTreeMap::from([(ana.agent_id.clone(), 2)]);
    let answer = ask(&relay, ReplayDay { capacities, ..that_day() }).await.unwrap();
    // The third takes the first one's place after 8 minutes.
    assert_eq!(answer.after.all.wait_max_ms, 8 * 60_000);
    assert_eq!(answer.after.agents[&ana.agent_id], WorkFigures { served: 3, at_once: 2 });
    assert_eq!(answer.as_now.all.wait_max_ms, 18 * 60_000);
    let again = ask(&relay, that_day()).await.unwrap();
    assert_eq!(again.after, again.before);
}

#[tokio::test]
async fn who_left_the_line_leaves_it_again_unless_somebody_came_in_time() {
    let relay = TestRelay::open().await;
    let ana = relay.account("Ana", Role::Agent, 1).await;
    presence::back(&relay.app, ana.agent_id.clone()).await.unwrap();
    let (vera, viktor) = (relay.visitor().await, relay.visitor().await);
    let first = relay.conversation_with(&vera, &ana).await;
    relay.pass(MINUTE);
    come(&relay, &viktor).await;
    relay.pass(2 * MINUTE);
    let id = crate::testing::any_id();
    let left = crate::conversations::actions::leave_queue(
        relay.app.clone(),
        viktor,
        id,
        yingke_shared::commands::visitor::LeaveQueue {},
    );
    left.await.unwrap();
    relay.pass(7 * MINUTE);
    relay.end(&ana, &first).await.unwrap();
    let capacities = BTreeMap::from([(ana.agent_id.clone(), 2)]);
    let answer = ask(&relay, ReplayDay { capacities, ..that_day() }).await.unwrap();
    assert_eq!((answer.before.all.served, answer.before.all.missed), (1, 1));
    assert_eq!(answer.as_now, answer.before);
    assert_eq!((answer.after.all.served, answer.after.all.missed), (2, 0));
    assert_eq!(answer.before.hours[HOUR].missed, 1);
    assert_eq!(answer.after.hours[HOUR].missed, 0);
}

#[tokio::test]
async fn other_departments_and_rules_are_tried_on_the_same_day() {
    let relay = TestRelay::open().await;
    day(&relay).await;
    let all = settings::actions::all(&relay.app, &admin()).await.unwrap();
    let sales = yingke_shared::ids::DepartmentId::new("sales").unwrap();
    let mut departments = all.departments.value.clone();
    let named = |of: &yingke_shared::settings::DepartmentSettings| {
        yingke_shared::settings::DepartmentSettings {
            id: sales.clone(),
            name: "Sales".into(),
            file_after_s: None,
            ..of.clone()
        }
    };
    departments.push(named(&departments[0]));
    let rules = vec![RuleSettings {
        id: yingke_shared::ids::RuleId::new("everybody").unwrap(),
        name: "Everybody".into(),
        enabled: true,
        when: Vec::new(),
        department_id: Some(sales.clone()),
        skill_id: None,
        agent_id: None,
        priority: None,
    }];
    let asked = ReplayDay { departments: Some(departments), rules: Some(rules), ..that_day() };
    let answer = ask(&relay, asked).await.unwrap();
    // Nobody answers there.
    assert_eq!(answer.after.departments[&sales].missed, 3);
    assert_eq!(answer.after.all.served, 0);
    assert_eq!(answer.as_now.all.served, 3);
    let now = settings::actions::all(&relay.app, &admin()).await.unwrap();
    assert_eq!(now, all);
}

#[tokio::test]
async fn what_is_asked_has_bounds() {
    let relay = TestRelay::open().await;
    let day = |day: &str| ReplayDay { day: day.into(), ..ReplayDay::default() };
    for wrong in ["", "today", "2027-02-30", "2027-01-16"] {
        assert_eq!(ask(&relay, day(wrong)).await, Err(ErrorCode::Invalid), "{wrong}");
    }
    let empty = ask(&relay, day("2026-12-24")).await.unwrap();
    assert_eq!(empty.before.all, WaitFigures::default());
    let ana = relay.agent("Ana").await;
    let capacities = BTreeMap::from([(ana.agent_id.clone(), 0)]);
    let none = ask(&relay, ReplayDay { capacities, ..that_day() }).await;
    assert_eq!(none, Err(ErrorCode::Invalid));
    let none = ask(&relay, ReplayDay { departments: Some(Vec::new()), ..that_day() }).await;
    assert_eq!(none, Err(ErrorCode::Invalid));
    let refused = replay(&relay.app, &ana, that_day()).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Forbidden);
    let playing = std::sync::Arc::clone(&relay.app.replays).try_acquire_owned().unwrap();
    assert_eq!(ask(&relay, that_day()).await, Err(ErrorCode::Busy));
    drop(playing);
    ask(&relay, that_day()).await.unwrap();
}

#[tokio::test]
async fn a_day_that_takes_too_long_is_given_up() {
    let relay = TestRelay::open().await;
    day(&relay).await;
    let now = relay.app.world.now();
    let read = relay.app.store.read("day", move |tx| past_day::read(tx, DAY, now));
    let Found::Day(known) = read.await.unwrap() else { panic!("a day") };
    assert_eq!(play(&known, &that_day(), || false), None);
    assert!(play(&known, &that_day(), || true).is_some());
}

/// Nobody was there for an hour, so the relay made a leave-message of it: that is no impatience, and
/// with longer hours the visitor would have been served.
#[tokio::test]
async fn who_waited_in_vain_did_not_leave_by_itself() {
    let relay = TestRelay::open().await;
    let ana = relay.account("Ana", Role::Agent, 1).await;
    let (vera, viktor) = (relay.visitor().await, relay.visitor().await);
    let filed = come(&relay, &vera).await;
    let left = come(&relay, &viktor).await;
    relay.pass(5 * MINUTE);
    crate::conversations::actions::file(&relay.app, filed).await.unwrap();
    let form = yingke_shared::commands::visitor::LeaveMessage {
        name: String::new(),
        contact: String::new(),
        text: "请回电".into(),
        page: Default::default(),
        locale: "zh-CN".into(),
    };
    let id = crate::testing::any_id();
    let sent =
        crate::conversations::actions::leave_message(relay.app.clone(), viktor, id, form).await;
    sent.unwrap();
    relay.pass(2 * MINUTE);
    presence::back(&relay.app, ana.agent_id.clone()).await.unwrap();
    relay.pass(20 * MINUTE);
    let answer = ask(&relay, that_day()).await.unwrap();
    assert_eq!((answer.before.all.served, answer.before.all.missed), (0, 2));
    assert_eq!((answer.as_now.all.served, answer.as_now.all.missed), (1, 1), "{left}");
}
