//! What the log can say. An entry in memory carries everything fan-out needs; what is stored leaves
//! out what other tables hold (a message's text) and is filled in again when read back.

use yingke_shared::ids::{AgentId, ConversationId, Position, SiteId, VisitorId};
use yingke_shared::time::Timestamp;
use yingke_shared::views::{AgentCard, ConversationStatus, Marks, Message, ReadMark};

/// Whom an event about a conversation concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Which conversation.
    pub conversation_id: ConversationId,
    /// Whose.
    pub visitor_id: VisitorId,
    /// Who serves it after the event (read back later: who serves it today).
    pub agent_id: Option<AgentId>,
}

/// An event about to be appended.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// The relay's clock, taken before the transaction.
    pub at: Timestamp,
    /// The conversation it is about, if it is about one.
    pub subject: Option<Subject>,
    /// What happened.
    pub body: LogBody,
}

/// An event in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where.
    pub position: Position,
    /// When.
    pub at: Timestamp,
    /// The conversation it is about, if it is about one.
    pub subject: Option<Subject>,
    /// What happened.
    pub body: LogBody,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogBody {
    /// A conversation began, waiting. Its first messages follow at the next positions.
    ConversationStarted,
    /// Waiting (for another reason), served, ended.
    StatusChanged {
        /// The standing now.
        status: ConversationStatus,
        /// The serving agent's card, when served.
        agent: Option<AgentCard>,
        /// Who served it before, if that changed.
        previous_agent: Option<AgentId>,
    },
    /// A message was added.
    MessageAppended {
        /// The message.
        message: Box<Message>,
        /// Its author's card, if an agent wrote it.
        agent: Option<AgentCard>,
        /// When an agent first wrote in the conversation, this message included.
        first_response_at: Option<Timestamp>,
    },
    /// The visitor's marks moved.
    VisitorMarked {
        /// The marks now.
        marks: Marks,
    },
    /// An agent's marks moved.
    AgentMarked {
        /// Whose.
        agent_id: AgentId,
        /// The marks now.
        marks: Marks,
        /// The read mark with its visitor count.
        read: ReadMark,
    },
    /// An agent was added, or card, role, availability, capacity or `disabled` changed.
    AgentChanged {
        /// Who; readers read the row.
        agent_id: AgentId,
    },
    /// A site was added or changed.
    SiteChanged {
        /// Which; readers read the row.
        site_id: SiteId,
    },
}
