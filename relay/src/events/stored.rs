//! An entry as it is stored: its kind, the conversation and message it is about, and a little JSON
//! of what no other table holds. The names and fields here are in databases: never change a meaning.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use yingke_shared::ids::{AgentId, SiteId};
use yingke_shared::time::Timestamp;
use yingke_shared::views::{
    AgentCard, Author, ConversationStatus, Marks, Message, MessageContent, ReadMark,
};

use super::{Entry, LogBody, Subject};
use crate::params;
use crate::store::{ReadTx, Row, StoreError, WriteTx};

const STARTED: &str = "conversation_started";
const STATUS: &str = "status_changed";
const MESSAGE: &str = "message_appended";
const VISITOR_MARKED: &str = "visitor_marked";
const AGENT_MARKED: &str = "agent_marked";
const AGENT: &str = "agent_changed";
const SITE: &str = "site_changed";

#[derive(Serialize, Deserialize)]
struct StatusJson {
    status: ConversationStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous_agent: Option<AgentId>,
}

#[derive(Serialize, Deserialize)]
struct MessageJson {
    first_response_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct AgentMarkedJson {
    agent_id: AgentId,
    marks: Marks,
    read: ReadMark,
}

#[derive(Serialize, Deserialize)]
struct AgentJson {
    agent_id: AgentId,
}

#[derive(Serialize, Deserialize)]
struct SiteJson {
    site_id: SiteId,
}

pub(crate) const INSERT: &str =
    "INSERT INTO events (position, at, kind, conversation_id, seq, body) VALUES (?, ?, ?, ?, ?, ?)";

/// Where the log ends, and moving it there.
pub(crate) const END: &str = "SELECT position FROM log_head WHERE id = 1";
pub(crate) const MOVE_END: &str = "UPDATE log_head SET position = ? WHERE id = 1";

/// Stores `entry`; called by the store's transaction only.
pub(crate) fn insert(tx: &mut WriteTx<'_>, entry: &Entry) -> Result<(), StoreError> {
    let mut seq = None;
    let (kind, body) = match &entry.body {
        LogBody::ConversationStarted => (STARTED, String::new()),
        LogBody::StatusChanged { status, previous_agent, agent: _ } => {
            let previous_agent = previous_agent.clone();
            (STATUS, json(&StatusJson { status: status.clone(), previous_agent })?)
        }
        LogBody::MessageAppended { message, first_response_at, agent: _ } => {
            seq = Some(message.seq);
            let body = match first_response_at {
                None => String::new(),
                Some(at) => json(&MessageJson { first_response_at: *at })?,
            };
            (MESSAGE, body)
        }
        LogBody::VisitorMarked { marks } => (VISITOR_MARKED, json(marks)?),
        LogBody::AgentMarked { agent_id, marks, read } => {
            let body = AgentMarkedJson { agent_id: agent_id.clone(), marks: *marks, read: *read };
            (AGENT_MARKED, json(&body)?)
        }
        LogBody::AgentChanged { agent_id } => {
            (AGENT, json(&AgentJson { agent_id: agent_id.clone() })?)
        }
        LogBody::SiteChanged { site_id } => (SITE, json(&SiteJson { site_id: site_id.clone() })?),
    };
    let conversation = entry.subject.as_ref().map(|subject| &subject.conversation_id);
    tx.execute(INSERT, params![entry.position, entry.at, kind, conversation, seq, body])?;
    Ok(())
}

/// A statement over the view `v_log`, with the columns [`entry_of`] reads.
macro_rules! log_statement {
    ($rest:literal) => {
        concat!(
            "SELECT position, at, kind, conversation_id, seq, body, visitor_id, agent_id, ",
            "client_id, author, actor_id, content, is_notice, message_at, visitor_count, ",
            "unanswered_since, author_nickname, message_sum FROM v_log ",
            $rest
        )
    };
}
pub(super) use log_statement;

/// Makes an entry of a row of [`log_statement!`]. `tx` names agents that are not authors.
pub(super) fn entry_of(tx: &ReadTx<'_>, row: &Row<'_>) -> Result<Entry, StoreError> {
    let subject = match row.opt_id(3)? {
        None => None,
        Some(conversation_id) => {
            Some(Subject { conversation_id, visitor_id: row.id(6)?, agent_id: row.opt_id(7)? })
        }
    };
    let kind = row.text(2)?;
    let body = row.text(5)?;
    let body = match kind.as_str() {
        STARTED => LogBody::ConversationStarted,
        STATUS => {
            let StatusJson { status, previous_agent } = parse(&body)?;
            let agent = match &status {
                ConversationStatus::Serving { agent_id } => Some(card(tx, agent_id)?),
                _ => None,
            };
            LogBody::StatusChanged { status, agent, previous_agent }
        }
        MESSAGE => message_of(row, &body)?,
        VISITOR_MARKED => LogBody::VisitorMarked { marks: parse(&body)? },
        AGENT_MARKED => {
            let AgentMarkedJson { agent_id, marks, read } = parse(&body)?;
            LogBody::AgentMarked { agent_id, marks, read }
        }
        AGENT => LogBody::AgentChanged { agent_id: parse::<AgentJson>(&body)?.agent_id },
        SITE => LogBody::SiteChanged { site_id: parse::<SiteJson>(&body)?.site_id },
        _ => return Err(StoreError::Corrupt("event kind")),
    };
    Ok(Entry { position: row.position(0)?, at: row.time(1)?, subject, body })
}

fn message_of(row: &Row<'_>, body: &str) -> Result<LogBody, StoreError> {
    let mut agent = None;
    // A message that is not there has no sum; one that is damaged is told of without what it said.
    let is_there = row.opt_int(17)?.is_some();
    let is_damaged = is_there && !row.is_sound([3, 4, 10, 8, 9, 11, 12, 13, 14, 15], 17);
    if is_damaged {
        tracing::error!(position = row.position(0)?.get(), "a stored message is damaged");
    }
    let author = match row.text(9)?.as_str() {
        "visitor" => Author::Visitor,
        "system" => Author::System,
        "agent" => {
            let agent_id: AgentId = row.id(10)?;
            agent = Some(AgentCard { id: agent_id.clone(), nickname: row.text(16)? });
            Author::Agent { agent_id }
        }
        _ => return Err(StoreError::Corrupt("message author")),
    };
    let content = match row.flag(12)? {
        _ if is_damaged => MessageContent::Unknown,
        false => MessageContent::Text { text: row.text(11)? },
        true => MessageContent::Notice { notice: parse(&row.text(11)?)? },
    };
    let first_response_at = match body {
        "" => None,
        json => Some(parse::<MessageJson>(json)?.first_response_at),
    };
    let message = Message {
        seq: row.seq(4)?,
        client_id: row.id(8)?,
        author,
        content,
        at: row.time(13)?,
        visitor_count: row.seq(14)?,
        unanswered_since: row.opt_time(15)?,
    };
    Ok(LogBody::MessageAppended { message: Box::new(message), agent, first_response_at })
}

fn card(tx: &ReadTx<'_>, agent_id: &AgentId) -> Result<AgentCard, StoreError> {
    let nickname =
        tx.query_one("SELECT nickname FROM agents WHERE id = ?", params![*agent_id], |row| {
            row.text(0)
        })?;
    let nickname = nickname.ok_or(StoreError::Corrupt("an event names an unknown agent"))?;
    Ok(AgentCard { id: agent_id.clone(), nickname })
}

/// How much an entry weighs in memory and, roughly, on the wire.
pub(super) fn size_of(entry: &Entry) -> usize {
    const HEAD: usize = 384;
    HEAD + match &entry.body {
        LogBody::MessageAppended { message, .. } => match &message.content {
            MessageContent::Text { text } => text.len(),
            MessageContent::Notice { .. } | MessageContent::Unknown => 128,
        },
        _ => 0,
    }
}

fn json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|_| StoreError::Corrupt("event body"))
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::Corrupt("event body"))
}
