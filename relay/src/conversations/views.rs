//! What an entry of the log says to each side. Pure: who gets it is fan-out's to decide, this is
//! only how it looks. The visitor's side has no words for what a visitor must not see.

use yingke_shared::events::{StaffEventBody, VisitorEventBody};
use yingke_shared::ids::{AgentId, ConversationId, Position, Seq};
use yingke_shared::views::{
    AgentCard, Author, ConversationStatus, Marks, Message, MessageContent, VisitorAuthor,
    VisitorContent, VisitorConversation, VisitorMessage, VisitorStatus, WaitingReason,
};

use crate::events::{Entry, LogBody};

/// The entry as an event for a member of staff who sees the conversation. `AgentMarked` becomes
/// `own_read`: only its own agent gets it. `None`: changes of accounts and sites (their rows are
/// read), and what a gained record already holds.
#[must_use]
pub fn staff_body(entry: &Entry) -> Option<StaffEventBody> {
    let conversation_id = entry.subject.as_ref()?.conversation_id.clone();
    match &entry.body {
        LogBody::StatusChanged { status, .. } => {
            let is_served = matches!(status, ConversationStatus::Serving { .. });
            let assigned_at = is_served.then_some(entry.at);
            let status = status.clone();
            Some(StaffEventBody::StatusChanged { conversation_id, status, assigned_at })
        }
        LogBody::MessageAppended { message, first_response_at, .. } => {
            Some(StaffEventBody::MessageAppended {
                conversation_id,
                message: message.clone(),
                first_response_at: *first_response_at,
            })
        }
        LogBody::VisitorMarked { marks } => {
            Some(StaffEventBody::VisitorMarked { conversation_id, marks: *marks })
        }
        LogBody::AgentMarked { read, .. } => {
            Some(StaffEventBody::OwnRead { conversation_id, read: *read })
        }
        LogBody::Routed { department_id, vip } => Some(StaffEventBody::Routed {
            conversation_id,
            department_id: department_id.clone(),
            vip: *vip,
        }),
        LogBody::MembersChanged { members, .. } => Some(StaffEventBody::MembersChanged {
            conversation_id,
            members: members.iter().map(|card| card.id.clone()).collect(),
        }),
        // Fan-out reads the rows of the first two; managers need not see the conversation.
        LogBody::InvitationsChanged { .. }
        | LogBody::NoteAdded
        | LogBody::ManagersAlerted { .. }
        | LogBody::AlertCleared
        | LogBody::ConversationStarted
        | LogBody::WrapUpDone { .. }
        | LogBody::AgentChanged { .. }
        | LogBody::SettingsChanged { .. }
        | LogBody::SiteChanged { .. } => None,
    }
}

/// The entry as an event for the visitor whose conversation it is. `None`: nothing a visitor sees.
#[must_use]
pub fn visitor_body(entry: &Entry) -> Option<VisitorEventBody> {
    let conversation_id = entry.subject.as_ref()?.conversation_id.clone();
    match &entry.body {
        LogBody::ConversationStarted => Some(VisitorEventBody::ConversationStarted {
            conversation: just_started(conversation_id, entry.position),
        }),
        LogBody::StatusChanged { status, agent, .. } => Some(VisitorEventBody::StatusChanged {
            conversation_id,
            status: visitor_status(status, agent.clone())?,
        }),
        LogBody::MessageAppended { message, agent, .. } => {
            let message = visitor_message(conversation_id, message, agent.clone())?;
            Some(VisitorEventBody::MessageAppended { message })
        }
        LogBody::VisitorMarked { marks } => {
            Some(VisitorEventBody::OwnMarked { conversation_id, marks: *marks })
        }
        LogBody::AgentMarked { hidden: true, .. } => None,
        LogBody::AgentMarked { marks, .. } => {
            Some(VisitorEventBody::AgentMarked { conversation_id, marks: *marks })
        }
        LogBody::MembersChanged { members, joined, left, unannounced, .. } => {
            let is_hidden = |agent_id: &AgentId| unannounced.contains(agent_id);
            let mut moved = joined.iter().chain(left).peekable();
            // Who came or went without the visitor's knowledge.
            if moved.peek().is_some() && moved.all(is_hidden) {
                return None;
            }
            let mut members = members.clone();
            members.retain(|card| !is_hidden(&card.id));
            Some(VisitorEventBody::MembersChanged { conversation_id, members })
        }
        // Nothing of these may reach a visitor: the visitor's side has no words for them.
        LogBody::Routed { .. }
        | LogBody::InvitationsChanged { .. }
        | LogBody::NoteAdded
        | LogBody::ManagersAlerted { .. }
        | LogBody::AlertCleared
        | LogBody::WrapUpDone { .. }
        | LogBody::SettingsChanged { .. }
        | LogBody::AgentChanged { .. }
        | LogBody::SiteChanged { .. } => None,
    }
}

/// A conversation at the position of its first event; its messages follow at the next ones.
fn just_started(id: ConversationId, rev: Position) -> VisitorConversation {
    VisitorConversation {
        id,
        rev,
        status: VisitorStatus::Waiting { reason: WaitingReason::Routing },
        agent_marks: Marks::default(),
        own_marks: Marks::default(),
        last_seq: Seq::ZERO,
        members: Vec::new(),
    }
}

/// A standing as the visitor sees it; `agent` is the card of the serving agent.
#[must_use]
pub fn visitor_status(
    status: &ConversationStatus,
    agent: Option<AgentCard>,
) -> Option<VisitorStatus> {
    Some(match status {
        ConversationStatus::Waiting { reason } => VisitorStatus::Waiting { reason: *reason },
        ConversationStatus::Serving { .. } => VisitorStatus::Serving { agent: agent? },
        ConversationStatus::Ended { by, at } => VisitorStatus::Ended { by: *by, at: *at },
    })
}

/// A message as the visitor sees it; `agent` is the card of its author, if an agent wrote it.
#[must_use]
pub fn visitor_message(
    conversation_id: ConversationId,
    message: &Message,
    agent: Option<AgentCard>,
) -> Option<VisitorMessage> {
    let author = match &message.author {
        Author::Visitor => VisitorAuthor::Me,
        Author::Agent { .. } => VisitorAuthor::Agent { agent: agent? },
        Author::System => VisitorAuthor::System,
    };
    let content = match &message.content {
        MessageContent::Text { text } => VisitorContent::Text { text: text.clone() },
        MessageContent::Notice { notice } => VisitorContent::Notice { notice: notice.clone() },
        MessageContent::Unknown => VisitorContent::Unknown,
    };
    Some(VisitorMessage {
        conversation_id,
        seq: message.seq,
        client_id: message.client_id.clone(),
        author,
        content,
        at: message.at,
    })
}
