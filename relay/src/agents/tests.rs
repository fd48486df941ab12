//! Stories of accounts, on a real store.

use yingke_shared::commands::staff::SetAvailability;
use yingke_shared::error_code::ErrorCode;
use yingke_shared::rest::{AddAgent, ChangeAgent, SetAutoReplies};
use yingke_shared::settings::AutoReplyTexts;
use yingke_shared::views::{Availability, Role};

use super::actions;
use crate::auth::StaffIdentity;
use crate::testing::{PASSWORD, TestRelay, admin, client};

fn request(account: &str) -> AddAgent {
    AddAgent {
        account: account.into(),
        password: PASSWORD.into(),
        nickname: "Ben".into(),
        role: Role::Agent,
        capacity: 8,
        departments: None,
        skills: Vec::new(),
    }
}

async fn add(relay: &TestRelay, request: AddAgent) -> Result<(), ErrorCode> {
    let added = actions::add(&relay.app, &admin(), request).await;
    added.map(|_| ()).map_err(|error| error.code())
}

async fn change(
    relay: &TestRelay,
    by: &StaffIdentity,
    whom: &StaffIdentity,
    change: ChangeAgent,
) -> Result<(), ErrorCode> {
    let changed = actions::change(&relay.app, by, whom.agent_id.clone(), change).await;
    changed.map_err(|error| error.code())
}

#[tokio::test]
async fn an_account_is_added_once() {
    let relay = TestRelay::open().await;
    assert_eq!(add(&relay, request("Ben")).await, Ok(()));
    assert_eq!(add(&relay, request(" bEN ")).await, Err(ErrorCode::AlreadyExists));
    let refused = [
        (AddAgent { account: " ".into(), ..request("x") }, ErrorCode::EmptyText),
        (AddAgent { nickname: "n".repeat(65), ..request("x") }, ErrorCode::TooLarge),
        (AddAgent { password: "short".into(), ..request("x") }, ErrorCode::WeakPassword),
        (AddAgent { capacity: 0, ..request("x") }, ErrorCode::BadBody),
        (AddAgent { capacity: 201, ..request("x") }, ErrorCode::BadBody),
    ];
    for (request, code) in refused {
        assert_eq!(add(&relay, request).await, Err(code));
    }
    let names: Vec<_> = actions::list(&relay.app, &admin()).await.unwrap();
    assert_eq!(names.len(), 1);
    // No limit on agents (B01).
    for n in 0..30 {
        assert_eq!(add(&relay, request(&format!("agent{n}"))).await, Ok(()));
    }
}

#[tokio::test]
async fn only_an_admin_changes_accounts() {
    let relay = TestRelay::open().await;
    let ben = relay.agent("Ben").await;
    let mia = relay.account("Mia", Role::Manager, 8).await;
    let up = ChangeAgent { role: Some(Role::Admin), ..Default::default() };
    for by in [&ben, &mia] {
        assert_eq!(change(&relay, by, &ben, up.clone()).await, Err(ErrorCode::Forbidden));
        let added = actions::add(&relay.app, by, request("x")).await;
        assert_eq!(added.unwrap_err().code(), ErrorCode::Forbidden);
    }
    let nobody = StaffIdentity { agent_id: crate::testing::admin().agent_id, ..ben.clone() };
    assert_eq!(change(&relay, &admin(), &nobody, up.clone()).await, Err(ErrorCode::NotFound));
    assert_eq!(change(&relay, &admin(), &ben, up).await, Ok(()));
}

#[tokio::test]
async fn the_last_admin_stays() {
    let relay = TestRelay::open().await;
    let ada = relay.account("Ada", Role::Admin, 8).await;
    let down = ChangeAgent { role: Some(Role::Agent), ..Default::default() };
    let off = ChangeAgent { disabled: Some(true), ..Default::default() };
    for refused in [&down, &off] {
        let changed = change(&relay, &ada, &ada, refused.clone()).await;
        assert_eq!(changed, Err(ErrorCode::Forbidden));
    }
    let bea = relay.account("Bea", Role::Admin, 8).await;
    assert_eq!(change(&relay, &ada, &ada, down.clone()).await, Ok(()));
    assert_eq!(change(&relay, &bea, &bea, off).await, Err(ErrorCode::Forbidden));
}

#[tokio::test]
async fn what_changes_nothing_is_no_event() {
    let relay = TestRelay::open().await;
    let ben = relay.agent("Ben").await;
    let head = relay.head().await;
    let same =
        ChangeAgent { nickname: Some(" Ben ".into()), capacity: Some(8), ..Default::default() };
    change(&relay, &admin(), &ben, same).await.unwrap();
    change(&relay, &admin(), &ben, ChangeAgent::default()).await.unwrap();
    assert_eq!(relay.head().await, head);
}

/// A late repetition must not undo a newer choice.
#[tokio::test]
async fn a_repeated_choice_of_availability_changes_nothing() {
    let relay = TestRelay::open().await;
    let ben = relay.agent("Ben").await;
    let choose = async |id: &str, availability| {
        let body = SetAvailability { availability, hand_over: false };
        let done = actions::set_availability(relay.app.clone(), ben.clone(), client(id), body);
        done.await.map(|_| ()).map_err(|error| error.code())
    };
    choose("c1", Availability::Busy).await.unwrap();
    choose("c2", Availability::Online).await.unwrap();
    choose("c1", Availability::Busy).await.unwrap();
    let own = actions::own_card(&relay.app, &ben).await.unwrap();
    assert_eq!(own.availability, Availability::Online);
    assert_eq!(choose("c1", Availability::Online).await, Err(ErrorCode::IdReused));
}

#[tokio::test]
async fn departments_and_skills_are_those_that_exist_and_each_change_is_on_record() {
    let relay = TestRelay::open().await;
    let ben = relay.agent("Ben").await;
    let nowhere = || Some(vec!["nowhere".parse().unwrap()]);
    let unknown = AddAgent { departments: nowhere(), ..request("cai") };
    assert_eq!(add(&relay, unknown).await, Err(ErrorCode::Invalid));
    let unknown = ChangeAgent { departments: nowhere(), ..Default::default() };
    assert_eq!(change(&relay, &admin(), &ben, unknown).await, Err(ErrorCode::Invalid));
    let unskilled =
        ChangeAgent { skills: Some(vec!["juggling".parse().unwrap()]), ..Default::default() };
    assert_eq!(change(&relay, &admin(), &ben, unskilled).await, Err(ErrorCode::Invalid));
    let default = || vec![crate::settings::DEFAULT_DEPARTMENT.parse().unwrap()];
    let twice = [default(), default()].concat();
    let named = ChangeAgent { nickname: Some("阿本".into()), ..Default::default() };
    change(&relay, &admin(), &ben, named).await.unwrap();
    let departments = ChangeAgent { departments: Some(twice), ..Default::default() };
    change(&relay, &admin(), &ben, departments).await.unwrap();
    assert_eq!(actions::own_card(&relay.app, &ben).await.unwrap().departments, default());
    add(&relay, request("cai")).await.unwrap();
    let read = relay.app.store.read("audit", |tx| {
        tx.query("SELECT deed FROM audit WHERE deed <> 'site' ORDER BY number", &[], |row| {
            row.text(0)
        })
    });
    assert_eq!(read.await.unwrap(), ["agent", "agent"], "a name and an account");
}

#[tokio::test]
async fn own_words_are_kept_within_bounds_and_seen_by_their_owner() {
    let relay = TestRelay::open().await;
    let ben = relay.agent("Ben").await;
    let set = async |ask: &str| {
        let texts = AutoReplyTexts { ask_visitor: ask.into(), ..Default::default() };
        let done = actions::set_auto_replies(&relay.app, &ben, SetAutoReplies { texts }).await;
        done.map_err(|error| error.code())
    };
    set("您还在吗").await.unwrap();
    let head = relay.head().await;
    set("您还在吗").await.unwrap();
    assert_eq!(relay.head().await, head, "nothing new, nothing told");
    assert_eq!(set(&"长".repeat(501)).await, Err(ErrorCode::TooLarge));
    let own = actions::own_card(&relay.app, &ben).await.unwrap();
    assert_eq!(own.auto_replies.ask_visitor, "您还在吗");
}
