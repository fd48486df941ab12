//! What a visitor sees. No type here can carry a note, a preview, an account name or anything of
//! another visitor; adding a field is a decision about privacy.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::common::{AgentCard, DepartmentCard, EndedBy, Marks, SystemNotice, WaitingReason};
use crate::ids::{ClientId, ConversationId, Position, Seq, SiteId, VisitorId};
use crate::settings::VisitorPrompts;
use crate::time::Timestamp;

/// What the widget needs of its site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct VisitorSite {
    /// Which.
    pub id: SiteId,
    /// The company's own name for it.
    pub name: String,
    /// Shown when the window opens; empty for none (A16).
    pub welcome: String,
    /// Whether what is typed is shown to the agent before it is sent (E01); the widget says so.
    pub preview: bool,
    /// 开启在线客服 (A04). Off, no conversation begins; one that is open goes on to its end.
    pub enabled: bool,
    /// The company's own words for each state (A15).
    pub prompts: VisitorPrompts,
    /// Categories to pick from before the first message (A24), in their order; empty for no form.
    pub categories: Vec<String>,
    /// Departments the visitor may pick (A25); empty for no choice.
    pub departments: Vec<DepartmentCard>,
    /// Agents the visitor may pick (A25); empty for no choice.
    pub agents: Vec<AgentCard>,
    /// Opening the window begins a conversation (B14). Never where the site is
    /// off or there is something to pick first.
    #[serde(default)]
    pub begins_on_open: bool,
}

/// Where the visitor's conversation stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[ts(export)]
pub enum VisitorStatus {
    /// In line for an agent.
    Waiting {
        /// Why.
        reason: WaitingReason,
    },
    /// An agent answers.
    Serving {
        /// Who.
        agent: AgentCard,
    },
    /// Over. The next message starts a new conversation.
    Ended {
        /// By whom.
        by: EndedBy,
        /// When.
        at: Timestamp,
    },
}

/// The visitor's own conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct VisitorConversation {
    /// Which.
    pub id: ConversationId,
    /// The position of the newest event this record includes; events at or below it change nothing.
    pub rev: Position,
    /// Where it stands.
    pub status: VisitorStatus,
    /// The serving agents' marks, merged: what "delivered" and "read" beside an own message mean.
    pub agent_marks: Marks,
    /// The visitor's own marks: what is unread.
    pub own_marks: Marks,
    /// The newest message's number.
    pub last_seq: Seq,
    /// Everybody who takes part beside the one who serves it (F03).
    pub members: Vec<AgentCard>,
}

/// Who wrote a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[ts(export)]
pub enum VisitorAuthor {
    /// The visitor.
    Me,
    /// An agent.
    Agent {
        /// Who, as named now.
        agent: AgentCard,
    },
    /// The system.
    System,
}

/// What a message says.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[ts(export)]
pub enum VisitorContent {
    /// Plain text; never markup.
    Text {
        /// 1 to 4,000 characters.
        text: String,
    },
    /// A line the system wrote.
    Notice {
        /// Which.
        notice: SystemNotice,
    },
    /// What the relay cannot read any more; the message keeps its place.
    Unknown,
}

/// One message as the visitor sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct VisitorMessage {
    /// In which of the visitor's conversations.
    pub conversation_id: ConversationId,
    /// Its dense number there.
    pub seq: Seq,
    /// The id its author's client gave it; replaces the local echo.
    pub client_id: ClientId,
    /// Who wrote it.
    pub author: VisitorAuthor,
    /// What it says.
    pub content: VisitorContent,
    /// When the relay stored it.
    pub at: Timestamp,
}

/// Earlier messages of this visitor across all own conversations, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct HistoryPage {
    /// Ordered by conversation, then by number.
    pub messages: Vec<VisitorMessage>,
    /// Whether there are earlier ones.
    pub has_earlier: bool,
}

/// Where a page of history ends: before this message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct HistoryCursor {
    /// The conversation of the oldest message held.
    pub conversation_id: ConversationId,
    /// Its number.
    pub seq: Seq,
}

/// The visitor as told to its own widget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct VisitorSelf {
    /// Who.
    pub id: VisitorId,
}
