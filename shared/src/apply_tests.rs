//! Applying events, rule by rule; whole stories stand in `samples/`.

use std::collections::BTreeMap;

use super::*;
use crate::events::{StaffEventBody, VisitorEventBody};
use crate::ids::{ClientId, ConversationId, Seq, VisitorId};
use crate::settings::{AutoReplyTexts, VisitorPrompts};
use crate::time::Timestamp;
use crate::views::{
    AgentCard, Author, Availability, ColleagueCard, Company, EndedBy, Marks, Message,
    MessageContent, OwnCard, Role, SystemNotice, VisitorAuthor, VisitorCard, VisitorContent,
    VisitorSelf, VisitorSite, WaitingReason,
};

fn at(position: u64) -> Position {
    Position::new(position).unwrap()
}

fn seq(seq: u64) -> Seq {
    Seq::new(seq).unwrap()
}

fn time(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis).unwrap()
}

fn conversation(id: &str) -> ConversationId {
    ConversationId::new(id).unwrap()
}

fn message(number: u64, visitor_count: u64) -> Message {
    Message {
        seq: seq(number),
        client_id: ClientId::new(format!("m{number}")).unwrap(),
        author: Author::Visitor,
        content: MessageContent::Text { text: format!("message {number}") },
        at: time(number),
        visitor_count: seq(visitor_count),
        unanswered_since: Some(time(number)),
    }
}

fn record(id: &str, rev: u64) -> ConversationRecord {
    ConversationRecord {
        id: conversation(id),
        rev: at(rev),
        status: ConversationStatus::Waiting { reason: WaitingReason::Routing },
        visitor: VisitorCard {
            id: VisitorId::new("vera").unwrap(),
            site_id: "site1".parse().unwrap(),
            site_name: "Shop".into(),
            label: "7F3A".into(),
            page_url: String::new(),
            page_title: String::new(),
            locale: String::new(),
        },
        started_at: time(1),
        assigned_at: None,
        first_response_at: None,
        last_message: message(2, 1),
        last_said: None,
        visitor_marks: Marks::default(),
        own_read: ReadMark::default(),
        department_id: None,
        vip: false,
        members: Vec::new(),
        invitations: Vec::new(),
    }
}

fn staff(records: &[ConversationRecord]) -> StaffSnapshot {
    StaffSnapshot {
        own: OwnCard {
            id: "ana".parse().unwrap(),
            account: "ana".into(),
            nickname: "Ana".into(),
            role: Role::Agent,
            availability: Availability::Online,
            capacity: 8,
            departments: Vec::new(),
            skills: Vec::new(),
            auto_replies: AutoReplyTexts::default(),
        },
        colleagues: BTreeMap::new(),
        sites: Vec::new(),
        company: Company::default(),
        invitations: BTreeMap::new(),
        alerts: BTreeMap::new(),
        conversations: records.iter().map(|record| (record.id.clone(), record.clone())).collect(),
        has_more: false,
    }
}

fn appended(id: &str, message: Message) -> StaffEventBody {
    let conversation_id = conversation(id);
    StaffEventBody::MessageAppended {
        conversation_id,
        message: Box::new(message),
        first_response_at: None,
    }
}

#[test]
fn an_event_at_or_below_the_rev_changes_nothing() {
    let before = record("c1", 10);
    for position in [1, 9, 10] {
        let mut record = before.clone();
        let applied = record.apply(at(position), &appended("c1", message(3, 2)));
        assert_eq!((applied, &record), (Applied::Skipped, &before), "{position}");
    }
    let mut record = before;
    let applied = record.apply(at(11), &appended("c1", message(3, 2)));
    assert_eq!((applied, record.rev, record.unread()), (Applied::Changed, at(11), 2));
}

#[test]
fn an_event_of_another_conversation_changes_nothing() {
    let before = record("c1", 10);
    let mut record = before.clone();
    assert_eq!(record.apply(at(11), &appended("c2", message(3, 2))), Applied::Skipped);
    assert_eq!(record, before);
    let mut screen = staff(&[before]);
    let held = screen.clone();
    screen.apply(&StaffEvent { position: at(12), body: appended("c2", message(3, 2)) });
    assert_eq!(screen, held);
}

#[test]
fn an_end_takes_the_conversation_off_the_list() {
    let mut screen = staff(&[record("c1", 10), record("c2", 11)]);
    let ended = |position: u64| StaffEvent {
        position: at(position),
        body: StaffEventBody::StatusChanged {
            conversation_id: conversation("c1"),
            status: ConversationStatus::Ended { by: EndedBy::Visitor, at: time(9) },
            assigned_at: None,
        },
    };
    screen.apply(&ended(9));
    assert_eq!(screen.conversations.len(), 2, "an old end is of another time");
    screen.apply(&ended(12));
    assert_eq!(screen.conversations.keys().collect::<Vec<_>>(), [&conversation("c2")]);
}

#[test]
fn an_old_withdrawal_does_not_take_what_was_gained_since() {
    let mut screen = staff(&[record("c1", 10)]);
    let conversation_id = conversation("c1");
    for (position, left) in [(10, 1), (11, 0)] {
        let conversation_id = conversation_id.clone();
        let body = StaffEventBody::ConversationWithdrawn { conversation_id };
        screen.apply(&StaffEvent { position: at(position), body });
        assert_eq!(screen.conversations.len(), left);
    }
}

#[test]
fn marks_are_merged_and_reading_implies_delivery() {
    let marks = |delivered, read| Marks { delivered: seq(delivered), read: seq(read) };
    assert_eq!(marks(5, 2).merge(marks(3, 4)), marks(5, 4));
    assert_eq!(marks(1, 1).merge(marks(0, 7)), marks(7, 7));
    let far = ReadMark { seq: seq(7), visitor_count: seq(3) };
    let near = ReadMark { seq: seq(2), visitor_count: seq(1) };
    assert_eq!((far.merge(near), near.merge(far)), (far, far));
}

#[test]
fn cards_replace_cards() {
    let mut screen = staff(&[]);
    let colleague = ColleagueCard {
        card: AgentCard { id: "ben".parse().unwrap(), nickname: "Ben".into() },
        role: Role::Manager,
        availability: Availability::Busy,
        capacity: 1,
        departments: Vec::new(),
        skills: Vec::new(),
        disabled: false,
    };
    for disabled in [false, true] {
        let colleague = ColleagueCard { disabled, ..colleague.clone() };
        let body = StaffEventBody::ColleagueChanged { colleague };
        screen.apply(&StaffEvent { position: at(1), body });
        assert!(screen.colleagues.values().all(|held| held.disabled == disabled));
    }
    assert_eq!(screen.colleagues.len(), 1);
}

#[test]
fn what_a_later_version_says_is_read_as_unknown_and_nothing_else_is_lost() {
    let later = [
        serde_json::json!({"kind": "picture", "url": "x"}),
        serde_json::json!({"kind": "notice", "notice": {"kind": "sung"}}),
        serde_json::json!({"kind": "notice", "notice": {"kind": "ended", "by": "clock"}}),
    ];
    for content in later {
        let mut said = serde_json::to_value(message(3, 2)).unwrap();
        said["content"] = content;
        let read: Message = serde_json::from_value(said).unwrap();
        assert_eq!(read, Message { content: MessageContent::Unknown, ..message(3, 2) });
    }
    let known = serde_json::to_value(message(3, 2)).unwrap();
    assert_eq!(serde_json::from_value::<Message>(known).unwrap(), message(3, 2));
}

#[test]
fn a_row_says_the_newest_text_whatever_notices_follow() {
    let notice = |number| Message {
        content: MessageContent::Notice { notice: SystemNotice::Ended { by: EndedBy::Agent } },
        author: Author::System,
        ..message(number, 1)
    };
    let mut record = record("c1", 10);
    let said = record.last_message.clone();
    for number in [3, 4] {
        record.apply(at(8 + number), &appended("c1", notice(number)));
        assert_eq!((record.said(), record.last_message.seq), (&said, seq(number)));
    }
    record.apply(at(13), &appended("c1", message(5, 2)));
    assert_eq!((record.said(), &record.last_said), (&message(5, 2), &None));
}

fn said(id: &str, number: u64) -> VisitorEventBody {
    VisitorEventBody::MessageAppended {
        message: VisitorMessage {
            conversation_id: conversation(id),
            seq: seq(number),
            client_id: ClientId::new(format!("m{number}")).unwrap(),
            author: VisitorAuthor::Me,
            content: VisitorContent::Text { text: "嗨".into() },
            at: time(number),
        },
    }
}

fn visitor() -> VisitorSnapshot {
    VisitorSnapshot {
        visitor: VisitorSelf { id: VisitorId::new("vera").unwrap() },
        site: VisitorSite {
            id: "site1".parse().unwrap(),
            name: "Shop".into(),
            welcome: String::new(),
            preview: true,
            enabled: true,
            prompts: VisitorPrompts::default(),
            categories: Vec::new(),
            departments: Vec::new(),
            agents: Vec::new(),
            begins_on_open: false,
        },
        conversation: None,
        messages: Vec::new(),
        has_earlier: false,
    }
}

fn started(id: &str, rev: u64) -> VisitorEvent {
    let conversation = VisitorConversation {
        id: conversation(id),
        rev: at(rev),
        status: VisitorStatus::Waiting { reason: WaitingReason::Routing },
        agent_marks: Marks::default(),
        own_marks: Marks::default(),
        last_seq: Seq::ZERO,
        members: Vec::new(),
    };
    VisitorEvent { position: at(rev), body: VisitorEventBody::ConversationStarted { conversation } }
}

#[test]
fn a_visitors_screen_holds_the_newest_messages() {
    let mut screen = visitor();
    screen.apply(&started("c1", 1));
    let most = u64::from(SNAPSHOT_MESSAGES_MAX);
    for number in 1..=most {
        screen.apply(&VisitorEvent { position: at(1 + number), body: said("c1", number) });
    }
    assert!(!screen.has_earlier);
    screen.apply(&VisitorEvent { position: at(most + 2), body: said("c1", most + 1) });
    assert!(screen.has_earlier);
    assert_eq!(screen.messages.len() as u64, most);
    assert_eq!(screen.messages.first().map(|message| message.seq), Some(seq(2)));
    assert_eq!(screen.conversation.map(|held| held.last_seq), Some(seq(most + 1)));
}

#[test]
fn a_message_that_is_there_already_is_not_doubled() {
    let mut screen = visitor();
    screen.apply(&started("c1", 1));
    for _ in 0..2 {
        screen.apply(&VisitorEvent { position: at(2), body: said("c1", 1) });
    }
    assert_eq!(screen.messages.len(), 1);
}

#[test]
fn a_name_holds_for_all_messages_of_its_agent_and_for_nothing_else() {
    let card =
        |id: &str, nickname: &str| AgentCard { id: id.parse().unwrap(), nickname: nickname.into() };
    let by = |number: u64, agent: AgentCard| {
        let VisitorEventBody::MessageAppended { mut message } = said("c1", number) else {
            panic!("said")
        };
        message.author = VisitorAuthor::Agent { agent };
        VisitorEvent {
            position: at(2 + number),
            body: VisitorEventBody::MessageAppended { message },
        }
    };
    let serving = |agent: AgentCard| VisitorEvent {
        position: at(2),
        body: VisitorEventBody::StatusChanged {
            conversation_id: conversation("c1"),
            status: VisitorStatus::Serving { agent },
        },
    };
    let tell = |ana: &AgentCard| {
        let mut screen = visitor();
        screen.apply(&started("c1", 1));
        screen.apply(&serving(ana.clone()));
        for (number, agent) in [(1, ana.clone()), (2, card("ben", "Ana")), (3, ana.clone())] {
            screen.apply(&by(number, agent));
        }
        screen
    };
    let mut screen = tell(&card("ana", "Ana"));
    let agent = card("ana", "安娜");
    let body = VisitorEventBody::AgentChanged { agent: agent.clone() };
    screen.apply(&VisitorEvent { position: at(9), body });
    assert_eq!(screen, tell(&agent));
}

#[test]
fn a_new_conversation_replaces_an_ended_one_and_no_newer_one() {
    let mut screen = visitor();
    screen.apply(&started("c1", 1));
    let body = VisitorEventBody::StatusChanged {
        conversation_id: conversation("c1"),
        status: VisitorStatus::Ended { by: EndedBy::Agent, at: time(5) },
    };
    screen.apply(&VisitorEvent { position: at(5), body: body.clone() });
    assert!(screen.conversation.as_ref().is_some_and(|held| !held.is_open()));
    screen.apply(&started("c2", 6));
    assert!(screen.conversation.as_ref().is_some_and(VisitorConversation::is_open));
    screen.apply(&started("c1", 1));
    screen.apply(&VisitorEvent { position: at(7), body });
    assert_eq!(
        screen.conversation.map(|held| (held.id, held.rev)),
        Some((conversation("c2"), at(6)))
    );
}
