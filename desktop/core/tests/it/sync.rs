//! What the relay says reaches the window: rows, chats, holes, marks, previews; across cuts,
//! snapshots and restarts.

use std::sync::Arc;

use yingke_client::bridge::types::{ConnectionState, Remember, UiReply, UiRequest};
use yingke_shared::error_code::{ErrorCode, WireError};
use yingke_shared::events::StaffEventBody;
use yingke_shared::frame::StaffSignal;
use yingke_shared::ids::ConversationId;
use yingke_shared::limits::PREVIEW_EXPIRES_MS;
use yingke_shared::views::{ConversationStatus, EndedBy};

use crate::relay::{Relay, conversation, seq};
use crate::seat::{Clocks, Seat, until};

async fn seat_with(relay: &Relay) -> (tempfile::TempDir, Seat) {
    let data = tempfile::tempdir().unwrap();
    let seat = Seat::signed_in(data.path(), relay).await;
    seat.connected().await;
    (data, seat)
}

#[tokio::test]
async fn a_visitors_message_shows_in_row_and_chat() {
    let relay = Relay::start().await;
    let (_data, seat) = seat_with(&relay).await;
    let id = relay.begin("c1", "第一句");
    until("the row is there", || seat.row(&id).is_some_and(|row| row.unread == 1)).await;
    let chat = seat.open_chat(&id).await;
    assert_eq!(chat.messages.len(), 1);
    assert!(chat.head.held && !chat.has_earlier);
    relay.visitor_writes(&id, "第二句");
    until("both show", || seat.chat_texts() == ["第一句", "第二句"]).await;
    let row = seat.row(&id).unwrap();
    assert_eq!((row.unread, row.order.group), (2, 0));
    assert!(row.unanswered_since.is_some());
}

#[tokio::test]
async fn viewing_marks_read_once_a_second_and_survives_a_cut() {
    let relay = Relay::start().await;
    let id = relay.begin("c1", "one");
    let (_data, seat) = seat_with(&relay).await;
    until("delivered is told", || {
        relay.world().marks.last().is_some_and(|mark| mark.delivered == seq(1))
    })
    .await;
    for n in 2..=9 {
        relay.visitor_writes(&id, "more");
        let conversation_id = id.clone();
        seat.ask(UiRequest::Viewed { conversation_id, seq: seq(n) }).await.unwrap();
    }
    until("the row is read", || seat.row(&id).is_some_and(|row| row.said.seq == seq(9))).await;
    let conversation_id = id.clone();
    seat.ask(UiRequest::Viewed { conversation_id, seq: seq(9) }).await.unwrap();
    until("nothing is unread", || seat.row(&id).is_some_and(|row| row.unread == 0)).await;
    relay.cut();
    until("the relay knows", || relay.world().conversations[&id].record.own_read.seq == seq(9))
        .await;
    assert!(relay.world().marks.len() <= 4, "marks are merged: {:?}", relay.world().marks);
}

#[tokio::test]
async fn viewing_part_of_a_conversation_leaves_the_rest_unread() {
    let relay = Relay::start().await;
    let id = relay.begin("c1", "one");
    for _ in 0..4 {
        relay.visitor_writes(&id, "more");
    }
    let (_data, seat) = seat_with(&relay).await;
    seat.open_chat(&id).await;
    until("all are loaded", || seat.view().chat.len() == 5).await;
    let conversation_id = id.clone();
    seat.ask(UiRequest::Viewed { conversation_id, seq: seq(3) }).await.unwrap();
    until("two are unread", || seat.row(&id).is_some_and(|row| row.unread == 2)).await;
}

#[tokio::test]
async fn missing_messages_are_filled_and_earlier_ones_come_by_pages() {
    let relay = Relay::start().await;
    let id = relay.begin("c1", "message 1");
    for n in 2..=330 {
        relay.visitor_writes(&id, &format!("message {n}"));
    }
    // Ana viewed up to 150 elsewhere: from there on everything is wanted.
    {
        let mut world = relay.world();
        let read = yingke_shared::views::ReadMark { seq: seq(150), visitor_count: seq(150) };
        world.announce(StaffEventBody::OwnRead { conversation_id: id.clone(), read });
    }
    let (_data, seat) = seat_with(&relay).await;
    assert_eq!(seat.row(&id).map(|row| row.unread), Some(180));
    until("delivered is told when the hole is closed", || {
        relay.world().marks.last().is_some_and(|mark| mark.delivered == seq(330))
    })
    .await;
    let chat = seat.open_chat(&id).await;
    let numbers: Vec<u64> = chat.messages.iter().map(|m| m.seq.get()).collect();
    assert_eq!(numbers, (281..=330).collect::<Vec<_>>());
    let mut oldest = 281;
    while oldest > 1 {
        let request = UiRequest::LoadEarlier { conversation_id: id.clone(), before: seq(oldest) };
        let UiReply::Earlier { items, has_earlier, .. } = seat.ask(request).await.unwrap() else {
            panic!("no page")
        };
        assert_eq!(items.last().map(|m| m.seq), Some(seq(oldest - 1)));
        assert!(items.windows(2).all(|pair| pair[1].seq == pair[0].seq.next()));
        oldest = items[0].seq.get();
        assert_eq!(has_earlier, oldest > 1);
    }
}

#[tokio::test]
async fn a_hole_left_by_a_snapshot_is_filled_in_the_open_chat() {
    let relay = Relay::start().await;
    let id = relay.begin("c1", "message 1");
    let (_data, seat) = seat_with(&relay).await;
    seat.open_chat(&id).await;
    relay.world().down = true;
    relay.cut();
    for n in 2..=40 {
        relay.visitor_writes(&id, &format!("message {n}"));
    }
    {
        let mut world = relay.world();
        world.snapshots_only = true;
        world.down = false;
    }
    until("all show", || seat.view().chat.len() == 40).await;
    let chat = seat.open_chat(&id).await;
    assert_eq!(chat.messages.len(), 40);
}

#[tokio::test]
async fn a_delivery_that_does_not_fit_leads_to_one_fresh_hello_never_a_loop() {
    let relay = Relay::start().await;
    let id = relay.begin("c1", "one");
    let (_data, seat) = seat_with(&relay).await;
    assert_eq!(relay.world().hellos, [false]);
    relay.world().misfits = 1;
    relay.visitor_writes(&id, "two");
    until("it is there all the same", || seat.row(&id).is_some_and(|row| row.said.seq == seq(2)))
        .await;
    assert_eq!(relay.world().hellos, [false, false]);
    seat.connected().await;
    // Misfitting again at once is a failure like any other: it waits, and says a fresh hello again.
    relay.world().misfits = 1;
    relay.visitor_writes(&id, "three");
    until("it is there all the same", || seat.row(&id).is_some_and(|row| row.said.seq == seq(3)))
        .await;
    assert_eq!(relay.world().hellos, [false, false, false]);
}

#[tokio::test]
async fn a_cut_link_resumes_where_it_stood() {
    let relay = Relay::start().await;
    let id = relay.begin("c1", "one");
    let (_data, seat) = seat_with(&relay).await;
    for n in 2..=6 {
        relay.cut();
        relay.visitor_writes(&id, &format!("message {n}"));
        until("it is there", || seat.row(&id).is_some_and(|row| row.said.seq == seq(n))).await;
    }
    assert_eq!(relay.world().hellos, [false, true, true, true, true, true]);
}

#[tokio::test]
async fn ended_and_withdrawn_conversations_leave_the_inbox_and_stay_readable() {
    let relay = Relay::start().await;
    let ended = relay.begin("c1", "one");
    let withdrawn = relay.begin("c2", "two");
    let (data, seat) = seat_with(&relay).await;
    let reply = seat.ask(UiRequest::EndConversation { conversation_id: ended.clone() }).await;
    assert!(matches!(reply, Ok(UiReply::Done {})));
    let conversation_id = withdrawn.clone();
    relay.world().announce(StaffEventBody::ConversationWithdrawn { conversation_id });
    until("both have left", || seat.view().rows.is_empty()).await;
    let chat = seat.open_chat(&ended).await;
    assert!(matches!(chat.head.status, ConversationStatus::Ended { by: EndedBy::Agent, .. }));
    assert!(!chat.head.held);
    let chat = seat.open_chat(&withdrawn).await;
    assert!(!chat.head.held);
    assert_eq!(chat.messages.len(), 1);
    // And after a restart.
    seat.core.shutdown().await;
    let seat = Seat::signed_in(data.path(), &relay).await;
    assert_eq!(seat.open_chat(&ended).await.messages.len(), 1);
    let text = "too late".to_owned();
    let error = seat
        .ask(UiRequest::SendMessage { conversation_id: ended, text, client_id: None })
        .await
        .unwrap_err();
    assert_eq!(error.code, Some(ErrorCode::ConversationEnded));
}

#[tokio::test]
async fn an_unsent_message_of_a_conversation_that_left_stays_in_the_inbox_for_its_author() {
    let relay = Relay::start().await;
    let id = relay.begin("c1", "one");
    let (_data, seat) = seat_with(&relay).await;
    relay.world().down = true;
    relay.cut();
    seat.send(&id, "unheard").await;
    relay.world().conversations.get_mut(&id).unwrap().served = false;
    relay.world().snapshots_only = true;
    relay.world().down = false;
    until("it failed, visibly", || {
        seat.row(&id).is_some_and(|row| row.send_failed && row.unsent == 1)
    })
    .await;
}

#[tokio::test]
async fn previews_and_presence_show_and_are_gone_when_the_message_comes() {
    let relay = Relay::start().await;
    let id = relay.begin("c1", "one");
    let (_data, seat) = seat_with(&relay).await;
    let conversation_id = id.clone();
    relay.signal(StaffSignal::VisitorOnline { conversation_id, online: true });
    until("the visitor is online", || seat.row(&id).is_some_and(|row| row.visitor_online)).await;
    let typed =
        |text: &str| StaffSignal::Preview { conversation_id: id.clone(), text: text.to_owned() };
    relay.signal(typed("有没有现"));
    let shows = |text: &str| seat.view().previews.get(&id).is_some_and(|shown| shown == text);
    until("the preview shows", || shows("有没有现")).await;
    assert_eq!(seat.open_chat(&id).await.head.preview, "有没有现");
    relay.visitor_writes(&id, "有没有现货");
    until("the preview is gone", || shows("")).await;
    let unknown = StaffSignal::Preview {
        conversation_id: conversation("elsewhere"),
        text: "secret".to_owned(),
    };
    relay.signal(unknown);
    relay.signal(typed("还有"));
    until("the next one shows", || shows("还有")).await;
    assert_eq!(seat.view().previews.len(), 1, "nothing of a conversation that is not held");
    relay.cut();
    until("a broken link shows none", || shows("")).await;
}

/// E01: ten seconds after the last key press nothing is being typed any more, unless a key was
/// pressed meanwhile. Broken once by never looking at the time: the preview then stood for ever.
#[tokio::test]
async fn a_preview_is_gone_ten_seconds_after_the_last_key() {
    let relay = Relay::start().await;
    let id = relay.begin("c1", "one");
    let data = tempfile::tempdir().unwrap();
    let clocks = Clocks::new(data.path());
    let seat = Seat::open_on(Arc::clone(&clocks) as _).await;
    seat.sign_in(&relay, "correct horse", Remember::Nothing).await.unwrap();
    seat.connected().await;
    let typed = |text: &str| {
        relay.signal(StaffSignal::Preview { conversation_id: id.clone(), text: text.to_owned() });
    };
    let shows = |text: &str| seat.view().previews.get(&id).is_some_and(|shown| shown == text);
    typed("有没");
    until("the preview shows", || shows("有没")).await;
    clocks.pass(PREVIEW_EXPIRES_MS / 2);
    typed("有没有");
    until("it goes on", || shows("有没有")).await;
    clocks.pass(PREVIEW_EXPIRES_MS / 2);
    // The relay says something else, so the link stands.
    relay.signal(StaffSignal::VisitorOnline { conversation_id: id.clone(), online: true });
    until("the visitor is online", || seat.row(&id).is_some_and(|row| row.visitor_online)).await;
    assert!(shows("有没有"), "it counts from the last key");
    clocks.pass(PREVIEW_EXPIRES_MS / 2);
    // Something happens: the client looks at its clock.
    seat.ask(UiRequest::CloseConversation {}).await.unwrap();
    until("it is gone", || shows("")).await;
    assert_eq!(seat.open_chat(&id).await.head.preview, "");
    // On the same link: a broken one shows none either.
    let state = seat.ask(UiRequest::GetState {}).await.unwrap();
    let UiReply::State(state) = state else { panic!("no state") };
    assert_eq!(state.connection.state, ConnectionState::Connected);
    assert!(state.inbox.iter().all(|row| row.preview.is_empty()));
    assert_eq!(relay.world().hellos, [false]);
}

#[tokio::test]
async fn typing_is_told_once_in_a_while() {
    let relay = Relay::start().await;
    let id = relay.begin("c1", "one");
    let (_data, seat) = seat_with(&relay).await;
    for _ in 0..50 {
        seat.ask(UiRequest::Typing { conversation_id: id.clone() }).await.unwrap();
    }
    seat.send(&id, "typed").await;
    until("it is sent", || seat.view().unsent == 0).await;
    assert_eq!(relay.world().typing, 1);
}

#[tokio::test]
async fn the_relays_goodbye_is_respected() {
    let relay = Relay::start().await;
    let (_data, seat) = seat_with(&relay).await;
    relay.bye(WireError { code: ErrorCode::Unavailable, retry_after_ms: Some(600) });
    let started = std::time::Instant::now();
    until("it says so", || seat.view().connection == Some(ConnectionState::Reconnecting)).await;
    seat.connected().await;
    assert!(started.elapsed().as_millis() >= 550);
    relay.world().tokens.clear();
    relay.bye(WireError::new(ErrorCode::Unauthenticated));
    until("signed out", || !seat.is_signed_in()).await;
}

#[tokio::test]
async fn a_broken_cache_is_built_anew_and_the_outbox_untouched() {
    let relay = Relay::start().await;
    let id = relay.begin("c1", "one");
    let (data, seat) = seat_with(&relay).await;
    relay.world().down = true;
    relay.cut();
    seat.send(&id, "waiting").await;
    seat.core.shutdown().await;
    drop(seat);
    let account = std::fs::read_dir(data.path().join("accounts")).unwrap().next().unwrap();
    let cache = account.unwrap().path().join("cache.db");
    std::fs::write(&cache, b"this is not a database, it only looks like a file").unwrap();
    relay.world().down = false;
    let seat = Seat::signed_in(data.path(), &relay).await;
    seat.connected().await;
    until("it is sent and seen", || seat.row(&id).is_some_and(|row| row.said.seq == seq(2))).await;
    assert_eq!(relay.texts(&id), ["one", "waiting"]);
    assert_eq!(seat.open_chat(&id).await.messages.len(), 2);
}

#[tokio::test]
async fn a_window_that_does_not_listen_gets_a_fresh_state_instead_of_a_backlog() {
    let relay = Relay::start().await;
    let id = relay.begin("c1", "one");
    let (_data, seat) = seat_with(&relay).await;
    let mut pushes = seat.core.subscribe();
    for n in 2..=600 {
        relay.visitor_writes(&id, &format!("message {n}"));
        // One push each: a delivery the core has not shown yet would be merged with the next.
        if n % 50 == 0 {
            until("shown", || seat.row(&id).is_some_and(|row| row.said.seq == seq(n))).await;
        }
    }
    match pushes.next().await {
        Some(yingke_client::bridge::types::UiPush::State(state)) => {
            assert_eq!(state.inbox[0].said.seq, seq(600));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_window_converges_with_the_relay_whatever_happens() {
    let relay = Relay::start().await;
    let (_data, seat) = seat_with(&relay).await;
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = |below: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % below
    };
    let mut ids: Vec<ConversationId> = Vec::new();
    for step in 0..400 {
        match next(10) {
            0 if ids.len() < 12 => ids.push(relay.begin(&format!("c{step}"), "first")),
            1 => relay.cut(),
            2 => {
                let mut world = relay.world();
                world.snapshots_only = !world.snapshots_only;
            }
            3 if !ids.is_empty() => {
                let id = ids[next(ids.len() as u64) as usize].clone();
                let last = relay.world().conversations[&id].record.last_message.seq.get();
                let request = UiRequest::Viewed { conversation_id: id, seq: seq(1 + next(last)) };
                seat.ask(request).await.unwrap();
            }
            4 if !ids.is_empty() => {
                let id = ids[next(ids.len() as u64) as usize].clone();
                if seat.row(&id).is_some() {
                    seat.send(&id, &format!("answer {step}")).await;
                }
            }
            _ if !ids.is_empty() => {
                relay.visitor_writes(&ids[next(ids.len() as u64) as usize], "more");
            }
            _ => {}
        }
    }
    let agrees = || {
        let view = seat.view();
        let world = relay.world();
        view.unsent == 0
            && view.rows.len() == ids.len()
            && world.conversations.iter().all(|(id, kept)| {
                let viewed = kept.record.own_read.seq;
                let by_visitor = |m: &&yingke_shared::views::Message| {
                    m.seq > viewed && m.author == yingke_shared::views::Author::Visitor
                };
                let recount = kept.messages.iter().filter(by_visitor).count();
                let row = &view.rows[id];
                row.said == *kept.record.said() && row.unread as usize == recount
            })
    };
    until("window and relay agree", agrees).await;
}

#[tokio::test]
async fn the_inbox_beyond_a_snapshot_comes_in_pages_also_after_a_cut_and_a_restart() {
    let relay = Relay::start().await;
    relay.world().page_max = 2;
    let ids: Vec<ConversationId> =
        (1..=7).map(|n| relay.begin(&format!("c{n}"), "hello")).collect();
    let (data, seat) = seat_with(&relay).await;
    until("all rows are there", || seat.view().rows.len() == 7).await;
    relay.visitor_writes(&ids[6], "more");
    until("what a page brought lives", || seat.row(&ids[6]).is_some_and(|row| row.unread == 2))
        .await;
    relay.cut();
    seat.connected().await;
    until("complete, it resumes", || relay.world().hellos == [false, true]).await;

    // Ended before the pages were read: the next start must not believe it holds everything.
    {
        let mut world = relay.world();
        world.snapshots_only = true;
        world.pages_down = true;
        world.cut();
    }
    until("only the snapshot is there", || seat.view().rows.len() == 2).await;
    seat.core.shutdown().await;
    drop(seat);
    relay.world().snapshots_only = false;
    relay.world().pages_down = false;
    let seat = Seat::signed_in(data.path(), &relay).await;
    seat.connected().await;
    until("all rows are there again", || seat.view().rows.len() == 7).await;
    assert_eq!(relay.world().hellos.last(), Some(&false));
}

#[tokio::test]
async fn a_send_whose_answer_was_lost_may_be_asked_for_again_and_is_one_message() {
    let relay = Relay::start().await;
    let id = relay.begin("c1", "hello");
    let (data, seat) = seat_with(&relay).await;
    let ask = || {
        seat.ask(UiRequest::SendMessage {
            conversation_id: id.clone(),
            text: "answer".to_owned(),
            client_id: Some(yingke_shared::ids::ClientId::new("enter-1").unwrap()),
        })
    };
    let (one, two) = tokio::join!(ask(), ask());
    for reply in [one, two] {
        let Ok(UiReply::Queued { item }) = reply else { panic!() };
        assert_eq!(item.client_id.as_str(), "enter-1");
    }
    until("it arrived", || seat.view().unsent == 0 && relay.texts(&id).len() == 2).await;
    let draft = UiRequest::SetDraft { conversation_id: id.clone(), text: "answer".to_owned() };
    seat.ask(draft).await.unwrap();
    let Ok(UiReply::Queued { item }) = ask().await else { panic!() };
    assert!(!item.may_discard);
    seat.core.shutdown().await;
    let seat = Seat::signed_in(data.path(), &relay).await;
    seat.connected().await;
    assert_eq!(seat.open_chat(&id).await.draft, "", "the draft went with it");
    assert_eq!((seat.view().unsent, relay.world().arrived.len()), (0, 1));
}

#[tokio::test]
async fn a_draft_written_while_a_message_is_being_kept_stays() {
    let relay = Relay::start().await;
    let id = relay.begin("c1", "hello");
    let (_data, seat) = seat_with(&relay).await;
    let draft =
        |text: &str| UiRequest::SetDraft { conversation_id: id.clone(), text: text.to_owned() };
    seat.ask(draft("answer")).await.unwrap();
    let send = UiRequest::SendMessage {
        conversation_id: id.clone(),
        text: "answer".to_owned(),
        client_id: None,
    };
    let send = seat.core.submit(send).await.unwrap();
    let next = seat.core.submit(draft("next")).await.unwrap();
    send.answer().await.unwrap();
    next.answer().await.unwrap();
    assert_eq!(seat.open_chat(&id).await.draft, "next");
}
