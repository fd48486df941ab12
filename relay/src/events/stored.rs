//! An entry as it is stored: its kind, the conversation and message it is about, and a little JSON
//! of what no other table holds. The names and fields here are in databases: never change a meaning.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use yingke_shared::ids::{AgentId, DepartmentId, SiteId};
use yingke_shared::time::Timestamp;
use yingke_shared::views::{
    AgentCard, Author, ConversationStatus, ManagerAlertKind, Marks, Message, MessageContent,
    ReadMark, RequeueReason,
};

use super::{Entry, InvitationChange, LogBody, Sight, Subject};
use crate::params;
use crate::store::{ReadTx, Row, StoreError, WriteTx};

const STARTED: &str = "conversation_started";
const STATUS: &str = "status_changed";
const MESSAGE: &str = "message_appended";
const VISITOR_MARKED: &str = "visitor_marked";
const AGENT_MARKED: &str = "agent_marked";
const ROUTED: &str = "routed";
const MEMBERS: &str = "members_changed";
const INVITATIONS: &str = "invitations_changed";
const NOTE: &str = "note_added";
const ALERTED: &str = "managers_alerted";
const CLEARED: &str = "alert_cleared";
const WRAP_UP_DONE: &str = "wrap_up_done";
const SETTINGS: &str = "settings_changed";
const AGENT: &str = "agent_changed";
const SITE: &str = "site_changed";

#[derive(Serialize, Deserialize)]
struct StatusJson {
    status: ConversationStatus,
    /// Of entries from before there was `sight`.
    #[serde(default, skip_serializing)]
    previous_agent: Option<AgentId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sight: Option<SightJson>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    requeued: Option<RequeueReason>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct SightJson {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    gained: Vec<AgentId>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lost: Vec<AgentId>,
}

impl From<&Sight> for SightJson {
    fn from(sight: &Sight) -> Self {
        Self { gained: sight.gained.clone(), lost: sight.lost.clone() }
    }
}

impl From<SightJson> for Sight {
    fn from(sight: SightJson) -> Self {
        Self { gained: sight.gained, lost: sight.lost }
    }
}

impl StatusJson {
    /// In entries from before there was `sight`, every serving status was somebody's gain.
    fn sight(&mut self) -> Sight {
        if let Some(sight) = self.sight.take() {
            return sight.into();
        }
        let serving = match &self.status {
            ConversationStatus::Serving { agent_id } => Some(agent_id.clone()),
            ConversationStatus::Waiting { .. } | ConversationStatus::Ended { .. } => None,
        };
        let before: Vec<_> = self.previous_agent.take().into_iter().collect();
        let after: Vec<_> = serving.into_iter().collect();
        Sight::between(&before, &after)
    }
}

#[derive(Serialize, Deserialize)]
struct RoutedJson {
    department_id: DepartmentId,
    vip: bool,
}

#[derive(Serialize, Deserialize)]
struct MembersJson {
    members: Vec<AgentId>,
    joined: Option<AgentId>,
    left: Option<AgentId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    unannounced: Vec<AgentId>,
    sight: SightJson,
}

#[derive(Serialize, Deserialize)]
struct AlertJson {
    what: ManagerAlertKind,
}

#[derive(Serialize, Deserialize)]
struct SettingsJson {
    section: String,
}

#[derive(Serialize, Deserialize)]
struct MessageJson {
    first_response_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct AgentMarkedJson {
    agent_id: AgentId,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    hidden: bool,
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
        LogBody::StatusChanged { status, agent: _, sight, requeued } => {
            let (status, sight) = (status.clone(), Some(sight.into()));
            let body = StatusJson { status, previous_agent: None, sight, requeued: *requeued };
            (STATUS, json(&body)?)
        }
        LogBody::Routed { department_id, vip } => {
            (ROUTED, json(&RoutedJson { department_id: department_id.clone(), vip: *vip })?)
        }
        LogBody::MembersChanged { members, joined, left, unannounced, sight } => {
            let members = members.iter().map(|card| card.id.clone()).collect();
            let (joined, left, unannounced) = (joined.clone(), left.clone(), unannounced.clone());
            let sight = sight.into();
            (MEMBERS, json(&MembersJson { members, joined, left, unannounced, sight })?)
        }
        LogBody::InvitationsChanged { change } => (INVITATIONS, json(change)?),
        LogBody::NoteAdded => (NOTE, String::new()),
        LogBody::ManagersAlerted { what } => (ALERTED, json(&AlertJson { what: *what })?),
        LogBody::AlertCleared => (CLEARED, String::new()),
        LogBody::WrapUpDone { agent_id } => {
            (WRAP_UP_DONE, json(&AgentJson { agent_id: agent_id.clone() })?)
        }
        LogBody::SettingsChanged { section } => {
            (SETTINGS, json(&SettingsJson { section: section.clone() })?)
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
        LogBody::AgentMarked { agent_id, hidden, marks, read } => {
            let (agent_id, hidden) = (agent_id.clone(), *hidden);
            let body = AgentMarkedJson { agent_id, hidden, marks: *marks, read: *read };
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
            "unanswered_since, author_nickname, message_sum, members FROM v_log ",
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
            let members = match row.opt_text(18)? {
                None => Vec::new(),
                Some(members) => members_of(&members)?,
            };
            let (visitor_id, agent_id) = (row.id(6)?, row.opt_id(7)?);
            Some(Subject { conversation_id, visitor_id, agent_id, members })
        }
    };
    let kind = row.text(2)?;
    let body = row.text(5)?;
    let body = match kind.as_str() {
        STARTED => LogBody::ConversationStarted,
        STATUS => {
            let mut stored: StatusJson = parse(&body)?;
            let sight = stored.sight();
            let agent = match &stored.status {
                ConversationStatus::Serving { agent_id } => Some(card(tx, agent_id)?),
                _ => None,
            };
            let StatusJson { status, requeued, .. } = stored;
            LogBody::StatusChanged { status, agent, sight, requeued }
        }
        ROUTED => {
            let RoutedJson { department_id, vip } = parse(&body)?;
            LogBody::Routed { department_id, vip }
        }
        MEMBERS => {
            let MembersJson { members, joined, left, unannounced, sight } = parse(&body)?;
            let members = members.iter().map(|id| card(tx, id)).collect::<Result<_, _>>()?;
            LogBody::MembersChanged { members, joined, left, unannounced, sight: sight.into() }
        }
        INVITATIONS => LogBody::InvitationsChanged { change: parse::<InvitationChange>(&body)? },
        NOTE => LogBody::NoteAdded,
        ALERTED => LogBody::ManagersAlerted { what: parse::<AlertJson>(&body)?.what },
        CLEARED => LogBody::AlertCleared,
        WRAP_UP_DONE => LogBody::WrapUpDone { agent_id: parse::<AgentJson>(&body)?.agent_id },
        SETTINGS => LogBody::SettingsChanged { section: parse::<SettingsJson>(&body)?.section },
        MESSAGE => message_of(row, &body)?,
        VISITOR_MARKED => LogBody::VisitorMarked { marks: parse(&body)? },
        AGENT_MARKED => {
            let AgentMarkedJson { agent_id, hidden, marks, read } = parse(&body)?;
            LogBody::AgentMarked { agent_id, hidden, marks, read }
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

/// Who takes part, as a conversation's row holds it.
pub(crate) fn members_of(text: &str) -> Result<Vec<AgentId>, StoreError> {
    // Nearly all have none.
    if text == "[]" { Ok(Vec::new()) } else { parse(text) }
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
