//! Opening the window is enough to take a seat, where the company wants it (B14): once, with no clock of
//! an answer, and not for ever.

use yingke_shared::commands::visitor::{BeginConversation, PageContext};
use yingke_shared::ids::ConversationId;
use yingke_shared::rest::ChangeSite;
use yingke_shared::settings::{NoAnswer, SaveSettings, SettingsSection, Silence};
use yingke_shared::views::{AutoReply, EndedBy, SystemNotice, VisitorContent, WaitingReason};

use super::desk::{Desk, MINUTE, SECOND};
use crate::auth::VisitorIdentity;
use crate::conversations::{actions, queries};
use crate::testing::{Screens, TestRelay, admin, any_id};
use crate::{settings, sites};

async fn opens(relay: &TestRelay, who: &VisitorIdentity) -> Option<ConversationId> {
    let page = PageContext { url: "https://shop.example/a3".into(), title: "A3".into() };
    let body = BeginConversation { page, locale: "zh-CN".into() };
    actions::begin(relay.app.clone(), who.clone(), any_id(), body).await.unwrap();
    relay.visitor_screen(who).await.conversation.map(|held| held.id)
}

/// The one site of all visitors gives seats for opening the window, or does not.
async fn gives_seats(relay: &TestRelay, of: &VisitorIdentity, gives: bool) {
    let mut company = settings::actions::all(&relay.app, &admin()).await.unwrap().company;
    company.value.seats_for_silent = gives.then(|| of.site_id.clone()).into_iter().collect();
    let section = SettingsSection::Company(company.value);
    let request = SaveSettings { base: company.version, section };
    settings::actions::save(&relay.app, &admin(), request).await.unwrap();
}

impl Desk {
    async fn opens(&self, who: &VisitorIdentity) -> Option<ConversationId> {
        opens(&self.relay, who).await
    }

    async fn gives_seats(&self, of: &VisitorIdentity, gives: bool) {
        gives_seats(&self.relay, of, gives).await;
    }

    async fn change_site(&self, of: &VisitorIdentity, change: ChangeSite) {
        sites::actions::change(&self.relay.app, &admin(), of.site_id.clone(), change)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn begins_once_where_the_site_says_so() {
    let mut desk = Desk::open().await;
    let ana = desk.agent("Ana", 3).await;
    let (vera, viktor) = (desk.relay.visitor().await, desk.relay.visitor().await);
    assert_eq!(desk.opens(&vera).await, None, "off by default");
    desk.gives_seats(&vera, true).await;
    assert!(desk.relay.visitor_screen(&vera).await.site.begins_on_open);
    let mut screens = Screens::take(&desk.relay, &[&ana], &[&vera]).await;
    // From two tabs at once.
    let (one, other) = tokio::join!(desk.opens(&vera), desk.opens(&vera));
    let id = one.unwrap();
    assert_eq!(other.as_ref(), Some(&id));
    desk.served(&id, &ana).await;
    assert_eq!(desk.opens(&vera).await.as_ref(), Some(&id), "nor while she is served");
    desk.settled().await;
    screens.check(&desk.relay, "begun by opening").await;
    let (wanted, reader) = (id.clone(), ana.agent_id.clone());
    let record = desk.read(move |tx| queries::record_of(tx, &wanted, &reader)).await.unwrap();
    assert_eq!((record.unread(), record.unanswered_since()), (0, None));
    assert_eq!(record.visitor.page_title, "A3");
    // A message joins it, and is waited for like any other.
    let (joined, _) = desk.relay.say(&vera, "v1", "在吗").await.unwrap();
    assert_eq!(joined, id);
    desk.relay.end(&ana, &id).await.unwrap();

    let off = ChangeSite { enabled: Some(false), ..ChangeSite::default() };
    desk.change_site(&vera, off).await;
    assert_eq!(desk.opens(&viktor).await, None, "the site is off");
    let on = ChangeSite { enabled: Some(true), ..ChangeSite::default() };
    desk.change_site(&vera, on).await;
    desk.gives_seats(&vera, false).await;
    assert_eq!(desk.opens(&viktor).await, None, "the company changed its mind");
    assert_eq!(desk.opens(&vera).await, Some(id), "none after the one that is over");
}

#[tokio::test]
async fn without_a_welcome_it_begins_all_the_same() {
    let mut desk = Desk::open().await;
    let ana = desk.agent("Ana", 3).await;
    let vera = desk.relay.visitor().await;
    let no_welcome = ChangeSite { welcome: Some(String::new()), ..ChangeSite::default() };
    desk.change_site(&vera, no_welcome).await;
    desk.gives_seats(&vera, true).await;
    let id = desk.opens(&vera).await.unwrap();
    desk.served(&id, &ana).await;
    let messages = desk.relay.visitor_screen(&vera).await.messages;
    let welcome = SystemNotice::Welcome { text: String::new() };
    assert_eq!(messages[0].content, VisitorContent::Notice { notice: welcome });
}

#[tokio::test]
async fn nothing_is_picked_for_who_must_pick_first() {
    let desk = Desk::open().await;
    let vera = desk.relay.visitor().await;
    desk.gives_seats(&vera, true).await;
    let mut company = desk.read(settings::queries::company).await;
    company.value.choose_department = true;
    desk.save(company.version, SettingsSection::Company(company.value)).await;
    assert!(!desk.relay.visitor_screen(&vera).await.site.begins_on_open);
    assert_eq!(desk.opens(&vera).await, None);
}

#[tokio::test]
async fn keeps_its_place_over_a_restart_and_is_no_leave_message() {
    let mut desk = Desk::open().await;
    let ana = desk.agent("Ana", 1).await;
    let all = desk.visitors(1).await;
    desk.served(&all[0].1, &ana).await;
    let vera = desk.relay.visitor().await;
    desk.gives_seats(&vera, true).await;
    let id = desk.opens(&vera).await.unwrap();
    desk.waits(&id, WaitingReason::AllFull).await;
    let (_, later) = desk.visitor().await;
    let mut desk = desk.restart(2 * SECOND).await;
    assert_eq!(desk.line().await, [id.clone(), later]);
    desk.connect(&ana).await;
    desk.sign_out(&ana).await;
    desk.pass(6 * SECOND).await;
    desk.waits(&id, WaitingReason::NobodyOnline).await;
    desk.pass(11 * MINUTE).await;
    assert_eq!(desk.ended(&id).await, EndedBy::VisitorSilent);
    let left = desk
        .read(|tx| tx.query("SELECT conversation_id FROM leave_messages", &[], |row| row.text(0)));
    assert!(!left.await.contains(&id.to_string()), "nothing was left");
}

#[tokio::test]
async fn who_says_nothing_is_asked_for_no_answer_and_gives_the_seat_back() {
    let mut desk = Desk::open().await;
    desk.department(|it| {
        it.no_answer = Some(NoAnswer { after_s: 30, transfers_max: 3 });
        it.explain_s = Some(20);
        it.silence = Silence { ask_s: None, warn_s: Some(120), end_s: Some(60) };
    })
    .await;
    let ana = desk.agent("Ana", 3).await;
    let vera = desk.relay.visitor().await;
    desk.gives_seats(&vera, true).await;
    let id = desk.opens(&vera).await.unwrap();
    desk.served(&id, &ana).await;
    let _ben = desk.agent("Ben", 3).await;
    desk.pass(100 * SECOND).await;
    assert_eq!(desk.agent_of(&id).await, Some(ana.agent_id.clone()), "there is nothing to answer");
    let mut desk = desk.restart(10 * SECOND).await;
    desk.connect(&ana).await;
    desk.pass(11 * SECOND).await;
    let warned = |notice: &SystemNotice| {
        matches!(notice, SystemNotice::AutoReply { reply: AutoReply::WarnVisitor, .. })
    };
    desk.until("warned", async |desk| desk.notices(&id).await.last().is_some_and(warned)).await;
    desk.pass(61 * SECOND).await;
    assert_eq!(desk.ended(&id).await, EndedBy::VisitorSilent);
    assert_eq!(desk.alerts().await, 0);
}

/// Whoever opened the window waited until they wrote: for ever.
#[tokio::test]
async fn the_company_changes_its_mind_before_routing_hears_of_the_start() {
    let relay = TestRelay::open().await;
    let vera = relay.visitor().await;
    gives_seats(&relay, &vera, true).await;
    let id = opens(&relay, &vera).await.unwrap();
    gives_seats(&relay, &vera, false).await;
    let mut desk = Desk::over(relay);
    let ana = desk.agent("Ana", 3).await;
    desk.served(&id, &ana).await;
    // Nor is anything else let in.
    assert_eq!(desk.opens(&desk.relay.visitor().await).await, None);
}
