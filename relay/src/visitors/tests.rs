//! Stories of entering and returning, on a real store.

use std::sync::Arc;

use yingke_shared::error_code::ErrorCode;
use yingke_shared::ids::{SiteId, VisitorId};
use yingke_shared::rest::{ChangeSite, EnterAsVisitor};

use super::actions;
use crate::auth::{self, VisitorIdentity};
use crate::sites;
use crate::testing::{HERE, TestRelay, admin};

async fn enter(
    relay: &TestRelay,
    site: &SiteId,
    ticket: Option<&str>,
) -> Result<(VisitorId, String), ErrorCode> {
    let request = EnterAsVisitor { ticket: ticket.map(str::to_owned) };
    let entered = actions::enter(&relay.app, HERE, site.clone(), request).await;
    entered.map(|entered| (entered.visitor_id, entered.token)).map_err(|error| error.code())
}

async fn who(relay: &TestRelay, token: &str) -> Result<VisitorIdentity, ErrorCode> {
    auth::actions::visitor_of_token(&relay.app, token).await.map_err(|error| error.code())
}

async fn ticket(relay: &TestRelay, who: &VisitorIdentity) -> Result<String, ErrorCode> {
    let ticket = actions::ticket(&relay.app, who, who.site_id.clone()).await;
    ticket.map(|ticket| ticket.ticket).map_err(|error| error.code())
}

async fn change_site(relay: &TestRelay, change: ChangeSite) {
    sites::actions::change(&relay.app, &admin(), relay.site.clone(), change).await.unwrap();
}

async fn other_site(relay: &TestRelay) -> SiteId {
    let added = sites::actions::insert(&relay.app.store, relay.world.as_ref(), "Blog", vec![]);
    added.await.unwrap().id
}

#[tokio::test]
async fn who_enters_is_someone_new_and_is_known_by_the_token() {
    let relay = TestRelay::open().await;
    let (vera, token) = enter(&relay, &relay.site, None).await.unwrap();
    let (viktor, _) = enter(&relay, &relay.site, None).await.unwrap();
    assert_ne!(vera, viktor);
    let identity = VisitorIdentity { visitor_id: vera, site_id: relay.site.clone() };
    assert_eq!(who(&relay, &token).await, Ok(identity));
    assert_eq!(who(&relay, "made up").await, Err(ErrorCode::Unauthenticated));
    let nowhere = SiteId::new("no-such-site").unwrap();
    assert_eq!(enter(&relay, &nowhere, None).await.unwrap_err(), ErrorCode::NotFound);
}

#[tokio::test]
async fn a_return_ticket_works_once_and_the_newest_only() {
    let relay = TestRelay::open().await;
    let (vera, token) = enter(&relay, &relay.site, None).await.unwrap();
    let identity = who(&relay, &token).await.unwrap();
    let old = ticket(&relay, &identity).await.unwrap();
    let new = ticket(&relay, &identity).await.unwrap();
    assert_ne!(enter(&relay, &relay.site, Some(&old)).await.unwrap().0, vera, "rotated away");
    let (back, other_token) = enter(&relay, &relay.site, Some(&new)).await.unwrap();
    assert_eq!(back, vera);
    assert_ne!(enter(&relay, &relay.site, Some(&new)).await.unwrap().0, vera, "spent");
    assert_eq!(who(&relay, &other_token).await.unwrap(), identity);
    assert_eq!(who(&relay, &token).await.unwrap(), identity, "another tab goes on");
}

#[tokio::test]
async fn a_return_ticket_is_good_on_its_own_site_only() {
    let relay = TestRelay::open().await;
    let (vera, token) = enter(&relay, &relay.site, None).await.unwrap();
    let identity = who(&relay, &token).await.unwrap();
    let kept = ticket(&relay, &identity).await.unwrap();
    let elsewhere = other_site(&relay).await;
    assert_ne!(enter(&relay, &elsewhere, Some(&kept)).await.unwrap().0, vera);
    assert_eq!(
        enter(&relay, &relay.site, Some(&kept)).await.unwrap().0,
        vera,
        "and not spent there"
    );
    let asked = actions::ticket(&relay.app, &identity, elsewhere).await;
    assert_eq!(asked.unwrap_err().code(), ErrorCode::NotFound);
}

#[tokio::test]
async fn tickets_can_be_switched_off() {
    let relay = TestRelay::open().await;
    let (vera, token) = enter(&relay, &relay.site, None).await.unwrap();
    let identity = who(&relay, &token).await.unwrap();
    let kept = ticket(&relay, &identity).await.unwrap();
    change_site(&relay, ChangeSite { return_tickets: Some(false), ..Default::default() }).await;
    assert_ne!(enter(&relay, &relay.site, Some(&kept)).await.unwrap().0, vera);
    assert_eq!(ticket(&relay, &identity).await, Err(ErrorCode::Forbidden));
}

#[tokio::test]
async fn nothing_starts_on_a_site_switched_off_and_who_is_there_stays() {
    let relay = TestRelay::open().await;
    let (vera, token) = enter(&relay, &relay.site, None).await.unwrap();
    change_site(&relay, ChangeSite { enabled: Some(false), ..Default::default() }).await;
    assert_eq!(enter(&relay, &relay.site, None).await.unwrap_err(), ErrorCode::SiteDisabled);
    let there = who(&relay, &token).await.unwrap();
    assert_eq!(there.visitor_id, vera);
    assert!(!relay.visitor_screen(&there).await.site.enabled);
    assert_eq!(ticket(&relay, &there).await, Err(ErrorCode::SiteDisabled));
}

#[tokio::test]
async fn a_flood_from_one_address_is_slowed() {
    let relay = TestRelay::open().await;
    let mut entered = 0;
    let refused = loop {
        match enter(&relay, &relay.site, None).await {
            Ok(_) => entered += 1,
            Err(code) => break code,
        }
    };
    assert_eq!((entered, refused), (120, ErrorCode::TooFast));
    relay.pass(500);
    assert!(enter(&relay, &relay.site, None).await.is_ok());
}

#[tokio::test]
async fn old_tokens_of_one_visitor_give_way() {
    let relay = TestRelay::open().await;
    let (vera, first) = enter(&relay, &relay.site, None).await.unwrap();
    let mut token = first.clone();
    for _ in 0..10 {
        relay.pass(1_000);
        let identity = who(&relay, &token).await.unwrap();
        let kept = ticket(&relay, &identity).await.unwrap();
        let (back, next) = enter(&relay, &relay.site, Some(&kept)).await.unwrap();
        assert_eq!(back, vera);
        token = next;
    }
    assert_eq!(who(&relay, &first).await, Err(ErrorCode::Unauthenticated));
    assert!(who(&relay, &token).await.is_ok());
}

#[tokio::test]
async fn tickets_have_a_rate_of_each_visitor() {
    let relay = TestRelay::open().await;
    let (_, token) = enter(&relay, &relay.site, None).await.unwrap();
    let vera = who(&relay, &token).await.unwrap();
    for _ in 0..60 {
        ticket(&relay, &vera).await.unwrap();
    }
    assert_eq!(ticket(&relay, &vera).await, Err(ErrorCode::TooFast));
    let (_, token) = enter(&relay, &relay.site, None).await.unwrap();
    let viktor = who(&relay, &token).await.unwrap();
    ticket(&relay, &viktor).await.unwrap();
    relay.pass(2_000);
    ticket(&relay, &vera).await.unwrap();
}

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

async fn rows(relay: &TestRelay, sql: &'static str) -> i64 {
    let count = relay.app.store.read("rows", move |tx| tx.query_one(sql, &[], |row| row.int(0)));
    count.await.unwrap().unwrap()
}

/// Every visitor who ever opened a page was kept for ever.
#[tokio::test]
async fn who_never_wrote_is_forgotten_and_who_did_is_kept() {
    let relay = TestRelay::open().await;
    let mut silent = Vec::new();
    for _ in 0..6 {
        let (_, token) = enter(&relay, &relay.site, None).await.unwrap();
        ticket(&relay, &who(&relay, &token).await.unwrap()).await.unwrap();
        silent.push(token);
    }
    let (_, token) = enter(&relay, &relay.site, None).await.unwrap();
    let vera = who(&relay, &token).await.unwrap();
    relay.say(&vera, "m1", "你好").await.unwrap();

    relay.pass(90 * DAY_MS);
    enter(&relay, &relay.site, None).await.unwrap();
    assert_eq!(rows(&relay, "SELECT count(*) FROM visitors").await, 8, "not a day too early");
    relay.pass(1);
    for entered in [5, 4, 5] {
        // Four at a time, and one comes: six silent ones are gone with the second.
        enter(&relay, &relay.site, None).await.unwrap();
        assert_eq!(rows(&relay, "SELECT count(*) FROM visitors").await, entered);
    }
    assert_eq!(rows(&relay, "SELECT count(*) FROM visitor_tokens").await, 5);
    assert_eq!(rows(&relay, "SELECT count(*) FROM return_tickets").await, 0);
    for token in &silent {
        assert_eq!(who(&relay, token).await, Err(ErrorCode::Unauthenticated));
    }
    assert_eq!(who(&relay, &token).await.unwrap(), vera);
    relay.say(&vera, "m2", "还在吗").await.unwrap();
}

#[tokio::test]
async fn who_comes_by_now_and_then_or_stays_is_not_forgotten() {
    let relay = TestRelay::open().await;
    let (_, token) = enter(&relay, &relay.site, None).await.unwrap();
    let (viktor, of_viktor) = enter(&relay, &relay.site, None).await.unwrap();
    let mailbox = Arc::default();
    let here = relay.app.hub.join_visitor(&viktor, &relay.site, &mailbox);
    for _ in 0..4 {
        relay.pass(60 * DAY_MS);
        let vera = who(&relay, &token).await.unwrap();
        enter(&relay, &relay.site, None).await.unwrap();
        assert_eq!(who(&relay, &token).await.unwrap(), vera);
    }
    assert!(who(&relay, &of_viktor).await.is_ok(), "connected all the time");
    assert!(mailbox.ending().is_none());
    drop(here);
    relay.pass(91 * DAY_MS);
    enter(&relay, &relay.site, None).await.unwrap();
    assert_eq!(who(&relay, &of_viktor).await, Err(ErrorCode::Unauthenticated));
}

/// Rows from before visitors were noted as seen: their time begins when they are looked at.
#[tokio::test]
async fn whoever_was_there_before_gets_the_whole_time() {
    let relay = TestRelay::open().await;
    let (_, token) = enter(&relay, &relay.site, None).await.unwrap();
    let as_before = relay.app.store.write("as before", |tx| {
        tx.execute("UPDATE visitors SET seen_at = 0", &[])?;
        Ok::<_, crate::store::Abort<ErrorCode>>(())
    });
    as_before.await.unwrap();
    enter(&relay, &relay.site, None).await.unwrap();
    relay.pass(89 * DAY_MS);
    enter(&relay, &relay.site, None).await.unwrap();
    assert_eq!(rows(&relay, "SELECT count(*) FROM visitors").await, 3);
    relay.pass(2 * DAY_MS);
    enter(&relay, &relay.site, None).await.unwrap();
    assert_eq!(who(&relay, &token).await, Err(ErrorCode::Unauthenticated));
}

/// A conversation of somebody who is not there would be damage.
#[tokio::test]
async fn nobody_begins_a_conversation_after_being_forgotten() {
    let relay = TestRelay::open().await;
    let (_, token) = enter(&relay, &relay.site, None).await.unwrap();
    let vera = who(&relay, &token).await.unwrap();
    relay.pass(91 * DAY_MS);
    enter(&relay, &relay.site, None).await.unwrap();
    assert_eq!(relay.say(&vera, "m1", "你好").await, Err(ErrorCode::Unauthenticated));
    assert_eq!(rows(&relay, "SELECT count(*) FROM conversations").await, 0);
}
