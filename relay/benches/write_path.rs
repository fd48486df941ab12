//! The store's write path against a bare loop over the same statements (S1): what group commit, the
//! queue, savepoints and the event log cost. Run: `cargo bench -p yingke-relay --bench write_path`.
//!
//! Both write the rows of a visitor's message into the real schema. The loop commits every 100
//! messages; the store is asked by 100 tasks, each waiting for its answer before the next message.
//! Rounds alternate, so that a noisy machine disturbs both alike.

use std::time::Instant;

use rusqlite::Connection;
use yingke_relay::clock::{RealWorld, World as _};
use yingke_relay::events::{LogBody, NewEvent, Subject};
use yingke_relay::params;
use yingke_relay::store::{Abort, Store, StoreError, WriteTx};
use yingke_shared::ids::{ClientId, ConversationId, Seq, VisitorId};
use yingke_shared::time::Timestamp;
use yingke_shared::views::{Author, Message, MessageContent};

const PAIRS: usize = 100;
const MESSAGES_EACH: usize = 200;
const ROUNDS: usize = 5;
const TEXT: &str = "您好，我想问一下这件商品什么时候能发货？谢谢！";

const SENT: &str = "SELECT seq FROM messages WHERE actor_id = ? AND client_id = ?";
const OPEN: &str =
    "SELECT id, agent_id FROM conversations WHERE visitor_id = ? AND state <> 'ended'";
const RUNNING: &str = "SELECT seq, visitor_count, unanswered_since FROM messages
    WHERE conversation_id = ? ORDER BY seq DESC LIMIT 1";
const MESSAGE: &str = "INSERT INTO messages (conversation_id, seq, actor_id, client_id, author,
    content, is_notice, at, visitor_count, unanswered_since)
    VALUES (?, ?, ?, ?, 'visitor', ?, 0, ?, ?, ?)";
const EVENT: &str = "INSERT INTO events (position, at, kind, conversation_id, seq, body)
    VALUES (?, ?, 'message_appended', ?, ?, '')";

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        let alone = bare(1, 2_000)?;
        let bare = bare(100, PAIRS * MESSAGES_EACH)?;
        let store = runtime.block_on(through_the_store())?;
        ratios.push(store / bare);
        say(&format!(
            "one a commit {alone:>7.0}/s   bare loop {bare:>7.0}/s   store {store:>7.0}/s   ratio {:.2}",
            store / bare
        ));
    }
    ratios.sort_by(f64::total_cmp);
    if let (Some(low), Some(middle), Some(high)) =
        (ratios.first(), ratios.get(ROUNDS / 2), ratios.last())
    {
        say(&format!("median ratio {middle:.2} ({low:.2} to {high:.2})"));
    }
    Ok(())
}

fn say(line: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Visitors with a served conversation each.
async fn prepare(folder: &std::path::Path) -> Outcome<(Store, Vec<Subject>)> {
    let store = Store::open(folder, &RealWorld)?;
    let mut subjects = Vec::new();
    for _ in 0..PAIRS {
        let subject = Subject {
            conversation_id: ConversationId::new(RealWorld.new_id())?,
            visitor_id: VisitorId::new(RealWorld.new_id())?,
            agent_id: None,
        };
        subjects.push(subject.clone());
        let insert = move |tx: &mut WriteTx<'_>| {
            tx.execute(
                "INSERT INTO conversations (id, site_id, visitor_id, state, started_at,
                     started_position) VALUES (?, 'site', ?, 'serving', 1, 1)",
                params![subject.conversation_id, subject.visitor_id],
            )?;
            Ok::<_, Abort<StoreError>>(())
        };
        store.write("prepare", insert).await?;
    }
    Ok((store, subjects))
}

async fn through_the_store() -> Outcome<f64> {
    let folder = tempfile::tempdir()?;
    let (store, subjects) = prepare(folder.path()).await?;
    let started = Instant::now();
    let mut tasks = Vec::new();
    for subject in subjects {
        let store = store.clone();
        tasks.push(tokio::spawn(async move {
            for _ in 0..MESSAGES_EACH {
                let (subject, client_id) = (subject.clone(), RealWorld.new_id());
                let (client_id, now) = (ClientId::new(client_id)?, RealWorld.now());
                let send = move |tx: &mut WriteTx<'_>| Ok(send(tx, &subject, &client_id, now)?);
                store.write::<_, StoreError, _>("send", send).await?;
            }
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
        }));
    }
    for task in tasks {
        task.await?.map_err(|error| error.to_string())?;
    }
    let took = started.elapsed();
    store.close().await;
    Ok((PAIRS * MESSAGES_EACH) as f64 / took.as_secs_f64())
}

fn send(
    tx: &mut WriteTx<'_>,
    subject: &Subject,
    client_id: &ClientId,
    now: Timestamp,
) -> Result<Seq, StoreError> {
    let visitor = &subject.visitor_id;
    tx.query_one(SENT, params![visitor, client_id], |row| row.seq(0))?;
    tx.query_one(OPEN, params![visitor], |row| row.id::<ConversationId>(0))?;
    let conversation = &subject.conversation_id;
    let last = tx.query_one(RUNNING, params![conversation], |row| row.seq(0))?;
    let seq = last.unwrap_or_default().next();
    let message = Message {
        seq,
        client_id: client_id.clone(),
        author: Author::Visitor,
        content: MessageContent::Text { text: TEXT.to_owned() },
        at: now,
        visitor_count: seq,
        unanswered_since: Some(now),
    };
    tx.execute(MESSAGE, params![conversation, seq, visitor, client_id, TEXT, now, seq, now])?;
    tx.append(NewEvent {
        at: now,
        subject: Some(subject.clone()),
        body: LogBody::MessageAppended {
            message: Box::new(message),
            agent: None,
            first_response_at: None,
        },
    })?;
    Ok(seq)
}

fn bare(messages_a_commit: usize, messages: usize) -> Outcome<f64> {
    let folder = tempfile::tempdir()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let subjects = runtime.block_on(async {
        let (store, subjects) = prepare(folder.path()).await?;
        store.close().await;
        Ok::<_, Box<dyn std::error::Error>>(subjects)
    })?;
    let connection = Connection::open(folder.path().join("yingke.db"))?;
    connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA cache_size = -16384;")?;
    let started = Instant::now();
    let mut sent = 0_i64;
    let mut whose = subjects.iter().cycle();
    while sent < i64::try_from(messages)? {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        for _ in 0..messages_a_commit {
            let Some(subject) = whose.next() else { break };
            sent += 1;
            bare_send(&connection, subject, sent)?;
        }
        connection.execute("UPDATE log_head SET position = ? WHERE id = 1", [sent])?;
        connection.execute_batch("COMMIT")?;
    }
    Ok(sent as f64 / started.elapsed().as_secs_f64())
}

fn bare_send(connection: &Connection, subject: &Subject, position: i64) -> Outcome<()> {
    let conversation = subject.conversation_id.as_str();
    let visitor = subject.visitor_id.as_str();
    let client_id = RealWorld.new_id();
    let now = i64::try_from(RealWorld.now().millis())?;
    let exists = |sql: &str, values: &[&str]| -> rusqlite::Result<Option<i64>> {
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query(rusqlite::params_from_iter(values))?;
        Ok(rows.next()?.and_then(|row| row.get(0).ok()))
    };
    exists(SENT, &[visitor, &client_id])?;
    exists(OPEN, &[visitor])?;
    let seq = exists(RUNNING, &[conversation])?.unwrap_or(0) + 1;
    connection.prepare_cached(MESSAGE)?.execute(rusqlite::params![
        conversation,
        seq,
        visitor,
        client_id,
        TEXT,
        now,
        seq,
        now
    ])?;
    connection.prepare_cached(EVENT)?.execute(rusqlite::params![
        position,
        now,
        conversation,
        seq
    ])?;
    Ok(())
}
