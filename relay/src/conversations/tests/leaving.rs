//! The visitor's own ways out: leaving the line (A30) and leaving a message (H03), each once.

use yingke_shared::commands::visitor::{LeaveMessage, LeaveQueue, PageContext};
use yingke_shared::error_code::ErrorCode;
use yingke_shared::views::{EndedBy, VisitorContent, VisitorStatus};

use super::crew::Crew;
use crate::testing::{Screens, any_id, client};

fn message(text: &str) -> LeaveMessage {
    LeaveMessage {
        name: " 维拉 ".into(),
        contact: "vera@example.com".into(),
        text: text.into(),
        page: PageContext::default(),
        locale: "zh-CN".into(),
    }
}

fn ended(by: EndedBy, status: &VisitorStatus) -> bool {
    matches!(status, VisitorStatus::Ended { by: found, .. } if *found == by)
}

#[tokio::test]
async fn the_line_is_left_once_and_not_when_served() {
    let crew = Crew::gather().await;
    let Crew { relay, ana, ben, vera, viktor, .. } = &crew;
    act!(relay, leave_queue, vera, LeaveQueue {}).unwrap();
    let (first, _) = relay.say(vera, "v1", "在吗").await.unwrap();
    let mut screens = Screens::take(relay, &[ana, ben], &[vera, viktor]).await;
    for _ in 0..2 {
        act!(relay, leave_queue, vera, client("q1"), LeaveQueue {}).unwrap();
    }
    screens.check(relay, "the line is left").await;
    let status = relay.visitor_screen(vera).await.conversation.unwrap().status;
    assert!(ended(EndedBy::LeftQueue, &status));
    // A repetition ends nothing that began since.
    let (second, _) = relay.say(vera, "v2", "又来了").await.unwrap();
    assert_ne!(second, first);
    act!(relay, leave_queue, vera, client("q1"), LeaveQueue {}).unwrap();
    crew.assign(&second, ana).await.unwrap();
    assert_eq!(act!(relay, leave_queue, vera, LeaveQueue {}), Err(ErrorCode::Overtaken));
    relay.answer(ana, &second, "a1", "您好").await.unwrap();
}

#[tokio::test]
async fn a_message_is_left_exactly_once() {
    let crew = Crew::gather().await;
    let Crew { relay, ana, ben, vera, viktor, .. } = &crew;
    let mut screens = Screens::take(relay, &[ana, ben], &[vera, viktor]).await;
    let (waiting, _) = relay.say(vera, "v1", "在吗").await.unwrap();
    for _ in 0..2 {
        act!(relay, leave_message, vera, client("l1"), message("请回电")).unwrap();
    }
    screens.check(relay, "a message left while waiting").await;
    let reused = act!(relay, leave_message, vera, client("l1"), message("别的"));
    assert_eq!(reused, Err(ErrorCode::IdReused));
    // Without an open conversation it is one by itself.
    for _ in 0..2 {
        act!(relay, leave_message, viktor, client("l2"), message("请回电")).unwrap();
    }
    screens.check(relay, "a message left without a conversation").await;
    for who in [vera, viktor] {
        let screen = relay.visitor_screen(who).await;
        let status = screen.conversation.unwrap().status;
        assert!(ended(EndedBy::LeaveMessage, &status));
        let said = |content: &VisitorContent| matches!(content, VisitorContent::Text { text } if text == "请回电");
        let copies = screen.messages.iter().filter(|message| said(&message.content)).count();
        assert_eq!(copies, 1);
    }
    let rows = relay.app.store.read("left", |tx| {
        let sql = "SELECT conversation_id, name, contact FROM leave_messages ORDER BY at";
        tx.query(sql, &[], |row| Ok((row.text(0)?, row.text(1)?, row.text(2)?)))
    });
    let rows = rows.await.unwrap();
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().any(|row| row.0 == waiting.as_str()));
    assert!(rows.iter().all(|row| row.1 == "维拉" && row.2 == "vera@example.com"));
}

#[tokio::test]
async fn who_is_served_by_now_leaves_no_message() {
    let crew = Crew::gather().await;
    let Crew { relay, ana, vera, .. } = &crew;
    let id = crew.served_by(ana).await;
    let head = relay.head().await;
    let refused = act!(relay, leave_message, vera, client("l1"), message("请回电"));
    assert_eq!(refused, Err(ErrorCode::Overtaken));
    assert_eq!(relay.head().await, head);
    // The text goes as a message then, under its own id.
    assert_eq!(relay.say(vera, "l1", "请回电").await.unwrap().0, id);
    for (refused, code) in [
        (message(" \n"), ErrorCode::EmptyText),
        (LeaveMessage { name: "名".repeat(65), ..message("好") }, ErrorCode::TooLarge),
        (LeaveMessage { contact: "9".repeat(129), ..message("好") }, ErrorCode::TooLarge),
        (LeaveMessage { contact: "a\nb".into(), ..message("好") }, ErrorCode::BadBody),
    ] {
        assert_eq!(act!(relay, leave_message, vera, any_id(), refused), Err(code));
    }
}
