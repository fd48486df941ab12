//! What is held follows the log: the law of `apply`, what leaves, what is written, and unread as a
//! recount (P18).

// Random numbers below a handful.
#![allow(clippy::cast_possible_truncation)]

use yingke_shared::ids::{ClientId, SiteId, VisitorId};
use yingke_shared::settings::AutoReplyTexts;
use yingke_shared::time::Timestamp;
use yingke_shared::views::{
    AgentCard, Availability, ConversationStatus, EndedBy, Marks, MessageContent, ReadMark, Role,
    SystemNotice, VisitorCard,
};

use super::*;
use crate::inbox;
use crate::marks::Marks as OwnMarks;

fn at(n: u64) -> Timestamp {
    Timestamp::from_millis(n).unwrap()
}

fn seq(n: u64) -> Seq {
    Seq::new(n).unwrap()
}

fn position(n: u64) -> Position {
    Position::new(n).unwrap()
}

/// A visitor's message, or an agent's if `agent` names one.
pub(crate) fn message(n: u64, visitor_count: u64, agent: Option<&str>) -> Message {
    Message {
        seq: seq(n),
        client_id: ClientId::new(format!("client-{n}")).unwrap(),
        author: match agent {
            Some(name) => Author::Agent { agent_id: AgentId::new(name).unwrap() },
            None => Author::Visitor,
        },
        content: MessageContent::Text { text: format!("message {n}") },
        at: at(n),
        visitor_count: seq(visitor_count),
        unanswered_since: agent.is_none().then(|| at(n)),
    }
}

/// A conversation of Ana's with one message of its visitor.
pub(crate) fn record(name: &str) -> ConversationRecord {
    ConversationRecord {
        id: ConversationId::new(name).unwrap(),
        rev: position(1),
        status: ConversationStatus::Serving { agent_id: AgentId::new("ana").unwrap() },
        visitor: VisitorCard {
            id: VisitorId::new("vera").unwrap(),
            site_id: SiteId::new("shop").unwrap(),
            site_name: "Shop".to_owned(),
            label: "3F2A".to_owned(),
            page_url: String::new(),
            page_title: String::new(),
            locale: "en".to_owned(),
        },
        started_at: at(1),
        assigned_at: None,
        first_response_at: None,
        last_message: message(1, 1, None),
        last_said: None,
        visitor_marks: Marks::default(),
        own_read: ReadMark::default(),
        department_id: None,
        vip: false,
        members: Vec::new(),
        invitations: Vec::new(),
    }
}

pub(crate) fn snapshot(names: &[&str]) -> StaffSnapshot {
    StaffSnapshot {
        own: OwnCard {
            id: AgentId::new("ana").unwrap(),
            account: "ana".to_owned(),
            nickname: "Ana".to_owned(),
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
        conversations: names.iter().map(|name| (record(name).id, record(name))).collect(),
        has_more: false,
    }
}

fn begun(names: &[&str]) -> Replica {
    let mut replica = Replica::default();
    let start = Start::Snapshot { position: position(10), snapshot: Box::new(snapshot(names)) };
    assert!(replica.begin(Epoch::new("e1").unwrap(), start).is_ok());
    replica
}

fn id(name: &str) -> ConversationId {
    ConversationId::new(name).unwrap()
}

fn appended(name: &str, message: Message) -> StaffEventBody {
    StaffEventBody::MessageAppended {
        conversation_id: id(name),
        message: Box::new(message),
        first_response_at: None,
    }
}

fn delivery(after: u64, bodies: Vec<StaffEventBody>) -> Delivery<StaffEvent> {
    let events: Vec<StaffEvent> = (after + 1..)
        .zip(bodies)
        .map(|(n, body)| StaffEvent { position: position(n), body })
        .collect();
    let upto = position(after + events.len() as u64);
    Delivery { after: position(after), upto, events }
}

#[test]
fn a_delivery_must_continue_where_reading_stopped() {
    let mut replica = begun(&["a"]);
    for (after, upto, fits) in
        [(9, 11, false), (11, 12, false), (10, 9, false), (10, 10, true), (10, 15, true)]
    {
        let delivery =
            Delivery { after: position(after), upto: position(upto), events: Vec::new() };
        assert_eq!(replica.deliver(&delivery).is_ok(), fits, "{after} to {upto}");
    }
    assert_eq!(replica.place().map(|place| place.position), Some(position(15)));
    assert!(Replica::default().deliver(&delivery(0, Vec::new())).is_err());
}

#[test]
fn resuming_is_only_true_of_the_same_place_in_the_same_history() {
    for (epoch, at, fits) in [("e1", 10, true), ("e1", 9, false), ("e2", 10, false)] {
        let mut replica = begun(&["a"]);
        let start = Start::Resumed { position: position(at) };
        let begun = replica.begin(Epoch::new(epoch).unwrap(), start);
        assert_eq!(begun.is_ok(), fits, "{epoch} {at}");
    }
}

#[test]
fn rows_go_to_the_cache_with_their_position() {
    let mut replica = begun(&["a"]);
    let changed = replica.deliver(&delivery(10, vec![appended("a", message(2, 2, None))]));
    let write = changed.ok().unwrap().write;
    assert_eq!(write.place.map(|place| place.position), Some(position(11)));
    assert_eq!(write.messages, [(id("a"), message(2, 2, None))]);
    assert_eq!(write.conversations[0].0.last_message.seq, seq(2));
    assert_eq!(replica.tail(&id("a")), Some(Tail { low: seq(1), high: seq(2) }));
}

#[test]
fn events_of_conversations_not_held_change_nothing() {
    let mut replica = begun(&["a"]);
    let changed = replica.deliver(&delivery(10, vec![appended("b", message(2, 2, None))]));
    let changed = changed.ok().unwrap();
    assert!(changed.conversations.is_empty() && changed.messages.is_empty());
    assert!(replica.record(&id("b")).is_none());
}

#[test]
fn a_row_says_the_newest_text_whatever_notices_follow() {
    let mut replica = begun(&["a"]);
    let joined = SystemNotice::AgentJoined {
        agent: AgentCard { id: AgentId::new("ana").unwrap(), nickname: "Ana".to_owned() },
    };
    let notice = |n| Message {
        author: Author::System,
        content: MessageContent::Notice { notice: joined.clone() },
        ..message(n, 1, None)
    };
    let said = |replica: &Replica| {
        let (record, _) = replica.record(&id("a")).unwrap();
        let beside = inbox::Beside {
            history: 0,
            edition: 0,
            held: true,
            standing: crate::bridge::types::Standing::Serving,
            visitor_online: true,
            preview: "",
            draft: "",
            read: ReadMark::default(),
            unsent: 0,
            send_failed: false,
            ledger: None,
        };
        let row = inbox::row(record, &beside);
        (row.said.seq, row.unread)
    };
    let bodies = vec![appended("a", notice(2)), appended("a", notice(3))];
    replica.deliver(&delivery(10, bodies)).ok().unwrap();
    assert_eq!(said(&replica), (seq(1), 1));
    replica.deliver(&delivery(12, vec![appended("a", message(4, 2, None))])).ok().unwrap();
    assert_eq!(said(&replica), (seq(4), 2));
}

#[test]
fn what_ends_or_is_withdrawn_leaves_the_inbox_and_is_remembered() {
    let mut replica = begun(&["a", "b"]);
    let status = ConversationStatus::Ended { by: EndedBy::Visitor, at: at(5) };
    let bodies = vec![
        StaffEventBody::StatusChanged {
            conversation_id: id("a"),
            status: status.clone(),
            assigned_at: None,
        },
        StaffEventBody::ConversationWithdrawn { conversation_id: id("b") },
    ];
    let changed = replica.deliver(&delivery(10, bodies)).ok().unwrap();
    assert_eq!(changed.withdrawn, [id("b")]);
    assert_eq!(replica.held().count(), 0);
    let (ended, held) = replica.record(&id("a")).unwrap();
    assert_eq!((&ended.status, held), (&status, false));
    // Gained again: the record of the log replaces what was remembered.
    let record = ConversationRecord { rev: position(13), ..record("b") };
    let gained = StaffEventBody::ConversationGained { record: Box::new(record) };
    replica.deliver(&delivery(12, vec![gained])).ok().unwrap();
    assert!(replica.holds(&id("b")));
}

#[test]
fn a_snapshot_moves_what_it_lacks_to_the_past_and_another_history_forgets_it() {
    for (epoch, remembered) in [("e1", true), ("e2", false)] {
        let mut replica = begun(&["a", "b"]);
        let start =
            Start::Snapshot { position: position(20), snapshot: Box::new(snapshot(&["b"])) };
        let changed = replica.begin(Epoch::new(epoch).unwrap(), start).ok().unwrap();
        assert_eq!(changed.new_epoch, !remembered);
        assert_eq!(replica.record(&id("a")).is_some(), remembered);
        assert!(replica.holds(&id("b")) && !replica.holds(&id("a")));
    }
}

#[test]
fn only_so_many_past_conversations_are_remembered_the_newest_ones() {
    let mut replica = begun(&[]);
    let mut now = 10;
    for n in 0..PAST_CONVERSATIONS_MAX + 5 {
        let record = ConversationRecord { rev: position(now + 1), ..record(&format!("c{n}")) };
        let conversation_id = record.id.clone();
        let bodies = vec![
            StaffEventBody::ConversationGained { record: Box::new(record) },
            StaffEventBody::ConversationWithdrawn { conversation_id },
        ];
        replica.deliver(&delivery(now, bodies)).ok().unwrap();
        replica.forget_oldest_past(|stays| *stays == id("c3"));
        now += 2;
    }
    assert!(replica.record(&id("c3")).is_some(), "it must stay");
    assert!(replica.record(&id("c2")).is_none() && replica.record(&id("c4")).is_none());
    assert!(replica.record(&id("c6")).is_some());
}

/// P18, the dose of a run: three devices read and two sides write at random; what is held through resumes and
/// snapshots shows the unread a recount gives, after every step. Broken once by subtracting message
/// numbers instead of visitor counts.
#[test]
fn unread_is_a_recount_after_every_step() {
    let mut operations = 0;
    for seed in 1..=20_u64 {
        let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut next = |below: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % below
        };
        let mut truth = record("a");
        let mut log = vec![truth.last_message.clone()];
        let mut now = 10;
        let mut replica = begun(&["a"]);
        let mut marks = OwnMarks::default();
        truth.rev = position(now);
        for _ in 0..1_000 {
            operations += 1;
            let last = log.last().unwrap().clone();
            let body = match next(6) {
                0..=2 => {
                    let count = last.visitor_count.get() + 1;
                    appended("a", message(last.seq.get() + 1, count, None))
                }
                3 => {
                    let count = last.visitor_count.get();
                    appended("a", message(last.seq.get() + 1, count, Some("ana")))
                }
                4 => {
                    // Read on another device.
                    let read = &log[next(log.len() as u64) as usize];
                    let read = ReadMark { seq: read.seq, visitor_count: read.visitor_count };
                    let read = truth.own_read.merge(read);
                    StaffEventBody::OwnRead { conversation_id: id("a"), read }
                }
                _ => {
                    // Read here, the relay does not know yet.
                    let read = &log[next(log.len() as u64) as usize];
                    let read = ReadMark { seq: read.seq, visitor_count: read.visitor_count };
                    marks.viewed(&id("a"), read);
                    continue;
                }
            };
            if let StaffEventBody::MessageAppended { message, .. } = &body {
                log.push((**message).clone());
            }
            truth.apply(position(now + 1), &body);
            if next(20) == 0 {
                // Missed it, and came back by a snapshot.
                let mut snapshot = snapshot(&[]);
                snapshot.conversations.insert(id("a"), truth.clone());
                let start =
                    Start::Snapshot { position: position(now + 1), snapshot: Box::new(snapshot) };
                replica.begin(Epoch::new("e1").unwrap(), start).ok().unwrap();
            } else {
                replica.deliver(&delivery(now, vec![body])).ok().unwrap();
            }
            now += 1;
            let (held, _) = replica.record(&id("a")).unwrap();
            assert_eq!(*held, truth);
            let viewed = held.own_read.merge(marks.read(&id("a"))).seq;
            let unread = |m: &&Message| m.seq > viewed && m.author == Author::Visitor;
            let recount = log.iter().filter(unread).count();
            assert_eq!(inbox::unread(held, marks.read(&id("a"))) as usize, recount, "seed {seed}");
        }
    }
    assert_eq!(operations, 20_000);
}

/// Watched conversations follow the log like those held, in no inbox; an event that overtakes the answer
/// with the record is not lost.
#[test]
fn what_is_watched_follows_the_log_beside_the_inbox() {
    let mut replica = begun(&["a"]);
    let watched = ConversationRecord { rev: position(10), ..record("w") };
    assert!(replica.watched(watched.clone()).is_none(), "nobody asked");
    replica.watch_asked(id("w"));
    replica.deliver(&delivery(10, vec![appended("w", message(2, 2, None))])).unwrap();
    let changed = replica.watched(watched.clone()).unwrap();
    assert!(changed.unsure.contains(&id("w")) && changed.write.place.is_none());
    let (record_now, held) = replica.record(&id("w")).unwrap();
    assert_eq!((record_now.last_message.seq, held), (seq(2), false));
    assert_eq!(replica.standing(&id("w")), Standing::Watching);
    assert_eq!(replica.held().count(), 1);
    // Once more on another link: the record replaces what was known.
    replica.link_lost();
    assert_eq!(replica.standing(&id("w")), Standing::Reading);
    replica.watch_asked(id("w"));
    let newer = ConversationRecord { rev: position(12), vip: true, ..watched };
    replica.watched(newer).unwrap();
    assert!(replica.record(&id("w")).unwrap().0.vip);
    let status = ConversationStatus::Ended { by: EndedBy::Visitor, at: at(5) };
    let body =
        StaffEventBody::StatusChanged { conversation_id: id("w"), status, assigned_at: None };
    let event = StaffEvent { position: position(13), body };
    let ended = Delivery { after: position(11), upto: position(13), events: vec![event] };
    assert_eq!(replica.deliver(&ended).unwrap().unwatched, [id("w")]);
    assert_eq!(replica.standing(&id("w")), Standing::Reading);
}

/// Notes are not numbered: only an unchanged record whose messages are on disk has all of its own.
#[test]
fn a_snapshot_says_whose_notes_may_be_more_than_what_was_heard() {
    let mut replica = begun(&["a", "b"]);
    let again = |replica: &mut Replica, epoch: &str, changed: &str| {
        let mut snapshot = snapshot(&["a", "b"]);
        if let Some(record) = snapshot.conversations.get_mut(&id(changed)) {
            record.rev = position(9);
        }
        let start = Start::Snapshot { position: position(20), snapshot: Box::new(snapshot) };
        let unsure = replica.begin(Epoch::new(epoch).unwrap(), start).unwrap().unsure;
        unsure.into_iter().collect::<Vec<_>>()
    };
    assert!(again(&mut replica, "e1", "neither").is_empty());
    assert_eq!(again(&mut replica, "e1", "b"), [id("b")]);
    replica.cache_lost();
    assert_eq!(again(&mut replica, "e1", "b"), [id("a"), id("b")]);
    assert_eq!(again(&mut replica, "e2", "b"), [id("a"), id("b")]);
}

#[test]
fn more_than_is_kept_while_asking_to_watch_asks_again() {
    let mut replica = begun(&[]);
    replica.watch_asked(id("w"));
    let many = crate::limits::WATCH_EVENTS_MAX as u64 + 1;
    let bodies = (0..many).map(|n| appended("w", message(n + 2, n + 2, None))).collect();
    replica.deliver(&delivery(10, bodies)).unwrap();
    assert!(replica.watched(record("w")).is_none());
    replica.watch_asked(id("w"));
    assert!(replica.watched(record("w")).is_some());
}

/// Broken once by taking every page: a conversation withdrawn while the page was under way came back.
#[test]
fn a_page_the_log_has_overtaken_is_asked_for_again() {
    let mut replica = Replica::default();
    let mut first = snapshot(&["a"]);
    first.has_more = true;
    let start = Start::Snapshot { position: position(10), snapshot: Box::new(first) };
    replica.begin(Epoch::new("e1").unwrap(), start).unwrap();
    assert_eq!(replica.missing(), Some(Some(id("a"))));
    assert_eq!(replica.place(), None, "not to be resumed from");

    let page = |read_at: u64, names: &[&str]| ServedPage {
        position: position(read_at),
        conversations: names.iter().map(|name| record(name)).collect(),
        has_more: false,
    };
    let body = StaffEventBody::ConversationWithdrawn { conversation_id: id("b") };
    let event = StaffEvent { position: position(12), body };
    let delivery = Delivery { after: position(10), upto: position(12), events: vec![event] };
    assert!(replica.deliver(&delivery).unwrap().write.partial);
    assert!(replica.add_page(page(11, &["b", "c"])).is_none(), "b left at 12");
    let changed = replica.add_page(page(11, &["c"])).unwrap();
    assert!(!replica.holds(&id("b")) && replica.holds(&id("c")));
    assert!(!changed.write.partial && replica.missing().is_none());
    assert_eq!(replica.place().map(|place| place.position), Some(position(12)));
}
