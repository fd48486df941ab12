//! What is new is told once: at sign-in, while connected and after a cut.

use std::sync::Arc;

use tempfile::TempDir;
use yingke_client::bridge::types::{
    AlertKind, AlertLevel, AlertPreferences, Preferences, QuietHours, Remember, UiRequest,
};
use yingke_shared::events::StaffEventBody;
use yingke_shared::ids::ConversationId;
use yingke_shared::views::ReadMark;

use crate::relay::Relay;
use crate::seat::{Clocks, Seat, until};

/// Ana at a computer whose clocks the test moves; `c1` waits for her with "one".
struct Desk {
    relay: Relay,
    id: ConversationId,
    clocks: Arc<Clocks>,
    seat: Seat,
    _data: TempDir,
}

/// She signs in with these wishes.
async fn desk(alerts: impl FnOnce(&Clocks) -> AlertPreferences) -> Desk {
    let relay = Relay::start().await;
    let id = relay.begin("c1", "one");
    let data = tempfile::tempdir().unwrap();
    let clocks = Clocks::new(data.path());
    let seat = Seat::open_on(clocks.clone()).await;
    let preferences = Preferences { alerts: alerts(&clocks), ..Default::default() };
    seat.ask(UiRequest::SetPreferences { preferences }).await.unwrap();
    seat.sign_in(&relay, "correct horse", Remember::Nothing).await.unwrap();
    until("what waits is told", || told(&seat) == [AlertKind::Conversation]).await;
    Desk { relay, id, clocks, seat, _data: data }
}

async fn usual_desk() -> Desk {
    desk(|_| AlertPreferences::default()).await
}

/// Kinds told so far.
fn told(seat: &Seat) -> Vec<AlertKind> {
    seat.view().told.iter().map(|(_, kind, ..)| *kind).collect()
}

#[tokio::test]
async fn what_is_new_is_told_once_across_a_cut() {
    let Desk { relay, id, seat, .. } = &usual_desk().await;
    assert_eq!(seat.view().told[0].2, AlertLevel::Calm);
    relay.cut();
    seat.connected().await;
    relay.visitor_writes(id, "two");
    let both = [AlertKind::Conversation, AlertKind::Message];
    until("what is new is told", || told(seat) == both).await;
    let ledger = seat.row(id).and_then(|row| row.ledger).unwrap();
    assert!(ledger.sounded_at.is_some() && ledger.answered_at.is_none());
}

#[tokio::test]
async fn what_a_person_looks_at_is_not_told() {
    let Desk { relay, id, seat, .. } = &usual_desk().await;
    seat.open_chat(id).await;
    seat.ask(UiRequest::Looking { focused: true }).await.unwrap();
    relay.visitor_writes(id, "two");
    until("it shows", || seat.chat_texts() == ["one", "two"]).await;
    assert_eq!(told(seat).len(), 1);
    until("it counts as seen", || {
        seat.row(id).and_then(|row| row.ledger).is_some_and(|ledger| ledger.seen_at.is_some())
    })
    .await;
}

/// An hour before and an hour after now, where the computer is.
fn around_now(clocks: &Clocks) -> QuietHours {
    let (now, day) = (clocks.minute(), 24 * 60);
    QuietHours { on: true, from_min: (now + day - 60) % day, to_min: (now + 60) % day }
}

#[tokio::test]
async fn quiet_hours_are_silent_and_end_by_the_clock_of_the_place() {
    let quiet = |clocks: &Clocks| {
        let quiet_hours = around_now(clocks);
        AlertPreferences { quiet_hours, ..Default::default() }
    };
    let Desk { relay, id, clocks, seat, .. } = &desk(quiet).await;
    let ledger = seat.row(id).and_then(|row| row.ledger).unwrap();
    assert_eq!((ledger.sounded_at, ledger.toasted_at), (None, None));
    clocks.pass(2 * 60 * 60 * 1_000);
    relay.visitor_writes(id, "two");
    // Of the message, or of the wait, whose limits have passed too: whichever comes first is heard.
    until("it is told again", || told(seat).len() >= 2).await;
    assert!(!seat.view().told[0].3, "nobody is disturbed");
    assert!(seat.view().told[1].3, "the hours are over");
}

#[tokio::test]
async fn a_clock_that_is_set_back_leaves_waits_as_long_as_they_are() {
    let hour = 60 * 60 * 1_000;
    let Desk { relay, id, clocks, seat, .. } = &usual_desk().await;
    let before = seat.view().clock_offset_ms;
    clocks.set_back(hour);
    relay.visitor_writes(id, "two");
    until("the relay's time is known again", || {
        (seat.view().clock_offset_ms - before - hour as i64).abs() < 5_000
    })
    .await;
    assert_eq!(relay.world().hellos.len(), 1, "on the same link");
}

#[tokio::test]
async fn notifications_go_with_who_signs_out() {
    let Desk { clocks, seat, .. } = &usual_desk().await;
    until("it is notified", || clocks.notified.lock().unwrap().len() == 1).await;
    seat.ask(UiRequest::SignOut {}).await.unwrap();
    assert!(clocks.notified.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_only_the_page_before_showed_is_told() {
    let Desk { relay, id, seat, .. } = &usual_desk().await;
    seat.open_chat(id).await;
    seat.ask(UiRequest::Looking { focused: true }).await.unwrap();
    // The page is loaded again: it has the focus, and shows the list.
    let _page = seat.core.subscribe_page();
    seat.ask(UiRequest::Looking { focused: true }).await.unwrap();
    relay.visitor_writes(id, "two");
    until("it is told", || told(seat).len() == 2).await;
}

#[tokio::test]
async fn a_notification_hides_what_was_said_where_one_wishes_it() {
    for (message_text, shown) in [(true, "one"), (false, "")] {
        let wish = |_: &Clocks| AlertPreferences { message_text, ..Default::default() };
        let Desk { id, clocks, .. } = &desk(wish).await;
        let notified = || clocks.notified.lock().unwrap().get(id).cloned();
        until("it is notified", || notified().is_some()).await;
        assert_eq!(notified().as_deref(), Some(shown));
    }
}

#[tokio::test]
async fn what_is_read_on_another_device_is_notified_no_longer() {
    let Desk { relay, id, clocks, .. } = &usual_desk().await;
    until("it is notified", || clocks.notified.lock().unwrap().contains_key(id)).await;
    {
        let mut world = relay.world();
        let last = world.conversations[id].messages.last().unwrap();
        let read = ReadMark { seq: last.seq, visitor_count: last.visitor_count };
        world.announce(StaffEventBody::OwnRead { conversation_id: id.clone(), read });
    }
    until("the notification is gone", || clocks.notified.lock().unwrap().is_empty()).await;
}
