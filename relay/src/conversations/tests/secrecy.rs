//! What visitors never see: notes, invitations, alerts, who watches, who entered unannounced. The
//! visitor's side has no words for them; here everything a visitor is told in a busy story is looked
//! through all the same.

use yingke_shared::commands::staff::AddNote;
use yingke_shared::error_code::ErrorCode;
use yingke_shared::events::VisitorEvent;
use yingke_shared::ids::{ClientId, ConversationId, Position};
use yingke_shared::views::{InvitationKind, MessagePage, SystemNotice};

use super::crew::{Crew, Result};
use crate::auth::StaffIdentity;
use crate::conversations::{actions, views};
use crate::testing::{Screens, any_id, client};

const SECRET: &str = "悄悄话-7f3a";

async fn note(crew: &Crew, who: &StaffIdentity, id: &ConversationId, as_id: ClientId) -> Result {
    let command = AddNote { conversation_id: id.clone(), text: SECRET.into() };
    act!(crew.relay, add_note, who, as_id, command)
}

async fn page(crew: &Crew, who: &StaffIdentity, id: &ConversationId) -> MessagePage {
    let command = yingke_shared::commands::staff::LoadMessages {
        conversation_id: id.clone(),
        before: None,
        limit: 100,
    };
    let page = actions::load_messages(crew.relay.app.clone(), who.clone(), any_id(), command).await;
    let yingke_shared::frame::Outcome::Messages { page } = page.unwrap() else { panic!("no page") };
    page
}

#[tokio::test]
async fn notes_are_for_whoever_may_read_once_each_and_while_it_is_open() {
    let crew = Crew::gather().await;
    let Crew { relay, ana, ben, cai, mia, .. } = &crew;
    let id = crew.served_by(ana).await;
    crew.ask(ana, &id, ben, InvitationKind::Join).await.unwrap();
    let mut screens =
        Screens::take(relay, &[ana, ben, cai, mia], &[&crew.vera, &crew.viktor]).await;
    let gave_away = crew.served_by_viktor(cai).await;
    crew.take_over(mia, &gave_away).await.unwrap();
    let refused = note(&crew, cai, &gave_away, any_id()).await;
    assert_eq!(refused, Err(ErrorCode::Forbidden), "whoever gave it away hears nothing of it");
    screens.check(relay, "another conversation").await;
    for (who, name) in [(ana, "n1"), (ben, "n2"), (mia, "n3"), (ana, "n1")] {
        note(&crew, who, &id, client(name)).await.unwrap();
        screens.check(relay, "a note").await;
    }
    assert_eq!(note(&crew, cai, &id, client("n4")).await, Err(ErrorCode::NotFound));
    let other = AddNote { conversation_id: id.clone(), text: "别的".into() };
    assert_eq!(act!(relay, add_note, ana, client("n1"), other), Err(ErrorCode::IdReused));
    let empty = AddNote { conversation_id: id.clone(), text: " ".into() };
    assert_eq!(act!(relay, add_note, ana, empty), Err(ErrorCode::EmptyText));
    let notes = page(&crew, ana, &id).await.notes;
    let of: Vec<_> = notes.iter().map(|note| note.id.as_str()).collect();
    assert_eq!(of, ["n1", "n2", "n3"]);
    assert!(notes.iter().all(|note| note.after.get() == 3 && note.text == SECRET));
    relay.end(ana, &id).await.unwrap();
    let late = note(&crew, ana, &id, client("n5")).await;
    assert_eq!(late, Err(ErrorCode::ConversationEnded));
    note(&crew, ana, &id, client("n1")).await.unwrap();
}

#[tokio::test]
async fn nothing_of_staff_reaches_a_visitor_in_a_busy_story() {
    let crew = Crew::gather().await;
    let Crew { relay, ana, ben, cai, mia, vera, .. } = &crew;
    crew.set_company(|company| company.announce_entering = false).await;
    let id = crew.served_by(ana).await;
    note(&crew, ana, &id, any_id()).await.unwrap();
    let refused = crew.ask(ana, &id, ben, InvitationKind::Join).await.unwrap();
    crew.answer(ben, &refused, false).await.unwrap();
    crew.enter(mia, &id).await.unwrap();
    note(&crew, mia, &id, any_id()).await.unwrap();
    let transfer = crew.ask(ana, &id, cai, InvitationKind::Transfer).await.unwrap();
    crew.answer(cai, &transfer, true).await.unwrap();
    relay.say(vera, "v1", "您好").await.unwrap();
    crew.leave(mia, &id).await.unwrap();
    note(&crew, cai, &id, any_id()).await.unwrap();
    crew.hand_back(cai, &id).await.unwrap();
    crew.assign(&id, ana).await.unwrap();
    relay.end(ana, &id).await.unwrap();

    let mut told = serde_json::to_string(&relay.visitor_screen(vera).await).unwrap();
    let (head, mut position) = (relay.head().await, Position::ZERO);
    let mut log = relay.app.store.subscribe(position);
    while position < head {
        for entry in log.next().await.unwrap() {
            position = entry.position;
            if let Some(body) = views::visitor_body(&entry) {
                told += &serde_json::to_string(&VisitorEvent { position, body }).unwrap();
            }
        }
    }
    assert!(told.contains("您好") && told.contains(cai.agent_id.as_str()), "it was a story");
    let secrets =
        [SECRET, "请帮忙", "invitation", "note_added", refused.as_str(), transfer.as_str()];
    for secret in secrets.into_iter().chain([ben.agent_id.as_str(), mia.agent_id.as_str()]) {
        assert!(!told.contains(secret), "{secret} in {told}");
    }
    assert!(
        relay.visitor_news(vera).await.iter().filter(|kind| **kind == "agent_changed").count() <= 2
    );
}

#[tokio::test]
async fn who_entered_unannounced_is_seen_from_the_first_message_on() {
    let crew = Crew::gather().await;
    let Crew { relay, ana, ben, cai, mia, vera, viktor, .. } = &crew;
    let id = crew.served_by(ana).await;
    let mut screens = Screens::take(relay, &[ana, ben, cai, mia], &[vera, viktor]).await;
    let members = async || relay.visitor_screen(vera).await.conversation.unwrap().members;
    crew.enter(mia, &id).await.unwrap();
    assert_eq!(members().await.len(), 1, "announced, as the company begins");
    crew.leave(mia, &id).await.unwrap();
    crew.set_company(|company| company.announce_entering = false).await;
    let before = crew.notices(&id).await.len();
    crew.enter(mia, &id).await.unwrap();
    crew.enter(mia, &id).await.unwrap();
    screens.check(relay, "entered unannounced").await;
    assert!(members().await.is_empty());
    assert_eq!(crew.notices(&id).await.len(), before);
    assert_eq!(crew.record(&id).await.members, std::slice::from_ref(&mia.agent_id));
    relay.answer(mia, &id, "m1", "我来处理").await.unwrap();
    screens.check(relay, "the first message").await;
    assert_eq!(members().await.len(), 1);
    let notices = crew.notices(&id).await;
    assert!(
        matches!(notices.last(), Some(SystemNotice::MemberJoined { agent }) if agent.id == mia.agent_id)
    );
    let deeds = crew.deeds().await.into_iter().filter(|(_, deed)| deed == "enter").count();
    assert_eq!(deeds, 2, "audited each time");
}

/// F05: what somebody the visitor does not know of has read is no business of the visitor's, also when
/// that one left; with the first message it is.
#[tokio::test]
async fn what_is_read_unseen_is_not_shown_as_read() {
    let crew = Crew::gather().await;
    let Crew { relay, ana, ben, cai, mia, vera, viktor, .. } = &crew;
    crew.set_company(|company| company.announce_entering = false).await;
    let id = crew.served_by(ana).await;
    let mut screens = Screens::take(relay, &[ana, ben, cai, mia], &[vera, viktor]).await;
    let read = async || relay.visitor_screen(vera).await.conversation.unwrap().agent_marks.read;
    crew.enter(mia, &id).await.unwrap();
    relay.view(mia, &id, 2).await.unwrap();
    screens.check(relay, "read unseen").await;
    assert_eq!(read().await.get(), 0);
    let own = relay.staff_screen(mia).await.conversations.remove(&id).unwrap().own_read;
    assert_eq!(own.seq.get(), 2, "it is read for the one who read it");
    crew.leave(mia, &id).await.unwrap();
    screens.check(relay, "left unseen").await;
    assert_eq!(read().await.get(), 0);
    crew.enter(mia, &id).await.unwrap();
    relay.answer(mia, &id, "m1", "我来处理").await.unwrap();
    screens.check(relay, "the first message").await;
    assert_eq!(read().await.get(), 2);
    crew.leave(mia, &id).await.unwrap();
    screens.check(relay, "left").await;

    let his = crew.served_by_viktor(ana).await;
    let read = async || relay.visitor_screen(viktor).await.conversation.unwrap().agent_marks.read;
    crew.enter(mia, &his).await.unwrap();
    relay.view(mia, &his, 2).await.unwrap();
    assert_eq!(read().await.get(), 0);
    crew.take_over(mia, &his).await.unwrap();
    screens.check(relay, "taken over by one who was there unseen").await;
    assert_eq!(read().await.get(), 2);
}
