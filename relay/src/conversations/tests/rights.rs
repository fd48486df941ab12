//! Every command on a conversation, by every role, in every relation to it; and visitors among
//! themselves. Foreign and nonexistent must look the same.

use yingke_shared::commands::staff::LoadMessages;
use yingke_shared::commands::visitor::{LoadHistory, VisitorMark};
use yingke_shared::error_code::ErrorCode;
use yingke_shared::frame::Outcome;
use yingke_shared::ids::{ConversationId, Seq};
use yingke_shared::views::{HistoryCursor, Role};

use crate::auth::StaffIdentity;
use crate::conversations::actions;
use crate::testing::{TestRelay, any_id, client};

async fn read(relay: &TestRelay, who: &StaffIdentity, id: &ConversationId) -> Option<ErrorCode> {
    let command = LoadMessages { conversation_id: id.clone(), before: None, limit: 100 };
    let page = actions::load_messages(relay.app.clone(), who.clone(), any_id(), command).await;
    page.err().map(|error| error.code())
}

#[tokio::test]
async fn staff_by_role_and_relation() {
    use ErrorCode::{ConversationEnded, Forbidden, NotFound};
    let relay = TestRelay::open().await;
    let ana = relay.agent("Ana").await;
    let ben = relay.agent("Ben").await;
    let mia = relay.account("Mia", Role::Manager, 8).await;
    let (vera, viktor, vito) =
        (relay.visitor().await, relay.visitor().await, relay.visitor().await);
    // Ben served Vera's conversation; now Ana does. Viktor's is over. Vito's waits.
    let running = relay.conversation_with(&vera, &ben).await;
    relay.set_disabled(&ben, true).await;
    relay.release_disabled().await;
    relay.set_disabled(&ben, false).await;
    relay.claim(&running, &ana).await;
    let over = relay.conversation_with(&viktor, &ana).await;
    relay.end(&ana, &over).await.unwrap();
    let (waiting, _) = relay.say(&vito, "m", "在吗").await.unwrap();
    let nothing = ConversationId::new("no-such-conversation").unwrap();

    // Rows: who, which, then what becomes of read, write, mark, end.
    let rows: [(&StaffIdentity, &ConversationId, [Option<ErrorCode>; 4]); 12] = [
        (&ben, &running, [None, Some(Forbidden), None, Some(Forbidden)]),
        (&mia, &running, [None, Some(Forbidden), Some(Forbidden), Some(Forbidden)]),
        (&ana, &over, [None, Some(ConversationEnded), None, Some(ConversationEnded)]),
        (&ben, &over, [Some(NotFound); 4]),
        (
            &mia,
            &over,
            [None, Some(ConversationEnded), Some(ConversationEnded), Some(ConversationEnded)],
        ),
        (&ana, &waiting, [Some(NotFound); 4]),
        (&ben, &waiting, [Some(NotFound); 4]),
        (&mia, &waiting, [None, Some(Forbidden), Some(Forbidden), Some(Forbidden)]),
        (&ana, &nothing, [Some(NotFound); 4]),
        (&ben, &nothing, [Some(NotFound); 4]),
        (&mia, &nothing, [Some(NotFound); 4]),
        (&ana, &running, [None, None, None, None]),
    ];
    for (row, (who, id, expected)) in rows.into_iter().enumerate() {
        let head = relay.head().await;
        let found = [
            read(&relay, who, id).await,
            relay.answer(who, id, &format!("r{row}"), "您好").await.err(),
            relay.view(who, id, 1).await.err(),
            relay.end(who, id).await.err(),
        ];
        assert_eq!(found, expected, "row {row}");
        if row < 11 {
            assert_eq!(relay.head().await, head, "row {row} left a trace");
        }
    }
}

#[tokio::test]
async fn a_visitor_reaches_own_conversations_only() {
    let relay = TestRelay::open().await;
    let (vera, viktor) = (relay.visitor().await, relay.visitor().await);
    let (id, _) = relay.say(&vera, "m1", "秘密").await.unwrap();
    let nothing = ConversationId::new("no-such-conversation").unwrap();
    for id in [id.clone(), nothing] {
        assert_eq!(relay.visitor_marks(&viktor, &id, 1, 1).await, Err(ErrorCode::NotFound));
        let before = Some(HistoryCursor { conversation_id: id, seq: Seq::new(9).unwrap() });
        let command = LoadHistory { before, limit: 10 };
        let page = actions::load_history(relay.app.clone(), viktor.clone(), any_id(), command);
        assert_eq!(page.await.unwrap_err().code(), ErrorCode::NotFound);
    }
    let command = LoadHistory { before: None, limit: 100 };
    let page = actions::load_history(relay.app.clone(), viktor.clone(), any_id(), command).await;
    let Outcome::History { page } = page.unwrap() else { panic!("not a page") };
    assert!(page.messages.is_empty() && !page.has_earlier);
    // The same id by another visitor is another message, not a way to look at hers.
    let (other, _) = relay.say(&viktor, "m1", "秘密").await.unwrap();
    assert_ne!(other, id);
    let command = VisitorMark { conversation_id: id, delivered: Seq::ZERO, read: Seq::ZERO };
    assert!(actions::mark_as_visitor(relay.app.clone(), vera, client("k"), command).await.is_ok());
}

#[tokio::test]
async fn a_disabled_account_writes_nothing_even_before_its_socket_is_cut() {
    let relay = TestRelay::open().await;
    let (ana, vera) = (relay.agent("Ana").await, relay.visitor().await);
    let id = relay.conversation_with(&vera, &ana).await;
    relay.set_disabled(&ana, true).await;
    assert_eq!(relay.answer(&ana, &id, "a1", "您好").await, Err(ErrorCode::Unauthenticated));
}
