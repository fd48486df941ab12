//! The log as its readers get it: in order, without a hole, from memory and from the database alike.

mod attending;

use std::collections::BTreeMap;
use std::time::Duration;

use tempfile::TempDir;
use yingke_shared::ids::{AgentId, ClientId, ConversationId, Position, Seq, VisitorId};
use yingke_shared::time::Timestamp;
use yingke_shared::views::{
    AgentCard, Author, ConversationStatus, EndedBy, InvitationEnd, ManagerAlertKind, Marks,
    Message, MessageContent, ReadMark, RequeueReason, SystemNotice, WaitingReason,
};

use super::*;
use crate::clock::RealWorld;
use crate::limits::{TAIL_BYTES_MAX, TAIL_ENTRIES_MAX};
use crate::params;
use crate::store::{Abort, Store, StoreError, WriteTx};

fn open() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), &RealWorld).unwrap();
    (folder, store)
}

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis).unwrap()
}

fn seq(number: u64) -> Seq {
    Seq::new(number).unwrap()
}

fn position(number: u64) -> Position {
    Position::new(number).unwrap()
}

fn site_event() -> NewEvent {
    let body = LogBody::SiteChanged { site_id: "site-1".parse().unwrap() };
    NewEvent { at: at(1), subject: None, body }
}

async fn write(
    store: &Store,
    f: impl Fn(&mut WriteTx<'_>) -> Result<(), StoreError> + Send + 'static,
) {
    store.write::<_, StoreError, _>("test", move |tx| f(tx).map_err(Abort::from)).await.unwrap();
}

/// Appends `count` small events, some hundred a transaction.
async fn append(store: &Store, count: usize) {
    let mut left = count;
    while left > 0 {
        let now = left.min(500);
        write(store, move |tx| (0..now).try_for_each(|_| tx.append(site_event()).map(|_| ())))
            .await;
        left -= now;
    }
}

async fn next(reader: &mut LogReader) -> Vec<std::sync::Arc<Entry>> {
    tokio::time::timeout(Duration::from_secs(10), reader.next()).await.unwrap().unwrap()
}

/// Positions are shown to followers just after the writer was answered: `until` is said by the test,
/// not asked from the store. Reads up to it, checking that no position is missing or comes twice.
async fn read_until(reader: &mut LogReader, until: Position) {
    let mut expected = reader.position();
    while expected < until {
        for entry in next(reader).await {
            assert_eq!(entry.position, expected.next());
            expected = entry.position;
        }
    }
    assert_eq!(reader.position(), until);
}

#[tokio::test]
async fn a_follower_crosses_from_the_database_to_memory_without_a_hole() {
    let (_folder, store) = open();
    let count = TAIL_ENTRIES_MAX as u64 + 700;
    append(&store, TAIL_ENTRIES_MAX + 700).await;
    let head = position(count);
    let mut from_the_start = store.subscribe(Position::ZERO);
    read_until(&mut from_the_start, head).await;
    let mut at_the_border = store.subscribe(position(700));
    let mut before_the_border = store.subscribe(position(699));
    let mut at_the_end = store.subscribe(head);
    append(&store, 3).await;
    let head = position(count + 3);
    for reader in [&mut from_the_start, &mut at_the_border, &mut before_the_border, &mut at_the_end]
    {
        read_until(reader, head).await;
    }
}

#[tokio::test]
async fn a_follower_that_falls_behind_while_waiting_loses_nothing() {
    let (_folder, store) = open();
    let mut slow = store.subscribe(Position::ZERO);
    append(&store, 1).await;
    read_until(&mut slow, position(1)).await;
    append(&store, TAIL_ENTRIES_MAX + 10).await;
    read_until(&mut slow, position(TAIL_ENTRIES_MAX as u64 + 11)).await;
}

#[tokio::test]
async fn the_end_in_memory_is_bounded_by_bytes_too() {
    let (_folder, store) = open();
    let rows = Rows::default();
    write(&store, move |tx| rows.insert(tx)).await;
    let text = "长".repeat(4_000);
    let count = 2 * TAIL_BYTES_MAX / text.len();
    for number in 1..=count as u64 {
        let text = text.clone();
        write(&store, move |tx| {
            let message = message(number, Author::Visitor, &text);
            insert_message(tx, &message)?;
            tx.append(message_event(message, None, None)).map(|_| ())
        })
        .await;
    }
    let mut reader = store.subscribe(Position::ZERO);
    read_until(&mut reader, position(count as u64)).await;
}

#[tokio::test]
async fn followers_end_when_the_store_closes() {
    let (_folder, store) = open();
    let mut reader = store.subscribe(Position::ZERO);
    append(&store, 1).await;
    read_until(&mut reader, position(1)).await;
    store.close().await;
    assert!(matches!(reader.next().await, Err(LogError::Closed)));
}

/// Once made to fail by telling it as a failure that may be tried again: it was, without end.
#[tokio::test]
async fn a_follower_that_is_behind_ends_too_when_the_store_closes() {
    let (_folder, store) = open();
    append(&store, TAIL_ENTRIES_MAX + 10).await;
    store.close().await;
    let mut reader = store.subscribe(Position::ZERO);
    assert!(matches!(reader.next().await, Err(LogError::Closed)));
}

/// One visitor, one conversation, served by Ana.
struct Rows {
    conversation: &'static str,
    visitor: &'static str,
}

impl Default for Rows {
    fn default() -> Self {
        Self { conversation: "conversation-1", visitor: "vera" }
    }
}

impl Rows {
    fn insert(&self, tx: &mut WriteTx<'_>) -> Result<(), StoreError> {
        tx.execute(
            "INSERT INTO agents (id, account, account_key, nickname, role, password_hash, capacity,
                                 availability, created_at)
             VALUES ('ana', 'Ana', 'ana', 'Ana 安娜', 'agent', '', 8, 'online', 1)
             ON CONFLICT (id) DO NOTHING",
            &[],
        )?;
        tx.execute(
            "INSERT INTO conversations (id, site_id, visitor_id, state, agent_id, started_at,
                                        started_position)
             VALUES (?, 'site-1', ?, 'serving', 'ana', 1, 1)",
            params![self.conversation, self.visitor],
        )?;
        Ok(())
    }

    fn subject(&self) -> Subject {
        Subject {
            conversation_id: ConversationId::new(self.conversation).unwrap(),
            visitor_id: VisitorId::new(self.visitor).unwrap(),
            agent_id: Some(ana()),
            members: Vec::new(),
        }
    }
}

fn ana() -> AgentId {
    "ana".parse().unwrap()
}

fn ana_card() -> AgentCard {
    AgentCard { id: ana(), nickname: "Ana 安娜".to_owned() }
}

fn message(number: u64, author: Author, text: &str) -> Message {
    Message {
        seq: seq(number),
        client_id: ClientId::new(format!("client-{number}")).unwrap(),
        author,
        content: MessageContent::Text { text: text.to_owned() },
        at: at(1_000 + number),
        visitor_count: seq(number),
        unanswered_since: Some(at(1_001)),
    }
}

fn message_event(
    message: Message,
    agent: Option<AgentCard>,
    first_response_at: Option<Timestamp>,
) -> NewEvent {
    let body = LogBody::MessageAppended { message: Box::new(message), agent, first_response_at };
    NewEvent { at: at(2), subject: Some(Rows::default().subject()), body }
}

/// The row of a message, as the conversations room writes it.
fn insert_message(tx: &mut WriteTx<'_>, message: &Message) -> Result<(), StoreError> {
    let (author, actor) = match &message.author {
        Author::Visitor => ("visitor", "vera".to_owned()),
        Author::Agent { agent_id } => ("agent", agent_id.to_string()),
        Author::System => ("system", "system".to_owned()),
    };
    let (content, is_notice) = match &message.content {
        MessageContent::Text { text } => (text.clone(), false),
        MessageContent::Notice { notice } => (serde_json::to_string(notice).unwrap(), true),
        MessageContent::Unknown => panic!("nobody sends it"),
    };
    let position = tx.next_position();
    tx.execute(
        "INSERT INTO messages (position, conversation_id, seq, actor_id, client_id, author, content,
                               is_notice, at, visitor_count, unanswered_since)
         VALUES (?, 'conversation-1', ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        params![
            position,
            message.seq,
            actor,
            message.client_id,
            author,
            content,
            is_notice,
            message.at,
            message.visitor_count,
            message.unanswered_since
        ],
    )?;
    Ok(())
}

/// Every kind of event, with the rows it needs.
fn one_of_each() -> Vec<NewEvent> {
    let about = |body| NewEvent { at: at(3), subject: Some(Rows::default().subject()), body };
    let alone = |body| NewEvent { at: at(4), subject: None, body };
    let welcome = SystemNotice::Welcome { text: "您好".to_owned() };
    let notice = Message {
        content: MessageContent::Notice { notice: welcome },
        unanswered_since: None,
        ..message(1, Author::System, "")
    };
    let status = |status, agent, gained: &[AgentId], lost: &[AgentId], requeued| {
        let sight = Sight { gained: gained.to_vec(), lost: lost.to_vec() };
        LogBody::StatusChanged { status, agent, sight, requeued }
    };
    let serving = ConversationStatus::Serving { agent_id: ana() };
    vec![
        about(LogBody::ConversationStarted),
        message_event(notice, None, None),
        message_event(message(2, Author::Visitor, "在吗？"), None, None),
        about(LogBody::Routed { department_id: "default".parse().unwrap(), vip: true }),
        about(status(serving, Some(ana_card()), &[ana()], &[], None)),
        message_event(
            message(3, Author::Agent { agent_id: ana() }, "在的"),
            Some(ana_card()),
            Some(at(1_003)),
        ),
        about(LogBody::VisitorMarked { marks: Marks { delivered: seq(3), read: seq(2) } }),
        about(LogBody::AgentMarked {
            agent_id: ana(),
            hidden: true,
            marks: Marks { delivered: seq(3), read: seq(3) },
            read: ReadMark { seq: seq(3), visitor_count: seq(1) },
        }),
        about(status(
            ConversationStatus::Waiting { reason: WaitingReason::AllFull },
            None,
            &[],
            &[ana()],
            Some(RequeueReason::NoAnswer),
        )),
        about(LogBody::MembersChanged {
            members: vec![ana_card()],
            joined: Some(ana()),
            left: None,
            unannounced: vec![ana()],
            sight: Sight { gained: vec![ana()], lost: Vec::new() },
        }),
        about(LogBody::InvitationsChanged {
            change: InvitationChange::Closed {
                invitation_id: "i1".parse().unwrap(),
                why: InvitationEnd::Expired,
                offered_to: Some(ana()),
            },
        }),
        about(LogBody::NoteAdded),
        about(LogBody::ManagersAlerted { what: ManagerAlertKind::NoAnswer }),
        about(LogBody::AlertCleared),
        about(LogBody::WrapUpDone { agent_id: ana() }),
        about(status(
            ConversationStatus::Ended { by: EndedBy::Visitor, at: at(9) },
            None,
            &[],
            &[],
            None,
        )),
        alone(LogBody::SettingsChanged { section: "rules".to_owned() }),
        alone(LogBody::AgentChanged { agent_id: ana() }),
        alone(LogBody::SiteChanged { site_id: "site-1".parse().unwrap() }),
    ]
}

async fn append_one_of_each(store: &Store) -> Vec<Entry> {
    write(store, |tx| {
        Rows::default().insert(tx)?;
        for event in one_of_each() {
            if let LogBody::MessageAppended { message, .. } = &event.body {
                insert_message(tx, message)?;
            }
            tx.append(event)?;
        }
        Ok(())
    })
    .await;
    let mut reader = store.subscribe(Position::ZERO);
    next(&mut reader).await.iter().map(|entry| Entry::clone(entry)).collect()
}

#[tokio::test]
async fn what_is_read_back_is_what_was_appended() {
    let (_folder, store) = open();
    let live = append_one_of_each(&store).await;
    assert_eq!(live.len(), one_of_each().len());
    let all = ReadLimits::RESUME;
    let stored = store.read("read", move |tx| read_after(tx, Position::ZERO, all)).await.unwrap();
    assert_eq!(stored, Stretch { entries: live, more: false });
}

#[tokio::test]
async fn a_message_is_stored_once() {
    let (_folder, store) = open();
    append_one_of_each(&store).await;
    let texts = store.read("bodies", |tx| {
        tx.query("SELECT body FROM events WHERE kind = 'message_appended'", &[], |row| row.text(0))
    });
    for body in texts.await.unwrap() {
        assert!(!body.contains("在") && !body.contains("您好"), "{body}");
    }
}

#[tokio::test]
async fn a_visitor_gets_only_what_is_about_own_conversations() {
    let (_folder, store) = open();
    let live = append_one_of_each(&store).await;
    let other = Rows { conversation: "conversation-2", visitor: "viktor" };
    write(&store, move |tx| {
        other.insert(tx)?;
        let body = LogBody::ConversationStarted;
        tx.append(NewEvent { at: at(5), subject: Some(other.subject()), body }).map(|_| ())
    })
    .await;
    let own: Vec<Entry> = live.into_iter().filter(|entry| entry.subject.is_some()).collect();
    let read = |visitor: &str, after: u64| {
        let visitor: VisitorId = visitor.parse().unwrap();
        store.read("resume", move |tx| {
            read_of_visitor(tx, &visitor, position(after), ReadLimits::RESUME)
        })
    };
    assert_eq!(read("vera", 0).await.unwrap().entries, own);
    assert_eq!(read("vera", 4).await.unwrap().entries, own[4..]);
    assert_eq!(read("viktor", 0).await.unwrap().entries.len(), 1);
    assert_eq!(read("nobody", 0).await.unwrap(), Stretch::default());
}

#[tokio::test]
async fn reading_stops_at_its_limits_and_says_so() {
    let (_folder, store) = open();
    let live = append_one_of_each(&store).await;
    let read = |after: u64, entries_max, bytes_max| {
        let limits = ReadLimits { entries_max, bytes_max };
        store.read("read", move |tx| read_after(tx, position(after), limits))
    };
    let cut = read(0, 3, usize::MAX).await.unwrap();
    assert_eq!((cut.entries.as_slice(), cut.more), (&live[..3], true));
    let exact = read(0, live.len(), usize::MAX).await.unwrap();
    assert_eq!((exact.entries.len(), exact.more), (live.len(), false));
    let heavy = read(0, 100, 1).await.unwrap();
    assert_eq!((heavy.entries.len(), heavy.more), (1, true), "at least one");
    assert_eq!(read(live.len() as u64, 1, 1).await.unwrap(), Stretch::default());
}

#[tokio::test]
async fn reading_uses_the_indexes() {
    let (_folder, store) = open();
    append_one_of_each(&store).await;
    let plans = store.read("plans", |tx| {
        let mut plans = BTreeMap::new();
        for (name, sql, numbers) in [
            ("after", read::AFTER, params![0_i64, 10_i64]),
            ("at", read::AT, params![1_i64]),
            ("said", read::SAID, params!["vera", 10_i64]),
            ("happened", read::HAPPENED, params!["vera", 0_i64, 10_i64]),
        ] {
            let sql: &str = format!("EXPLAIN QUERY PLAN {sql}").leak();
            plans.insert(name, tx.query(sql, numbers, |row| row.text(3))?.join("; "));
        }
        Ok(plans)
    });
    let plans = plans.await.unwrap();
    assert!(plans["after"].contains("SEARCH e USING INTEGER PRIMARY KEY (rowid>?)"), "{plans:?}");
    assert!(plans["at"].contains("SEARCH e USING INTEGER PRIMARY KEY (rowid=?)"), "{plans:?}");
    assert!(plans["happened"].contains("events_by_conversation"), "{plans:?}");
    assert!(plans["said"].contains("conversations_by_visitor"), "{plans:?}");
    assert!(!plans["said"].contains("TEMP B-TREE"), "{plans:?}");
    for plan in plans.values() {
        assert!(!plan.contains("SCAN"), "{plan}");
    }
}
