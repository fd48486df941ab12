//! Sending: once and only once, numbered densely, with the clocks that are derived from it.

use yingke_shared::commands::visitor::VisitorEndConversation;
use yingke_shared::error_code::ErrorCode;
use yingke_shared::ids::Seq;
use yingke_shared::limits::TEXT_CHARS_MAX;
use yingke_shared::views::{
    EndedBy, MessageContent, SystemNotice, VisitorAuthor, VisitorContent, VisitorStatus,
    WaitingReason,
};

use crate::conversations::actions;
use crate::testing::{TestRelay, WELCOME, client};

#[tokio::test]
async fn the_first_message_starts_a_conversation_with_the_welcome() {
    let relay = TestRelay::open().await;
    let vera = relay.visitor().await;
    assert_eq!(relay.visitor_screen(&vera).await.conversation, None, "opening creates nothing");
    let (id, seq) = relay.say(&vera, "m1", "在吗").await.unwrap();
    assert_eq!(seq, 2);

    let screen = relay.visitor_screen(&vera).await;
    let conversation = screen.conversation.unwrap();
    assert_eq!(conversation.id, id);
    assert_eq!(conversation.status, VisitorStatus::Waiting { reason: WaitingReason::Routing });
    let [welcome, message] = screen.messages.try_into().unwrap();
    assert_eq!(welcome.author, VisitorAuthor::System);
    let notice = SystemNotice::Welcome { text: WELCOME.into() };
    assert_eq!(welcome.content, VisitorContent::Notice { notice });
    assert_eq!((message.author, message.seq.get()), (VisitorAuthor::Me, 2));
    assert_eq!(message.client_id, client("m1"));
}

#[tokio::test]
async fn a_site_without_welcome_begins_with_the_visitors_words() {
    let relay = TestRelay::open().await;
    relay.set_welcome("").await;
    let vera = relay.visitor().await;
    assert_eq!(relay.say(&vera, "m1", "在吗").await.unwrap().1, 1);
}

#[tokio::test]
async fn the_same_id_is_the_same_message_for_ever() {
    let relay = TestRelay::open().await;
    let (ana, vera) = (relay.agent("Ana").await, relay.visitor().await);
    let id = relay.conversation_with(&vera, &ana).await;
    let first = relay.say(&vera, "m1", "你好").await;
    let head = relay.head().await;
    assert_eq!(relay.say(&vera, "m1", "你好").await, first);
    assert_eq!(relay.say(&vera, "m1", "再见").await, Err(ErrorCode::IdReused));
    let answered = relay.answer(&ana, &id, "a1", "您好").await;
    assert_eq!(relay.answer(&ana, &id, "a1", "您好").await, answered);
    assert_eq!(relay.answer(&ana, &id, "a1", "不").await, Err(ErrorCode::IdReused));
    assert_eq!(relay.head().await.get(), head.get() + 1, "repeating appends nothing");
    // Two actors may happen on the same id.
    assert!(relay.answer(&ana, &id, "m1", "哪位").await.is_ok());

    relay.end(&ana, &id).await.unwrap();
    assert_eq!(relay.say(&vera, "m1", "你好").await, first, "also when it is over");
    assert_eq!(relay.answer(&ana, &id, "a1", "您好").await, answered);
    assert_eq!(relay.answer(&ana, &id, "a2", "还在吗").await, Err(ErrorCode::ConversationEnded));
    let (next, _) = relay.say(&vera, "m2", "还有").await.unwrap();
    assert_ne!(next, id, "the next message begins another");
}

/// Else the second would be acknowledged and stand nowhere.
#[tokio::test]
async fn an_id_used_in_one_conversation_is_refused_in_another() {
    let relay = TestRelay::open().await;
    let ana = relay.agent("Ana").await;
    let (vera, viktor) = (relay.visitor().await, relay.visitor().await);
    let first = relay.conversation_with(&vera, &ana).await;
    let second = relay.conversation_with(&viktor, &ana).await;
    let answered = relay.answer(&ana, &first, "a1", "您好").await;
    assert_eq!(relay.answer(&ana, &second, "a1", "您好").await, Err(ErrorCode::IdReused));
    assert_eq!(relay.answer(&ana, &first, "a1", "您好").await, answered);
}

#[tokio::test]
async fn many_sends_at_once_make_one_conversation_numbered_densely() {
    let relay = std::sync::Arc::new(TestRelay::open().await);
    let vera = relay.visitor().await;
    let sends = (0..60).map(|n| {
        let (relay, vera) = (relay.clone(), vera.clone());
        // Each id three times, as two tabs and a retry would.
        tokio::spawn(async move { relay.say(&vera, &format!("m{}", n / 3), "嗨").await })
    });
    let mut seqs = std::collections::BTreeMap::new();
    let mut conversations = std::collections::BTreeSet::new();
    for (n, send) in sends.collect::<Vec<_>>().into_iter().enumerate() {
        let (id, seq) = send.await.unwrap().unwrap();
        conversations.insert(id);
        let before = seqs.insert(n / 3, seq);
        assert!(before.is_none_or(|before| before == seq));
    }
    assert_eq!(conversations.len(), 1);
    let mut seqs: Vec<_> = seqs.into_values().collect();
    seqs.sort_unstable();
    assert_eq!(seqs, (2..22).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_is_too_long_or_blank_is_refused() {
    let relay = TestRelay::open().await;
    let vera = relay.visitor().await;
    assert_eq!(relay.say(&vera, "m1", " \n\u{200b}").await, Err(ErrorCode::EmptyText));
    let long = "好".repeat(TEXT_CHARS_MAX + 1);
    assert_eq!(relay.say(&vera, "m1", &long).await, Err(ErrorCode::TooLarge));
    assert!(relay.say(&vera, "m1", &"好".repeat(TEXT_CHARS_MAX)).await.is_ok());
}

#[tokio::test]
async fn unread_and_the_waiting_clock_are_derived() {
    let relay = TestRelay::open().await;
    let (ana, vera) = (relay.agent("Ana").await, relay.visitor().await);
    relay.set_clock(1_000);
    let id = relay.conversation_with(&vera, &ana).await;
    let look = async || relay.staff_screen(&ana).await.conversations[&id].clone();
    let clock = |record: &yingke_shared::views::ConversationRecord| {
        record.unanswered_since().map(|at| at.millis())
    };
    relay.set_clock(2_000);
    let (_, seq) = relay.say(&vera, "m2", "有货吗").await.unwrap();
    let record = look().await;
    assert_eq!((record.unread(), clock(&record)), (2, Some(1_000)), "since the first unanswered");
    assert_eq!(record.first_response_at, None);

    relay.view(&ana, &id, seq).await.unwrap();
    let record = look().await;
    assert_eq!((record.unread(), clock(&record)), (0, Some(1_000)), "viewing does not stop it");

    relay.set_clock(3_000);
    relay.answer(&ana, &id, "a1", "有").await.unwrap();
    let record = look().await;
    assert_eq!((record.unread(), clock(&record)), (0, None), "an answer does");
    assert_eq!(record.first_response_at.unwrap().millis(), 3_000);

    relay.set_clock(4_000);
    relay.say(&vera, "m3", "好的").await.unwrap();
    relay.answer(&ana, &id, "a2", "谢谢").await.unwrap();
    let record = look().await;
    assert_eq!(record.unread(), 1, "answering is not viewing");
    assert_eq!(record.first_response_at.unwrap().millis(), 3_000, "the first stays the first");
}

#[tokio::test]
async fn a_row_says_what_the_visitor_said_whatever_notices_follow() {
    let relay = TestRelay::open().await;
    let (ana, ben, vera) =
        (relay.agent("Ana").await, relay.agent("Ben").await, relay.visitor().await);
    let id = relay.conversation_with(&vera, &ana).await;
    let said = async |who| {
        let record = relay.staff_screen(who).await.conversations.remove(&id).unwrap();
        let MessageContent::Text { text } = record.said().content.clone() else { panic!("notice") };
        (text, record.unread(), record.unanswered_since().is_some())
    };
    assert_eq!(said(&ana).await, ("在吗".to_owned(), 1, true));
    // Another agent joins: one more notice.
    relay.set_disabled(&ana, true).await;
    relay.release_disabled().await;
    relay.claim(&id, &ben).await;
    assert_eq!(said(&ben).await, ("在吗".to_owned(), 1, true));
    relay.answer(&ben, &id, "b1", "在的").await.unwrap();
    assert_eq!(said(&ben).await, ("在的".to_owned(), 1, false));
}

#[tokio::test]
async fn marks_only_grow_and_never_pass_the_last_message() {
    let relay = TestRelay::open().await;
    let (ana, vera) = (relay.agent("Ana").await, relay.visitor().await);
    let id = relay.conversation_with(&vera, &ana).await;
    let (_, last) = relay.answer(&ana, &id, "a1", "您好").await.unwrap();
    let shown = async || relay.staff_screen(&ana).await.conversations[&id].visitor_marks;

    relay.visitor_marks(&vera, &id, last, 1).await.unwrap();
    assert_eq!((shown().await.delivered.get(), shown().await.read.get()), (last, 1));
    let head = relay.head().await;
    relay.visitor_marks(&vera, &id, 1, 0).await.unwrap();
    relay.visitor_marks(&vera, &id, last, 1).await.unwrap();
    assert_eq!(relay.head().await, head, "what moves nothing says nothing");
    relay.visitor_marks(&vera, &id, 0, 9_999).await.unwrap();
    assert_eq!((shown().await.delivered.get(), shown().await.read.get()), (last, last));

    relay.view(&ana, &id, 9_999).await.unwrap();
    let conversation = relay.visitor_screen(&vera).await.conversation.unwrap();
    assert_eq!(conversation.agent_marks.read, conversation.last_seq);
    assert_eq!(conversation.own_marks.read, Seq::new(last).unwrap());
}

#[tokio::test]
async fn a_repeated_end_ends_nothing_else() {
    let relay = TestRelay::open().await;
    let (ana, vera) = (relay.agent("Ana").await, relay.visitor().await);
    let id = relay.conversation_with(&vera, &ana).await;
    let end = async |client_id: &str| {
        let body = VisitorEndConversation {};
        actions::end_as_visitor(relay.app.clone(), vera.clone(), client(client_id), body).await
    };
    end("e1").await.unwrap();
    let screen = relay.visitor_screen(&vera).await;
    let status = screen.conversation.unwrap().status;
    assert!(matches!(status, VisitorStatus::Ended { by: EndedBy::Visitor, .. }));
    let notice = SystemNotice::Ended { by: EndedBy::Visitor };
    assert_eq!(screen.messages.last().unwrap().content, VisitorContent::Notice { notice });
    assert_eq!(relay.staff_screen(&ana).await.conversations.get(&id), None);

    relay.say(&vera, "m2", "再问一下").await.unwrap();
    end("e1").await.unwrap();
    assert!(relay.visitor_screen(&vera).await.conversation.unwrap().is_open());
    end("e2").await.unwrap();
    end("e3").await.unwrap();
    assert!(!relay.visitor_screen(&vera).await.conversation.unwrap().is_open());
    assert_eq!(relay.end(&ana, &id).await, Err(ErrorCode::ConversationEnded));
}

#[tokio::test]
async fn a_site_switched_off_begins_nothing() {
    let relay = TestRelay::open().await;
    let (vera, viktor) = (relay.visitor().await, relay.visitor().await);
    relay.say(&vera, "m1", "在吗").await.unwrap();
    let off = yingke_shared::rest::ChangeSite { enabled: Some(false), ..Default::default() };
    let site = relay.site.clone();
    crate::sites::actions::change(&relay.app, &crate::testing::admin(), site, off).await.unwrap();
    assert!(relay.say(&vera, "m2", "还在吗").await.is_ok(), "what runs goes on");
    assert_eq!(relay.say(&viktor, "m1", "在吗").await, Err(ErrorCode::SiteDisabled));
}
