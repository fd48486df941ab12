//! What is new is told once: at sign-in, while connected and after a cut.

use yingke_client::bridge::types::{AlertKind, AlertLevel, UiRequest};

use crate::relay::Relay;
use crate::seat::{Seat, until};

/// Kinds told so far.
fn told(seat: &Seat) -> Vec<AlertKind> {
    seat.view().told.iter().map(|(_, kind, ..)| *kind).collect()
}

#[tokio::test]
async fn what_is_new_is_told_once_across_a_cut() {
    let relay = Relay::start().await;
    let id = relay.begin("c1", "one");
    let data = tempfile::tempdir().unwrap();
    let seat = Seat::signed_in(data.path(), &relay).await;
    seat.connected().await;
    until("what waits is told", || told(&seat) == [AlertKind::Conversation]).await;
    assert_eq!(seat.view().told[0].2, AlertLevel::Calm);
    relay.cut();
    seat.connected().await;
    relay.visitor_writes(&id, "two");
    let both = [AlertKind::Conversation, AlertKind::Message];
    until("what is new is told", || told(&seat) == both).await;
    let ledger = seat.row(&id).and_then(|row| row.ledger).unwrap();
    assert!(ledger.sounded_at.is_some() && ledger.answered_at.is_none());
}

#[tokio::test]
async fn what_a_person_looks_at_is_not_told() {
    let relay = Relay::start().await;
    let id = relay.begin("c1", "one");
    let data = tempfile::tempdir().unwrap();
    let seat = Seat::signed_in(data.path(), &relay).await;
    seat.connected().await;
    until("what waits is told", || told(&seat).len() == 1).await;
    seat.open_chat(&id).await;
    seat.ask(UiRequest::Looking { focused: true }).await.unwrap();
    relay.visitor_writes(&id, "two");
    until("it shows", || seat.chat_texts() == ["one", "two"]).await;
    assert_eq!(told(&seat).len(), 1);
    until("it counts as seen", || {
        seat.row(&id).and_then(|row| row.ledger).is_some_and(|ledger| ledger.seen_at.is_some())
    })
    .await;
}
