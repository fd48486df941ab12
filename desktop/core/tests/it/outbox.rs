//! X01, X02, P10: whatever breaks at whatever step, each message arrives once, in order, under the
//! id it was written with. Broken once by making a new id on every retry: the steps with a cut
//! before the answer then store the message twice.

use std::time::Duration;

use tempfile::TempDir;
use yingke_client::bridge::types::{
    ConnectionState, OutboxState, Remember, UiErrorKind, UiReply, UiRequest,
};
use yingke_shared::error_code::{ErrorCode, WireError};
use yingke_shared::events::StaffEventBody;
use yingke_shared::frame::StaffSignal;
use yingke_shared::ids::{ClientId, ConversationId, Epoch};
use yingke_shared::limits::REOFFER_WITHIN_MS;
use yingke_shared::views::Author;

use crate::relay::{OnSend, Relay, conversation};
use crate::seat::{Clocks, Seat, until};

/// What the relay stored of Ana's, in order.
fn stored(relay: &Relay, name: &str) -> Vec<(ClientId, String)> {
    let world = relay.world();
    let by_ana = |author: &Author| matches!(author, Author::Agent { .. });
    let messages = world.conversations[&conversation(name)].messages.iter();
    messages
        .filter(|message| by_ana(&message.author))
        .map(|message| (message.client_id.clone(), crate::relay::text_of(message)))
        .collect()
}

/// Ana, signed in and connected, serves the visitor of `c1`.
async fn at_work() -> (Relay, ConversationId, TempDir, Seat) {
    let relay = Relay::start().await;
    let id = relay.begin("c1", "hello");
    let data = tempfile::tempdir().unwrap();
    let seat = Seat::signed_in(data.path(), &relay).await;
    seat.connected().await;
    (relay, id, data, seat)
}

#[tokio::test]
async fn a_link_that_breaks_at_any_step_changes_nothing() {
    for fault in [
        OnSend::CutBeforeStoring,
        OnSend::CutBeforeAnswering,
        OnSend::CutBeforeDelivering,
        OnSend::Refuse(WireError::new(ErrorCode::Busy)),
        OnSend::Refuse(WireError { code: ErrorCode::TooFast, retry_after_ms: Some(30) }),
    ] {
        let (relay, id, _data, seat) = at_work().await;
        seat.open_chat(&id).await;
        relay.world().on_send.extend([fault; 3]);
        let mut expected = Vec::new();
        for n in 0..5 {
            let text = format!("answer {n}");
            expected.push((seat.send(&id, &text).await, text));
        }
        until("all are acknowledged", || seat.view().unsent == 0).await;
        assert_eq!(stored(&relay, "c1"), expected, "{fault:?}");
        until("the chat shows each once", || {
            seat.chat_texts()
                == ["hello", "answer 0", "answer 1", "answer 2", "answer 3", "answer 4"]
                && seat.view().outbox.is_empty()
        })
        .await;
    }
}

#[tokio::test]
async fn a_client_killed_at_any_step_sends_each_message_once() {
    for fault in [
        None,
        Some(OnSend::CutBeforeStoring),
        Some(OnSend::CutBeforeAnswering),
        Some(OnSend::CutBeforeDelivering),
    ] {
        let (relay, id, data, seat) = at_work().await;
        if fault.is_none() {
            // Killed before anything could be sent.
            relay.world().down = true;
            relay.cut();
        }
        relay.world().on_send.extend(fault);
        let mut expected = Vec::new();
        for n in 0..3 {
            let text = format!("answer {n}");
            expected.push((seat.send(&id, &text).await, text));
        }
        if fault.is_some() {
            until("the first one arrived", || !relay.world().arrived.is_empty()).await;
        }
        seat.kill();
        relay.cut();
        relay.world().down = false;

        let seat = Seat::signed_in(data.path(), &relay).await;
        seat.connected().await;
        until("all are acknowledged", || seat.view().unsent == 0).await;
        assert_eq!(stored(&relay, "c1"), expected, "{fault:?}");
    }
}

#[tokio::test]
async fn what_is_written_without_network_waits_shows_so_and_goes_in_order() {
    let (relay, one, _data, seat) = at_work().await;
    let two = relay.begin("c2", "hello");
    until("both rows are there", || seat.view().rows.len() == 2).await;
    relay.world().down = true;
    relay.cut();
    seat.open_chat(&one).await;
    let mut expected = Vec::new();
    for n in 0..3 {
        let text = format!("answer {n}");
        expected.push((seat.send(&one, &text).await, text));
    }
    seat.send(&two, "other").await;
    until("they are shown as waiting", || {
        let view = seat.view();
        view.unsent == 4
            && view.outbox.len() == 3
            && view.outbox.iter().all(|item| item.state == OutboxState::Queued)
    })
    .await;
    assert_eq!(seat.row(&one).map(|row| row.unsent), Some(3));
    relay.world().down = false;
    until("all are acknowledged", || seat.view().unsent == 0).await;
    assert_eq!(stored(&relay, "c1"), expected);
    assert_eq!(stored(&relay, "c2").len(), 1);
    assert_eq!(seat.row(&one).map(|row| row.unsent), Some(0));
}

#[tokio::test]
async fn a_refused_message_fails_does_not_hold_up_the_lane_and_is_its_authors_to_decide() {
    let (relay, id, _data, seat) = at_work().await;
    seat.open_chat(&id).await;
    let code = ErrorCode::TooLarge;
    relay.world().on_send.push_back(OnSend::Refuse(WireError::new(code)));
    let refused = seat.send(&id, "refused").await;
    let next = seat.send(&id, "next").await;
    until("the next one is there", || stored(&relay, "c1").len() == 1).await;
    until("the failure shows", || {
        let view = seat.view();
        view.outbox.len() == 1 && view.outbox[0].state == OutboxState::Failed { code }
    })
    .await;
    until("its row says so", || {
        seat.row(&id).is_some_and(|row| row.send_failed && row.unsent == 1)
    })
    .await;
    // Again, under the same id: nothing of it was stored.
    seat.ask(UiRequest::RetrySend { client_id: refused.clone() }).await.unwrap();
    until("it is there", || stored(&relay, "c1").len() == 2).await;
    assert_eq!(
        stored(&relay, "c1"),
        [(next, "next".to_owned()), (refused.clone(), "refused".to_owned())]
    );
    // Nothing is left to take out.
    until("it is acknowledged", || seat.view().unsent == 0).await;
    let error = seat.ask(UiRequest::DiscardSend { client_id: refused }).await.unwrap_err();
    assert_eq!(error.kind, UiErrorKind::Refused);
}

#[tokio::test]
async fn an_id_used_for_something_else_is_replaced_only_when_the_author_says_again() {
    let (relay, id, _data, seat) = at_work().await;
    let code = ErrorCode::IdReused;
    relay.world().on_send.push_back(OnSend::Refuse(WireError::new(code)));
    let first = seat.send(&id, "text").await;
    until("it failed", || seat.row(&id).is_some_and(|row| row.send_failed)).await;
    seat.ask(UiRequest::RetrySend { client_id: first.clone() }).await.unwrap();
    until("it is there", || stored(&relay, "c1").len() == 1).await;
    assert_ne!(stored(&relay, "c1")[0].0, first);
}

#[tokio::test]
async fn a_discarded_message_is_never_sent() {
    let (relay, id, data, seat) = at_work().await;
    relay.world().down = true;
    relay.cut();
    until("the cut is noticed", || seat.view().connection != Some(ConnectionState::Connected))
        .await;
    let gone = seat.send(&id, "gone").await;
    let kept = seat.send(&id, "kept").await;
    seat.ask(UiRequest::DiscardSend { client_id: gone }).await.unwrap();
    seat.kill();
    relay.world().down = false;
    let seat = Seat::signed_in(data.path(), &relay).await;
    seat.connected().await;
    until("the other is there", || !stored(&relay, "c1").is_empty()).await;
    assert_eq!(stored(&relay, "c1"), [(kept, "kept".to_owned())]);
}

#[tokio::test]
async fn after_the_relays_history_was_replaced_recent_messages_are_offered_again() {
    let (relay, id, _data, seat) = at_work().await;
    seat.open_chat(&id).await;
    let first = seat.send(&id, "first").await;
    let second = seat.send(&id, "second").await;
    until("both are acknowledged", || seat.view().unsent == 0).await;
    {
        // Restored from a backup made before the second one.
        let mut world = relay.world();
        world.epoch = Epoch::new("epoch-2").unwrap();
        world.stored.remove(&second);
        let last = world.log.iter().rposition(|event| {
            matches!(&event.body, yingke_shared::events::StaffEventBody::MessageAppended { message, .. }
                if message.client_id == second)
        });
        world.log.truncate(last.unwrap());
        let rev = world.position();
        let kept = world.conversations.get_mut(&id).unwrap();
        kept.messages.pop();
        kept.record.last_message = kept.messages.last().unwrap().clone();
        kept.record.rev = rev;
    }
    relay.cut();
    until("both are there", || stored(&relay, "c1").len() == 2).await;
    let expected = [(first, "first".to_owned()), (second, "second".to_owned())];
    assert_eq!(stored(&relay, "c1"), expected);
    until("nothing is left", || seat.view().unsent == 0).await;
    assert_eq!(seat.open_chat(&id).await.head.history, 1, "nothing held before is merged with it");
}

#[tokio::test]
async fn signing_out_keeps_unsent_messages_and_drafts_for_this_account_alone() {
    let (relay, id, _data, seat) = at_work().await;
    relay.world().down = true;
    relay.cut();
    let waiting = seat.send(&id, "waiting").await;
    let conversation_id = id.clone();
    let draft = UiRequest::SetDraft { conversation_id, text: "half a sen".to_owned() };
    seat.ask(draft).await.unwrap();
    seat.ask(UiRequest::SignOut {}).await.unwrap();
    assert!(!seat.is_signed_in());

    // Ben signs in on the same computer: other id, other folder.
    let ana = relay.world().own.clone();
    relay.world().own.id = yingke_shared::ids::AgentId::new("agent-ben").unwrap();
    relay.world().down = false;
    seat.sign_in(&relay, "correct horse", Remember::Nothing).await.unwrap();
    seat.connected().await;
    assert_eq!(seat.view().unsent, 0);
    seat.ask(UiRequest::SignOut {}).await.unwrap();
    assert_eq!(relay.world().arrived, [], "nothing of Ana's was sent by Ben");

    relay.world().own = ana;
    seat.sign_in(&relay, "correct horse", Remember::Nothing).await.unwrap();
    seat.connected().await;
    until("it is there", || stored(&relay, "c1") == [(waiting.clone(), "waiting".to_owned())])
        .await;
    assert_eq!(seat.open_chat(&id).await.draft, "half a sen");
}

#[tokio::test]
async fn what_was_acknowledged_long_ago_leaves_the_file_of_a_running_client() {
    let relay = Relay::start().await;
    let id = relay.begin("c1", "hello");
    let data = tempfile::tempdir().unwrap();
    let clocks = Clocks::new(data.path());
    let seat = Seat::open_on(clocks.clone()).await;
    seat.sign_in(&relay, "correct horse", Remember::Nothing).await.unwrap();
    seat.connected().await;
    let types = |text: &str| {
        let (conversation_id, text) = (id.clone(), text.to_owned());
        relay.signal(StaffSignal::Preview { conversation_id, text });
    };
    let shows = |text: &str| seat.view().previews.get(&id).is_some_and(|shown| shown == text);
    seat.send(&id, "answer").await;
    until("it is acknowledged", || stored(&relay, "c1").len() == 1 && seat.view().unsent == 0)
        .await;
    // The first look at the clocks may be the one that begins the count.
    for _ in 0..2 {
        until("what is typed shows", || {
            types("and");
            shows("and")
        })
        .await;
        clocks.pass(2 * REOFFER_WITHIN_MS);
        // Whatever happens makes it look at them; what was typed is not worth showing any more.
        seat.ask(UiRequest::Looking { focused: true }).await.unwrap();
        until("the client looked at its clocks", || shows("")).await;
        seat.connected().await;
    }
    seat.core.shutdown().await;
    let account = std::fs::read_dir(data.path().join("accounts")).unwrap().next().unwrap();
    let file = rusqlite::Connection::open(account.unwrap().path().join("outbox.db")).unwrap();
    let rows = "SELECT (SELECT count(*) FROM messages) + (SELECT count(*) FROM lanes)";
    let left: i64 = file.query_row(rows, [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn drafts_are_kept_across_a_kill_and_cleared_by_sending() {
    let (relay, id, data, seat) = at_work().await;
    let draft =
        |text: &str| UiRequest::SetDraft { conversation_id: id.clone(), text: text.to_owned() };
    seat.ask(draft("草稿")).await.unwrap();
    until("the row shows it", || seat.row(&id).is_some_and(|row| row.draft == "草稿")).await;
    seat.kill();
    let seat = Seat::signed_in(data.path(), &relay).await;
    seat.connected().await;
    assert_eq!(seat.open_chat(&id).await.draft, "草稿");
    seat.send(&id, "草稿,写完了").await;
    assert_eq!(seat.open_chat(&id).await.draft, "");
}

#[tokio::test]
async fn what_cannot_be_a_message_is_refused_at_once() {
    let (_relay, id, _data, seat) = at_work().await;
    let longest = "文".repeat(4_000);
    for (conversation_id, text, code) in [
        (id.clone(), "  \n".to_owned(), Some(ErrorCode::EmptyText)),
        (id.clone(), format!("{longest}x"), Some(ErrorCode::TooLarge)),
        (conversation("nowhere"), "text".to_owned(), Some(ErrorCode::NotFound)),
        (id.clone(), longest, None),
    ] {
        let reply =
            seat.ask(UiRequest::SendMessage { conversation_id, text, client_id: None }).await;
        match (reply, code) {
            (Ok(UiReply::Queued { .. }), None) => {}
            (Err(error), Some(code)) => assert_eq!(error.code, Some(code)),
            (reply, code) => panic!("{reply:?} instead of {code:?}"),
        }
    }
}

/// P10, the dose of a run: 25 kills, each at another moment.
#[tokio::test]
async fn twenty_five_kills_lose_and_double_nothing() {
    let relay = Relay::start().await;
    let ids = [relay.begin("c1", "hello"), relay.begin("c2", "hello")];
    let data = tempfile::tempdir().unwrap();
    let faults = [
        OnSend::CutBeforeStoring,
        OnSend::CutBeforeAnswering,
        OnSend::CutBeforeDelivering,
        OnSend::Refuse(WireError::new(ErrorCode::StorageFailed)),
    ];
    let mut expected = [Vec::new(), Vec::new()];
    for kill in 0..25_usize {
        let seat = Seat::signed_in(data.path(), &relay).await;
        if kill % 5 != 0 {
            seat.connected().await;
        } else {
            until("the rows are there", || seat.view().rows.len() == 2).await;
        }
        relay.world().on_send.push_back(faults[kill % faults.len()]);
        for n in 0..4 {
            let lane = (kill + n) % 2;
            let text = format!("message {kill}.{n}");
            expected[lane].push((seat.send(&ids[lane], &text).await, text));
            if n == kill % 4 {
                // Somewhere between the disk and the relay.
                tokio::time::sleep(Duration::from_micros(kill as u64 * 300)).await;
            }
        }
        seat.kill();
        relay.cut();
    }
    let seat = Seat::signed_in(data.path(), &relay).await;
    seat.connected().await;
    until("all are acknowledged", || seat.view().unsent == 0).await;
    assert_eq!(stored(&relay, "c1"), expected[0]);
    assert_eq!(stored(&relay, "c2"), expected[1]);
}

#[tokio::test]
async fn what_was_handed_over_before_the_end_is_kept() {
    let (relay, id, data, seat) = at_work().await;
    let other = relay.begin("c2", "hello");
    until("both are served", || seat.row(&other).is_some()).await;
    let send =
        UiRequest::SendMessage { conversation_id: id, text: "bye".to_owned(), client_id: None };
    let text = "half a".to_owned();
    let draft = UiRequest::SetDraft { conversation_id: other.clone(), text };
    // The window says both while it closes, and hears no answer any more.
    for request in [send, draft] {
        drop(seat.core.try_submit(request).unwrap());
    }
    seat.core.shutdown().await;
    drop(seat);
    let seat = Seat::signed_in(data.path(), &relay).await;
    until("the message arrived", || stored(&relay, "c1").len() == 1).await;
    assert_eq!(stored(&relay, "c1")[0].1, "bye");
    until("both are served", || seat.row(&other).is_some()).await;
    assert_eq!(seat.open_chat(&other).await.draft, "half a");
}

#[tokio::test]
async fn a_failed_message_stays_in_sight_after_hundreds_of_conversations() {
    let (relay, id, _data, seat) = at_work().await;
    relay.world().on_send.push_back(OnSend::Refuse(WireError::new(ErrorCode::Forbidden)));
    seat.send(&id, "unsaid").await;
    until("it failed", || seat.row(&id).is_some_and(|row| row.send_failed)).await;
    let withdraw = |conversation_id: &ConversationId| {
        let conversation_id = conversation_id.clone();
        relay.world().announce(StaffEventBody::ConversationWithdrawn { conversation_id });
    };
    withdraw(&id);
    for n in 0..250 {
        withdraw(&relay.begin(&format!("later-{n}"), "hello"));
    }
    let last = relay.begin("last", "hello");
    until("all of it is known", || seat.row(&last).is_some()).await;
    let UiReply::State(state) = seat.ask(UiRequest::GetState {}).await.unwrap() else {
        panic!("no state")
    };
    let mut rows = state.inbox.iter().filter(|row| row.send_failed);
    assert_eq!(rows.next().map(|row| &row.conversation_id), Some(&id));
    assert_eq!(seat.open_chat(&id).await.outbox.len(), 1);
}
