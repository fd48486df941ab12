//! Events for a visitor: of the visitor's own conversations, of the site, and of the agents the
//! visitor has been served by.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::ids::{ConversationId, Position};
use crate::views::{
    AgentCard, Marks, VisitorConversation, VisitorMessage, VisitorSite, VisitorStatus,
};

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct VisitorEvent {
    /// Where in the log.
    pub position: Position,
    /// What.
    #[serde(flatten)]
    pub body: VisitorEventBody,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
#[ts(export)]
pub enum VisitorEventBody {
    /// A conversation began; it replaces an ended one.
    ConversationStarted {
        /// As it stands at `conversation.rev`.
        conversation: VisitorConversation,
    },
    /// Waiting, served (or by another agent), ended.
    StatusChanged {
        /// Which.
        conversation_id: ConversationId,
        /// The new standing.
        status: VisitorStatus,
    },
    /// Another agent takes part, or one who did left (F03).
    MembersChanged {
        /// In which.
        conversation_id: ConversationId,
        /// Everybody beside the one who serves it, now.
        members: Vec<AgentCard>,
    },
    /// A message was added.
    MessageAppended {
        /// The message.
        message: VisitorMessage,
    },
    /// The serving agent's device stored, or the agent viewed, messages.
    AgentMarked {
        /// In which.
        conversation_id: ConversationId,
        /// The marks now.
        marks: Marks,
    },
    /// The visitor viewed messages, in this or another tab.
    OwnMarked {
        /// In which.
        conversation_id: ConversationId,
        /// The marks now.
        marks: Marks,
    },
    /// An agent who served this visitor once, or does now, is named otherwise. It holds for every
    /// message of theirs, wherever it is held; what notices say was true then and stays.
    AgentChanged {
        /// The card now.
        agent: AgentCard,
    },
    /// What the window shows of its site changed.
    SiteChanged {
        /// All of it now.
        site: Box<VisitorSite>,
    },
}
